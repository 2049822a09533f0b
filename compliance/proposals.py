"""What other rooms hand to the compliance room and get back from it: calls proposed, wishes not to be called, outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from compliance.record import Errand, LineType, Place, Purpose


@dataclass(frozen=True, slots=True)
class ProposedCall:
    """A call somebody wants to make: what the dialer knows of it. `person` ties one human's numbers together."""

    number: str
    errand: Errand
    attempt: str = ""
    contact: str = ""
    person: str = ""
    place: Place = field(default_factory=Place)
    line: LineType = LineType.UNKNOWN
    is_emergency_line: bool = False
    is_business: bool = False


@dataclass(frozen=True, slots=True)
class DncRequest:
    """Somebody asked not to be called. An empty seller: by nobody at all. An empty person: whoever has the number."""

    number: str
    requested_at: datetime
    channel: str
    seller: str = ""
    person: str = ""
    words: str = ""
    call: str = ""
    purposes: frozenset[Purpose] = frozenset()


@dataclass(frozen=True, slots=True)
class Suppression:
    """What a person's no reaches: every queued or ringing attempt to these numbers must be cancelled now, for this seller
    (empty: for any) and these purposes (empty: for any)."""

    numbers: tuple[str, ...]
    seller: str
    purposes: frozenset[Purpose]
    receipt: str


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What became of a call: the fields of 16 CFR 310.5(a) that are known only afterwards, and the measured instants."""

    attempt: str
    number: str
    disposition: str
    at: datetime
    duration: float = 0.0  # seconds
    is_conversation: bool = False
    answered_by: str = ""  # person | machine | nobody; only a person's answer counts for abandonment
    caller_id: str = ""
    call_sid: str = ""
    campaign: str = ""
    contact: str = ""
    transferred_to: str = ""
    # Seconds from the answer, from the audio that was really played; the names are those of `compliance.disclosure`.
    measured: dict[str, float] = field(default_factory=dict)
    breaches: tuple[str, ...] = ()  # duties of the call that it did not meet, each with its rule-book entry
    references: dict[str, str] = field(default_factory=dict)  # transcript, recording, script version
