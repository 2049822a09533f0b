"""`offhook knowledge`: tell the knowledge base something, ask it, see what it learned and from whom, take it back.

Works beside a running server: the server keeps the index, so a search here then goes by words alone, and what is added
is indexed by the server within seconds.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
import typer

from api.settings import get_settings
from context.facts import Fact, Hit, Scope, operator_facts
from context.knowledge.base import KnowledgeBase, open_embedder, open_knowledge
from context.knowledge.changes import Change
from context.ports import Mode
from storage.database import Database
from telephony.number import NumberRefused, mask, parse_number

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

AT_ONCE: Final = 64  # facts written in one transaction: a calling server waits for none of them long
SHORTEST_BAR: Final = 2 * AT_ONCE  # facts from which progress is shown: fewer take about a second

Number = Annotated[
    str, typer.Option("--number", help="The person it is about, e.g. +13125550142; empty: nobody in particular.")
]
Campaign = Annotated[str, typer.Option("--campaign", help="The campaign (its id) where it holds; empty: all.")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]

T = TypeVar("T")


@app.command(no_args_is_help=True, short_help="Tell it something.")
def add(
    text: Annotated[str, typer.Argument(help="What to know, in plain sentences; a fact for each paragraph.")] = "",
    file: Annotated[str, typer.Option("--file", help="Read the text from a file; - for standard input.")] = "",
    number: Number = "",
    campaign: Campaign = "",
    key: Annotated[str, typer.Option("--key", help="The playbook slot this fills (with --value).")] = "",
    value: Annotated[str, typer.Option("--value", help="What fills it; a newer value supersedes an older.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tell the knowledge base something: about everybody, a campaign, or one person.

    Example: offhook knowledge add "The inspection is free and takes twenty minutes." --campaign autumn
    """
    if bool(text) == bool(file):
        raise typer.BadParameter("give the text, or --file, one of the two")
    if bool(key) != bool(value):
        raise typer.BadParameter("--key and --value go together")
    person, words = _number(number), text or _read(file)
    facts = operator_facts(words, datetime.now(UTC), number=person, campaign_id=campaign, key=key, value=value)
    if not facts:
        raise typer.BadParameter("there are no words in it")
    _run(lambda base: _add(base, facts, as_json))


async def _add(base: KnowledgeBase, facts: Sequence[Fact], as_json: bool) -> None:
    new = superseded = 0
    is_indexed = True
    for first in range(0, len(facts), AT_ONCE):
        added = await base.add(facts[first : first + AT_ONCE])
        new, superseded = new + len(added.plan.put), superseded + len(added.plan.superseded)
        is_indexed = is_indexed and added.is_indexed
        if len(facts) >= SHORTEST_BAR:
            typer.echo(f"  {min(first + AT_ONCE, len(facts))} of {len(facts)}", err=True)
    if as_json:
        _print_json({"given": len(facts), "new": new, "superseded": superseded, "indexed": is_indexed})
        return
    known = len(facts) - new
    typer.echo(f"{new} new, {superseded} superseded" + (f", {known} known already" if known else ""))
    if not is_indexed:
        typer.echo("The running server will index it." if base.is_shared else "The index is behind; it will catch up.")


@app.command(no_args_is_help=True, short_help="What does it know about something?")
def search(
    query: Annotated[str, typer.Argument(help="What to look for, in plain words.")],
    number: Number = "",
    campaign: Campaign = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="How many at most.")] = 5,
    as_json: AsJson = False,
) -> None:
    """What a call with this person, in this campaign, would find.

    Example: offhook knowledge search "how old is the roof" --number +13125550142
    """
    scope = Scope(_number(number), campaign)
    _run(lambda base: _search(base, query, scope, limit, as_json))


async def _search(base: KnowledgeBase, query: str, scope: Scope, limit: int, as_json: bool) -> None:
    hits = await base.search(query, scope, limit)
    if as_json:
        _print_json({"mode": base.mode.value, "hits": [asdict(hit.fact) | {"score": hit.score} for hit in hits]})
        return
    for hit in hits:
        typer.echo(_hit(hit))
    if not hits:
        typer.echo("Nothing was found.")
    if base.mode is Mode.WORDS:
        typer.echo(_BY_WORDS_BESIDE if base.is_shared else _BY_WORDS, err=True)


_BY_WORDS: Final = "(by words only: the sentence encoder is not installed; `offhook doctor` says how)"
_BY_WORDS_BESIDE: Final = "(by words only: a running server has the index)"


def _hit(hit: Hit) -> str:
    fact = hit.fact
    slot = f"  [{fact.key} = {fact.value}]" if fact.key else ""
    about = f"  about {mask(fact.number)}" if fact.number else ""
    return f"{hit.score:.3f}  {fact.text}{slot}{about}  ({fact.source}, {fact.at:%Y-%m-%d})"


@app.command(short_help="What was learned, replaced and taken back.")
def history(
    number: Number = "",
    key: Annotated[str, typer.Option("--key", help="Only this playbook slot.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="The last so many changes.")] = 50,
    as_json: AsJson = False,
) -> None:
    """The changes, oldest first; the number in front is what `rollback` takes.

    Example: offhook knowledge history --number +13125550142
    """
    person = _number(number)
    _run(lambda base: _history(base, person, key, limit, as_json))


async def _history(base: KnowledgeBase, number: str, key: str, limit: int, as_json: bool) -> None:
    changes = await base.history(number or None, key or None, limit)
    if as_json:
        _print_json([asdict(change) for change in changes])
        return
    for change in changes:
        typer.echo(_change(change))
    if not changes:
        typer.echo("There is no history.")


def _change(change: Change) -> str:
    about = f"  about {mask(change.number)}" if change.number else ""
    return f"{change.seq:>6}  {change.at:%Y-%m-%d %H:%M}  {change.kind.value:<8}  {change.text or '-'}{about}  ({change.by})"


@app.command(no_args_is_help=True, short_help="Know again what was known then.")
def rollback(
    to: Annotated[int, typer.Argument(min=0, help="The last change to keep, from `history`; 0 for none.")],
    number: Number = "",
    as_json: AsJson = False,
) -> None:
    """Take back every change after one, for one person or for all. A rollback is itself in the history, and can be undone.

    Example: offhook knowledge rollback 41 --number +13125550142
    """
    person = _number(number)
    _run(lambda base: _rollback(base, to, person, as_json))


async def _rollback(base: KnowledgeBase, to: int, number: str, as_json: bool) -> None:
    undone = await base.rollback(to, number or None)
    if as_json:
        _print_json({"to": to, "restored": len(undone.put), "withdrawn": len(undone.withdraw)})
        return
    typer.echo(f"{len(undone.put)} restored, {len(undone.withdraw)} withdrawn")


# --- what they share --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _opened() -> AsyncIterator[KnowledgeBase]:
    settings = get_settings()
    database = Database(settings.database_url)
    try:
        await database.migrate()
        embedder = await open_embedder()
        try:
            base = await open_knowledge(database, settings.home, embedder=embedder, may_share=True)
            try:
                yield base
            finally:
                await base.close()
        finally:
            if embedder is not None:
                await embedder.close()
    finally:
        await database.close()


def _run(work: Callable[[KnowledgeBase], Coroutine[None, None, T]]) -> T:
    async def main() -> T:
        async with _opened() as base:
            return await work(base)

    return asyncio.run(main())


def _number(text: str) -> str:
    if not text:
        return ""
    match parse_number(text, allow_foreign=True):
        case NumberRefused(why=why):
            raise typer.BadParameter(f"--number: {why}")
        case number:
            return number.e164


def _read(file: str) -> str:
    """Raises `OSError`; text that is not UTF-8 is the user's error."""
    raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is not UTF-8 text ({error.reason} at byte {error.start})") from error


def _print_json(value: object) -> None:
    typer.echo(msgspec.json.encode(value).decode())
