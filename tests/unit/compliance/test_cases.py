"""Decision cases through the real gate: the published ones, our own of the other side of each boundary, and odd files."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.case_reader import CaseReader
from compliance.cases import run_cases
from compliance.errors import CaseFileError
from compliance.record import ConsentKind, LineType, Purpose, Reassigned, VoiceKind
from compliance.rules import load_rulebook

DATA = Path(__file__).parents[2] / "data" / "compliance"
REPORTS = [run_cases(DATA / name) for name in ("cases.json", "more_cases.json", "third_cases.json")]
NOON = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize("row", [row for report in REPORTS for row in report.rows], ids=lambda row: row.id)
def test_gate_and_case_agree_and_every_field_is_understood(row):
    assert row.disagreements == ()
    assert row.unread == ()


def test_the_reports_count_them_all():
    assert [len(report.rows) for report in REPORTS] == [67, 52, 108]
    assert all(report.disagreements == () for report in REPORTS)
    assert REPORTS[0].rules_version.endswith("-law-only")


@pytest.fixture
def run(tmp_path):
    defaults = json.loads((DATA / "cases.json").read_text())["defaults"]

    def of(*cases, measurements=()):
        path = tmp_path / "cases.json"
        path.write_text(json.dumps({"defaults": defaults, "cases": cases, "measurement_cases": measurements}))
        return run_cases(path).rows

    return of


def case(**changes):
    live = {"campaign": {"voice": "live_agent"}}
    whole = {"id": "T", "title": "t", "now_utc": "2026-07-14T16:00:00Z", "given": live, "expect": {"decision": "allow"}}
    return {**whole, **changes}


class TestDisagreements:
    def test_each_is_named(self, run):
        expect = {"decision": "defer", "reason": "WINDOW_STATE", "defer_until_utc": "2026-07-15T16:00:00Z"}
        [row] = run(case(expect=expect, expect_zones=["America/Denver"], expect_jurisdictions=["CO"]))
        assert row.disagreements == (
            "decision: expected defer, got allow",
            "reason: expected WINDOW_STATE, got OK",
            "until: expected 2026-07-15T16:00:00Z, got never",
            "zones: expected America/Denver, got America/New_York",
            "jurisdictions: expected CO, got OH",
        )
        assert not row.agrees

    def test_an_until_outside_its_tolerance(self, run):
        night = {"now_utc": "2026-07-15T03:00:00Z"}
        early = {"decision": "defer", "defer_until_utc": "2026-07-15T11:58:00Z", "tolerance_s": 60}
        [row] = run(case(expect=early, **night))
        assert row.disagreements == ("until: expected 2026-07-15T11:58:00Z, got 2026-07-15T12:00:00Z",)
        assert run(case(expect={**early, "tolerance_s": 120}, **night))[0].agrees

    def test_two_names_for_the_same_clocks_are_one_zone(self, run):
        assert run(case(expect_zones=["America/Detroit"]))[0].agrees

    @pytest.mark.parametrize(
        "broken",
        [
            {"now_utc": "noon"},
            {"now_utc": "2026-07-14T16:00:00"},
            {"expect": {}},
            {"given": {"campaign": {"purpose": "fun"}}},
            {"given": {"history": [{}]}},
            {"given": {"dnc": {"national_list_obtained_on": "$later"}}},
            {"expect_zones": ["Nowhere/Else"]},
            {"given": {"history": [{"at": "$now-9x"}]}},
        ],
    )
    def test_a_case_that_cannot_be_read_disagrees(self, run, broken):
        [row] = run(case(**broken))
        assert row.disagreements[0].startswith("the case cannot be read")

    def test_measurements(self, run):
        *_, wrong, unknown = run(
            measurements=[
                {"id": "X1", "given": {"answered_live": 10, "abandoned": 1}, "expect": {"compliant": True}},
                {"id": "X2", "given": {"weather": "fair"}, "expect": {"compliant": True}},
            ]
        )
        assert wrong.disagreements == ("compliant: expected True, got False",)
        silent, rounded = run(
            measurements=[
                {"id": "X4", "given": {"first_audio_after_greeting_s": None}, "expect": {"abandoned": True}},
                {"id": "X5", "given": {"answered_live": 1001, "abandoned": 31}, "expect": {"rate": 0.031}},
            ]
        )
        assert silent.agrees
        assert rounded.agrees
        assert "not known" in unknown.disagreements[0]
        [row] = run(measurements=[{"id": "X3", "given": {"answered_live": "ten", "abandoned": 1}, "expect": {}}])
        assert row.disagreements[0].startswith("the case cannot be read")


@pytest.mark.parametrize("content", ["", "[]", '{"cases": {}}'])
def test_what_is_no_case_file(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(CaseFileError):
        run_cases(path)


class TestReading:
    def read(self, **given):
        reader = CaseReader(load_rulebook())
        campaign = {"purpose": "sales", "voice": "prerecorded", "seller_id": "acme"}
        lead = {"phone": "+16145550123", "address_state": "OH"}
        base = {"campaign": campaign, "lead": lead}
        merged = {key: {**base.get(key, {}), **value} if isinstance(value, dict) else value for key, value in given.items()}
        return reader.record({**base, **merged}, NOON), reader.unread

    def test_names_that_say_the_same(self):
        record, unread = self.read(lead={"line_type": "mobile", "is_business": True}, campaign={"purpose": "nonprofit"})
        assert (record.line, record.is_business, record.errand.purpose) == (LineType.WIRELESS, True, Purpose.CHARITY)
        assert record.errand.voice is VoiceKind.PRERECORDED
        assert unread == []

    def test_a_consent_in_full(self):
        given = {
            "id": "c9", "kind": "oral", "sellers": ["acme"], "phone": "", "obtained_at": "$now-36h", "expires_at": "$now+2d",
            "wording": "yes", "purposes": ["survey"],
        }  # fmt: skip
        record, _ = self.read(consent=[given])
        [consent] = record.consents
        assert (consent.kind, consent.number, consent.wording) == (ConsentKind.EXPRESS, "+16145550123", "yes")
        assert consent.obtained_at == datetime(2026, 7, 13, 4, tzinfo=UTC)
        assert consent.expires_at == datetime(2026, 7, 16, 16, tzinfo=UTC)
        assert consent.purposes == {Purpose.SURVEY}

    def test_a_consent_in_other_words(self):
        given = {
            "kind": "written", "seller_id": "acme", "obtained_at": "2026-06-01", "signature": "typed name",
            "expires": "$now+1mo", "scope": "survey", "revoked_at": "$now-1w",
        }  # fmt: skip
        record, unread = self.read(consent=[given], campaign={"voice": "ai"})
        [consent], [taken_back] = record.consents, record.revocations
        assert (consent.sellers, consent.is_signed, consent.purposes) == ({"acme"}, True, {Purpose.SURVEY})
        assert consent.obtained_at == datetime(2026, 6, 1, tzinfo=UTC)
        assert consent.expires_at == datetime(2026, 8, 14, 16, tzinfo=UTC)
        assert taken_back.at == datetime(2026, 7, 7, 16, tzinfo=UTC)
        assert record.errand.voice is VoiceKind.ARTIFICIAL
        assert unread == []

    def test_how_far_a_no_reaches(self):
        narrow = {"at": "$now-1d", "channel": "sms", "seller_id": "acme", "scope": "marketing"}
        record, unread = self.read(revocations=[narrow, {**narrow, "scope": "all"}])
        assert [(each.seller, each.purposes) for each in record.revocations] == [
            ("acme", {Purpose.TELEMARKETING}),
            ("", frozenset()),
        ]
        assert unread == []

    @pytest.mark.parametrize(
        ("told", "talked"),
        [
            ({"result": "conversation"}, True),
            ({"outcome": "right_party_contact"}, True),
            ({"disposition": "no conversation"}, False),
            ({"status": "not_connected"}, False),
            ({"connected": True}, True),
            ({"answered": False}, False),
            ({"result": "no_answer"}, False),
        ],
    )
    def test_what_counts_as_a_conversation(self, told, talked):
        record, unread = self.read(history=[{"at": "$now-1h", **told}])
        assert (record.history[0].is_conversation, unread) == (talked, [])

    @pytest.mark.parametrize(
        "told", [{"lead": {"line_type": "business"}}, {"lead": {"customer_type": "business"}}, {"flags": {"b2b": True}}]
    )
    def test_a_business_by_any_name(self, told):
        record, unread = self.read(**told)
        assert (record.is_business, unread) == (True, [])

    def test_a_place_that_was_told(self):
        said = {"zone": "Pacific/Honolulu", "state": "HI", "at": "2026-07-01T12:00:00Z"}
        record, unread = self.read(lead={"stated_location": said}, flags={"emergency_line": True})
        assert (record.place.stated_zone, record.place.stated_state, record.is_emergency_line) == (
            "Pacific/Honolulu",
            "HI",
            True,
        )
        assert (record.emergencies, unread) == (set(), [])

    def test_state_lists(self):
        record, _ = self.read(dnc={"state_lists": {"TX": True, "FL": False}})
        assert [each.name for each in record.lists if each.is_listed] == ["state-tx"]

    def test_relationships(self):
        assert self.read(lead={"personal_relationship": True})[0].relationship.is_personal
        ended = self.read(ebr={"last_purchase": "$now-9d", "terminated": True})[0].relationship
        assert (ended.last_purchase.day, ended.ended_at) == (5, NOON)
        assert self.read(ebr={"ended_at": "2026-07-01T00:00:00Z"})[0].relationship.ended_at.day == 1

    @pytest.mark.parametrize(
        ("flags", "states"),
        [
            ({"state_emergency": "LA"}, {"LA"}),
            ({"emergency_states": ["LA", "NY"]}, {"LA", "NY"}),
            ({"emergency": {"LA": True, "NY": False}}, {"LA"}),
            ({"emergency": {"LA": False, "NY": False}}, set()),
            ({"emergency": {"state": "LA", "until": "$now+1d"}}, {"LA"}),
            ({"emergency": [{"state": "LA", "until": "$now-1d"}, {"states": ["NY"]}]}, {"NY"}),
            ({"emergency": {"declared": True}}, {"LA", "NY"}),
            ({"emergency": {"declared": False}}, set()),
            ({"emergency_declared": "yes"}, {"LA", "NY"}),
            ({"la_emergency": True}, {"LA"}),
            ({"state_emergency": True}, {"LA", "NY"}),
            ({"state_emergency": False}, set()),
        ],
    )
    def test_emergencies_however_they_are_flagged(self, flags, states):
        assert self.read(flags=flags)[0].emergencies == states

    def test_an_emergency_purpose_by_flag(self):
        assert self.read(flags={"emergency_purpose": True})[0].errand.purpose is Purpose.EMERGENCY

    def test_a_stated_place_and_an_answer_with_its_day(self):
        record, unread = self.read(
            lead={"stated_zone": "America/Denver", "stated_state": "CO", "stated_on": "2026-07-01"},
            rnd={"checked": True, "result": "no data", "asked_on": "2026-07-02"},
        )
        assert (record.place.stated_zone, record.place.stated_on.day) == ("America/Denver", 1)
        assert (record.reassigned.answer, record.reassigned.asked_on.day) == (Reassigned.NO_DATA, 2)
        assert unread == []

    def test_what_it_does_not_know_it_names(self):
        _, unread = self.read(lead={"shoe": 9}, dnc={"internal": {"mood": 1}}, flags={"weather": 1}, moon="full")
        assert unread == ["moon", "lead.shoe", "dnc.internal.mood", "flags.weather"]


ODD = [
    None,
    0,
    -1,
    1e308,
    "",
    [],
    {},
    True,
    "2026-13-45T99:00:00Z",
    ["a", 1, None],
    {"a": {}},
    10**30,
    "$now-5z",
    "$now-9999y",
    "$now+9999999999d",
]
EVERYTHING = json.loads((DATA / "cases.json").read_text())
BOOK = load_rulebook()


def places(value, path=()):
    """The way to every value inside a case."""
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


@settings(max_examples=150)
@given(st.data())
def test_a_file_of_that_format_with_anything_in_it_is_told_of_never_a_crash(tmp_path_factory, data):
    case = copy.deepcopy(data.draw(st.sampled_from([*EVERYTHING["cases"], *EVERYTHING["measurement_cases"]])))
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(list(places(case))))
        inside = case
        for key in way:
            inside = inside[key]
        if isinstance(inside, dict) and data.draw(st.booleans()):
            inside["another_name"] = inside.pop(last)
        else:
            inside[last] = copy.deepcopy(data.draw(st.sampled_from(ODD)))
    file = tmp_path_factory.mktemp("cases") / "odd.json"
    file.write_text(json.dumps({**EVERYTHING, "cases": [case], "measurement_cases": [case]}))
    assert len(run_cases(file, BOOK).rows) == 2


def test_what_was_not_looked_at_is_named(tmp_path):
    case = copy.deepcopy(EVERYTHING["cases"][0])
    case["weather"], case["expect"]["mood"] = "rain", "good"
    file = tmp_path / "more.json"
    file.write_text(json.dumps({"defaults": EVERYTHING["defaults"], "cases": [case]}))
    (row,) = run_cases(file, BOOK).rows
    assert row.agrees
    assert row.unread == ("weather", "expect.mood")
