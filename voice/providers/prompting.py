"""What a large model is told, in three tiers that change at different speeds, and the call's memory as chat turns. Pure.

The tiers are the order in which vendors cache prompts: what is the same for every call of an agent (`standing_orders`), what
is the same for every turn of a call (`call_notes`), and the turns. Each is byte-exact from one turn to the next: no clock,
no counter, no set is rendered. Everything here can be read back (`briefed`, `happened`), which the vendors' stand-ins do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, assert_never

from context.briefing import Briefing, ContactCard, KnownFact
from voice.actions import AgentSaid, CallerSaid, Happened, Message, ToolUsed
from voice.agent import AgentDefinition, Question
from voice.events import Direction
from voice.tools import TOOLS, schema

_MANNER: Final = """\
You are on a phone call. Your words are spoken by a voice as you write them: no lists, no headings, no emoji, no stage
directions. Speak in one or two short sentences, ask one thing at a time, then stop. Write numbers, times and money the
way they are said. Lines in square brackets are not the caller's words: they tell you what happened on the line. A reply of
yours that ends in a dash was cut off there: the caller heard nothing after it.
Use a tool when its effect is meant, in the same reply as the words that go with it. If the caller asks not to be called
again, call opt_out at once. When the conversation is over say goodbye and call end_call.
Never claim to be human when asked."""

THEY_CALLED: Final = "They called us."
_NOTHING_UNDERSTOOD: Final = "[the caller spoke, but no words were understood]"
_FACTS: Final = {
    "silence": "[the caller is silent]",
    "machine": "[a machine picked up]",
    "answered": "[the call has been answered]",
    "cut_off": "[a fault cut your reply off there; go on from the very next word and repeat nothing]",
}
_KEY: Final = re.compile(r"\[the caller pressed (.+)\]")
_KNOWN: Final = re.compile(r"^- known (\S+) = (\"(?:[^\"\\]|\\.)*\"): (.*)$", re.MULTILINE)
_CONTACT: Final = re.compile(r"^Contact: (\{.*\})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ToolUse:
    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    call: str
    text: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """One turn as chat models have them: in a user turn the tool results come before the text."""

    role: Literal["user", "assistant"]
    text: str = ""
    uses: tuple[ToolUse, ...] = ()
    results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCard:
    """A tool as a model sees it; `parameters` is its JSON schema."""

    name: str
    description: str
    parameters: dict[str, object]


def tool_cards() -> tuple[ToolCard, ...]:
    """Every tool an agent may use, in a fixed order."""
    return tuple(ToolCard(name, " ".join((shape.__doc__ or "").split()), schema(name)) for name, shape in TOOLS.items())


# --- the tiers --------------------------------------------------------------------------------------------------------


def standing_orders(agent: AgentDefinition) -> str:
    """The first tier: the same for every call of this agent."""
    lines = [
        f"You are {agent.persona}, calling for {agent.seller}. Speak {agent.language}.",
        f"Goal of the call: {agent.goal}",
        "",
        _MANNER,
    ]
    if agent.instructions:
        lines += ["", agent.instructions]
    if agent.questions:
        lines += ["", "Ask these, in this order, unless you already know the answer; save each answer with save_answer:"]
        lines += [_question(question) for question in agent.questions]
    if agent.objections:
        lines += ["", "When one of these comes up, say what stands beside it, in your own words:"]
        lines += [
            f"- {objection.id} ({'; '.join(objection.phrases[:3])}): {objection.say}" for objection in agent.objections
        ]
    lines += ["", f"Your goodbye: {agent.goodbye}"]
    if agent.transfer_to:
        lines.append("You can connect the caller to a colleague with the transfer tool; leave `to` empty.")
    return "\n".join(lines)


def _question(question: Question) -> str:
    answers = "; ".join(f"{answer.value}{f' -> say: {answer.say}' if answer.say else ''}" for answer in question.answers)
    return f"- {question.id} ({question.kind}): {question.ask}{f' Answers: {answers}' if answers else ''}"


def call_notes(briefing: Briefing, direction: Direction) -> str:
    """The second tier: what is known about this call before the caller says a word; the same for all its turns."""
    placed = "We called them." if direction is Direction.OUTBOUND else THEY_CALLED
    lines = [f"This call: {placed}"]
    if briefing.contact is not None:
        lines.append(f"Contact: {json.dumps(_contact(briefing.contact), ensure_ascii=False)}")
    if briefing.rules is not None:
        lines.append(f"Campaign {briefing.rules.name}: {briefing.rules.purpose} {briefing.rules.instructions}".rstrip())
    lines += [
        f"- earlier call {past.at:%Y-%m-%d} ({past.direction}, {past.disposition}): {past.summary}"
        for past in briefing.history
    ]
    for fact in briefing.knowledge:
        known = f"known {fact.key} = {json.dumps(fact.value)}: " if fact.key else ""
        lines.append(f"- {known}{fact.text}")
    lines += [f"- nothing from {absence.source}: {absence.why}" for absence in briefing.absences]
    return "\n".join(lines)


def _contact(contact: ContactCard) -> dict[str, str]:
    # The number stays out: a model needs no phone number to talk, and its vendor none to keep.
    return {
        "name": contact.name,
        "first_name": contact.first_name,
        "state": contact.address_state,
        **{name: contact.fields[name] for name in sorted(contact.fields)},
    }


def briefed(system: str) -> Briefing:
    """The part of a briefing that can be read back from `call_notes`: the contact's names and the known slots."""
    at = datetime(1970, 1, 1, tzinfo=UTC)
    facts = [KnownFact(text, "told", at, key, json.loads(value)) for key, value, text in _KNOWN.findall(system)]
    contact = None
    if found := _CONTACT.search(system):
        fields = json.loads(found[1])
        contact = ContactCard("", "", fields.pop("name"), fields.pop("first_name"), fields.pop("state"), fields)
    return Briefing(contact=contact, knowledge=tuple(facts))


# --- the memory of the call as turns ----------------------------------------------------------------------------------


def chat_turns(messages: Sequence[Message]) -> tuple[ChatTurn, ...]:
    """The third tier. Begins and ends with the user, alternates, and gives every tool use its result.

    Ends with the user because current models refuse a request that ends with their own words.
    """
    turns: list[ChatTurn] = []
    for message in messages:
        for turn in _turns_of(message):
            _append(turns, turn)
    if not turns or turns[0].role == "assistant":
        turns.insert(0, ChatTurn("user", _FACTS["answered"]))
    if turns[-1].role == "assistant":
        turns.append(ChatTurn("user", _FACTS["silence"]))
    return tuple(turns)


def _turns_of(message: Message) -> tuple[ChatTurn, ...]:
    match message:
        case CallerSaid(text):
            return (ChatTurn("user", text or _NOTHING_UNDERSTOOD),)
        case AgentSaid(text, is_cut):
            return (ChatTurn("assistant", f"{text}—" if is_cut else text),) if text else ()
        case Happened(what):
            return (ChatTurn("user", _fact(what)),)
        case ToolUsed(call, name, arguments, result, ok):
            text = result if result is not None else "(still running)"
            return (
                ChatTurn("assistant", uses=(ToolUse(call, name, arguments),)),
                ChatTurn("user", results=(ToolResult(call, text, ok),)),
            )
        case _:
            assert_never(message)


def _append(turns: list[ChatTurn], turn: ChatTurn) -> None:
    if not turns or turns[-1].role != turn.role:
        turns.append(turn)
        return
    last = turns[-1]
    glue = "\n" if turn.role == "user" else " "
    text = glue.join(part for part in (last.text, turn.text) if part)
    turns[-1] = ChatTurn(turn.role, text, last.uses + turn.uses, last.results + turn.results)


def _fact(what: str) -> str:
    if what.startswith("key:"):
        return f"[the caller pressed {what[4:]}]"
    return _FACTS.get(what, f"[{what}]")


def happened(line: str) -> str:
    """The fact that a line of a user turn tells, as `Happened.what`; '' if it is somebody's words."""
    if found := _KEY.fullmatch(line):
        return f"key:{found[1]}"
    known = {text: what for what, text in _FACTS.items()}
    if line in known:
        return known[line]
    is_fact = line.startswith("[") and line.endswith("]") and line != _NOTHING_UNDERSTOOD
    return line[1:-1] if is_fact else ""


def as_arguments(text: str) -> dict[str, object]:
    """Tool arguments as the object a model's history wants; what was not valid JSON is kept under `unparsed`."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {"unparsed": text}
    return value if isinstance(value, dict) else {"unparsed": text}
