"""What an agent's fixed words must hold, and what the gate says when they do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from compliance.gate import check
from compliance.record import Purpose, VoiceKind
from compliance.rules.schema import Waiver
from compliance.script import Script, offers_opt_out, says_ai, says_recorded, shortcomings, tells_number, tells_toll_free
from compliance.verdict import Clearance, Refused, Rule

GOOD = Script(
    seller="Acme Solar",
    opening="Hi, this is Ava, an AI assistant calling for Acme Solar. Say stop or press 9 any time and we won't call again."
    " This call is recorded. Do you have a minute?",
    goodbye="Thank you. You can call us at +18005550100. Goodbye!",
    callback_number="+18005550100",
    voicemail="This is Ava for Acme Solar. Call us at 8 0 0, 5 5 5, 0 1 0 0, or say stop there.",
)


def lacks(book, **changes):
    return {each.duty: each.why for each in shortcomings(replace(GOOD, **changes), book.areas)}


def test_good_words_lack_nothing(book):
    assert lacks(book) == {}
    assert lacks(book, voicemail="") == {}


@pytest.mark.parametrize(
    ("changes", "duty", "why"),
    [
        ({"seller": "Bolt"}, "identify", "does not name Bolt"),
        ({"voicemail": "Call 800 555 0100."}, "identify", "The voicemail does not name"),
        ({"opening": "An AI for Acme Solar. This is recorded."}, "opt_out", "how to get no more calls"),
        (
            {"opening": "Acme Solar's AI here, to talk about panels, roofs and rebates. Recorded. Press 9 to stop."},
            "opt_out",
            "more than two seconds",
        ),
        ({"callback_number": ""}, "callback_number", "has no callback_number"),
        ({"callback_number": "+442071234567"}, "callback_number", "no number in the United States"),
        ({"callback_number": "+19005550100"}, "callback_number", "a 900 number may not be given"),
        ({"callback_number": "+13025550100"}, "callback_number", "write {callback_number} into one of them"),
        ({"goodbye": "Bye."}, "callback_number", "Neither the opening nor the goodbye tells"),
        ({"voicemail": "Ava for Acme Solar, call 302 555 0100."}, "voicemail_number", "gives no toll-free number"),
        ({"voicemail": "Ava for Acme Solar."}, "voicemail_number", "gives no toll-free number"),
        ({"opening": GOOD.opening.replace("an AI assistant", "")}, "disclose_ai", "that an AI speaks"),
        ({"opening": GOOD.opening.replace("recorded", "great")}, "disclose_recording", "is recorded"),
    ],
)
def test_each_thing_that_may_be_missing(book, changes, duty, why):
    found = lacks(book, **changes)
    assert set(found) == {duty}
    assert why in found[duty]


def test_the_offer_may_come_before_the_name(book):
    opening = "Press 9 any time and we won't call again. An AI assistant for Acme Solar; this is recorded."
    assert lacks(book, opening=opening) == {}


def test_without_area_codes_a_number_is_still_looked_for():
    assert shortcomings(GOOD, None) == ()
    assert shortcomings(replace(GOOD, callback_number="+19005550100"), None)[0].duty == "callback_number"


class TestAtTheGate:
    def verdict(self, book, record, errand, noon, *, rules=None, **changes):
        unmet = shortcomings(replace(GOOD, **changes), book.areas)
        return check(record(errand=errand(unmet=unmet)), noon, rules or book)

    def test_words_that_lack_nothing_pass(self, book, record, errand, noon):
        assert isinstance(self.verdict(book, record, errand, noon), Clearance)

    def test_what_is_missing_holds_the_call_with_its_source(self, book, record, errand, noon):
        verdict = self.verdict(book, record, errand, noon, voicemail="Acme Solar called.")
        assert isinstance(verdict, Refused)
        assert verdict.is_hold
        (finding,) = verdict.findings
        assert (finding.rule, finding.entry) == (Rule.SCRIPT_INCOMPLETE, "us-voicemail-number")
        assert "47 CFR 64.1200(b)(3)" in finding.source
        assert finding.says.endswith("The voicemail gives no toll-free number.")

    def test_a_state_that_wants_it_too_says_so(self, book, record, errand, noon):
        unmet = shortcomings(replace(GOOD, seller="Bolt"), book.areas)
        verdict = check(record(number="+12145550123", errand=errand(unmet=unmet)), noon, book)
        assert {each.entry for each in verdict.findings} == {"us-identify", "tx-identify"}

    def test_who_speaks_for_themselves_owes_less(self, book, record, errand, noon):
        unmet = shortcomings(replace(GOOD, goodbye="", voicemail="", opening="Acme Solar. Recorded."), book.areas)
        live = errand(unmet=unmet, voice=VoiceKind.LIVE, purpose=Purpose.INFORMATIONAL)
        assert isinstance(check(record(errand=live), noon, book), Clearance)

    def test_somebody_may_answer_for_it(self, book, record, errand, noon):
        day = noon.date()
        waiver = Waiver(entry="us-voicemail-number", by="Jo", reason="counsel", since=day, until=date(2030, 1, 1))
        verdict = self.verdict(book, record, errand, noon, rules=book.with_waivers([waiver]), voicemail="Acme Solar called.")
        assert isinstance(verdict, Clearance)
        assert [each.entry for each in verdict.waived] == ["us-voicemail-number"]


def test_what_words_say_what():
    assert offers_opt_out("Diga alto y no le llamamos más.")
    assert says_ai("Soy un asistente de inteligencia artificial")
    assert says_recorded("Esta llamada es grabada.")
    assert not says_ai("I said hello")
    assert tells_number("call (614) 555-0123")
    assert not tells_number("in 2026, for 30 days")
    assert tells_toll_free("1 888 555 0123")
    assert not tells_toll_free("614 555 0123")
