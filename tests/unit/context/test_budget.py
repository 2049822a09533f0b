from hypothesis import given
from hypothesis import strategies as st

from context.budget import Line, fit, tokens


def test_the_estimate_is_rather_long_than_short():
    assert tokens("") == 0
    assert tokens("a b c d e f") == 8  # single letters are a token each
    # 41 tokens in cl100k; what counts is that it is not below.
    english = "The quick brown fox jumps over the lazy dog and runs into the deep forest. " * 3
    assert tokens(english) >= 45
    assert tokens("\ud800") >= 1
    assert tokens("日本語") >= 3


def test_the_least_worth_goes_first_and_the_order_stays():
    lines = [Line("old", 0.1), Line("slot", 2.0), Line("new", 0.5), Line("newer", 0.5)]
    cost = tokens("slot") + tokens("new") + 2
    assert fit(lines, cost) == ("slot", "new")
    assert fit(lines, 1000) == ("old", "slot", "new", "newer")
    assert fit(lines, 0) == ()


def test_a_line_too_long_makes_room_for_those_behind_it():
    assert fit([Line("x" * 1000, 9.0), Line("short", 1.0)], 20) == ("short",)


@given(st.lists(st.tuples(st.text(max_size=60), st.floats(0, 5))), st.integers(-5, 200))
def test_what_is_kept_always_fits(lines, budget):
    kept = fit([Line(text, worth) for text, worth in lines], budget)
    assert sum(tokens(text) + 1 for text in kept) <= max(0, budget)
