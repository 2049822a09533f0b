"""The caller or the room behind the caller."""

from __future__ import annotations

import numpy as np
import pytest

from voice.detectors.foreground import Foreground

ALONE = np.zeros(1, np.intp)


def fed(filter_: Foreground, seconds: float, speech: float, levels: tuple[float, ...]) -> list[float]:
    windows = round(seconds * 31.25)
    heard = [filter_.step(ALONE, np.array([speech]), np.array([levels[number % len(levels)]])) for number in range(windows)]
    return [float(one[0]) for one in heard]


def believed(filter_: Foreground, what: str) -> float:
    return float(filter_.of(ALONE)[what][0])


def test_on_a_quiet_line_the_detector_is_believed() -> None:
    heard = Foreground()
    assert fed(heard, 1.0, 0.02, (-65.0,)) == [0.02] * 31
    assert fed(heard, 1.0, 0.97, (-30.0, -25.0)) == [0.97] * 31


def test_so_it_is_over_a_fan() -> None:
    heard = Foreground()
    fed(heard, 2.0, 0.02, (-38.0, -37.0, -39.0))
    assert min(fed(heard, 1.0, 0.97, (-33.0, -30.0, -36.0))) == 0.97
    assert believed(heard, "talk") < 0.12


def test_a_room_that_talks_is_told_from_the_caller_by_level() -> None:
    heard = Foreground()
    fed(heard, 3.0, 0.8, (-40.0, -37.0, -42.0))
    assert max(fed(heard, 1.0, 0.8, (-40.0, -37.0, -42.0))) < 0.5
    assert fed(heard, 0.5, 0.97, (-22.0, -25.0))[-1] > 0.9
    assert fed(heard, 2.0, 0.8, (-40.0, -37.0, -42.0))[-1] < 0.5


def test_somebody_who_stays_far_under_the_callers_loudness_is_somebody_else() -> None:
    heard = Foreground()
    fed(heard, 1.0, 0.02, (-45.0,))
    fed(heard, 2.0, 0.97, (-20.0, -24.0))
    assert fed(heard, 3.0, 0.97, (-36.0, -39.0))[-1] < 0.5


def test_a_room_that_grows_louder_is_still_a_room() -> None:
    heard = Foreground()
    fed(heard, 2.0, 0.02, (-60.0,))
    fed(heard, 8.0, 0.6, (-35.0,))
    assert believed(heard, "room") > -42.0


def test_it_learns_how_loud_the_caller_is() -> None:
    heard = Foreground()
    fed(heard, 1.0, 0.02, (-65.0,))
    fed(heard, 6.0, 0.97, (-38.0, -40.0))
    assert believed(heard, "caller") < -34.0


def test_a_near_voice_that_is_there_when_the_line_opens_is_a_voice() -> None:
    assert min(fed(Foreground(), 3.0, 0.97, (-22.0, -26.0))) > 0.5


def test_a_far_one_is_the_room() -> None:
    assert fed(Foreground(), 1.0, 0.9, (-36.0, -39.0))[-1] < 0.5


def test_silence_itself_is_no_trouble() -> None:
    heard = Foreground()
    assert max(fed(heard, 5.0, 0.0, (-90.0,))) == 0.0
    assert believed(heard, "room") >= -68.0


def test_company_changes_nothing_and_neither_does_whose_row_it_was() -> None:
    lines = {0: (0.97, (-20.0, -24.0)), 1: (0.6, (-35.0,)), 2: (0.02, (-60.0, -58.0))}
    many = Foreground(2)
    rows = np.array([1, 0, 4])
    many.grow(5)
    fed(many, 1.0, 0.5, (-30.0,))  # somebody else's call
    for row in rows:
        many.begin(row)
    together = []
    for number in range(200):
        speech = np.array([lines[call][0] for call in lines])
        levels = np.array([lines[call][1][number % len(lines[call][1])] for call in lines])
        together.append(many.step(rows, speech, levels))
    for call, (speech, levels) in lines.items():
        assert [float(one[call]) for one in together] == pytest.approx(fed(Foreground(), 6.4, speech, levels))
