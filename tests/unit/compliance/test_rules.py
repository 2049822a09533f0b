"""The rule book: read strictly, or not at all."""

from __future__ import annotations

from datetime import date
from importlib import resources

import pytest

from compliance.errors import RuleFileError
from compliance.record import LineType, Purpose, VoiceKind
from compliance.rules import closed_rulebook, load_rulebook, open_rulebook, parse_rulebook, spans
from compliance.rules.schema import Hours


@pytest.fixture
def texts():
    folder = resources.files("compliance.rules")
    return {each.name: each.read_text() for each in folder.iterdir() if each.name.endswith(".toml")}


def changed(texts, name, old, new):
    assert old in texts[name]
    return {**texts, name: texts[name].replace(old, new, 1)}


class TestShipped:
    def test_every_rule_has_words_a_source_and_a_place(self, book):
        for jurisdiction, rules in book.rules.items():
            for rule in rules:
                assert rule.says.endswith("."), rule.id
                assert len(rule.source) > 5, rule.id
                assert rule.id.startswith(("us-", "house-", jurisdiction.lower() + "-")), rule.id

    def test_every_state_with_hours_of_its_own_is_there(self, book):
        east = {"AL", "CT", "FL", "KY", "MA", "MD", "MI", "PA", "RI"}
        rest = {"CA", "IL", "LA", "MN", "MS", "NE", "NM", "NV", "OK", "OR", "SD", "TX", "UT", "WA"}
        held = {name for name, rules in book.rules.items() if any(isinstance(rule, Hours) for rule in rules)}
        assert held == {*east, *rest, "US", "house"}

    def test_every_area_code_has_one_state_and_every_state_a_zone(self, book):
        codes = [code for codes in book.areas.states.values() for code in codes]
        assert len(codes) == len(set(codes))
        assert set(book.areas.states) == set(book.areas.zones)
        assert not set(codes) & {*book.areas.foreign, *book.areas.toll_free, *book.areas.premium, *book.areas.service}

    def test_a_rule_is_found_by_its_id(self, book):
        assert book.entry("fl-cap").most == 3
        assert book.entry("nothing") is None

    def test_the_version_names_the_text(self, texts, book):
        assert parse_rulebook(texts).version == book.version
        other = changed(texts, "us-fl.toml", "most = 3", "most = 2")
        assert parse_rulebook(other).version != book.version

    def test_the_law_without_the_house(self, book):
        law = book.without_house_rules()
        assert not any(name == "house" for name, _ in law.of({"FL"}))
        assert law.version == f"{book.version}-law-only"


class TestTypos:
    @pytest.mark.parametrize(
        ("name", "old", "new", "says"),
        [
            ("us-fl.toml", "most = 3", "mots = 3", "mots"),
            ("us-fl.toml", 'kind = "cap"', 'kind = "hat"', "hat"),
            ("us-fl.toml", 'confidence = "high"', 'confidence = "sure"', "sure"),
            ("us-fl.toml", 'daily = "08:00-20:00"', 'daily = "8-20"', "8"),
            ("us-fl.toml", 'daily = "08:00-20:00"', 'daily = "08:00"', "no span"),
            ("us-fl.toml", 'daily = "08:00-20:00"', 'daily = "20:00-08:00"', "backwards"),
            ("us-fl.toml", 'daily = "08:00-20:00"', 'daily = "08:00-12:00, 11:00-20:00"', "overlap"),
            ("us-fl.toml", 'daily = "08:00-20:00"', 'daily = "08:00-25:00"', "25:00"),
            ("us-fl.toml", 'daily = "08:00-20:00"', 'daily = "08:60-20:00"', "08:60"),
            ("us-fl.toml", 'code = "WINDOW_STATE"', 'code = "DNC_NATIONAL"', "not a code"),
            ("us-fl.toml", "hours = 24", "hours = 0", "needs `most`"),
            ("us-fl.toml", "hours = 24", "hours = 24\nper_local_day = true", "needs `most`"),
            ("us-fl.toml", 'id = "fl-cap"', 'id = "fl-hours"', "twice"),
            ("us-fl.toml", 'source = "Fla. Stat. 501.616(6)(a)"', 'source = " "', "source"),
            ("us-fl.toml", 'jurisdiction = "FL"', 'jurisdiction = "XX"', "XX"),
            ("us-fl.toml", 'jurisdiction = "FL"', "jurisdiction = ", "Invalid"),
            ("us-or.toml", "effective_until = 2026-01-01", "effective_until = 2026-13-01", "us-or.toml"),
            (
                "us-or.toml",
                "effective_until = 2026-01-01",
                "effective_until = 2026-01-01\neffective_from = 2026-02-01",
                "ends",
            ),
            ("holidays.toml", 'weekday = "3 mon jan"', 'weekday = "3 mon foo"', "computed"),
            ("holidays.toml", 'weekday = "3 mon jan"', 'fixed = "01-01"\nweekday = "3 mon jan"', "exactly one"),
            ("holidays.toml", 'fixed = "07-24"', 'fixed = "02-31"', "computed"),
            ("zips.toml", '"850-865"', '"850865"', "no range"),
            ("zips.toml", '"850-865"', '"850-866", "866-866"', "two states"),
            ("zips.toml", 'zips = ["996-999"]', 'zips = ["350-350"]', "350 is not in America/Anchorage"),
            ("area_codes.toml", "service = [", "services = [", "area_codes.toml"),
        ],
    )
    def test_each_is_found_and_named(self, texts, name, old, new, says):
        with pytest.raises(RuleFileError, match=says):
            parse_rulebook(changed(texts, name, old, new))

    def test_an_installation_without_its_files(self, monkeypatch, tmp_path):
        monkeypatch.setattr("compliance.rules.resources.files", lambda _: tmp_path)
        with pytest.raises(RuleFileError, match="install it again"):
            load_rulebook()

    def test_missing_files(self):
        with pytest.raises(RuleFileError, match="area_codes"):
            parse_rulebook({})


class TestOperatorsFiles:
    STRICTER = """
        jurisdiction = "house"
        name = "Ours"
        version = "2026-11-21"
        [[rule]]
        kind = "hours"
        id = "ours-hours"
        code = "WINDOW_POLICY"
        daily = "10:00-18:00"
        says = "We call from ten to six."
        source = "our policy"
        confidence = "high"
    """

    def test_are_added_to_the_houses(self, tmp_path):
        path = tmp_path / "ours.toml"
        path.write_text(self.STRICTER)
        book = load_rulebook(path)
        assert book.entry("ours-hours").daily == "10:00-18:00"
        assert book.entry("house-hours")
        assert book.version.startswith("2026-11-21+")

    def test_cannot_replace_a_shipped_file(self, tmp_path):
        path = tmp_path / "us-fl.toml"
        path.write_text(self.STRICTER)
        with pytest.raises(RuleFileError, match="ships with offhook"):
            load_rulebook(path)

    def test_that_cannot_be_read_close_the_gate(self, tmp_path):
        book = open_rulebook(tmp_path / "none.toml")
        assert "none.toml" in book.closed_because
        (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
        assert open_rulebook(tmp_path / "bad.toml").closed_because
        assert open_rulebook().closed_because == ""


class TestEntry:
    def test_in_force_from_its_first_day_to_the_day_before_its_last(self, book):
        old, new = book.entry("or-hours-to-2025"), book.entry("or-hours")
        assert [old.in_force(day) for day in (date(2025, 12, 31), date(2026, 1, 1))] == [True, False]
        assert [new.in_force(day) for day in (date(2025, 12, 31), date(2026, 1, 1))] == [False, True]

    def test_binds_what_it_names(self, book):
        rule = book.entry("us-hipaa-day-cap")
        assert rule.binds(Purpose.HEALTHCARE, VoiceKind.ARTIFICIAL, LineType.LANDLINE)
        assert not rule.binds(Purpose.HEALTHCARE, VoiceKind.LIVE, LineType.LANDLINE)
        assert not rule.binds(Purpose.HEALTHCARE, VoiceKind.ARTIFICIAL, LineType.WIRELESS)
        assert not rule.binds(Purpose.SURVEY, VoiceKind.ARTIFICIAL, LineType.LANDLINE)
        assert not book.entry("us-company-list").binds(Purpose.EMERGENCY, VoiceKind.LIVE, LineType.UNKNOWN)

    def test_spans_of_the_day(self, book):
        assert spans(book.entry("us-hours"), "closed") == ()
        assert spans(book.entry("us-hours"), "00:00-12:00, 13:30-24:00") == ((0, 720), (810, 1440))

    def test_a_closed_book_says_why(self):
        assert closed_rulebook("typo").closed_because == "typo"
