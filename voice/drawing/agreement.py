"""Whether a journal and a recording tell of the same call: what the core believed against what the line carried. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from voice.drawing.recording import AUDIBLE, STEP, Recording, Track, by_sound, detected, mark_offsets, stretches
from voice.drawing.story import Gap, Story

_MARK_ASTRAY: Final = 0.1  # seconds nine in ten marks come back within, of the others: a frame, the socket, our loop
_LAG: Final = 0.15  # seconds the detectors may run behind the line: a window and a half, and what the socket holds
_ALIKE: Final = 0.8  # correlation of the two levels of one voice
_STRAY: Final = 0.2  # seconds of our voice on the line that the journal does not know of
_GAP_ASTRAY: Final = 0.25  # seconds: detectors hear a voice end later than it does, by their lag and its last soft sounds
_AROUND: Final = 0.5  # seconds around an instant in which its sound is looked for
_PAUSE: Final = 20  # hundredths of a second without sound: our voice has stopped


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison. `agrees` is None where there was nothing to compare."""

    name: str
    agrees: bool | None
    says: str


@dataclass(frozen=True, slots=True)
class Measured:
    """An interval of the call as the recording has it; seconds on the journal's clock."""

    began: float
    ended: float

    @property
    def length(self) -> float:
        return self.ended - self.began


def compare(story: Story, recording: Recording) -> tuple[Finding, ...]:
    """Everything that can be compared."""
    return (
        _marks(story, recording),
        _callers_voice(story, recording),
        _our_voice(story, recording),
        _gaps(story, recording),
    )


def _marks(story: Story, recording: Recording) -> Finding:
    name = "marks"
    if recording.truth is None or not recording.truth.marks or not story.receipts:
        return Finding(name, None, "nothing beside the recording tells of marks")
    why = {mark.name: mark.why for mark in recording.truth.marks}
    known = [(name, is_heard) for name, _, is_heard in story.receipts if name in why]
    otherwise = [name for name, is_heard in known if is_heard and why[name] == "cleared"]
    crossed = sum(not is_heard and why[name] != "cleared" for name, is_heard in known)
    offsets = mark_offsets(story, recording.truth)
    astray = sorted(abs(offset - recording.offset) for offset in offsets) or [0.0]
    most, worst = astray[int(0.9 * (len(astray) - 1))], astray[-1]
    says = f"{len(known)} of {len(story.receipts)} known to the line; nine in ten came back within {most * 1000:.0f} ms"
    says += f" of their time, the worst {worst * 1000:.0f} ms off"
    if otherwise:
        says += f"; believed heard, but thrown away by the line: {', '.join(otherwise[:5])}"
    if crossed:
        says += f"; {crossed} crossed a clear on their way: heard, and remembered as not heard"
    is_all = len(known) == len(story.receipts)
    return Finding(name, is_all and not otherwise and most <= _MARK_ASTRAY, says)


def _callers_voice(story: Story, recording: Recording) -> Finding:
    """One voice heard twice: by the detectors and by the recorder."""
    name = "the caller's voice"
    lag = by_sound(story, recording.said) - recording.offset
    start = round((recording.offset + lag) / STEP)
    said, ours = recording.said[max(0, -start) :], detected(story)[max(0, start) :]
    length = min(len(said), len(ours))
    if length < 1 / STEP or said[:length].max() < AUDIBLE:
        return Finding(name, None, "nothing was said")
    one, other = (np.maximum(_smooth(track[:length]), -60.0) for track in (said, ours))
    alike = float(np.corrcoef(one, other)[0, 1]) if one.std() and other.std() else 0.0
    says = f"levels correlate by {alike:.2f}, the detectors {lag * 1000:+.0f} ms against the line"
    return Finding(name, alike >= _ALIKE and abs(lag) <= _LAG, says)


def _smooth(track: Track) -> Track:
    return np.convolve(track, np.ones(7) / 7, mode="same")


def _our_voice(story: Story, recording: Recording) -> Finding:
    """What sounds on our channel must be known as heard, and what is known as heard must sound."""
    name = "our voice"
    known = np.zeros(len(recording.heard), dtype=bool)
    for segment in story.segments:
        if segment.began is not None and segment.ended is not None:
            cut = _AROUND if segment.cut is not None else 0.0  # the last word, broken off, was heard and is not counted
            known[recording.index(segment.began - 0.06) : recording.index(segment.ended + 0.06 + cut)] = True
    sounds = recording.heard > AUDIBLE
    sounds[recording.index(story.length) :] = False
    stray = float((sounds & ~known).sum()) * STEP
    mute = [
        segment.text
        for segment in story.segments
        if segment.began is not None
        and segment.ended is not None
        and segment.heard > _AROUND
        and not sounds[recording.index(segment.began) : recording.index(segment.ended)].any()
    ]
    says = f"{sounds.sum() * STEP:.1f} s of sound, {stray * 1000:.0f} ms of it unknown to the journal"
    if mute:
        says += f"; nothing sounds where “{mute[0]}” was heard"
    return Finding(name, stray <= _STRAY and not mute, says)


def _gaps(story: Story, recording: Recording) -> Finding:
    name = "response gaps"
    pairs = [(gap, measured) for gap in story.gaps if (measured := measured_gap(gap, recording)) is not None]
    if not pairs:
        return Finding(name, None, "none")
    apart = sorted(measured.length - gap.length for gap, measured in pairs)
    worst, usual = max(apart, key=abs), apart[len(apart) // 2]
    says = f"{len(pairs)} measured in the sound, against the journal's: {usual * 1000:+.0f} ms at the median,"
    says += f" {worst * 1000:+.0f} at worst"
    return Finding(name, abs(worst) <= _GAP_ASTRAY, says)


def measured_gap(gap: Gap, recording: Recording) -> Measured | None:
    """The same gap between the last sound of one channel and the first of the other."""
    ended = _last(recording, recording.said, gap.began - _AROUND, min(gap.began + _AROUND, gap.ended))
    began = _first(recording, recording.heard, gap.ended - _AROUND, gap.ended + _AROUND)
    return Measured(ended, began) if ended is not None and began is not None else None


def measured_stops(story: Story, recording: Recording) -> Iterator[Measured]:
    """From the caller's first sound of each barge-in to our last."""
    for barge in story.barge_ins:
        began = _first(recording, recording.said, barge.began - _AROUND / 2, barge.stopped)
        start = recording.index(barge.began)
        runs = [(a, b) for a, b in stretches(recording.heard[start : recording.index(barge.stopped + 2.0)] > AUDIBLE)]
        last = 0
        for a, b in runs:
            if a - last > _PAUSE:
                break
            last = b
        if began is not None and last:
            yield Measured(began, recording.at(start + last))


def _first(recording: Recording, track: Track, since: float, until: float) -> float | None:
    return _edge(recording, track, since, until, lambda found: found[0][0])


def _last(recording: Recording, track: Track, since: float, until: float) -> float | None:
    return _edge(recording, track, since, until, lambda found: found[-1][1])


def _edge(
    recording: Recording, track: Track, since: float, until: float, pick: Callable[[list[tuple[int, int]]], int]
) -> float | None:
    start = recording.index(since)
    found = [run for run in stretches(track[start : recording.index(until)] > AUDIBLE) if run[1] - run[0] >= 2]
    return recording.at(start + pick(found)) if found else None
