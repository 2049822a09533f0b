"""`offhook campaign explain`: why somebody has, or has not, been called."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any

import typer

from api.commands.campaign.desk import AsJson, Desk, Named, allowed, columned, console, fail, print_json, run
from api.gatekeeping import proposed
from api.scripts import agents_in, unmet
from compliance.explain import explain as in_words
from compliance.explain import moment
from compliance.record import Place
from compliance.store import ComplianceStore
from compliance.zones import where
from dialer import orders
from dialer.attempt import Attempt, Disposition
from dialer.campaign import Campaign, Contact
from dialer.explain import Explanation, explain_contact
from dialer.ports import Work
from telephony.number import NumberRefused, mask, parse_number


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
            found = allowed(await orders.find(work, campaign), as_json)
            person = await _contact(work, found, contact)
            if person is None:
                fail("no_such_contact", f"there is no contact {_shown(contact)} in {found.name}", as_json)
            is_open = person.is_open or person.disposition is Disposition.REFUSED
            gate = await _asked_now(work, desk, found, person, is_open=is_open)
            told = _with_gate(await explain_contact(work, found, person, desk.at), gate)
        if as_json:
            print_json(_explained(told, gate))
            return
        _show_explained(told, gate)

    run(work)


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
    lacks = unmet(agents_in(desk.settings.agents).get(campaign.agent), campaign.seller, compliance.rules)
    call = proposed(campaign, contact, desk.settings.twilio_from, lacks=lacks)
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
    table = columned("call", "at", "phase", "came of it", "detail", "receipt")
    for attempt in told.attempts:
        end = attempt.disposition.value if attempt.disposition else ""
        when = moment(attempt.intended_at, gate.zones)
        detail = attempt.progress.detail
        table.add_row(str(attempt.ordinal), when, attempt.phase.value, end, detail, attempt.receipt_id)
    console().print(table)


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


def _shown(contact: str) -> str:
    return mask(contact) if contact.startswith("+") else contact[:40]
