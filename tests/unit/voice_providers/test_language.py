"""Words, numbers and times as they are spoken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context.briefing import Briefing
from voice.agent import AgentDefinition
from voice.language.numbers import spoken_number
from voice.language.spotting import Spotter, apart
from voice.language.times import SpokenTime, spoken_time
from voice.language.wording import blanks, fill
from voice.language.wording import spoken_number as read_aloud
from voice.language.words import distance, likeness, normalise, sound, words


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("about one fifty", 150),
        ("a couple hundred dollars", 200),
        ("a couple of hundred", 200),
        ("a hundred and fifty", 150),
        ("eighty five bucks", 85),
        ("$1,200.50 a month", 1200),
        ("one hundred twenty", 120),
        ("around two thousand five hundred", 2500),
        ("three thousand two", 3002),
        ("one twenty five", 125),
        ("two grand", 2000),
        ("two hundreds", 200),
        ("zero", 0),
        ("200 50", 250),
        ("fifty or sixty", 50),
        ("one two three", 1),
        ("three hundred and", 300),
        ("five hundred hundred", 500),
        ("two thousand thousand", 2000),
        ("ten zero", 10),
        ("i have a dog", None),
        ("hundred", None),
        ("1234567890123", None),
        ("", None),
    ],
)
def test_a_number_is_read_as_it_is_said(said: str, number: int | None) -> None:
    assert spoken_number(said) == number


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("friday at three thirty", "Friday at 3:30 PM"),
        ("Friday at 3:30 p.m.", "Friday at 3:30 PM"),
        ("how about tuesday at ten in the morning", "Tuesday at 10 AM"),
        ("tomorrow at four", "tomorrow at 4 PM"),
        ("at four on friday", "Friday at 4 PM"),
        ("next monday afternoon", "next Monday afternoon"),
        ("half past two", "2:30 PM"),
        ("quarter past nine tomorrow", "tomorrow at 9:15 AM"),
        ("quarter to one on sunday", "Sunday at 12:45 PM"),
        ("monday at noon", "Monday at noon"),
        ("midday tomorrow", "tomorrow at noon"),
        ("any time on monday", "Monday, any time"),
        ("tonight at seven", "today at 7 PM"),
        ("the fifth at nine", "the fifth at 9 AM"),
        ("december third at eight oh five in the evening", "December third at 8:05 PM"),
        ("saturday at fourteen", "Saturday"),
        ("saturday at 14 45", "Saturday at 2:45 PM"),
        ("saturday at 3 75", "Saturday"),
        ("wednesday three forty five", "Wednesday at 3:45 PM"),
        ("thursday twelve o'clock", "Thursday at 12 PM"),
        ("friday the third", "Friday"),
        ("tomorrow morning", "tomorrow morning"),
        ("three", "3 PM"),
        ("we have two dogs and a cat", ""),
        ("one hundred fifty dollars", ""),
        ("", ""),
    ],
)
def test_a_time_is_read_as_it_is_said(said: str, written: str) -> None:
    assert str(spoken_time(said)) == written


def test_a_time_may_come_in_two_halves() -> None:
    day, hour = spoken_time("friday"), spoken_time("at three")
    assert not day.is_whole
    assert not hour.is_whole
    assert str(hour.filled(day)) == str(day.filled(hour)) == "Friday at 3 PM"
    assert hour.filled(day).is_whole
    assert not SpokenTime()


@given(st.text(max_size=200))
def test_nothing_anybody_writes_breaks_the_readers(text: str) -> None:
    spoken_number(text)
    str(spoken_time(text))
    assert normalise(normalise(text)) == normalise(text)


def test_words_are_plain_and_written_out() -> None:
    assert words("Well, I'm NOT interested -- thanks!") == ["i", "am", "not", "interested", "thanks"]
    assert words("um") == ["um"]
    assert words("don’t") == ["do", "not"]


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("cost", "cost", 1.0, 1.0),
        ("tile", "tiles", 0.95, 0.95),
        ("shingle", "single", 0.8, 0.9),
        ("no", "on", 0.0, 0.0),
        ("roof", "rough", 0.0, 0.8),
        ("metal", "friday", 0.0, 0.0),
        ("calling", "called", 0.95, 0.95),
    ],
)
def test_words_are_alike_to_the_ear(one: str, other: str, least: float, most: float) -> None:
    assert least <= likeness(one, other) <= most


def test_sounds_and_letters() -> None:
    assert sound("back") == sound("bag") == "bk"
    assert likeness("peach", "beach") == 0.8
    assert likeness("month", "moment") == 0.0 or likeness("month", "moment", by_sound=False) == 0.0
    assert distance("", "abc") == 3
    assert distance("kitten", "sitting") == 3


def test_blanks_are_filled_and_leave_no_trace(agent: AgentDefinition) -> None:
    assert fill("Hi {first_name}, this is {persona}.", {"persona": "Ava"}) == "Hi, this is Ava."
    assert blanks(agent, Briefing())["callback_number"] == "3 0 2, 5 5 5, 0 1 0 0"
    assert read_aloud("sip:desk@host") == "sip:desk@host"


def test_spotting_finds_the_better_and_longer() -> None:
    spotter = Spotter({"cost": ["how much does it cost"], "much": ["how much"], "stop": ["stop calling me"]})
    text = words("so how much would it cost and please stop calling")
    assert [spot.label for spot in apart(spotter.all(text))] == ["cost", "stop"]
    assert spotter.all([]) == []
    assert spotter.all(words("the weather is fine")) == []


def test_a_phrase_that_hangs_on_one_word_needs_it() -> None:
    spotter = Spotter({"own": ["i own it"]})
    assert spotter.all(words("i do it")) == []
    assert [spot.label for spot in spotter.all(words("yes i own it"))] == ["own"]


def test_a_spotter_forgets_words_it_has_seen_too_many_of() -> None:
    spotter = Spotter({"own": ["i own it"]})
    for number in range(10_050):
        spotter.all([f"x{number}"])
    assert spotter.all(["i", "own", "it"])
