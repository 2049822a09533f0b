"""A recording is brought onto the journal's clock, and held against what the journal says."""

from __future__ import annotations

import json
import wave
from dataclasses import replace

import numpy as np
import pytest

from telephony.audio import SAMPLE_RATE, silence, stereo_wav, write_stereo
from voice.drawing.agreement import Finding, compare, measured_gap, measured_stops
from voice.drawing.recording import STEP, by_sound, listen, stretches
from voice.drawing.story import Gap
from voice.errors import JournalError

ANSWERED_AT = -0.2  # as the recordings here are made


def findings(story, recording) -> dict[str, Finding]:
    return {finding.name: finding for finding in compare(story, recording)}


def change(recorded, **more) -> None:
    truth = recorded.with_suffix(".json")
    truth.write_text(json.dumps(json.loads(truth.read_text()) | more))


def test_marks_bring_the_clocks_together(barged, recorded):
    assert listen(recorded, barged.story).offset == pytest.approx(ANSWERED_AT, abs=0.001)


def test_without_marks_the_callers_voice_does(barged, recorded):
    recorded.with_suffix(".json").unlink()
    recording = listen(recorded, barged.story)
    assert recording.truth is None
    assert recording.offset == pytest.approx(ANSWERED_AT, abs=0.04)
    assert recording.at(recording.index(1.0)) == pytest.approx(1.0, abs=STEP)


def test_a_recording_of_the_call_agrees(barged, recorded):
    recording = listen(recorded, barged.story)
    assert {name: finding.agrees for name, finding in findings(barged.story, recording).items()} == {
        "marks": True,
        "the caller's voice": True,
        "our voice": True,
        "response gaps": True,
    }
    (stop,) = measured_stops(barged.story, recording)
    (barge,) = barged.story.barge_ins
    assert stop.began == pytest.approx(5.0, abs=0.03)
    assert stop.ended == pytest.approx(barge.stopped, abs=0.35)
    for gap in barged.story.gaps:
        measured = measured_gap(gap, recording)
        assert measured is not None
        assert measured.length == pytest.approx(gap.length, abs=0.1)


def test_a_mark_that_was_thrown_away_and_believed_heard_is_found(barged, recorded):
    marks = json.loads(recorded.with_suffix(".json").read_text())["marks"]
    marks[0]["why"] = "cleared"
    change(recorded, marks=marks)
    finding = findings(barged.story, listen(recorded, barged.story))["marks"]
    assert finding.agrees is False
    assert marks[0]["name"] in finding.says


def test_a_receipt_that_crossed_a_clear_is_told_and_no_contradiction(barged, recorded):
    marks = json.loads(recorded.with_suffix(".json").read_text())["marks"]
    change(recorded, marks=[mark | {"why": "played"} for mark in marks])
    finding = findings(barged.story, listen(recorded, barged.story))["marks"]
    assert finding.agrees is True
    assert "crossed a clear" in finding.says


def test_marks_of_another_call_do_not_agree(barged, recorded):
    change(recorded, marks=[{"name": "9/9", "returned": 5, "why": "played"}])
    assert findings(barged.story, listen(recorded, barged.story))["marks"].agrees is False


def test_no_marks_are_nothing_to_compare(barged, recorded):
    change(recorded, marks=[])
    assert findings(barged.story, listen(recorded, barged.story))["marks"].agrees is None


def test_a_silent_line_agrees_with_nothing(barged, recorded):
    length = SAMPLE_RATE * 12
    write_stereo(recorded, silence(length), silence(length))
    found = findings(barged.story, listen(recorded, barged.story))
    assert found["the caller's voice"].agrees is None
    assert found["our voice"].agrees is False
    assert "nothing sounds where" in found["our voice"].says
    assert found["response gaps"].agrees is None


def test_a_voice_the_journal_does_not_know_of_is_found(barged, recorded):
    recording = listen(recorded, barged.story)
    assert findings(replace(barged.story, segments=()), recording)["our voice"].agrees is False


def test_another_callers_voice_does_not_agree(barged, recorded):
    recording = listen(recorded, barged.story)
    other = replace(recording, said=np.random.default_rng(1).uniform(-90, 0, len(recording.said)))
    assert findings(barged.story, other)["the caller's voice"].agrees is False


def test_levels_that_never_change_correlate_with_nothing(barged, recorded):
    recording = listen(recorded, barged.story)
    flat = replace(
        barged.story, windows=tuple(replace(run, level=tuple(-90.0 for _ in run.level)) for run in barged.story.windows)
    )
    assert findings(flat, recording)["the caller's voice"].agrees is False


def test_gaps_that_are_longer_on_the_line_are_found(barged, recorded):
    recording = listen(recorded, barged.story)
    gap = barged.story.gaps[0]
    turns = tuple(
        replace(turn, gap=Gap(gap.began, gap.ended - 0.4, gap.stages)) if turn.gap else turn for turn in barged.story.turns
    )
    assert findings(replace(barged.story, turns=turns), recording)["response gaps"].agrees is False


def test_a_barge_in_that_nobody_recorded_is_not_measured(barged, recorded):
    recording = listen(recorded, barged.story)
    quiet = np.full(len(recording.said), -90.0)
    assert list(measured_stops(barged.story, replace(recording, said=quiet))) == []
    assert list(measured_stops(barged.story, replace(recording, heard=quiet))) == []


def test_a_story_without_windows_lies_anywhere(barged, recorded):
    assert by_sound(replace(barged.story, windows=()), listen(recorded, barged.story).said) == 0.0


def test_stretches():
    assert stretches([True, False, True, True]) == [(0, 1), (2, 4)]
    assert stretches([]) == []


def test_what_is_no_recording_says_so(barged, tmp_path):
    path = tmp_path / "x.wav"
    with pytest.raises(JournalError, match="No such file"):
        listen(path, barged.story)
    path.write_bytes(b"hello")
    with pytest.raises(JournalError, match="not a recording"):
        listen(path, barged.story)
    path.write_bytes(stereo_wav(b"", b""))
    with pytest.raises(JournalError, match="two channels"):
        listen(path, barged.story)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"\0\0" * 100)
    with pytest.raises(JournalError, match="two channels"):
        listen(path, barged.story)


def test_what_is_no_truth_says_so(barged, recorded):
    recorded.with_suffix(".json").write_text("[]")
    with pytest.raises(JournalError, match="not what the phone network writes"):
        listen(recorded, barged.story)
