"""A story as the page's script reads it: short lists, times in milliseconds, a byte for each dense value. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import msgspec

from voice.drawing.agreement import measured_gap, measured_stops
from voice.drawing.recording import QUIETEST, STEP, Recording
from voice.drawing.story import Gap, Segment, Story, Turn, Windows


def pack(story: Story, recording: Recording | None, view: tuple[float, float] | None) -> bytes:
    """JSON that may stand inside a script element: it holds no `<`."""
    packed = {
        "length": _ms(story.length),
        "view": [_ms(view[0]), _ms(view[1])] if view is not None else None,
        "windows": [_windows(run) for run in story.windows],
        "endings": [[_ms(at), round(value * 100)] for at, value in story.endings],
        "understood": [
            [_ms(each.at), each.text, each.whole, each.is_final, each.is_revised, each.confidence]
            for each in story.understood
        ],
        "segments": [_segment(each) for each in story.segments],
        "lost": [_ms(at) for _, at, is_heard in story.receipts if not is_heard],
        "spans": [[each.row, each.name, _ms(each.began), _ms(each.ended), each.detail] for each in story.spans],
        "decisions": [
            [_ms(each.at), each.kind, each.label, each.detail, each.cause, each.time.value] for each in story.decisions
        ],
        "turns": [_turn(each) for each in story.turns],
        "bargeIns": [[_ms(each.began), _ms(each.stopped), each.why] for each in story.barge_ins],
        "differences": [_ms(each.at) for each in story.differences],
        "recording": _recording(story, recording) if recording is not None else None,
    }
    return msgspec.json.encode(packed).replace(b"<", b"\\u003c")


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _bytes(values: Iterable[float]) -> str:
    """Values from 0 to 1, a byte each."""
    return base64.b64encode(bytes(max(0, min(255, round(value * 255))) for value in values)).decode()


def _level(values: Iterable[float]) -> str:
    return _bytes(1 - value / QUIETEST for value in values)


def _windows(run: Windows) -> dict[str, object]:
    echo = _bytes(run.echo) if any(run.echo) else ""
    return {
        "at": _ms(run.began),
        "step": run.step * 1000,
        "speech": _bytes(run.speech),
        "level": _level(run.level),
        "echo": echo,
    }


def _segment(each: Segment) -> dict[str, object]:
    return {
        "reply": each.reply,
        "number": each.number,
        "text": each.text,
        "isProtected": each.is_protected,
        "ordered": _ms(each.ordered),
        "arrived": _ms(each.arrived),
        "complete": _ms(each.complete),
        "began": _ms(each.began),
        "ended": _ms(each.ended),
        "length": _ms(each.length),
        "heard": _ms(each.heard),
        "cut": _ms(each.cut),
        "words": [[word.text, _ms(word.began), _ms(word.ended), word.is_heard] for word in each.words],
    }


def _turn(each: Turn) -> dict[str, object]:
    return {
        "speaker": each.speaker,
        "text": each.text,
        "began": _ms(each.began),
        "ended": _ms(each.ended),
        "closed": _ms(each.closed),
        "why": each.why,
        "isTakenBack": each.is_taken_back,
        "gap": _gap(each.gap) if each.gap is not None else None,
    }


def _gap(gap: Gap) -> dict[str, object]:
    stages = [[stage.name, _ms(stage.length)] for stage in gap.stages]
    return {"began": _ms(gap.began), "ended": _ms(gap.ended), "stages": stages}


def _recording(story: Story, recording: Recording) -> dict[str, object]:
    gaps = [measured for gap in story.gaps if (measured := measured_gap(gap, recording)) is not None]
    return {
        "at": _ms(recording.offset),
        "step": STEP * 1000,
        "said": _level(recording.said),
        "heard": _level(recording.heard),
        "gaps": [[_ms(each.began), _ms(each.ended)] for each in gaps],
        "stops": [[_ms(each.began), _ms(each.ended)] for each in measured_stops(story, recording)],
    }
