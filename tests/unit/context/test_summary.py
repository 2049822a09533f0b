from context.calls import Appointment, Effect, SavedAnswer
from context.learning.summary import find_objections, summarise


def test_a_whole_call_in_plain_sentences(record, talk, at):
    call = record(
        turns=talk("a: Do you own the house?", "c: Yes I do. How much does it cost?", "c: I'm busy"),
        answers=(SavedAnswer("owner", "yes", "yes I do", at(1)),),
        effects=(Effect("k", "call-1", "remember", '{"fact": "Has a dog"}', at(1), ok=True),),
        appointments=(Appointment("k2", "Friday at three", "", at(1)),),
    )
    assert summarise(call) == (
        "Outbound call on 20 November 2026, 1 min 12 s long. A person answered."
        ' Asked about owner, they answered: yes ("yes I do"). Has a dog. An appointment was booked for Friday at three.'
        ' They raised: price ("How much does it cost?"); no time ("I\'m busy"). The conversation came to its end.'
    )


def test_calls_that_nobody_took(record):
    unanswered = {"answered_at": None, "answered_by": "", "disposition": "no_answer"}
    assert summarise(record(call=unanswered)) == "Outbound call on 20 November 2026. Nobody answered."
    odd = {**unanswered, "direction": "inbound", "disposition": "weird"}
    assert summarise(record(call=odd)) == "Inbound call on 20 November 2026. Outcome: weird."
    assert summarise(record(call={**unanswered, "disposition": ""})).endswith("How the call ended is not known.")


def test_silence_is_told(record, talk):
    told = summarise(record(call={"answered_by": "?"}, turns=talk("a: Hello?", "c:  ")))
    assert "They said nothing that could be understood." in told
    assert "answered." not in told


def test_a_short_call_has_no_minutes(record, at):
    assert "5 s long" in summarise(record(call={"ended_at": at(13 / 60)}))


def test_an_objection_is_told_once_with_its_first_words_and_a_few_at_most(talk):
    turns = talk(
        "c: Who is this? I'm not interested.",
        "c: I said I'm not interested",
        "c: Stop calling me, take me off your list",
        "c: are you a robot?",
        "a: how much does it cost",
    )
    assert find_objections(turns) == (
        'who is calling ("Who is this?")',
        'not interested ("I\'m not interested")',
        'wants no calls ("Stop calling me, take me off your list")',
    )
    assert find_objections(()) == ()


def test_long_quotes_are_cut_at_a_word(talk):
    (objection,) = find_objections(talk("c: it is too expensive because " + "of that and " * 30))
    assert objection.endswith(' ...")')
    assert len(objection) < 120
