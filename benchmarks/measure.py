"""What a caller would measure, from the two-channel recording of a call: left the person's mouth, right the person's ear.

Every speech boundary is found by two independent detectors, one by energy and one by a speech model; a figure counts only
when both agree, and what is discarded is counted. Times in seconds, positions in samples at 8 kHz since the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.segments import place_of
from telephony.audio import SAMPLE_RATE, encode, read_wav
from voice.providers.silero import SileroActivity

FRAME: Final = 80  # samples, 10 ms
LOUD: Final = -42.0  # dBFS: above the noise of any telephone line, below any speech that is understood
SOFT: Final = -48.0  # dBFS: where a quiet line lets a word's soft end be heard
_ABOVE_ROOM: Final = 8.0  # dB by which speech stands out of a room
BRIDGED: Final = int(0.35 * SAMPLE_RATE)  # a shorter silence lies within one stretch of speech
SHORTEST: Final = int(0.06 * SAMPLE_RATE)  # a shorter sound is no speech
AGREE: Final = 0.12  # seconds two detectors may differ by
STOPPED_WITHIN: Final = 2.0  # seconds after a barge-in in which the agent must have been made silent for it to be one
GAP: Final = 0.04  # seconds of silence within a reply that an ear notices

NOT_TOLD: Final[Mapping[str, int]] = MappingProxyType({})  # of a call that left no journal

Span: TypeAlias = tuple[int, int]
Detector: TypeAlias = Callable[[NDArray[np.int16]], list[Span]]


class _Mark(msgspec.Struct, frozen=True):
    name: str
    placed: int
    returned: int | None
    why: str


class Clear(msgspec.Struct, frozen=True):
    at: int
    dropped: int


class Underrun(msgspec.Struct, frozen=True):
    at: int
    samples: int


class Line(msgspec.Struct, frozen=True):
    text: str
    start: int
    end: int


class Sidecar(msgspec.Struct, frozen=True):
    """What the phone network knows of a call; the fields that are read here."""

    call_sid: str
    to: str = ""
    from_: str = msgspec.field(default="", name="from")
    direction: str = ""
    outcome: str = ""
    wav: str = ""
    samples: int = 0
    lines: tuple[Line, ...] = ()
    marks: tuple[_Mark, ...] = ()
    clears: tuple[Clear, ...] = ()
    underruns: tuple[Underrun, ...] = ()
    frames_late: int = 0
    first_heard: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One call's figures, in seconds."""

    call_sid: str
    first_audio: float | None = None
    gaps: tuple[float, ...] = ()  # response gap of every turn: the person fell silent -> the agent is audible
    stops: tuple[float, ...] = ()  # barge-in: the person began -> the agent is silent
    holes: tuple[float, ...] = ()  # silences of more than 40 ms within a reply
    discarded: int = 0  # figures on which the two detectors did not agree
    frames_late: int = 0


@dataclass(frozen=True, slots=True)
class Distribution:
    """A figure over many calls."""

    values: tuple[float, ...] = field(repr=False)

    @property
    def count(self) -> int:
        return len(self.values)

    def at(self, percentile: float) -> float | None:
        """The percentile (nearest rank); None when there is nothing."""
        if not self.values:
            return None
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, max(0, int(np.ceil(percentile / 100 * len(ordered))) - 1))]


def read_sidecar(path: Path) -> Sidecar:
    """Raises `msgspec.MsgspecError` and OSError."""
    return msgspec.json.decode(path.read_bytes(), type=Sidecar)


def measure(sidecar: Sidecar, wav: Path, segments: Mapping[str, int] = NOT_TOLD) -> Measured:
    """All figures of one recorded call. `segments`: see `holes`."""
    _, audio = read_wav(wav)
    mouth, ear = audio[:, 0], audio[:, 1]
    by_energy = _figures(sidecar, energy_spans(mouth), energy_spans(ear))
    by_model = _figures(sidecar, model_spans(mouth), model_spans(ear))
    first, lost_first = agreed([by_energy.first_audio], [by_model.first_audio])
    gaps, lost_gaps = agreed(by_energy.gaps, by_model.gaps)
    stops, lost_stops = agreed(by_energy.stops, by_model.stops)
    return Measured(
        sidecar.call_sid,
        first[0] if first else None,
        gaps,
        stops,
        tuple(holes(sidecar, segments)),
        lost_first + lost_gaps + lost_stops,
        sidecar.frames_late,
    )


# --- two detectors ----------------------------------------------------------------------------------------------------


def energy_spans(samples: NDArray[np.int16]) -> list[Span]:
    """Stretches of sound, to 10 ms, by level alone; the threshold follows the noise of the room."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64) / 32768
    level = 10 * np.log10(np.maximum((frames**2).mean(axis=1), 1e-12))
    room = float(np.percentile(level, 25)) if len(level) else SOFT
    return _merged(_runs(level > min(LOUD, max(SOFT, room + _ABOVE_ROOM)), FRAME))


def model_spans(samples: NDArray[np.int16]) -> list[Span]:
    """Stretches of speech, to 32 ms, by a speech model; moved back by the half window it looks behind."""
    evidence = SileroActivity().feed(encode(samples))
    # The model is slow to let go: on telephone speech its ends lie about three windows behind the last sound.
    is_speech = np.array([piece.speech > 0.35 for piece in evidence], dtype=bool)
    return [(start, max(start, end - 3 * 256)) for start, end in _merged(_runs(is_speech, 256))]


def _runs(flags: NDArray[np.bool_], step: int) -> Iterator[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        yield int(start) * step, int(end) * step


def _merged(runs: Iterator[Span]) -> list[Span]:
    spans: list[Span] = []
    for start, end in runs:
        if spans and start - spans[-1][1] < BRIDGED:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return [(start, end) for start, end in spans if end - start >= SHORTEST]


# --- figures ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Figures:
    first_audio: float | None
    gaps: tuple[float | None, ...]
    stops: tuple[float | None, ...]


def _figures(sidecar: Sidecar, person: list[Span], agent: list[Span]) -> _Figures:
    """What one detector makes of the call; None where it finds no boundary at a line the person is known to have said."""
    first = agent[0][0] / SAMPLE_RATE if agent else None
    gaps: list[float | None] = []
    stops: list[float | None] = []
    for number, line in enumerate(sidecar.lines):
        following = sidecar.lines[number + 1].start if number + 1 < len(sidecar.lines) else sidecar.samples
        stops.append(stop_after(line, sidecar.clears, person, agent))
        if not is_talked_over(line, agent):
            gaps.append(gap_after(line, following, person, agent))
    return _Figures(first, tuple(gaps), tuple(stops))


def is_talked_over(line: Line, agent: list[Span]) -> bool:
    """Whether the agent still talks when the line ends: then nobody waits for anything."""
    return any(start < line.end - FRAME and end > line.end + FRAME for start, end in agent)


def stop_after(line: Line, clears: Sequence[Clear], person: list[Span], agent: list[Span]) -> float | None:
    """How long the agent was still heard after the person began; None where it was not made silent, but came to its end.

    A lower voice clears as well, and what it says follows at once: a clear counts where silence began. Much later it is
    not for this: an opening over a voicemail's greeting stops when the machine is found out.
    """
    began = start_of(line, person)
    clears = [clear for clear in clears if line.start <= clear.at <= line.start + STOPPED_WITHIN * SAMPLE_RATE]
    ended = [end for start, end in agent if began is not None and start < began <= end]
    if began is None or not any(abs(clear.at - end) <= AGREE * SAMPLE_RATE for clear in clears for end in ended):
        return None
    return (ended[0] - began) / SAMPLE_RATE


def gap_after(line: Line, following: int, person: list[Span], agent: list[Span]) -> float | None:
    fell_silent = [end for start, end in person if start < line.end and end > line.start]
    if not fell_silent:
        return None
    end = fell_silent[-1]
    answered = [start for start, _ in agent if end - AGREE * SAMPLE_RATE < start < max(following, end)]
    return (answered[0] - end) / SAMPLE_RATE if answered else None


def start_of(line: Line, person: list[Span]) -> int | None:
    """Where a line begins to sound. Never before it was said: what is heard before is the room, or the agent's own voice
    that comes back."""
    return next((max(start, line.start) for start, end in person if start < line.end and end > line.start), None)


def agreed(ones: Sequence[float | None], others: Sequence[float | None]) -> tuple[tuple[float, ...], int]:
    """The figures on which both agree (the energy detector's value, which is the finer), and how many are discarded."""
    kept: list[float] = []
    discarded = 0
    for one, other in zip(ones, others, strict=False):
        if one is None and other is None:
            continue
        if one is None or other is None or abs(one - other) > AGREE:
            discarded += 1
        else:
            kept.append(one)
    return tuple(kept), discarded + abs(len(ones) - len(others))


def holes(sidecar: Sidecar, segments: Mapping[str, int] = NOT_TOLD) -> Iterator[float]:
    """Silences within a reply: the carrier's buffer ran dry between two marks of the same reply.

    A mark does not tell what it stands in. Where the call's journal does (`segments`, see `benchmarks.segments`), the wait
    between a word in between ("okay", "let me see") and what follows it is none; without it, that counts too.
    """
    played = [mark for mark in sidecar.marks if mark.why == "played" and mark.returned is not None]
    for underrun in sidecar.underruns:
        end = underrun.at + underrun.samples
        before = [mark for mark in played if (mark.returned or 0) <= underrun.at + FRAME * 2]
        after = [mark for mark in played if (mark.returned or 0) >= end]
        if not before or not after or _reply_of(before[-1]) != _reply_of(after[0]):
            continue
        spoken, following = (segments.get(place_of(mark.name), 0) for mark in (before[-1], after[0]))
        is_wait = spoken < 0 and following != spoken
        if not is_wait and underrun.samples / SAMPLE_RATE > GAP:
            yield underrun.samples / SAMPLE_RATE


def _reply_of(mark: _Mark) -> str:
    """Our marks are named `<reply>/<position>`, with a number behind that where audio was sent again."""
    return mark.name.partition("/")[0]
