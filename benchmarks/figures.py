"""Everything that is derived from one call's recording and what is known of it, for any engine. Pure.

`measure.py` finds where speech begins and ends, with two detectors; this module asks what each sound of the caller's script
came to. A figure on which the detectors disagree is discarded and counted. Times in seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.belief import NO_CLAIMS, Believed, Claims, lost_start, memory_errors
from benchmarks.callers.scenario import NOISES, Kind
from benchmarks.heard import Voice
from benchmarks.measure import (
    AGREE,
    GAP,
    Line,
    Sidecar,
    Span,
    energy_spans,
    gap_after,
    is_talked_over,
    model_spans,
    start_of,
)
from benchmarks.stops import Words, cut_by, undisturbed
from telephony.audio import FRAME, SAMPLE_RATE, read_wav

STOPS_WITHIN: Final = 2.5  # seconds after a barge-in in which the agent must fall silent for it to count as heard
FALSE_STOP_WITHIN: Final = 1.5  # seconds after a noise in which falling silent is the noise's doing
_MADE_UP: Final = int(1.0 * SAMPLE_RATE)  # samples after a late tick in which the buffer is still disturbed by it
_CUT_MARGIN: Final = int(0.08 * SAMPLE_RATE)
_NEAR: Final = int(AGREE * SAMPLE_RATE)
_REST_OF_A_WORD: Final = int(0.6 * SAMPLE_RATE)  # that may still sound after the last word that was heard to its end
_SPEECH: Final = 0.3  # share of a voice's sound that the speech model takes for speech, at the very least
_BREATH: Final = int(0.1 * SAMPLE_RATE)


class Act(msgspec.Struct, frozen=True):
    """What a sound of the caller's was meant to be; `pauses` in samples from its beginning."""

    kind: Kind
    text: str = ""
    pauses: tuple[tuple[int, int], ...] = ()


class Recorded(Sidecar, frozen=True):
    """A call of the harness: the phone network's account of it, and the script's."""

    scenario: str = ""
    ended_by: str = ""
    has_echo: bool = False
    has_noise: bool = False
    late: tuple[tuple[int, float], ...] = ()  # ticks that were late by our own doing: (position, milliseconds)
    ahead: tuple[int, ...] = ()  # samples waiting in the playout buffer, looked at now and then while there were any
    acts: tuple[Act, ...] = ()


@dataclass(slots=True)
class Tally:
    """How often something happened, of how many occasions."""

    hits: int = 0
    of: int = 0

    def count(self, *, hit: bool) -> None:
        self.hits += hit
        self.of += 1


@dataclass(slots=True)
class CallFigures:
    """One call. Lists hold a value for each occasion."""

    call_sid: str
    scenario: str
    seconds: float
    first_audio: list[float] = field(default_factory=list)
    gap: list[float] = field(default_factory=list)
    content_gap: list[float] = field(default_factory=list)
    stop: list[float] = field(default_factory=list)
    missed: Tally = field(default_factory=Tally)  # barge-ins
    stops: dict[str, Tally] = field(default_factory=dict)  # false ones, by what they were for
    cut_offs: Tally = field(default_factory=Tally)
    holes: list[float] = field(default_factory=list)
    late_frames: Tally = field(default_factory=Tally)
    lead: list[float] = field(default_factory=list)
    heard_error: list[float] = field(default_factory=list)
    heard_error_whole: list[float] = field(default_factory=list)
    lost_start: list[float] = field(default_factory=list)
    lost_words: Tally = field(default_factory=Tally)
    double_talk: float = 0.0
    unanswered: int = 0
    discarded: Counter[str] = field(default_factory=Counter)
    carrier_frames_late: int = 0
    is_speech: bool = True  # what the agent utters; if not, it is found by its loudness alone
    claims: Claims = NO_CLAIMS

    def add(self, name: str, one: float | None, other: float | None) -> None:
        """A figure by the two detectors: kept when both agree."""
        if one is None and other is None:
            return
        if one is None or other is None or abs(one - other) > AGREE:
            self.discarded[name] += 1
            return
        getattr(self, name).append(one)

    def stopped(self, why: str, *, hit: bool) -> None:
        """Whether the agent fell silent for something that takes no floor."""
        self.stops.setdefault(why, Tally()).count(hit=hit)


@dataclass(frozen=True, slots=True)
class _Spans:
    """What one detector makes of the two channels."""

    person: list[Span]
    agent: list[Span]


def read_recorded(path: Path) -> Recorded:
    """Raises `msgspec.MsgspecError` and OSError."""
    return msgspec.json.decode(path.read_bytes(), type=Recorded)


def figures_of(
    recorded: Recorded, wav: Path, voice: Voice, replies: Sequence[str], believed: Believed | None
) -> CallFigures:
    """All figures of one recorded call. `replies`: what the agent's script holds, to know what was cut short."""
    _, audio = read_wav(wav)
    mouth, ear = audio[:, 0], audio[:, 1]
    if recorded.has_echo:
        mouth = _own(mouth, recorded.lines)
    both = (_Spans(energy_spans(mouth), energy_spans(ear)), _Spans(model_spans(mouth), model_spans(ear)))
    is_speech = bool(voice.speech) or _length(both[1].agent) > _SPEECH * _length(both[0].agent)
    if not is_speech:  # a beep, a hum: the speech model would throw every figure away
        both = (both[0], _Spans(both[1].person, both[0].agent))
    heard = voice.find(ear, both[0].agent)
    words = Words(heard, replies, None if voice.speech else tuple(clear.at for clear in recorded.clears))
    result = CallFigures(recorded.call_sid, recorded.scenario, recorded.samples / SAMPLE_RATE, is_speech=is_speech)
    result.add("first_audio", *(_first(spans) for spans in both))
    for number, (line, act) in enumerate(zip(recorded.lines, recorded.acts, strict=False)):
        _one_act(result, line, act, _following(recorded, number), both, words)
    _groundless(result, recorded, both, words)
    _flow(result, recorded, ear, words)
    result.double_talk = _overlap(both[0].person, both[0].agent)
    result.carrier_frames_late = recorded.frames_late
    if believed is not None:
        result.claims = believed.claims
        for is_cut, error in memory_errors(heard, replies, believed.agent) if believed.agent is not None else ():
            (result.heard_error if is_cut else result.heard_error_whole).append(error)
        _start(result, recorded, believed)
    return result


def _following(recorded: Recorded, number: int) -> int:
    """When the caller next wants the floor: until then an answer answers this line."""
    later = zip(recorded.lines[number + 1 :], recorded.acts[number + 1 :], strict=False)
    return next((line.start for line, act in later if act.kind not in NOISES), recorded.samples)


def _own(mouth: NDArray[np.int16], lines: Sequence[Line]) -> NDArray[np.int16]:
    """What the caller says themselves, without the agent's voice that comes back between their lines."""
    kept = np.zeros_like(mouth)
    for line in lines:
        place = slice(max(0, line.start - _BREATH), line.end + _BREATH)
        kept[place] = mouth[place]
    return kept


def _first(spans: _Spans) -> float | None:
    return spans.agent[0][0] / SAMPLE_RATE if spans.agent else None


def _one_act(result: CallFigures, line: Line, act: Act, following: int, both: tuple[_Spans, _Spans], words: Words) -> None:
    if act.kind in NOISES:
        _noise(result, line, act, both, words)
        return
    if act.kind is Kind.BARGE_IN:
        _barge_in(result, line, both, words)
    if act.kind is not Kind.HELLO and not is_talked_over(line, both[0].agent):
        ones = [gap_after(line, following, spans.person, spans.agent) for spans in both]
        result.unanswered += ones == [None, None] and act.kind is not Kind.BYE
        result.add("gap", *ones)
        content = _content_gap(line, following, both[0], words)
        if content is not None and None not in ones:
            result.content_gap.append(content)
    for pause in act.pauses:
        _pause(result, line, pause, both)


def _noise(result: CallFigures, line: Line, act: Act, both: tuple[_Spans, _Spans], words: Words) -> None:
    verdicts = {cut_by(line.start, FALSE_STOP_WITHIN, spans.agent, words) is not None for spans in both}
    if len(verdicts) > 1:
        result.discarded[act.kind.value] += 1
        return
    is_stopped = verdicts.pop()
    result.stopped(act.kind.value, hit=is_stopped)
    if act.kind is Kind.BACKCHANNEL:
        result.stopped(f"{act.kind.value}: {act.text}", hit=is_stopped)


def _barge_in(result: CallFigures, line: Line, both: tuple[_Spans, _Spans], words: Words) -> None:
    stops: list[float | None] = []
    for spans in both:
        began = start_of(line, spans.person)
        ended = None if began is None else cut_by(began, STOPS_WITHIN, spans.agent, words)
        stops.append(None if began is None or ended is None else (ended - began) / SAMPLE_RATE)
    result.missed.count(hit=stops == [None, None])
    result.add("stop", *stops)


def _groundless(result: CallFigures, recorded: Recorded, both: tuple[_Spans, _Spans], words: Words) -> None:
    """Replies that broke off although nobody made a sound: by the echo of the agent's own voice, the noise of the room, or
    for no reason at all."""
    why = "echo" if recorded.has_echo else "room" if recorded.has_noise else "nothing"
    for end, is_cut in undisturbed(words, recorded.lines, recorded.samples):
        silences = [any(end - _NEAR < each < end + _REST_OF_A_WORD for _, each in spans.agent) for spans in both]
        if is_cut and silences[0] != silences[1]:
            result.discarded[why] += 1
        elif silences[0] or not is_cut:  # else it goes on, in words that were not recognised
            result.stopped(why, hit=is_cut)


def _content_gap(line: Line, following: int, spans: _Spans, words: Words) -> float | None:
    """Until a sentence of one of the replies is heard: whatever else is said first only bridges the wait."""
    ends = [end for start, end in spans.person if start < line.end and end > line.start]
    starts = [each.start for each in words.content]
    after = [at for at in starts if ends and ends[-1] - FRAME < at < max(following, ends[-1])]
    return (after[0] - ends[-1]) / SAMPLE_RATE if after else None


def _pause(result: CallFigures, line: Line, pause: tuple[int, int], both: tuple[_Spans, _Spans]) -> None:
    begins, ends = line.start + pause[0] + _CUT_MARGIN, line.end - _CUT_MARGIN
    verdicts = {any(begins < start < ends for start, _ in spans.agent) for spans in both}
    if len(verdicts) > 1:
        result.discarded["pause"] += 1
        return
    result.cut_offs.count(hit=verdicts.pop())


# --- the flow of audio ------------------------------------------------------------------------------------------------


def _flow(result: CallFigures, recorded: Recorded, ear: NDArray[np.int16], words: Words) -> None:
    frames = ear[: len(ear) // FRAME * FRAME].reshape(-1, FRAME)
    result.late_frames.of = int(np.any(np.abs(frames) > 60, axis=1).sum())
    for at, samples in _dry(recorded, words):
        if _is_ours(recorded, at):
            result.discarded["holes"] += 1
            continue
        result.late_frames.hits += -(-samples // FRAME)
        if samples / SAMPLE_RATE > GAP:
            result.holes.append(samples / SAMPLE_RATE)
    result.lead = [samples / SAMPLE_RATE for samples in recorded.ahead]


def _dry(recorded: Recorded, words: Words) -> Iterator[Span]:
    """Times the carrier's buffer ran dry in the middle of a reply: nobody on the line had said anything meanwhile, and it
    was no word in between, after which the reply is still to come (that wait is the gap to the first content)."""
    bridged = [each.end for each in words.bridges]
    for underrun in recorded.underruns:
        end = underrun.at + underrun.samples
        if any(-_NEAR <= underrun.at - at < _REST_OF_A_WORD for at in bridged):
            continue
        if not any(line.start < end and line.end > underrun.at - FRAME for line in recorded.lines):
            yield underrun.at, underrun.samples


def _is_ours(recorded: Recorded, at: int) -> bool:
    """Whether the carrier had just been late itself: making up for it, it empties its buffer faster than real time."""
    return any(at - _MADE_UP < position <= at for position, _ in recorded.late)


def _length(spans: Sequence[Span]) -> int:
    return sum(end - start for start, end in spans)


def _overlap(ones: Sequence[Span], others: Sequence[Span]) -> float:
    return sum(max(0, min(a[1], b[1]) - max(a[0], b[0])) for a in ones for b in others) / SAMPLE_RATE


def _start(result: CallFigures, recorded: Recorded, believed: Believed) -> None:
    """How much of the caller's first line never reached the ears, in seconds and in words."""
    if not recorded.lines:
        return
    line = recorded.lines[0]
    length = (line.end - line.start) / SAMPLE_RATE
    lost = lost_start(length, believed)
    if lost is not None:
        count = len(line.text.split())
        result.lost_start.append(lost)
        result.lost_words.of += count
        result.lost_words.hits += min(count, round(count * lost / length))
