"""The gate, one rule at a time: a lawful call, spoiled in one way, and the rule that says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from compliance.case import has_relationship
from compliance.gate import check
from compliance.record import (
    CallerId,
    ConsentKind,
    LineType,
    ListAnswer,
    PastCall,
    Place,
    Purpose,
    Reassigned,
    ReassignedAnswer,
    Relationship,
    Revocation,
    VoiceKind,
)
from compliance.rules import closed_rulebook
from compliance.rules.schema import Hours, Proclamation, Waiver
from compliance.verdict import CLEARANCE_LIFE, Clearance, Refused, Rule
from compliance.zones import zone

MASSACHUSETTS = "+16175550123"
TEXAS, FLORIDA, MAINE, WASHINGTON, LOUISIANA, NEW_YORK, UTAH, MISSISSIPPI = (
    "+12145550123",
    "+13055550123",
    "+12075550123",
    "+12065550123",
    "+15045550123",
    "+12125550123",
    "+18015550123",
    "+16015550123",
)


def lists(national=False, obtained=date(2026, 7, 10), internal=False, covered=True, **more):
    return (
        ListAnswer("national", is_listed=national, is_covered=covered, obtained_on=obtained),
        ListAnswer("internal", is_listed=internal),
        *(ListAnswer(name, is_listed=listed) for name, listed in more.items()),
    )


@pytest.fixture
def codes(book, noon):
    def of(record, at=noon, rules=book):
        verdict = check(record, at, rules)
        return set() if isinstance(verdict, Clearance) else set(verdict.rules)

    return of


class TestClearance:
    def test_a_lawful_call_is_cleared_for_its_number_and_soon(self, book, record, noon):
        verdict = check(record(), noon, book)
        assert isinstance(verdict, Clearance)
        assert (verdict.number, verdict.attempt, verdict.contact, verdict.receipt) == ("+16145550123", "a1", "k1", "r1")
        assert verdict.expires == noon + CLEARANCE_LIFE
        assert verdict.rules_version == book.version
        assert verdict.decision == "allow"

    def test_it_expires_when_the_hours_do(self, book, record):
        almost = datetime(2026, 7, 15, 0, 59, 30, tzinfo=UTC)  # 20:59:30 in Ohio
        assert check(record(), almost, book).expires == datetime(2026, 7, 15, 1, 0, tzinfo=UTC)

    def test_an_instant_in_any_zone_is_the_same_instant(self, book, record, noon):
        assert check(record(), noon.astimezone(zone("Asia/Tokyo")), book) == check(record(), noon, book)


class TestUnsure:
    def test_an_unreadable_rule_book_lets_nothing_pass_and_says_why(self, record, noon):
        verdict = check(record(), noon, closed_rulebook("us-fl.toml: unknown field `maxx`"))
        assert isinstance(verdict, Refused)
        assert verdict.rules == (Rule.RULES_UNREADABLE,)
        assert "maxx" in verdict.findings[0].says
        assert verdict.is_hold

    def test_a_call_for_nobody(self, codes, record, errand):
        assert codes(record(errand=errand(seller=""))) == {Rule.RECORD_INCOMPLETE}

    @pytest.mark.parametrize(
        ("number", "rule"),
        [
            ("6145550123", Rule.NUMBER_INVALID),
            ("+1614555012", Rule.NUMBER_INVALID),
            ("+16145550123x5", Rule.NUMBER_INVALID),
            ("+13835550123", Rule.NUMBER_INVALID),  # no such area code
            ("", Rule.NUMBER_INVALID),
            ("+442071838750", Rule.NUMBER_FOREIGN),
            ("+14165550123", Rule.NUMBER_FOREIGN),  # Toronto
            ("+18765550123", Rule.NUMBER_FOREIGN),  # Jamaica
            ("+18005550123", Rule.NUMBER_TOLL_FREE),
            ("+19005550123", Rule.NUMBER_PREMIUM),
            ("+16149760123", Rule.NUMBER_PREMIUM),
            ("+16149110123", Rule.NUMBER_SERVICE),
            ("+17105550123", Rule.NUMBER_SERVICE),
        ],
    )
    def test_what_is_no_number_to_call(self, codes, record, number, rule):
        assert codes(record(number=number)) == {rule}

    def test_an_emergency_does_not_make_a_number_of_what_is_none(self, codes, record, errand):
        assert codes(record(number="+1900", errand=errand(purpose=Purpose.EMERGENCY))) == {Rule.NUMBER_INVALID}

    def test_a_zone_that_the_data_does_not_have(self, codes, record):
        assert codes(record(place=Place(zone="America/Atlantis"))) == {Rule.ZONE_DATA_MISSING}

    def test_an_address_in_no_state_we_know_leaves_the_zone_unknown(self, codes, record):
        assert codes(record(place=Place(state="ZZ"))) == {Rule.ZONE_UNKNOWN}

    def test_a_clock_behind_its_own_past(self, book, record, noon):
        verdict = check(record(last_receipt_at=noon + timedelta(minutes=10)), noon, book)
        assert verdict.rules == (Rule.CLOCK_UNSURE,)
        assert verdict.until == noon + timedelta(minutes=10) - timedelta(seconds=5)
        assert verdict.is_hold

    def test_a_clock_a_little_behind_is_believed(self, codes, record, noon):
        assert codes(record(last_receipt_at=noon + timedelta(seconds=4))) == set()

    def test_a_call_counted_in_the_future(self, codes, record, noon):
        assert codes(record(history=(PastCall(noon + timedelta(hours=1)),))) == {Rule.CLOCK_UNSURE}

    def test_a_kill_switch(self, book, record, noon):
        verdict = check(record(is_halted="complaints (Jo)"), noon, book)
        assert verdict.rules == (Rule.KILL_SWITCH,)
        assert "complaints (Jo)" in verdict.findings[0].says

    def test_somebody_who_asked_to_be_forgotten(self, codes, record):
        assert codes(record(is_erased=True)) == {Rule.PERSON_ERASED}


class TestConsent:
    def test_none_at_all(self, codes, record):
        assert codes(record(consents=())) == {Rule.CONSENT_MISSING}

    @pytest.mark.parametrize(
        ("changes", "rule"),
        [
            ({"kind": ConsentKind.EXPRESS}, Rule.CONSENT_NOT_WRITTEN),
            ({"is_signed": False}, Rule.CONSENT_DEFECTIVE),
            ({"names_artificial_voice": False}, Rule.CONSENT_DEFECTIVE),
            ({"says_not_a_condition": False}, Rule.CONSENT_DEFECTIVE),
            ({"wording": "  "}, Rule.CONSENT_DEFECTIVE),
            ({"number": "+16145550199"}, Rule.CONSENT_NUMBER_MISMATCH),
            ({"sellers": frozenset({"other"})}, Rule.CONSENT_SELLER_MISMATCH),
            ({"expires_at": datetime(2026, 7, 14, 16, tzinfo=UTC)}, Rule.CONSENT_EXPIRED),
            ({"purposes": frozenset({Purpose.INFORMATIONAL})}, Rule.CONSENT_DEFECTIVE),
        ],
    )
    def test_one_defect(self, codes, record, consent, changes, rule):
        assert codes(record(consents=(consent(**changes),))) == {rule}

    def test_the_nearest_consent_is_the_one_that_is_explained(self, codes, record, consent):
        far = consent(id="c2", sellers=frozenset({"other"}), is_signed=False, wording="")
        assert codes(record(consents=(far, consent(names_artificial_voice=False)))) == {Rule.CONSENT_DEFECTIVE}

    def test_a_consent_dated_in_the_future_waits_for_its_day(self, book, record, consent, noon):
        verdict = check(record(consents=(consent(obtained_at=noon + timedelta(hours=1)),)), noon, book)
        assert verdict.rules == (Rule.CONSENT_DEFECTIVE,)
        assert verdict.until == noon + timedelta(hours=1)

    def test_a_revocation_ends_it_at_once(self, codes, record, noon):
        assert codes(record(revocations=(Revocation(noon, "voice", "acme"),))) == {Rule.CONSENT_REVOKED}

    def test_a_revocation_of_another_seller_does_not(self, codes, record, noon):
        assert codes(record(revocations=(Revocation(noon, "voice", "other"),))) == set()

    def test_a_revocation_from_every_seller_does(self, codes, record, noon):
        assert codes(record(revocations=(Revocation(noon, "text"),))) == {Rule.CONSENT_REVOKED}

    def test_a_revocation_for_another_purpose_does_not(self, codes, record, noon):
        narrow = Revocation(noon, "web", "acme", frozenset({Purpose.SURVEY}))
        assert codes(record(revocations=(narrow,))) == set()

    def test_agreeing_again_afterwards_counts(self, codes, record, consent, noon):
        again = consent(id="c2", obtained_at=noon - timedelta(days=1))
        assert (
            codes(record(consents=(consent(), again), revocations=(Revocation(noon - timedelta(days=2), "voice"),))) == set()
        )

    def test_a_live_agent_is_stopped_by_a_revocation_too(self, codes, record, errand, noon):
        live = record(errand=errand(voice=VoiceKind.LIVE), consents=(), revocations=(Revocation(noon, "voice"),))
        assert codes(live) == {Rule.CONSENT_REVOKED}

    def test_information_to_a_mobile_needs_a_word_not_a_signature(self, codes, record, errand, consent):
        info = errand(purpose=Purpose.INFORMATIONAL)
        assert codes(record(errand=info, consents=(consent(kind=ConsentKind.EXPRESS, is_signed=False),))) == set()
        assert codes(record(errand=info, consents=())) == {Rule.CONSENT_MISSING}
        assert codes(record(errand=info, consents=(), line=LineType.WIRELESS)) == {Rule.CONSENT_MISSING}
        assert codes(record(errand=info, consents=(), line=LineType.LANDLINE)) == set()

    def test_a_live_sales_call_needs_none(self, codes, record, errand):
        assert codes(record(errand=errand(voice=VoiceKind.LIVE), consents=())) == set()

    def test_a_prerecorded_voice_is_no_better_than_an_artificial_one(self, codes, record, errand):
        assert codes(record(errand=errand(voice=VoiceKind.PRERECORDED), consents=())) == {Rule.CONSENT_MISSING}


class TestEmergencyPurpose:
    def test_needs_neither_consent_nor_hours_nor_list(self, codes, record, errand, noon):
        urgent = record(errand=errand(purpose=Purpose.EMERGENCY), consents=(), lists=lists(national=True, internal=True))
        assert codes(urgent) == set()
        assert codes(urgent, noon + timedelta(hours=12)) == set()

    def test_may_ring_an_emergency_line(self, codes, record, errand):
        assert codes(record(is_emergency_line=True)) == {Rule.EMERGENCY_LINE}
        assert codes(record(is_emergency_line=True, errand=errand(purpose=Purpose.EMERGENCY))) == set()


class TestLists:
    def live(self, record, errand, **changes):
        return record(errand=errand(voice=VoiceKind.LIVE), consents=(), **changes)

    def test_the_national_registry(self, codes, record, errand):
        assert codes(self.live(record, errand, lists=lists(national=True))) == {Rule.DNC_NATIONAL}

    def test_written_permission_lifts_it(self, codes, record, errand, consent):
        permitted = record(
            errand=errand(voice=VoiceKind.LIVE),
            consents=(consent(names_artificial_voice=False, says_not_a_condition=False),),
            lists=lists(national=True),
        )
        assert codes(permitted) == set()

    @pytest.mark.parametrize(
        ("relationship", "is_open"),
        [
            (Relationship(last_purchase=date(2025, 1, 14)), True),  # eighteen months to the day
            (Relationship(last_purchase=date(2025, 1, 13)), False),
            (Relationship(last_inquiry=date(2026, 4, 14)), True),
            (Relationship(last_inquiry=date(2026, 4, 13)), False),
            (Relationship(last_purchase=date(2026, 8, 1)), False),  # not yet
            (Relationship(is_personal=True), True),
            (Relationship(), False),
            (Relationship(last_purchase=date(2026, 7, 1), ended_at=datetime(2026, 7, 2, tzinfo=UTC)), False),
            (Relationship(last_purchase=date(2026, 7, 1), ended_at=datetime(2026, 7, 20, tzinfo=UTC)), True),
        ],
    )
    def test_a_relationship_lifts_it_while_it_lasts(self, codes, record, errand, relationship, is_open):
        known = self.live(record, errand, lists=lists(national=True), relationship=relationship)
        assert codes(known) == (set() if is_open else {Rule.DNC_NATIONAL})

    def test_months_end_where_months_do(self, record, noon):
        kept = record(relationship=Relationship(last_inquiry=date(2025, 11, 30)))
        assert has_relationship(kept, date(2026, 2, 28), noon)
        assert not has_relationship(kept, date(2026, 3, 1), noon)
        assert has_relationship(record(relationship=Relationship(last_inquiry=date(2025, 9, 30))), date(2025, 12, 30), noon)

    def test_a_business_is_not_on_it(self, codes, record, errand):
        assert codes(self.live(record, errand, lists=lists(national=True), is_business=True)) == set()

    @pytest.mark.parametrize(("obtained", "is_open"), [(date(2026, 6, 13), True), (date(2026, 6, 12), False), (None, False)])
    def test_the_copy_may_be_31_days_old(self, codes, record, errand, obtained, is_open):
        found = codes(self.live(record, errand, lists=lists(obtained=obtained)))
        assert found == (set() if is_open else {Rule.DNC_LIST_STALE})

    def test_the_day_that_counts_is_the_one_at_the_phone(self, codes, record, errand):
        guam = self.live(record, errand, number="+16715550123", lists=lists(obtained=date(2026, 6, 13)))
        late = datetime(2026, 7, 14, 23, 0, tzinfo=UTC)  # the 15th, nine in the morning, on Guam
        assert codes(guam, late) == {Rule.DNC_LIST_STALE}

    def test_both_listed_and_stale(self, codes, record, errand):
        found = codes(self.live(record, errand, lists=lists(national=True, obtained=date(2026, 1, 1))))
        assert found == {Rule.DNC_NATIONAL, Rule.DNC_LIST_STALE}

    def test_an_area_code_that_is_not_covered(self, codes, record, errand):
        assert codes(self.live(record, errand, lists=lists(covered=False))) == {Rule.DNC_COVERAGE_MISSING}

    def test_no_list_at_all(self, codes, record, errand):
        assert codes(self.live(record, errand, lists=())) == {Rule.DNC_COVERAGE_MISSING}

    def test_our_own_list_beats_consent(self, codes, record):
        assert codes(record(lists=lists(internal=True))) == {Rule.DNC_INTERNAL}

    def test_it_says_since_when(self, book, record, noon):
        asked = ListAnswer("internal", is_listed=True, since=datetime(2021, 8, 20, tzinfo=UTC))
        verdict = check(record(lists=(asked, *lists()[:1])), noon, book)
        assert "since 2021-08-20" in verdict.findings[0].says

    def test_litigators_emergency_lines_and_the_operators_own_list(self, codes, record):
        other = lists(litigator=True, custom=True, **{"emergency-lines": True})
        assert codes(record(lists=other)) == {Rule.DNC_LITIGATOR, Rule.DNC_CUSTOM, Rule.EMERGENCY_LINE}


class TestReassigned:
    def answered(self, answer, asked=date(2026, 7, 1)):
        return ReassignedAnswer(answer, asked)

    def test_given_up_since(self, codes, record):
        assert codes(record(reassigned=self.answered(Reassigned.YES))) == {Rule.RND_REASSIGNED}
        assert codes(record(reassigned=self.answered(Reassigned.YES, None))) == {Rule.RND_REASSIGNED}

    def test_whoever_has_it_now_has_agreed(self, codes, record, consent):
        new = record(reassigned=self.answered(Reassigned.YES, date(2026, 5, 1)), consents=(consent(),))
        assert codes(new) == set()

    def test_no_data_is_a_matter_of_our_own(self, codes, record, book):
        unknown = record(reassigned=self.answered(Reassigned.NO_DATA))
        assert codes(unknown) == {Rule.RND_NO_DATA}
        assert codes(unknown, rules=book.without_house_rules()) == set()

    def test_maine_wants_it_asked(self, codes, record, errand, noon):
        live = record(number=MAINE, errand=errand(voice=VoiceKind.LIVE), consents=(), reassigned=ReassignedAnswer())
        assert codes(live) == {Rule.RND_REQUIRED}
        assert codes(replace(live, relationship=Relationship(last_purchase=date(2026, 7, 1)))) == set()
        assert codes(live, datetime(2024, 7, 15, 16, tzinfo=UTC)) == set()  # before the act was in force


class TestCallerId:
    @pytest.mark.parametrize(
        "shown",
        [CallerId(), CallerId("+16145550100", is_shown=False, is_authorised=True), CallerId("+16145550100")],
    )
    def test_it_must_be_shown_and_ours(self, codes, record, errand, shown):
        assert codes(record(errand=errand(caller_id=shown))) == {Rule.CALLER_ID_BLOCKED}

    def test_only_selling_is_bound(self, codes, record, errand):
        assert codes(record(errand=errand(purpose=Purpose.SURVEY, caller_id=CallerId()))) == set()


class TestStates:
    def test_washington_bars_announcing_devices_unless_somebody_answers_for_it(self, book, record, noon):
        call = record(number=WASHINGTON)
        verdict = check(call, noon, book)
        assert verdict.rules == (Rule.STATE_ADAD_PROHIBITED,)
        waiver = Waiver(entry="wa-adad", by="Jo", reason="advice", since=date(2026, 7, 1), until=date(2026, 8, 1))
        waived = check(call, noon, book.with_waivers([waiver]))
        assert isinstance(waived, Clearance)
        assert [each.entry for each in waived.waived] == ["wa-adad"]

    @pytest.mark.parametrize(
        ("since", "until"), [(date(2026, 7, 15), date(2026, 8, 1)), (date(2026, 6, 1), date(2026, 7, 14))]
    )
    def test_a_waiver_holds_on_its_days_alone(self, codes, record, book, since, until):
        waiver = Waiver(entry="wa-adad", by="Jo", reason="advice", since=since, until=until)
        assert codes(record(number=WASHINGTON), rules=book.with_waivers([waiver])) == {Rule.STATE_ADAD_PROHIBITED}

    def test_nobody_can_waive_what_the_person_said(self, codes, record, book):
        waiver = Waiver(entry="us-company-list", by="Jo", reason="no", since=date(2026, 7, 1), until=date(2026, 8, 1))
        assert codes(record(lists=lists(internal=True)), rules=book.with_waivers([waiver])) == {Rule.DNC_INTERNAL}

    def test_waived_hours_do_not_shorten_a_clearance(self, book, record):
        night = datetime(2026, 7, 15, 1, 0, tzinfo=UTC)
        waiver = Waiver(entry="us-hours", by="Jo", reason="advice", since=date(2026, 7, 1), until=date(2026, 8, 1))
        verdict = check(record(), night, book.with_waivers([waiver]))
        assert verdict.expires == night + CLEARANCE_LIFE
        assert [each.rule for each in verdict.waived] == [Rule.WINDOW_FEDERAL]

    def test_mississippi_wants_a_relationship(self, codes, record):
        assert codes(record(number=MISSISSIPPI)) == {Rule.STATE_ADAD_PROHIBITED}
        assert codes(record(number=MISSISSIPPI, relationship=Relationship(last_purchase=date(2026, 7, 1)))) == set()

    def test_mississippi_reads_its_hours_on_standard_time_too(self, book, record, errand):
        live = record(number=MISSISSIPPI, errand=errand(voice=VoiceKind.LIVE), consents=())
        early = datetime(2026, 7, 14, 13, 30, tzinfo=UTC)  # 8:30 CDT is 7:30 CST
        verdict = check(live, early, book)
        assert verdict.rules == (Rule.WINDOW_STATE,)
        assert verdict.until == datetime(2026, 7, 14, 14, 0, tzinfo=UTC)

    def test_utah_lifts_its_closed_days_for_consent(self, codes, record, errand):
        sunday = datetime(2026, 7, 12, 18, tzinfo=UTC)
        live = errand(voice=VoiceKind.LIVE)
        assert codes(record(number=UTAH, errand=live, consents=()), sunday) == {Rule.CLOSED_SUNDAY}
        assert codes(record(number=UTAH), sunday) == set()

    def test_louisiana_does_not(self, codes, record):
        assert codes(record(number=LOUISIANA), datetime(2026, 7, 12, 18, tzinfo=UTC)) == {Rule.CLOSED_SUNDAY}

    def test_a_declared_emergency(self, codes, record, book, noon):
        call = record(number=LOUISIANA)
        assert codes(replace(call, emergencies=frozenset({"LA"}))) == {Rule.STATE_EMERGENCY}
        assert codes(replace(call, emergencies=frozenset({"FL"}))) == set()
        storm = Proclamation(state="LA", what="emergency", name="Storm", source="LPSC", on=date(2026, 7, 13))
        assert codes(call, rules=book.with_proclamations([storm])) == {Rule.STATE_EMERGENCY}
        assert codes(call, noon - timedelta(days=4), book.with_proclamations([storm])) == set()

    def test_an_emergency_with_an_end_says_when(self, book, record, noon):
        storm = Proclamation(
            state="LA", what="emergency", name="Storm", source="LPSC", on=date(2026, 7, 13), until=date(2026, 7, 16)
        )
        closed = book.with_proclamations([storm])
        verdict = check(record(number=LOUISIANA), noon, closed)
        assert verdict.findings[0].until == datetime(2026, 7, 16, 5, tzinfo=UTC)  # midnight in Louisiana
        assert verdict.until == datetime(2026, 7, 16, 13, tzinfo=UTC)  # and eight o'clock
        assert verdict.decision == "deny"  # whether to go on then is for somebody to decide
        assert verdict.is_hold
        assert isinstance(check(record(number=LOUISIANA), verdict.until, closed), Clearance)

    def test_a_day_proclaimed_closed_closes_any_state(self, book, record, codes, errand):
        day = Proclamation(state="OH", what="closed_day", name="Day of mourning", source="Governor", on=date(2026, 7, 14))
        mourning = book.with_proclamations([day])
        noon = datetime(2026, 7, 14, 16, tzinfo=UTC)
        verdict = check(record(), noon, mourning)
        assert verdict.rules == (Rule.CLOSED_HOLIDAY,)
        assert verdict.until == datetime(2026, 7, 15, 12, tzinfo=UTC)
        assert isinstance(check(record(), verdict.until, mourning), Clearance)
        assert codes(record(), noon - timedelta(days=1), mourning) == set()
        assert codes(record(number=FLORIDA), noon, mourning) == set()
        assert codes(record(place=Place(state="OH"), number=FLORIDA), noon, mourning) == {Rule.CLOSED_HOLIDAY}
        assert codes(record(errand=errand(purpose=Purpose.SURVEY)), noon, mourning) == set()

    def test_new_york_exempts_what_was_asked_for(self, codes, record, errand):
        cold = record(number=NEW_YORK, errand=errand(voice=VoiceKind.LIVE), consents=(), emergencies=frozenset({"NY"}))
        assert codes(cold) == {Rule.STATE_EMERGENCY}
        assert codes(replace(cold, relationship=Relationship(last_inquiry=date(2026, 7, 1)))) == set()

    def test_registrations_are_enforced_once_they_are_tracked(self, codes, record, errand):
        assert codes(record(number=TEXAS)) == set()
        assert codes(record(number=TEXAS, errand=errand(registrations=frozenset()))) == {Rule.REGISTRATION_MISSING}
        held = frozenset({"tx-registration", "tx-adad-permit"})
        assert codes(record(number=TEXAS, errand=errand(registrations=held))) == set()


class TestAStatesOwnList:
    """Fla. Stat. 501.059(4) and its like: a copy must be there, unless the person agreed in writing or is a customer."""

    OURS = ListAnswer("state-fl", is_listed=False, obtained_on=date(2026, 7, 1))

    def asked(self, codes, record, errand, *answers, **changes):
        live = errand(voice=VoiceKind.LIVE)
        changes = {"consents": (), "lists": (*lists(), *answers)} | changes
        return codes(record(number=FLORIDA, errand=live, **changes))

    def test_no_copy_means_no(self, codes, record, errand):
        assert self.asked(codes, record, errand) == {Rule.DNC_COVERAGE_MISSING}

    def test_a_fresh_copy_that_does_not_hold_the_number(self, codes, record, errand):
        assert self.asked(codes, record, errand, self.OURS) == set()

    def test_listed_and_too_old(self, codes, record, errand):
        assert self.asked(codes, record, errand, replace(self.OURS, is_listed=True)) == {Rule.DNC_STATE}
        old = replace(self.OURS, obtained_on=date(2026, 4, 1))
        assert self.asked(codes, record, errand, old) == {Rule.DNC_LIST_STALE}

    def test_written_consent_and_custom_lift_it(self, codes, record, errand, consent):
        assert self.asked(codes, record, errand, consents=(consent(number=FLORIDA),)) == set()
        customer = Relationship(last_purchase=date(2026, 5, 1))
        assert self.asked(codes, record, errand, relationship=customer) == set()

    def test_a_state_of_which_it_is_not_known_refuses_nothing_without_a_copy(self, codes, record, errand):
        live = errand(voice=VoiceKind.LIVE)
        assert codes(record(number=MASSACHUSETTS, errand=live, consents=())) == set()
        listed = (*lists(), ListAnswer("state-ma", is_listed=True))
        assert codes(record(number=MASSACHUSETTS, errand=live, consents=(), lists=listed)) == {Rule.DNC_STATE}


class TestWaiting:
    def test_every_rule_is_named_at_once(self, book, record):
        night = datetime(2026, 7, 12, 5, tzinfo=UTC)
        spoiled = record(number=FLORIDA, consents=(), lists=lists(national=True, internal=True), is_halted="x (y)")
        assert set(check(spoiled, night, book).rules) == {
            Rule.KILL_SWITCH,
            Rule.DNC_INTERNAL,
            Rule.CONSENT_MISSING,
            Rule.DNC_NATIONAL,
            Rule.DNC_COVERAGE_MISSING,
            Rule.WINDOW_FEDERAL,
            Rule.WINDOW_STATE,
        }

    def test_a_consent_that_will_have_run_out_is_not_waited_for(self, book, record, consent):
        night = datetime(2026, 7, 15, 3, tzinfo=UTC)
        ends = consent(expires_at=datetime(2026, 7, 15, 6, tzinfo=UTC))
        verdict = check(record(consents=(ends,)), night, book)
        assert verdict.rules == (Rule.WINDOW_FEDERAL,)
        assert verdict.until is None
        assert [each.rule for each in verdict.later] == [Rule.CONSENT_EXPIRED]
        assert verdict.decision == "deny"
        assert not verdict.is_hold

    def test_hours_that_never_open_are_not_waited_for(self, book, record, noon):
        shut = msgspec.convert(
            {
                "kind": "hours",
                "id": "shut",
                "says": "Closed for good.",
                "source": "test",
                "confidence": "high",
                "code": "WINDOW_POLICY",
                "daily": "closed",
            },
            Hours,
        )
        verdict = check(record(), noon, replace(book, rules={**book.rules, "house": (shut,)}))
        assert verdict.rules == (Rule.WINDOW_POLICY,)
        assert verdict.until is None

    @pytest.mark.parametrize(("zone_of_address", "hour"), [("", 4), ("Pacific/Honolulu", 10)])
    def test_a_rule_that_is_repealed_is_waited_for(self, book, record, noon, zone_of_address, hour):
        ban = msgspec.structs.replace(book.entry("wa-adad"), id="oh-ban", effective_until=date(2026, 8, 1))
        repealed = replace(book, rules={"US": (ban,)})
        call = record(place=Place(zone=zone_of_address))
        verdict = check(call, noon, repealed)
        assert verdict.rules == (Rule.STATE_ADAD_PROHIBITED,)
        assert verdict.until == datetime(2026, 8, 1, tzinfo=UTC) + timedelta(hours=hour)
        assert isinstance(check(call, verdict.until, repealed), Clearance)
        assert isinstance(check(call, verdict.until - timedelta(microseconds=1), repealed), Refused)

    def test_a_cap_that_frees_up_before_it_is_repealed_ends_then(self, book, record, noon):
        cap = msgspec.structs.replace(book.entry("fl-cap"), id="oh-cap", effective_until=date(2026, 8, 1))
        calls = tuple(PastCall(noon - timedelta(hours=hours), subject="solar") for hours in (1, 2, 3))
        verdict = check(record(history=calls), noon, replace(book, rules={"US": (cap,)}))
        assert verdict.until == noon + timedelta(hours=21)

    def test_what_ends_beyond_the_horizon_is_not_waited_for(self, book, record, noon):
        sunday = date(2028, 7, 9)
        storm = Proclamation(state="LA", what="emergency", name="Storm", source="LPSC", on=date(2026, 7, 1), until=sunday)
        verdict = check(record(number=LOUISIANA), noon, book.with_proclamations([storm]))
        assert verdict.findings[0].until == datetime(2028, 7, 9, 5, tzinfo=UTC)
        assert verdict.until is None

    def test_caps_and_hours_together(self, book, record, noon):
        calls = tuple(PastCall(noon - timedelta(hours=hours), subject="solar", seller="acme") for hours in (2, 4, 6))
        verdict = check(record(number=FLORIDA, history=calls), noon, book)
        assert set(verdict.rules) == {Rule.FREQ_CAP_STATE, Rule.FREQ_CAP_POLICY}
        assert verdict.decision == "defer"
        assert isinstance(check(record(number=FLORIDA, history=calls), verdict.until, book), Clearance)
