"""Somebody is heard while we speak: who takes the floor, and when."""

from __future__ import annotations

from collections.abc import Sequence

from voice.bargein import BargeIn, BargePolicy, Sound, Stage, Verdict

WINDOW = 0.032
ROOM = -60.0
QUIET = (ROOM, 0.01)


def heard(
    levels: Sequence[float | tuple[float, float]], *, case: BargeIn | None = None, room: float = ROOM
) -> list[tuple[int, Verdict]]:
    """Feed windows given by level (a sure voice) or (level, speech probability); verdicts with their window's number."""
    case = case or BargeIn()
    verdicts = []
    for number, one in enumerate(levels):
        level, speech = one if isinstance(one, tuple) else (one, 0.97)
        verdict = case.hear(Sound(WINDOW, speech, speech >= 0.5, level, room, -28.0))
        if verdict is not None:
            verdicts.append((number, verdict))
    return verdicts


def settled(verdicts: list[tuple[int, Verdict]]) -> list[Verdict]:
    return [verdict for _, verdict in verdicts]


def taken_at(verdicts: list[tuple[int, Verdict]]) -> int:
    return next(at for at, verdict in verdicts if verdict is Verdict.TAKEN)


def test_silence_and_clicks_raise_no_doubt() -> None:
    assert heard([QUIET] * 50 + [-20.0] * 2 + [QUIET] * 50) == []


def test_a_raised_voice_takes_the_floor_within_300_ms() -> None:
    (doubt, first), (paused, second), (taken, third) = heard([-27.0, -22.0, -20.0] + [-21.0] * 12)[:3]
    assert (first, second, third) == (Verdict.RAISED, Verdict.GROWN, Verdict.TAKEN)
    assert (doubt + 1) * WINDOW <= 0.1
    assert (paused + 1) * WINDOW <= 0.16
    assert (taken + 1) * WINDOW <= 0.3


def test_a_voice_at_usual_strength_takes_it_by_going_on() -> None:
    _, (paused, grown), (taken, verdict) = heard([-28.0] * 20)[:3]
    assert (grown, verdict) == (Verdict.GROWN, Verdict.TAKEN)
    assert 0.28 <= (paused + 1) * WINDOW < 0.33
    assert 0.44 < (taken + 1) * WINDOW < 0.52


def test_a_voice_that_is_raised_late_makes_us_pause_without_a_lower_voice_first() -> None:
    assert settled(heard([-45.0] * 5 + [-15.0] * 3))[0] is Verdict.GROWN


def test_we_do_not_pause_for_what_is_dying_away_or_hardly_a_voice_or_far_off() -> None:
    assert Verdict.GROWN not in settled(heard([-26.0] * 4 + [-40.0] * 4 + [QUIET] * 9))
    assert Verdict.GROWN not in settled(heard([(-20.0, 0.55)] * 12))
    assert Verdict.GROWN not in settled(heard([-33.0] * 14))


def test_only_what_is_too_loud_for_a_murmur_is_sure() -> None:
    for level, is_sure in ((-20.0, True), (-25.0, False)):
        case = BargeIn()
        heard([level] * 4, case=case)
        assert case.is_sure(-28.0) is is_sure


def test_two_syllables_count_as_loudness() -> None:
    one = heard([-25.0] * 20)
    two = heard([-25.0] * 4 + [-40.0] + [-25.0] * 15)
    assert taken_at(two) < taken_at(one)


def test_one_sound_said_twice_is_no_word() -> None:
    def verdicts(*colours: float | None) -> list[Verdict | None]:
        case = BargeIn()
        levels = [-20.0] * 5 + [-40.0] + [-20.0] * 14
        return [
            case.hear(Sound(WINDOW, 0.97, True, level, ROOM, -28.0, colours[at % len(colours)]))
            for at, level in enumerate(levels)
        ]

    assert Verdict.TAKEN in verdicts(-8.0, -5.0, -2.0)
    assert Verdict.TAKEN not in verdicts(-8.0)
    assert Verdict.TAKEN in verdicts(None), "a colour that nobody measured says nothing"


def test_a_backchannel_is_a_doubt_that_settles() -> None:
    assert settled(heard([-27.0, -25.0, -26.0, -27.0, -29.0, -33.0, -45.0, *[QUIET] * 12])) == [
        Verdict.RAISED,
        Verdict.SETTLED,
    ]


def test_the_detectors_lag_behind_a_voice_that_stopped_is_not_its_going_on() -> None:
    case = [-26.0] * 9 + [(-58.0, 0.9)] * 8 + [QUIET] * 12
    assert settled(heard(case)) == [Verdict.RAISED, Verdict.GROWN, Verdict.SETTLED]


def test_sound_right_before_the_voice_belongs_to_it() -> None:
    plain = heard([QUIET] * 5 + [-28.0] * 20)
    after_a_consonant = heard([QUIET] * 2 + [(-40.0, 0.2)] * 3 + [-28.0] * 20)
    assert taken_at(after_a_consonant) < taken_at(plain)


def test_a_sound_that_is_hardly_a_voice_does_not_take_the_floor() -> None:
    assert Verdict.TAKEN not in settled(heard([(-18.0, 0.6), (-18.0, 0.55)] * 12 + [QUIET] * 12))


def test_a_voice_with_too_many_gaps_does_not_either() -> None:
    assert Verdict.TAKEN not in settled(heard([-20.0, (-50.0, 0.1), (-50.0, 0.1)] * 12))


def test_what_is_quiet_or_no_louder_than_the_room_is_never_doubted() -> None:
    assert heard([-40.0] * 40) == []
    assert heard([-30.0] * 40, room=-35.0) == []


def test_talk_that_goes_on_behind_us_is_what_is_usual_here() -> None:
    case = BargeIn()
    heard([(-33.0 - number % 5, 0.4) for number in range(60)], case=case)
    assert heard([-30.0] * 10 + [QUIET] * 8, case=case) == []
    assert Verdict.TAKEN in settled(heard([-20.0] * 15, case=case))


def test_it_remains_known_from_one_reply_to_the_next() -> None:
    case = BargeIn()
    heard([(-33.0, 0.4)] * 60, case=case)
    case.forget()
    assert heard([-30.0] * 4, case=case) == []


def test_a_closed_case_leaves_nothing_behind() -> None:
    case = BargeIn()
    heard([-28.0] * 5, case=case)
    assert case.stage is Stage.DOUBT
    case.forget()
    assert case.stage is Stage.NOTHING
    assert (case.voice, case.span, case.silence) == (0.0, 0.0, 0.0)


def test_the_journal_is_told_the_case() -> None:
    case = BargeIn()
    heard([-20.0] * 4, case=case)
    assert case.why(-28.0) == "128 ms, 128 of voice, +8 dB against usual"


def test_a_policy_can_be_more_patient() -> None:
    case = BargeIn(BargePolicy(latest=1.0, loud_early=99.0, loud_late=99.0))
    assert taken_at(heard([-28.0] * 60, case=case)) >= 31
