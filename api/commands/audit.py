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
    writing,
)
from api.settings import get_settings
from compliance.audit import AuditReport, abandonment, export, holds_head, verify_chain
from compliance.explain import explain_break
from compliance.people import erase_person, export_person
from compliance.rules.schema import EmergencyBan, Proclamation, Waiver
from compliance.store import ComplianceStore, Halt, Lift

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
    campaign: Annotated[str, typer.Option(help="Everything about one campaign (its id).")] = "",
) -> None:
    """Every decision and call of one number or one campaign, with the receipts that prove them, as JSON.

    Example: offhook audit export --number +16145550123 > case.json
    """
    if bool(number) == bool(campaign):
        raise typer.BadParameter("give --number or --campaign, one of the two")
    wanted = number_of(number) if number else ""
    print_json(msgspec.to_builtins(reading(lambda _, connection: export(connection, datetime.now(UTC), wanted, campaign))))


@audit_app.command("abandoned", no_args_is_help=True, short_help="A campaign's abandoned calls, as the law counts them.")
def audit_abandoned(
    campaign: Annotated[str, typer.Argument(help="The campaign's id.")],
    as_json: AsJson = False,
) -> None:
    """Calls that a person answered in the last 30 days, and those among them that were abandoned. Exits 1 over the limit.

    Example: offhook audit abandoned cp_12ab34cd
    """
    ledger = reading(lambda _, connection: abandonment(connection, campaign, datetime.now(UTC)))
    if as_json:
        shown = {"answered_live": ledger.answered_live, "abandoned": ledger.abandoned, "rate": ledger.rate}
        print_json({**shown, "within_limit": ledger.is_within_limit, "budget": ledger.budget})
    else:
        counted = (
            f"{ledger.abandoned} of {ledger.answered_live} calls answered by a person were abandoned ({ledger.rate:.1%})"
        )
        room = f"{ledger.budget} more may be" if ledger.budget >= 0 else f"{-ledger.budget} too many"
        typer.echo(f"In 30 days {counted}; {room} [47 CFR 64.1200(a)(7): no more than 3 %].")
    raise typer.Exit(0 if ledger.is_within_limit else 1)


@audit_app.command("person", no_args_is_help=True, short_help="Everything held about a number.")
def audit_person(number: NumberArgument) -> None:
    """Everything this part of offhook holds about a number, as JSON (GDPR art. 15 and 20, CCPA).

    Example: offhook audit person +16145550123 > export.json
    """
    wanted = number_of(number)
    print_json(reading(lambda _, connection: export_person(connection, wanted)))


@audit_app.command("erase", no_args_is_help=True, short_help="Forget a number, and never call it again.")
def audit_erase(
    number: NumberArgument,
    reason: Annotated[str, typer.Option(help="Who asked, and how.")],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Forget a number. A salted hash stays, so that it is never called again; records under a legal hold stay until it ends.

    Example: offhook audit erase +16145550123 --reason "letter of 18 November"
    """
    wanted = number_of(number)
    who = by or getpass.getuser()

    async def work(store: ComplianceStore, connection: AsyncConnection) -> dict[str, object]:
        done = await erase_person(store, connection, wanted, who, reason, datetime.now(UTC))
        return {"erased": done.erased, "held": done.held, "held_until": done.held_until}

    done = writing(work)
    told = f"{done['erased']} records erased, {done['held']} held until {done['held_until'] or '-'} (16 CFR 310.5)."
    print_json(done) if as_json else typer.echo(told)


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


def _order(order: Waiver | Proclamation | Halt | Lift) -> None:
    writing(lambda store, connection: store.order(connection, order, datetime.now(UTC)))
