"""The effects of a call's tools, exactly once each: the key is claimed in the transaction that has the effect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, assert_never

from sqlalchemy.ext.asyncio import AsyncConnection

from api.errands import Errand
from context import store
from context.calls import Appointment, Effect, SavedAnswer
from storage.database import Database
from voice.ports import ToolOutcome
from voice.tools import BookAppointment, EndCall, OptOut, Remember, SaveAnswer, ToolArguments, TransferCall, parse_arguments


class OptOuts(Protocol):
    """Takes a person's word that they want no more calls."""

    async def write(self, connection: AsyncConnection, errand: Errand, words: str, at: datetime) -> None:
        """On the do-not-call list, consent revoked, waiting and ringing attempts called off: all within the transaction."""


class CallTools:
    """One call's toolbox. Fits `voice.ports.Toolbox`."""

    def __init__(self, database: Database, errand: Errand, opt_outs: OptOuts, at: Callable[[], datetime]) -> None:
        self._database = database
        self._errand = errand
        self._opt_outs = opt_outs
        self._at = at

    async def run(self, name: str, arguments: str, key: str) -> ToolOutcome:
        """Run a tool, or say what came of it when its key was run before."""
        parsed = parse_arguments(name, arguments)
        if isinstance(parsed, str):
            return ToolOutcome(False, parsed)
        at = self._at()
        result = _result(parsed)
        async with self._database.transaction() as connection:
            claim = Effect(key, self._errand.call, name, arguments, at, ok=True, result=result)
            recorded = await store.record_effect(connection, claim)
            if recorded.is_new:
                await self._take_effect(connection, parsed, key, at)
        return ToolOutcome(bool(recorded.effect.ok), recorded.effect.result)

    async def _take_effect(self, connection: AsyncConnection, what: ToolArguments, key: str, at: datetime) -> None:
        call = self._errand.call
        match what:
            case OptOut(words=words):
                await self._opt_outs.write(connection, self._errand, words, at)
            case SaveAnswer(question=question, value=value, words=words):
                await store.save_answer(connection, call, SavedAnswer(question, value, words, at))
            case BookAppointment(when=when, note=note):
                await store.book_appointment(connection, call, self._errand.person, Appointment(key, when, note, at))
            case Remember() | TransferCall() | EndCall():
                pass  # the effect's own row is all there is to write: learning reads it
            case _:
                assert_never(what)


def _result(what: ToolArguments) -> str:
    match what:
        case OptOut():
            return "Written to the do-not-call list."
        case SaveAnswer(question=question, value=value):
            return f"Saved: {question} is {value}."
        case BookAppointment(when=when):
            return f"Booked for {when}."
        case Remember():
            return "Noted."
        case TransferCall() | EndCall():
            return "Done."
        case _:
            assert_never(what)
