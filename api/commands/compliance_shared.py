"""What the compliance commands share: the database and the store, and reading what people type."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from api.settings import get_settings
from api.suppression import Suppressor
from compliance.proposals import Suppression
from compliance.record import Purpose
from compliance.scope import Scope
from compliance.store import ComplianceStore
from storage.database import Database
from telephony.number import NumberRefused, mask, parse_number

AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
NumberArgument = Annotated[str, typer.Argument(help="A telephone number, e.g. +16145550123.", metavar="NUMBER")]
Seller = Annotated[str, typer.Option(help="The seller, as consents and campaigns name it.")]
By = Annotated[str, typer.Option(help="Who does this; default: you.")]
PersonOption = Annotated[
    str, typer.Option("--person", help="Who it is, as LIST/ID; default: everybody known by this number.")
]
ScopeOption = Annotated[Scope | None, typer.Option(help="How far it reaches; default: OFFHOOK_REVOCATION_SCOPE.")]
PurposeOption = Annotated[Purpose | None, typer.Option(help="The kind of call it was said to; for the scope `purpose`.")]
T = TypeVar("T")

Work = Callable[[ComplianceStore, AsyncConnection], Coroutine[None, None, T]]


def reading(work: Work[T]) -> T:
    return asyncio.run(_with(work, may_write=False))


def writing(work: Work[T]) -> T:
    return asyncio.run(_with(work, may_write=True))


async def _with(work: Work[T], *, may_write: bool) -> T:
    settings = get_settings()
    settings.prepare_home()
    store = ComplianceStore.open(settings.home)
    async with (
        _database(settings.database_url) as database,
        database.transaction() if may_write else database.reading() as connection,
    ):
        return await work(store, connection)


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    try:
        await database.migrate()
        yield database
    finally:
        await database.close()


def suppressing(store: ComplianceStore) -> Suppressor:
    return Suppressor(store, get_settings().revocation_scope)


def tell_suppression(what: str, done: Suppression, *, as_json: bool) -> None:
    """Whom a no reached, and how far it goes."""
    if as_json:
        purposes = sorted(done.purposes)
        print_json({"numbers": done.numbers, "seller": done.seller, "purposes": purposes, "receipt": done.receipt})
        return
    whose = f"for {done.seller}" if done.seller else "for every seller"
    kinds = f", {' and '.join(sorted(done.purposes))} calls only" if done.purposes else ""
    typer.echo(f"{what} {whose}{kinds}: {', '.join(mask(each) for each in done.numbers)}. Receipt {done.receipt}.")


def number_of(text: str) -> str:
    """E.164. A foreign number is let through: the gate refuses it by name."""
    match parse_number(text, allow_foreign=True):
        case NumberRefused(why=why):
            raise typer.BadParameter(f"{mask(text) or 'the number'}: {why}")
        case number:
            return number.e164


def instant_of(text: str) -> datetime:
    if not text:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no instant such as 2026-07-14T16:00:00Z") from error
    if found.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no time zone; add Z or an offset such as -04:00")
    return found


def day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day such as 2026-11-18") from error


def text_of(given: str) -> str:
    """`@FILE` for long texts; `@-` for standard input."""
    if not given.startswith("@"):
        return given
    return sys.stdin.read() if given == "@-" else Path(given[1:]).read_text(encoding="utf-8")


def print_json(value: object) -> None:
    typer.echo(json.dumps(msgspec.to_builtins(value, enc_hook=list), ensure_ascii=False, default=str))
