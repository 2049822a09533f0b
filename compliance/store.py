"""The gate's shell: gathers a `CallRecord`, asks the gate, and writes the receipt before anybody can dial.

Everything happens on the caller's connection, so a verdict, the count of the call and the attempt it belongs to are kept
together or not at all. Cancels nothing itself: an opt-out answers with what must now be cancelled.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from compliance.consent import Given, LedgerEvent, TakenBack, fold
from compliance.dnc import Lists
from compliance.errors import LedgerError
from compliance.gate import check
from compliance.identity import reached
from compliance.internal import InternalBits
from compliance.known import Known, all_known, ended_by, merged_place
from compliance.orders import Halt, Lift, halted, under_orders
from compliance.privacy import load_salt
from compliance.proposals import CallOutcome, DncRequest, ProposedCall, Suppression
from compliance.quick import Value, run
from compliance.receipt import Link, Receipt, canonical, seal, verdict_content
from compliance.record import (
    CallRecord,
    LineType,
    ListAnswer,
    PastCall,
    Place,
    ReassignedAnswer,
    Relationship,
    Revocation,
)
from compliance.rules import Rulebook, open_rulebook
from compliance.rules.schema import Proclamation, Waiver
from compliance.verdict import Clearance, Verdict
from storage.tables.compliance import (
    calls_counted,
    consent_events,
    internal_dnc,
    number_facts,
    receipts,
    standing_orders,
)

CHAIN_LOCK: Final = 0x0FF401C  # PostgreSQL advisory lock: the chain has one writer at a time, as SQLite has anyway


_RECEIPT: Final = """
    INSERT INTO receipts (id, day, place, kind, at, number, contact, attempt, campaign, decision,
                          body, body_sha256, previous, hash)
    VALUES (:id, :day, :place, :kind, :at, :number, :contact, :attempt, :campaign, :decision,
            :body, :body_sha256, :previous, :hash)
    """
_COUNT: Final = """
    INSERT INTO calls_counted (attempt, at, number, person, is_conversation, body)
    VALUES (:attempt, :at, :number, :person, :is_conversation, :body)
    ON CONFLICT (attempt) DO UPDATE SET at = excluded.at, body = excluded.body
    """


__all__ = ["CallOutcome", "ComplianceStore", "DncRequest", "Halt", "Lift", "ProposedCall", "Suppression", "last_link"]


@dataclass(frozen=True, slots=True)
class Scrub:
    """What the lists, and our own, say of a number."""

    answers: Callable[[str], tuple[ListAnswer, ...]]
    is_ours: Callable[[str, str], bool]  # number, seller


def _internal_answer(proposed: ProposedCall, requests: list[DncRequest], scrub: Scrub) -> ListAnswer:
    first = min([each.requested_at for each in requests], default=None)
    if first is None and not scrub.is_ours(proposed.number, proposed.errand.seller):
        return _NOT_OURS
    return ListAnswer("internal", is_listed=True, generation="live", since=first)


_NOT_OURS: Final = ListAnswer("internal", is_listed=False, generation="live")


class ComplianceStore:
    """The compliance room's door to the database and the lists. One a process is enough; it holds no state of any call."""

    def __init__(
        self, lists: Lists, internal: InternalBits, rules: Rulebook, salt: bytes, rules_folder: Path | None = None
    ) -> None:
        self._rules_folder = rules_folder
        self._rules_seen = _state_of(rules_folder)
        self.lists = lists
        self.internal = internal
        self.rules = rules
        self.salt = salt
        self._books: dict[tuple[tuple[str, str], ...], tuple[Rulebook, list[Halt]]] = {}

    @classmethod
    def open(cls, home: Path) -> ComplianceStore:
        """The store of a home folder: its lists, salt, the shipped rules and the operator's own (`<home>/rules/*.toml`)."""
        folder = home / "rules"
        rules = open_rulebook(*sorted(folder.glob("*.toml")))
        return cls(Lists(home), InternalBits(home), rules, load_salt(home), folder)

    @property
    def home(self) -> Path:
        return self.internal.folder.parent

    def _reload_rules(self) -> None:
        """The operator's own rules hold from the next verdict on, without a restart; with a typo nothing passes any more."""
        seen = _state_of(self._rules_folder)
        if seen != self._rules_seen and self._rules_folder is not None:
            self.rules = open_rulebook(*sorted(self._rules_folder.glob("*.toml")))
            self._rules_seen = seen
            self._books.clear()

    # --- asking -------------------------------------------------------------------------------------------------------

    async def judge(self, connection: AsyncConnection, proposed: ProposedCall, at: datetime) -> Verdict:
        """The verdict, stored with all its inputs in the caller's transaction; a cleared call is counted there as well.

        Dial only after that transaction has committed: until then there is no receipt.
        """
        if self.lists.is_stale():
            await asyncio.to_thread(self.lists.refresh)
        self._reload_rules()
        await _lock_chain(connection)
        known = await all_known(connection, proposed, at, self.salt)
        receipt = f"r_{uuid.uuid4().hex}"
        record, book = self.record(proposed, known, receipt)
        verdict = check(record, at, book)
        sealed = seal(receipt, "verdict", at, verdict_content(record, verdict), known.last, uuid.uuid4().hex)
        await _append(connection, sealed, proposed, verdict.decision)
        if isinstance(verdict, Clearance) and proposed.attempt:
            await _count(connection, proposed, at)
        return verdict

    async def look(self, connection: AsyncConnection, proposed: ProposedCall, at: datetime) -> tuple[CallRecord, Verdict]:
        """The verdict without writing anything: for people who want to know. Its clearance permits nothing."""
        known = await all_known(connection, proposed, at, self.salt)
        # To ask about a past instant is fair: no clock has jumped, and what came after it had not happened.
        known.last = None
        known.calls = [call for call in known.calls if call.at <= at]
        record, book = self.record(proposed, known, "")
        return record, check(record, at, book)

    def record(
        self, proposed: ProposedCall, known: Known, receipt: str, lists: Scrub | None = None
    ) -> tuple[CallRecord, Rulebook]:
        """The record of a proposed call, and the rule book it is to be judged by. `lists`: instead of the disk's own."""
        scrub = lists or Scrub(self.lists.answers, self.internal.has)
        ledger = fold(known.ledger)
        requests = [each for each in known.requests if not each.purposes or proposed.errand.purpose in each.purposes]
        book, halts = self.book_under(tuple(known.orders))
        record = CallRecord(
            number=proposed.number,
            errand=proposed.errand,
            place=merged_place(proposed.place, known.place),
            line=known.line or proposed.line,
            is_emergency_line=proposed.is_emergency_line,
            is_business=proposed.is_business,
            person=proposed.person,
            contact=proposed.contact,
            attempt=proposed.attempt,
            receipt=receipt,
            consents=ledger.consents,
            revocations=ledger.revocations,
            lists=(*scrub.answers(proposed.number), _internal_answer(proposed, requests, scrub)),
            history=tuple(known.calls),
            relationship=ended_by(known.relationship, requests),
            reassigned=known.reassigned or ReassignedAnswer(),
            is_erased=known.is_erased,
            is_halted=halted(halts, proposed, book),
            last_receipt_at=known.last.at if known.last is not None else None,
        )
        return record, book

    def book_under(self, orders: tuple[tuple[str, str], ...]) -> tuple[Rulebook, list[Halt]]:
        """The rule book under the standing orders. Kept, because the gate's caches hang on the book's identity."""
        found = self._books.get(orders)
        if found is None:
            self._books.clear()
            found = self._books[orders] = under_orders(self.rules, orders)
        return found

    # --- what people say ----------------------------------------------------------------------------------------------

    async def record_consent(self, connection: AsyncConnection, given: Given, at: datetime) -> bool:
        """Write a consent into the ledger; False if this event is there already. One without wording is kept, never counts.

        Raises `LedgerError` for one that names no number or no seller.
        """
        if not given.consent.number.startswith("+") or not given.consent.sellers:
            raise LedgerError("A consent names a number in E.164 and at least one seller.")
        consent = given.consent
        return await _add_event(connection, given.id, "given", consent.number, given.person, consent.obtained_at, at, given)

    async def take_back(self, connection: AsyncConnection, taken: TakenBack, at: datetime) -> bool:
        """Write a revocation into the ledger, in force at once; False if this event is there already."""
        moment = taken.revocation.at
        return await _add_event(connection, taken.id, "taken_back", taken.number, taken.person, moment, at, taken)

    async def opt_out(self, connection: AsyncConnection, request: DncRequest, at: datetime) -> Suppression:
        """Do-not-call, at once and for good: the ledger, the log, the live bitmap and a receipt, then what to cancel."""
        done = await self._withdraw(connection, "opt_out", request, at)
        for number, person in await reached(connection, request.number, request.person):
            row = {"number": number, "person": person, "seller": request.seller, "body": canonical(request)}
            await connection.execute(insert(internal_dnc).values(**row, requested_at=request.requested_at, recorded_at=at))
            if not request.purposes:  # a narrower wish stands in the log alone: a bit knows only all or nothing
                await asyncio.to_thread(self.internal.add, number, request.seller)  # it waits for a lock and the disk
        return done

    async def revoke(self, connection: AsyncConnection, request: DncRequest, at: datetime) -> Suppression:
        """Consent taken back, at once and with a receipt; then what to cancel. Who agrees again may be called again."""
        return await self._withdraw(connection, "revocation", request, at)

    async def _withdraw(self, connection: AsyncConnection, kind: str, request: DncRequest, at: datetime) -> Suppression:
        await _lock_chain(connection)
        concerned = await reached(connection, request.number, request.person)
        revocation = Revocation(request.requested_at, request.channel, request.seller, request.purposes)
        for number, person in concerned:
            taken = TakenBack(f"t_{uuid.uuid4().hex}", revocation, number, person, request.words)
            await self.take_back(connection, taken, at)
        receipt = await self.note(connection, kind, at, request, request.number)
        numbers = tuple(sorted({number for number, _ in concerned}))
        return Suppression(numbers, request.seller, request.purposes, receipt.id)

    async def ledger(self, connection: AsyncConnection, number: str = "") -> list[LedgerEvent]:
        """The ledger's events of one number, or all of them, in the order in which they were written."""
        query = select(consent_events.c.what, consent_events.c.body).order_by(consent_events.c.seq)
        if number:
            query = query.where(consent_events.c.number == number)
        shapes: dict[str, type[Given] | type[TakenBack]] = {"given": Given, "taken_back": TakenBack}
        rows = await connection.execute(query)
        return [msgspec.json.decode(row.body, type=shapes[row.what]) for row in rows]

    # --- what happens afterwards ----------------------------------------------------------------------------------------

    async def record_outcome(self, connection: AsyncConnection, outcome: CallOutcome, at: datetime) -> None:
        """What became of a call, chained to the receipts. A conversation is marked, for the caps that count them."""
        if outcome.is_conversation:
            await _mark_conversation(connection, outcome.attempt)
        await self.note(
            connection, "outcome", at, outcome, outcome.number, outcome.attempt, outcome.campaign, outcome.contact
        )

    async def never_left(
        self, connection: AsyncConnection, attempt: str, number: str, why: str, at: datetime, campaign: str = ""
    ) -> None:
        """The request for this attempt provably reached nobody: it does not count against any cap."""
        await connection.execute(delete(calls_counted).where(calls_counted.c.attempt == attempt))
        content = {"disposition": "never_left", "why": why}
        await self.note(connection, "outcome", at, content, number, attempt, campaign)

    async def learn(
        self,
        connection: AsyncConnection,
        number: str,
        fact: ReassignedAnswer | Relationship | Place | LineType,
        at: datetime,
        seller: str = "",
    ) -> None:
        """Keep a fact about a number: the newest of its kind is the one the gate sees."""
        what = {ReassignedAnswer: "reassigned", Relationship: "relationship", Place: "place", LineType: "line"}[type(fact)]
        await connection.execute(
            insert(number_facts).values(number=number, seller=seller, what=what, recorded_at=at, body=canonical(fact))
        )

    async def order(self, connection: AsyncConnection, order: Waiver | Proclamation | Halt | Lift, at: datetime) -> None:
        """Put a waiver, a proclamation or a kill switch in force, or end one; a receipt says who and why."""
        what = type(order).__name__.lower()
        await connection.execute(insert(standing_orders).values(what=what, recorded_at=at, body=canonical(order)))
        await self.note(connection, "order", at, {"what": what, "order": msgspec.to_builtins(order)}, "")

    async def note(
        self,
        connection: AsyncConnection,
        kind: str,
        at: datetime,
        content: object,
        number: str = "",
        attempt: str = "",
        campaign: str = "",
        contact: str = "",
    ) -> Receipt:
        """Chain a receipt of something that happened, so that it cannot be unsaid."""
        await _lock_chain(connection)
        link = await last_link(connection)
        sealed = seal(f"r_{uuid.uuid4().hex}", kind, at, content, link, uuid.uuid4().hex)
        values = _receipt_values(sealed) | {
            "number": number,
            "attempt": attempt,
            "campaign": campaign,
            "contact": contact,
            "decision": "",
        }
        await run(connection, _RECEIPT, values)
        return sealed


# --- reading ------------------------------------------------------------------------------------------------------------


def _state_of(folder: Path | None) -> tuple[tuple[str, int, int], ...]:
    """Names, times and sizes of the rule files in a folder: what changes when somebody edits one."""
    if folder is None:
        return ()
    try:
        with os.scandir(folder) as entries:
            found = [(each.name, each.stat()) for each in entries if each.name.endswith(".toml")]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in found))


async def last_link(connection: AsyncConnection) -> Link | None:
    """Where the chain stands."""
    columns = (receipts.c.day, receipts.c.place, receipts.c.hash, receipts.c.at)
    row = (await connection.execute(select(*columns).order_by(receipts.c.seq.desc()).limit(1))).first()
    return None if row is None else Link(row.day, row.place, row.hash, row.at)


# --- writing ------------------------------------------------------------------------------------------------------------


async def _lock_chain(connection: AsyncConnection) -> None:
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})


def _receipt_values(sealed: Receipt) -> dict[str, Value]:
    return {
        "id": sealed.id,
        "day": sealed.day,
        "place": sealed.place,
        "kind": sealed.kind,
        "at": sealed.at,
        "body": sealed.body,
        "body_sha256": sealed.body_sha256,
        "previous": sealed.previous,
        "hash": sealed.hash,
    }


async def _append(connection: AsyncConnection, sealed: Receipt, proposed: ProposedCall, decision: str) -> None:
    values = _receipt_values(sealed) | {
        "number": proposed.number,
        "contact": proposed.contact,
        "attempt": proposed.attempt,
        "campaign": proposed.errand.campaign,
        "decision": decision,
    }
    await run(connection, _RECEIPT, values)


async def _count(connection: AsyncConnection, proposed: ProposedCall, at: datetime) -> None:
    """Before it rings, so that a crash can only count a call too many, never one too few."""
    call = PastCall(at, proposed.number, proposed.errand.subject, proposed.errand.seller)
    values: dict[str, Value] = {
        "attempt": proposed.attempt,
        "at": at,
        "number": proposed.number,
        "person": proposed.person,
        "is_conversation": False,
        "body": canonical(call),
    }
    await run(connection, _COUNT, values)


async def _mark_conversation(connection: AsyncConnection, attempt: str) -> None:
    query = select(calls_counted.c.body).where(calls_counted.c.attempt == attempt)
    body = (await connection.execute(query)).scalar()
    if body is None:
        return
    call = msgspec.json.decode(body, type=PastCall)
    marked = PastCall(call.at, call.number, call.subject, call.seller, is_conversation=True)
    change = update(calls_counted).where(calls_counted.c.attempt == attempt)
    await connection.execute(change.values(is_conversation=True, body=canonical(marked)))


async def _add_event(
    connection: AsyncConnection, id: str, what: str, number: str, person: str, at: datetime, now: datetime, event: object
) -> bool:
    known = await connection.execute(select(consent_events.c.seq).where(consent_events.c.id == id))
    if known.first() is not None:
        return False
    await connection.execute(
        insert(consent_events).values(
            id=id, what=what, number=number, person=person, at=at, recorded_at=now, body=canonical(event)
        )
    )
    return True
