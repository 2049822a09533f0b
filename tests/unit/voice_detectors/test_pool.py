"""Many calls judged together: each gets what it would have got alone."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from telephony.audio import SILENT_FRAME, encode
from voice.detectors.call import CallDetectors
from voice.detectors.pool import LARGEST, Alone, DetectorPool, SpeechModel
from voice.events import ToneHeard, VoiceEvidence
from voice.providers.silero import SileroRows

WINDOW = 256


def babble(seed: int, seconds: float) -> bytes:
    """Noise that comes and goes, as speech does."""
    rng = np.random.default_rng(seed)
    count = int(seconds * 8000)
    swell = np.repeat(rng.random(count // 1600 + 1) > 0.4, 1600)[:count]
    return encode((rng.standard_normal(count) * (20 + 5000 * swell)).clip(-30000, 30000).astype(np.int16))


def close(ones: list[VoiceEvidence], others: list[VoiceEvidence]) -> bool:
    """As near as a batched model comes to itself alone."""

    def is_close(one: VoiceEvidence, other: VoiceEvidence) -> bool:
        names = [name for name, _ in one.features] == [name for name, _ in other.features]
        numbers = [abs(mine - theirs) for (_, mine), (_, theirs) in zip(one.features, other.features, strict=True)]
        numbers += [abs(one.speech - other.speech), abs(one.level - other.level), abs(one.echo - other.echo)]
        return one.position == other.position and names and max(numbers) < 0.002

    return len(ones) == len(others) and all(map(is_close, ones, others))


def turned(pool: DetectorPool, heard: dict[CallDetectors, list[VoiceEvidence]]) -> None:
    for call, found in pool.turn():
        if isinstance(found, VoiceEvidence):
            heard[call].append(found)


@pytest.mark.parametrize("model", [SileroRows, None])
def test_company_changes_nothing(model: type[SpeechModel] | None, loudness: SpeechModel) -> None:
    pool = DetectorPool(model() if model else loudness)
    calls = [pool.enter() for _ in range(20)]
    audio = [babble(number, 3.0 + number / 4) for number in range(len(calls))]
    heard: dict[CallDetectors, list[VoiceEvidence]] = {call: [] for call in calls}
    for start in range(0, max(map(len, audio)), 160):
        for number, call in enumerate(calls):
            if number % 3 == 0:
                call.played(audio[number - 1][start : start + 160])
            call.feed(audio[number][start : start + 160])
        turned(pool, heard)
    for number, call in enumerate(calls):
        single = Alone(DetectorPool(model() if model else loudness))
        expected = []
        for start in range(0, len(audio[number]), 160):
            if number % 3 == 0:
                single.played(audio[number - 1][start : start + 160])
            expected += single.feed(audio[number][start : start + 160])
        assert close(heard[call], expected)


def test_much_at_once_is_judged_in_order() -> None:
    pool = DetectorPool(SileroRows())
    calls = [pool.enter() for _ in range(3)]
    audio = babble(1, 1.0) + SILENT_FRAME * 150 + babble(2, 1.0)  # and a silence long enough to be forgotten
    heard: dict[CallDetectors, list[VoiceEvidence]] = {call: [] for call in calls}
    for call in calls:
        call.feed(audio)
    turned(pool, heard)
    expected = Alone(DetectorPool(SileroRows()))
    one_by_one = [found for at in range(0, len(audio), 160) for found in expected.feed(audio[at : at + 160])]
    assert all(close(found, one_by_one) for found in heard.values())


def test_more_calls_than_are_judged_at_once(loudness: SpeechModel) -> None:
    pool = DetectorPool(loudness)
    calls = [pool.enter() for _ in range(LARGEST + 30)]
    for call in calls:
        call.feed(SILENT_FRAME * 2)
    assert {call.row for call, _ in pool.turn()} == set(range(len(calls)))
    assert pool.turn() == []


def test_a_call_that_is_over_gives_its_row_to_another() -> None:
    pool = DetectorPool(SileroRows())
    calls = [pool.enter() for _ in range(100)]
    assert len({call.row for call in calls}) == pool.calls == 100
    row = calls[0].row
    calls[0].feed(babble(3, 2.5))
    pool.turn()
    del calls[0]
    gc.collect()
    assert pool.calls == 99
    fresh, heard = pool.enter(), []
    assert fresh.row == row
    fresh.feed(babble(4, 2.5))
    heard = [found for _, found in pool.turn() if isinstance(found, VoiceEvidence)]
    assert close(heard, Alone(DetectorPool(SileroRows())).feed(babble(4, 2.5)))


def test_what_waits_of_a_call_that_is_over_is_not_judged(loudness: SpeechModel) -> None:
    pool = DetectorPool(loudness)
    gone, call, told = pool.enter(), pool.enter(), []
    gone.begin(told.append)
    for each in (gone, call):
        each.feed(SILENT_FRAME * 50)
    gone.end()
    assert {who for who, _ in pool.turn()} == {call}
    gone.feed(SILENT_FRAME * 50)
    gone.tell(VoiceEvidence(WINDOW, 0.0, -90.0))
    assert pool.turn() == told == []


def test_who_is_overrun_hears_the_present(loudness: SpeechModel) -> None:
    """Windows too old to be worth judging are passed over, also those a call begins with; places in time stay true."""
    pool = DetectorPool(loudness)
    pool.most_behind = 4 * WINDOW
    late, call = pool.enter(), pool.enter()
    late.feed(b"\xff" * 10 * WINDOW)
    call.feed(b"\xff" * 4 * WINDOW)
    places = [found.position // WINDOW for who, found in pool.turn() if who is late and isinstance(found, VoiceEvidence)]
    assert (places, pool.passed_over, late.behind) == ([7, 8, 9, 10], 6, 0)


def test_a_beep_is_told_of_with_the_window_that_ends_it(loudness: SpeechModel) -> None:
    pool = DetectorPool(loudness)
    others, call = pool.enter(), pool.enter()
    beep = (6000 * np.sin(2 * np.pi * 1000 * np.arange(4096) / 8000)).astype(np.int16)
    others.feed(babble(5, 1.0))
    call.feed(encode(beep) + SILENT_FRAME * 4)
    (told,) = [(at, found) for at, found in pool.turn() if isinstance(found, ToneHeard)]
    assert told == (call, ToneHeard(4096 + WINDOW, 1000.0, 4096 / 8000))
