"""What a call came to, in plain English sentences made by template from the records. Pure; invents nothing.

In order: what kind of call, who answered, what was answered, what was noted and booked, what they held against it (in their
own words), and how it ended. A large model may write better ones (`context.ports.Summariser`); this one is always there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from context.calls import Call, CallRecord
from context.learning.facts import learned
from context.transcript import Speaker, Turn, words_of

LONGEST_QUOTE: Final = 90  # characters
QUOTES: Final = 3  # objections told; more is a transcript

_ANSWERED_BY: Final = {
    "human": "A person answered.",
    "machine": "An answering machine took the call.",
    "fax": "A fax machine answered.",
}
_ENDINGS: Final = {
    "answered": "The conversation came to its end.",
    "busy": "The line was busy.",
    "no_answer": "Nobody answered.",
    "machine": "It ended with the answering machine.",
    "opted_out": "They asked not to be called again.",
    "call_back": "A fault of ours broke the call off; they were promised another one.",
    "abandoned": "The call was dropped before anybody spoke to them.",
    "transferred": "The call was handed over to somebody else.",
    "failed": "The call failed.",
    "unknown": "How the call ended is not known.",
}
# What people hold against a call, by the words they do it with; the first that fits names the objection.
_OBJECTIONS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        (
            "wants no calls",
            r"\b(stop|quit) (calling|bothering)|\bdo(n't| not) (call|contact)|take me off|remove me|do not call",
        ),
        ("not interested", r"\bnot (really )?interested|\bno interest|\bno,? thanks?\b|\bdon't (want|need)"),
        ("no time", r"\bbusy\b|\bbad time|\bnot a good time|\bno time\b|\bin a meeting|\bdriving\b|\bat work\b"),
        ("price", r"\bhow much|\bexpensive|\bcosts?\b|\bprices?\b|\bafford"),
        ("has one already", r"\balready (have|got|did|done)|\bhave one\b|\bjust (had|got) "),
        ("who is calling", r"\bwho (is|are|'s) (this|you|calling)|\bwho's (this|calling)|\bhow did you get"),
        ("call later", r"\bcall (me )?(back|later|again|tomorrow)|\banother time|\bsome other time"),
        ("is it a machine", r"\b(are|is) (you|this) (a |an )?(robot|machine|computer|recording|real|ai)\b"),
    )
)


def summarise(record: CallRecord) -> str:
    """A paragraph for people and for the next call's briefing. Holds no phone number."""
    return " ".join(_sentences(record))


def _sentences(record: CallRecord) -> Iterator[str]:
    call = record.call
    yield _opening(call)
    if call.answered_at is not None and call.answered_by in _ANSWERED_BY:
        yield _ANSWERED_BY[call.answered_by]
    yield from (_ended(fact.text) for fact in learned(record))
    objections = find_objections(record.turns)
    if objections:
        yield f"They raised: {'; '.join(objections)}."
    if call.answered_at is not None and not words_of(Speaker.CALLER, record.turns):
        yield "They said nothing that could be understood."
    yield _ENDINGS.get(call.disposition, f"Outcome: {call.disposition}." if call.disposition else _ENDINGS["unknown"])


def _opening(call: Call) -> str:
    kind = "Inbound" if call.direction == "inbound" else "Outbound"
    when = f"{call.started_at.day} {call.started_at:%B %Y}"
    return f"{kind} call on {when}{f', {_length(call.talked)} long' if call.answered_at else ''}."


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def find_objections(turns: Sequence[Turn]) -> tuple[str, ...]:
    """The objections a caller raised, each once, with the words of the first time: `price ("how much is it")`."""
    found: dict[str, str] = {}
    for text in words_of(Speaker.CALLER, turns):
        for sentence in re.split(r"(?<=[.!?])\s+", text):
            name = _objection(sentence)
            if name:
                found.setdefault(name, sentence)
    return tuple(f'{name} ("{_quote(sentence)}")' for name, sentence in list(found.items())[:QUOTES])


def _objection(sentence: str) -> str:
    heard = sentence.casefold().replace("’", "'")
    return next((name for name, pattern in _OBJECTIONS if pattern.search(heard)), "")


def _quote(sentence: str) -> str:
    words = " ".join(sentence.split()).strip(' ."')
    return words if len(words) <= LONGEST_QUOTE else words[:LONGEST_QUOTE].rsplit(" ", 1)[0] + " ..."
