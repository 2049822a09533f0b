"""The words of the case format, and what they mean: several names for one thing, instants told from now. Guesses nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

from compliance.case import add_months
from compliance.errors import CaseFileError
from compliance.record import ConsentKind, LineType, Purpose, VoiceKind

Fields: TypeAlias = Mapping[str, object]
EVERYBODY: Final = frozenset({"all", "global", "everyone", "every_seller", "house", "all_sellers"})
_SAME_LINE: Final = {
    "mobile": "wireless", "cell": "wireless", "cellular": "wireless", "residential": "landline", "fixed": "landline",
    "fixed_line": "landline", "residential_landline": "landline", "business": "landline", "business_landline": "landline",
}  # fmt: skip
_SAME_PURPOSE: Final = {
    "healthcare": "healthcare_hipaa", "hipaa": "healthcare_hipaa", "transactional": "informational",
    "information": "informational", "package_delivery": "informational", "nonprofit": "charity", "charitable": "charity",
    "fundraising": "charity", "marketing": "telemarketing", "sales": "telemarketing", "solicitation": "telemarketing",
    "debt": "debt_collection", "collections": "debt_collection", "poll": "survey", "research": "survey",
}  # fmt: skip
_SAME_VOICE: Final = {
    "live": "live_agent", "human": "live_agent", "agent": "live_agent", "ai": "artificial", "synthetic": "artificial",
    "generated": "artificial", "recorded": "prerecorded",
}  # fmt: skip
_SAME_KIND: Final = {"written": "pewc", "express_written": "pewc", "express": "pec", "oral": "pec", "verbal": "pec"}
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TALKED: Final = re.compile(r"conversation|talk|spoke|right_party|connected|reached|answered", re.IGNORECASE)
_NOT_TALKED: Final = re.compile(r"\b(no|not|un|never)[ _-]?(conversation|talk|spoke|right_party|connected|reached|answered)")


def overlaid(defaults: Fields, given: Fields) -> dict[str, object]:
    """Objects are merged, everything else is replaced."""
    merged = dict(defaults)
    for key, value in given.items():
        below = merged.get(key)
        merged[key] = overlaid(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def fields_of(value: object) -> Fields:
    return value if isinstance(value, Mapping) else {}


def list_of(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def texts_of(value: object) -> list[str]:
    """A list of texts, or the one that stands in its place."""
    return [str(each) for each in (value if isinstance(value, list) else [value] if value else [])]


def items_of(value: object) -> list[Fields]:
    return [fields_of(each) for each in list_of(value)]


def text_of(fields: Fields, key: str) -> str:
    value = fields.get(key)
    return "" if value is None else str(value)


def number_of(value: object) -> float:
    if not isinstance(value, int | float):
        raise CaseFileError(f"{value!r} is not a number")
    return float(value)


def purpose_of(text: str) -> Purpose:
    """Names that say the same thing are taken for it."""
    return Purpose(_SAME_PURPOSE.get(text, text))


def line_of(text: str) -> LineType:
    return LineType(_SAME_LINE.get(text, text or "unknown"))


def voice_of(text: str) -> VoiceKind:
    return VoiceKind(_SAME_VOICE.get(text, text))


def kind_of(text: str) -> ConsentKind:
    return ConsentKind(_SAME_KIND.get(text, text))


def purposes_of(given: Fields) -> frozenset[Purpose]:
    """What a consent or a no is limited to: `purposes`, `purpose`, or a `scope` that is one. Empty: nothing."""
    named = [*texts_of(given.get("purposes")), *texts_of(given.get("purpose"))]
    scope = text_of(given, "scope")
    named += [scope] if _SAME_PURPOSE.get(scope, scope) in set(Purpose) else []
    return frozenset(purpose_of(each) for each in named)


def has_talked(given: Fields) -> bool:
    """Whether an earlier call was a conversation, by whatever name that is told."""
    told = " ".join(text_of(given, key).lower() for key in ("outcome", "result", "disposition", "status", "type"))
    if _TALKED.search(_NOT_TALKED.sub("", told)):
        return True
    return any(bool(value) for key, value in given.items() if _TALKED.search(key) and not _NOT_TALKED.search(key))


def instant_of(value: object, now: datetime | None = None) -> datetime:
    """An instant with a zone, or one told from now: `$now-36h`, `$now-5d`, `$now-19mo`."""
    text = str(value)
    if text.startswith("$now"):
        return _from_now(text, now)
    found = datetime.fromisoformat(text)
    if now is not None and len(text) == len("2026-07-14"):
        return found.replace(tzinfo=UTC)  # a fact of a day: it was there from its first moment on
    if found.tzinfo is None:
        raise CaseFileError(f"{value} has no time zone")
    return found.astimezone(UTC)


def _from_now(text: str, now: datetime | None) -> datetime:
    found = re.fullmatch(r"\$now(?:([+-]\d+)(s|m|h|d|w|mo|y))?", text)
    if found is None or now is None:
        raise CaseFileError(f"{text} is no instant")
    count, unit = int(found[1] or 0), found[2] or "d"
    if unit in ("mo", "y"):
        return datetime.combine(add_months(now.date(), count if unit == "mo" else 12 * count), now.timetz())
    return now + timedelta(**{_UNITS[unit]: count})


def day_of(value: object, now: datetime | None = None) -> date:
    """A calendar day, or one told from now."""
    text = str(value)
    return _from_now(text, now).date() if text.startswith("$now") else date.fromisoformat(text[:10])


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
