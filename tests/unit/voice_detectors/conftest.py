"""A speech model that calls speech what is loud, and calls judged by it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from telephony.audio import Floats
from voice.detectors.pool import Alone, DetectorPool
from voice.detectors.smart_turn import TurnJudge


class Loud:
    """A question that loudness answers."""

    def __init__(self, levels: np.ndarray) -> None:
        self._levels = levels

    def think(self) -> None:
        pass

    def answer(self) -> np.ndarray:
        return np.where(self._levels > -45, 0.97, 0.02)


class Loudness:
    """Remembers nothing but whom it was told of."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.rows = 1

    def grow(self, rows: int) -> None:
        self.rows = rows

    def begin(self, row: int) -> None:
        assert row < self.rows
        self.begun.append(row)

    def ask(self, rows: np.ndarray, samples: Floats, levels: np.ndarray) -> Loud:
        assert len(set(rows.tolist())) == len(rows) == len(samples) == len(levels)
        return Loud(levels)


@pytest.fixture
def loudness() -> Loudness:
    return Loudness()


@pytest.fixture
def alone() -> Callable[..., Alone]:
    """Makes calls by themselves, with somebody to ask or nobody."""

    def make(judge: TurnJudge | None = None) -> Alone:
        return Alone(DetectorPool(Loudness(), judge))

    return make
