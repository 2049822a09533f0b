import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.number import NumberRefused, PhoneNumber, SipAddress, mask, parse_number, parse_target


@pytest.mark.parametrize(
    "text",
    [
        "+16145550123",
        "(614) 555-0123",
        " 614.555.0123 ",
        "1-614-555-0123",
        "tel:+1-614-555-0123",
        "٦١٤٥٥٥٠١٢٣",
        "６１４５５５０１２３",
    ],
)
def test_people_write_one_number_in_many_ways(text):
    assert parse_number(text) == PhoneNumber("+16145550123")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("1" * 65, "too_long_text"),
        ("1-800-FLOWERS", "letters"),
        ("6.14555E+09", "letters"),
        ("n/a", "letters"),
        ("614-555-0123 ext 5", "extension"),
        ("614-555-0123x5", "extension"),
        ("+16145550123;ext=4", "extension"),
        ("6145550123,,12", "extension"),
        ("911", "emergency"),
        ("+1911", "emergency"),
        ("1-911", "emergency"),
        ("112", "emergency"),
        ("988", "emergency"),
        ("411", "service"),
        ("+1 811", "service"),
        ("+1 900 555 0123", "premium"),
        ("+1 614 976 0123", "premium"),
        ("555-0123", "too_short"),
        ("614555012", "too_short"),
        ("+16145550123456789", "too_long"),
        ("+", "invalid"),
        ("--", "invalid"),
        ("0", "invalid"),
        ("+999 123 456 789", "invalid"),
        ("+1 614 155 0123", "invalid"),
        ("+44 20 7183 8750", "foreign"),
        ("+1 876 555 0123", "foreign"),
        ("+1 416 555 0123", "foreign"),
    ],
)
def test_refusals_by_name(text, code):
    refused = parse_number(text)
    assert isinstance(refused, NumberRefused)
    assert refused.code == code
    assert refused.why


def test_a_number_too_short_to_parse():
    assert parse_number("+44 1", allow_foreign=True).code == "too_short"  # type: ignore[union-attr]
    assert parse_number("6" * 40).code == "too_long"  # type: ignore[union-attr]


def test_foreign_numbers_only_on_request():
    assert parse_number("+44 20 7183 8750", allow_foreign=True) == PhoneNumber("+442071838750")
    assert parse_number("020 7183 8750", "GB", allow_foreign=True) == PhoneNumber("+442071838750")
    assert parse_number("+44 909 879 0000", allow_foreign=True).code == "premium"  # type: ignore[union-attr]


def test_us_territories_are_not_foreign():
    assert parse_number("+1 787 555 0123") == PhoneNumber("+17875550123")


def test_fictional_numbers_are_accepted_even_where_no_area_code_is():
    number = parse_number("+1 222 555 0123")
    assert number == PhoneNumber("+12225550123")
    assert isinstance(number, PhoneNumber)
    assert number.is_fictional
    assert not PhoneNumber("+16145551234").is_fictional


def test_what_a_number_knows_of_itself():
    number = PhoneNumber("+16145550123")
    assert (str(number), number.e164, number.area_code) == ("+16145550123", "+16145550123", "614")
    assert repr(number) == "PhoneNumber(+1614•••0123)"
    assert not number.is_toll_free
    assert PhoneNumber("+18005550199").is_toll_free
    assert PhoneNumber("+442071838750").area_code == ""


@pytest.mark.parametrize(
    "uri",
    [
        "sip:sales@example.com",
        "SIPS:sales@10.0.0.1:5061;transport=tls",
        "sip:example.com",
        "sip:a.b+c@example.com;transport=tcp?X-Ref=42",
        "sip:a@[2001:db8::1]:5060",
    ],
)
def test_sip_addresses(uri):
    address = parse_target(f" {uri} ")
    assert address == SipAddress(uri)
    assert str(address) == uri


@pytest.mark.parametrize(
    "uri",
    ["sip:", "sip:a@", "sip:a@b c", "sip:a@b\r\nVia: x", "sip:<b>@x.y", 'sip:"a"@x.y', "sip:" + "a" * 1100, "sip:a@-b"],
)
def test_broken_sip_addresses(uri):
    assert parse_target(uri).code == "sip_malformed"  # type: ignore[union-attr]


def test_a_target_may_be_a_number():
    assert parse_target("614 555 0123") == PhoneNumber("+16145550123")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+16145550123", "+1614•••0123"),
        ("+442071838750", "+44•••50"),
        ("sip:joe@example.com;transport=tls", "sip:•••@example.com"),
        ("Joe 6145550123", "•••"),
        ("anonymous", "•••"),
        ("", ""),
    ],
)
def test_masks(text, masked):
    assert mask(text) == masked


@given(st.text(max_size=80))
def test_any_text_is_a_number_or_a_named_refusal(text):
    answer = parse_target(text)
    if isinstance(answer, PhoneNumber):
        assert answer.e164.startswith("+1")
        assert parse_number(answer.e164) == answer
    elif isinstance(answer, NumberRefused):
        assert answer.code
