"""Growth from cycle to cycle: a slope, its interval, and a word for it."""

import pytest

from benchmarks.growth import Growth, growth


def test_a_straight_line_is_known_exactly():
    found = growth([100.0, 110.0, 120.0, 130.0])
    assert (found.slope, found.low, found.high) == pytest.approx((10.0, 10.0, 10.0))
    assert found.called(9.0) == "grows"
    assert found.called(10.5) == "flat"


def test_noise_widens_the_interval():
    found = growth([0.0, 10.0, 0.0, 10.0, 0.0])
    assert found.slope == pytest.approx(0.0)
    assert found.low < 0 < found.high
    assert found.called(2.0) == "not to be told from so few cycles"
    assert found.called(100.0) == "flat"


def test_one_step_at_the_beginning_is_not_taken_for_growth_of_many_cycles():
    assert growth([0.0] + [1000.0] * 20).called(50.0) == "flat"


def test_a_slope_is_told_in_another_unit():
    assert Growth(20.0, 10.0, 30.0).scaled(0.1) == Growth(2.0, 1.0, 3.0)


def test_two_cycles_are_no_slope():
    with pytest.raises(ValueError):
        growth([1.0, 2.0])
