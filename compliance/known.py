"""What the database knows of one number, in one statement, and how a row becomes a fact. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from compliance.consent import Given, TakenBack
from compliance.privacy import number_hash
from compliance.proposals import DncRequest, ProposedCall
from compliance.quick import Value, run
from compliance.receipt import Link
from compliance.record import LineType, PastCall, Place, ReassignedAnswer, Relationship

REMEMBERED: Final = timedelta(days=31)  # no cap looks further back
# Stands for "no person is known": asking the index for the empty name would go through everybody who has none.
NOBODY: Final = "(nobody)"


@dataclass(slots=True)
class Known:
    """What the database knows of one number, decoded."""

    ledger: list[Given | TakenBack] = field(default_factory=list)
    requests: list[DncRequest] = field(default_factory=list)
    calls: list[PastCall] = field(default_factory=list)
    reassigned: ReassignedAnswer | None = None
    relationship: Relationship | None = None
    place: Place | None = None
    line: LineType | None = None
    is_erased: bool = False
    orders: list[tuple[str, str]] = field(default_factory=list)
    last: Link | None = None


# One statement for everything the gate must know: on SQLite each costs a hop to the driver's thread and back. The third
# column is the order of writing where it matters: of facts the newest holds, and an order is lifted only by a later one.
_EVERYTHING: Final = """
    SELECT what, body, 0 FROM consent_events WHERE number = :number OR person = :person
    UNION ALL
    SELECT 'dnc', body, 0 FROM internal_dnc
     WHERE (number = :number OR person = :person) AND seller IN ('', :seller)
    UNION ALL
    SELECT 'call', body, 0 FROM calls_counted
     WHERE (number = :number OR person = :person) AND at > :since AND attempt <> :attempt
    UNION ALL
    SELECT what, body, seq FROM number_facts WHERE number = :number AND seller IN ('', :seller)
    UNION ALL
    SELECT 'tombstone', body, 0 FROM tombstones WHERE number_hash = :hash
    UNION ALL
    SELECT what, body, seq FROM standing_orders
    UNION ALL
    SELECT 'last', body, 0 FROM (
        SELECT hash || '|' || CAST(day AS VARCHAR(10)) || '|' || CAST(place AS VARCHAR(12)) || '|' || CAST(at AS VARCHAR(40))
            AS body FROM receipts ORDER BY seq DESC LIMIT 1) AS newest
    """


async def all_known(connection: AsyncConnection, proposed: ProposedCall, at: datetime, salt: bytes) -> Known:
    """Everything the gate must know of this number and this person, read at once."""
    values: dict[str, Value] = {
        "number": proposed.number,
        "person": proposed.person or NOBODY,
        "seller": proposed.errand.seller,
        "attempt": proposed.attempt,
        "since": at - REMEMBERED,
        "hash": number_hash(salt, proposed.number),
    }
    return learned((str(what), str(body), seq) for what, body, seq in await run(connection, _EVERYTHING, values))


def learned(rows: Iterable[tuple[str, str, object]]) -> Known:
    """What these rows (kind, body, order of writing) amount to."""
    known = Known()
    for what, body, _ in sorted(rows, key=_order):
        _learn(known, what, body)
    return known


def _order(row: tuple[str, str, object]) -> int:
    return row[2] if isinstance(row[2], int) else 0


def _learn(known: Known, what: str, body: str) -> None:
    match what:
        case "given":
            known.ledger.append(msgspec.json.decode(body, type=Given))
        case "taken_back":
            known.ledger.append(msgspec.json.decode(body, type=TakenBack))
        case "dnc":
            known.requests.append(msgspec.json.decode(body, type=DncRequest))
        case "call":
            known.calls.append(msgspec.json.decode(body, type=PastCall))
        case "reassigned":
            known.reassigned = msgspec.json.decode(body, type=ReassignedAnswer)
        case "relationship":
            known.relationship = msgspec.json.decode(body, type=Relationship)
        case "place":
            known.place = msgspec.json.decode(body, type=Place)
        case "line":
            known.line = msgspec.json.decode(body, type=LineType)
        case "tombstone":
            known.is_erased = True
        case "last":
            known.last = _link(body)
        case _:
            known.orders.append((what, body))


def _link(body: str) -> Link:
    digest, day, place, at = body.split("|")
    moment = datetime.fromisoformat(at)
    return Link(date.fromisoformat(day), int(place), digest, moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def merged_place(proposed: Place, learned: Place | None) -> Place:
    """What the person said in a call is added to what the campaign's file says; neither overwrites the other."""
    if learned is None:
        return proposed
    return Place(
        state=proposed.state or learned.state,
        zip=proposed.zip or learned.zip,
        zone=proposed.zone or learned.zone,
        stated_zone=learned.stated_zone or proposed.stated_zone,
        stated_state=learned.stated_state or proposed.stated_state,
        stated_on=learned.stated_on or proposed.stated_on,
    )


def ended_by(relationship: Relationship | None, requests: list[DncRequest]) -> Relationship | None:
    """A company do-not-call request ends the relationship (47 CFR 64.1200(f)(5)(i))."""
    if relationship is None or not requests:
        return relationship
    return replace(relationship, ended_at=min(each.requested_at for each in requests))
