"""Where the phone could be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import msgspec
import phonenumbers
import pytest
from phonenumbers.timezone import time_zones_for_geographical_number
from phonenumbers.tzdata import TIMEZONE_DATA

from compliance.record import Place
from compliance.zones import TZDATA, ZoneMissing, stated_place, where, zone

TODAY = date(2026, 7, 14)


def places(book, number, **place):
    found = where(number, Place(**place), TODAY, book)
    return set(found.zones), set(found.states)


@pytest.mark.parametrize(
    ("area", "zones", "state"),
    [
        ("614", {"America/New_York"}, "OH"),
        ("850", {"America/New_York", "America/Chicago"}, "FL"),
        ("219", {"America/New_York", "America/Chicago"}, "IN"),
        ("701", {"America/Chicago", "America/Denver"}, "ND"),
        ("915", {"America/Denver"}, "TX"),
        ("928", {"America/Phoenix", "America/Denver"}, "AZ"),
        ("907", {"America/Anchorage", "America/Adak"}, "AK"),
        ("684", {"Pacific/Pago_Pago"}, "AS"),
        ("787", {"America/Puerto_Rico"}, "PR"),
        ("939", {"America/Puerto_Rico"}, "PR"),
        # libphonenumber 9.0.43 puts Orlando's overlay in Central time; both are kept until it is mended.
        ("689", {"America/New_York", "America/Chicago"}, "FL"),
    ],
)
def test_the_area_code_alone(book, area, zones, state):
    assert places(book, f"+1{area}5550123") == (zones, {state})


def test_every_area_code_has_zones_of_its_state(book):
    for state, codes in book.areas.states.items():
        for code in codes:
            zones, states = places(book, f"+1{code}5550123")
            assert zones, code
            assert states == {state}


def test_exchanges_are_looked_up_as_libphonenumber_does(book):
    """Its table is read directly, for speed: every row of it must mean what its own function makes of it."""
    ours = {str(code) for codes in book.areas.states.values() for code in codes}
    for digits, names in TIMEZONE_DATA.items():
        if digits[0] != "1" or digits[1:4] not in ours:
            continue
        number = digits.ljust(7, "2") + "0123"
        parsed = phonenumbers.PhoneNumber(country_code=1, national_number=int(number[1:]))
        theirs = {book.areas.same_as.get(name, name) for name in time_zones_for_geographical_number(parsed)}
        assert theirs <= places(book, f"+{number}")[0], (digits, names)


def test_an_area_code_newer_than_the_numbering_data_takes_its_states_zones(book):
    states = {**book.areas.states, "NM": (*book.areas.states["NM"], 222)}
    unknown = replace(book, areas=msgspec.structs.replace(book.areas, states=states))
    assert places(unknown, "+12225550123") == ({"America/Denver"}, {"NM"})


def test_an_exchange_may_add_a_zone_but_never_remove_one(book):
    assert places(book, "+18504340123")[0] == {"America/New_York", "America/Chicago"}  # 850-434 is Pensacola


def test_an_address_in_the_same_state_adds_nothing(book):
    assert places(book, "+12145550123", state="TX") == ({"America/Chicago"}, {"TX"})


def test_an_address_in_another_state_adds_all_of_it(book):
    assert places(book, "+12125550123", state="TX") == (
        {"America/New_York", "America/Chicago", "America/Denver"},
        {"NY", "TX"},
    )


def test_a_known_zone_of_the_address_narrows_that(book):
    found = places(book, "+12125550123", state="CA", zone="America/Los_Angeles")
    assert found == ({"America/New_York", "America/Los_Angeles"}, {"NY", "CA"})


def test_an_unknown_state_leaves_everything_open(book):
    assert places(book, "+12125550123", state="ZZ") == (set(), {"NY", "ZZ"})


def test_what_the_person_said_overrules_the_zones_for_a_year(book):
    said = {"stated_zone": "America/Denver", "stated_state": "CO"}
    assert places(book, "+12125550123", state="CA", stated_on=date(2025, 7, 14), **said) == (
        {"America/Denver"},
        {"NY", "CA", "CO"},
    )
    old = places(book, "+12125550123", stated_on=date(2025, 7, 13), **said)
    assert old == ({"America/New_York"}, {"NY"})
    assert places(book, "+12125550123", stated_on=TODAY)[0] == {"America/New_York"}
    assert places(book, "+12125550123", stated_on=TODAY, stated_zone="America/Denver")[1] == {"NY"}


def test_it_says_why(book):
    found = where("+12125550123", Place(state="CA"), TODAY, book)
    assert found.because == ("area code 212: NY", "address CA: America/Los_Angeles")


def test_the_zone_data_is_pinned():
    assert len(TZDATA) >= 5
    assert zone("America/New_York").key == "America/New_York"
    for name in ("America/Atlantis", "Nowhere/Else", "../etc/passwd", ""):
        with pytest.raises(ZoneMissing):
            zone(name)


class TestZips:
    @pytest.mark.parametrize(
        ("number", "place", "zones", "states"),
        [
            # a Miami mobile carried to Pensacola: the ZIP code adds Central time
            ("+13055550123", {"zip": "32501"}, {"America/New_York", "America/Chicago"}, {"FL"}),
            ("+13055550123", {"zip": "33101", "state": "FL"}, {"America/New_York"}, {"FL"}),
            ("+12145550123", {"zip": "79901"}, {"America/Chicago", "America/Denver"}, {"TX"}),
            ("+12145550123", {"zip": "75201-1234"}, {"America/Chicago"}, {"TX"}),
            # a range that the zone line crosses leaves both
            ("+12145550123", {"zip": "79821"}, {"America/Chicago", "America/Denver"}, {"TX"}),
            ("+12125550123", {"zip": "79821"}, {"America/New_York", "America/Chicago", "America/Denver"}, {"NY", "TX"}),
            ("+12125550123", {"zip": "90001"}, {"America/New_York", "America/Los_Angeles"}, {"NY", "CA"}),
            ("+12125550123", {"zip": "75201", "state": "CO"}, {"America/New_York", "America/Chicago", "America/Denver"},
             {"NY", "TX", "CO"}),
            ("+12125550123", {"zip": "00000"}, {"America/New_York"}, {"NY"}),
            ("+12125550123", {"zip": "75201", "zone": "America/Denver"}, {"America/New_York", "America/Denver"},
             {"NY", "TX"}),
        ],
    )  # fmt: skip
    def test_what_a_zip_code_adds(self, book, number, place, zones, states):
        assert places(book, number, **place) == (zones, states)

    def test_every_prefix_has_zones_of_its_state(self, book):
        assert len(book.zips) > 880
        for place in book.zips.values():
            assert set(place.zones) <= set(book.areas.zones[place.state])


def test_what_a_person_said_is_taken_where_it_leaves_no_hour_open(book):
    said = stated_place("HI", "", TODAY, book.areas)
    assert places(book, "+16145550101", stated_zone=said.stated_zone, stated_state="HI", stated_on=TODAY) == (
        {"Pacific/Honolulu"},
        {"OH", "HI"},
    )
    assert stated_place("TX", "America/Chicago", TODAY, book.areas).stated_zone == "America/Chicago"


@pytest.mark.parametrize(
    ("state", "named", "says"),
    [("XX", "", "no state"), ("TX", "", "several zones"), ("TX", "Europe/Berlin", "no zone of TX")],
)
def test_what_a_person_said_overrules_nothing_where_it_is_not_certain(book, state, named, says):
    with pytest.raises(ValueError, match=says):
        stated_place(state, named, TODAY, book.areas)
