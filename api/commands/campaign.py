"""`offhook campaign`: make campaigns, fill them, give them orders, and ask why somebody has, or has not, been called.

Works on the database alone, through the same functions as the server: a running `offhook serve` learns of an order from the
log within a second and carries it out. Nothing is dialled from here.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from api.commands.preflight import preflight
from api.gatekeeping import DialGate, proposed
from api.settings import Settings, get_settings
from compliance.explain import explain as in_words
from compliance.explain import moment
from compliance.record import Place, Purpose
from compliance.store import ComplianceStore
from compliance.zones import where
from dialer import orders
from dialer.attempt import Attempt, Disposition, Phase
from dialer.campaign import Campaign, CampaignState, Contact, ContactState, ImportBatch, Order, OrderRefused
from dialer.contact_file import FileRefused
from dialer.explain import Explanation, explain_contact
from dialer.intake import ImportReport, import_contacts
from dialer.pacing import Limit
from dialer.ports import Tally, Work
from dialer.retry import RetryPolicy
from dialer.stores.sql import SqlStore
from storage.database import Database
from telephony.number import NumberRefused, mask, parse_number
from voice.agent_file import AgentFolder

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.command(no_args_is_help=True, short_help="How it would go, before it starts.")(preflight)

PIECE: Final = 64 * 1024  # bytes read at once
SHOWN: Final = 20  # bad rows shown to people; --json has more
SHOW_PROGRESS_AFTER: Final = 1.0  # seconds

Named = Annotated[str, typer.Argument(help="The campaign's name or id.", metavar="CAMPAIGN", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]


# --- making and filling ---------------------------------------------------------------------------------------------------


@app.command(no_args_is_help=True, short_help="Make a campaign.")
def create(
    name: Annotated[str, typer.Argument(help="What to call it.", show_default=False)],
    seller: Annotated[str, typer.Option(help="On whose behalf; the name that consents must bear.", show_default=False)],
    agent: Annotated[str, typer.Option(help="Who speaks: an agent of OFFHOOK_AGENTS.", show_default=False)],
    purpose: Annotated[Purpose, typer.Option(help="What the calls are for: which rules bind them.")] = Purpose.TELEMARKETING,
    instructions: Annotated[str, typer.Option(help="Further words for the agent.")] = "",
    from_number: Annotated[str, typer.Option("--from", help="The number shown; default: the first of TWILIO_FROM.")] = "",
    concurrency: Annotated[int, typer.Option(min=1, max=10_000, help="Calls at once.")] = 10,
    calls_per_second: Annotated[float, typer.Option(min=0.001, max=1000, help="New calls a second.")] = 1.0,
    priority: Annotated[int, typer.Option(help="A higher one gets free lines first.")] = 0,
    ring_timeout: Annotated[float, typer.Option(min=15, max=600, help="Seconds to ring.")] = 25.0,
    longest_call: Annotated[float, typer.Option(min=10, max=14_400, help="Seconds to talk.")] = 600.0,
    most_tries: Annotated[int, typer.Option(min=1, max=20, help="Calls to one contact until it is left alone.")] = 6,
    as_json: AsJson = False,
) -> None:
    """Make a campaign. Nobody is called before it is filled and started.

    Example: offhook campaign create autumn --seller "Acme Solar" --agent solar
    """
    settings = get_settings()
    if agent not in AgentFolder(settings.agents).all():
        _fail("no_such_agent", f"there is no agent named {agent!r} in {settings.agents}", as_json)
    new = Campaign(
        f"camp_{secrets.token_hex(6)}",
        name.strip(),
        seller.strip(),
        agent,
        datetime.now(UTC),
        purpose=purpose.value,
        instructions=instructions,
        from_number=_own_number(from_number, settings, as_json) if from_number else "",
        priority=priority,
        limit=Limit(concurrency, calls_per_second),
        ring_timeout=ring_timeout,
        longest_call=longest_call,
        retry=RetryPolicy(most_tries=most_tries),
    )

    async def work(desk: Desk) -> None:
        async with desk.store.transaction() as work:
            made = _allowed(await orders.create(work, new, desk.at), as_json)
        if as_json:
            _print_json(_campaign(made))
            return
        typer.echo(f"Created {made.name} ({made.id}).")
        typer.echo(f"Next: offhook campaign import {_quoted(made.name)} CONTACTS.csv")

    _run(work)


@app.command("import", no_args_is_help=True, short_help="Fill it from a CSV file.")
def import_(
    campaign: Named,
    file: Annotated[str, typer.Argument(help="The CSV file; - for standard input.", metavar="FILE", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Take contacts from a CSV file: number, name, first_name, state, zip, consent_at, consent_seller, consent_wording,
    consent_kind, consent_source, consent_signature; other columns are kept. Bad rows are named, good ones taken.

    Example: offhook campaign import autumn contacts.csv
    """

    async def work(desk: Desk) -> None:
        found = await desk.find(campaign, as_json)
        compliance = ComplianceStore.open(desk.settings.prepare_home())
        book = DialGate(compliance, desk.settings.twilio_from)
        with _opened(file) as source, _Progress(found.name) as progress:
            pieces = iter(lambda: source.read(PIECE), b"")
            report = await import_contacts(
                desk.store, found, pieces, desk.at, source=file, book=book, on_progress=progress.show
            )
        if isinstance(report, FileRefused):
            _fail(report.code, f"{file}: {report.why}", as_json)
        _show_import(report, as_json)
        if report.batch.bad and not report.batch.kept + report.batch.duplicates:
            raise typer.Exit(1)

    _run(work)


# --- orders -------------------------------------------------------------------------------------------------------------


@app.command(no_args_is_help=True, short_help="Let it call.")
def start(
    campaign: Named,
    again: Annotated[bool, typer.Option("--again", help="Ask again about those whom the gate refused for good.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a campaign call, whenever the gate allows it. A running `offhook serve` does the dialling.

    Example: offhook campaign start autumn
    """
    _run(lambda desk: _order(desk, campaign, Order.START, as_json, again=again))


@app.command(no_args_is_help=True, short_help="Dial nobody new for now.")
def pause(campaign: Named, as_json: AsJson = False) -> None:
    """Dial nobody new for now. Calls that are under way go on.

    Example: offhook campaign pause autumn
    """
    _run(lambda desk: _order(desk, campaign, Order.PAUSE, as_json))


@app.command(no_args_is_help=True, short_help="Go on after a pause.")
def resume(campaign: Named, as_json: AsJson = False) -> None:
    """Go on after a pause.

    Example: offhook campaign resume autumn
    """
    _run(lambda desk: _order(desk, campaign, Order.RESUME, as_json))


@app.command(no_args_is_help=True, short_help="End it for good.")
def stop(campaign: Named, as_json: AsJson = False) -> None:
    """End a campaign for good. What rings is called off; answered calls are not cut.

    Example: offhook campaign stop autumn
    """
    _run(lambda desk: _order(desk, campaign, Order.STOP, as_json))


async def _order(desk: Desk, name: str, order: Order, as_json: bool, *, again: bool = False) -> None:
    async with desk.store.transaction() as work:
        campaign = _allowed(await orders.find(work, name), as_json)
        reopened = await orders.ask_again(work, campaign, desk.at) if again else 0
        changed = _allowed(await orders.give(work, campaign, order, desk.at, "by the operator"), as_json)
    if as_json:
        _print_json(_campaign(changed))
        return
    is_new = changed.state is not campaign.state
    typer.echo(f"{changed.name} is {'now' if is_new else 'already'} {changed.state.value}.")
    if again:
        typer.echo(f"{reopened} refused before are asked about again.")
    if changed.state is CampaignState.RUNNING and is_new:
        typer.echo(f"A running `offhook serve` dials it. Watch: offhook campaign status {_quoted(changed.name)}")


# --- asking -------------------------------------------------------------------------------------------------------------


@app.command(short_help="How far it is.")
def status(
    campaign: Annotated[str, typer.Argument(help="Its name or id; empty: all of them.", metavar="[CAMPAIGN]")] = "",
    as_json: AsJson = False,
) -> None:
    """How far a campaign is: who waits, who is being called, what has become of the others.

    Example: offhook campaign status autumn
    """

    async def work(desk: Desk) -> None:
        async with desk.store.reading() as work:
            chosen = [_allowed(await orders.find(work, campaign), as_json)] if campaign else await work.campaigns()
            active = await work.active_attempts()
            tallies = [await work.tally(each.id) for each in chosen]
        calling = [[each for each in active if each.campaign_id == one.id] for one in chosen]
        states = [_status(*each) for each in zip(chosen, tallies, calling, strict=True)]
        if as_json:
            _print_json(states[0] if campaign else states)
        elif not chosen:
            typer.echo("There is no campaign yet. Make one: offhook campaign create --help")
        elif campaign:
            _show_status(chosen[0], tallies[0], calling[0])
        else:
            _show_all(chosen, tallies, calling)

    _run(work)


@app.command(no_args_is_help=True, short_help="Why somebody has, or has not, been called.")
def explain(
    campaign: Named,
    contact: Annotated[str, typer.Argument(help="The contact's number or id.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Why a contact has not been called (again), by which rule, and when next; and every attempt there was.

    Example: offhook campaign explain autumn +13125550142
    """

    async def work(desk: Desk) -> None:
        async with desk.store.reading() as work:
            found = _allowed(await orders.find(work, campaign), as_json)
            person = await _contact(work, found, contact)
            if person is None:
                _fail("no_such_contact", f"there is no contact {_shown(contact)} in {found.name}", as_json)
            is_open = person.is_open or person.disposition is Disposition.REFUSED
            gate = await _asked_now(work, desk, found, person, is_open=is_open)
            told = _with_gate(await explain_contact(work, found, person, desk.at), gate)
        if as_json:
            _print_json(_explained(told, gate))
            return
        _show_explained(told, gate)

    _run(work)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the gate would say this instant, nothing being written; not asked about somebody who is done with."""

    zones: tuple[str, ...]
    words: list[str] = field(default_factory=list)
    decision: str = ""
    findings: list[dict[str, Any]] = field(default_factory=list)
    until: datetime | None = None


async def _asked_now(work: Work, desk: Desk, campaign: Campaign, contact: Contact, *, is_open: bool) -> _Asked:
    compliance = ComplianceStore.open(desk.settings.prepare_home())
    place = Place(state=contact.address_state, zip=contact.zip)
    zones = where(contact.number, place, desk.at.date(), compliance.rules).zones
    if not is_open:
        return _Asked(zones)
    call = proposed(campaign, contact, desk.settings.twilio_from)
    _, verdict = await compliance.look(work.connection, call, desk.at)
    findings = [] if verdict.decision == "allow" else list(verdict.findings)
    words = in_words(verdict, zones)
    if not desk.settings.twilio_from:
        words.append("(TWILIO_FROM is not set here; where the server runs, the number shown may be in order.)")
    return _Asked(
        zones,
        words,
        verdict.decision,
        [{"rule": f.rule.value, "says": f.says, "source": f.source, "until": f.until} for f in findings],
        None if verdict.decision == "allow" else verdict.until,
    )


def _with_gate(told: Explanation, gate: _Asked) -> Explanation:
    """Somebody whose turn has come, but whom the gate will refuse when it is asked, does not wait for a line."""
    if told.code != "waiting_for_line" or gate.decision == "allow":
        return told
    rules = tuple(str(finding["rule"]) for finding in gate.findings)
    why = f"Its turn has come, but the gate would refuse it now: {', '.join(rules)}."
    return replace(told, code="refused_now", why=why, next_at=gate.until, contact=replace(told.contact, rules=rules))


async def _contact(work: Work, campaign: Campaign, wanted: str) -> Contact | None:
    parsed = parse_number(wanted)
    if not isinstance(parsed, NumberRefused):
        return await work.contact_by_number(campaign.id, parsed.e164)
    found = await work.contact(wanted)
    return found if found is not None and found.campaign_id == campaign.id else None


# --- showing: for people ------------------------------------------------------------------------------------------------


def _show_import(report: ImportReport, as_json: bool) -> None:
    batch = report.batch
    if as_json:
        _print_json(
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
    table = _table("line", "column", "why", "code")
    for problem in report.problems[:SHOWN]:
        table.add_row(str(problem.line), problem.column, problem.why, problem.code)
    _console().print(table)
    more = batch.bad + batch.duplicates - min(len(report.problems), SHOWN)
    typer.echo(
        f"{batch.bad} bad, {batch.duplicates} there already" + (f"; {more} more not shown (--json)." if more else ".")
    )


def _show_status(campaign: Campaign, tally: Tally, calling: list[Attempt]) -> None:
    typer.echo(f"{campaign.name} ({campaign.id}): {campaign.state.value}")
    typer.echo(f"  for {campaign.seller}, agent {campaign.agent}, {campaign.purpose}")
    table = _table("contacts", "")
    for state in ContactState:
        if count := tally.states.get(state, 0):
            table.add_row(state.value.replace("_", " "), str(count))
    for disposition, count in sorted(tally.dispositions.items(), key=lambda item: -item[1]):
        table.add_row(f"  {disposition.replace('_', ' ')}", str(count))
    _console().print(table)
    typer.echo(f"  {tally.attempts} calls so far, {len(calling)} under way" + _phases(calling))
    if tally.next_due is not None and tally.next_due > datetime.now(UTC):
        typer.echo(f"  next due {moment(tally.next_due)}")


def _phases(calling: list[Attempt]) -> str:
    counted = {phase: sum(each.phase is phase for each in calling) for phase in Phase}
    told = ", ".join(f"{count} {phase.value}" for phase, count in counted.items() if count)
    return f" ({told})" if told else ""


def _show_all(campaigns: list[Campaign], tallies: list[Tally], calling: list[list[Attempt]]) -> None:
    table = _table("campaign", "state", "contacts", "open", "calling", "calls")
    for campaign, tally, now in zip(campaigns, tallies, calling, strict=True):
        still = sum(tally.states.get(state, 0) for state in (ContactState.WAITING, ContactState.ATTEMPTING))
        numbers = (sum(tally.states.values()), still, len(now), tally.attempts)
        table.add_row(campaign.name, campaign.state.value, *(str(number) for number in numbers))
    _console().print(table)


def _show_explained(told: Explanation, gate: _Asked) -> None:
    contact = told.contact
    typer.echo(f"{contact.name or contact.first_name or 'Contact'} {contact.number} ({contact.id}) in {told.campaign.name}")
    typer.echo(f"  {told.why}")
    if told.rules:
        typer.echo(f"  rules: {', '.join(told.rules)}")
    if told.next_at is not None:
        typer.echo(f"  next:  {moment(told.next_at, gate.zones)}")
    if contact.receipt_id:
        typer.echo(f"  receipt of the last verdict: {contact.receipt_id}")
    if gate.words:
        typer.echo("Asked now, the gate says:")
    for line in gate.words:
        typer.echo(f"  {line}")
    if not told.attempts:
        return
    table = _table("call", "at", "phase", "came of it", "detail", "receipt")
    for attempt in told.attempts:
        end = attempt.disposition.value if attempt.disposition else ""
        when = moment(attempt.intended_at, gate.zones)
        detail = attempt.progress.detail
        table.add_row(str(attempt.ordinal), when, attempt.phase.value, end, detail, attempt.receipt_id)
    _console().print(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _console() -> Console:
    return Console(file=sys.stdout, soft_wrap=not sys.stdout.isatty(), highlight=False, markup=False)


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


# --- showing: for machines ------------------------------------------------------------------------------------------------


def _campaign(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "name": campaign.name,
        "seller": campaign.seller,
        "agent": campaign.agent,
        "purpose": campaign.purpose,
        "state": campaign.state.value,
        "created_at": campaign.created_at,
        "started_at": campaign.started_at,
        "finished_at": campaign.finished_at,
    }


def _status(campaign: Campaign, tally: Tally, calling: list[Attempt]) -> dict[str, Any]:
    return {
        **_campaign(campaign),
        "contacts": {state.value: tally.states.get(state, 0) for state in ContactState},
        "dispositions": dict(tally.dispositions),
        "calls": tally.attempts,
        "calling": len(calling),
        "next_due": tally.next_due,
    }


def _explained(told: Explanation, gate: _Asked) -> dict[str, Any]:
    contact = told.contact
    return {
        "code": told.code,
        "why": told.why,
        "rules": list(told.rules),
        "next_at": told.next_at,
        "campaign": {"id": told.campaign.id, "name": told.campaign.name, "state": told.campaign.state.value},
        "contact": {
            "id": contact.id,
            "number": contact.number,
            "name": contact.name,
            "state": contact.state.value,
            "disposition": contact.disposition.value if contact.disposition else None,
            "tries": contact.tries,
            "receipt": contact.receipt_id or None,
        },
        "zones": gate.zones,
        "asked_now": {"decision": gate.decision, "findings": gate.findings, "until": gate.until} if gate.decision else None,
        "attempts": [_attempt(each) for each in told.attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    known = attempt.progress
    return {
        "id": attempt.id,
        "ordinal": attempt.ordinal,
        "phase": attempt.phase.value,
        "disposition": attempt.disposition.value if attempt.disposition else None,
        "verdict": "allow",
        "receipt": attempt.receipt_id,
        "call_sid": known.call_sid or None,
        "answered_by": known.answered_by or None,
        "detail": known.detail,
        "intended_at": attempt.intended_at,
        "answered_at": known.answered_at,
        "ended_at": known.ended_at,
    }


def _print_json(value: object) -> None:
    typer.echo(msgspec.json.encode(value).decode())


# --- how ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command works with."""

    settings: Settings
    store: SqlStore
    at: datetime

    async def find(self, name: str, as_json: bool) -> Campaign:
        async with self.store.reading() as work:
            return _allowed(await orders.find(work, name), as_json)


def _run(command: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with _desk() as desk:
            await command(desk)

    asyncio.run(run())


@asynccontextmanager
async def _desk() -> AsyncIterator[Desk]:
    settings = get_settings()
    database = Database(settings.database_url)
    try:
        await database.migrate()
        yield Desk(settings, SqlStore(database), datetime.now(UTC))
    finally:
        await database.close()


def _allowed(outcome: Campaign | OrderRefused, as_json: bool) -> Campaign:
    if isinstance(outcome, OrderRefused):
        _fail(outcome.code, outcome.why, as_json)
    return outcome


def _fail(code: str, why: str, as_json: bool) -> NoReturn:
    if as_json:
        _print_json({"code": code, "detail": why})
    typer.echo(f"offhook: {why}", err=True)
    raise typer.Exit(1)


def _own_number(text: str, settings: Settings, as_json: bool) -> str:
    parsed = parse_number(text)
    if isinstance(parsed, NumberRefused):
        _fail(parsed.code, f"--from {parsed.why}", as_json)
    if settings.twilio_from and parsed.e164 not in settings.twilio_from:
        _fail(
            "caller_id_not_ours",
            f"--from {mask(parsed.e164)} is none of TWILIO_FROM: only a number of ours is shown",
            as_json,
        )
    return parsed.e164


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb")


def _shown(contact: str) -> str:
    return mask(contact) if contact.startswith("+") else contact[:40]


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name
