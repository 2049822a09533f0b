"""Many calls judged in one run of the model: each gets what it would have got alone."""

import gc
import threading

import numpy as np

from telephony.audio import SILENT_FRAME, encode
from voice.events import VoiceEvidence
from voice.providers.silero import WINDOW, SileroActivity
from voice.providers.silero_shared import SharedActivity, SharedSilero


def babble(seed: int, seconds: float) -> bytes:
    """Noise that comes and goes, as speech does."""
    rng = np.random.default_rng(seed)
    count = int(seconds * 8000)
    swell = np.repeat(rng.random(count // 1600 + 1), 1600)[:count]
    return encode((rng.standard_normal(count) * 3000 * swell).clip(-30000, 30000).astype(np.int16))


def close(ones: list[VoiceEvidence], others: list[VoiceEvidence]) -> bool:
    return len(ones) == len(others) and all(
        one.position == other.position and abs(one.speech - other.speech) < 1e-4 and abs(one.level - other.level) < 1e-3
        for one, other in zip(ones, others, strict=True)
    )


def test_company_changes_nothing():
    shared = SharedSilero(starts=False)
    calls = [SharedActivity(shared) for _ in range(5)]
    audio = [babble(number, 3.0 + number) for number in range(5)]
    heard: list[list[VoiceEvidence]] = [[] for _ in calls]
    for start in range(0, 8 * 8000, 160):
        for number, call in enumerate(calls):
            heard[number] += call.feed(audio[number][start : start + 160])
        shared.turn()
    for number, call in enumerate(calls):
        assert close(heard[number] + call.feed(b""), SileroActivity().feed(audio[number]))


def test_a_long_silence_is_forgotten_in_the_same_window():
    shared = SharedSilero(starts=False)
    call, audio = SharedActivity(shared), babble(1, 1.0) + SILENT_FRAME * 150 + babble(2, 1.0)
    call.feed(audio)
    shared.turn()
    assert close(call.feed(b""), SileroActivity().feed(audio))


def test_a_call_that_is_over_gives_its_row_to_another():
    shared = SharedSilero(starts=False)
    calls = [SharedActivity(shared) for _ in range(100)]
    assert len({call.slot for call in calls}) == 100
    row = calls[0].slot
    calls[0].feed(babble(3, 0.5))
    shared.turn()
    del calls[0]
    gc.collect()
    fresh = SharedActivity(shared)
    assert fresh.slot == row
    fresh.feed(babble(4, 0.5))
    shared.turn()
    assert close(fresh.feed(b""), SileroActivity().feed(babble(4, 0.5)))


def test_evidence_waits_for_the_next_frame():
    shared = SharedSilero(starts=False)
    call = SharedActivity(shared)
    assert call.feed(b"\xff" * WINDOW) == []
    shared.turn()
    assert [evidence.position for evidence in call.feed(b"\xff" * 10)] == [WINDOW]


def test_the_thread_works_by_itself():
    judged = threading.Event()

    class Told(SharedActivity):
        def take(self, speech: float, level: float) -> None:
            super().take(speech, level)
            judged.set()

    call = Told(SharedSilero(gather=0.0))
    call.feed(b"\xff" * WINDOW)
    assert judged.wait(20)
    assert len(call.feed(b"")) == 1


def test_the_thread_that_fell_asleep_wakes_for_the_next_window():
    asleep, judged = threading.Event(), threading.Event()

    class Sleepy(SharedSilero):
        def _sleep(self) -> None:
            asleep.set()
            super()._sleep()

    class Told(SharedActivity):
        def take(self, speech: float, level: float) -> None:
            super().take(speech, level)
            judged.set()

    shared = Sleepy(gather=0.0)
    assert asleep.wait(20)
    call = Told(shared)
    while not judged.is_set():  # the thread may have said that it sleeps and not sleep yet: the next window wakes it
        call.feed(b"\xff" * WINDOW)
        judged.wait(0.05)
    assert judged.is_set()
