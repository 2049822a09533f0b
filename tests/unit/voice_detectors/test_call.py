"""All detectors of one call together, with a speech model that goes by loudness and a scripted judge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from telephony.audio import encode
from voice.detectors.call import Sent
from voice.detectors.pool import Alone
from voice.detectors.smart_turn import HEARD
from voice.events import VoiceEvidence

Floats = NDArray[np.float32]
Make = Callable[..., Alone]
WINDOW = 256


class Answered:
    def __init__(self, value: float, after: int) -> None:
        self.value, self.after = value, after

    def done(self) -> bool:
        self.after -= 1
        return self.after < 0

    def result(self) -> float:
        return self.value


class Judge:
    """Answers two windows later, or has no time."""

    def __init__(self, *, has_time: bool = True) -> None:
        self.asked: list[int] = []
        self.has_time = has_time

    def ask(self, samples: Floats) -> Answered | None:
        self.asked.append(len(samples))
        return Answered(1.5, 2) if self.has_time else None


def mulaw(samples: Floats) -> bytes:
    return encode(np.clip(samples * 32768, -32767, 32767).astype(np.int16))


def voice(seconds: float, level: float = -22.0, seed: int = 1) -> Floats:
    random = np.random.default_rng(seed)
    sound = np.convolve(random.standard_normal(int(seconds * 8000)), np.hanning(9), "same")
    return (sound / np.std(sound) * 10 ** (level / 20)).astype(np.float32)


def quiet(seconds: float) -> Floats:
    return voice(seconds, -62.0, seed=2)


def fed(call: Alone, *parts: Floats, frame: int = 160) -> list[VoiceEvidence]:
    audio = mulaw(np.concatenate(parts))
    return [evidence for at in range(0, len(audio), frame) for evidence in call.feed(audio[at : at + frame])]


def named(evidence: list[VoiceEvidence], name: str) -> list[tuple[int, float]]:
    return [(int(one.position), dict(one.features)[name]) for one in evidence if name in dict(one.features)]


@pytest.mark.parametrize("frame", [160, 37, 4000])
def test_however_the_audio_is_cut_the_evidence_is_the_same(alone: Make, frame: int) -> None:
    whole = fed(alone(), quiet(0.5), voice(1.0), quiet(0.5))
    assert fed(alone(), quiet(0.5), voice(1.0), quiet(0.5), frame=frame) == whole
    assert [one.position for one in whole] == list(range(WINDOW, 16001 - 128, WINDOW))


def test_a_pause_brings_cues_and_later_the_models_answer(alone: Make) -> None:
    judge = Judge()
    evidence = fed(alone(judge), quiet(0.5), voice(1.0), quiet(1.0))
    ended = 12000
    assert judge.asked == [HEARD]
    (at, value), *more = named(evidence, "complete")
    assert (value, more) == (1.5, [])
    assert ended < at < ended + 8 * WINDOW + WINDOW
    assert len(named(evidence, "decay")) == 1
    assert [position > ended for position, _ in named(evidence, "breath")] == [True] * 6


def test_every_window_tells_the_room_and_the_callers_level(alone: Make) -> None:
    evidence = fed(alone(), quiet(0.5), voice(1.0))
    assert len(named(evidence, "room")) == len(named(evidence, "caller_level")) == len(evidence)


def test_an_answer_that_comes_after_the_voice_went_on_is_not_told(alone: Make) -> None:
    judge = Judge()
    evidence = fed(alone(judge), quiet(0.5), voice(1.0), quiet(0.08), voice(0.5))
    assert judge.asked
    assert named(evidence, "complete") == []


def test_a_judge_without_time_and_none_at_all(alone: Make) -> None:
    for judge in (Judge(has_time=False), None):
        evidence = fed(alone(judge), quiet(0.5), voice(1.0), quiet(1.0))
        assert named(evidence, "complete") == []
        assert named(evidence, "decay")


def test_a_click_is_no_ending(alone: Make) -> None:
    judge = Judge()
    assert named(fed(alone(judge), quiet(0.5), voice(0.03), quiet(1.0)), "decay") == []
    assert judge.asked == []


def test_no_more_than_the_model_hears_is_asked_about(alone: Make) -> None:
    judge = Judge()
    syllables = np.float32(1) + np.float32(0.8) * np.sin(np.arange(80000, dtype=np.float32) / 400)
    fed(alone(judge), quiet(0.5), voice(10.0) * syllables, quiet(1.0))
    assert judge.asked == [HEARD]


def test_after_a_long_rest_something_new_begins(alone: Make) -> None:
    evidence = fed(alone(), voice(1.0), quiet(4.0), voice(0.3), quiet(1.0))
    assert len(named(evidence, "decay")) == 2


@pytest.mark.parametrize("ahead", [0, 2400])
def test_what_we_played_is_recognised_when_it_comes_back(alone: Make, ahead: int) -> None:
    call = alone()
    sent = voice(3.0, -15.0, seed=9) * np.float32(1 + 0.9 * np.sin(np.arange(24000) / 700))
    near = np.concatenate([np.zeros(1200, np.float32), sent[:-1200] * 0.1]) + quiet(3.0)
    out, back, evidence = mulaw(sent), mulaw(near), []
    call.played(out[:ahead])
    for at in range(0, 24000, 160):
        call.played(out[at + ahead : at + ahead + 160])
        evidence += call.feed(back[at : at + 160])
    assert np.mean([one.echo > 0.5 for one in evidence[40:]]) > 0.9
    call.played(b"")
    assert all(one.echo == 0.0 for one in fed(call, quiet(3.0))[60:])


def test_what_is_told_late_is_silence_until_then(alone: Make) -> None:
    call = alone()
    fed(call, quiet(1.0))
    call.played(mulaw(voice(0.1)))
    assert [one.echo for one in fed(call, quiet(0.5))] == [0.0] * 15


def test_what_was_cleared_was_not_played(alone: Make) -> None:
    call = alone()
    call.played(mulaw(voice(2.0)))
    fed(call, quiet(0.1))
    call.cleared()
    call.played(mulaw(voice(0.1)))
    assert [one.echo for one in fed(call, quiet(2.0))][-1] == 0.0


def test_what_was_sent_is_remembered_as_far_as_it_can_be_and_the_rest_is_silence() -> None:
    sent = Sent()
    assert not sent.until(0, 100).any()
    tone = {number: encode(np.array([number * 1000], np.int16)) for number in range(1, 9)}
    sent.write(tone[1] * 10, 0)
    sent.write(tone[2] * 10, 15)
    assert sent.end == 25
    heard = np.rint(sent.until(27, 29) * 32.768).astype(int).tolist()
    assert heard == [0] * 2 + [1] * 10 + [0] * 5 + [2] * 10 + [0] * 2
    sent.forget_after(20)
    assert sent.end == 20
    sent.write(tone[3] * 2, 10)
    assert np.rint(sent.until(22, 5) * 32.768).astype(int).tolist() == [2, 2, 2, 3, 3]
    sent.write(tone[4] * 40_000, 10**9)
    assert sent.end == 10**9 + 40_000
    assert np.rint(sent.until(10**9 + 8001, 2) * 32.768).astype(int).tolist() == [0, 4]
    assert not sent.until(10**9, 9000).any()
    sent.forget_after(0)
    assert not sent.until(sent.end, 9000).any()
