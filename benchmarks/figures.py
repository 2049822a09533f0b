"""Everything that is derived from one call's recording and what is known of it, for any engine. Pure.

`measure.py` finds where speech begins and ends, with two detectors; this module asks what each sound of the caller's script
came to. A figure on which the detectors disagree is discarded and counted. Times in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.callers.scenario import NOISES, Kind, sentences
from benchmarks.heard import HeardSentence, Voice, believed_count
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
from telephony.audio import FRAME, SAMPLE_RATE, read_wav

STOPS_WITHIN: Final = 2.5  # seconds after a barge-in in which the agent must fall silent for it to count as heard
FALSE_STOP_WITHIN: Final = 1.5  # seconds after a noise in which falling silent is the noise's doing
_NATURAL: Final = int(0.5 * SAMPLE_RATE)  # a reply that ends this near its last word has ended by itself
_MADE_UP: Final = int(1.0 * SAMPLE_RATE)  # samples after a late tick in which the buffer is still disturbed by it
_CUT_MARGIN: Final = int(0.08 * SAMPLE_RATE)


class Act(msgspec.Struct, frozen=True):
    """What a sound of the caller's was meant to be; `pauses` in samples from its beginning."""

    kind: Kind
    text: str = ""
    pauses: tuple[tuple[int, int], ...] = ()


class Recorded(Sidecar, frozen=True):
    """A call of the harness: the phone network's account of it, and the script's."""

    scenario: str = ""
    ended_by: str = ""
    late: tuple[tuple[int, float], ...] = ()  # ticks that were late by our own doing: (position, milliseconds)
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class Believed:
    """What the engine says of the call: the agent's turns as it remembers them, and what its ears received."""

    agent: tuple[str, ...] = ()
    utterances: tuple[tuple[int, float], ...] = ()  # (first sample, seconds)


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
    barge_ins: int = 0
    missed_barge_ins: int = 0
    noises: int = 0
    false_stops: int = 0
    backchannels: int = 0
    backchannel_stops: int = 0
    pauses: int = 0
    cut_offs: int = 0
    holes: list[float] = field(default_factory=list)
    agent_frames: int = 0
    late_frames: int = 0
    lead: list[float] = field(default_factory=list)
    heard_error: list[float] = field(default_factory=list)
    heard_error_whole: list[float] = field(default_factory=list)
    lost_start: list[float] = field(default_factory=list)
    double_talk: float = 0.0
    unanswered: int = 0
    discarded: int = 0
    carrier_frames_late: int = 0

    def add(self, name: str, one: float | None, other: float | None) -> None:
        """A figure by the two detectors: kept when both agree."""
        if one is None and other is None:
            return
        if one is None or other is None or abs(one - other) > AGREE:
            self.discarded += 1
            return
        getattr(self, name).append(one)


@dataclass(frozen=True, slots=True)
class _Words:
    """What is known of the agent's words. Of a voice nobody knows, only a clear tells a reply cut short from a whole one."""

    heard: Sequence[HeardSentence]
    replies: Sequence[str]
    clears: tuple[int, ...] | None


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
    both = (_Spans(energy_spans(mouth), energy_spans(ear)), _Spans(model_spans(mouth), model_spans(ear)))
    heard = voice.find(ear, both[0].agent)
    words = _Words(heard, replies, None if voice.speech else tuple(clear.at for clear in recorded.clears))
    result = CallFigures(recorded.call_sid, recorded.scenario, recorded.samples / SAMPLE_RATE)
    result.add("first_audio", *(_first(spans) for spans in both))
    for number, (line, act) in enumerate(zip(recorded.lines, recorded.acts, strict=False)):
        following = recorded.lines[number + 1].start if number + 1 < len(recorded.lines) else recorded.samples
        _one_act(result, line, act, following, both, words)
    _flow(result, recorded, ear)
    result.double_talk = _overlap(both[0].person, both[0].agent)
    result.carrier_frames_late = recorded.frames_late
    if believed is not None:
        _memory(result, heard, replies, believed)
        _start(result, recorded, both[0].person, believed)
    return result


def _first(spans: _Spans) -> float | None:
    return spans.agent[0][0] / SAMPLE_RATE if spans.agent else None


def _one_act(
    result: CallFigures,
    line: Line,
    act: Act,
    following: int,
    both: tuple[_Spans, _Spans],
    words: _Words,
) -> None:
    if act.kind in NOISES:
        _noise(result, line, act, both, words)
        return
    if act.kind is Kind.BARGE_IN:
        _barge_in(result, line, both, words)
    if act.kind is not Kind.HELLO and not is_talked_over(line, both[0].agent):
        ones = [gap_after(line, following, spans.person, spans.agent) for spans in both]
        result.unanswered += ones == [None, None] and act.kind is not Kind.BYE
        result.add("gap", *ones)
        content = _content_gap(line, following, both[0], words.heard)
        if content is not None and None not in ones:
            result.content_gap.append(content)
    for pause in act.pauses:
        _pause(result, line, pause, both)


def _noise(
    result: CallFigures,
    line: Line,
    act: Act,
    both: tuple[_Spans, _Spans],
    words: _Words,
) -> None:
    verdicts = {_cut_by(line.start, FALSE_STOP_WITHIN, spans.agent, words) is not None for spans in both}
    if len(verdicts) > 1:
        result.discarded += 1
        return
    is_stopped = verdicts.pop()
    if act.kind is Kind.BACKCHANNEL:
        result.backchannels += 1
        result.backchannel_stops += is_stopped
    else:
        result.noises += 1
        result.false_stops += is_stopped


def _barge_in(result: CallFigures, line: Line, both: tuple[_Spans, _Spans], words: _Words) -> None:
    stops: list[float | None] = []
    for spans in both:
        began = start_of(line, spans.person)
        ended = None if began is None else _cut_by(began, STOPS_WITHIN, spans.agent, words)
        stops.append(None if began is None or ended is None else (ended - began) / SAMPLE_RATE)
    result.barge_ins += 1
    result.missed_barge_ins += stops == [None, None]
    result.add("stop", *stops)


def _cut_by(began: int, within: float, agent: Sequence[Span], words: _Words) -> int | None:
    """When the agent, who was talking at `began`, fell silent before its reply was over; None if it did not."""
    ends = [end for start, end in agent if start < began < end]
    if not ends or ends[0] - began > within * SAMPLE_RATE:
        return None
    if words.clears is not None:
        return ends[0] if any(began <= at <= ends[0] + _NATURAL for at in words.clears) else None
    last = [each for each in words.heard if each.start < ends[0]]
    is_over = (
        bool(last)
        and last[-1].is_whole
        and _is_last(last[-1].text, words.replies)
        and abs(last[-1].end - ends[0]) < _NATURAL
    )
    return None if is_over else ends[0]


def _is_last(sentence: str, replies: Sequence[str]) -> bool:
    return any(sentences(reply)[-1] == sentence for reply in replies)


def _content_gap(line: Line, following: int, spans: _Spans, heard: Sequence[HeardSentence]) -> float | None:
    ends = [end for start, end in spans.person if start < line.end and end > line.start]
    starts = [each.start for each in heard if ends and ends[-1] - FRAME < each.start < max(following, ends[-1])]
    return (starts[0] - ends[-1]) / SAMPLE_RATE if starts else None


def _pause(result: CallFigures, line: Line, pause: tuple[int, int], both: tuple[_Spans, _Spans]) -> None:
    begins, ends = line.start + pause[0] + _CUT_MARGIN, line.end - _CUT_MARGIN
    verdicts = {any(begins < start < ends for start, _ in spans.agent) for spans in both}
    if len(verdicts) > 1:
        result.discarded += 1
        return
    result.pauses += 1
    result.cut_offs += verdicts.pop()


# --- the flow of audio ------------------------------------------------------------------------------------------------


def _flow(result: CallFigures, recorded: Recorded, ear: NDArray[np.int16]) -> None:
    frames = ear[: len(ear) // FRAME * FRAME].reshape(-1, FRAME)
    result.agent_frames = int(np.any(np.abs(frames) > 60, axis=1).sum())
    for at, samples in _dry(recorded):
        if _is_ours(recorded, at):
            result.discarded += 1
            continue
        result.late_frames += -(-samples // FRAME)
        if samples / SAMPLE_RATE > GAP:
            result.holes.append(samples / SAMPLE_RATE)
    played = [mark for mark in recorded.marks if mark.why == "played" and mark.returned is not None]
    result.lead = [(mark.returned - mark.placed) / SAMPLE_RATE for mark in played if mark.returned is not None]


def _dry(recorded: Recorded) -> Iterator[Span]:
    """Times the carrier's buffer ran dry in the middle of a reply: nobody on the line had said anything meanwhile."""
    for underrun in recorded.underruns:
        end = underrun.at + underrun.samples
        if not any(line.start < end and line.end > underrun.at - FRAME for line in recorded.lines):
            yield underrun.at, underrun.samples


def _is_ours(recorded: Recorded, at: int) -> bool:
    """Whether the carrier had just been late itself: making up for it, it empties its buffer faster than real time."""
    return any(at - _MADE_UP < position <= at for position, _ in recorded.late)


def _overlap(ones: Sequence[Span], others: Sequence[Span]) -> float:
    return sum(max(0, min(a[1], b[1]) - max(a[0], b[0])) for a in ones for b in others) / SAMPLE_RATE


# --- what the engine believes -----------------------------------------------------------------------------------------


def _memory(result: CallFigures, heard: Sequence[HeardSentence], replies: Sequence[str], believed: Believed) -> None:
    """Words by which the engine's memory of a reply differs from what was heard of it."""
    counts: dict[str, int] = {}
    for each in heard:
        counts[each.text] = max(counts.get(each.text, 0), each.words)
    for reply in replies:
        parts = sentences(reply)
        reached = [counts.get(part, 0) for part in parts]
        whole = sum(len(part.split()) for part in parts)
        error = float(abs(believed_count(reply, believed.agent) - sum(reached)))
        if 0 < sum(reached) < whole:
            result.heard_error.append(error)
        elif sum(reached):
            result.heard_error_whole.append(error)


def _start(result: CallFigures, recorded: Recorded, person: Sequence[Span], believed: Believed) -> None:
    """How much of the caller's first words never reached the ears (seconds)."""
    if not recorded.lines or not person or not believed.utterances:
        return
    line = recorded.lines[0]
    result.lost_start.append(max(0.0, (line.end - line.start) / SAMPLE_RATE - believed.utterances[0][1] - 0.06))


def believed_of(notes: Sequence[Mapping[str, object]]) -> dict[str, Believed]:
    """What an engine noted, by call."""
    found = {}
    for note in notes:
        sid, agent, utterances = note.get("call_sid"), note.get("believed"), note.get("utterances")
        if isinstance(sid, str) and isinstance(agent, list):
            heard = utterances if isinstance(utterances, list) else []
            found[sid] = Believed(
                tuple(str(each[0]) for each in agent), tuple((int(at), float(length)) for at, length in heard)
            )
    return found
