"""`offhook campaign import`: fill it from a CSV file."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import msgspec
import typer
from rich.console import Console

from api.commands.campaign.desk import AsJson, Desk, Named, columned, console, fail, print_json, run
from api.gatekeeping import DialGate
from compliance.store import ComplianceStore
from dialer.campaign import ImportBatch
from dialer.contact_file import FileRefused
from dialer.intake import ImportReport, import_contacts

PIECE: Final = 64 * 1024  # bytes read at once
SHOWN: Final = 20  # bad rows shown to people; --json has more
SHOW_PROGRESS_AFTER: Final = 1.0  # seconds


def import_(
    campaign: Named,
    file: Annotated[str, typer.Argument(help="The CSV file; - for standard input.", metavar="FILE", show_default=False)],
    people: Annotated[
        str, typer.Option(help="Whose person_id numbering it is, e.g. crm; default: this file name's own.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Take contacts from a CSV file: number, name, first_name, state, zip, person_id, consent_at, consent_seller,
    consent_wording, consent_kind, consent_source, consent_signature; other columns are kept. Bad rows are named, good ones
    taken.

    Example: offhook campaign import autumn contacts.csv
    """

    async def work(desk: Desk) -> None:
        found = await desk.find(campaign, as_json)
        compliance = ComplianceStore.open(desk.settings.prepare_home())
        book = DialGate(compliance, desk.settings.twilio_from)
        with _opened(file) as source, _Progress(found.name) as progress:
            pieces = iter(lambda: source.read(PIECE), b"")
            report = await import_contacts(
                desk.store, found, pieces, desk.at, source=file, book=book, on_progress=progress.show, people=people
            )
        if isinstance(report, FileRefused):
            fail(report.code, f"{file}: {report.why}", as_json)
        _show_import(report, as_json)
        if report.batch.bad and not report.batch.kept + report.batch.duplicates:
            raise typer.Exit(1)

    run(work)


def _show_import(report: ImportReport, as_json: bool) -> None:
    batch = report.batch
    if as_json:
        print_json(
            {
                "batch": batch.id,
                "campaign": batch.campaign_id,
                "rows": batch.rows,
                "kept": batch.kept,
                "bad": batch.bad,
                "duplicates": batch.duplicates,
                "consents": report.consents,
                "reopened": report.reopened,
                "problems": [msgspec.to_builtins(problem) for problem in report.problems],
                "problems_not_shown": report.problems_not_shown,
            }
        )
        return
    typer.echo(f"{batch.kept} of {batch.rows} rows taken; {report.consents} consents told of.")
    if report.reopened:
        typer.echo(f"{report.reopened} whom the gate had refused are asked about again.")
    if not report.problems:
        return
    table = columned("line", "column", "why", "code")
    for problem in report.problems[:SHOWN]:
        table.add_row(str(problem.line), problem.column, problem.why, problem.code)
    console().print(table)
    more = batch.bad + batch.duplicates - min(len(report.problems), SHOWN)
    typer.echo(
        f"{batch.bad} bad, {batch.duplicates} there already" + (f"; {more} more not shown (--json)." if more else ".")
    )


class _Progress:
    """Says on standard error how far an import is, once it has taken a second."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._console = Console(file=sys.stderr, highlight=False, markup=False)
        self._status: Any = nullcontext()
        self._began = time.monotonic()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._status.__exit__(None, None, None)

    def show(self, batch: ImportBatch) -> None:
        if time.monotonic() - self._began < SHOW_PROGRESS_AFTER:
            return
        told = f"{self._name}: {batch.rows} rows read, {batch.kept} taken, {batch.bad} bad"
        if isinstance(self._status, nullcontext):
            self._status = self._console.status(told)
            self._status.__enter__()
        self._status.update(told)


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb")
