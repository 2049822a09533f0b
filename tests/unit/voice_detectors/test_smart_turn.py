"""The turn model: its picture of the sound, its answer, its thread."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from voice.detectors import smart_turn
from voice.detectors.smart_turn import SmartTurn, SmartTurnThread, log_mel
from voice.errors import ProviderRejected

Floats = NDArray[np.float32]


def tone(hertz: float, seconds: float) -> Floats:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * 8000)) / 8000)).astype(np.float32)


def test_the_picture_is_one_and_a_half_seconds_ending_now() -> None:
    picture = log_mel(tone(440.0, 1.0))
    assert picture.shape == (80, 150)
    assert picture.dtype == np.float32
    loudest = picture.max(axis=0)
    assert loudest[:45].max() < loudest[55:].min(), "what came before the sound is the floor"
    assert log_mel(tone(440.0, 20.0)).shape == (80, 150)


def test_a_tone_stands_where_its_pitch_is() -> None:
    low, high = (int(log_mel(tone(hertz, 8.0))[:, 75].argmax()) for hertz in (300.0, 3000.0))
    assert low < high < 60, "what a telephone cannot carry stays empty"


def test_the_model_answers_in_log_odds() -> None:
    model = SmartTurn()
    for samples in (np.zeros(0, np.float32), tone(150.0, 2.0), np.random.default_rng(1).standard_normal(90000).astype("f4")):
        assert -6.0 <= model.judge(samples) <= 6.0
    assert model.judge(tone(150.0, 2.0)) == model.judge(tone(150.0, 2.0))


def test_a_wrong_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smart_turn, "_SHA256", "0" * 64)
    with pytest.raises(ProviderRejected):
        SmartTurn()


class Slow(SmartTurn):
    def __init__(self) -> None:
        self.may_go = threading.Event()

    def judge_picture(self, picture: Floats) -> float:
        self.may_go.wait(10)
        return float(picture.sum())


def test_questions_wait_their_turn_and_too_many_are_not_asked() -> None:
    slow = Slow()
    thread = SmartTurnThread(slow)
    samples = tone(440.0, 0.2)
    before = float(log_mel(samples).sum())
    answers = [thread.ask(samples) for _ in range(9)]
    samples[:] = tone(880.0, 0.2)
    after = float(log_mel(samples).sum())
    assert answers[8] is None
    slow.may_go.set()
    assert [answer.result(10) for answer in answers if answer] == [before] * 8
    again = thread.ask(samples)
    assert again is not None
    assert again.result(10) == after != before
    thread.close()


def test_a_judge_that_has_had_its_share_of_the_core_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"now": 100.0, "spent": 0.0}
    monkeypatch.setattr(smart_turn.time, "monotonic", lambda: clock["now"])
    monkeypatch.setattr(smart_turn.time, "thread_time", lambda: clock["spent"])

    class Costly(SmartTurn):
        def __init__(self) -> None:
            pass

        def judge_picture(self, picture: Floats) -> float:
            clock["spent"] += 0.6
            return 1.0

    thread, samples = SmartTurnThread(Costly(), share=0.1), np.zeros(1, np.float32)
    answer = thread.ask(samples)
    assert answer is not None
    assert answer.result(10) == 1.0
    assert thread.ask(samples) is None
    clock["now"] += 4.1
    assert thread.ask(samples) is not None
    thread.close()


def test_a_process_has_one_judge() -> None:
    assert smart_turn.shared_judge() is smart_turn.shared_judge()
