from __future__ import annotations

from voice.providers.resilience.lookahead import Lookahead


def spoken(seconds: float, at: float) -> Lookahead:
    ahead = Lookahead(lead=2.0)
    ahead.arrived(seconds / 2, at)
    ahead.arrived(seconds / 2, at + 0.1)
    ahead.ended(at + 0.2)
    return ahead


def test_a_segment_waiting_behind_a_long_one_is_held_until_the_lead() -> None:
    assert spoken(5.0, at=10.0).hold(10.2) == 10.0 + 5.0 - 10.2 - 2.0


def test_nothing_is_held_behind_a_short_one() -> None:
    assert spoken(1.5, at=10.0).hold(10.2) == 0.0


def test_a_segment_that_was_not_waiting_is_never_held() -> None:
    assert spoken(9.0, at=10.0).hold(10.3) == 0.0
    assert Lookahead().hold(0.0) == 0.0


def test_what_was_cut_off_is_forgotten() -> None:
    ahead = spoken(9.0, at=10.0)
    ahead.cut()
    assert ahead.hold(10.2) == 0.0


def test_a_buffer_that_ran_dry_begins_anew() -> None:
    ahead = spoken(1.0, at=10.0)
    ahead.arrived(5.0, 20.0)
    ahead.ended(20.0)
    assert ahead.hold(20.0) == 3.0


def test_a_reply_after_a_barge_in_does_not_wait_for_what_was_thrown_away() -> None:
    """All of the stopped reply had been delivered: nobody says here that it was cleared."""
    ahead = spoken(9.0, at=10.0)
    assert ahead.hold(12.0) == 0.0
    ahead.arrived(1.5, 12.2)
    ahead.ended(12.3)
    assert ahead.hold(12.3) == 0.0
