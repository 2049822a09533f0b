"""How fast we know what we know: search, the briefing before the hello, learning after the hang-up.

Everything real (SQLite file, embedded index, sentence encoder when installed) on made-up people. `measure` returns numbers;
times are milliseconds. Facts of the big set share a few hundred encoded sentences, or filling it would be most of the run.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import Table, insert

from context import store
from context.calls import Effect, SavedAnswer
from context.facts import Fact, Scope, make_fact
from context.gather import CallAhead, Gathering, Source
from context.knowledge.base import KnowledgeBase, open_embedder
from context.knowledge.qdrant_edge import QdrantEdgeIndex
from context.learning.learn import learn
from context.ports import Embedder
from context.sources import usual_sources
from context.transcript import Speaker, Turn
from storage.database import Database
from storage.tables.calls import calls
from storage.tables.dialing import campaigns, contacts

START: Final = datetime(2026, 1, 5, 15, tzinfo=UTC)
CALLS_EACH: Final = 5  # earlier calls with each person
BURST: Final = 10  # calls dialled in the same instant

_WHO: Final = ("The roof", "Their dog", "The garden", "The car", "Her mother", "The house", "The furnace", "His brother")
_WHAT: Final = (
    "was replaced",
    "is getting old",
    "needs a repair",
    "was sold",
    "is for rent",
    "causes trouble",
    "moved away",
)
_WHEN: Final = ("in 2019", "last spring", "after the storm", "before the winter", "some years ago", "this week", "in May")
_ASKED: Final = ("storm damage", "how old is the roof", "repairs before winter", "is it for sale", "pets at home", "heating")


async def measure(runs: int = 200, sizes: Sequence[int] = (1_000, 10_000), call_rows: int = 10_000) -> dict[str, float]:
    """All figures, by name. A temporary folder holds everything; some two minutes with the encoder installed."""
    embedder = await open_embedder()
    figures: dict[str, float] = {"hybrid": float(embedder is not None)}
    try:
        for size in sizes:
            figures |= await _in_a_folder(partial(_searches, embedder=embedder, size=size, runs=runs))
        figures |= await _in_a_folder(partial(_calls, embedder=embedder, rows=call_rows, runs=runs))
    finally:
        if embedder is not None:
            await embedder.close()
    return figures


async def _in_a_folder(work: Callable[[Path], Awaitable[dict[str, float]]]) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as folder:
        return await work(Path(folder))


# --- search -----------------------------------------------------------------------------------------------------------


class _Known:
    """The encoder, with the vectors of the corpus's few sentences at hand."""

    def __init__(self, encoder: Embedder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, list[float]] = {}
        self.name, self.size = encoder.name, encoder.size

    async def learn(self, texts: Sequence[str]) -> None:
        self._vectors |= zip(texts, await self._encoder.embed(texts), strict=True)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        if all(text in self._vectors for text in texts):
            return [self._vectors[text] for text in texts]
        return await self._encoder.embed(texts)

    async def close(self) -> None: ...


async def _searches(folder: Path, embedder: Embedder | None, size: int, runs: int) -> dict[str, float]:
    encoder = _Known(embedder) if embedder else None
    if encoder is not None:
        await encoder.learn(sorted({fact.text for fact in _facts(size)}))
    index = await QdrantEdgeIndex.open(folder, encoder)
    started = time.perf_counter()
    await index.put(_facts(size))
    filled = time.perf_counter() - started
    dice = random.Random(size)
    took = []
    for run in range(runs):
        query = f"{dice.choice(_ASKED)} {run}"  # never the same twice: the encoder remembers
        took.append(await _timed(index.search(query, Scope(_person(dice.randrange(size // 5))), 5)))
    await index.close()
    return _spread(f"search_{size}", took) | {f"index_{size}_s": filled}


def _facts(size: int) -> list[Fact]:
    """Five facts a person; every tenth about nobody in particular."""
    dice = random.Random(1)
    return [
        make_fact(
            f"{dice.choice(_WHO)} {dice.choice(_WHAT)} {dice.choice(_WHEN)}.",
            f"call {number}",
            START + timedelta(minutes=number),
            number="" if number % 10 == 0 else _person(number // 5),
        )
        for number in range(size)
    ]


# --- before and after a call ------------------------------------------------------------------------------------------


async def _calls(folder: Path, embedder: Embedder | None, rows: int, runs: int) -> dict[str, float]:
    database = Database(f"sqlite+aiosqlite:///{folder / 'bench.db'}")
    await database.create_all()
    people = rows // CALLS_EACH
    await _write_campaign(database, people)
    await _write_calls(database, rows)
    base = await KnowledgeBase(database, await QdrantEdgeIndex.open(folder / "knowledge", embedder)).start()
    await base.add(_facts(1_000))
    try:
        figures = await _gathers(database, base, people, runs)
        return figures | await _learns(database, base, max(runs // 4, 1))
    finally:
        await base.close()
        await database.close()


async def _gathers(database: Database, base: KnowledgeBase, people: int, runs: int) -> dict[str, float]:
    dice = random.Random(2)
    sources = usual_sources(database, base)
    for _ in range(5):  # connections are made once a process, not once a call
        await Gathering.start(CallAhead(_person(1), "", "c1", "k1", "warm up"), sources).briefing()
    total: list[float] = []
    each: dict[str, list[float]] = {}
    absent = 0
    for run in range(runs):
        who = dice.randrange(people)
        ahead = CallAhead(_person(who), f"ahead-{run}", f"c{who}", "k1", f"{dice.choice(_ASKED)} {run}")
        briefing = await Gathering.start(ahead, sources).briefing()
        absent += sum(absence.why != "nothing_known" for absence in briefing.absences)
        for source, took in briefing.took.items():
            (total if source == "total" else each.setdefault(source, [])).append(took * 1000)
    figures = _spread("gather", total) | {"gather_failed_or_late": float(absent)}
    figures |= await _gathers_at_once(sources, people, max(runs // BURST, 1))
    return figures | {f"gather_{source}_p95": _at(took, 0.95) for source, took in each.items()}


async def _gathers_at_once(sources: Sequence[Source], people: int, bursts: int) -> dict[str, float]:
    """A dialer that places `BURST` calls in the same instant."""
    total: list[float] = []
    absent = 0
    for burst in range(bursts):
        ahead = [CallAhead(_person(n), f"b{burst}", f"c{n}", "k1", f"{_ASKED[0]} {burst} {n}") for n in range(BURST)]
        gatherings = [Gathering.start(call, sources) for call in ahead]
        for briefing in [await gathering.briefing() for gathering in gatherings]:
            total.append(briefing.took["total"] * 1000)
            absent += sum(absence.why != "nothing_known" for absence in briefing.absences)
    return _spread(f"gather_{BURST}_at_once", total) | {f"gather_{BURST}_at_once_failed_or_late": float(absent)}


async def _learns(database: Database, base: KnowledgeBase, runs: int) -> dict[str, float]:
    took: list[float] = []
    searchable = 0
    for run in range(runs):
        call_id = f"call-{run}"
        await _talk(database, call_id)
        learned = await learn(call_id, database, base, START)
        took.append(learned.took["total"] * 1000)
        searchable += learned.is_searchable
    return _spread("learn", took) | {"learn_searchable": searchable / runs}


async def _talk(database: Database, call_id: str) -> None:
    lines = [
        Turn(Speaker.CALLER if n % 2 else Speaker.AGENT, f"I think {_WHO[n % 8]} is great.", n, n + 1) for n in range(20)
    ]
    async with database.transaction() as connection:
        await store.write_turns(connection, call_id, lines)
        for question in ("owner", "roof_age", "when"):
            await store.save_answer(connection, call_id, SavedAnswer(question, f"yes {call_id}", "Yes, I do.", START))
        note = Effect(f"{call_id}/note", call_id, "remember", f'{{"fact": "Has a dog named {call_id}."}}', START, ok=True)
        await store.record_effect(connection, note)


async def _write_calls(database: Database, rows: int) -> None:
    fixed = {"direction": "outbound", "from_number": "+13125550100", "agent": "ann", "agent_version": "1", "state": "ended"}
    fixed |= {
        "disposition": "answered",
        "answered_by": "human",
        "sentiment": "neutral",
        "summary": "They own the house. " * 5,
    }
    fixed |= {"recording_path": "", "journal_path": "", "campaign_id": "k1"}
    made = [
        fixed
        | {"id": f"call-{n}", "person": _person(n // CALLS_EACH), "to_number": _person(n // CALLS_EACH), "metrics": {}}
        | {"started_at": START + timedelta(minutes=n), "answered_at": START + timedelta(minutes=n, seconds=9)}
        | {"ended_at": START + timedelta(minutes=n + 1)}
        for n in range(rows)
    ]
    async with database.transaction() as connection:
        for first in range(0, rows, 1000):
            await connection.execute(insert(calls), made[first : first + 1000])


async def _write_campaign(database: Database, people: int) -> None:
    campaign = _blank(campaigns) | {"id": "k1", "name": "Bench", "seller": "Acme", "agent": "ann", "created_at": START}
    person = _blank(contacts) | {"campaign_id": "k1", "fields": {"roof": "slate"}, "created_at": START, "changed_at": START}
    made = [person | {"id": f"c{n}", "number": _person(n), "name": f"Jo {n}", "first_name": "Jo"} for n in range(people)]
    async with database.transaction() as connection:
        await connection.execute(insert(campaigns), campaign)
        for first in range(0, people, 1000):
            await connection.execute(insert(contacts), made[first : first + 1000])


# --- numbers ----------------------------------------------------------------------------------------------------------


def _blank(table: Table) -> dict[str, object]:
    """A row of `table` with nothing in it."""
    wanted = [column for column in table.c if not column.nullable]
    return {column.name: _EMPTY.get(column.type.python_type, "") for column in wanted}


_EMPTY: Final[dict[type, object]] = {int: 0, float: 0.0, bool: False, dict: {}, str: ""}


def _person(number: int) -> str:
    return f"+1312{5_550_000 + number:07d}"


async def _timed(work: Awaitable[object]) -> float:
    started = time.perf_counter()
    await work
    return (time.perf_counter() - started) * 1000


def _spread(name: str, took: Sequence[float]) -> dict[str, float]:
    return {f"{name}_p50": statistics.median(took), f"{name}_p95": _at(took, 0.95), f"{name}_max": max(took)}


def _at(took: Sequence[float], share: float) -> float:
    return sorted(took)[min(len(took) - 1, int(share * len(took)))]


if __name__ == "__main__":
    for figure, worth in asyncio.run(measure()).items():
        print(f"{figure:38} {worth:10.2f}")
