"""A recorded call for the eye: both voices' loudness, and what was meant where. Chooses the call worth showing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import CallFigures, Recorded, read_recorded
from benchmarks.report.model import Mark, Timeline
from telephony.audio import SAMPLE_RATE, read_wav

STEP: Final = 0.05  # seconds a value
LONGEST: Final = 45.0  # seconds shown
_LOUDEST, _SOFTEST = -8.0, -45.0  # dBFS


def timeline_of(folder: Path, calls: Sequence[CallFigures]) -> Timeline | None:
    """The call in which the caller does most: the same one with every engine, whatever came of it."""
    if not calls:
        return None
    found = [read_recorded(folder / "calls" / f"{each.call_sid}.json") for each in calls]
    recorded = min(found, key=lambda each: (-len({act.kind for act in each.acts}), each.call_sid))
    return drawn(recorded, read_wav(Path(recorded.wav))[1])


def drawn(recorded: Recorded, audio: NDArray[np.int16]) -> Timeline:
    shown = audio[: int(LONGEST * SAMPLE_RATE)]
    limit = len(shown) / SAMPLE_RATE
    marks = [
        Mark(at=line.start / SAMPLE_RATE, until=line.end / SAMPLE_RATE, kind=act.kind.value, text=line.text)
        for line, act in zip(recorded.lines, recorded.acts, strict=False)
    ]
    marks += [Mark(at=clear.at / SAMPLE_RATE, kind="clear") for clear in recorded.clears]
    return Timeline(
        title=recorded.scenario,
        step=STEP,
        caller=envelope(shown[:, 0]),
        agent=envelope(shown[:, 1]),
        marks=tuple(sorted((mark for mark in marks if mark.at < limit), key=lambda mark: mark.at)),
    )


def envelope(samples: NDArray[np.int16]) -> tuple[float, ...]:
    """Loudness between 0 and 1, a value every `STEP` seconds."""
    size = int(STEP * SAMPLE_RATE)
    frames = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64) / 32768
    level = 10 * np.log10(np.maximum((frames**2).mean(axis=1), 1e-9))
    scaled = np.clip((level - _SOFTEST) / (_LOUDEST - _SOFTEST), 0, 1)
    return tuple(round(float(value), 2) for value in scaled)
