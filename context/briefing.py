"""What we know before the person says hello: the outcome of gathering, as plain values.

A source that had nothing, failed or was too slow is an `Absence`, never an empty string that looks like knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Missing(StrEnum):
    """Why a source has nothing to say."""

    NOTHING_KNOWN = "nothing_known"
    TOO_LATE = "too_late"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Absence:
    source: str
    why: Missing
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ContactCard:
    """The contact record: who this is. `fields` are the extra columns of the campaign's CSV."""

    contact_id: str
    number: str  # E.164
    name: str = ""
    first_name: str = ""
    address_state: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastCall:
    """One earlier call with this person, newest first in a briefing."""

    at: datetime
    direction: str
    disposition: str
    summary: str


@dataclass(frozen=True, slots=True)
class CampaignRules:
    """What this campaign wants said and asked; the agent definition holds the rest."""

    campaign_id: str
    name: str
    seller: str
    agent: str
    purpose: str = ""
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class KnownFact:
    """Something learned from an earlier call or added by the operator. `key` names a playbook slot, '' if free text."""

    text: str
    source: str  # where from: "call CAxxx", "operator", ...
    at: datetime
    key: str = ""
    value: str = ""
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Briefing:
    """Everything the agent is told about this call. `took` holds seconds per source, and `total`, from dialling."""

    contact: ContactCard | None = None
    history: tuple[PastCall, ...] = ()
    rules: CampaignRules | None = None
    knowledge: tuple[KnownFact, ...] = ()
    absences: tuple[Absence, ...] = ()
    took: Mapping[str, float] = field(default_factory=dict)

    def slot(self, key: str) -> KnownFact | None:
        """The newest fact known under a playbook slot's name."""
        found = [fact for fact in self.knowledge if fact.key == key]
        return max(found, key=lambda fact: fact.at) if found else None
