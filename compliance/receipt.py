"""The proof of a decision: canonical JSON, linked into a chain a day, each day tied to the one before. Pure.

A link covers the receipt before it, its own id, kind and instant, and the digest of its body. So a body can be erased when
the law wants it gone, and the chain still shows that something of exactly that digest stood there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import msgspec

from compliance.record import CallRecord
from compliance.verdict import Clearance, Finding, Verdict
from compliance.zones import TZDATA

GENESIS: Final = hashlib.sha256(b"offhook receipts").hexdigest()
FORMAT: Final = 1  # of the body; a verifier of format 1 can always read format 1


@dataclass(frozen=True, slots=True)
class Link:
    """Where a chain stands: what the next receipt is tied to."""

    day: date
    place: int
    hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """One link. `body` is canonical JSON, or None once erased."""

    id: str
    kind: str  # verdict | outcome | opt_out | revocation | erasure | order
    day: date
    place: int
    at: datetime
    body: str | None
    body_sha256: str
    previous: str
    hash: str

    @property
    def link(self) -> Link:
        return Link(self.day, self.place, self.hash, self.at)


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold, and how."""

    day: date
    place: int
    id: str
    says: str


def canonical(content: object) -> str:
    """Keys sorted, no spaces, instants in UTC: one text for one meaning."""
    return msgspec.json.encode(content, order="sorted").decode()


def seal(id: str, kind: str, at: datetime, content: object, after: Link | None, nonce: str = "") -> Receipt:
    """The next receipt of the chain. `at` (aware) may lie before the last link's: the day never runs backwards.

    `nonce` is put into the body: without one, somebody who knows all of an erased body but the number could try them all
    against the digest that stays.
    """
    at = at.astimezone(UTC)
    plain = msgspec.to_builtins(content, order="deterministic")
    body = canonical({**plain, "nonce": nonce} if nonce else plain)
    digest = hashlib.sha256(body.encode()).hexdigest()
    day = at.date() if after is None else max(at.date(), after.day)
    place = after.place + 1 if after is not None and after.day == day else 0
    previous = after.hash if after is not None else GENESIS
    return Receipt(id, kind, day, place, at, body, digest, previous, _link(previous, id, kind, at, digest))


def _link(previous: str, id: str, kind: str, at: datetime, digest: str) -> str:
    return hashlib.sha256(f"{previous}\n{id}\n{kind}\n{at.isoformat()}\n{digest}".encode()).hexdigest()


def verify(receipts: Iterable[Receipt], erased: frozenset[str] = frozenset(), after: Link | None = None) -> Iterator[Break]:
    """Everything wrong with these receipts, which must come in order. `erased`: ids whose bodies an erasure took.

    `after` is the link before the first of them; without it the first one's `previous` is taken on trust, unless it is
    the first of all.
    """
    last = after
    for receipt in receipts:
        yield from (Break(receipt.day, receipt.place, receipt.id, says) for says in _wrong(receipt, last, erased))
        last = receipt.link


def _wrong(receipt: Receipt, last: Link | None, erased: frozenset[str]) -> Iterator[str]:
    if last is not None:
        if receipt.previous != last.hash:
            yield "does not follow the receipt before it: one was taken out, put in or changed"
        if receipt.day < last.day:
            yield "its day lies before that of the receipt before it"
        elif receipt.place != (last.place + 1 if receipt.day == last.day else 0):
            yield "its place in the day is wrong: one was taken out or put in"
    if receipt.body is None:
        if receipt.id not in erased:
            yield "its body is gone, and no erasure says so"
    elif hashlib.sha256(receipt.body.encode()).hexdigest() != receipt.body_sha256:
        yield "its body is not the one that was sealed"
    if _link(receipt.previous, receipt.id, receipt.kind, receipt.at, receipt.body_sha256) != receipt.hash:
        yield "its own hash is wrong"


# --- what is in a body ------------------------------------------------------------------------------------------------


def verdict_content(record: CallRecord, verdict: Verdict) -> dict[str, object]:
    """A verdict with every input and every version that it came from. Wordings are named by their digest, not repeated."""
    inputs = msgspec.to_builtins(record, order="deterministic")
    for consent in inputs["consents"]:
        consent["wording"] = "sha256:" + hashlib.sha256(consent["wording"].encode()).hexdigest()
    return {
        "format": FORMAT,
        "decision": verdict.decision,
        "rules_version": verdict.rules_version,
        "tzdata": TZDATA,
        "inputs": inputs,
        "waived": [_finding(each) for each in verdict.waived],
        **_outcome(verdict),
    }


def _outcome(verdict: Verdict) -> dict[str, object]:
    if isinstance(verdict, Clearance):
        return {"expires": verdict.expires}
    return {
        "until": verdict.until,
        "findings": [_finding(each) for each in verdict.findings],
        "later": [_finding(each) for each in verdict.later],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule.value,
        "says": finding.says,
        "source": finding.source,
        "until": finding.until,
        "entry": finding.entry,
    }
