from hypothesis import given
from hypothesis import strategies as st

from context.facts import FactId, make_fact
from context.knowledge.changes import Change, Kind, Rollback, current_after, plan, plan_rollback


def test_a_newer_value_of_a_slot_supersedes_the_older(told):
    old, new = told(1, "roof is old", key="roof", value="old"), told(2, "roof is new", key="roof", value="new")
    planned = plan([new], [old])
    assert planned.put == (new,)
    assert planned.superseded == ((old.id, new.id),)


def test_a_late_report_of_an_older_value_does_not_replace_the_newer(told):
    old, new = told(1, "roof is old", key="roof", value="old"), told(2, "roof is new", key="roof", value="new")
    planned = plan([old], [new])
    assert planned.put == ()
    assert planned.outdated == ((old, new.id),)


def test_what_says_nothing_new_is_not_written(told):
    old = told(1, "They answered: yes.", key="owner", value="yes")
    assert plan([told(2, "Asked again: yes", key="owner", value="Yes")], [old]).known
    assert plan([told(2, "Likes tea!")], [told(1, "likes tea")]).known


def test_other_people_and_other_campaigns_have_slots_of_their_own(told):
    old = told(1, "a", key="roof", value="old")
    others = [
        told(2, "b", key="roof", value="new", number="+19995550100"),
        told(2, "c", key="roof", value="new", campaign_id="two"),
    ]
    assert plan(others, [old]).put == tuple(others)
    assert plan(others, [old]).superseded == ()


def test_what_was_written_before_is_not_written_again_whatever_became_of_it(told):
    fact = told(1, "likes tea")
    assert plan([fact], [], frozenset({fact.id})).known == (fact,)
    assert plan([fact, fact], []).put == (fact,)


def test_a_slot_that_is_told_twice_in_one_call_keeps_the_last(told):
    first, second = told(1, "a", key="when", value="friday"), told(2, "b", key="when", value="monday")
    planned = plan([first, second], [])
    assert planned.put == (first, second)
    assert planned.superseded == ((first.id, second.id),)


def _history(at, *lines):
    return [Change(seq, FactId(fact), "", kind, "operator", at(seq)) for seq, (fact, kind) in enumerate(lines, start=1)]


def test_rolling_back_takes_back_the_new_and_restores_the_old(at):
    changes = _history(at, ("a", Kind.PUT), ("a", Kind.WITHDRAW), ("b", Kind.PUT), ("c", Kind.PUT))
    assert plan_rollback(changes, 1) == Rollback(put=("a",), withdraw=("b", "c"))
    assert plan_rollback(changes, 4) == Rollback()
    assert plan_rollback(changes, 0) == Rollback(withdraw=("b", "c"))


def test_what_was_erased_never_comes_back(at):
    changes = _history(at, ("a", Kind.PUT), ("a", Kind.ERASE))
    assert plan_rollback(changes, 1) == Rollback()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([Kind.PUT, Kind.WITHDRAW]))), st.integers(0, 30))
def test_after_a_rollback_the_facts_are_those_of_the_position(lines, to):
    from datetime import UTC, datetime

    noon = datetime(2026, 1, 1, tzinfo=UTC)
    changes = _history(lambda _: noon, *lines)
    undo = plan_rollback(changes, to)
    after = [(fact, Kind.WITHDRAW) for fact in undo.withdraw] + [(fact, Kind.PUT) for fact in undo.put]
    rolled = _history(lambda _: noon, *lines, *after)
    assert set(current_after(rolled)) == set(current_after(changes[:to]))


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["x", "y", ""]), st.sampled_from(["1", "2", "3"])), max_size=12)
)
def test_a_slot_never_has_two_current_values(given_facts):
    from datetime import UTC, datetime

    facts = [
        make_fact(f"{key} {value}", "operator", datetime(2026, 1, 1, minute, tzinfo=UTC), number="+1", key=key, value=value)
        for minute, key, value in given_facts
    ]
    planned = plan(facts, [])
    gone = {old for old, _ in planned.superseded}
    current = [fact for fact in planned.put if fact.id not in gone and fact.key]
    assert len({fact.key for fact in current}) == len(current)
    assert len(planned.put) + len(planned.known) + len(planned.outdated) == len(facts)
