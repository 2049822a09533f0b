"""`offhook campaign status`: how far it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from api.commands.campaign.desk import AsJson, Desk, allowed, campaign_shape, columned, console, print_json, run
from api.purse import money_of
from compliance.audit import abandonment
from compliance.explain import moment
from compliance.measures import AbandonLedger, tell_abandoned
from context import store as calls_kept
from dialer import orders
from dialer.attempt import Attempt, Phase
from dialer.campaign import Campaign, ContactState
from dialer.ports import Tally


def status(
    campaign: Annotated[str, typer.Argument(help="Its name or id; empty: all of them.", metavar="[CAMPAIGN]")] = "",
    as_json: AsJson = False,
) -> None:
    """How far a campaign is: who waits, who is being called, what has become of the others.

    Example: offhook campaign status autumn
    """

    async def work(desk: Desk) -> None:
        async with desk.store.reading() as work:
            chosen = [allowed(await orders.find(work, campaign), as_json)] if campaign else await work.campaigns()
            active = await work.active_attempts()
            tallies = [await work.tally(each.id) for each in chosen]
            ledger = await abandonment(work.connection, chosen[0].id, desk.at) if campaign else None
            spent = await calls_kept.spent(work.connection, [each.id for each in chosen])
        calling = [[each for each in active if each.campaign_id == one.id] for one in chosen]
        dollars = [spent.get(each.id, 0.0) for each in chosen]
        states = [_status(*each) | _abandoned(ledger) for each in zip(chosen, tallies, calling, dollars, strict=True)]
        if as_json:
            print_json(states[0] if campaign else states)
        elif not chosen:
            typer.echo("There is no campaign yet. Make one: offhook campaign create --help")
        elif campaign:
            _show_status(chosen[0], tallies[0], calling[0], money_of(desk.settings, chosen[0], dollars[0]))
            if ledger is not None and ledger.answered_live:
                typer.echo(f"  {tell_abandoned(ledger)}")
        else:
            _show_all(chosen, tallies, calling)

    run(work)


def _abandoned(ledger: AbandonLedger | None) -> dict[str, Any]:
    if ledger is None:
        return {}
    counted = {"answered_live": ledger.answered_live, "abandoned": ledger.abandoned, "budget": ledger.budget}
    return {"abandonment": counted}


def _show_status(campaign: Campaign, tally: Tally, calling: list[Attempt], money: str) -> None:
    typer.echo(f"{campaign.name} ({campaign.id}): {campaign.state.value}")
    if campaign.hold is not None:
        typer.echo(f"  dials nobody now ({campaign.hold.code}): {campaign.hold.why}")
    typer.echo(f"  for {campaign.seller}, agent {campaign.agent}, {campaign.purpose}")
    table = columned("contacts", "")
    for state in ContactState:
        if count := tally.states.get(state, 0):
            table.add_row(state.value.replace("_", " "), str(count))
    for disposition, count in sorted(tally.dispositions.items(), key=lambda item: -item[1]):
        table.add_row(f"  {disposition.replace('_', ' ')}", str(count))
    console().print(table)
    typer.echo(f"  {tally.attempts} calls so far, {len(calling)} under way" + _phases(calling) + f", {money}")
    if tally.next_due is not None and tally.next_due > datetime.now(UTC):
        typer.echo(f"  next due {moment(tally.next_due)}")


def _phases(calling: list[Attempt]) -> str:
    counted = {phase: sum(each.phase is phase for each in calling) for phase in Phase}
    told = ", ".join(f"{count} {phase.value}" for phase, count in counted.items() if count)
    return f" ({told})" if told else ""


def _show_all(campaigns: list[Campaign], tallies: list[Tally], calling: list[list[Attempt]]) -> None:
    table = columned("campaign", "state", "contacts", "open", "calling", "calls")
    for campaign, tally, now in zip(campaigns, tallies, calling, strict=True):
        still = sum(tally.states.get(state, 0) for state in (ContactState.WAITING, ContactState.ATTEMPTING))
        numbers = (sum(tally.states.values()), still, len(now), tally.attempts)
        table.add_row(campaign.name, campaign.state.value, *(str(number) for number in numbers))
    console().print(table)


def _status(campaign: Campaign, tally: Tally, calling: list[Attempt], spent: float) -> dict[str, Any]:
    return {
        **campaign_shape(campaign),
        "spent": round(spent, 4),
        "contacts": {state.value: tally.states.get(state, 0) for state in ContactState},
        "dispositions": dict(tally.dispositions),
        "calls": tally.attempts,
        "calling": len(calling),
        "next_due": tally.next_due,
    }
