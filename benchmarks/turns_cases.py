"""The recorded cases of turn-taking: `cases/cases.jsonl`, one case a line, and the mu-law recordings beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.turns_score import Case, Pause

FRAME: Final = 160  # samples, and bytes of mu-law: 20 ms


class Corpus:
    """The cases of a folder, and their audio."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "cases"
        lines = (self.folder / "cases.jsonl").read_text().splitlines()
        self.cases = tuple(read_case(line) for line in lines if line.strip())

    def frames(self, file: str) -> Iterator[bytes]:
        """The whole 20 ms frames of one recording."""
        audio = (self.folder / file).read_bytes()
        return (audio[at : at + FRAME] for at in range(0, len(audio) - FRAME + 1, FRAME))


class _Row(msgspec.Struct):
    """A line of `cases.jsonl`, as far as the rules read it."""

    id: str
    group: str
    sub: str
    cond: str
    file: str
    dur_ms: int
    noise: str | None = None
    kind: str | None = None
    pauses: list[tuple[int, int, str]] = []
    turn_end_ms: int | None = None
    score_end: bool = True
    agent: str = ""
    expect: str = "none"
    event: tuple[int, int] = (0, 0)
    speaker: str | None = None


def read_case(line: str) -> Case:
    """One line of the case list. Raises `msgspec.ValidationError` when it is not one."""
    row = msgspec.json.decode(line, type=_Row)
    return Case(
        id=row.id,
        group=row.group,
        sub=row.sub,
        condition=row.cond,
        file=row.file,
        duration=row.dur_ms,
        noise=row.noise or "",
        kind=row.kind or "",
        pauses=tuple(Pause(*pause) for pause in row.pauses),
        turn_end=row.turn_end_ms or 0,
        is_end_scored=row.score_end,
        agent=row.agent,
        is_interruption=row.expect == "interrupt",
        event=row.event,
        speaker=row.speaker or "",
    )
