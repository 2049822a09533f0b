"""How soon a caller is answered among vendors that are as slow as they publish: the promises of the page on turn-taking."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.answering import answers
from voice.policy import Policy


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    return answers(90).figures()


def test_callers_hear_something_soon(figures: dict[str, float]):
    assert figures["gap_p50_ms"] <= 500
    assert figures["gap_p95_ms"] <= 900


def test_what_is_prepared_is_seldom_in_vain_and_thinking_is_not_answered(figures: dict[str, float]):
    assert figures["drafts_wasted_percent"] <= 25
    assert figures["pauses_cut_percent"] <= 10


def test_the_same_seed_gives_the_same_answers(figures: dict[str, float]):
    assert answers(90).figures() == figures


def test_without_words_in_between_the_reply_itself_is_waited_for():
    plain = answers(30, policy=replace(Policy(), acknowledge_after=None)).figures()
    assert plain["bridged_percent"] == 0
    assert plain["gap_p50_ms"] == plain["content_p50_ms"] > 800
