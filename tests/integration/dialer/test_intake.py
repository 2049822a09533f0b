from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from compliance.consent import Given
from dialer.attempt import Disposition
from dialer.campaign import AGREED_AGAIN, TOOK_BACK, Campaign, CampaignState, ContactState, ImportBatch
from dialer.contact_file import FileRefused
from dialer.intake import MOST_PROBLEMS, ROWS, ImportReport, import_contacts
from dialer.orders import ask_again
from dialer.ports import AttemptStore, Work

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
CAMPAIGN = Campaign("c1", "Autumn", "Acme", "solar", NOW)
HEADER = b"number,name,consent_at,consent_wording,consent_seller\n"


@dataclass
class Book:
    given: list[Given] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    known: dict[str, str] = field(default_factory=dict)

    async def add(self, work: Work, given: Given, at: datetime) -> None:
        self.given.append(given)

    async def erased(self, work: Work, numbers: Sequence[str]) -> set[str]:
        return self.gone & set(numbers)

    async def persons(self, work: Work, numbers: Sequence[str]) -> dict[str, str]:
        return {number: person for number, person in self.known.items() if number in numbers}


async def take(store: AttemptStore, *pieces: bytes, book: Book | None = None, **more: object) -> ImportReport:
    async with store.transaction() as work:
        await work.save_campaign(CAMPAIGN)
    report = await import_contacts(store, CAMPAIGN, pieces, NOW, source="a.csv", book=book, **more)  # type: ignore[arg-type]
    assert isinstance(report, ImportReport)
    return report


async def test_good_rows_are_kept_bad_ones_reported_and_consents_written_down(store: AttemptStore) -> None:
    book = Book()
    rows = b"+16145550101,Ann,2026-03-01,I agree,Acme\nnobody,,,,\n+16145550101,Ann again,,,\n+16145550102,Bob,,,\n"
    report = await take(store, HEADER, rows, book=book)
    assert [(each.line, each.code) for each in report.problems] == [(3, "letters"), (4, "duplicate")]
    batch = report.batch
    assert (batch.rows, batch.kept, batch.bad, batch.duplicates) == (4, 2, 1, 1)
    assert (batch.finished_at, report.consents, report.problems_not_shown) == (NOW, 1, 0)
    assert [(each.consent.number, each.consent.wording) for each in book.given] == [("+16145550101", "I agree")]
    async with store.reading() as work:
        ann, bob = await work.contacts("c1")
    assert (ann.name, ann.line, ann.state, ann.due_at, ann.batch_id) == ("Ann", 2, ContactState.WAITING, NOW, batch.id)
    assert bob.line == 5


async def test_ids_of_two_lists_are_two_people_unless_the_operator_says_otherwise(store: AttemptStore) -> None:
    async with store.transaction() as work:
        await work.save_campaign(CAMPAIGN)
    files = (("/home/a/CRM.csv", "101", ""), ("bought.csv", "102", ""), ("crm.csv", "103", ""), ("-", "104", ""))
    for source, end, people in (*files, ("", "105", ""), ("bought.csv", "106", "CRM.csv".lower())):
        rows = f"number,person_id\n+16145550{end},1\n".encode()
        await import_contacts(store, CAMPAIGN, [rows], NOW, source=source, people=people)
    async with store.reading() as work:
        persons = [each.person for each in sorted(await work.contacts("c1"), key=lambda each: each.number)]
    assert persons == ["crm.csv/1", "bought.csv/1", "crm.csv/1", "c1/1", "c1/1", "crm.csv/1"]


async def test_a_list_of_a_very_long_name_still_numbers_its_people(store: AttemptStore) -> None:
    rows = b"number,person_id\n+16145550101," + b"7" * 64 + b"\n"
    await take(store, rows, people="x" * 500)
    async with store.reading() as work:
        (ann,) = await work.contacts("c1")
    assert len(ann.person) <= 128
    assert ann.person.endswith("/" + "7" * 64)


async def test_a_later_file_may_say_who_somebody_is_but_not_make_them_another(store: AttemptStore) -> None:
    await take(store, b"number,person_id\n+16145550101,\n+16145550102,2\n")
    await take(store, b"number,person_id\n+16145550101,1\n+16145550102,9\n")
    async with store.reading() as work:
        assert [each.person for each in await work.contacts("c1")] == ["a.csv/1", "a.csv/2"]


async def test_a_row_that_names_nobody_is_whoever_the_number_is_known_to_belong_to(store: AttemptStore) -> None:
    book = Book(known={"+16145550101": "crm/7", "+16145550102": "crm/8"})
    await take(store, b"number,person_id\n+16145550101,\n+16145550102,2\n+16145550103,\n", book=book)
    async with store.reading() as work:
        assert [each.person for each in await work.contacts("c1")] == ["crm/7", "a.csv/2", ""]


async def test_whoever_asked_to_be_forgotten_does_not_come_back_with_a_file(store: AttemptStore) -> None:
    book = Book(gone={"+16145550101"})
    row = b"+16145550101,Ann,2026-03-01,I agree,Acme\n+16145550102,Bob,,,\n"
    report = await take(store, HEADER, row, book=book)
    assert [(each.line, each.code) for each in report.problems] == [(2, "erased")]
    assert (report.batch.kept, report.batch.bad, book.given) == (1, 1, [])


async def test_the_same_file_again_adds_nobody(store: AttemptStore) -> None:
    book = Book()
    row = b"+16145550101,Ann,2026-03-01,I agree,Acme\n"
    await take(store, HEADER, row, book=book)
    report = await take(store, HEADER, row, book=book)
    assert (report.batch.kept, report.batch.duplicates, report.reopened) == (0, 1, 0)
    assert len({each.id for each in book.given}) == 1


async def test_a_new_consent_of_somebody_who_was_refused_lets_the_gate_be_asked_again(store: AttemptStore) -> None:
    await take(store, b"number\n+16145550101\n+16145550102\n+16145550103\n")
    async with store.transaction() as work:
        ann, bob, cyd = await work.contacts("c1")
        for each in (ann, bob):
            refused = replace(each, state=ContactState.CLOSED, disposition=Disposition.REFUSED, due_at=None)
            await work.save_contact(refused)
        await work.save_contact(replace(cyd, state=ContactState.CALLED_OFF, disposition=Disposition.REFUSED, due_at=None))
    rows = b"+16145550101,Ann,2026-03-01,I agree,Acme\n+16145550102,Bob,,,\n+16145550103,Cyd,2026-03-01,I agree,Acme\n"
    report = await take(store, HEADER, rows, book=Book())
    assert (report.reopened, report.consents, report.batch.duplicates) == (1, 2, 3)
    async with store.transaction() as work:
        states = [each.state for each in await work.contacts("c1")]
        assert states == [ContactState.WAITING, ContactState.CLOSED, ContactState.CALLED_OFF]
        assert await ask_again(work, CAMPAIGN, NOW) == 1
        assert [each.due_at for each in await work.contacts("c1")] == [NOW, NOW, None]


async def test_whoever_took_their_consent_back_and_agreed_again_may_be_called_again(store: AttemptStore) -> None:
    await take(store, b"number\n+16145550101\n+16145550102\n+16145550103\n")
    async with store.transaction() as work:
        for each, reason in zip(await work.contacts("c1"), (TOOK_BACK, "opted_out", TOOK_BACK), strict=True):
            await work.save_contact(replace(each, state=ContactState.CALLED_OFF, reason=reason, due_at=None))
    rows = b"+16145550101,Ann,2026-03-01,I agree,Acme\n+16145550102,Bob,2026-03-01,I agree,Acme\n+16145550103,Cyd,,,\n"
    report = await take(store, HEADER, rows, book=Book())
    assert report.reopened == 1
    async with store.reading() as work:
        told = [(each.state, each.reason, each.due_at) for each in await work.contacts("c1")]
    assert told == [
        (ContactState.WAITING, AGREED_AGAIN, NOW),
        (ContactState.CALLED_OFF, "opted_out", None),
        (ContactState.CALLED_OFF, TOOK_BACK, None),
    ]


async def test_a_large_file_goes_in_piece_by_piece_and_says_how_far_it_is(store: AttemptStore) -> None:
    seen: list[int] = []

    def rows() -> Iterator[bytes]:
        yield b"number\n"
        for number in range(2 * ROWS + 10):
            yield b"+1%03d55501%02d\n" % (212 + number // 100, number % 100)

    def note(batch: ImportBatch) -> None:
        seen.append(batch.rows)

    async with store.transaction() as work:
        await work.save_campaign(CAMPAIGN)
    report = await import_contacts(store, CAMPAIGN, rows(), NOW, on_progress=note)
    assert isinstance(report, ImportReport)
    assert seen == [ROWS, 2 * ROWS, 2 * ROWS + 10]
    assert report.batch.kept + report.batch.bad == 2 * ROWS + 10


async def test_of_very_many_problems_the_first_are_shown_and_all_are_counted(store: AttemptStore) -> None:
    report = await take(store, b"number\n" + b"x\n" * (MOST_PROBLEMS + 7))
    assert (len(report.problems), report.problems_not_shown, report.batch.bad) == (MOST_PROBLEMS, 7, MOST_PROBLEMS + 7)


async def test_what_cannot_be_taken_in_is_refused_whole(store: AttemptStore) -> None:
    stopped = Campaign("c1", "Autumn", "Acme", "solar", NOW, state=CampaignState.STOPPED)
    for campaign, pieces, code in (
        (CAMPAIGN, [b""], "empty_file"),
        (CAMPAIGN, [b"name\nAnn\n"], "no_number_column"),
        (stopped, [HEADER], "campaign_stopped"),
    ):
        refused = await import_contacts(store, campaign, pieces, NOW)
        assert isinstance(refused, FileRefused)
        assert refused.code == code
