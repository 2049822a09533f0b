"""`offhook audit`: the proof of every decision, a person's rights, and the orders that somebody answers for."""

from __future__ import annotations

import getpass
import uuid
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from api.commands.compliance_shared import (
    AsJson,
    By,
    NumberArgument,
    day_of,
    number_of,
    print_json,
    reading,
    text_of,
    writing,
)
from api.person_rights import Forgotten, forget, hand_over, numbers_of
from api.settings import get_settings
from compliance.audit import AuditFile, AuditReport, abandonment, export, holds_head, verify_chain
from compliance.bulk import rulebook_in_force
from compliance.explain import explain_break
from compliance.measures import AbandonLedger, tell_abandoned
from compliance.rules import parse_proclamations
from compliance.rules.schema import EmergencyBan, Proclamation, Waiver
from compliance.store import ComplianceStore, Halt, Lift
from context.person import delete_files
from dialer import orders
from dialer.campaign import OrderRefused
from dialer.stores.sql import SqlWork
from telephony.number import mask

audit_app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@audit_app.command("verify", short_help="Re-compute the chain of receipts.")
def audit_verify(
    since: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")] = "",
    until: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD.")] = "",
    head: Annotated[str, typer.Option(help="A head noted earlier: is it still in the chain?")] = "",
    as_json: AsJson = False,
) -> None:
    """Re-compute the chain of decision receipts and say where it breaks. Exits 1 if it does.

    Example: offhook audit verify --since 2026-11-01
    """
    first, last = (day_of(since) if since else None), (day_of(until) if until else None)

    async def work(_: ComplianceStore, connection: AsyncConnection) -> tuple[AuditReport, bool]:
        return await verify_chain(connection, first, last), not head or await holds_head(connection, head)

    report, is_there = reading(work)
    if as_json:
        shown = {"receipts": report.receipts, "head": report.head, "breaks": msgspec.to_builtins(report.breaks)}
        print_json({"holds": report.holds and is_there, "head_found": is_there, **shown})
    else:
        for each in report.breaks:
            typer.echo(explain_break(each))
        if not is_there:
            typer.echo("The head that was noted is not in the chain: its end was cut off, or all of it was written anew.")
        state = "holds" if report.holds else f"is broken in {len(report.breaks)} places"
        typer.echo(f"{report.receipts:,} receipts of {report.days} days: the chain {state}. Head {report.head or '-'}.")
    raise typer.Exit(0 if report.holds and is_there else 1)


@audit_app.command("export", no_args_is_help=True, short_help="The file a lawyer would want.")
def audit_export(
    number: Annotated[str, typer.Option(help="Everything about one number.")] = "",
    campaign: Annotated[str, typer.Option(help="Everything about one campaign (its name or id).")] = "",
) -> None:
    """Every decision and call of one number or one campaign, with the receipts that prove them, as JSON.

    Example: offhook audit export --number +16145550123 > case.json
    """
    if bool(number) == bool(campaign):
        raise typer.BadParameter("give --number or --campaign, one of the two")
    wanted = number_of(number) if number else ""

    async def work(_: ComplianceStore, connection: AsyncConnection) -> AuditFile:
        chosen = await _campaign(connection, campaign) if campaign else ""
        return await export(connection, datetime.now(UTC), wanted, chosen)

    print_json(msgspec.to_builtins(reading(work)))


async def _campaign(connection: AsyncConnection, name: str) -> str:
    """The id of the campaign that people mean. A name that is none would prove that nothing was ever done wrong."""
    found = await orders.find(SqlWork(connection), name)
    if isinstance(found, OrderRefused):
        raise typer.BadParameter(found.why)
    return found.id


@audit_app.command("abandoned", no_args_is_help=True, short_help="A campaign's abandoned calls, as the law counts them.")
def audit_abandoned(
    campaign: Annotated[str, typer.Argument(help="The campaign's name or id.")],
    as_json: AsJson = False,
) -> None:
    """Calls that a person answered in the last 30 days, and those among them that were abandoned. Exits 1 over the limit.

    Example: offhook audit abandoned autumn
    """

    async def work(_: ComplianceStore, connection: AsyncConnection) -> AbandonLedger:
        return await abandonment(connection, await _campaign(connection, campaign), datetime.now(UTC))

    ledger = reading(work)
    if as_json:
        shown = {"answered_live": ledger.answered_live, "abandoned": ledger.abandoned, "rate": ledger.rate}
        print_json({**shown, "within_limit": ledger.is_within_limit, "budget": ledger.budget})
    else:
        typer.echo(tell_abandoned(ledger))
    raise typer.Exit(0 if ledger.is_within_limit else 1)


Alone = Annotated[bool, typer.Option("--alone", help="This number only, not every number known of the person.")]


@audit_app.command("person", no_args_is_help=True, short_help="Everything held about a person.")
def audit_person(number: NumberArgument, alone: Alone = False) -> None:
    """Everything held about whoever has a number, in every room and of every number known of them, as JSON (GDPR art. 15 and
    20, CCPA).

    Example: offhook audit person +16145550123 > export.json
    """
    wanted = number_of(number)

    async def work(_: ComplianceStore, connection: AsyncConnection) -> list[dict[str, object]]:
        return await hand_over(connection, await numbers_of(connection, wanted, alone=alone))

    print_json({"asked_for": wanted, "numbers": reading(work)})


@audit_app.command("erase", no_args_is_help=True, short_help="Forget a person, and never call them again.")
def audit_erase(
    number: NumberArgument,
    reason: Annotated[str, typer.Option(help="Who asked, and how.")],
    by: By = "",
    alone: Alone = False,
    as_json: AsJson = False,
) -> None:
    """Forget whoever has a number: words, recordings, what was learned, and every number known of them. A salted hash
    stays, so that they are never called again; records under a legal hold stay until it ends.

    Example: offhook audit erase +16145550123 --reason "letter of 18 November"
    """
    wanted, who, now = number_of(number), by or getpass.getuser(), datetime.now(UTC)

    async def work(store: ComplianceStore, connection: AsyncConnection) -> Forgotten:
        numbers = await numbers_of(connection, wanted, alone=alone)
        return await forget(store, connection, numbers, who, reason, now)

    done = writing(work)
    files = delete_files(done.files, get_settings().home)
    erased, held = sum(each.erased for each in done.erasures), sum(each.held for each in done.erasures)
    if as_json:
        shown = {"numbers": done.numbers, "calls": done.calls, "facts": done.facts, "files": len(files)}
        print_json({**shown, "erased": erased, "held": held, "held_until": done.held_until})
        return
    numbers = ", ".join(mask(each) for each in done.numbers)
    kept = f"{held} held until {done.held_until:%Y-%m-%d} (16 CFR 310.5)" if done.held_until else "none held"
    typer.echo(
        f"{numbers}: {erased} records, {done.calls} calls' words, {done.facts} facts, {len(files)} files erased; {kept}."
    )
    typer.echo("They are never called again, whoever brings them in anew.")


@audit_app.command("waive", no_args_is_help=True, short_help="Answer for not following one rule.")
def audit_waive(
    entry: Annotated[str, typer.Argument(help="The rule-book entry, e.g. wa-adad, as findings name it.")],
    by: Annotated[str, typer.Option(help="The person who answers for it.")],
    reason: Annotated[str, typer.Option(help="Why; e.g. whose advice.")],
    until: Annotated[str, typer.Option(help="The first day on which it no longer holds, YYYY-MM-DD.")],
) -> None:
    """Waive one rule for a time. Every verdict that it lets pass names it; some rules can never be waived.

    Example: offhook audit waive wa-adad --by "Jo Doe" --reason "counsel, 12 Nov" --until 2027-01-01
    """
    store = ComplianceStore.open(get_settings().home)
    if store.rules.entry(entry) is None:
        raise typer.BadParameter(f"there is no rule {entry!r} in rule book {store.rules.version}")
    _order(Waiver(entry=entry, by=by, reason=reason, since=datetime.now(UTC).date(), until=day_of(until)))
    typer.echo(f"{entry} is waived until {until}, on the word of {by}; every call that passes because of it will say so.")


@audit_app.command("halt", no_args_is_help=True, short_help="A kill switch.")
def audit_halt(
    reason: Annotated[str, typer.Option(help="Why.")],
    scope: Annotated[str, typer.Option(help="seller:NAME, campaign:ID or state:XX; empty: every call.")] = "",
    by: By = "",
) -> None:
    """Stop all calls, or those of a seller, a campaign or a state, at once. End it with `offhook audit lift halt ID`.

    Example: offhook audit halt --scope state:LA --reason "storm"
    """
    halt = Halt(f"h_{uuid.uuid4().hex[:8]}", scope, by or getpass.getuser(), reason)
    _order(halt)
    typer.echo(f"Halted as {halt.id}.")


@audit_app.command("proclaim", no_args_is_help=True, short_help="A day closed, or an emergency, by proclamation.")
def audit_proclaim(
    state: Annotated[str, typer.Argument(help="Two letters.")],
    what: Annotated[Literal["closed_day", "emergency"], typer.Option(help="What was proclaimed.")],
    name: Annotated[str, typer.Option(help="What it is called.")],
    source: Annotated[str, typer.Option(help="Who proclaimed it, and where.")],
    on: Annotated[str, typer.Option(help="The first day, YYYY-MM-DD.")],
    until: Annotated[str, typer.Option(help="The first day after it; empty: one day, or until lifted.")] = "",
) -> None:
    """Close a state for a day, or put it under a declared emergency, at once.

    Example: offhook audit proclaim LA --what emergency --name "Hurricane" --source "LPSC notice" --on 2026-09-24
    """
    store = ComplianceStore.open(get_settings().home)
    if store.rules.areas is not None and state.upper() not in store.rules.areas.zones:
        raise typer.BadParameter(f"{state!r} is no state")
    bans = any(isinstance(rule, EmergencyBan) for rule in store.rules.rules.get(state.upper(), ()))
    if what == "emergency" and not bans:
        cure = f"close it with --what closed_day, or offhook audit halt --scope state:{state.upper()}"
        raise typer.BadParameter(f"no rule bars calls to {state.upper()} in an emergency; {cure}")
    end = day_of(until) if until else None
    _order(Proclamation(state=state.upper(), what=what, name=name, source=source, on=day_of(on), until=end))
    lasts = f"until {until}" if until else "that day" if what == "closed_day" else "until it is lifted"
    typer.echo(f"{state.upper()}: {name}, from {on}, {lasts}. In force with the next verdict of every process.")


@audit_app.command("feed", no_args_is_help=True, short_help="Proclamations from a file that somebody keeps up to date.")
def audit_feed(
    file: Annotated[str, typer.Argument(help="TOML with [[proclaimed]] as in holidays.toml; @- reads standard input.")],
    as_json: AsJson = False,
) -> None:
    """Put every proclamation of a feed in force that is not yet: closed days and emergencies, at once. For a timer.

    Example: offhook audit feed proclaimed.toml
    """
    told = text_of(file if file.startswith("@") else f"@{file}")

    async def work(store: ComplianceStore, connection: AsyncConnection) -> list[Proclamation]:
        known = set((await rulebook_in_force(store, connection)).proclamations)
        new = [each for each in parse_proclamations(told, store.rules.areas) if each not in known]
        for each in new:
            await store.order(connection, each, datetime.now(UTC))
        return new

    new = writing(work)
    if as_json:
        print_json({"new": msgspec.to_builtins(new)})
        return
    for each in new:
        typer.echo(f"{each.state}: {each.name} ({each.what.replace('_', ' ')}) from {each.on}; {each.source}")
    typer.echo(f"{len(new)} new proclamations are in force with the next verdict.")


@audit_app.command("lift", no_args_is_help=True, short_help="End a halt, a waiver or a proclamation.")
def audit_lift(
    what: Annotated[str, typer.Argument(help="halt, waiver or proclamation.")],
    id: Annotated[str, typer.Argument(help="The halt's id, the waiver's entry or the proclamation's name.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    by: By = "",
) -> None:
    """End a halt, a waiver or a proclamation.

    Example: offhook audit lift halt h_12ab34cd
    """
    if what not in ("halt", "waiver", "proclamation"):
        raise typer.BadParameter("WHAT is halt, waiver or proclamation")
    _order(Lift(what, id, by or getpass.getuser(), reason))
    typer.echo(f"The {what} {id} is lifted.")


def _order(order: Waiver | Proclamation | Halt | Lift) -> None:
    writing(lambda store, connection: store.order(connection, order, datetime.now(UTC)))
