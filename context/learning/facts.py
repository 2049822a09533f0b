"""What a call teaches about the person: answers saved, things noted, appointments made. Pure.

Only what somebody took down as meant becomes a fact; nothing is guessed from the transcript. Facts carry the call's end as
their instant, so learning from the same call again makes the very same facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from context.calls import Appointment, CallRecord, Effect, SavedAnswer
from context.facts import Fact, make_fact, tidy

REMEMBER: Final = "remember"  # the tool whose effects are facts
APPOINTMENT: Final = "appointment"  # the slot of the next appointment: a later one supersedes it


class _Remembered(msgspec.Struct, frozen=True):
    fact: str


def learned(record: CallRecord) -> tuple[Fact, ...]:
    """The facts of a call, in the order they were taken down: answers, notes, appointments. None without a number."""
    if not record.call.person:
        return ()
    drafts = [*map(_answered, record.answers), *_noted(record.effects), *map(_booked, record.appointments)]
    return tuple(_fact(record, *draft) for draft in drafts if tidy(draft[0]))


Draft = tuple[str, str, str]  # text, key, value


def _answered(answer: SavedAnswer) -> Draft:
    words = tidy(answer.words)
    quoted = f' ("{words}")' if words and words.casefold() != answer.value.casefold() else ""
    return (f"Asked about {_spoken(answer.question)}, they answered: {answer.value}{quoted}.", answer.question, answer.value)


def _noted(effects: tuple[Effect, ...]) -> Iterator[Draft]:
    for effect in effects:
        if effect.name == REMEMBER and effect.ok:
            try:
                yield (msgspec.json.decode(effect.arguments, type=_Remembered).fact, "", "")
            except msgspec.MsgspecError:
                continue  # the tool refused such arguments when it ran; here they teach nothing


def _booked(booking: Appointment) -> Draft:
    note = f" ({tidy(booking.note)})" if tidy(booking.note) else ""
    return (f"An appointment was booked for {booking.when}{note}.", APPOINTMENT, booking.when)


def _fact(record: CallRecord, text: str, key: str, value: str) -> Fact:
    call = record.call
    return make_fact(
        text,
        f"call {call.id}",
        call.ended_at or call.started_at,
        number=call.person,
        key=key,
        value=value,
        call_id=call.id,
    )


def _spoken(identifier: str) -> str:
    """A question's id as words: `roof_age` -> roof age."""
    return tidy(identifier.replace("_", " ").replace("-", " "))
