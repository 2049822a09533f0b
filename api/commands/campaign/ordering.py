"""`offhook campaign start · pause · resume · stop · budget`."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.campaign.desk import AsJson, Desk, Named, allowed, campaign_shape, dollars_of, print_json, quoted, run
from dialer import orders
from dialer.campaign import CampaignState, Order


def start(
    campaign: Named,
    again: Annotated[bool, typer.Option("--again", help="Ask again about those whom the gate refused for good.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a campaign call, whenever the gate allows it. A running `offhook serve` does the dialling.

    Example: offhook campaign start autumn
    """
    run(lambda desk: _order(desk, campaign, Order.START, as_json, again=again))


def pause(campaign: Named, as_json: AsJson = False) -> None:
    """Dial nobody new for now. Calls that are under way go on.

    Example: offhook campaign pause autumn
    """
    run(lambda desk: _order(desk, campaign, Order.PAUSE, as_json))


def resume(campaign: Named, as_json: AsJson = False) -> None:
    """Go on after a pause.

    Example: offhook campaign resume autumn
    """
    run(lambda desk: _order(desk, campaign, Order.RESUME, as_json))


def stop(campaign: Named, as_json: AsJson = False) -> None:
    """End a campaign for good. What rings is called off; answered calls are not cut.

    Example: offhook campaign stop autumn
    """
    run(lambda desk: _order(desk, campaign, Order.STOP, as_json))


def budget(
    campaign: Named,
    dollars: Annotated[float, typer.Argument(min=0, help="US dollars; 0: no limit of its own.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Set what all calls of a campaign may cost together. At 80 % there is a warning, then nobody new is dialled.

    Example: offhook campaign budget autumn 250
    """
    run(lambda desk: _budget(desk, campaign, dollars, as_json))


async def _budget(desk: Desk, name: str, dollars: float, as_json: bool) -> None:
    async with desk.store.transaction() as work:
        campaign = allowed(await orders.find(work, name), as_json)
        changed = allowed(await orders.set_budget(work, campaign, dollars_of(dollars), desk.at), as_json)
    if as_json:
        print_json(campaign_shape(changed))
        return
    told = f"may cost ${changed.budget:.2f} in all" if changed.budget is not None else "has no budget of its own now"
    typer.echo(f"{changed.name} {told}.")


async def _order(desk: Desk, name: str, order: Order, as_json: bool, *, again: bool = False) -> None:
    async with desk.store.transaction() as work:
        campaign = allowed(await orders.find(work, name), as_json)
        reopened = await orders.ask_again(work, campaign, desk.at) if again else 0
        changed = allowed(await orders.give(work, campaign, order, desk.at, "by the operator"), as_json)
    if as_json:
        print_json(campaign_shape(changed))
        return
    is_new = changed.state is not campaign.state
    typer.echo(f"{changed.name} is {'now' if is_new else 'already'} {changed.state.value}.")
    if again:
        typer.echo(f"{reopened} refused before are asked about again.")
    if changed.state is CampaignState.RUNNING and is_new:
        typer.echo(f"A running `offhook serve` dials it. Watch: offhook campaign status {quoted(changed.name)}")
