"""A call as the records hold it: plain values, read and written by `context/store.py`, read by learning and the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from context.transcript import Turn


class CallState(StrEnum):
    DIALLING = "dialling"  # the row is written before the carrier is asked; an inbound call starts here too
    ANSWERED = "answered"
    ENDED = "ended"  # final: nothing moves a call out of here


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `person` is the other side's number, whichever way the call went; instants are aware and UTC."""

    id: str
    direction: str  # outbound | inbound
    from_number: str
    to_number: str
    person: str
    started_at: datetime
    agent: str = ""
    agent_version: str = ""
    attempt_id: str | None = None
    campaign_id: str | None = None
    contact_id: str | None = None
    carrier_sid: str | None = None
    state: CallState = CallState.DIALLING
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    disposition: str = ""
    answered_by: str = ""
    summary: str = ""
    sentiment: str = ""
    sentiment_score: float | None = None
    metrics: Mapping[str, object] = field(default_factory=dict)
    recording_path: str = ""
    journal_path: str = ""
    learned_at: datetime | None = None

    @property
    def talked(self) -> float:
        """Seconds from the answer to the end; 0 for a call nobody took."""
        if self.answered_at is None or self.ended_at is None:
            return 0.0
        return max(0.0, (self.ended_at - self.answered_at).total_seconds())


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """The answer to a playbook question: normalised, and in the person's words."""

    question: str
    value: str
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Appointment:
    effect_key: str
    when: str  # as agreed, in the person's words
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Effect:
    """A tool that was run. `ok` is None while it runs: after a crash that means nobody knows what came of it."""

    key: str
    call_id: str
    name: str
    arguments: str  # JSON text
    at: datetime
    ok: bool | None = None
    result: str = ""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """Everything a finished call left behind: what learning reads."""

    call: Call
    turns: tuple[Turn, ...] = ()
    answers: tuple[SavedAnswer, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    effects: tuple[Effect, ...] = ()
