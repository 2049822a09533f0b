"""Which numbers belong to one human, as far as any file, consent or call has said. Reads only.

RCW 80.36.390 wants a no to reach every number of the person, and it is what people mean. A shared line leaves open who
spoke: then it reaches everybody who is known by that number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.tables.compliance import calls_counted, consent_events, internal_dnc
from storage.tables.dialing import contacts

_TOLD_BY: Final = (contacts, consent_events, calls_counted, internal_dnc)


async def persons_of(connection: AsyncConnection, number: str) -> frozenset[str]:
    """Everybody who is known by this number."""
    found: set[str] = set()
    for table in _TOLD_BY:
        wanted = select(table.c.person).where(table.c.number == number, table.c.person != "").distinct()
        found.update((await connection.execute(wanted)).scalars())
    return frozenset(found)


async def person_by_number(connection: AsyncConnection, numbers: Sequence[str]) -> dict[str, str]:
    """Who has each of these numbers (at most some thousands); one that nobody or several are known by is left out."""
    found: dict[str, set[str]] = {}
    for table in _TOLD_BY:
        wanted = select(table.c.number, table.c.person).where(table.c.number.in_(numbers), table.c.person != "").distinct()
        for number, person in await connection.execute(wanted):
            found.setdefault(number, set()).add(person)
    return {number: min(persons) for number, persons in found.items() if len(persons) == 1}


async def numbers_of(connection: AsyncConnection, person: str) -> frozenset[str]:
    """Every number this person is known by."""
    found: set[str] = set()
    for table in _TOLD_BY:
        wanted = select(table.c.number).where(table.c.person == person).distinct()
        found.update((await connection.execute(wanted)).scalars())
    return frozenset(found)


async def reached(connection: AsyncConnection, number: str, person: str = "") -> list[tuple[str, str]]:
    """Every (number, person) that a word said of `number` concerns; the number itself is always among them."""
    persons = {person} if person else await persons_of(connection, number)
    pairs = {(each, one) for one in persons for each in {number, *await numbers_of(connection, one)}}
    return sorted(pairs or {(number, "")})
