"""Going over the receipts again: does the chain hold, and what would a lawyer want to see of one number or one campaign.

Reads only. The proof itself is in `compliance.receipt`; this finds the rows and lays them out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from compliance.measures import ABANDON_PERIOD, AbandonLedger, abandon_ledger, live_answer
from compliance.receipt import Break, Link, Receipt, verify
from storage.tables.compliance import receipts

PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class AuditReport:
    """How many receipts were gone over, where the chain ends, and everywhere it does not hold."""

    receipts: int
    days: int
    head: str
    breaks: tuple[Break, ...]

    @property
    def holds(self) -> bool:
        return not self.breaks


async def stored_receipts(
    connection: AsyncConnection, since: date | None = None, until: date | None = None
) -> AsyncIterator[Receipt]:
    """Every receipt in the order in which it was written; `since` and `until` are days, both included."""
    last = 0
    while True:
        query = select(receipts).where(receipts.c.seq > last).order_by(receipts.c.seq).limit(PAGE)
        if since is not None:
            query = query.where(receipts.c.day >= since)
        if until is not None:
            query = query.where(receipts.c.day <= until)
        rows = (await connection.execute(query)).all()
        for row in rows:
            yield _receipt(row)
        if len(rows) < PAGE:
            return
        last = rows[-1].seq


def _receipt(row: Row[tuple[object, ...]]) -> Receipt:
    return Receipt(
        id=row.id,
        kind=row.kind,
        day=row.day,
        place=row.place,
        at=row.at,
        body=row.body,
        body_sha256=row.body_sha256,
        previous=row.previous,
        hash=row.hash,
    )


async def verify_chain(connection: AsyncConnection, since: date | None = None, until: date | None = None) -> AuditReport:
    """Re-compute every link. Only what is asked for is held in memory: one receipt."""
    erased = await _erased(connection)
    breaks: list[Break] = []
    last: Link | None = None
    count, days = 0, set[date]()
    async for receipt in stored_receipts(connection, since, until):
        breaks.extend(verify([receipt], erased, last))
        last = receipt.link
        count += 1
        days.add(receipt.day)
    return AuditReport(count, len(days), last.hash if last is not None else "", tuple(breaks))


async def holds_head(connection: AsyncConnection, head: str) -> bool:
    """Whether a head noted earlier is still in the chain: if not, its end was cut off, or all of it written anew."""
    found = await connection.execute(select(receipts.c.id).where(receipts.c.hash == head).limit(1))
    return found.first() is not None


async def _erased(connection: AsyncConnection) -> frozenset[str]:
    """The ids of the receipts whose bodies an erasure took: the erasure's own receipt names them."""
    query = select(receipts.c.body).where(receipts.c.kind == "erasure", receipts.c.body.is_not(None))
    found: set[str] = set()
    for body in (await connection.execute(query)).scalars():
        found.update(msgspec.json.decode(body, type=_Erasure).receipts)
    return frozenset(found)


class _Erasure(msgspec.Struct):
    receipts: list[str] = []


# --- for a lawyer -------------------------------------------------------------------------------------------------------


class CallLine(msgspec.Struct, frozen=True):
    """One call as 16 CFR 310.5(a) wants it kept: decided when, on what grounds, and what became of it."""

    attempt: str
    called_number: str
    calling_number: str
    seller: str
    purpose: str
    subject: str
    voice: str
    campaign: str
    decided_at: datetime
    decision: str
    reasons: tuple[str, ...]
    sources: tuple[str, ...]
    consents: tuple[str, ...]
    lists: dict[str, str]
    rules_version: str
    verdict_receipt: str
    may_show_number: bool
    happened_at: datetime | None = None
    duration: float | None = None
    disposition: str = ""
    transferred_to: str = ""
    call_sid: str = ""
    measured: dict[str, float] = {}
    breaches: tuple[str, ...] = ()
    references: dict[str, str] = {}


class AuditFile(msgspec.Struct, frozen=True):
    """`calls` for reading, `receipts` for proving: each with the hash of the one before it, wherever that one is."""

    asked_for: str
    made_at: datetime
    calls: list[CallLine]
    receipts: list[dict[str, object]]
    head: str


async def export(connection: AsyncConnection, at: datetime, number: str = "", campaign: str = "") -> AuditFile:
    """Everything there is about one number or one campaign, call by call, with the receipts that prove it."""
    wanted = receipts.c.number == number if number else receipts.c.campaign == campaign
    rows = (await connection.execute(select(receipts).where(wanted).order_by(receipts.c.seq))).all()
    newest = select(receipts.c.hash).order_by(receipts.c.seq.desc()).limit(1)
    head = (await connection.execute(newest)).scalar() or ""
    outcomes = {row.attempt: _body(row) for row in rows if row.kind == "outcome" and row.body is not None}
    calls = [
        _call_line(row, outcomes.get(row.attempt, {})) for row in rows if row.kind == "verdict" and row.body is not None
    ]
    asked = f"number {number}" if number else f"campaign {campaign}"
    return AuditFile(asked, at, calls, [msgspec.to_builtins(_receipt(row)) for row in rows], head)


class _Outcome(msgspec.Struct):
    at: datetime
    answered_by: str = ""
    measured: dict[str, float] = {}


async def abandonment(connection: AsyncConnection, campaign: str, at: datetime) -> AbandonLedger:
    """A campaign's last 30 days as 47 CFR 64.1200(a)(7) counts them, from its outcome receipts."""
    wanted = (receipts.c.kind == "outcome", receipts.c.campaign == campaign, receipts.c.at > at - ABANDON_PERIOD)
    bodies = (await connection.execute(select(receipts.c.body).where(*wanted))).scalars()
    outcomes = [msgspec.json.decode(body, type=_Outcome) for body in bodies if body is not None and '"measured"' in body]
    answers = [live_answer(campaign, each.at, each.measured) for each in outcomes if each.answered_by == "person"]
    return abandon_ledger(answers, campaign, at)


def _body(row: Row[tuple[object, ...]]) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(row.body)
    return body


def _call_line(row: Row[tuple[object, ...]], outcome: dict[str, Any]) -> CallLine:
    body = _body(row)
    inputs, findings = body["inputs"], body.get("findings", [])
    errand = inputs["errand"]
    return CallLine(
        attempt=row.attempt,
        called_number=row.number,
        calling_number=errand["caller_id"]["number"],
        seller=errand["seller"],
        purpose=errand["purpose"],
        subject=errand["subject"],
        voice=errand["voice"],
        campaign=errand["campaign"],
        decided_at=row.at,
        decision=body["decision"],
        reasons=tuple(dict.fromkeys(each["rule"] for each in findings)),
        sources=tuple(dict.fromkeys(each["source"] for each in findings)),
        consents=tuple(each["id"] for each in inputs["consents"]),
        lists={each["name"]: each["generation"] for each in inputs["lists"]},
        rules_version=body["rules_version"],
        verdict_receipt=row.id,
        may_show_number=errand["caller_id"]["is_authorised"],
        happened_at=datetime.fromisoformat(outcome["at"]) if "at" in outcome else None,
        duration=outcome.get("duration"),
        disposition=outcome.get("disposition", "" if body["decision"] == "allow" else "not_dialled"),
        transferred_to=outcome.get("transferred_to", ""),
        call_sid=outcome.get("call_sid", ""),
        measured=outcome.get("measured", {}),
        breaches=tuple(outcome.get("breaches", ())),
        references=outcome.get("references", {}),
    )
