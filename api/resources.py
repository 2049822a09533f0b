"""The resources of `/v1` as they look from outside: pydantic, and only here, at the edge.

Requests refuse unknown fields (a misspelt one must not be silently ignored) and bound every length. Instants are RFC 3339
with a zone; durations and offsets are float seconds; numbers are E.164.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Generic, Literal, TypeAlias, TypeVar

from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, Field, StringConstraints, field_validator

Item = TypeVar("Item")
Name: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Number: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^\+[1-9][0-9]{6,14}$"), Field(examples=["+12025550123"])
]
Target: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^(\+[1-9][0-9]{6,14}|sips?:[^\s<>\"]{1,250})$")
]
Purpose: TypeAlias = Literal[  # the gate's words, see docs/compliance.md
    "telemarketing",
    "informational",
    "healthcare_hipaa",
    "debt_collection",
    "charity",
    "political",
    "survey",
    "emergency",
]
Words: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="after")
    @classmethod
    def _is_text_a_database_takes(cls, value: object) -> object:
        texts = [*value.keys(), *value.values()] if isinstance(value, dict) else [value]
        if any(isinstance(text, str) and "\0" in text for text in texts):
            raise ValueError("must not contain a NUL character")
        return value


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class Page(_View, Generic[Item]):
    """Some of a list. `next` is the `after` of the following page, absent on the last one."""

    items: list[Item]
    next: str | None = None


# --- calls ------------------------------------------------------------------------------------------------------------


class CallState(StrEnum):
    PLACED = "placed"
    RINGING = "ringing"
    LIVE = "live"
    ENDED = "ended"


class Line(_View):
    """One line of a transcript. `at` is seconds from the answer; `is_cut`: the other took the floor before its end."""

    who: Literal["agent", "caller", "decision", "tool", "party"]
    text: str
    at: float = 0.0
    is_cut: bool = False


class CallView(_View):
    """A call, live or past."""

    id: str
    state: CallState
    direction: Literal["outbound", "inbound"]
    number: str
    agent: str = ""
    contact_id: str | None = None
    contact_name: str = ""
    campaign_id: str | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    duration: float | None = None
    answered_by: str = ""
    disposition: str = ""
    reason: str = ""
    summary: str = ""
    sentiment: str = ""
    answers: dict[str, str] = {}
    figures: dict[str, float] = Field(default={}, description="what was measured, seconds by name")
    unheard: str = Field(default="", description="the opening, or its rest, where the person has not heard it to its end")
    encounters: list[str] = Field(default=[], description="what was recognised at the other end, with the evidence")
    oddities: dict[str, int] = Field(default={}, description="what parts should not do and did, how often")
    recording: str | None = None
    journal: str | None = None


class LiveCallView(CallView):
    """A live call with what has been said in it so far."""

    lines: list[Line] = []
    interim: str = ""


class TranscriptView(_View):
    call_id: str
    lines: list[Line]


class NewCall(_Request):
    """One outbound call, through the same gate as any other."""

    to: Number
    agent: Name
    contact_name: Annotated[str, Field(max_length=120)] = ""
    fields: Annotated[
        dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=500)]], Field(max_length=50)
    ] = {}


class SayOrder(_Request):
    """Words the agent says to the caller next."""

    text: Words


class WhisperOrder(_Request):
    """Words only the agent hears: a hint for its next replies."""

    text: Words


class TransferOrder(_Request):
    to: Target
    mode: Literal["cold", "warm"] = "cold"


class Done(_View):
    """The order was taken; what comes of it shows in the live events."""

    ok: Literal[True] = True


# --- campaigns and contacts -------------------------------------------------------------------------------------------


class NewCampaign(_Request):
    name: Name
    agent: Name
    seller: Annotated[str, Field(max_length=120, description="empty: the agent's")] = ""
    purpose: Purpose = "telemarketing"
    instructions: Annotated[str, Field(max_length=4000)] = ""
    concurrency: Annotated[int, Field(ge=1, le=10_000)] = 10
    calls_per_second: Annotated[float, Field(gt=0, le=1000)] = 1.0
    budget: Annotated[float | None, Field(gt=0, description="dollars that all its calls may cost together")] = None


class NewBudget(_Request):
    """`dollars` that all calls of a campaign may cost together; null for no limit of its own."""

    dollars: Annotated[float | None, Field(gt=0)]


class CampaignView(_View):
    """A campaign and how far it is. `outcomes` counts contacts by what has become of them so far, `refusals` by rule.

    `hold` is why it dials nobody although it runs (a stable code; empty: it dials), `hold_why` says it in words. Dollars in
    `spent` (ended calls) and `budget`.
    """

    id: str
    name: str
    agent: str
    state: str
    seller: str = ""
    purpose: str = ""
    created_at: datetime | None = None
    contacts: int = 0
    attempts: int = 0
    live: int = 0
    outcomes: dict[str, int] = {}
    refusals: dict[str, int] = {}
    hold: str = ""
    hold_why: str = ""
    spent: float = 0.0
    budget: float | None = None


class BadRow(_View):
    line: int
    reason: str


class ImportReport(_View):
    """What an import did: good rows are kept, each bad one is named by its line (the header is line 1)."""

    added: int
    doubled: int = 0
    rejected: list[BadRow] = []


class Finding(_View):
    """One rule that spoke: `source` is its citation, `until` the earliest instant at which it would let the call pass."""

    rule: str
    detail: str = ""
    source: str = ""
    until: datetime | None = None


class Explanation(_View):
    """Why a contact is, or is not, being dialled, and when next."""

    campaign_id: str
    contact_id: str
    state: str
    text: str = ""
    findings: list[Finding] = []
    next_at: datetime | None = None


class ContactView(_View):
    id: str
    number: str
    name: str = ""
    person: str = ""
    campaign_id: str | None = None
    outcome: str = ""
    reason: str = ""
    attempts: int = 0
    next_at: datetime | None = None
    fields: dict[str, str] = {}


# --- compliance -------------------------------------------------------------------------------------------------------


class Attachment(_Request):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    content: Annotated[Base64Bytes, Field(max_length=500_000, description="base64; half a megabyte at most")]


class NewConsent(_Request):
    """Consent as it was given: who (number) agreed to what (the wording, verbatim), for whom (seller), how and where.

    Written consent carries a telemarketing call by an artificial voice only when it is signed, names that voice, and says
    that agreeing is no condition of buying (47 CFR 64.1200(f)(9)); what is not claimed here does not count.
    """

    number: Number
    seller: Name
    wording: Annotated[
        str, Field(max_length=8000, description="what they agreed to, word for word; without it nothing counts")
    ]
    kind: Literal["written", "express"] = "written"
    signature: Annotated[str, Field(max_length=500, description="how it was signed: a typed name, a tick, a key press")] = ""
    names_artificial_voice: bool = False
    says_not_a_condition: bool = False
    source: Annotated[str, Field(max_length=200, description="a form, a call, a letter")] = ""
    url: Annotated[str, Field(max_length=2000)] = ""
    ip: Annotated[str, Field(max_length=64)] = ""
    user_agent: Annotated[str, Field(max_length=500)] = ""
    rendering_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$", description="of what the person saw")] = ""
    vendor: Annotated[str, Field(max_length=200, description="who sold us the lead")] = ""
    certificate: Annotated[str, Field(max_length=2000, description="a lead vendor's certificate")] = ""
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=4, description="files kept with it, whole")] = ()
    person: Annotated[str, Field(max_length=128, description="who it is, as LIST/ID")] = ""
    at: Annotated[AwareDatetime | None, Field(description="when it was given; now, if absent")] = None
    expires_at: AwareDatetime | None = None


class RevokeConsent(_Request):
    number: Number
    seller: Annotated[str, Field(max_length=120, description="empty: every seller")] = ""
    words: Annotated[str, Field(max_length=500, description="how they said it")] = ""


class ConsentView(_View):
    id: str = ""
    number: str
    seller: str
    kind: str
    wording: str = ""
    is_signed: bool = False
    given_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    source: str = ""


class DncStatus(_View):
    """One do-not-call list: how many numbers, how old (its oldest part), which area codes it covers."""

    name: str
    numbers: int
    loaded_at: datetime | None = None
    age_days: float | None = None
    coverage: list[str] = []
    problem: str = ""


class DncLookup(_View):
    number: str
    is_listed: bool
    lists: list[str] = []


class DncAddition(_Request):
    """A number for the internal do-not-call list."""

    number: Number
    seller: Annotated[str, Field(max_length=120, description="empty: nobody may call it")] = ""
    reason: Annotated[str, Field(max_length=500)] = ""


class WrittenMessage(_Request):
    """What somebody wrote to us: a text message, an e-mail, a form. Whether it asks to be left alone is read from it."""

    number: Number
    text: Annotated[str, Field(max_length=8000)]
    seller: Annotated[str, Field(max_length=120, description="to whom it was written; empty: to all of us")] = ""
    channel: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)] = "text"


class MessageHeard(_View):
    asks_to_stop: bool
    lists: list[str] = []


# --- knowledge and agents ---------------------------------------------------------------------------------------------


class NewFact(_Request):
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000)]
    number: Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{6,14})?$", description="whom it is about; empty: nobody")] = ""
    campaign: Annotated[str, Field(max_length=120, description="where it holds; empty: everywhere")] = ""
    key: Annotated[str, Field(max_length=60, description="the playbook slot it fills")] = ""
    value: Annotated[str, Field(max_length=500)] = ""


class FactView(_View):
    id: str
    text: str
    source: str = ""
    at: datetime | None = None
    key: str = ""
    value: str = ""
    number: str = ""
    campaign: str = ""
    score: float | None = None


class AgentView(_View):
    name: str
    seller: str
    persona: str
    goal: str
    language: str = "en-US"
    numbers: list[str] = []
    questions: list[str] = []
    version: str = ""


# --- the house --------------------------------------------------------------------------------------------------------


class Check(_View):
    """Whether one part can work now."""

    part: str
    ok: bool
    detail: str = ""


class ListAge(_View):
    """A do-not-call list: fresh, alarm (from the 25th day on), stopped (from the 32nd), damaged or absent."""

    name: str
    state: str
    age_days: int | None = None


class Health(_View):
    ok: bool
    checks: list[Check] = []


class Alive(_View):
    """`rules` and `tzdata`: the versions that every verdict names; `lists`: how old each do-not-call list is."""

    ok: bool = True
    rules: str = ""
    tzdata: str = ""
    lists: list[ListAge] = []
