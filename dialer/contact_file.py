"""A file of contacts, row by row: what can be used, and what is wrong with the rest, by line, column and reason.

Takes what spreadsheets write: a byte order mark, UTF-8, UTF-16 or Latin-1, any usual separator and line end, quotes, empty
lines. Never guesses a number, never holds more than a row and a piece of the file, and never lets one bad row spoil another:
an unclosed quote costs the line it stands in.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, timezone
from typing import Final, TypeAlias

from dialer.states import state_code
from telephony.number import NumberRefused, parse_number

LONGEST_LINE: Final = 256 * 1024  # bytes
LONGEST_FIELD: Final = 4000  # characters
LONGEST_NAME: Final = 200
LONGEST_PERSON: Final = 64
MOST_COLUMNS: Final = 200
MOST_LINES: Final = 50  # of one row: more, and a quote was never closed
_SEPARATORS: Final = ",;\t|"

# What people call the columns we know, the likelier first. A second name for the same thing stays an extra field.
_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("number", "phone_number", "phone", "telephone", "mobile", "cell", "tel", "e164"),
    "name": ("name", "full_name"),
    "first_name": ("first_name", "firstname", "given_name"),
    "address_state": ("address_state", "state"),
    "zip": ("zip", "zip_code", "zipcode", "postal_code", "postcode"),
    "person": ("person_id", "personid"),
}
_CONSENT: Final = "consent_"
CONSENT_KINDS: Final = frozenset({"", "pewc", "written", "pec", "express", "oral"})


@dataclass(frozen=True, slots=True)
class ConsentClaim:
    """The consent a row tells of, as the file has it. The ledger decides what it is worth.

    `at` is the earliest instant that was meant: a date, or a time without a zone, is read in the zone where it comes first,
    so that a revocation of the same day is never overruled by it.
    """

    at: datetime
    seller: str = ""
    wording: str = ""
    kind: str = ""
    source: str = ""
    signature: str = ""
    more: Mapping[str, str] = field(default_factory=dict)  # further consent_* columns, without the prefix


@dataclass(frozen=True, slots=True)
class ContactRow:
    line: int
    number: str = field(repr=False)
    name: str = ""
    first_name: str = ""
    address_state: str = ""
    zip: str = ""
    person: str = ""  # the id as the file has it; whose numbering that is, the import says
    fields: Mapping[str, str] = field(default_factory=dict)
    consent: ConsentClaim | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out. `column` as the file names it, "" when it is the whole row; `code` is stable.

    Codes: those of `telephony.number.NumberRefused`, and duplicate, too_many_columns, too_long, unclosed_quote, bad_quotes,
    not_text, state_unknown, zip_malformed, consent_at_missing, consent_at_malformed, consent_in_future,
    consent_wording_missing, consent_seller_missing, consent_kind_unknown; and of the import: erased.
    """

    line: int
    column: str
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class FileRefused:
    """Nothing in this file can be used.

    Codes: empty_file, no_number_column, duplicate_column, too_many_columns, bad_header.
    """

    code: str
    why: str


Row: TypeAlias = ContactRow | BadRow


def read_contacts(pieces: Iterable[bytes], at: datetime) -> Iterator[Row] | FileRefused:
    """Open a file of contacts, given in pieces of any size; rows come as they are asked for. `at` is now."""
    records = _Records(_lines(pieces))
    header = records.header()
    if isinstance(header, FileRefused):
        return header
    columns = _Columns.of(header)
    if isinstance(columns, FileRefused):
        return columns
    return (
        record if isinstance(record, BadRow) else _contact(record.line, record.values, columns, at) for record in records
    )


# --- from bytes to lines ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str  # with its line end; empty if the line cannot be used
    code: str = ""  # why not


def _lines(pieces: Iterable[bytes]) -> Iterator[_Line]:
    pieces = _from_first_text(pieces)
    first = next(pieces, b"")
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        decoder = codecs.getincrementaldecoder("utf-16")("replace")
        first, rest = decoder.decode(first).encode(), pieces
        pieces = (decoder.decode(piece).encode() for piece in rest)
    first = first.removeprefix(codecs.BOM_UTF8)
    end = b"\r" if b"\n" not in first and b"\r" in first.rstrip(b"\r") else b"\n"
    for number, line in enumerate(_split(first, pieces, end), start=1):
        if line is None:
            yield _Line(number, "", "too_long")
        elif b"\0" in line:
            yield _Line(number, "", "not_text")
        else:
            yield _Line(number, _decoded(line))


def _from_first_text(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces, the first of them long enough to tell the encoding and the line end from."""
    source, first = iter(pieces), b""
    for piece in source:
        first += piece
        if len(first) >= 4096:
            break
    yield first
    yield from source


def _split(first: bytes, pieces: Iterator[bytes], end: bytes) -> Iterator[bytes | None]:
    """Lines with their ends; None in the place of one that is longer than a line can be."""
    kept, is_too_long = first, False
    while True:
        *whole, kept = kept.split(end)
        for line in whole:
            yield None if is_too_long or len(line) > LONGEST_LINE else line + b"\n"
            is_too_long = False
        if len(kept) > LONGEST_LINE:
            kept, is_too_long = b"", True
        piece = next(pieces, None)
        if piece is None:
            break
        kept += piece
    if kept or is_too_long:
        yield None if is_too_long else kept


def _decoded(line: bytes) -> str:
    """Line by line, because files are joined from several sources; what is not UTF-8 is what Windows wrote before it."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


# --- from lines to records ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    values: list[str]


class _Unclosed(Exception):
    """A row went on for longer than any row does."""


class _Records:
    """Rows of values. After a broken one, reading goes on with the line behind the one in which it began."""

    def __init__(self, lines: Iterator[_Line]) -> None:
        self._lines = lines
        self._returned: deque[_Line] = deque()
        self._separator = ","

    def header(self) -> list[str] | FileRefused:
        line = self._next_filled()
        if line is not None and (told := re.fullmatch(r"sep=(.)", line.text.strip("\r\n"))):
            self._separator = told[1]  # how Excel is told, in a line of its own
            line = self._next_filled()
        elif line is not None:
            self._separator = max(_SEPARATORS, key=line.text.count)
        if line is None:
            return FileRefused("empty_file", "there is nothing in the file")
        self._returned.appendleft(line)
        record = next(iter(self), None)
        if not isinstance(record, _Record):
            return FileRefused("bad_header", "the first line must name the columns")
        return record.values

    def __iter__(self) -> Iterator[_Record | BadRow]:
        while (first := self._next_filled()) is not None:
            if first.code:
                yield BadRow(first.number, "", first.code, _WHY[first.code])
                continue
            taken = [first]
            try:
                values = next(csv.reader(self._rows_of(taken), delimiter=self._separator, strict=True))
            except (_Unclosed, csv.Error) as error:
                self._returned.extendleft(reversed(taken[1:]))
                code = _code_of(error)
                yield BadRow(first.number, "", code, _WHY[code])
                continue
            if any(value.strip() for value in values):
                yield _Record(first.number, values)

    def _rows_of(self, taken: list[_Line]) -> Iterator[str]:
        """The text of the first line, and of those behind it as long as the parser asks for more."""
        yield taken[0].text
        while (line := self._next()) is not None:
            taken.append(line)
            if line.code or len(taken) > MOST_LINES:
                raise _Unclosed
            yield line.text

    def _next(self) -> _Line | None:
        return self._returned.popleft() if self._returned else next(self._lines, None)

    def _next_filled(self) -> _Line | None:
        while (line := self._next()) is not None:
            if line.code or line.text.strip():
                return line
        return None


def _code_of(error: Exception) -> str:
    text = str(error)
    if "larger than" in text:
        return "too_long"
    return "bad_quotes" if "expected after" in text else "unclosed_quote"


_WHY: Final = {
    "too_long": f"longer than a line ({LONGEST_LINE} bytes) or a field ({LONGEST_FIELD} characters) can be",
    "not_text": "has bytes in it that are no text",
    "unclosed_quote": "has a quote that is never closed",
    "bad_quotes": "has text behind a closing quote; a quote within a quoted field is written twice",
}


# --- from records to contacts -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Columns:
    names: tuple[str, ...]  # as in the file
    known: Mapping[str, int]  # our name -> place
    consent: Mapping[str, int]  # without the prefix -> place
    extra: Mapping[str, int]

    @classmethod
    def of(cls, header: list[str]) -> _Columns | FileRefused:
        names = tuple(name.strip() or f"column_{place}" for place, name in enumerate(header, start=1))
        plain = [re.sub(r"[\s\-.]+", "_", name.lower()) for name in names]
        if len(names) > MOST_COLUMNS:
            return FileRefused("too_many_columns", f"there are {len(names)} columns; {MOST_COLUMNS} is the most")
        twice = next((name for name in plain if plain.count(name) > 1), None)
        if twice is not None:
            return FileRefused("duplicate_column", f"two columns are called {twice[:40]!r}")
        known = {
            ours: plain.index(theirs)
            for ours, aliases in _ALIASES.items()
            if (theirs := next((alias for alias in aliases if alias in plain), None)) is not None
        }
        if "number" not in known:
            return FileRefused("no_number_column", "no column is called number; the first line must name the columns")
        consent = {name.removeprefix(_CONSENT): place for place, name in enumerate(plain) if name.startswith(_CONSENT)}
        taken = {*known.values(), *consent.values()}
        return cls(names, known, consent, {name: place for place, name in enumerate(names) if place not in taken})

    def named(self, ours: str) -> str:
        return self.names[self.known[ours]]


def _contact(line: int, values: list[str], columns: _Columns, at: datetime) -> Row:
    values = [value.strip() for value in values]
    if any(values[len(columns.names) :]):
        return BadRow(line, "", "too_many_columns", f"has {len(values)} values for {len(columns.names)} columns")
    values += [""] * (len(columns.names) - len(values))
    known = {ours: values[place] for ours, place in columns.known.items()}
    if bad := _too_long(line, values, known, columns):
        return bad
    number = parse_number(known["number"].removeprefix("'"))  # how a spreadsheet keeps a number from being one
    if isinstance(number, NumberRefused):
        return BadRow(line, columns.named("number"), number.code, number.why)
    state = state_code(known.get("address_state", ""))
    if state is None:
        return BadRow(line, columns.named("address_state"), "state_unknown", "is not a state of the United States")
    if bad := _bad_zip(line, known.get("zip", ""), columns):
        return bad
    consent = _consent(line, {name: values[place] for name, place in columns.consent.items() if values[place]}, at)
    if isinstance(consent, BadRow):
        return consent
    extra = {name: values[place] for name, place in columns.extra.items() if values[place]}
    plain = {ours: known.get(ours, "") for ours in ("name", "first_name", "zip", "person")}
    return ContactRow(line, number.e164, address_state=state, fields=extra, consent=consent, **plain)


def _too_long(line: int, values: list[str], known: Mapping[str, str], columns: _Columns) -> BadRow | None:
    for name, value in zip(columns.names, values, strict=False):
        if len(value) > LONGEST_FIELD:
            return BadRow(line, name, "too_long", f"longer than {LONGEST_FIELD} characters")
    for ours, most in (("name", LONGEST_NAME), ("first_name", LONGEST_NAME), ("person", LONGEST_PERSON)):
        if len(known.get(ours, "")) > most:
            return BadRow(line, columns.named(ours), "too_long", f"longer than {most} characters")
    return None


def _bad_zip(line: int, code: str, columns: _Columns) -> BadRow | None:
    if not code or re.fullmatch(r"\d{5}(-?\d{4})?", code, re.ASCII):
        return None
    lost = re.fullmatch(r"\d{3,4}", code, re.ASCII)
    why = "has lost a leading 0, as spreadsheets do" if lost else "is not a ZIP code"
    return BadRow(line, columns.named("zip"), "zip_malformed", why)


def _consent(line: int, told: dict[str, str], at: datetime) -> ConsentClaim | BadRow | None:
    if not told:
        return None
    written = told.pop("at", "")
    if not written:
        return BadRow(line, "consent_at", "consent_at_missing", "there is a consent, but not when it was given")
    instant = earliest_meant(written)
    if instant is None:
        return BadRow(line, "consent_at", "consent_at_malformed", "is not an instant like 2026-03-01T14:05:00-05:00")
    if instant > at:
        return BadRow(line, "consent_at", "consent_in_future", "lies in the future")
    if not re.search(r"[^\s;|]", told.get("seller", "")):
        return BadRow(line, "consent_seller", "consent_seller_missing", "to whom the consent was given is not there")
    if "wording" not in told:
        return BadRow(line, "consent_wording", "consent_wording_missing", "what the person agreed to is not there")
    if told.get("kind", "").casefold() not in CONSENT_KINDS:
        return BadRow(line, "consent_kind", "consent_kind_unknown", "is none of pewc, pec, written, express, oral")
    plain = {name: told.pop(name, "") for name in ("seller", "wording", "kind", "source", "signature")}
    return ConsentClaim(instant, **plain, more=told)


_FIRST_ZONE: Final = timezone(timedelta(hours=14))  # where each day begins first


def earliest_meant(text: str) -> datetime | None:
    """The earliest instant an ISO 8601 text can mean; None if it is none."""
    try:
        read = datetime.fromisoformat(text)
        if len(text) <= len("2026-03-01"):
            read = datetime.combine(read.date(), time.min)
        return read if read.tzinfo is not None else read.replace(tzinfo=_FIRST_ZONE)
    except ValueError:
        return None
