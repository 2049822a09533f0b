"""All detectors of one call together, with a scripted speech model and a scripted judge."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from telephony.audio import decode, encode
from voice.detectors.call import CallDetectors, History
from voice.detectors.smart_turn import SECONDS
from voice.events import Samples, VoiceEvidence

Floats = NDArray[np.float32]
WINDOW = 256


class Loudness:
    """A speech model that calls speech what is loud."""

    def __init__(self) -> None:
        self._heard = b""
        self._position = 0

    def feed(self, audio: bytes) -> list[VoiceEvidence]:
        self._heard += audio
        found = []
        while len(self._heard) >= WINDOW:
            samples = decode(self._heard[:WINDOW]).astype(np.float64) / 32768
            self._heard = self._heard[WINDOW:]
            self._position += WINDOW
            level = float(10 * np.log10(np.mean(samples**2) + 1e-9))
            found.append(VoiceEvidence(Samples(self._position), 0.97 if level > -45 else 0.02, level))
        return found


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


def fed(call: CallDetectors, *parts: Floats, frame: int = 160) -> list[VoiceEvidence]:
    audio = mulaw(np.concatenate(parts))
    return [evidence for at in range(0, len(audio), frame) for evidence in call.feed(audio[at : at + frame])]


def named(evidence: list[VoiceEvidence], name: str) -> list[tuple[int, float]]:
    return [(int(one.position), dict(one.features)[name]) for one in evidence if name in dict(one.features)]


@pytest.mark.parametrize("frame", [160, 37, 4000])
def test_however_the_audio_is_cut_the_evidence_is_the_same(frame: int) -> None:
    whole = fed(CallDetectors(Loudness()), quiet(0.5), voice(1.0), quiet(0.5))
    assert fed(CallDetectors(Loudness()), quiet(0.5), voice(1.0), quiet(0.5), frame=frame) == whole
    assert [one.position for one in whole] == list(range(WINDOW, 16001 - 128, WINDOW))


def test_a_pause_brings_cues_and_later_the_models_answer() -> None:
    judge = Judge()
    evidence = fed(CallDetectors(Loudness(), judge), quiet(0.5), voice(1.0), quiet(1.0))
    ended = 12000
    (asked_until,) = judge.asked
    (at, value), *more = named(evidence, "complete")
    assert (value, more) == (1.5, [])
    assert ended < asked_until < at < ended + 8 * WINDOW + WINDOW
    assert len(named(evidence, "decay")) == 1
    assert [position > ended for position, _ in named(evidence, "breath")] == [True] * 4


def test_every_window_tells_the_room_and_the_callers_level() -> None:
    evidence = fed(CallDetectors(Loudness()), quiet(0.5), voice(1.0))
    assert len(named(evidence, "room")) == len(named(evidence, "caller_level")) == len(evidence)


def test_an_answer_that_comes_after_the_voice_went_on_is_not_told() -> None:
    judge = Judge()
    evidence = fed(CallDetectors(Loudness(), judge), quiet(0.5), voice(1.0), quiet(0.15), voice(0.5))
    assert judge.asked
    assert named(evidence, "complete") == []


def test_a_judge_without_time_and_none_at_all() -> None:
    for judge in (Judge(has_time=False), None):
        evidence = fed(CallDetectors(Loudness(), judge), quiet(0.5), voice(1.0), quiet(1.0))
        assert named(evidence, "complete") == []
        assert named(evidence, "decay")


def test_a_click_is_no_ending() -> None:
    judge = Judge()
    assert named(fed(CallDetectors(Loudness(), judge), quiet(0.5), voice(0.03), quiet(1.0)), "decay") == []
    assert judge.asked == []


def test_no_more_than_the_model_hears_is_asked_about() -> None:
    judge = Judge()
    syllables = np.float32(1) + np.float32(0.8) * np.sin(np.arange(80000, dtype=np.float32) / 400)
    fed(CallDetectors(Loudness(), judge), quiet(0.5), voice(10.0) * syllables, quiet(1.0))
    assert judge.asked == [SECONDS * 8000]


def test_after_a_long_rest_something_new_begins() -> None:
    evidence = fed(CallDetectors(Loudness()), voice(1.0), quiet(4.0), voice(0.3), quiet(1.0))
    assert len(named(evidence, "decay")) == 2


@pytest.mark.parametrize("ahead", [0, 2400])
def test_what_we_played_is_recognised_when_it_comes_back(ahead: int) -> None:
    call = CallDetectors(Loudness())
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


def test_what_is_told_late_is_silence_until_then() -> None:
    call = CallDetectors(Loudness())
    fed(call, quiet(1.0))
    call.played(mulaw(voice(0.1)))
    assert [one.echo for one in fed(call, quiet(0.5))] == [0.0] * 15


def test_what_was_cleared_was_not_played() -> None:
    call = CallDetectors(Loudness())
    call.played(mulaw(voice(2.0)))
    fed(call, quiet(0.1))
    call.cleared()
    call.played(mulaw(voice(0.1)))
    assert [one.echo for one in fed(call, quiet(2.0))][-1] == 0.0


def test_the_history_remembers_what_it_can_and_is_silent_about_the_rest() -> None:
    history = History(1.0)
    assert not history.until(0, 100).any()
    for start in range(0, 60000, 1000):
        history.write(np.arange(start, start + 1000, dtype=np.float32))
    assert history.until(60000, 3).tolist() == [59997.0, 59998.0, 59999.0]
    assert history.until(59000, 2).tolist() == [58998.0, 58999.0]
    assert history.until(60002, 4).tolist() == [59998.0, 59999.0, 0.0, 0.0]
    history.forget_after(59500)
    assert history.end == 59500
    assert history.until(59501, 2).tolist() == [59499.0, 0.0]
    history.write(np.ones(20000, np.float32))
    assert history.end == 79500
    assert history.until(79500, 2).tolist() == [1.0, 1.0]
