"""What consents and revocations amount to for one call, and the ledger they are folded from. Pure.

The ledger is append-only: who agreed to what, in which words, and who took it back. Nothing is ever edited; a revocation is
a later event, and a consent counts only if no revocation stands after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import TypeAlias

from compliance.record import CallRecord, Consent, ConsentKind, Revocation
from compliance.verdict import Rule


class Level(IntEnum):
    """How much a consent must be worth."""

    EXPRESS = 1  # the person agreed, in whatever form
    PERMISSION = 2  # signed, in writing: enough to lift the registry, 47 CFR 64.1200(c)(2)(ii)
    WRITTEN = 3  # prior express written consent to this voice, (f)(9)


@dataclass(frozen=True, slots=True)
class Defect:
    """Why a consent does not carry this call. `until`: when it would, for a consent dated in the future."""

    rule: Rule
    says: str
    until: datetime | None = None


def defects(record: CallRecord, consent: Consent, level: Level, at: datetime) -> list[Defect]:
    """Everything that keeps this consent from carrying this call at this instant; empty when it does."""
    errand = record.errand
    found: list[Defect] = []
    if is_revoked(record, consent, at):
        found.append(Defect(Rule.CONSENT_REVOKED, "The person took the consent back."))
    if consent.expires_at is not None and at >= consent.expires_at:
        found.append(Defect(Rule.CONSENT_EXPIRED, f"The consent ran out on {consent.expires_at.date().isoformat()}."))
    if consent.obtained_at > at:
        found.append(Defect(Rule.CONSENT_DEFECTIVE, "The consent is dated in the future.", consent.obtained_at))
    if consent.number != record.number:
        found.append(Defect(Rule.CONSENT_NUMBER_MISMATCH, "The consent names another telephone number."))
    if errand.seller not in consent.sellers:
        found.append(Defect(Rule.CONSENT_SELLER_MISMATCH, f"The consent does not name the seller {errand.seller}."))
    if consent.purposes and errand.purpose not in consent.purposes:
        found.append(Defect(Rule.CONSENT_DEFECTIVE, f"The consent does not cover {errand.purpose.value} calls."))
    if not consent.wording.strip():
        found.append(Defect(Rule.CONSENT_DEFECTIVE, "The wording that was agreed to was not kept."))
    return [*found, *_form_defects(consent, level)]


def _form_defects(consent: Consent, level: Level) -> list[Defect]:
    if level is Level.EXPRESS:
        return []
    if consent.kind is not ConsentKind.WRITTEN:
        return [Defect(Rule.CONSENT_NOT_WRITTEN, "The consent is not in writing.")]
    found = [] if consent.is_signed else [Defect(Rule.CONSENT_DEFECTIVE, "The written consent bears no signature.")]
    if level is Level.WRITTEN and not consent.names_artificial_voice:
        found.append(Defect(Rule.CONSENT_DEFECTIVE, "The consent does not authorise an artificial or prerecorded voice."))
    if level is Level.WRITTEN and not consent.says_not_a_condition:
        found.append(Defect(Rule.CONSENT_DEFECTIVE, "The form did not say that agreeing is no condition of buying."))
    return found


def is_revoked(record: CallRecord, consent: Consent, at: datetime) -> bool:
    return bool(record.revocations) and any(consent.obtained_at <= each.at <= at for each in revocations_for(record, at))


def revocations_for(record: CallRecord, at: datetime) -> list[Revocation]:
    """The revocations that reach this errand: of this seller or of all, for this purpose or for all."""
    errand = record.errand
    return [
        each
        for each in record.revocations
        if each.at <= at and each.seller in ("", errand.seller) and (not each.purposes or errand.purpose in each.purposes)
    ]


def carrying(record: CallRecord, level: Level, at: datetime) -> Consent | None:
    """The newest consent that carries this call, if any does."""
    found = [each for each in record.consents if not defects(record, each, level, at)]
    return max(found, key=lambda each: (each.obtained_at, each.id)) if found else None


def missing(record: CallRecord, level: Level, at: datetime) -> list[Defect]:
    """Why no consent carries this call: the defects of the one that comes nearest; empty when one does."""
    assessed = [defects(record, each, level, at) for each in record.consents]
    if not assessed:
        return [Defect(Rule.CONSENT_MISSING, "No consent is on record.")]
    nearest = min(assessed, key=lambda found: (len(found), [(each.rule, each.says, each.until or at) for each in found]))
    dated = [found[0] for found in assessed if len(found) == 1 and found[0].until is not None]
    return [min(dated, key=lambda each: each.until or at)] if dated and nearest else nearest


# --- the ledger -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a consent came about, for whoever asks a year later. All of it is kept as given; none of it decides."""

    name: str = ""
    source: str = ""  # a form, a call, an import file
    url: str = ""
    ip: str = ""
    user_agent: str = ""
    signature: str = ""  # how it was signed: typed name, tick box, key press, recorded voice
    rendering_sha256: str = ""  # of the screenshot or recording of what the person saw or heard
    vendor: str = ""
    certificate: str = ""  # a lead vendor's certificate, id or text
    parent: str = ""  # the id of the consent this one replaces
    attachments: str = ""  # files kept with it, by name and digest (`compliance.attachments`)


@dataclass(frozen=True, slots=True)
class Given:
    id: str
    consent: Consent
    person: str = ""
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True)
class TakenBack:
    id: str
    revocation: Revocation
    number: str
    person: str = ""
    words: str = ""


LedgerEvent: TypeAlias = Given | TakenBack


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything the events say, in order of time; nothing is ever taken out."""

    consents: tuple[Consent, ...] = ()
    revocations: tuple[Revocation, ...] = ()


def fold(events: Iterable[LedgerEvent]) -> Ledger:
    """The ledger after these events. The same event twice counts once; the order of arrival does not matter."""
    consents: dict[str, Consent] = {}
    revocations: dict[str, Revocation] = {}
    for event in events:
        if isinstance(event, Given):
            consents.setdefault(event.id, event.consent)
        else:
            revocations.setdefault(event.id, event.revocation)
    return Ledger(
        tuple(sorted(consents.values(), key=lambda each: (each.obtained_at, each.id))),
        tuple(sorted(revocations.values(), key=lambda each: (each.at, each.channel))),
    )
