from __future__ import annotations

import msgspec
import pytest

from context.briefing import Briefing, ContactCard
from voice.agent import AgentDefinition
from voice.events import Word
from voice.providers.deepgram_hearing import (
    Alternative,
    Channel,
    HeardWord,
    Hearing,
    Message,
    keyterms,
    parse,
    stable_share,
    within_limit,
)

AGENT = AgentDefinition("a", "Acme", "Ann", "", "", "", keyterms=("shingle", "Acme"))


def word(text: str, start: float, end: float) -> HeardWord:
    return HeardWord(word=text.lower(), punctuated_word=text, start=start, end=end, confidence=0.9)


def results(
    text: str, *, final: bool = False, asked: bool = False, at: float = 0.0, languages: list[str] | None = None
) -> Message:
    words = [word(part, at + i * 0.3, at + i * 0.3 + 0.3) for i, part in enumerate(text.split())]
    best = Alternative(transcript=text, confidence=0.9, words=words, languages=languages)
    return Message(type="Results", is_final=final, from_finalize=asked, channel=Channel([best]))


def turn(event: str, text: str, end: float) -> Message:
    words = [word(text, 1.0, 1.5)] if text else []
    return Message(type="TurnInfo", event=event, transcript=text, words=words, end_of_turn_confidence=end)


def test_interims_become_stable_word_by_word_and_are_told_once() -> None:
    hearing = Hearing()
    first = hearing.take(results("I"), 0.0)
    second = hearing.take(results("I own"), 0.1)
    assert first is not None
    assert second is not None
    assert (first.stability, second.stability) == (0.0, 0.5)
    assert second.words == (Word("I", 0.0, 0.3), Word("own", 0.3, 0.6))
    assert hearing.take(results("I own"), 0.2) is None
    assert hearing.take(results(""), 0.3) is None


def test_a_wordless_final_is_told_only_when_it_was_asked_for_or_takes_words_back() -> None:
    hearing = Hearing()
    assert hearing.take(results("", final=True), 0.0) is None
    assert hearing.take(results("", final=True, asked=True), 0.0) is not None
    hearing.take(results("maybe"), 0.1)
    taken_back = hearing.take(results("", final=True), 0.2)
    assert taken_back is not None
    assert taken_back.text == ""


def test_after_a_final_everything_is_settled_for_a_moment() -> None:
    hearing = Hearing()
    assert not hearing.is_settled(0.0)
    hearing.take(results("yes", final=True), 1.0)
    assert hearing.is_settled(1.25)
    assert not hearing.is_settled(1.6)  # a word may have been said since
    hearing.take(results("and", at=1.0), 1.2)
    assert not hearing.is_settled(1.3)


def test_after_an_answer_there_may_be_more_or_nothing() -> None:
    hearing = Hearing()
    assert not hearing.has_answered(0.0)
    hearing.take(results("yes", final=True, asked=True), 1.0)
    assert not hearing.is_settled(1.1)  # who asks again has heard more
    assert hearing.has_answered(2.5)
    assert not hearing.has_answered(3.5)
    hearing.take(results("and", at=1.0), 2.6)
    assert not hearing.has_answered(2.7)


def test_the_last_interim_stands_in_for_the_final() -> None:
    hearing = Hearing()
    hearing.take(results("call me"), 0.0)
    assert hearing.close(1.0).text == "call me"
    assert hearing.close(1.0).text == ""


def test_flux_says_how_sure_it_is_and_takes_it_back() -> None:
    hearing = Hearing()
    ends = [
        found.end_of_turn
        for found in (
            hearing.take(turn("EagerEndOfTurn", "yes", 0.5), 0.0),
            hearing.take(turn("TurnResumed", "yes", 0.4), 0.1),
            hearing.take(turn("EndOfTurn", "yes", 0.8), 0.2),
        )
        if found is not None
    ]
    assert ends == [0.5, 0.0, 1.0]
    assert hearing.take(turn("Update", "", 0.0), 0.3) is None
    assert hearing.take(Message(type="Connected"), 0.4) is None


def test_a_turn_that_we_ended_ourselves_is_no_opinion_of_the_vendors() -> None:
    forced = turn("EndOfTurn", "yes", 0.2)
    forced.trigger = "manual"
    heard = Hearing().take(forced, 0.0)
    assert heard is not None
    assert heard.end_of_turn == 0.5


def test_the_language_most_spoken_is_told_once_there_are_words_enough_to_tell_it_by() -> None:
    hearing = Hearing()
    one = hearing.take(results("no", languages=["es"]), 0.0)
    more = hearing.take(results("no hablo inglés", final=True, languages=["es", "en"]), 0.1)
    plain = hearing.take(results("I see that", at=2.0), 0.2)
    assert one is not None
    assert more is not None
    assert plain is not None
    assert (one.language, more.language, plain.language) == ("", "es", "")
    turned = Message(
        type="TurnInfo", event="Update", transcript="buenos días", words=[word("x", 3, 4), word("y", 4, 5)], languages=["es"]
    )
    hearing.take(turned, 0.3)
    assert hearing.close(9.0).language == "es"  # also where the last interim stands in for the final


def test_an_answer_to_finalize_that_comes_when_our_timer_gave_it_long_ago_says_nothing_new() -> None:
    hearing = Hearing()
    hearing.take(results("call me"), 0.0)
    assert hearing.close(0.7).text == "call me"
    assert hearing.take(results("Call me"), 19.0) is None
    assert hearing.take(results("call me", final=True, asked=True), 20.0) is None
    more = hearing.take(results("call me back", final=True, asked=True), 20.1)
    assert more is not None  # the vendor has made up for ours: this is a final of its own
    assert hearing.take(results("call"), 20.2) is None


def test_one_that_heard_other_words_in_the_same_audio_revises_ours() -> None:
    hearing = Hearing()
    hearing.take(results("can I"), 0.0)
    hearing.close(1.5)
    revised = hearing.take(results("can I speak to", final=True, asked=True), 0.8)
    assert revised is not None
    assert revised.text == "can I speak to"


def test_what_our_timer_told_is_not_told_again_with_what_the_caller_said_next() -> None:
    hearing = Hearing()
    hearing.take(results("yes I"), 0.0)
    hearing.close(0.6)
    interim = hearing.take(results("yes I do about"), 0.8)
    final = hearing.take(results("yes I do about two", final=True), 0.9)
    assert interim is not None
    assert final is not None
    assert (interim.text, final.text) == ("do about", "do about two")
    assert [word.text for word in final.words] == ["do", "about", "two"]


def test_words_without_times_are_words_all_the_same() -> None:
    read = parse(
        '{"type": "TurnInfo", "event": "EndOfTurn", "transcript": "yes", "end_of_turn_confidence": 0.8, "trigger": null, '
        '"words": [{"word": "yes", "confidence": 0.9, "start": null}]}'
    )
    hearing = Hearing()
    for _ in range(2):
        heard = hearing.take(read, 0.0)
        assert heard is not None
        assert (heard.text, heard.words, heard.end_of_turn) == ("yes", (), 1.0)


def test_silence_that_was_put_in_is_taken_out_of_the_times() -> None:
    hearing = Hearing(fillers=[(0.5, 0.5)])
    heard = hearing.take(turn("EndOfTurn", "yes", 0.8), 0.0)
    assert heard is not None
    assert heard.words == (Word("yes", 0.5, 1.0),)


def test_keyterms_are_the_agents_and_the_callers_each_once_and_within_the_limit() -> None:
    briefing = Briefing(contact=ContactCard("c", "+12025550123", "Zelda Quigley", "Zelda"))
    assert keyterms(AGENT, briefing) == ("shingle", "Acme", "Ann", "Zelda Quigley", "Zelda")
    assert keyterms(AGENT, Briefing()) == ("shingle", "Acme", "Ann")
    assert within_limit(["a", "a", "b" * 2000, "c"]) == ("a",)


def test_stability_counts_from_the_start() -> None:
    assert stable_share("a b c", "a b d") == 2 / 3
    assert stable_share("", "a") == 0.0
    assert stable_share("a", "") == 0.0
    assert stable_share("x a", "a") == 0.0


def test_messages_are_read_by_their_wire_names_and_other_kinds_passed_over() -> None:
    read = parse(
        '{"type": "Results", "is_final": true, "new": [1], "channel": {"alternatives": [{"transcript": "yes", '
        '"confidence": 0.9, "words": [{"word": "yes", "start": 1, "end": 1.5, "confidence": 0.9}]}]}}'
    )
    heard = Hearing().take(read, 0.0)
    assert heard is not None
    assert (heard.text, heard.words) == ("yes", (Word("yes", 1.0, 1.5),))
    metadata = parse('{"type": "Metadata", "channel": 7, "words": "many"}')
    assert Hearing().take(metadata, 0.0) is None
    assert Hearing().take(parse('{"type": "Results"}'), 0.0) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"type": "Results", "channel": 7}', '{"type": 1}'])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        parse(text)
