"""The detectors of all calls of a process: a window of every call that has one, judged together.

Around the speech model it puts, in this order: the echo guard (is it us?), the foreground filter (is it the caller or the
room?), and, where the voice pauses, how the last seconds sounded. It measures and decides nothing: `Floor` does. Arithmetic
is done for all calls at once, since asking numpy costs more than what it computes; what is rare is done call by call.
`turn` judges all that waits; `next` and `finish` are its two halves, for whoever lets the model think elsewhere
(`pulse.py`).
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from telephony.audio import floats, levels
from voice.detectors import prosody
from voice.detectors.call import CallDetectors, Features, Found
from voice.detectors.foreground import Beliefs, Foreground
from voice.detectors.pauses import WINDOW, Pauses, States, telling
from voice.detectors.smart_turn import TurnJudge
from voice.events import Samples, ToneHeard, VoiceEvidence
from voice.tones import Tones

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
RowIds = NDArray[np.intp]

LARGEST: Final = 256  # windows judged at once
_AUDIBLE: Final = -65.0  # dBFS: an echo under it disturbs nobody
_MAYBE: Final = 0.3  # probability of speech, from which on it may be a voice whose colour says something
_FIRST_ROWS: Final = 16


class Rowed(Protocol):
    """Something that remembers of every call what it needs, in a row of its own."""

    def grow(self, rows: int) -> None:
        """Make room for so many rows altogether."""

    def begin(self, row: int) -> None:
        """A new call has this row."""


class Question(Protocol):
    """Windows put to a model."""

    def think(self) -> None:
        """What takes long. Touches nothing but the question, so that another thread may do it."""

    def answer(self) -> Doubles:
        """A probability each; the model remembers the windows from now on."""


class SpeechModel(Rowed, Protocol):
    """Is it speech?"""

    def ask(self, rows: RowIds, samples: Floats, levels: Doubles) -> Question:
        """Whether the next window of each of these rows is speech; `levels` are the windows' dBFS."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """At most one window of each of these calls, on its way through the detectors."""

    calls: list[CallDetectors]
    rows: RowIds
    ends: NDArray[np.int64]
    samples: Floats
    levels: Doubles
    question: Question


class DetectorPool:
    """All calls' detectors. Everything in one thread, but what a batch's question has to think about."""

    def __init__(self, model: SpeechModel, judge: TurnJudge | None = None) -> None:
        self._model = model
        self._judge = judge
        self._foreground, self._pauses, self._tones = Foreground(_FIRST_ROWS), Pauses(_FIRST_ROWS), Tones(_FIRST_ROWS)
        self._rowed: tuple[Rowed, ...] = (model, self._foreground, self._pauses, self._tones)
        model.grow(_FIRST_ROWS)
        self._room = _FIRST_ROWS
        self._rows = 0  # ever given out
        self._free: list[int] = []
        self._waiting: deque[tuple[CallDetectors, bytes]] = deque()
        self.on_waiting: Callable[[], None] | None = None  # who is to know that there is something to judge
        self.most_behind: int | None = None  # samples of a call that may wait; what is older is passed over
        self.passed_over = 0  # windows

    def enter(self) -> CallDetectors:
        """One more call. Its row is given to another when it is forgotten."""
        if self._free:
            row = self._free.pop()
        else:
            row, self._rows = self._rows, self._rows + 1
        call = CallDetectors(self, row, self._judge)
        weakref.finalize(call, self._free.append, row)
        return call

    @property
    def calls(self) -> int:
        """How many have a row."""
        return self._rows - len(self._free)

    def put(self, call: CallDetectors, window: bytes) -> None:
        """A window to be judged. Never blocks."""
        self._waiting.append((call, window))
        if self.on_waiting is not None:
            self.on_waiting()

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to judge."""
        return bool(self._waiting)

    def turn(self) -> list[tuple[CallDetectors, Found]]:
        """Judge all that waits; what was found, each call's in order."""
        found: list[tuple[CallDetectors, Found]] = []
        while (batch := self.next()) is not None:
            batch.question.think()
            found += self.finish(batch)
        return found

    def next(self) -> Batch | None:
        """Begin with what waits. A batch is finished, or given up, before the next one is begun."""
        while self._waiting:
            calls, windows = self._taken()
            if calls:
                ends = np.array([call.take(window) for call, window in zip(calls, windows, strict=True)])
                rows = np.array([call.row for call in calls], np.intp)
                self._make_room(calls, rows)
                samples = floats(b"".join(windows)).reshape(-1, WINDOW)
                level = levels(samples)
                return Batch(calls, rows, ends, samples, level, self._model.ask(rows, samples, level))
        return None

    def _taken(self) -> tuple[list[CallDetectors], list[bytes]]:
        """At most one window of each call: the next one needs what this one leaves behind."""
        batch: dict[CallDetectors, bytes] = {}
        again: list[tuple[CallDetectors, bytes]] = []
        for _ in range(min(len(self._waiting), LARGEST)):
            call, window = self._waiting.popleft()
            if call.is_over:
                continue
            if self.most_behind is not None and call.behind > self.most_behind:
                call.take(window)
                self.passed_over += 1
            elif call in batch:
                again.append((call, window))
            else:
                batch[call] = window
        self._waiting.extendleft(reversed(again))
        return list(batch), list(batch.values())

    def finish(self, batch: Batch) -> list[tuple[CallDetectors, Found]]:
        """What was found in a batch whose question has been thought about."""
        calls, rows, ends, samples, level = batch.calls, batch.rows, batch.ends, batch.samples, batch.levels
        found: list[tuple[CallDetectors, Found]] = []
        speech = batch.question.answer()
        echo = _echoes(calls, speech, level, ends)
        speech = self._foreground.step(rows, speech * (1 - echo), level)
        beliefs = self._foreground.of(rows)
        states = self._pauses.step(rows, speech, ends)
        features = _features(beliefs, speech, prosody.colours(samples))
        _listen(calls, states, beliefs, features)
        for tone in self._tones.step(rows, samples, level):
            end = Samples(int(ends[tone.index]))
            found.append((calls[tone.index], ToneHeard(end, tone.frequency, tone.duration)))
        columns = zip(calls, ends.tolist(), _short(speech), _short(level), _short(echo), features, strict=True)
        for call, end, said, loud, ours, known in columns:
            found.append((call, VoiceEvidence(end, said, loud, ours, known)))
        return found

    def _make_room(self, calls: list[CallDetectors], rows: RowIds) -> None:
        """Before a call's first window: its row is as new."""
        if rows.max() >= self._room:
            self._room = 2 * int(rows.max())
            for rowed in self._rowed:
                rowed.grow(self._room)
        for call in calls:
            if call.is_fresh:
                call.is_fresh = False
                for rowed in self._rowed:
                    rowed.begin(call.row)


class Alone:
    """One call by itself, judged as it is fed: for whoever has a clock of their own."""

    def __init__(self, pool: DetectorPool) -> None:
        self._pool = pool
        self._call = pool.enter()
        self.played = self._call.played
        self.cleared = self._call.cleared

    def feed(self, audio: bytes) -> list[VoiceEvidence]:
        """Take caller audio (mu-law, any length, in order); return the evidence of every window it completes."""
        self._call.feed(audio)
        return [evidence for _, evidence in self._pool.turn() if isinstance(evidence, VoiceEvidence)]


def _echoes(calls: list[CallDetectors], speech: Doubles, level: Doubles, ends: NDArray[np.int64]) -> Doubles:
    """That it is our own voice: asked only where something was sent that may be coming back."""
    echo = np.zeros(len(calls))
    sounding = ends <= np.array([call.sounds_until for call in calls])
    for at in np.flatnonzero(sounding & (level >= _AUDIBLE)).tolist():
        echo[at] = calls[at].echo(speech[at])
    return echo


def _features(beliefs: Beliefs, speech: Doubles, colours: Doubles) -> list[Features]:
    known = zip(_short(beliefs["room"]), _short(beliefs["caller"]), speech.tolist(), _short(colours), strict=True)
    return [
        (("room", room), ("caller_level", caller)) + ((("colour", colour),) if said > _MAYBE else ())
        for room, caller, said, colour in known
    ]


def _listen(calls: list[CallDetectors], states: States, beliefs: Beliefs, features: list[Features]) -> None:
    """Add what pauses have to tell, in the few calls that are in one just now."""
    for at in telling(states):
        rest, began, ended = (int(states[name][at]) for name in ("rest", "began", "ended"))
        features[at] += calls[at].listen(rest, began, ended, float(beliefs["room"][at]))
    for at, call in enumerate(calls):
        if call.answer is not None:
            features[at] += call.answered(is_voiced=bool(states["is_voiced"][at]))


def _short(values: Doubles) -> list[float]:
    """As it is told and written down: four decimals."""
    short: list[float] = values.round(4).tolist()
    return short
