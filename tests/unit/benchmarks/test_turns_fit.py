"""Fitting the weights of an ending: the regression, the folds, and what is taken of a pause."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.turns_fit import AT, Stream, bare, fit, is_free, judged, pauses, regress, sixths
from benchmarks.turns_score import Case, Pause
from voice.endpointing import EndpointPolicy
from voice.events import Samples, VoiceEvidence

POLICY = EndpointPolicy()


def case(name: str, *rests: Pause, end: int = 3000, speaker: str = "she", noise: str = "") -> Case:
    return Case(name, "eot", "final", "clean", "", 6000, noise=noise, pauses=rests, turn_end=end, speaker=speaker)


def stream(*spoken: tuple[int, int], complete: float = 1.0, until: int = 6000) -> Stream:
    """Voice from ms to ms, silence elsewhere, and one cue soon after each end."""
    heard: Stream = []
    quiet = 0
    for index in range(until // 32):
        now = 32 * (index + 1)
        is_voice = any(begun < now <= ended for begun, ended in spoken)
        quiet = 0 if is_voice else quiet + 1
        cues = (("clarity", 1.0), ("complete", complete)) if quiet == AT - 2 else ()
        heard.append(
            (now, VoiceEvidence(Samples(256 * (index + 1)), float(is_voice), -26.0 if is_voice else -70.0, 0.0, cues))
        )
    return heard


def test_the_regression_finds_what_decides_and_weighs_both_kinds_alike() -> None:
    random = np.random.default_rng(5)
    values = random.standard_normal((3000, 2))
    truth = (random.random(3000) < 1 / (1 + np.exp(-(2 * values[:, 0] - 2)))).astype(np.float64)
    weights, constant = regress(values, truth)
    assert weights == pytest.approx([2.0, 0.0], abs=0.25)
    assert constant > -1.0, "ends are rarer than pauses here, and are not to be doubted for that"


def test_of_a_pause_its_evidence_is_taken_at_unit_weight() -> None:
    one = case("a", Pause(1000, 2000, "natural"), Pause(2500, 2600, "natural"))
    found = list(pauses(one, stream((0, 1000), (2000, 3000), complete=3.0), POLICY))
    assert [pause.is_end for pause in found] == [False, True]
    assert found[0].parts["complete"] == pytest.approx(2.0)
    assert found[0].parts["spoken"] == pytest.approx(np.log(1 / 2), abs=0.02)
    assert bare(POLICY).cues["complete"].weight == 1.0


def test_what_was_fitted_decides() -> None:
    ended, held = case("a"), case("b", Pause(1000, 1600, "natural"))
    heard = {"a": stream((0, 3000), complete=4.0), "b": stream((0, 1000), (1600, 3000), complete=-4.0)}
    known = [pause for one in (ended, held) for pause in pauses(one, heard[one.id], POLICY)]
    policy = fit(known, POLICY, threshold=0.0)
    assert policy.cues["complete"].weight > 0.0
    assert policy.cues["clarity"] == POLICY.cues["clarity"]
    report = judged((ended, held), heard, lambda _: policy)
    assert report.scores.turns["b"].pauses[0].is_cut is False


def test_the_speakers_are_dealt_out_evenly() -> None:
    folds = sixths([case(str(number), speaker=f"speaker {number % 12}") for number in range(36)])
    assert sorted(map(len, folds)) == [2] * 6
    assert len(set().union(*folds)) == 12


def test_weights_are_shipped_of_free_recordings_only() -> None:
    assert is_free(case("a", noise="lk_office"))
    assert not is_free(case("a", noise="esc_train"))
