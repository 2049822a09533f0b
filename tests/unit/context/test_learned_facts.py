import pytest

from context.calls import Appointment, Effect, SavedAnswer
from context.learning.facts import learned


def test_answers_notes_and_appointments_become_facts(record, at):
    call = record(
        answers=(
            SavedAnswer("roof_age", "15 years", "about fifteen years", at(1)),
            SavedAnswer("owner", "yes", "Yes", at(1)),
        ),
        effects=(Effect("k1", "call-1", "remember", '{"fact": "Has a dog."}', at(1), ok=True),),
        appointments=(Appointment("k2", "Friday at three", "bring a ladder", at(1)),),
    )
    facts = learned(call)
    assert [(fact.key, fact.value) for fact in facts] == [
        ("roof_age", "15 years"),
        ("owner", "yes"),
        ("", ""),
        ("appointment", "Friday at three"),
    ]
    assert [fact.text for fact in facts] == [
        'Asked about roof age, they answered: 15 years ("about fifteen years").',
        "Asked about owner, they answered: yes.",
        "Has a dog.",
        "An appointment was booked for Friday at three (bring a ladder).",
    ]
    assert {(fact.number, fact.source, fact.call_id, fact.at) for fact in facts} == {
        (call.call.person, "call call-1", "call-1", call.call.ended_at)
    }
    assert learned(call) == facts  # again: the very same facts


@pytest.mark.parametrize(
    "effect",
    [
        Effect("k", "call-1", "remember", '{"fact": "x"}', None, ok=False),  # type: ignore[arg-type]
        Effect("k", "call-1", "remember", '{"fact": "x"}', None, ok=None),  # type: ignore[arg-type]
        Effect("k", "call-1", "remember", "not json", None, ok=True),  # type: ignore[arg-type]
        Effect("k", "call-1", "remember", '{"fact": 7}', None, ok=True),  # type: ignore[arg-type]
        Effect("k", "call-1", "remember", '{"fact": " \\n"}', None, ok=True),  # type: ignore[arg-type]
        Effect("k", "call-1", "opt_out", '{"fact": "x"}', None, ok=True),  # type: ignore[arg-type]
    ],
)
def test_only_a_note_that_was_taken_down_teaches(record, effect):
    assert learned(record(effects=(effect,))) == ()


def test_nobody_is_taught_about_without_a_number(record, at):
    assert learned(record(call={"person": ""}, answers=(SavedAnswer("q", "v", "", at(1)),))) == ()


def test_a_call_whose_end_is_unknown_is_dated_by_its_start(record, at):
    fact = learned(record(call={"ended_at": None}, appointments=(Appointment("k", "noon", "", at(1)),)))[0]
    assert fact.at == at(0)
    assert fact.text == "An appointment was booked for noon."
