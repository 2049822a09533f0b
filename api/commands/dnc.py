"""`offhook dnc`: do-not-call lists, loaded, looked at, asked."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.commands.compliance_shared import (
    AsJson,
    By,
    NumberArgument,
    PersonOption,
    PurposeOption,
    ScopeOption,
    Seller,
    day_of,
    number_of,
    print_json,
    suppressing,
    tell_suppression,
    text_of,
    writing,
)
from api.settings import get_settings
from compliance.dnc import MAX_DAYS, alarms, days_left, missing_state_lists
from compliance.dnc_load import LoadOrder, load
from compliance.optout import asks_to_stop
from compliance.rules import load_rulebook
from compliance.store import ComplianceStore, DncRequest

dnc_app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@dnc_app.command("load", no_args_is_help=True, short_help="Load a registry file or a change list.")
def dnc_load(
    file: Annotated[Path, typer.Argument(help="Text or XML, zipped or not.", exists=True, dir_okay=False)],
    name: Annotated[
        str, typer.Option("--list", help="national, state:TX (a state's own), litigator, emergency-lines, custom.")
    ] = "national",
    obtained_on: Annotated[str, typer.Option(help="The day it was downloaded, YYYY-MM-DD; default: the file's date.")] = "",
    areas: Annotated[str, typer.Option(help="The area codes it must hold, e.g. 614,380; default: those before.")] = "",
    changes: Annotated[bool, typer.Option("--changes", help="It holds additions and deletions.")] = False,
    account: Annotated[str, typer.Option(help="The Subscription Account Number.")] = "",
    seller: Seller = "",
    accept: Annotated[str, typer.Option(help="Why an unusual change in size is right.")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Load a do-not-call file. It is checked whole, then put in force at once for every running process, or refused whole.

    Example: offhook dnc load 614.zip --areas 614 --obtained-on 2026-11-18 --account 12345678
    """
    settings = get_settings()
    settings.prepare_home()
    name, state_areas = _list_named(name)
    day = day_of(obtained_on) if obtained_on else datetime.fromtimestamp(file.stat().st_mtime, UTC).date()
    order = LoadOrder(
        list=name,
        path=file,
        obtained_on=day,
        loaded_by=by or getpass.getuser(),
        loaded_at=datetime.now(UTC),
        areas=frozenset(part.strip() for part in areas.split(",") if part.strip()),
        is_change=changes,
        account=account,
        seller=seller,
        accept=f"{accept} ({by or getpass.getuser()})" if accept else "",
        check_size=name == "national" or bool(state_areas),
        state_areas=frozenset() if areas else state_areas,
    )
    if file.stat().st_size > 50_000_000:
        typer.echo(f"Reading {file.name}; a national file takes a few minutes.", err=True)
    manifest = load(settings.home, order)
    if as_json:
        print_json(msgspec.to_builtins(manifest))
        return
    held = f"{manifest.rows:,} numbers in {len(manifest.areas)} area codes"
    typer.echo(f"{name}: generation {manifest.generation} is in force: {held}, {manifest.unreadable} lines not readable.")
    typer.echo(f"Obtained on {day.isoformat()}: it may be relied on through {(day + timedelta(days=MAX_DAYS)).isoformat()}.")


def _list_named(text: str) -> tuple[str, frozenset[str]]:
    """The list's own name and, for a state's, the state's area codes: `state:TX` and `state-tx` are the same."""
    name = text.strip().lower().replace(":", "-")
    if not name.startswith("state-"):
        return name, frozenset()
    book, state = load_rulebook(), name.removeprefix("state-").upper()
    assert book.areas is not None
    if state not in book.areas.states:
        raise typer.BadParameter(f"{state!r} is no state; a state's own list is named like state:TX")
    return name, frozenset(str(code) for code in book.areas.states[state])


@dnc_app.command("status", short_help="Every list: its age, its size, what it covers.")
def dnc_status(as_json: AsJson = False) -> None:
    """Every list that is in force. Exits 1 when one is too old to be relied on.

    Example: offhook dnc status
    """
    store = ComplianceStore.open(get_settings().home)
    today = datetime.now(UTC).date()
    manifests = store.lists.manifests()
    is_stale = any(each.list == "national" and days_left(each, today) < 0 for each in manifests)
    if as_json:
        rows = [{**msgspec.to_builtins(each), "rows": each.rows, "days_left": days_left(each, today)} for each in manifests]
        print_json(rows)
        raise typer.Exit(1 if is_stale else 0)
    for each in manifests:
        obtained = each.oldest.isoformat() if each.oldest else "-"
        size = f"{each.rows:>12,} numbers  {len(each.areas):>3} area codes"
        typer.echo(f"{each.list:<16} gen {each.generation:>4}  {size}  obtained {obtained}")
    for alarm in alarms(manifests, today):
        typer.echo(alarm)
    if not manifests:
        typer.echo("No list is loaded: sales calls without written consent are refused. Load one: offhook dnc load FILE")
    for told in missing_state_lists(store.rules, {each.list for each in manifests}):
        typer.echo(told)
    raise typer.Exit(1 if is_stale else 0)


@dnc_app.command("lookup", no_args_is_help=True, short_help="What every list says of one number.")
def dnc_lookup(number: NumberArgument, seller: Seller = "", as_json: AsJson = False) -> None:
    """What every list says of one number, our own included.

    Example: offhook dnc lookup +16145550123 --seller acme
    """
    store = ComplianceStore.open(get_settings().home)
    wanted = number_of(number)
    answers = {each.name: each for each in store.lists.answers(wanted)}
    own = store.internal.has(wanted, seller)
    if as_json:
        print_json(
            {"number": wanted, "internal": own, "lists": {name: msgspec.to_builtins(each) for name, each in answers.items()}}
        )
        return
    for name, each in answers.items():
        says = "listed" if each.is_listed else "not listed" if each.is_covered else "area code not covered"
        typer.echo(f"{name:<16} {says}  ({each.generation or 'no generation'})")
    typer.echo(f"{'internal':<16} {'listed' if own else 'not listed'}")


@dnc_app.command("add", no_args_is_help=True, short_help="Put a number on our own list.")
def dnc_add(
    number: NumberArgument,
    seller: Annotated[str, typer.Option(help="The seller; empty: every seller.")] = "",
    channel: Annotated[str, typer.Option(help="How the person asked: letter, e-mail, call, text.")] = "operator",
    words: Annotated[str, typer.Option(help="What they said or wrote.")] = "",
    person: PersonOption = "",
    scope: ScopeOption = None,
    purpose: PurposeOption = None,
    as_json: AsJson = False,
) -> None:
    """Put a number on our own list, at once and for good, with every number known of the person; what was planned is
    called off in the same transaction, and a running server cancels what rings within a second.

    Example: offhook dnc add +16145550123 --seller acme --channel letter
    """
    now = datetime.now(UTC)
    request = DncRequest(number_of(number), now, channel, seller, person, words)
    done = writing(lambda store, connection: suppressing(store).do_not_call(connection, request, now, purpose or "", scope))
    tell_suppression("On our own list", done, as_json=as_json)


@dnc_app.command("message", no_args_is_help=True, short_help="Somebody wrote to us: do they want no more calls?")
def dnc_message(
    number: NumberArgument,
    text: Annotated[str, typer.Argument(help="What they wrote; @FILE reads it from a file, @- from standard input.")],
    seller: Annotated[str, typer.Option(help="To whom they wrote; empty: to all of us.")] = "",
    channel: Annotated[str, typer.Option(help="How: text, e-mail, letter, form.")] = "text",
    as_json: AsJson = False,
) -> None:
    """Read a message. If it asks to be left alone, in English or Spanish, the number goes on our own list at once.

    Example: offhook dnc message +16145550123 "please take me off your list" --channel e-mail
    """
    wanted, words, now = number_of(number), text_of(text), datetime.now(UTC)
    if not asks_to_stop(words):
        shown = {"number": wanted, "asks_to_stop": False}
        print_json(shown) if as_json else typer.echo("It does not ask to be left alone; nothing was written.")
        return
    request = DncRequest(wanted, now, channel, seller, words=words[:500])
    done = writing(lambda store, connection: suppressing(store).do_not_call(connection, request, now))
    tell_suppression("It asks to be left alone. On our own list", done, as_json=as_json)
