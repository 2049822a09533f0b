"""The rules of turn-taking, the cases' list, and a whole small corpus run through scripted detectors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import turns
from benchmarks.turns import decided, measure, summary
from benchmarks.turns_calls import InStep, InVirtualTime, Line, Play, turned
from benchmarks.turns_cases import Corpus, read_case
from benchmarks.turns_score import (
    BargeScore,
    Case,
    Decision,
    LineScore,
    Pause,
    PauseScore,
    Scores,
    TurnScore,
    score,
    score_barge,
    score_line,
    score_turn,
)
from benchmarks.turns_tables import delays, percent, percentile
from voice.detectors.pool import DetectorPool
from voice.detectors.smart_turn import SmartTurn
from voice.events import Samples, VoiceEvidence
from voice.floor import Floor


def a_turn(**more: object) -> Case:
    given = {"id": "a", "group": "eot", "sub": "final", "condition": "clean", "file": "a.ulaw", "duration": 8000}
    return Case(
        **(given | {"turn_end": 4000, "pauses": (Pause(1000, 1500, "natural"), Pause(2000, 3000, "inserted"))} | more)
    )


def cuts(natural: bool, inserted: bool) -> tuple[PauseScore, PauseScore]:
    return PauseScore(500, "natural", natural), PauseScore(1000, "inserted", inserted)


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ([4400.0], TurnScore(400.0, cuts(False, False))),
        ([3850.0], TurnScore(-150.0, cuts(False, False))),
        (
            [1400.0, 2500.0, 2600.0, 4400.0],
            TurnScore(400.0, cuts(True, True)),
        ),
        ([3400.0], TurnScore(None, cuts(False, True))),
        (
            [500.0, 1950.0, 3500.0, 4400.0, 5000.0],
            TurnScore(400.0, cuts(False, False), 3, 1),
        ),
        ([], TurnScore(None, cuts(False, False))),
    ],
)
def test_ends_of_turn(ended: list[float], expected: TurnScore) -> None:
    found = score_turn(a_turn(), ended)
    assert found == expected
    assert found.is_cut is (any(pause.is_cut for pause in expected.pauses) or expected.in_speech > 0)


def test_an_end_that_is_not_to_be_scored_has_no_delay() -> None:
    assert score_turn(a_turn(is_end_scored=False), [4400.0]).delay is None


@pytest.mark.parametrize(
    ("stops", "expected"),
    [
        ([], BargeScore()),
        ([3900.0, 4300.0], BargeScore(is_early=True)),
        ([4300.0], BargeScore(300.0)),
        ([6000.0], BargeScore(2000.0)),
        ([6001.0], BargeScore()),
    ],
)
def test_interruptions(stops: list[float], expected: BargeScore) -> None:
    case = a_turn(group="barge", sub="interrupt", is_interruption=True, event=(4000, 5000))
    assert score_barge(case, stops, 0) == expected


def test_where_nobody_interrupts_any_stop_is_false_and_a_duck_is_none() -> None:
    case = a_turn(group="barge", sub="cough", event=(4000, 5000))
    assert score_barge(case, [7000.0], 2) == BargeScore(is_false=True, ducks=2)
    assert score_barge(case, [], 2) == BargeScore(ducks=2)


def test_lines() -> None:
    assert score_line(a_turn(group="line", sub="music"), [100.0, 200.0], 3) == LineScore(2, 3)
    mail = a_turn(group="line", sub="voicemail")
    assert score_line(mail, [1000.0, 4400.0, 6000.0], 2) == LineScore(3, 2, 1, 400.0, 1)
    assert score_line(mail, [], 0) == LineScore(0, 0)


def test_a_case_is_read_from_its_line() -> None:
    row = {
        "id": "x",
        "group": "barge",
        "sub": "interrupt",
        "cond": "snr5",
        "file": "x.ulaw",
        "dur_ms": 100,
        "noise": "babble",
    }
    row |= {"agent": "y.ulaw", "expect": "interrupt", "event": [40, 60], "speaker": "somebody", "loss_ms": []}
    case = read_case(json.dumps(row))
    assert (case.is_interruption, case.event, case.noise, case.condition, case.pauses) == (
        True,
        (40, 60),
        "babble",
        "snr5",
        (),
    )


def test_figures() -> None:
    assert (percent(1, 3), percent(1, 200), percent(0, 0)) == ("33%", "0.5%", "-")
    assert delays([]) == "- / -"
    assert delays([100.0, 200.0, 300.0]) == "200 / 290"
    assert percentile([], 50) != percentile([], 50)


class Scripted:
    """Detectors that hear a voice in every byte that is not mu-law silence."""

    def __init__(self) -> None:
        self.position = 0
        self.played_bytes = 0
        self.waiting: list[VoiceEvidence] = []

    def feed(self, audio: bytes) -> None:
        self.position += len(audio)
        is_voice = audio != b"\xff" * len(audio)
        self.waiting = [VoiceEvidence(Samples(self.position), 0.97 if is_voice else 0.01, -20.0 if is_voice else -62.0)]

    def found(self) -> list[VoiceEvidence]:
        return self.waiting

    def played(self, audio: bytes) -> None:
        self.played_bytes += len(audio)


def played(play: Play) -> list[Decision]:
    while play.hear():
        play.decide()
    return play.decisions


def audio(*parts: tuple[bool, float]) -> bytes:
    return b"".join((b"\x10" if is_voice else b"\xff") * int(seconds * 8000) for is_voice, seconds in parts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four cases: a turn, an interruption, silence, and a voicemail."""
    cases = tmp_path / "cases"
    cases.mkdir()
    (cases / "turn.ulaw").write_bytes(audio((False, 0.6), (True, 1.4), (False, 3.0)) + b"\xff" * 70)
    (cases / "barge.ulaw").write_bytes(audio((False, 2.0), (True, 1.0), (False, 1.0)))
    (cases / "agent.ulaw").write_bytes(audio((True, 4.0)))
    (cases / "silence.ulaw").write_bytes(audio((False, 2.0)))
    rows = [
        {
            "id": "turn",
            "group": "eot",
            "sub": "final",
            "file": "turn.ulaw",
            "turn_end_ms": 2000,
            "pauses": [],
            "noise": "babble",
        },
        {
            "id": "barge",
            "group": "barge",
            "sub": "interrupt",
            "file": "barge.ulaw",
            "agent": "agent.ulaw",
            "event": [2000, 3000],
        }
        | {"expect": "interrupt"},
        {"id": "cough", "group": "barge", "sub": "cough", "file": "silence.ulaw", "agent": "agent.ulaw", "event": [0, 1]},
        {"id": "silence", "group": "line", "sub": "silence", "file": "silence.ulaw"},
        {"id": "mail", "group": "line", "sub": "voicemail", "file": "turn.ulaw", "turn_end_ms": 2000},
    ]
    lines = [json.dumps(row | {"cond": "clean", "dur_ms": 5000}) for row in rows]
    (cases / "cases.jsonl").write_text("\n".join(lines) + "\n\n")
    return tmp_path


def test_a_case_is_a_fresh_call_in_virtual_time(folder: Path) -> None:
    corpus = Corpus(folder)
    made = played(Play(corpus.cases[0], corpus, Line(Scripted(), Floor())))
    assert [decision.what for decision in made] == ["speech_started", "paused", "turn_ended"]
    assert 2000 < made[-1].at <= 3000
    assert made[-1].at % 20 == 0


def test_after_the_first_stop_our_voice_is_silent(folder: Path) -> None:
    corpus = Corpus(folder)
    detectors = Scripted()
    made = played(Play(corpus.cases[1], corpus, Line(detectors, Floor())))
    stop = next(decision.at for decision in made if decision.what == "interrupt")
    assert 2000 < stop < 2300
    assert detectors.played_bytes == stop * 8


def test_a_whole_corpus(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    result = measure(Corpus(folder), Scripted, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (5, 5)
    assert result.cost >= 0.0
    text = summary(result)
    assert "| interruptions detected (clean, gsm, loss, low) | >= 98% | 100% |" in text
    assert "| offhook |" in text
    few = measure(Corpus(folder), Scripted, keep=lambda case: case.group == "line")
    assert set(few.decisions) == {"silence", "mail"}


class Loud:
    """A question that loudness answers."""

    def __init__(self, levels: NDArray[np.float64]) -> None:
        self._levels = levels

    def think(self) -> None:
        pass

    def answer(self) -> NDArray[np.float64]:
        return (self._levels > -40.0).astype(np.float64)


class Loudness:
    """A speech model: what is loud is speech."""

    def grow(self, rows: int) -> None:
        pass

    def begin(self, row: int) -> None:
        pass

    def ask(self, rows: NDArray[np.intp], samples: NDArray[np.float32], levels: NDArray[np.float64]) -> Loud:
        return Loud(levels)


def test_calls_judged_together_are_told_their_own(folder: Path) -> None:
    pool = DetectorPool(Loudness())
    result = measure(Corpus(folder), lambda: InStep(pool), judge=lambda: turned(pool))
    assert [decision.what for decision in result.decisions["turn"]][:2] == ["speech_started", "paused"]
    assert result.decisions["silence"] == []
    assert result.detector_seconds > 0


def test_a_decision_line_is_what_other_scorers_read() -> None:
    assert json.loads(decided("x", [Decision("interrupt", 40.0)])) == {"id": "x", "events": [["interrupt", 40.0]]}


def test_the_models_answer_comes_late_in_virtual_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SmartTurn, "__init__", lambda self: None)
    monkeypatch.setattr(SmartTurn, "judge", lambda self, samples: 2.0)
    answer = InVirtualTime(SmartTurn(), late=2).ask(np.zeros(8, np.float32))
    assert [answer.done() for _ in range(3)] == [False, False, True]
    assert answer.result() == 2.0


def test_without_a_corpus_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert turns.main(["--corpus", str(tmp_path)]) == 2
    assert "cases.jsonl" in capsys.readouterr().err


def test_scores_are_filed_by_kind() -> None:
    into = Scores()
    for group, sub in (("eot", "final"), ("barge", "tv"), ("line", "noise")):
        score(a_turn(id=group, group=group, sub=sub), [Decision("duck", 10.0), Decision("speech_started", 20.0)], into)
    assert (set(into.turns), set(into.barges), set(into.lines)) == ({"eot"}, {"barge"}, {"line"})
    assert into.barges["barge"].ducks == into.lines["line"].starts == 1
