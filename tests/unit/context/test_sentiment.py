import pytest

from context.learning.sentiment import Feeling, sentiment, weigh


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("Oh, that's wonderful, thank you very much!", Feeling.POSITIVE),
        ("Yes, I'm really interested.", Feeling.POSITIVE),
        ("No problem.", Feeling.POSITIVE),
        ("I live at number four.", Feeling.NEUTRAL),
        ("I'm not happy with this at all.", Feeling.NEGATIVE),
        ("Stop calling me!", Feeling.NEGATIVE),
        ("This is a scam, I hate it.", Feeling.NEGATIVE),
        ("No thanks, not interested.", Feeling.NEGATIVE),
    ],
)
def test_plain_telephone_english(talk, said, label):
    assert sentiment(talk(f"c: {said}")).label is label


def test_only_the_caller_counts(talk):
    assert sentiment(talk("a: wonderful, great, thank you", "c: I live here.")).label is Feeling.NEUTRAL
    assert sentiment(talk("a: wonderful")).label is Feeling.SILENT
    assert sentiment(()).score == 0.0


def test_a_negation_turns_round_what_is_within_reach():
    assert weigh("not good") < 0 < weigh("not bad")
    assert weigh("not one of the four of them was good") > 0
    assert weigh("don’t hate") > 0


def test_intensifiers_raise_and_the_score_stays_within_one(talk):
    assert weigh("very good") > weigh("good")
    assert abs(sentiment(talk("c: " + "hate " * 500)).score) <= 1.0


def test_garbage_is_neutral(talk):
    assert sentiment(talk("c: \x00 123 ??? ;;; ' ''")).label is Feeling.NEUTRAL
