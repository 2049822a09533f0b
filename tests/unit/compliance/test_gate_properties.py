"""What must hold of every verdict, whatever the call: searched for counterexamples."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.gate import check
from compliance.outlook import Outlooks, outlook
from compliance.record import (
    CallerId,
    CallRecord,
    Consent,
    ConsentKind,
    Errand,
    LineType,
    ListAnswer,
    PastCall,
    Place,
    Purpose,
    Reassigned,
    ReassignedAnswer,
    Relationship,
    Revocation,
    Unmet,
    VoiceKind,
)
from compliance.rules import load_rulebook
from compliance.verdict import Clearance, Refused

BOOK = load_rulebook()
AGAIN = load_rulebook()  # the same text read anew, with none of the caches
AREAS = sorted(code for codes in BOOK.areas.states.values() for code in codes)
STATES = sorted(BOOK.areas.states)
DUTIES = ["identify", "opt_out", "callback_number", "voicemail_number", "disclose_ai"]
START = datetime(2026, 1, 1, tzinfo=UTC)
instants = st.integers(0, 10 * 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
FEW = settings(max_examples=40)
SUBJECTS = st.sampled_from(["solar", "debt"])


def before(at):
    """Instants of the last month and a half."""
    return st.integers(0, 45 * 24 * 60).map(lambda minutes: at - timedelta(minutes=minutes))


def consents_for(number, at):
    return st.builds(
        Consent,
        id=st.sampled_from(["c1", "c2", "c3"]),
        kind=st.sampled_from(ConsentKind),
        number=st.sampled_from([number, number, number, "+16145550199"]),
        sellers=st.sampled_from([frozenset({"acme"}), frozenset({"acme", "beta"}), frozenset({"beta"})]),
        obtained_at=before(at),
        wording=st.sampled_from(["I agree.", "I agree.", ""]),
        is_signed=st.booleans(),
        names_artificial_voice=st.booleans(),
        says_not_a_condition=st.booleans(),
        expires_at=st.none() | st.integers(-100, 3000).map(lambda hours: at + timedelta(hours=hours)),
    )


@st.composite
def calls(draw, at):
    """A call as it could come in at `at`; facts lie in its past, as facts do. Mostly something is wrong with it."""
    number = f"+1{draw(st.sampled_from(AREAS))}555{draw(st.integers(0, 9999)):04d}"
    ago, days = before(at), before(at).map(datetime.date)
    revocations = st.builds(Revocation, at=ago, channel=st.just("voice"), seller=st.sampled_from(["", "acme", "beta"]))
    past = st.builds(PastCall, at=ago, subject=SUBJECTS, is_conversation=st.booleans())
    related = st.builds(Relationship, last_purchase=st.none() | days, last_inquiry=st.none() | days)
    return CallRecord(
        number=number,
        errand=Errand(
            seller="acme",
            purpose=draw(st.sampled_from([Purpose.TELEMARKETING] * 3 + list(Purpose))),
            voice=draw(st.sampled_from(VoiceKind)),
            subject=draw(SUBJECTS),
            caller_id=CallerId("+16145550100", is_shown=True, is_authorised=draw(st.sampled_from([True, True, False]))),
            unmet=draw(st.sampled_from([(), (), *[(Unmet(duty, "It is not there."),) for duty in DUTIES]])),
        ),
        place=Place(state=draw(st.sampled_from(["", "", *STATES]))),
        line=draw(st.sampled_from(LineType)),
        is_business=draw(st.sampled_from([False, False, True])),
        consents=tuple(draw(st.lists(consents_for(number, at), max_size=3))),
        revocations=tuple(draw(st.lists(revocations, max_size=2))),
        lists=(
            ListAnswer("national", draw(st.booleans()), draw(st.booleans()), draw(days)),
            ListAnswer("internal", draw(st.sampled_from([False, False, True]))),
            *(ListAnswer(rule.list, draw(st.booleans()), draw(st.booleans()), draw(days)) for _, rule in BOOK.state_lists()),
        ),
        history=tuple(draw(st.lists(past, max_size=9))),
        relationship=draw(st.none() | related),
        reassigned=ReassignedAnswer(draw(st.sampled_from(Reassigned)), draw(days)),
        emergencies=frozenset(draw(st.sets(st.sampled_from(["LA", "NY"]), max_size=1))),
        is_erased=draw(st.sampled_from([False] * 9 + [True])),
    )


@st.composite
def waiting_calls(draw, at):
    """A call that only time stands against: hours, caps, and now and then a consent about to run out."""
    number = f"+1{draw(st.sampled_from(AREAS))}555{draw(st.integers(0, 9999)):04d}"
    past = st.builds(
        PastCall, at=st.integers(0, 3000).map(lambda minutes: at - timedelta(minutes=minutes)), subject=SUBJECTS
    )
    ends = draw(st.sampled_from([None, None, None, at + timedelta(hours=20)]))
    consent = Consent(
        "c1", ConsentKind.WRITTEN, number, frozenset({"acme"}), at - timedelta(days=9), "I agree.", True, True, True, ends
    )
    return CallRecord(
        number=number,
        errand=Errand(
            "acme",
            draw(st.sampled_from([Purpose.TELEMARKETING, Purpose.TELEMARKETING, Purpose.DEBT_COLLECTION, Purpose.SURVEY])),
            draw(st.sampled_from([VoiceKind.ARTIFICIAL, VoiceKind.LIVE])),
            "solar",
            caller_id=CallerId("+16145550100", is_shown=True, is_authorised=True),
        ),
        place=Place(state=draw(st.sampled_from(["", "", *STATES]))),
        consents=(consent,),
        lists=(ListAnswer("national", False, True, at.date()), ListAnswer("internal", False)),
        history=tuple(draw(st.lists(past, max_size=5))),
        relationship=Relationship(last_purchase=at.date() - timedelta(days=9)),
        reassigned=ReassignedAnswer(Reassigned.NO, at.date()),
    )


@st.composite
def waiting(draw):
    at = draw(instants)
    return draw(waiting_calls(at)), at


@st.composite
def situations(draw):
    at = draw(instants)
    return draw(st.one_of(calls(at), waiting_calls(at))), at


@FEW
@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_anything_never_matters(situation, chance):
    record, at = situation

    def shuffled(items):
        mixed = list(items)
        chance.shuffle(mixed)
        return tuple(mixed)

    mixed = replace(
        record,
        consents=shuffled(record.consents),
        revocations=shuffled(record.revocations),
        lists=shuffled(record.lists),
        history=shuffled(record.history),
    )
    names = list(BOOK.rules)
    chance.shuffle(names)
    book = replace(BOOK, rules={name: shuffled(BOOK.rules[name]) for name in names})
    assert check(mixed, at, book) == check(record, at, BOOK)


@FEW
@given(situations(), st.data())
def test_no_verdict_allows_what_a_single_rule_forbids(situation, data):
    record, at = situation
    verdict = check(record, at, BOOK)
    rules = [(name, rule) for name, rules in BOOK.rules.items() for rule in rules]
    name, rule = data.draw(st.sampled_from(rules))
    alone = check(record, at, replace(BOOK, rules={name: (rule,)}))
    if isinstance(alone, Refused):
        assert isinstance(verdict, Refused)
        assert set(alone.findings) <= set(verdict.findings)


@FEW
@given(situations(), st.data())
def test_one_rule_less_never_forbids_more(situation, data):
    record, at = situation
    name = data.draw(st.sampled_from(sorted(BOOK.rules)))
    rules = BOOK.rules[name]
    without = replace(BOOK, rules={**BOOK.rules, name: rules[1:]})
    less, whole = check(record, at, without), check(record, at, BOOK)
    if isinstance(whole, Clearance):
        assert isinstance(less, Clearance)
    elif isinstance(less, Refused):
        assert set(less.findings) <= set(whole.findings)


@FEW
@given(waiting(), st.data())
def test_the_first_lawful_moment_is_lawful_and_the_first(situation, data):
    record, at = situation
    verdict = check(record, at, BOOK)
    if isinstance(verdict, Clearance) or verdict.until is None:
        return
    assert verdict.until > at
    assert isinstance(check(record, verdict.until, BOOK), Clearance)
    seconds = (verdict.until - at).total_seconds()
    shares = data.draw(st.lists(st.floats(0, 1, exclude_max=True), min_size=6, max_size=6))
    last = verdict.until - timedelta(microseconds=1)
    for moment in (*(at + timedelta(seconds=seconds * share) for share in shares), last):
        assert isinstance(check(record, min(moment, last), BOOK), Refused), moment


@FEW
@given(situations())
def test_never_means_never_within_a_month(situation):
    record, at = situation
    verdict = check(record, at, BOOK)
    if isinstance(verdict, Clearance) or verdict.until is not None:
        return
    for hours in range(0, 31 * 24, 31):
        assert isinstance(check(record, at + timedelta(hours=hours), BOOK), Refused)


@FEW
@given(waiting())
def test_a_clearance_never_outlives_its_hours(situation):
    record, at = situation
    verdict = check(record, at, BOOK)
    if isinstance(verdict, Refused):
        if verdict.until is None:
            return
        at = verdict.until
        verdict = check(record, at, BOOK)
    assert at < verdict.expires <= at + timedelta(seconds=60)
    last = verdict.expires - timedelta(microseconds=1)
    assert not any(
        "WINDOW" in each.rule or "CLOSED" in each.rule for each in getattr(check(record, last, BOOK), "findings", ())
    )


@FEW
@given(situations())
def test_the_same_question_has_the_same_answer(situation):
    record, at = situation
    assert check(record, at, BOOK) == check(record, at, BOOK)
    assert check(record, at, BOOK) == check(replace(record), at, AGAIN)


@FEW
@given(instants)
def test_every_finding_has_words_and_a_source(at):
    errand = Errand("acme", Purpose.TELEMARKETING, VoiceKind.ARTIFICIAL)
    record = CallRecord("+18505550123", errand, lists=(ListAnswer("national", True, True, date(2020, 1, 1)),))
    verdict = check(record, at, BOOK)
    assert isinstance(verdict, Refused)
    for finding in verdict.findings:
        assert finding.says
        assert finding.source
        assert finding.entry


def changes(number, at):
    """One fact, and values of it that could tell two calls apart."""
    days = st.sampled_from([3, 40, 300, 700]).map(lambda days: at.date() - timedelta(days=days))
    stated = st.builds(Place, stated_zone=st.just("Pacific/Honolulu"), stated_state=st.just("HI"), stated_on=days)
    lists = st.builds(
        ListAnswer,
        st.sampled_from(["national", "internal", *(rule.list for _, rule in BOOK.state_lists())]),
        st.booleans(),
        st.booleans(),
        days,
        since=st.none() | before(at),
    )
    values = {
        "number": st.sampled_from(AREAS).map(lambda area: f"+1{area}5550123"),
        "place": st.one_of(st.builds(Place, st.sampled_from(STATES)), stated),
        "line": st.sampled_from(LineType),
        "is_emergency_line": st.booleans(),
        "is_business": st.booleans(),
        "consents": st.lists(consents_for(number, at), max_size=2).map(tuple),
        "revocations": st.just((Revocation(at - timedelta(days=1), "voice"),)),
        "lists": st.lists(lists, max_size=4, unique_by=lambda each: each.name).map(tuple),
        "relationship": st.none() | st.builds(Relationship, last_purchase=days, is_personal=st.booleans()),
        "reassigned": st.builds(ReassignedAnswer, st.sampled_from(Reassigned), days),
        "emergencies": st.sampled_from([frozenset(), frozenset({"LA", "NY"})]),
        "is_erased": st.booleans(),
        "is_halted": st.sampled_from(["", "a storm (Jo)"]),
    }
    return st.sampled_from(sorted(values)).flatmap(lambda name: values[name].map(lambda value: {name: value}))


@st.composite
def crowds(draw):
    """Calls of one moment and one errand, nearly alike: each differs from the first in a fact or two."""
    at = draw(instants)
    first = replace(draw(waiting_calls(at)), history=(), is_business=draw(st.booleans()))
    number = draw(st.sampled_from([first.number, "+15045550123", "+12125550123", "+12075550123"]))
    first = replace(first, number=number, consents=tuple(replace(each, number=number) for each in first.consents))
    changed = st.lists(changes(number, at), max_size=2)
    return at, [first, *(replace(first, **{k: v for each in draw(changed) for k, v in each.items()}) for _ in range(8))]


@FEW
@given(crowds())
def test_what_is_judged_once_for_all_that_are_alike_is_the_verdict_of_each(crowd):
    at, records = crowd
    outlooks = Outlooks(at, BOOK)
    for record in (*records, *records):
        told, own = outlooks.of(record), outlook(record, at, BOOK)
        assert replace(told, seen_until=None) == replace(own, seen_until=None)
