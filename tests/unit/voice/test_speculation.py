"""Drafts: when one is begun, what it may do before it is wanted, and what becomes of it."""

from __future__ import annotations

import pytest

from voice.actions import AgentSaid, CallerSaid, Happened, Note, Speak, StartReply, StopReply
from voice.events import ReplyFailed, ReplyId, ReplyText, ReplyWritten, Samples, ToolCalled, VoiceEvidence
from voice.floor import Floor
from voice.policy import Policy
from voice.reply import Reply
from voice.speculation import Speculation
from voice.turn import CallerTurn


@pytest.fixture
def speculation() -> Speculation:
    return Speculation(Policy(most_speculations=2))


def begin(speculation: Speculation, text: str, number: int = 1) -> None:
    assert speculation.wants(text, is_settled=True)
    actions = speculation.begin(text, Reply(ReplyId(number)), [])
    assert StartReply(ReplyId(number), (CallerSaid(text),), speculative=True) in actions


def spoke_until_one_second() -> Floor:
    """The caller's voice was heard up to 1.0 s of the line, and 0.25 s have passed since."""
    floor = Floor()
    for window in range(1, 41):
        is_voice = window <= 32
        position = Samples(window * 250)
        floor.evidence(VoiceEvidence(position, 0.97 if is_voice else 0.01, -26.0 if is_voice else -62.0))
    return floor


@pytest.mark.parametrize(
    ("turn", "is_caught_up"),
    [
        (CallerTurn(finals=["yes"], final_at=4.9), True),  # came since the voice ended
        (CallerTurn(finals=["yes"], final_at=4.0, final_until=0.95), True),  # or reaches to there
        (CallerTurn(finals=["yes"], final_at=4.0, final_until=0.5), False),
        (CallerTurn(interim="yes", heard_until=0.95), True),
        (CallerTurn(interim="yes", heard_until=0.5, changed_at=5.0), False),
        (CallerTurn(interim="yes", changed_at=5.0), True),  # an interim without word times came late enough
        (CallerTurn(interim="yes", changed_at=4.9), False),
    ],
)
def test_words_have_caught_up_where_they_reach_the_end_of_the_voice(
    speculation: Speculation, turn: CallerTurn, is_caught_up: bool
):
    floor = spoke_until_one_second()
    assert (floor.voice_until, floor.quiet) == (1.0, 0.25)
    assert speculation.has_caught_up(turn, floor, 5.0) is is_caught_up


@pytest.mark.parametrize("text", ["stop calling me", "well my", "Thanks,"])
def test_a_no_and_half_a_sentence_are_not_answered_in_advance(speculation: Speculation, text: str):
    assert not speculation.wants(text, is_settled=True)


def test_words_that_still_change_are_not_answered(speculation: Speculation):
    assert not speculation.wants("yes I do", is_settled=False)


def test_the_same_words_are_answered_once_and_a_turn_has_a_limit(speculation: Speculation):
    begin(speculation, "yes")
    assert not speculation.wants("Yes.", is_settled=True)
    begin(speculation, "yes I do", 2)
    assert not speculation.wants("yes I do own it", is_settled=True)
    assert speculation.turn_over("no") is None
    assert speculation.wants("yes I do own it", is_settled=True)


def test_only_the_first_words_are_made_into_sound(speculation: Speculation):
    begin(speculation, "yes")
    assert speculation.take(ReplyText(ReplyId(1), "Good. And ")) == [Speak(ReplyId(1), 0, "Good.")]
    assert speculation.take(ReplyText(ReplyId(1), "then? More ")) == []
    assert speculation.take(ToolCalled(ReplyId(1), "c", "end_call", "{}")) == []
    assert speculation.take(ReplyWritten(ReplyId(1))) == []
    draft = speculation.turn_over("YES!")
    assert draft is not None
    assert draft.reply.segments == ["Good.", "And then?", "More"]
    assert [type(event) for event in draft.held] == [ToolCalled, ReplyWritten]
    assert not speculation.is_of(ReplyId(1))
    assert (speculation.begun, speculation.dropped) == (1, [])


def test_a_draft_that_fails_or_is_not_wanted_is_wasted(speculation: Speculation):
    begin(speculation, "yes")
    assert StopReply(ReplyId(1)) in speculation.take(ReplyFailed(ReplyId(1), "timeout"))
    begin(speculation, "no", 2)
    assert speculation.is_of(ReplyId(2))
    dropped = speculation.drop("something else is said")
    assert dropped == [StopReply(ReplyId(2)), Note("decision", "a prepared reply is dropped: something else is said")]
    assert speculation.drop("again") == []
    assert (speculation.begun, speculation.dropped) == (2, [1, 2])


def test_what_was_wasted_is_counted_in_tokens(speculation: Speculation):
    said = [AgentSaid("a" * 40), Happened("silence"), CallerSaid("b" * 20)]
    speculation.begin("yes", Reply(ReplyId(1)), [*said])
    speculation.take(ReplyText(ReplyId(1), "c" * 80))
    assert speculation.drop("the words changed")[0] == StopReply(ReplyId(1), wasted=35)
    speculation.begin("yes I do", Reply(ReplyId(2)), [*said])
    speculation.take(ReplyWritten(ReplyId(2), 1000, 30, 500))
    assert speculation.drop("something else is said")[0] == StopReply(ReplyId(2), wasted=1530)
    assert speculation.wasted_tokens == 1565
