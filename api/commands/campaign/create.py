"""`offhook campaign create`."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated

import typer

from api.commands.campaign.desk import AsJson, Desk, allowed, campaign_shape, dollars_of, fail, print_json, quoted, run
from api.settings import Settings, get_settings
from compliance.record import Purpose
from dialer import orders
from dialer.campaign import Campaign
from dialer.pacing import Limit
from dialer.retry import RetryPolicy
from telephony.number import NumberRefused, mask, parse_number
from voice.agent_file import AgentFolder


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
    budget: Annotated[float, typer.Option(min=0, help="Dollars all its calls may cost together; 0: no limit.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Make a campaign. Nobody is called before it is filled and started.

    Example: offhook campaign create autumn --seller "Acme Solar" --agent solar
    """
    settings = get_settings()
    if agent not in AgentFolder(settings.agents).all():
        fail("no_such_agent", f"there is no agent named {agent!r} in {settings.agents}", as_json)
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
        budget=dollars_of(budget),
    )

    async def work(desk: Desk) -> None:
        async with desk.store.transaction() as work:
            made = allowed(await orders.create(work, new, desk.at), as_json)
        if as_json:
            print_json(campaign_shape(made))
            return
        typer.echo(f"Created {made.name} ({made.id}).")
        typer.echo(f"Next: offhook campaign import {quoted(made.name)} CONTACTS.csv")

    run(work)


def _own_number(text: str, settings: Settings, as_json: bool) -> str:
    parsed = parse_number(text)
    if isinstance(parsed, NumberRefused):
        fail(parsed.code, f"--from {parsed.why}", as_json)
    if settings.twilio_from and parsed.e164 not in settings.twilio_from:
        fail(
            "caller_id_not_ours",
            f"--from {mask(parsed.e164)} is none of TWILIO_FROM: only a number of ours is shown",
            as_json,
        )
    return parsed.e164
