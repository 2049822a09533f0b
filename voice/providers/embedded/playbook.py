"""Decides what a playbook says next: folds the call's messages into where it stands, and answers the last turn. Pure.

It keeps nothing between replies. What was asked counts as asked only if it was *heard*; what the caller said counts always.
It says nothing that is not in the agent file or in `Manners`, and never that it is a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from context.briefing import Briefing
from voice.actions import AgentSaid, CallerSaid, Happened, Message, ToolUsed
from voice.agent import AgentDefinition, Answer, AnswerKind, Objection, Question, Then, VoicemailAction
from voice.events import Direction
from voice.language.wording import blanks, fill
from voice.providers.embedded.stand import Reply, Stand, ToolUse, encoded, share_heard, stronger
from voice.providers.embedded.understanding import Act, Answered, BroughtUp, HalfTime, Stock, Understanding

_HEARD: Final = 0.6  # share of a question's words that must have been heard for it to have been asked
_MISSES: Final = 2  # not understood so often: the question is given up
_PERMISSION: Final = Question(id="", ask="", kind=AnswerKind.YES_NO, answers=())  # what an opening with a "?" asks
_REFUSALS: Final = ("busy", "not_interested")  # what "no" to the opening's question is taken for, if the agent has it


class Playbook:
    """An agent's playbook on one call. Build one per reply; the `Understanding` behind it is built once per agent."""

    def __init__(
        self, agent: AgentDefinition, understanding: Understanding, briefing: Briefing, direction: Direction
    ) -> None:
        self._agent, self._understanding = agent, understanding
        self._blanks = blanks(agent, briefing)
        self._questions = {question.id: question for question in agent.questions}
        self._known = {q.id: fact.value for q in agent.questions if q.known and (fact := briefing.slot(q.id)) is not None}
        opening = agent.inbound_opening if direction is Direction.INBOUND and agent.inbound_opening else agent.opening
        self._opening = self._filled(opening)

    def reply(self, messages: Sequence[Message]) -> Reply:
        """The reply to everything since the agent last spoke."""
        stand, pending, failed = self._fold(messages)
        if failed is not None and not any(isinstance(message, CallerSaid) for message in pending):
            return self._after_failure(stand, failed)
        answer = self._answer(stand, pending, is_first=not any(isinstance(message, AgentSaid) for message in messages))
        done = {
            (used.name, used.arguments)
            for used in messages
            if isinstance(used, ToolUsed) and used.ok and used.name != "end_call"
        }
        return replace(answer, tools=tuple(tool for tool in answer.tools if (tool.name, encoded(tool)) not in done))

    def stand(self, messages: Sequence[Message]) -> Stand:
        """Where the playbook stands after these messages."""
        return self._fold(messages)[0]

    # --- the past -------------------------------------------------------------------------------------------------------

    def _fold(self, messages: Sequence[Message]) -> tuple[Stand, list[Message], ToolUsed | None]:
        """Where it stands; what has not been replied to; a tool that failed since the caller last spoke."""
        stand, pending, failed = Stand(), list[Message](), None
        for message in messages:
            match message:
                case CallerSaid():
                    pending.append(message)
                    failed = None
                case Happened():
                    pending.append(message)
                case ToolUsed(ok=False, name=name) if name in ("book_appointment", "transfer"):
                    failed = message
                case AgentSaid(text):
                    stand, pending = self._spoken(stand, pending, text), []
                case _:  # a tool that worked, or whose failure changes nothing that is said
                    pass
        return stand, pending, failed

    def _spoken(self, stand: Stand, pending: Sequence[Message], heard: str) -> Stand:
        """The stand after a reply to `pending` of which `heard` was heard."""
        reply = self._answer(stand, pending, is_first=False) if pending else Reply((), (), stand)
        after = reply.stand
        if reply.question and share_heard(reply.question, heard) < _HEARD:
            was_open = stand.asked is not None and stand.asked == after.asked
            after = replace(after, asked=after.asked if was_open else None, is_confirming=was_open and stand.is_confirming)
        if not pending or not reply.question:
            after = self._noticed(after, heard)
        return after

    def _noticed(self, stand: Stand, heard: str) -> Stand:
        """A reply that came from nowhere (the opening, another mind): whatever it asked is open now."""
        if stand.asked is None and heard.rstrip().endswith("?") and share_heard(self._permission(), heard) >= _HEARD:
            return replace(stand, asked=_PERMISSION.id)
        for question in self._agent.questions:
            for wording, is_confirming in ((question.ask, False), (question.again, False), (question.known, True)):
                if wording and share_heard(self._worded(question, wording), heard) >= _HEARD:
                    return replace(stand, asked=question.id, is_confirming=is_confirming)
        return stand

    # --- the present ----------------------------------------------------------------------------------------------------

    def _answer(self, stand: Stand, pending: Sequence[Message], *, is_first: bool) -> Reply:
        texts = [message.text for message in pending if isinstance(message, CallerSaid)]
        events = [message.what for message in pending if isinstance(message, Happened)]
        if "key:9" in events:
            return self._opted_out(stand, "[key 9]", self._agent.manners.opted_out)
        if "machine" in events:
            return self._machine(stand)
        if texts:
            return self._to_caller(stand, " ".join(texts).strip())
        if "silence" in events:
            return self._silence(stand)
        if is_first:
            return Reply((self._opening,), (), stand)
        return self._next(stand) if stand.asked is None and not stand.is_over else Reply((), (), stand)

    def _silence(self, stand: Stand) -> Reply:
        manners = self._agent.manners
        if stand.silences:
            return self._ended(stand, (manners.silence_goodbye,), (), "silence")
        return Reply((manners.still_there,), (), replace(stand, silences=1))

    def _machine(self, stand: Stand) -> Reply:
        if self._agent.voicemail.action is VoicemailAction.HANG_UP:
            return self._ended(stand, (), (), "machine")
        return self._ended(stand, (self._filled(self._agent.voicemail.text),), (), "voicemail")

    def _to_caller(self, stand: Stand, text: str) -> Reply:
        asked = self._asked(stand)
        was_silent, stand = stand.silences > 0, replace(stand, silences=0)
        if was_silent and self._is_only_there(text):
            return self._next(stand)
        acts = self._understanding.acts(text, asked, stand.half) if text else []
        if self._objection_to_stop(acts) is not None or Stock.STOP in acts:
            return self._opted_out(stand, text, self._stop_words(acts))
        if Stock.VOICEMAIL in acts and stand.asked in (None, _PERMISSION.id) and not stand.answers:
            return self._machine(stand)
        stand, acts = self._confirmed(stand, asked, acts)
        return self._act_on(stand, asked, acts, text)

    def _is_only_there(self, text: str) -> bool:
        """Whether this answers "are you still there?", and not the question before it."""
        acts = self._understanding.acts(text, None)
        return bool(acts) and all(act in (Stock.YES, Stock.GREETING) for act in acts)

    def _act_on(self, stand: Stand, asked: Question | None, acts: Sequence[Act], text: str) -> Reply:
        """Take the answers in, say what belongs to them and to what was brought up, and go on."""
        sentences, tools = list[str](), list[ToolUse]()
        then, outcome = Then.GO_ON, "completed"
        half: HalfTime | None = None
        for act in acts:
            match act:
                case Answered(question, value, answer) if question.id:
                    stand = self._with_answer(stand, question.id, value)
                    sentences.append(fill(answer.say, self._blanks | {"value": value}) if answer else "")
                    tools += self._answer_tools(question, value, answer, text)
                    if answer is not None and answer.then is not Then.GO_ON:
                        then, outcome = stronger(then, answer.then), f"{question.id}:{answer.value}"
                case Answered(_, value, _):  # the opening's own question
                    stand = replace(stand, asked=None)
                    if value == Stock.NO and not any(isinstance(other, BroughtUp) for other in acts):
                        sentences, then, outcome = [*sentences, self._refusal_words()], Then.END, "refused"
                case BroughtUp(objection):
                    sentences.append(self._filled(objection.say))
                    tools += self._objection_tools(objection)
                    then = stronger(then, objection.then)
                    outcome = objection.id if then is objection.then else outcome
                case HalfTime():
                    half = act
                case _:  # the stock comes last
                    pass
        if then is Then.END:
            return self._ended(stand, sentences, tools, outcome)
        if then is Then.TRANSFER:
            return self._transferred(stand, sentences, tools, outcome)
        if half is not None:
            return self._other_half(stand, half, sentences, tools)
        return self._stock(stand, asked, acts, sentences, tools)

    def _stock(
        self, stand: Stand, asked: Question | None, acts: Sequence[Act], sentences: list[str], tools: list[ToolUse]
    ) -> Reply:
        """What is left: the words that have nothing to do with this agent, or words that were not understood."""
        manners = self._agent.manners
        said = {act for act in acts if isinstance(act, Stock)}
        if Stock.PERSON in said:
            return self._transferred(stand, sentences, tools, "asked_for_a_person")
        if Stock.WRONG_NUMBER in said:
            return self._opted_out(stand, "wrong number", manners.opted_out)
        if Stock.GOODBYE in said and not sentences:
            return self._ended(stand, (self._filled(self._agent.goodbye),), tools, "caller_said_goodbye")
        if Stock.HOLD in said and not sentences:
            return Reply((manners.holding,), tuple(tools), stand)
        if Stock.ROBOT in said:
            sentences.append(self._filled(manners.robot))
        elif Stock.IDENTITY in said:
            sentences.append(self._filled(manners.identity))
        if Stock.AGAIN in said and stand.asked == _PERMISSION.id and not sentences:
            return Reply((self._filled(manners.identity), self._permission()), tuple(tools), stand)
        if sentences or tools or stand.asked is None or asked is None or asked is _PERMISSION:
            return self._next(stand, sentences, tools)
        if said & {Stock.AGAIN, Stock.GREETING, Stock.THANKS}:
            return self._ask(stand, asked, sentences, tools, is_again=Stock.AGAIN in said)
        return self._missed(stand, asked)

    def _missed(self, stand: Stand, asked: Question) -> Reply:
        """Not understood: asked again in other words, then given up."""
        manners = self._agent.manners
        misses = stand.misses + 1
        if misses < _MISSES:
            return self._ask(replace(stand, misses=misses), asked, [manners.not_understood], [], is_again=True)
        given_up = replace(stand, given_up=stand.given_up | {asked.id}, asked=None, misses=0, half=None, is_confirming=False)
        return self._next(given_up, [manners.moving_on], [])

    def _next(self, stand: Stand, sentences: Sequence[str] = (), tools: Sequence[ToolUse] = ()) -> Reply:
        """Ask the open question again, else the first that is neither answered nor given up; else say goodbye."""
        said = list(sentences)
        for question in self._agent.questions:
            if question.id in stand.answers or question.id in stand.given_up:
                continue
            known = question.id in self._known and question.id not in stand.told
            if known and not question.known.rstrip().endswith("?"):
                said.append(self._worded(question, question.known))
                stand = replace(
                    self._with_answer(stand, question.id, self._known[question.id]), told=stand.told | {question.id}
                )
                continue
            return self._ask(stand, question, said, tools, is_again=False)
        return self._ended(stand, [*said, self._filled(self._agent.goodbye)], tools, "completed")

    def _ask(
        self, stand: Stand, question: Question, sentences: Sequence[str], tools: Sequence[ToolUse], *, is_again: bool
    ) -> Reply:
        is_confirming = question.id in self._known and question.id not in stand.told
        wording = question.known if is_confirming else (question.again or question.ask) if is_again else question.ask
        worded = self._worded(question, wording)
        same = stand.asked == question.id
        after = replace(
            stand,
            asked=question.id,
            is_confirming=is_confirming,
            misses=stand.misses if same else 0,
            half=stand.half if same else None,
        )
        return Reply((*sentences, worded), tuple(tools), after, worded)

    def _other_half(self, stand: Stand, half: HalfTime, sentences: Sequence[str], tools: Sequence[ToolUse]) -> Reply:
        manners, time = self._agent.manners, half.time
        on = f"on {time.day}" if time.day and time.day[0].isupper() else time.day
        wording = fill(manners.which_time, {"value": on}) if time.day else manners.which_day
        after = replace(stand, asked=half.question.id, half=time, misses=0, is_confirming=False)
        return Reply((*sentences, wording), tuple(tools), after, wording)

    # --- ends -----------------------------------------------------------------------------------------------------------

    def _ended(self, stand: Stand, sentences: Sequence[str], tools: Sequence[ToolUse], outcome: str) -> Reply:
        text = " ".join(sentences).lower()
        last = () if not sentences or "bye" in text else (self._filled(self._agent.goodbye),)
        over = replace(stand, asked=None, is_over=True)
        return Reply((*sentences, *last), (*tools, ToolUse("end_call", {"outcome": outcome})), over)

    def _opted_out(self, stand: Stand, text: str, say: str) -> Reply:
        """The wish is written first, then confirmed, then the call ends."""
        tools = (ToolUse("opt_out", {"words": text}), ToolUse("end_call", {"outcome": "opted_out"}))
        return Reply((self._filled(say),), tools, replace(stand, asked=None, is_over=True))

    def _transferred(self, stand: Stand, sentences: Sequence[str], tools: Sequence[ToolUse], reason: str) -> Reply:
        manners = self._agent.manners
        if not self._agent.transfer_to:
            return self._next(stand, [*sentences, manners.no_transfer], tools)
        said = tuple(sentences) or (manners.transferring,)
        return Reply(said, (*tools, ToolUse("transfer", {"reason": reason})), replace(stand, asked=None, is_over=True))

    def _after_failure(self, stand: Stand, failed: ToolUsed) -> Reply:
        """Something promised did not happen: say so, and ask again where asking helps."""
        manners = self._agent.manners
        if failed.name == "transfer":
            return self._next(replace(stand, is_over=False), [manners.no_transfer])
        times = {question.id for question in self._agent.questions if question.kind is AnswerKind.TIME}
        answers = {name: value for name, value in stand.answers.items() if name not in times}
        return self._next(replace(stand, answers=answers, asked=None, is_over=False), [manners.not_booked])

    # --- small things ---------------------------------------------------------------------------------------------------

    def _asked(self, stand: Stand) -> Question | None:
        if stand.asked is None:
            return None
        return self._questions.get(stand.asked, _PERMISSION)

    def _confirmed(self, stand: Stand, asked: Question | None, acts: list[Act]) -> tuple[Stand, list[Act]]:
        """Read yes and no as being about what we said we knew."""
        if not stand.is_confirming or asked is None:
            return stand, acts
        stand = replace(stand, told=stand.told | {asked.id}, is_confirming=False)
        known = self._known[asked.id]
        own = [act for act in acts if isinstance(act, Answered) and act.question.id == asked.id]
        agreed = Stock.YES in acts or any(act.value == Stock.YES for act in own)
        denied = Stock.NO in acts or any(act.value == Stock.NO for act in own)
        rest = [act for act in acts if act not in own and act not in (Stock.YES, Stock.NO)]
        fuller = [act for act in own if act.value not in (Stock.YES, Stock.NO)]
        if fuller:
            return stand, [*fuller, *rest]
        if agreed and not denied:
            answer = next((each for each in asked.answers if each.value == known), None)
            return stand, [Answered(asked, known, replace(answer, say="") if answer else None), *rest]
        if denied:
            return replace(stand, asked=None), [*rest]
        return replace(stand, told=stand.told - {asked.id}, is_confirming=True), acts

    def _with_answer(self, stand: Stand, name: str, value: str) -> Stand:
        answers = {**stand.answers, name: value}
        is_open = stand.asked == name
        return replace(
            stand,
            answers=answers,
            asked=None if is_open else stand.asked,
            misses=0,
            half=None if is_open else stand.half,
            given_up=stand.given_up - {name},
        )

    def _answer_tools(self, question: Question, value: str, answer: Answer | None, text: str) -> list[ToolUse]:
        tools = [ToolUse("save_answer", {"question": question.id, "value": value, "words": text})]
        if answer is not None and answer.then is Then.BOOK:
            tools.append(ToolUse("book_appointment", {"when": value, "note": text}))
        if question.kind is AnswerKind.OPEN and not (answer is not None and answer.phrases and answer.value != "{value}"):
            tools.append(ToolUse("remember", {"fact": f'Asked "{question.ask}", answered: "{value}".'}))
        return tools

    @staticmethod
    def _objection_tools(objection: Objection) -> list[ToolUse]:
        return [ToolUse("remember", {"fact": objection.remember})] if objection.remember else []

    @staticmethod
    def _objection_to_stop(acts: Sequence[Act]) -> Objection | None:
        return next((a.objection for a in acts if isinstance(a, BroughtUp) and a.objection.then is Then.OPT_OUT), None)

    def _stop_words(self, acts: Sequence[Act]) -> str:
        objection = self._objection_to_stop(acts)
        return objection.say if objection is not None else self._agent.manners.opted_out

    def _refusal_words(self) -> str:
        """What a "no" to "do you have a minute?" is answered with."""
        says = {objection.id: objection.say for objection in self._agent.objections}
        return self._filled(next((says[name] for name in _REFUSALS if name in says), self._agent.goodbye))

    def _permission(self) -> str:
        """The question at the end of the opening."""
        return self._opening.replace("!", ".").rsplit(". ", 1)[-1]

    def _worded(self, question: Question, wording: str) -> str:
        return fill(wording, self._blanks | {"value": self._known.get(question.id, "")})

    def _filled(self, text: str) -> str:
        return fill(text, self._blanks)
