from __future__ import annotations

import pytest

from voice.sentences import SentenceSplitter


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Hello. How are you? Fine!", ["Hello.", "How are you?", "Fine!"]),
        ("It costs 3.50 dollars. Okay.", ["It costs 3.50 dollars.", "Okay."]),
        ("Mr. Smith came at 3 p.m. today. Yes.", ["Mr. Smith came at 3 p.m. today.", "Yes."]),
        ('He said "go." Then left.', ['He said "go."', "Then left."]),
        ("one\ntwo", ["one", "two"]),
        ("\n\n", []),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_splits(text: str, sentences: list[str]):
    splitter = SentenceSplitter()
    assert [*splitter.feed(text), *splitter.flush()] == sentences


def test_the_pieces_it_comes_in_do_not_matter():
    text = "Hello there. How are you, Mr. Jones? I am well."
    splitter = SentenceSplitter()
    out = [sentence for letter in text for sentence in splitter.feed(letter)] + splitter.flush()
    assert out == ["Hello there.", "How are you, Mr. Jones?", "I am well."]


def test_a_sentence_is_out_as_soon_as_it_is_certain():
    splitter = SentenceSplitter()
    assert splitter.feed("Hello.") == []
    assert splitter.feed(" H") == ["Hello."]


def test_the_first_clause_is_out_before_its_sentence_if_it_can_be_spoken_by_itself():
    splitter = SentenceSplitter()
    assert splitter.feed("Good question, let") == []
    assert splitter.first_clause() == ["Good question,"]
    assert splitter.first_clause() == []
    assert [*splitter.feed(" me see. And"), *splitter.flush()] == ["let me see.", "And"]


@pytest.mark.parametrize("text", ["Sure, that is no problem", "It costs 1,000 dollars", "Well"])
def test_what_is_too_short_or_no_clause_waits_for_its_sentence(text: str):
    splitter = SentenceSplitter()
    splitter.feed(text)
    assert splitter.first_clause() == []
    assert splitter.flush() == [text]
