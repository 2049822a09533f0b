"""Words that mean something to the conversation itself."""

from __future__ import annotations

import pytest

from voice.phrases import (
    is_backchannel,
    is_complete,
    is_led,
    is_number_in_progress,
    is_opt_out,
    is_parting,
    is_question,
    is_request,
    is_upset,
    normalise,
    trails_off,
    without_lead,
)


def test_recognisers_that_write_differently_mean_the_same() -> None:
    assert normalise("  Uh-huh,  I’M  here! ") == "uh-huh i'm here"


@pytest.mark.parametrize("text", ["Mm-hmm.", "yeah", "Okay, right.", "I see", "Got it!", "uh huh", "Oh, okay, sure"])
def test_backchannels_do_not_take_the_floor(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["", "...", "wait", "yeah but who is this", "no", "okay okay okay okay", "stop"])
def test_everything_else_may(text: str) -> None:
    assert not is_backchannel(text)


@pytest.mark.parametrize("text", ["I would like to", "my number is", "and", "well, um", "It's for my"])
def test_some_last_words_promise_more(text: str) -> None:
    assert trails_off(text)


@pytest.mark.parametrize("text", ["", "tomorrow", "I said no.", "?"])
def test_others_do_not(text: str) -> None:
    assert not trails_off(text)


def test_a_recogniser_that_punctuates_tells_sentences() -> None:
    assert is_complete("I would. ")
    assert is_complete("Who is this?")
    assert not is_complete("I would")


def test_a_question() -> None:
    assert is_question("Who is this? ")
    assert not is_question("Who is this.")
    assert not is_question("")
    assert not is_complete("")


@pytest.mark.parametrize(
    ("text", "is_expected", "more"),
    [
        ("it's five five five", False, True),
        ("555-12", False, True),
        ("five five", False, False),
        ("five five", True, True),
        ("five five five one two three four", True, False),
        ("555 1234", True, False),
        ("tomorrow at five", True, True),
        ("five of them", True, False),
        ("", True, False),
    ],
)
def test_digits_may_go_on_until_they_make_a_number(text: str, is_expected: bool, more: bool) -> None:
    assert is_number_in_progress(text, is_expected=is_expected) is more


@pytest.mark.parametrize(
    "text",
    [
        "Please stop calling me",
        "don't ever call this number",
        "take me off your list",
        "Take my number off of your calling lists, please",
        "Stop.",
        "unsubscribe",
        "no me llame más",
    ],
)
def test_an_opt_out_in_any_words_is_one(text: str) -> None:
    assert is_opt_out(text)


@pytest.mark.parametrize("text", ["", "call me tomorrow", "I can't stop laughing", "stop by on Friday"])
def test_other_wishes_are_none(text: str) -> None:
    assert not is_opt_out(text)


@pytest.mark.parametrize("text", ["that is ridiculous", "I already told you", "no, that's wrong", "is this a scam"])
def test_a_complaint(text: str) -> None:
    assert is_upset(text)
    assert not is_upset("about twelve years old")


@pytest.mark.parametrize("text", ["Okay thank you, goodbye.", "bye bye", "have a nice day"])
def test_a_goodbye(text: str) -> None:
    assert is_parting(text)
    assert not is_parting("stop by on Friday")


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("it rains?", True),
        ("and how long would that take", True),
        ("Yes. Could you send me something", True),
        ("my roof is old", False),
        ("I know what it is", False),
        ("", False),
    ],
)
def test_what_is_asked_of_us(text: str, asks: bool) -> None:
    assert is_request(text) is asks


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Okay, when shall we come?", "When shall we come?"),
        ("Sure. All right - then let's go.", "Then let's go."),
        ("Got it.", ""),
        ("Right now we are closed.", "Right now we are closed."),
        ("Yes, it is.", "Yes, it is."),
    ],
)
def test_an_acknowledgement_of_its_own_is_left_out(text: str, rest: str) -> None:
    assert without_lead(text) == rest
    assert is_led(text) is (rest != text)
