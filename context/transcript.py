"""Who said what, and when: transcript values and how they are written out for people.

Times are media time as seconds from the answer, never a wall clock. An agent turn holds what was heard, not what was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Speaker(StrEnum):
    CALLER = "caller"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Turn:
    """One party's hold of the floor. `is_cut` marks an agent turn that was talked over: `text` is the heard part.

    `confidence` is the transcriber's, 0 to 1; None when it gives none (and for the agent, whose words are known).
    Raises `ValueError` for times that run backwards.
    """

    speaker: Speaker
    text: str
    started: float
    ended: float
    is_cut: bool = False
    confidence: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.started <= self.ended:
            raise ValueError(f"a turn cannot run from {self.started} to {self.ended}")


def in_order(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """By the time they began; of two that began together the one that ended first."""
    return tuple(sorted(turns, key=lambda turn: (turn.started, turn.ended)))


def words_of(speaker: Speaker, turns: Iterable[Turn]) -> tuple[str, ...]:
    """What one side said, turn by turn, without the silent ones."""
    return tuple(turn.text.strip() for turn in turns if turn.speaker is speaker and turn.text.strip())


def render(turns: Sequence[Turn], names: tuple[str, str] = ("Caller", "Agent")) -> str:
    """For people, one line a turn: `0:03  Agent: Hello, this is--`. `names` are the caller's and the agent's."""
    return "\n".join(_line(turn, names) for turn in in_order(turns))


def _line(turn: Turn, names: tuple[str, str]) -> str:
    name = names[0] if turn.speaker is Speaker.CALLER else names[1]
    minutes, seconds = divmod(int(turn.started), 60)
    text = " ".join(turn.text.split()) or "(nothing intelligible)"
    return f"{minutes}:{seconds:02d}  {name}: {text}{'--' if turn.is_cut else ''}"
