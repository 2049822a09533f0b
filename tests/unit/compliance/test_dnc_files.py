"""Do-not-call files in every shape they come in, and in many they should not."""

from __future__ import annotations

import hashlib
import random
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.dnc_files import Line, RegistryFile, lines, parse_line
from compliance.errors import ListRefused

NUMBERS = [6145550123, 6145550199, 2125550100, 8085550111]


@pytest.fixture
def read(tmp_path):
    def of(content: bytes, name: str = "list.txt"):
        path = tmp_path / name
        path.write_bytes(content)
        file = RegistryFile(path)
        batches = list(file.batches())
        assert file.sha256 == hashlib.sha256(content).hexdigest()
        return (
            sorted(int(each) for batch in batches for each in batch.added),
            sorted(int(each) for batch in batches for each in batch.removed),
            sum(batch.lines for batch in batches),
            sum(batch.unreadable for batch in batches),
        )

    return of


def text(separator=",", end="\n", header=""):
    body = "".join(f"{number // 10**7}{separator}{number % 10**7:07d}{end}" for number in NUMBERS)
    return (header + body).encode()


@pytest.mark.parametrize(
    "content",
    [
        text(","),
        text(""),
        text(",", "\r\n"),
        text("", "\r\n"),
        text(", "),
        text("-"),
        text(",", "\n", "AreaCode,PhoneNumber\n"),
        text(",", "\r\n", "Area Code, Number\r\n"),
        b"\xef\xbb\xbf" + text(","),
        text(",").rstrip(b"\n"),
        b'"614","5550123"\n"614","5550199"\n"212","5550100"\n"808","5550111"\n',
        b"(614) 555-0123\n614.555.0199\n+1 212 555 0100\n1-808-555-0111\n",
        b"6145550123\n\n6145550199\n  \n2125550100\n8085550111\n",
    ],
    ids=range(13),
)
def test_numbers_however_they_are_written(read, content):
    assert read(content) == (sorted(NUMBERS), [], 4, 0)


def test_zipped(read, tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("folder")
        archive.writestr("folder/614.txt", text(",", "\r\n"))
    assert read(path.read_bytes(), "614.zip") == (sorted(NUMBERS), [], 4, 0)


@pytest.mark.parametrize(
    "content",
    [
        b"614,5550123,2026-11-18,A\n614,5550199,2026-11-18,D\n",
        b"614,5550123,20261118,A\r\n614,5550199,20261118,D\r\n",
        b"6145550123,A,11/18/2026\n6145550199,D,11/18/2026\n",
        b"6145550123 ADD\n6145550199 delete\n",
        b"Area,Phone,Date,Action\n614,5550123,2026-11-18 10:15:00,A\n614,5550199,2026-11-18 10:15:00,D\n",
        b'"614","5550123","2026-11-18","A"\n"614","5550199","2026-11-18","D"\n',
    ],
    ids=range(6),
)
def test_change_lists_in_every_layout(read, content):
    assert read(content) == ([6145550123], [6145550199], 2, 0)


@pytest.mark.parametrize(
    "content",
    [
        b"<?xml version='1.0'?><list><issued>2026-11-18</issued>"
        b"<ac val='614'><ph val='5550123'/><ph val='5550199'/></ac></list>",
        b"<list><row><area>614</area><number>5550123</number></row><row><area>614</area><number>5550199</number></row></list>",
        b"<list><n>6145550123</n><n>6145550199</n></list>",
        b"<list><n>614-555-0123</n><n>(614) 555-0199</n></list>",
        b"<list count='2'><ph num='6145550123' date='2026-11-18'/><ph num='6145550199' date='2026-11-18'/></list>",
    ],
    ids=range(5),
)
def test_xml_whatever_its_tags(read, content):
    assert read(content)[:2] == ([6145550123, 6145550199], [])


def test_xml_headings_are_no_numbers(read):
    content = b"<l><head><title>National</title><count>2</count></head><n>6145550123</n></l>"
    assert read(content) == ([6145550123], [], 1, 0)


def test_xml_changes(read):
    content = b"<changes><c><p>6145550123</p><d>2026-11-18</d><t>A</t></c><c><p>6145550199</p><t>D</t></c></changes>"
    assert read(content) == ([6145550123], [6145550199], 2, 0)


def test_xml_numbers_that_cannot_be(read):
    assert read(b"<l><n>1145550123</n><n>6145550123</n></l>") == ([6145550123], [], 2, 1)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"<list><n>6145550123</n>", "cut short"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><list><n>6145550123</n></list>", "entities"),
        (b"614,5550123\n614,55501", "cut short"),
        (b"PK\x03\x04 this is no archive", "damaged"),
        (b"x" * 5000, "longer than"),
    ],
)
def test_what_is_no_list(read, content, says):
    with pytest.raises(ListRefused, match=says):
        read(content)


def test_archives_that_are_none(read, tmp_path):
    two = tmp_path / "two.zip"
    with zipfile.ZipFile(two, "w") as archive:
        archive.writestr("a.txt", text())
        archive.writestr("b.txt", text())
    with pytest.raises(ListRefused, match="holds 2 files"):
        read(two.read_bytes())
    cut = tmp_path / "cut.zip"
    with zipfile.ZipFile(cut, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", random.Random(1).randbytes(100_000))
    with pytest.raises(ListRefused, match="damaged"):
        read(cut.read_bytes()[:50_000])


def test_an_archive_that_claims_to_hold_too_much(read, tmp_path, monkeypatch):
    monkeypatch.setattr("compliance.dnc_files.LARGEST", 10)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", text())
    with pytest.raises(ListRefused, match="more than any"):
        read(path.read_bytes())


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ListRefused, match="No such file"):
        list(RegistryFile(tmp_path / "none").batches())


@pytest.mark.parametrize(
    "line",
    [
        b"hello", b"614555012", b"61455501234", b"0145550123", b"6141550123", b"614,5550123,maybe",
        b"614,5550123,2026-13-40", b"614,5550123,A,D", b"\xff\xfe", b"614,5550123,99:99:99:99", b"614 5550123 A 6145550199",
    ],
)  # fmt: skip
def test_lines_that_cannot_be_read(line):
    assert parse_line(line) is None


def test_a_line_that_can():
    assert parse_line(b" 614,5550123,2026-11-18,d ") == Line(6145550123, removes=True, is_change=True)


def test_unreadable_lines_are_counted_not_guessed(read):
    assert read(text() + b"what is this\n012\n") == (sorted(NUMBERS), [], 6, 2)
    assert read(b"614,5550123\n614,555O199\n") == ([6145550123], [], 2, 1)
    assert read(b"614,5550123\n014,5550199\n") == ([6145550123], [], 2, 1)
    assert read(b"614,5550123\n614;5550199\n") == ([6145550123, 6145550199], [], 2, 0)


def test_a_first_line_of_numbers_is_no_header(read):
    assert read(b"6145550123\n")[0] == [6145550123]
    assert read(b"ab6145550123\n6145550199\n") == ([6145550199], [], 2, 1)


def test_pieces_of_a_large_file_fit_together(read, monkeypatch):
    monkeypatch.setattr("compliance.dnc_files.CHUNK", 37)
    many = [6140000000 + 2000000 + 7 * place for place in range(500)]
    content = "".join(f"{number}\r\n" for number in many).encode()
    assert read(content) == (many, [], 500, 0)
    xml = "<l>" + "".join(f"<n>{number}</n>" for number in many) + "</l>"
    assert read(xml.encode()) == (many, [], 500, 0)


@given(st.lists(st.integers(2_002_000_000, 9_999_999_999).filter(lambda n: n // 10**6 % 10 >= 2), min_size=1, max_size=60))
def test_both_ways_of_reading_agree(numbers):
    fixed = "".join(f"{number}\n" for number in numbers).encode()
    ragged = "".join(f"{number // 10**7}, {number % 10**7:07d}{' ' * (place % 3)}\n" for place, number in enumerate(numbers))
    assert np.array_equal(lines(fixed).added, lines(ragged.encode()).added)
    assert lines(fixed).unreadable == 0


@given(st.binary(max_size=300))
def test_garbage_is_refused_or_counted_never_a_crash(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "garbage"
    path.write_bytes(content)
    try:
        batches = list(RegistryFile(path).batches())
    except ListRefused:
        return
    assert all(2 * 10**9 <= number < 10**10 for batch in batches for number in batch.added)
