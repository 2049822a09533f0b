"""`offhook campaign start · pause · resume · stop`."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.campaign.desk import AsJson, Desk, Named, allowed, campaign_shape, print_json, quoted, run
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
