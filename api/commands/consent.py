"""`offhook consent`: the ledger of who agreed to what, and who took it back."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from api.commands.compliance_shared import (
    AsJson,
    NumberArgument,
    PersonOption,
    PurposeOption,
    ScopeOption,
    day_of,
    instant_of,
    number_of,
    print_json,
    reading,
    suppressing,
    tell_suppression,
    text_of,
    writing,
)
from api.settings import get_settings
from compliance.attachments import LARGEST, keep, noted
from compliance.consent import Evidence, Given, LedgerEvent, TakenBack
from compliance.ledger_files import BadRow, flat, read_csv, read_json, write_csv
from compliance.record import Consent, ConsentKind, LineType, Place, Purpose, Reassigned, ReassignedAnswer, Relationship
from compliance.rules import load_rulebook
from compliance.store import ComplianceStore, DncRequest
from compliance.zones import stated_place

consent_app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@consent_app.command("record", no_args_is_help=True, short_help="Write a consent into the ledger.")
def consent_record(
    number: NumberArgument,
    seller: Annotated[list[str], typer.Option(help="A seller it names; may be given several times.")],
    wording: Annotated[str, typer.Option(help="The exact words that were agreed to; @FILE reads them from a file.")],
    obtained_at: Annotated[str, typer.Option(help="When, with a zone; default: now.")] = "",
    kind: Annotated[str, typer.Option(help="written or express.")] = "written",
    signed: Annotated[bool, typer.Option("--signed", help="It bears a signature (electronic ones count).")] = False,
    ai_voice: Annotated[bool, typer.Option("--ai-voice", help="It authorises an artificial or prerecorded voice.")] = False,
    no_condition: Annotated[bool, typer.Option("--no-condition", help="It says it is no condition of buying.")] = False,
    source: Annotated[str, typer.Option(help="Where it was given: a form, a call, a letter.")] = "operator",
    url: Annotated[str, typer.Option(help="The page it was given on.")] = "",
    certificate: Annotated[str, typer.Option(help="A lead vendor's certificate; @FILE reads it from a file.")] = "",
    rendering: Annotated[Path | None, typer.Option(help="The screenshot or recording of what was seen or heard.")] = None,
    attach: Annotated[
        list[Path] | None, typer.Option(help="A file kept with it, e.g. a certificate; may be repeated.", exists=True)
    ] = None,
    expires_at: Annotated[str, typer.Option(help="When it runs out, with a zone; default: never.")] = "",
    purpose: Annotated[list[Purpose] | None, typer.Option(help="What it covers; default: any call.")] = None,
    person: Annotated[str, typer.Option(help="Who it is, as LIST/ID: ties this person's numbers together.")] = "",
    as_json: AsJson = False,
) -> None:
    """Write a consent into the ledger. Without its exact words it would never count. Of the rendering the hash is kept, of
    attached files the whole.

    Example: offhook consent record +16145550123 --seller acme --wording @form.txt --signed --ai-voice --no-condition
    """
    if kind not in ("written", "express"):
        raise typer.BadParameter("--kind is written or express")
    id = f"c_{uuid.uuid4().hex}"
    consent = Consent(
        id=id,
        kind=ConsentKind.WRITTEN if kind == "written" else ConsentKind.EXPRESS,
        number=number_of(number),
        sellers=frozenset(seller),
        obtained_at=instant_of(obtained_at),
        wording=text_of(wording),
        is_signed=signed,
        names_artificial_voice=ai_voice,
        says_not_a_condition=no_condition,
        expires_at=instant_of(expires_at) if expires_at else None,
        purposes=frozenset(purpose or ()),
    )
    files = [(file.name, keep(get_settings().home, _whole(file))) for file in attach or ()]
    shown = hashlib.sha256(rendering.read_bytes()).hexdigest() if rendering is not None else ""
    evidence = Evidence(
        source=source, url=url, certificate=text_of(certificate), rendering_sha256=shown, attachments=noted(files)
    )
    given = Given(id, consent, person, evidence)
    writing(lambda store, connection: store.record_consent(connection, given, datetime.now(UTC)))
    print_json({"id": id, "number": consent.number}) if as_json else typer.echo(f"Recorded as {id}.")


def _whole(file: Path) -> bytes:
    if file.stat().st_size > LARGEST:
        raise typer.BadParameter(f"{file} is larger than {LARGEST // 1024**2} MB")
    return file.read_bytes()


@consent_app.command("revoke", no_args_is_help=True, short_help="The person took it back.")
def consent_revoke(
    number: NumberArgument,
    seller: Annotated[str, typer.Option(help="The seller; empty: every seller.")] = "",
    channel: Annotated[str, typer.Option(help="How: call, text, e-mail, letter.")] = "operator",
    words: Annotated[str, typer.Option(help="What they said or wrote.")] = "",
    person: PersonOption = "",
    scope: ScopeOption = None,
    purpose: PurposeOption = None,
    as_json: AsJson = False,
) -> None:
    """Take a consent back, at once: for every number known of the person, and every call that was planned is called off.
    Who agrees again later may be called again; to stop calls for good, use `offhook dnc add`.

    Example: offhook consent revoke +16145550123 --seller acme --channel e-mail --words "please stop"
    """
    now = datetime.now(UTC)
    request = DncRequest(number_of(number), now, channel, seller, person, words)
    done = writing(lambda store, connection: suppressing(store).revoke(connection, request, now, purpose or "", scope))
    tell_suppression("Taken back", done, as_json=as_json)


@consent_app.command("show", no_args_is_help=True, short_help="What the ledger holds of a number.")
def consent_show(number: NumberArgument, as_json: AsJson = False) -> None:
    """Everything the ledger holds of a number, in the order in which it was written.

    Example: offhook consent show +16145550123
    """
    wanted = number_of(number)
    events = reading(lambda store, connection: store.ledger(connection, wanted))
    if as_json:
        print_json(msgspec.to_builtins(events))
        return
    for event in events:
        typer.echo(_show_event(event))
    if not events:
        typer.echo("The ledger holds nothing of this number.")


def _show_event(event: LedgerEvent) -> str:
    if isinstance(event, TakenBack):
        taken = event.revocation
        seller = taken.seller or "every seller"
        return f"{taken.at:%Y-%m-%d %H:%M}  taken back  by {taken.channel}, from {seller}  {event.words}"
    consent = event.consent
    counts = "" if consent.wording.strip() else "  (no wording: does not count)"
    return (
        f"{consent.obtained_at:%Y-%m-%d %H:%M}  given {consent.kind.value}  to {', '.join(sorted(consent.sellers))}{counts}"
    )


@consent_app.command("facts", no_args_is_help=True, short_help="What else is known of a number.")
def consent_facts(
    number: NumberArgument,
    seller: Annotated[str, typer.Option(help="The seller; needed for a relationship.")] = "",
    purchase: Annotated[str, typer.Option(help="The day of the last purchase from the seller, YYYY-MM-DD.")] = "",
    inquiry: Annotated[str, typer.Option(help="The day of the last inquiry to the seller, YYYY-MM-DD.")] = "",
    reassigned: Annotated[
        Literal["", "yes", "no", "no_data"], typer.Option(help="What the Reassigned Numbers Database answered.")
    ] = "",
    asked_on: Annotated[str, typer.Option(help="The day it was asked, YYYY-MM-DD; default: today.")] = "",
    line: Annotated[Literal["", "wireless", "landline", "voip"], typer.Option(help="The kind of line.")] = "",
    in_state: Annotated[str, typer.Option(help="Where the person said they are: a state, e.g. AZ.")] = "",
    in_zone: Annotated[str, typer.Option(help="Its time zone, where the state has several.")] = "",
    said_on: Annotated[str, typer.Option(help="The day they said so, YYYY-MM-DD; default: today.")] = "",
    as_json: AsJson = False,
) -> None:
    """Keep what is known of a number besides consent: dealings with the seller, who has it now, what kind of line it is,
    and where the person said they are, which for a year overrules where the number seems to be.

    Example: offhook consent facts +16145550123 --seller acme --purchase 2026-05-01 --reassigned no
    """
    if (purchase or inquiry) and not seller:
        raise typer.BadParameter("a purchase or an inquiry is with a --seller")
    wanted, now = number_of(number), datetime.now(UTC)
    facts: list[ReassignedAnswer | Relationship | Place | LineType] = []
    if purchase or inquiry:
        days = day_of(purchase) if purchase else None, day_of(inquiry) if inquiry else None
        facts.append(Relationship(last_purchase=days[0], last_inquiry=days[1]))
    if reassigned:
        facts.append(ReassignedAnswer(Reassigned(reassigned), day_of(asked_on) if asked_on else now.date()))
    if line:
        facts.append(LineType(line))
    if in_state:
        facts.append(_said(in_state, in_zone, day_of(said_on) if said_on else now.date()))
    if not facts:
        raise typer.BadParameter("there is nothing to keep: give --purchase, --inquiry, --reassigned, --line or --in-state")

    async def work(store: ComplianceStore, connection: AsyncConnection) -> None:
        for fact in facts:
            await store.learn(connection, wanted, fact, now, seller if isinstance(fact, Relationship) else "")

    writing(work)
    print_json({"number": wanted, "kept": len(facts)}) if as_json else typer.echo(f"Kept {len(facts)}.")


def _said(state: str, zone: str, on: date) -> Place:
    areas = load_rulebook().areas
    if areas is None:
        raise typer.BadParameter("the rule book cannot be read: offhook doctor says why")
    try:
        return stated_place(state.upper(), zone, on, areas)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@consent_app.command("import", no_args_is_help=True, short_help="Consents from a CSV or JSON file.")
def consent_import(
    file: Annotated[Path, typer.Argument(help="CSV with a header, or JSON.", exists=True, dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Read consents from a file. Bad rows are named by line and reason and left out; exits 1 if there were any.

    Example: offhook consent import leads.csv
    """
    text = file.read_text(encoding="utf-8-sig")
    rows = list(read_json(text) if file.suffix.lower() == ".json" else read_csv(text))
    bad = [row for row in rows if isinstance(row, BadRow)]
    good = [row for row in rows if isinstance(row, Given)]

    async def work(store: ComplianceStore, connection: AsyncConnection) -> int:
        now = datetime.now(UTC)
        return sum([await store.record_consent(connection, given, now) for given in good])

    new = writing(work)
    if as_json:
        print_json({"new": new, "known": len(good) - new, "bad": msgspec.to_builtins(bad)})
    else:
        for row in bad:
            typer.echo(f"line {row.line}: {row.why}")
        typer.echo(f"{new} new consents, {len(good) - new} already known, {len(bad)} rows left out.")
    raise typer.Exit(1 if bad else 0)


@consent_app.command("export", short_help="The ledger's consents as CSV or JSON.")
def consent_export(
    number: Annotated[str, typer.Option(help="One number only.")] = "",
    as_json: AsJson = False,
) -> None:
    """Write the ledger's consents to standard output: CSV, or with --json every event.

    Example: offhook consent export > consents.csv
    """
    wanted = number_of(number) if number else ""
    events = reading(lambda store, connection: store.ledger(connection, wanted))
    print_json(flat(events)) if as_json else typer.echo(write_csv(events), nl=False)
