"""When a reply's first sound is expected: by what mind and mouth have taken, and how far it has come."""

from __future__ import annotations

import pytest

from voice.actions import Speak, StartReply
from voice.events import DeadlinePassed, ReplyId, ReplyText, SpeechArrived
from voice.policy import Policy
from voice.promptness import Lately, Promptness

ONE, TWO = ReplyId(1), ReplyId(2)
NOTHING = DeadlinePassed()


def audio(reply: ReplyId, segment: int = 0) -> SpeechArrived:
    return SpeechArrived(reply, segment, b"x" * 80)


def test_the_way_of_a_reply():
    promptness = Promptness((0.5, 0.2))
    assert promptness.remaining(ONE, 1.0) == pytest.approx(0.7)  # it is being asked for now
    promptness.saw(NOTHING, [StartReply(ONE, ())], 1.0)
    assert promptness.remaining(ONE, 1.2) == pytest.approx(0.5)
    assert promptness.remaining(ONE, 9.0) == pytest.approx(0.5 * 0.35 + 0.2)  # late, and so it will be later
    promptness.saw(ReplyText(ONE, "Good"), [], 1.4)
    assert promptness.remaining(ONE, 1.4) == pytest.approx(0.2)
    promptness.saw(ReplyText(ONE, " day."), [Speak(ONE, 0, "Good day.")], 1.5)
    assert promptness.remaining(ONE, 1.6) == pytest.approx(0.1)
    promptness.saw(audio(ONE), [], 1.8)
    assert promptness.remaining(ONE, 1.8) == 0.0


def test_what_they_took_is_learnt_once_a_reply():
    promptness = Promptness()
    assert (promptness.mind, promptness.mouth) == (0.0, 0.0)
    promptness.saw(NOTHING, [StartReply(ONE, ())], 1.0)
    promptness.saw(ReplyText(ONE, "a"), [], 1.4)
    promptness.saw(ReplyText(ONE, "b"), [Speak(ONE, 0, "ab"), Speak(ONE, 1, "c")], 3.0)
    promptness.saw(audio(ONE), [], 3.1)
    promptness.saw(audio(ONE), [], 5.1)
    promptness.saw(audio(ONE, segment=-1), [], 5.1)
    assert (promptness.mind, promptness.mouth) == pytest.approx((0.4, 0.1))


def test_what_nobody_asked_for_teaches_nothing():
    promptness = Promptness()
    promptness.saw(ReplyText(TWO, "a"), [], 1.0)
    promptness.saw(audio(TWO), [], 1.0)
    promptness.saw(NOTHING, [Speak(ONE, 0, "Fixed words.")], 1.0)
    promptness.saw(ReplyText(ONE, "a"), [], 1.0)
    promptness.saw(audio(ONE), [], 9.0)
    assert (promptness.mind, promptness.mouth) == (0.0, 0.0)


def test_only_the_last_few_replies_are_followed():
    promptness = Promptness((0.5, 0.2))
    for number in range(1, 6):
        promptness.saw(NOTHING, [StartReply(ReplyId(number), ())], 1.0)
    promptness.saw(ReplyText(ONE, "a"), [], 9.0)
    assert promptness.mind == 0.5


def test_a_new_call_expects_what_the_last_ones_saw():
    lately = Lately()
    assert lately.told(Policy()) == Policy(mind_takes=0.5, mouth_takes=0.18)
    lately.add(0.0, 0.0)  # a call without a reply
    for _ in range(3):
        lately.add(0.8, 0.1)
    assert lately.told(Policy(hold_for=1.0)) == Policy(hold_for=1.0, mind_takes=0.8, mouth_takes=0.1)
