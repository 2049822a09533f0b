"""`offhook check`: may this number be called? And the doors to `dnc`, `consent` and `audit`.

Commands read and write the same database and lists that a running server uses; a server sees a change at its next call.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from api.commands.audit import audit_app
from api.commands.compliance_shared import (
    AsJson,
    Seller,
    instant_of,
    number_of,
    print_json,
    reading,
)
from api.commands.consent import consent_app
from api.commands.dnc import dnc_app
from api.scripts import agents_in, unmet
from api.settings import get_settings
from compliance.cases import run_cases
from compliance.explain import cure, explain
from compliance.record import CallerId, Errand, LineType, Place, Purpose, Unmet, VoiceKind
from compliance.rules import load_rulebook
from compliance.store import ComplianceStore, ProposedCall
from compliance.verdict import Refused, Verdict
from compliance.zones import Whereabouts, number_problem, where
from voice.agent_file import AgentFolder

__all__ = ["audit_app", "check", "consent_app", "dnc_app"]


def check(
    number: Annotated[str, typer.Argument(help="The number to call, e.g. +16145550123.", metavar="[NUMBER]")] = "",
    at: Annotated[str, typer.Option(help="An instant with a zone, e.g. 2026-07-14T16:00:00Z; default: now.")] = "",
    seller: Seller = "",
    purpose: Annotated[Purpose, typer.Option(help="What the call is for.")] = Purpose.TELEMARKETING,
    voice: Annotated[VoiceKind, typer.Option(help="Who speaks.")] = VoiceKind.ARTIFICIAL,
    subject: Annotated[str, typer.Option(help="The matter that caps are counted on.")] = "",
    line: Annotated[LineType, typer.Option(help="What kind of line it is; unknown counts as wireless.")] = LineType.UNKNOWN,
    state: Annotated[str, typer.Option(help="The state of the person's address, two letters.")] = "",
    zone: Annotated[str, typer.Option(help="The time zone of the address, e.g. America/Chicago.")] = "",
    cases: Annotated[Path | None, typer.Option(help="Run a file of decision cases instead.")] = None,
    as_json: AsJson = False,
) -> None:
    """May this number be called, and if not, which rules forbid it, and when may it be? Writes nothing.

    Without --seller it is asked for everybody our agents speak for.

    Example: offhook check +16145550123 --at 2026-07-14T16:00:00Z
    """
    if cases is not None:
        _check_cases(cases, as_json=as_json)
        return
    if not number:
        raise typer.BadParameter("give a NUMBER, or --cases FILE")
    shown = get_settings().twilio_from
    caller_id = CallerId(shown[0], is_shown=True, is_authorised=True) if shown else CallerId()
    called, moment = number_of(number), instant_of(at)
    place = Place(state=state.upper(), zone=zone)
    sellers = [seller] if seller else _sellers()
    errands = [Errand(each, purpose, voice, subject, "", caller_id, unmet=_lacks(each)) for each in sellers]
    proposed = [ProposedCall(called, errand, place=place, line=line) for errand in errands]

    async def work(store: ComplianceStore, connection: AsyncConnection) -> list[Verdict]:
        return [(await store.look(connection, each, moment))[1] for each in proposed]

    verdicts = reading(work)
    if as_json:
        shapes = [{"seller": each.errand.seller} | _as_json(found) for each, found in zip(proposed, verdicts, strict=True)]
        print_json(shapes[0] if seller else {"sellers": shapes})
        return
    for each, found in zip(proposed, verdicts, strict=True):
        if not seller:
            typer.echo(f"For {each.errand.seller or 'any seller'}:")
        _tell(each, found, moment)


def _sellers() -> list[str]:
    """Everybody our agents speak for: without a word on whose call it is, each may ask."""
    return sorted({agent.seller for agent in AgentFolder(get_settings().agents).all().values()}) or [""]


def _lacks(seller: str) -> tuple[Unmet, ...]:
    """What the words of the agent that speaks for this seller lack, if there is just one."""
    agents = [agent for agent in agents_in(get_settings().agents).values() if agent.seller == seller]
    return unmet(agents[0], seller, load_rulebook()) if len(agents) == 1 else ()


def _tell(proposed: ProposedCall, verdict: Verdict, moment: datetime) -> None:
    store = ComplianceStore.open(get_settings().home)
    there = None if store.rules.closed_because else _whereabouts(proposed, moment, store)
    for sentence in explain(verdict, there.zones if there is not None else ()):
        typer.echo(sentence)
    if there is not None and there.zones:
        typer.echo(f"It could be in {', '.join(there.zones)}, under the law of {', '.join(sorted(there.states))}")
        typer.echo(f"  ({'; '.join(there.because)}).")
    if isinstance(verdict, Refused):
        for rule in verdict.rules:
            if cure(rule):
                typer.echo(f"  {rule.value}: {cure(rule)}")


def _whereabouts(proposed: ProposedCall, at: datetime, store: ComplianceStore) -> Whereabouts | None:
    if number_problem(proposed.number, store.rules) is not None:
        return None
    return where(proposed.number, proposed.place, at.date(), store.rules)


def _as_json(verdict: Verdict) -> dict[str, object]:
    shown: dict[str, object] = {"number": verdict.number, "decision": verdict.decision, "rules": verdict.rules_version}
    if isinstance(verdict, Refused):
        shown |= {"until": verdict.until, "hold": verdict.is_hold, "findings": msgspec.to_builtins(verdict.findings)}
        shown |= {"later": msgspec.to_builtins(verdict.later)}
    return shown | {"waived": msgspec.to_builtins(verdict.waived)}


def _check_cases(path: Path, *, as_json: bool) -> None:
    report = run_cases(path)
    if as_json:
        print_json({"cases": len(report.rows), "rules": report.rules_version, "rows": msgspec.to_builtins(report.rows)})
    else:
        for row in report.disagreements:
            typer.echo(f"{row.id}  {row.title}")
            typer.echo(f"    expected {row.expected}")
            typer.echo(f"    got      {row.got}")
            for says in row.disagreements:
                typer.echo(f"    {says}")
            if row.source:
                typer.echo(f"    [{row.source}]")
        for row in report.rows:
            if row.unread:
                typer.echo(f"{row.id}  fields that were not understood: {', '.join(row.unread)}")
        agreed = len(report.rows) - len(report.disagreements)
        typer.echo(f"{agreed} of {len(report.rows)} cases agree (rules {report.rules_version}).")
    raise typer.Exit(1 if report.disagreements else 0)
