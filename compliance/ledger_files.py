"""Consents as files: CSV and JSON, in and out. A codec: it reads rows and says what is wrong with the others.

A row that cannot be read is reported by line and reason and left out; a row without wording is read, kept, and never counts.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Final

import msgspec

from compliance.consent import Evidence, Given, LedgerEvent, TakenBack
from compliance.record import Consent, ConsentKind, Purpose
from telephony.number import NumberRefused, parse_number

_YES: Final = frozenset({"yes", "true", "1", "y"})
_NO: Final = frozenset({"no", "false", "0", "n", ""})
_EVIDENCE: Final = tuple(each.name for each in fields(Evidence))
COLUMNS: Final = (
    "number", "sellers", "kind", "obtained_at", "wording", "signed", "names_artificial_voice", "says_not_a_condition",
    "expires_at", "purposes", "person", "id", *_EVIDENCE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: its line in the file, counted from 1, and why."""

    line: int
    why: str


def read_csv(text: str) -> Iterator[Given | BadRow]:
    """Consents from CSV with a header (`COLUMNS`, in any order; number, sellers, kind, obtained_at are needed)."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        unknown = sorted(set(reader.fieldnames or ()) - set(COLUMNS))
        if unknown or reader.fieldnames is None:
            yield BadRow(1, f"unknown columns: {', '.join(unknown)}; there are: {', '.join(COLUMNS)}")
            return
        for row in reader:
            yield _read_row({key: (value or "").strip() for key, value in row.items() if key}, reader.line_num)
    except csv.Error as error:
        yield BadRow(reader.line_num + 1, f"no CSV from here on: {error}")


def read_json(text: str) -> Iterator[Given | BadRow]:
    """Consents from JSON: a list of objects with the columns' names; `sellers` and `purposes` may be lists."""
    try:
        rows = msgspec.json.decode(text, type=list[dict[str, str | bool | list[str] | None]])
    except msgspec.MsgspecError as error:
        yield BadRow(1, f"not a list of consents: {error}")
        return
    for place, row in enumerate(rows, start=1):
        if row.pop("what", "given") != "given":
            yield BadRow(place, "a revocation: it is written with `offhook consent revoke`, not imported")
            continue
        flat = {key: ";".join(value) if isinstance(value, list) else _plain(value) for key, value in row.items()}
        unknown = sorted(set(flat) - set(COLUMNS))
        yield BadRow(place, f"unknown fields: {', '.join(unknown)}") if unknown else _read_row(flat, place)


def _plain(value: str | bool | None) -> str:
    return {True: "yes", False: "no", None: ""}.get(value, str(value)) if isinstance(value, bool | None) else value


def _read_row(row: Mapping[str, str], line: int) -> Given | BadRow:
    number = parse_number(row.get("number", ""))
    if isinstance(number, NumberRefused):
        return BadRow(line, f"number: {number.why}")
    sellers = frozenset(_split(row.get("sellers", "")))
    if not sellers:
        return BadRow(line, "sellers: name at least one")
    try:
        consent = Consent(
            id=row.get("id") or _id_of(row),
            kind=ConsentKind({"written": "pewc", "express": "pec"}.get(row.get("kind", ""), row.get("kind", ""))),
            number=str(number),
            sellers=sellers,
            obtained_at=_instant(row.get("obtained_at", "")),
            wording=row.get("wording", ""),
            is_signed=_truth(row.get("signed", "")),
            names_artificial_voice=_truth(row.get("names_artificial_voice", "")),
            says_not_a_condition=_truth(row.get("says_not_a_condition", "")),
            expires_at=_instant(row["expires_at"]) if row.get("expires_at") else None,
            purposes=frozenset(Purpose(each) for each in _split(row.get("purposes", ""))),
        )
    except ValueError as error:
        return BadRow(line, str(error))
    return Given(consent.id, consent, row.get("person", ""), Evidence(**{name: row.get(name, "") for name in _EVIDENCE}))


def _id_of(row: Mapping[str, str]) -> str:
    """The same row twice is one consent."""
    text = "\0".join(f"{key}={row[key]}" for key in sorted(row))
    return "c_" + hashlib.sha256(text.encode()).hexdigest()[:32]


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _truth(text: str) -> bool:
    lowered = text.lower()
    if lowered not in _YES | _NO:
        raise ValueError(f"{text!r} is neither yes nor no")
    return lowered in _YES


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text) if text else None
    if found is None or found.tzinfo is None:
        raise ValueError(f"{text!r} is no instant with a time zone, such as 2026-06-01T15:00:00Z")
    return found.astimezone(UTC)


def write_csv(events: Iterable[LedgerEvent]) -> str:
    """The consents among these events, in the form that `read_csv` reads. Revocations are not consents and stay out."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for event in events:
        if isinstance(event, Given):
            writer.writerow(_row(event))
    return out.getvalue()


def flat(events: Iterable[LedgerEvent]) -> list[dict[str, str]]:
    """Every event as an object of texts: consents in the form that `read_json` reads, revocations marked as such."""
    return [{"what": "given", **_row(each)} if isinstance(each, Given) else _taken(each) for each in events]


def _taken(event: TakenBack) -> dict[str, str]:
    taken = event.revocation
    told = {"at": taken.at.isoformat(), "channel": taken.channel, "seller": taken.seller, "words": event.words}
    purposes = ";".join(sorted(taken.purposes))
    return {
        "what": "taken_back",
        "number": event.number,
        "person": event.person,
        "id": event.id,
        "purposes": purposes,
        **told,
    }


def _row(event: Given) -> dict[str, str]:
    consent = event.consent
    return {
        "number": consent.number,
        "sellers": ";".join(sorted(consent.sellers)),
        "kind": consent.kind.value,
        "obtained_at": consent.obtained_at.isoformat(),
        "wording": consent.wording,
        "signed": _yes(consent.is_signed),
        "names_artificial_voice": _yes(consent.names_artificial_voice),
        "says_not_a_condition": _yes(consent.says_not_a_condition),
        "expires_at": consent.expires_at.isoformat() if consent.expires_at else "",
        "purposes": ";".join(sorted(consent.purposes)),
        "person": event.person,
        "id": consent.id,
        **asdict(event.evidence),
    }


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"
