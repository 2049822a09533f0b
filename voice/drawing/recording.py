"""A call's two-channel recording beside its journal: what the line itself carried, on the journal's clock.

Left is what the caller said, right what they heard, both since the answer. The phone network writes the truth beside it
(`<CallSid>.json`: `telephony/simulator/recording.py`); with that the two clocks are brought together by the marks, without
it by laying the sound of the caller's voice over what the detectors made of it.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from telephony.audio import read_wav
from voice.drawing.story import Story
from voice.errors import JournalError

Track: TypeAlias = NDArray[np.float64]

STEP: Final = 0.01  # seconds of recording in one value of a track
QUIETEST: Final = -90.0  # dBFS
AUDIBLE: Final = -45.0  # dBFS above which a hundredth of a second counts as sound
_FARTHEST: Final = 20.0  # seconds the answer may lie before or after the media link's opening


class Mark(msgspec.Struct, frozen=True):
    """A mark as the carrier saw it; instants in samples since the answer."""

    name: str
    returned: int
    why: str  # played | cleared | idle


class Truth(msgspec.Struct, frozen=True):
    """What the phone network knows of the call, as far as it is compared here."""

    sample_rate: int = 8000
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """Levels in dBFS, one per `STEP`. `offset`: when the recording begins, on the journal's clock."""

    path: Path
    said: Track
    heard: Track
    offset: float
    truth: Truth | None

    def index(self, at: float) -> int:
        """The value of a track at an instant of the journal's clock, within the track."""
        return max(0, min(len(self.said), round((at - self.offset) / STEP)))

    def at(self, index: int) -> float:
        return self.offset + index * STEP


def listen(path: Path, story: Story) -> Recording:
    """Read a recording and bring it onto the story's clock. Raises JournalError when it is none, or not of two channels."""
    try:
        rate, samples = read_wav(path)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}") from error
    except (ValueError, EOFError, wave.Error) as error:
        raise JournalError(f"{path}: not a recording: {error}") from error
    if samples.shape[1] != 2 or not len(samples):
        raise JournalError(f"{path}: a recording of a call has two channels, the caller's and ours")
    said, heard = (_levels(samples[:, channel], rate) for channel in (0, 1))
    truth = _truth(path.with_suffix(".json"))
    offset = _by_marks(story, truth)
    return Recording(path, said, heard, by_sound(story, said) if offset is None else offset, truth)


def _levels(samples: NDArray[np.int16], rate: int) -> Track:
    """RMS of each `STEP` in dBFS."""
    length = max(1, round(rate * STEP))
    whole = np.zeros(-(-len(samples) // length) * length)
    whole[: len(samples)] = samples / 32768.0
    power = np.square(whole.reshape(-1, length)).mean(axis=1)
    return np.asarray(np.maximum(QUIETEST, 10 * np.log10(np.maximum(power, 1e-12))))


def _truth(path: Path) -> Truth | None:
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Truth)
    except msgspec.MsgspecError as error:
        raise JournalError(f"{path}: not what the phone network writes beside a recording: {error}") from error


def mark_offsets(story: Story, truth: Truth) -> list[float]:
    """By how much each mark's return lies later on the journal's clock than on the recording's."""
    returned = {mark.name: mark.returned / truth.sample_rate for mark in truth.marks}
    return [at - returned[name] for name, at, _ in story.receipts if name in returned]


def _by_marks(story: Story, truth: Truth | None) -> float | None:
    offsets = mark_offsets(story, truth) if truth is not None else []
    return float(np.median(offsets)) if offsets else None


def detected(story: Story) -> Track:
    """The levels the detectors reported, on the recording's grid from the opening of the media link on."""
    track = np.full(max(1, round(story.length / STEP)), QUIETEST)
    for run in story.windows:
        for number, level in enumerate(run.level):
            start = max(0, round((run.began + number * run.step) / STEP))
            track[start : round((run.began + (number + 1) * run.step) / STEP)] = level
    return track


def by_sound(story: Story, said: Track) -> float:
    """The offset at which the caller's recorded voice lies best under what the detectors heard."""
    ours, theirs = _loud(detected(story)), _loud(said)
    size = 1 << int(np.ceil(np.log2(len(ours) + len(theirs))))
    match: Track = np.fft.irfft(np.fft.rfft(ours, size) * np.conj(np.fft.rfft(theirs, size)), size)
    farthest = min(round(_FARTHEST / STEP), size // 2 - 1)
    shifts = [*range(farthest + 1), *range(-farthest, 0)]
    best: int = max(shifts, key=lambda shift: float(match[shift]))
    return best * STEP


def _loud(track: Track) -> Track:
    """Levels as a signal: how far above -60 dBFS."""
    return np.maximum(0.0, track + 60.0)


def stretches(track: Iterable[bool]) -> list[tuple[int, int]]:
    """The runs of what is true, as (from, to)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], np.fromiter(track, dtype=np.int8), [0]))))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
