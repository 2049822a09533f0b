"""Taking a file of contacts into a campaign: in small works, so that a million rows neither block a call nor are lost whole.

Importing the same file again adds nobody twice. What the file says of consents goes to the ledger in the same work, also of
contacts who are there already: one whom the gate had refused is then asked about again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import PurePath
from typing import Final

from dialer.campaign import Campaign, CampaignState, Contact, ImportBatch
from dialer.consents import given_by
from dialer.contact_file import BadRow, ContactRow, FileRefused, Row, read_contacts
from dialer.ports import AttemptStore, ConsentBook, Work
from storage.events import ContactsImported

ROWS: Final = 500  # of one work: some tens of milliseconds during which nobody else can write
MOST_PROBLEMS: Final = 1000  # kept for the report; all are counted
_NO_NAMES: Final = frozenset({"", "-", "api"})  # standard input, an upload
LONGEST_NUMBERING: Final = 60  # with the longest id it fits where the ledger keeps it


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file. `problems` are the first `MOST_PROBLEMS` rows that were left out, duplicates among them.

    `consents` were handed to the ledger; `reopened` contacts wait again, who had been refused for good or had taken their
    consent back.
    """

    batch: ImportBatch
    problems: tuple[BadRow, ...] = ()
    consents: int = 0
    reopened: int = 0

    @property
    def problems_not_shown(self) -> int:
        return self.batch.bad + self.batch.duplicates - len(self.problems)


@dataclass(slots=True)
class _Progress:
    batch: ImportBatch
    people: str
    problems: list[BadRow] = field(default_factory=list)
    consents: int = 0
    reopened: int = 0

    def note(self, problems: Iterable[BadRow]) -> None:
        self.problems += islice(problems, MOST_PROBLEMS - len(self.problems))


async def import_contacts(
    store: AttemptStore,
    campaign: Campaign,
    pieces: Iterable[bytes],
    at: datetime,
    *,
    source: str = "",
    book: ConsentBook | None = None,
    on_progress: Callable[[ImportBatch], None] | None = None,
    people: str = "",
) -> ImportReport | FileRefused:
    """Read a file of contacts, given in pieces, into a campaign. New contacts are due at once; the gate says when.

    Without a `book`, consents in the file are not recorded and nobody is known to have asked to be forgotten. `people` names
    the list whose numbering the file's person ids follow: two files that both number from 1 must not share persons by
    accident, so without it ids are those of the file's own name, or of the campaign when it has none.
    """
    if campaign.state is CampaignState.STOPPED:
        return FileRefused("campaign_stopped", "the campaign was stopped for good; create a new one")
    rows = read_contacts(pieces, at)
    if isinstance(rows, FileRefused):
        return rows
    progress = _Progress(
        ImportBatch(f"in_{secrets.token_hex(6)}", campaign.id, source, at), people or own_numbering(source, campaign)
    )
    while some := await asyncio.to_thread(lambda: list(islice(rows, ROWS))):  # parsing must not hold up a live call
        async with store.transaction() as work:
            await _take(work, campaign, some, progress, at, book)
        if on_progress is not None:
            on_progress(progress.batch)
    progress.batch = replace(progress.batch, finished_at=at)
    async with store.transaction() as work:
        await work.save_batch(progress.batch)
        await work.record(_told(progress.batch), at)
    return ImportReport(progress.batch, tuple(progress.problems), progress.consents, progress.reopened)


async def _take(
    work: Work, campaign: Campaign, rows: list[Row], progress: _Progress, at: datetime, book: ConsentBook | None
) -> None:
    bad = [row for row in rows if isinstance(row, BadRow)]
    good = [_numbered(row, progress.people) for row in rows if isinstance(row, ContactRow)]
    gone = await book.erased(work, [row.number for row in good]) if book is not None else set()
    bad += [_erased(row) for row in good if row.number in gone]
    good = [row for row in good if row.number not in gone]
    nameless = [row.number for row in good if not row.person]
    persons = await book.persons(work, nameless) if book is not None and nameless else {}
    good = [replace(row, person=row.person or persons.get(row.number, "")) for row in good]
    contacts = {f"{progress.batch.id}_{row.line:08}": row for row in good}
    added = await work.add_contacts(
        [_contact(contact_id, row, campaign, progress.batch, at) for contact_id, row in contacts.items()]
    )
    for row in good:
        if book is not None and row.consent is not None:
            await book.add(work, given_by(row, row.consent), at)
            progress.consents += 1
    there = [row for contact_id, row in contacts.items() if contact_id not in added]
    await work.tie_persons(campaign.id, {row.number: row.person for row in there if row.person})
    again = sorted({row.number for row in there if row.consent is not None})
    if again:
        progress.reopened += await work.reopen_refused(campaign.id, at, again)
        progress.reopened += await work.reopen_agreed(campaign.id, at, again)
    twice = [_duplicate(row) for row in there]
    batch = progress.batch
    progress.batch = replace(
        batch,
        rows=batch.rows + len(rows),
        kept=batch.kept + len(added),
        bad=batch.bad + len(bad),
        duplicates=batch.duplicates + len(twice),
    )
    await work.save_batch(progress.batch)
    progress.note(sorted([*bad, *twice], key=lambda problem: problem.line))


def _contact(contact_id: str, row: ContactRow, campaign: Campaign, batch: ImportBatch, at: datetime) -> Contact:
    return Contact(
        id=contact_id,
        campaign_id=campaign.id,
        number=row.number,
        created_at=at,
        name=row.name,
        first_name=row.first_name,
        address_state=row.address_state,
        zip=row.zip,
        person=row.person,
        fields=row.fields,
        batch_id=batch.id,
        line=row.line,
        due_at=at,
        changed_at=at,
    )


def own_numbering(source: str, campaign: Campaign) -> str:
    """Whose person ids a file's are when nobody says: those of all files of its name; of the campaign's, without a name."""
    name = PurePath(source).name.casefold()
    return name if name not in _NO_NAMES else campaign.id


def _numbered(row: ContactRow, people: str) -> ContactRow:
    return replace(row, person=f"{people[:LONGEST_NUMBERING]}/{row.person}") if row.person else row


def _erased(row: ContactRow) -> BadRow:
    return BadRow(row.line, "", "erased", "this person asked to be forgotten and never to be called again")


def _duplicate(row: ContactRow) -> BadRow:
    return BadRow(row.line, "", "duplicate", "this number is in the campaign already")


def _told(batch: ImportBatch) -> ContactsImported:
    return ContactsImported(
        campaign_id=batch.campaign_id, batch_id=batch.id, kept=batch.kept, bad=batch.bad, duplicates=batch.duplicates
    )
