"""What the demo shows in the end: what happened to every contact and why, the words, the times, and whether all is right."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.errands import call_of
from api.settings import Settings
from benchmarks.measure import NOT_TOLD, Distribution, Measured, measure, read_sidecar
from benchmarks.segments import segments_of
from context import store
from context.calls import CallRecord
from context.transcript import render
from dialer.attempt import Attempt
from dialer.campaign import Campaign, Contact, ContactState
from dialer.intake import ImportReport
from dialer.stores.sql import SqlStore
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is left when the calls are over. `recorded`: the phone network's own record of every call."""

    settings: Settings
    main: Campaign
    follow_up: Campaign
    imported: ImportReport
    recorded: Sequence[dict[str, Any]]
    inbound_call: str
    took: float  # seconds


@dataclass(frozen=True, slots=True)
class Ended:
    """How one contact ended, gathered from the database."""

    contact: Contact
    attempts: tuple[Attempt, ...] = ()
    calls: tuple[CallRecord, ...] = ()

    @property
    def word(self) -> str:
        if self.contact.disposition is not None:
            return self.contact.disposition.value
        return "deferred" if self.contact.state is ContactState.WAITING else self.contact.state.value

    def said(self, *words: str) -> bool:
        """Whether all of these were said by the agent, or heard from the caller, in the last call."""
        text = " ".join(turn.text.lower() for turn in self.calls[-1].turns) if self.calls else ""
        return all(word.lower() in text for word in words)


@dataclass(frozen=True, slots=True)
class Must:
    """What the script says must come of a contact. `also` looks closer, and says what it looks for."""

    name: str
    story: str
    disposition: str
    rule: str = ""
    attempts: int = 0
    also: tuple[tuple[str, Callable[[Ended], bool]], ...] = ()


def _answer(question: str, value: str) -> tuple[str, Callable[[Ended], bool]]:
    def holds(ended: Ended) -> bool:
        return any(each.question == question and each.value == value for call in ended.calls for each in call.answers)

    return f"{question} = {value}", holds


_BOOKED: Final = ("an appointment is booked", lambda ended: any(call.appointments for call in ended.calls))
_STOPPED: Final = ("the agent stopped", lambda ended: any(turn.is_cut for call in ended.calls for turn in call.turns))
_MESSAGE: Final = ("a message was left", lambda ended: ended.said("call us back"))


SCRIPT: Final = (
    Must("Carol Reyes", "answers one question, has no time", "answered", attempts=1, also=(_answer("home_owner", "yes"),)),
    Must(
        "Maria Lopez",
        "answers everything, books a visit",
        "answered",
        attempts=1,
        also=(_answer("monthly_bill", "200"), _BOOKED),
    ),
    Must("Sam Porter", "busy, tried again, rents", "answered", attempts=2, also=(_answer("home_owner", "no"),)),
    Must("Rob Fielding", "talks over the agent", "answered", attempts=1, also=(_STOPPED,)),
    Must("Ed Novak", "wants no calls", "opted_out", attempts=1),
    Must("Nancy Doyle", "wants a person", "transferred", attempts=1),
    Must("Linda Marsh", "is not in: voicemail", "machine", attempts=1, also=(_MESSAGE,)),
    Must("Tom Abbott", "never agreed", "refused", rule="CONSENT_MISSING"),
    Must("Priya Shah", "is on our do-not-call list", "refused", rule="DNC_INTERNAL"),
    Must("Keoni Akana", "it is 5 a.m. in Hawaii", "deferred", rule="WINDOW_FEDERAL"),
    Must("Greg Hill", "took the consent back", "refused", rule="CONSENT_REVOKED"),
    Must("Omar Haddad", "agreed to somebody else's calls", "refused", rule="CONSENT_SELLER_MISMATCH"),
)


async def report(outcome: Outcome, console: Console, *, as_json: bool) -> int:
    """Print everything; 0 only if every contact ended as the script says."""
    database = Database(outcome.settings.database_url)
    try:
        people = await _people(database, outcome.main)
        later = await _people(database, outcome.follow_up)
        inbound = await _record(database, outcome.inbound_call) if outcome.inbound_call else None
    finally:
        await database.close()
    problems = list(_problems(people, later, inbound))
    calls = [call for each in (*people.values(), *later.values()) for call in each.calls]
    calls += [inbound] if inbound is not None else []
    figures = await asyncio.to_thread(measured, outcome.recorded, journals(calls, outcome.settings.home))
    context = [took for each in people.values() for call in each.calls if (took := _context_took(call)) is not None]
    if as_json:
        print(json.dumps(_summary(people, problems, figures, context, outcome), indent=2))
    else:
        _print(console, outcome, people, inbound, figures, context, problems)
    return 1 if problems else 0


# --- gathering ----------------------------------------------------------------------------------------------------------


async def _people(database: Database, campaign: Campaign) -> dict[str, Ended]:
    found: dict[str, Ended] = {}
    async with SqlStore(database).reading() as work:
        for contact in await work.contacts(campaign.id, limit=1000):
            attempts = tuple(await work.attempts_of(contact.id))
            calls = []
            for attempt in attempts:
                call = await store.get_call(work.connection, call_of(attempt.id))
                if call is not None:
                    calls.append(await store.call_record(work.connection, call.id))
            found[contact.name] = Ended(contact, attempts, tuple(calls))
    return found


def _context_took(record: CallRecord) -> float | None:
    took = record.call.metrics.get("context")
    return float(took["total"]) if isinstance(took, dict) and "total" in took else None


async def _record(database: Database, call: str) -> CallRecord:
    async with database.reading() as connection:
        return await store.call_record(connection, call)


def journals(calls: Sequence[CallRecord], home: Path) -> dict[str, Path]:
    """The journals of these calls, by the carrier's name of each."""
    found = {each.call.carrier_sid or "": home / "journals" / f"{each.call.id}.jsonl" for each in calls}
    return {sid: path for sid, path in found.items() if sid and path.is_file()}


def measured(recorded: Sequence[dict[str, Any]], told: Mapping[str, Path]) -> list[Measured]:
    """The figures of every call of ours that has a recording; the far leg of a transfer has none of our words in it. `told`:
    journals by the carrier's name of the call."""
    sidecars = [Path(str(each["json"])) for each in recorded if each.get("json") and each.get("wav")]
    figures = []
    for path in sidecars:
        sidecar = read_sidecar(path)
        if sidecar.marks:
            journal = told.get(sidecar.call_sid)
            figures.append(measure(sidecar, Path(sidecar.wav), segments_of(journal) if journal else NOT_TOLD))
    return figures


# --- checking -----------------------------------------------------------------------------------------------------------


def _problems(people: dict[str, Ended], later: dict[str, Ended], inbound: CallRecord | None) -> list[str]:
    problems = []
    for must in SCRIPT:
        ended = people.get(must.name)
        if ended is None:
            problems.append(f"{must.name}: was not imported")
            continue
        if ended.word != must.disposition:
            problems.append(f"{must.name}: should have ended {must.disposition}, ended {ended.word}")
        if must.rule and must.rule not in ended.contact.rules:
            problems.append(
                f"{must.name}: {must.rule} should have spoken, {', '.join(ended.contact.rules) or 'nothing'} did"
            )
        if len(ended.attempts) != must.attempts:
            problems.append(f"{must.name}: {len(ended.attempts)} attempts, should have been {must.attempts}")
        problems += [f"{must.name}: not so: {what}" for what, holds in must.also if not holds(ended)]
    ed = later.get("Ed Novak")
    if ed is None or ed.contact.state is not ContactState.CALLED_OFF or ed.attempts:
        problems.append("Ed Novak: the follow-up campaign should have called him off")
    known = " ".join(turn.text for turn in inbound.turns) if inbound else ""
    if "Last time you said yes" not in known:
        problems.append("Carol Reyes: when she rang back, the agent should have known what she had said")
    return problems


# --- showing ------------------------------------------------------------------------------------------------------------


def _print(
    console: Console,
    outcome: Outcome,
    people: dict[str, Ended],
    inbound: CallRecord | None,
    figures: list[Measured],
    context: list[float],
    problems: list[str],
) -> None:
    console.rule("what was said")
    for must in SCRIPT:
        for number, record in enumerate(people[must.name].calls if must.name in people else (), 1):
            if record.turns:
                _print_call(console, f"{must.name}, call {number}", record)
    if inbound is not None:
        _print_call(console, "Carol Reyes rings back", inbound)
    console.rule("what happened to every contact, and why")
    console.print(_contacts(people))
    console.rule("measured, from the two-channel recordings")
    console.print(_times(figures, context))
    home = outcome.settings.home
    console.print(f"\nrecordings  {home / 'recordings'}\njournals    {home / 'journals'}\n")
    ours = ",".join(outcome.settings.twilio_from)
    prefix = f"TWILIO_FROM={ours} " + ("" if home == Path(".offhook") else f"OFFHOOK_HOME={home} ")
    ed = people["Tom Abbott"].contact.number if "Tom Abbott" in people else ""
    console.print("look closer, with the server stopped or running:")
    console.print(f"  {prefix}.venv/bin/offhook campaign status {outcome.main.id}", soft_wrap=True)
    console.print(f"  {prefix}.venv/bin/offhook campaign explain {outcome.main.id} {ed}", soft_wrap=True)
    journals = sorted((home / "journals").glob("*.jsonl"))
    if journals:
        console.print(f"  {prefix}.venv/bin/offhook replay {journals[0]}", soft_wrap=True)
    console.print(f"  {prefix}.venv/bin/offhook check {ed}", soft_wrap=True)
    if problems:
        console.print("\n[red bold]not as the script says:[/red bold]")
        for problem in problems:
            console.print(f"  [red]{problem}[/red]")
        return
    console.print(f"\n[green bold]every contact ended as its script says[/green bold], in {outcome.took:.0f} seconds")


def _print_call(console: Console, title: str, record: CallRecord) -> None:
    console.print(
        f"\n[bold]{title}[/bold]  [dim]{record.call.disposition}, {record.call.talked:.0f} s, {record.call.sentiment}[/dim]"
    )
    console.print(render(record.turns, ("Caller", "Ava   ")), markup=False)
    if record.call.summary:
        console.print(f"[dim]{record.call.summary}[/dim]")


def _contacts(people: dict[str, Ended]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("contact", "script", "ended", "why"):
        table.add_column(column, overflow="fold")
    for must in SCRIPT:
        ended = people.get(must.name)
        if ended is not None:
            table.add_row(must.name, must.story, ended.word, escape(_why(ended)))
    return table


def _why(ended: Ended) -> str:
    """One contact's end in a sentence: the rule that spoke, or what the conversation brought."""
    contact = ended.contact
    if contact.rules:
        until = f" Not before {contact.due_at:%H:%M} UTC." if ended.word == "deferred" and contact.due_at else ""
        return f"[{', '.join(contact.rules)}] {contact.reason}{until}"
    parts = [f"attempt {attempt.ordinal}: {attempt.disposition}" for attempt in ended.attempts if len(ended.attempts) > 1]
    for record in ended.calls:
        parts += [f"{answer.question} = {answer.value}" for answer in record.answers]
        parts += [f"booked {booking.when}" for booking in record.appointments]
        detail = record.call.metrics.get("detail")
        parts += [f"ended: {detail}"] if detail else []
    return "; ".join(parts)


_UNITS: Final = 1000  # milliseconds in a second


def _times(figures: list[Measured], context: list[float]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("", "p50 ms", "p95 ms", "longest ms", "n"):
        table.add_column(column, justify="left" if not column else "right")
    rows = {
        "answer to first audio": [each.first_audio for each in figures if each.first_audio is not None],
        "response gap": [gap for each in figures for gap in each.gaps],
        "barge-in stop, mouth to silence": [stop for each in figures for stop in each.stops],
        "context assembled, from dialling": context,
    }
    for name, values in rows.items():
        shown = Distribution(tuple(values))
        cells = [
            f"{value * _UNITS:.0f}" if value is not None else "–" for value in (shown.at(50), shown.at(95), shown.at(100))
        ]
        table.add_row(name, *cells, str(shown.count))
    holes = [hole for each in figures for hole in each.holes]
    table.add_row(
        "silences over 40 ms within a reply", "", "", f"{max(holes) * _UNITS:.0f}" if holes else "–", str(len(holes))
    )
    discarded = sum(each.discarded for each in figures)
    table.add_row("figures discarded (detectors disagreed)", "", "", "", str(discarded))
    return table


def _summary(
    people: dict[str, Ended], problems: list[str], figures: list[Measured], context: list[float], outcome: Outcome
) -> dict[str, object]:
    def spread(values: list[float]) -> dict[str, float | int | None]:
        shown = Distribution(tuple(values))
        return {"n": shown.count, "p50": shown.at(50), "p95": shown.at(95), "max": shown.at(100)}

    return {
        "ok": not problems,
        "problems": problems,
        "seconds": round(outcome.took, 1),
        "contacts": {
            name: {
                "ended": ended.word,
                "rules": list(ended.contact.rules),
                "reason": ended.contact.reason,
                "attempts": [attempt.disposition.value if attempt.disposition else "" for attempt in ended.attempts],
            }
            for name, ended in people.items()
        },
        "measured": {
            "first_audio": spread([each.first_audio for each in figures if each.first_audio is not None]),
            "response_gap": spread([gap for each in figures for gap in each.gaps]),
            "barge_in_stop": spread([stop for each in figures for stop in each.stops]),
            "context": spread(context),
            "holes": spread([hole for each in figures for hole in each.holes]),
            "discarded": sum(each.discarded for each in figures),
        },
        "home": str(outcome.settings.home),
    }
