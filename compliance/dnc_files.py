"""Reading do-not-call files: plain numbers, "NPA,NNNNNNN", change lists and XML, zipped or not, as batches of numbers.

Streams: a national file is three gigabytes. Judges nothing but whether a line can be read; `dnc_load` decides what becomes
of the file. The registry's own documentation of the change list and of the XML tags is not public, so both are read by what
their values look like: ten digits (or three and seven), a lone A or D, a date.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Final
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from compliance.errors import ListRefused

Numbers = NDArray[np.int64]  # ten-digit national numbers
CHUNK: Final = 8 << 20
LONGEST_LINE: Final = 4096
LARGEST: Final = 16 << 30  # a national file has 3.1 GB; what claims more is a bomb
_LINE: Final = re.compile(
    rb"[\s\"']*(?:\+?1[\s.\-]*)?\(?(\d{3})[\s).,;\-\"']*(\d{3})[\s.\-]*(\d{4})((?:[\s,;|\"'\t]+[^\s,;|\"'\t]+)*)[\s,;|\"']*"
)
_DATE: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)|(\d\d?)/(\d\d?)/(\d{4})")
_NONE: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some lines of a file: what they add and what they take away, and how many of them made no sense."""

    added: Numbers
    removed: Numbers
    lines: int
    unreadable: int
    is_change: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    removes: bool
    is_change: bool


class RegistryFile:
    """One file, read once. `sha256` is that of the bytes on disk and is known when `batches` has come to its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sha256 = ""

    def batches(self) -> Iterator[Batch]:
        """Every batch in order. Raises `ListRefused` for what is no such file, is damaged or was cut short."""
        try:
            self.sha256 = _sha256(self.path)
            with self.path.open("rb") as raw:
                yield from _of_stream(raw)
        except OSError as error:
            raise ListRefused(f"{self.path}: cannot be read ({error.strerror}).") from error
        except (zipfile.BadZipFile, EOFError, zipfile.LargeZipFile) as error:
            raise ListRefused(f"{self.path}: the zip archive is damaged or was cut short ({error}).") from error
        except expat.ExpatError as error:
            raise ListRefused(f"{self.path}: the XML is damaged or was cut short ({error}).") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_stream(raw: IO[bytes]) -> Iterator[Batch]:
    head = raw.read(4)
    raw.seek(0)
    if head != b"PK\x03\x04":
        yield from _of_text(raw)
        return
    with zipfile.ZipFile(raw) as archive:
        members = [each for each in archive.infolist() if not each.is_dir()]
        if len(members) != 1:
            raise ListRefused(f"The archive holds {len(members)} files; exactly one is expected.")
        if members[0].file_size > LARGEST:
            raise ListRefused("The archive claims to hold more than any registry does.")
        with archive.open(members[0]) as inside:
            yield from _of_text(inside)


def _of_text(stream: IO[bytes]) -> Iterator[Batch]:
    first = stream.read(CHUNK)
    if not first:
        raise ListRefused("The file is empty.")
    if first.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        yield from _of_xml(first, stream)
    else:
        yield from _of_lines(first, stream)


# --- lines ------------------------------------------------------------------------------------------------------------


def _of_lines(first: bytes, stream: IO[bytes]) -> Iterator[Batch]:
    rest, chunk = b"", first.removeprefix(b"\xef\xbb\xbf")
    chunk = _without_header(chunk)
    while chunk:
        text = rest + chunk
        end = text.rfind(b"\n") + 1
        rest = text[end:]
        if len(rest) > LONGEST_LINE:
            raise ListRefused("This is no list of numbers: a line is longer than 4,096 bytes.")
        if end:
            yield lines(text[:end])
        chunk = stream.read(CHUNK)
    if rest.strip():
        last = lines(rest + b"\n")
        if last.unreadable:
            raise ListRefused("The file was cut short: its last line is not whole.")
        yield last


def _without_header(chunk: bytes) -> bytes:
    """A first line without ten digits in it is a header, if it has letters."""
    first, newline, after = chunk.partition(b"\n")
    letters, digits = re.search(rb"[A-Za-z]{2}", first), re.sub(rb"\D", b"", first)
    return after if newline and letters and len(digits) < 10 else chunk


def lines(text: bytes) -> Batch:
    """Whole lines, each ended by a newline. Lines of one width go column by column, the others one by one."""
    quick = _fixed_width(text)
    return quick if quick is not None else _one_by_one(text)


def _fixed_width(text: bytes) -> Batch | None:
    """All lines alike, ten digits each at the same places: numpy reads them without looking at one of them."""
    width = text.find(b"\n") + 1
    if len(text) % width:
        return None
    rows = np.frombuffer(text, dtype=np.uint8).reshape(-1, width)
    is_digit = (rows[0] >= 48) & (rows[0] <= 57)
    columns = np.flatnonzero(is_digit)
    if len(columns) != 10 or not set(rows[0][~is_digit].tolist()) <= set(b"\r\n,;-. \"'()"):
        return None
    if not (rows[:, ~is_digit] == rows[0][~is_digit]).all():
        return None
    numbers = np.zeros(len(rows), dtype=np.int64)
    for column in columns:
        digit = rows[:, column] - np.uint8(48)  # wraps below zero: anything but a digit is above nine
        if (digit > 9).any():
            return None
        numbers *= 10
        numbers += digit
    good = _assignable(numbers)
    return Batch(numbers[good], _NONE, len(rows), int(len(rows) - good.sum()))


def _assignable(numbers: Numbers) -> NDArray[np.bool_]:
    """Area code and exchange both begin with 2 to 9, as every number of the plan does."""
    return (numbers >= 2_000_000_000) & (numbers < 10_000_000_000) & (numbers // 1_000_000 % 10 >= 2)


def _one_by_one(text: bytes) -> Batch:
    added: list[int] = []
    removed: list[int] = []
    total = unreadable = changes = 0
    for raw in text.splitlines():
        if not raw.strip():
            continue
        total += 1
        line = parse_line(raw)
        if line is None:
            unreadable += 1
            continue
        changes += line.is_change
        (removed if line.removes else added).append(line.number)
    return Batch(_array(added), _array(removed), total, unreadable, is_change=changes > 0)


def _array(numbers: list[int]) -> Numbers:
    return np.array(numbers, dtype=np.int64) if numbers else _NONE


def parse_line(raw: bytes) -> Line | None:
    """One line: a number, and perhaps a date and an A (added) or D (deleted). None: it cannot be read."""
    found = _LINE.fullmatch(raw)
    if found is None:
        return None
    number = int(found[1] + found[2] + found[3])
    if found[1][:1] < b"2" or found[2][:1] < b"2":
        return None
    change = ""
    for word in re.split(r"[\s,;|\"']+", found[4].decode("ascii", "replace")):
        if word.upper() in ("A", "D", "ADD", "DELETE") and not change:
            change = word[0].upper()
        elif word and not _is_date(word):
            return None
    return Line(number, change == "D", bool(change))


def _is_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if found is None:
        return bool(re.fullmatch(r"\d\d:\d\d(:\d\d)?(\.\d+)?", text))  # the time of a date and time
    year, month, day = (found[1], found[2], found[3]) if found[1] else (found[6], found[4], found[5])
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


# --- XML --------------------------------------------------------------------------------------------------------------


class _XmlReader:
    """Collects the values of one record, whatever its tags are called: an element whose children are the values."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.total = self.unreadable = 0
        self._text: list[str] = []
        self._values: list[str] = []
        self._depth = 0
        self._area = ""
        self._area_depth = 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text.append
        self.parser.StartDoctypeDeclHandler = self._refuse

    def _refuse(self, *_: object) -> None:
        raise ListRefused("The XML declares entities of its own; no registry file does.")

    def _start(self, _name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._text.clear()
        for value in attributes.values():
            if re.fullmatch(r"\d{3}", value):
                self._area, self._area_depth = value, self._depth  # <ac val="614">: holds for what is inside it
            else:
                self._take(value)

    def _end(self, _name: str) -> None:
        value = "".join(self._text).strip()
        self._text.clear()
        if value:
            self._take(value)
        elif self._values:
            self._record()
        if self._depth == self._area_depth:
            self._area, self._area_depth = "", 0
        self._depth -= 1

    def _take(self, value: str) -> None:
        is_number = re.fullmatch(r"\d{7}|\d{10}", re.sub(r"[\s().,\-]", "", value)) and not _is_date(value)
        if is_number and any(
            re.fullmatch(r"\d{7}|\d{10}", re.sub(r"\D", "", each)) and not _is_date(each) for each in self._values
        ):
            self._record()  # a list of bare numbers: each is a record of its own
        self._values.append(value)

    def _record(self) -> None:
        values, self._values = self._values, []
        digits = [re.sub(r"[\s().\-]", "", each) for each in values]
        area = next((each for each in digits if re.fullmatch(r"\d{3}", each)), self._area)
        seven = next((each for each in digits if re.fullmatch(r"\d{7}", each)), "")
        ten = next((each for each in digits if re.fullmatch(r"\d{10}", each)), area + seven if seven else "")
        change = next((each.upper()[0] for each in values if each.upper() in ("A", "D", "ADD", "DELETE")), "")
        if not ten:
            return  # a heading, a count, a date of issue
        self.total += 1
        line = parse_line(ten.encode()) if len(ten) == 10 else None
        if line is None:
            self.unreadable += 1
        else:
            self.lines.append(Line(line.number, change == "D", bool(change)))

    def batch(self) -> Batch:
        added = [each.number for each in self.lines if not each.removes]
        removed = [each.number for each in self.lines if each.removes]
        batch = Batch(
            _array(added), _array(removed), self.total, self.unreadable, any(each.is_change for each in self.lines)
        )
        self.lines, self.total, self.unreadable = [], 0, 0
        return batch


def _of_xml(first: bytes, stream: IO[bytes]) -> Iterator[Batch]:
    reader = _XmlReader()
    chunk = first
    while chunk:
        for start in range(0, len(chunk), io.DEFAULT_BUFFER_SIZE):
            reader.parser.Parse(chunk[start : start + io.DEFAULT_BUFFER_SIZE], False)
        yield reader.batch()
        chunk = stream.read(CHUNK)
    reader.parser.Parse(b"", True)
    yield reader.batch()
