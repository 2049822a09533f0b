from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.contact_file import (
    LONGEST_LINE,
    MOST_LINES,
    BadRow,
    ConsentClaim,
    ContactRow,
    FileRefused,
    Row,
    earliest_meant,
    read_contacts,
)

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
ANN, BOB = "+16145550123", "+13125550199"


def read(*pieces: bytes) -> list[Row]:
    rows = read_contacts(pieces, NOW)
    assert not isinstance(rows, FileRefused)
    return list(rows)


def contacts(text: str) -> list[ContactRow]:
    rows = read(text.encode())
    assert [row for row in rows if isinstance(row, BadRow)] == []
    return [row for row in rows if isinstance(row, ContactRow)]


def problems(text: str | bytes) -> list[tuple[int, str, str]]:
    rows = read(text.encode() if isinstance(text, str) else text)
    return [(row.line, row.column, row.code) for row in rows if isinstance(row, BadRow)]


def refused(*pieces: bytes) -> str:
    rows = read_contacts(pieces, NOW)
    assert isinstance(rows, FileRefused)
    return rows.code


# --- good rows --------------------------------------------------------------------------------------------------------


def test_a_row_becomes_a_contact_with_everything_it_says() -> None:
    text = "number,name,first_name,state,zip,plan,notes\n(614) 555-0123,Ann Lee,Ann,ohio,43004,Gold,\n"
    assert contacts(text) == [ContactRow(2, ANN, "Ann Lee", "Ann", "OH", "43004", fields={"plan": "Gold"})]


@pytest.mark.parametrize(
    "header", ["number", "Phone", "PHONE NUMBER", "phone-number", "Mobile", " tel ", '"Telephone"', "e164"]
)
def test_columns_are_known_by_what_people_call_them(header: str) -> None:
    assert contacts(f"{header}\n{ANN}\n")[0].number == ANN


def test_a_second_number_stays_an_extra_field() -> None:
    (row,) = contacts(f"mobile,Phone\n{BOB},{ANN}\n")
    assert (row.number, row.fields) == (ANN, {"mobile": BOB})


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_what_spreadsheets_write_is_read(separator: str, end: str, encoding: str) -> None:
    lines = [separator.join(row) for row in (("number", "name"), (ANN, "Zoë"), ("", ""), (BOB, '"Lee, A;|"'))]
    rows = read(end.join(lines).encode(encoding))
    assert [(row.line, row.number, row.name) for row in rows if isinstance(row, ContactRow)] == [
        (2, ANN, "Zoë"),
        (4, BOB, "Lee, A;|"),
    ]


def test_excels_own_word_about_the_separator_is_taken() -> None:
    assert contacts(f"sep=;\nnumber;a,b,c\n{ANN};x\n") == [ContactRow(3, ANN, fields={"a,b,c": "x"})]


def test_quotes_and_lines_within_a_field() -> None:
    rows = contacts(f'number,note\n{ANN},"says ""hi""\nand more"\n\n{BOB},plain\n')
    assert [(row.line, row.fields["note"]) for row in rows] == [(2, 'says "hi"\nand more'), (5, "plain")]


def test_short_rows_and_nameless_columns() -> None:
    rows = contacts(f"number,,x\n{ANN}\n{BOB},deux,trois,,\n")
    assert [row.fields for row in rows] == [{}, {"column_2": "deux", "x": "trois"}]


def test_a_number_that_a_spreadsheet_marked_as_text() -> None:
    assert contacts(f"number\n'{ANN}\n")[0].number == ANN


def test_a_file_joined_from_two_encodings_keeps_both() -> None:
    data = f"number,name\n{ANN},Zoë\n".encode() + f"{BOB},José\n".encode("latin-1") + f"{ANN},\x81 odd\n".encode("latin-1")
    assert [row.name for row in read(data) if isinstance(row, ContactRow)] == ["Zoë", "José", "\x81 odd"]


@given(st.lists(st.integers(1, 40), max_size=30), st.sampled_from(["utf-8", "utf-16"]))
def test_where_the_pieces_end_does_not_matter(cuts: list[int], encoding: str) -> None:
    data = f'number,name\r\n{ANN},Zoë\r\n{BOB},"a\r\nb"\r\n'.encode(encoding)
    pieces, place = [], 0
    for cut in cuts:
        pieces.append(data[place : place + cut])
        place += cut
    assert read(*pieces, data[place:]) == read(data)


def test_large_pieces_are_cut_where_lines_end() -> None:
    data = f"number,note\n{ANN},{'x' * 3000}\n{BOB},{'y' * 3000}\n".encode()
    assert len(read(data[:4500], data[4500:5000], data[5000:])) == 2


# --- bad rows ---------------------------------------------------------------------------------------------------------


def test_bad_rows_are_named_and_good_ones_kept() -> None:
    text = f"Phone,state,zip\n{ANN},,\n12,,\n{ANN},Narnia,\n{BOB},,1234\n{BOB},,ABC\n911,,\n,,x\n{BOB},IL,60601-1234\n"
    assert problems(text) == [
        (3, "Phone", "too_short"),
        (4, "state", "state_unknown"),
        (5, "zip", "zip_malformed"),
        (6, "zip", "zip_malformed"),
        (7, "Phone", "emergency"),
        (8, "Phone", "empty"),
    ]
    rows = read(text.encode())
    assert [row.number for row in rows if isinstance(row, ContactRow)] == [ANN, BOB]
    assert [row.why for row in rows if isinstance(row, BadRow) and row.line == 5] == [
        "has lost a leading 0, as spreadsheets do"
    ]


def test_a_bad_row_tells_no_numbers() -> None:
    assert all("614" not in repr(row) for row in read(f"number,zip\n{ANN},x\n".encode()))


def test_too_many_values_and_too_long_ones() -> None:
    text = f"number,name,x\n{ANN},a,b,c\n{ANN},{'n' * 201},\n{ANN},,{'x' * 4001}\n{BOB},,\n"
    assert problems(text) == [(2, "", "too_many_columns"), (3, "name", "too_long"), (4, "x", "too_long")]


def test_a_quote_that_is_never_closed_costs_its_own_line() -> None:
    lines = "".join(f"{ANN},row {number}\n" for number in range(MOST_LINES + 20))
    rows = read(f'number,note\n{BOB},"open\n{lines}'.encode())
    assert [(row.line, row.code) for row in rows if isinstance(row, BadRow)] == [(2, "unclosed_quote")]
    assert len(rows) == MOST_LINES + 21


def test_a_quote_that_is_never_closed_near_the_end() -> None:
    assert problems(f'number,note\n{BOB},"open\n{ANN},fine\n') == [(2, "", "unclosed_quote")]
    assert problems(f'number,note\n{BOB},"shut"x\n{ANN},fine\n') == [(2, "", "bad_quotes")]


def test_lines_that_are_no_text_or_have_no_end() -> None:
    long = b"x" * (LONGEST_LINE + 1)
    head, tail = f"number,note\n{ANN},".encode(), f"\n{BOB},fine\n".encode()
    assert problems(head + long + tail) == [(2, "", "too_long")]
    assert [row.line for row in read(head, long, long, b"still" + tail)] == [2, 3]
    assert problems(head + long) == [(2, "", "too_long")]
    assert problems(head + b"a\0b" + tail) == [(2, "", "not_text")]
    assert problems(head + b'"a\nb\0' + tail)[:2] == [(2, "", "unclosed_quote"), (3, "", "not_text")]
    wide = f"number,note\n{ANN},{'y' * 140_000}\n{BOB},\n"
    assert problems(wide) == [(2, "", "too_long")]


# --- files that cannot be used ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\r\n \r\n", "empty_file"),
        (b"sep=;\n", "empty_file"),
        (b"name,state\nAnn,OH\n", "no_number_column"),
        (f"{ANN},Ann\n".encode(), "no_number_column"),
        (b"number,Name, name\n", "duplicate_column"),
        (b"number," + b",".join(b"c%d" % n for n in range(300)), "too_many_columns"),
        (b'number,"name\n', "bad_header"),
        (b"num\0ber\n", "bad_header"),
        (b",,\n", "bad_header"),
    ],
)
def test_a_file_without_usable_columns_is_refused_whole(data: bytes, code: str) -> None:
    assert refused(data) == code


@given(st.binary(max_size=400))
def test_garbage_never_breaks_the_reader(noise: bytes) -> None:
    for row in read(b"number,name\n", noise):
        assert isinstance(row, ContactRow | BadRow)
    rows: Iterable[Row] | FileRefused = read_contacts([noise], NOW)
    assert isinstance(rows, FileRefused) or list(rows) is not None


@pytest.mark.parametrize("header", ["person_id", "Person_ID", "PERSON ID", " Person-Id", "personid"])
def test_whose_number_it_is_however_the_column_is_written(header: str) -> None:
    (row,) = contacts(f"number,{header}\n{ANN}, 7 \n")
    assert (row.person, row.fields) == ("7", {})


def test_a_person_that_no_list_numbers_like_that() -> None:
    assert problems(f"number,person_id\n{ANN},{'x' * 65}\n") == [(2, "person_id", "too_long")]


# --- consents -----------------------------------------------------------------------------------------------------------

HEADER = "number,consent_at,consent_seller,consent_wording,consent_kind,consent_source,consent_signature,consent_ip\n"


def test_a_consent_is_handed_on_as_it_is_told() -> None:
    (row,) = contacts(f"{HEADER}{ANN},2026-03-01T14:05:00-05:00,Acme,I agree,pewc,form,Ann Lee,192.0.2.1\n")
    at = datetime(2026, 3, 1, 19, 5, tzinfo=UTC)
    assert row.consent == ConsentClaim(at, "Acme", "I agree", "pewc", "form", "Ann Lee", {"ip": "192.0.2.1"})
    assert contacts(f"{HEADER}{ANN},,,,,,,\n")[0].consent is None


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        (",Acme,I agree,,,,", "consent_at", "consent_at_missing"),
        ("last spring,Acme,I agree,,,,", "consent_at", "consent_at_malformed"),
        ("2027-01-01T00:00:00Z,Acme,I agree,,,,", "consent_at", "consent_in_future"),
        ("2026-03-01,Acme,,,,,", "consent_wording", "consent_wording_missing"),
        ("2026-03-01,,I agree,,,,", "consent_seller", "consent_seller_missing"),
        ("2026-03-01, ; ,I agree,,,,", "consent_seller", "consent_seller_missing"),
        ("2026-03-01,Acme,I agree,telepathic,,,", "consent_kind", "consent_kind_unknown"),
    ],
)
def test_a_consent_that_says_too_little_keeps_the_row_out(cells: str, column: str, code: str) -> None:
    assert problems(f"{HEADER}{ANN},{cells}\n") == [(2, column, code)]


def test_an_instant_without_a_zone_is_the_earliest_it_can_be() -> None:
    first = timezone(timedelta(hours=14))
    assert earliest_meant("2026-03-01") == datetime(2026, 3, 1, tzinfo=first)
    assert earliest_meant("2026-03-01 10:30") == datetime(2026, 3, 1, 10, 30, tzinfo=first)
    assert earliest_meant("2026-03-01T10:30Z") == datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
    assert earliest_meant("soon") is None
