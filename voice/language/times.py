"""Days and times as people say them: "friday at three thirty", "tomorrow morning". Reads; never guesses a day.

A visit is in waking hours: "three" is 3 PM and "nine" is 9 AM unless the morning, the evening or am/pm is said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from voice.language.numbers import WORDS_BELOW_TWENTY
from voice.language.words import normalise

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_HOURS: Final = {word: number for number, word in enumerate(WORDS_BELOW_TWENTY) if 1 <= number <= 12}
_MINUTES: Final = {"fifteen": 15, "thirty": 30, "twenty": 20, "ten": 10, "five": 5}
_ORDINAL: Final = (
    r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth"
    r"|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|(?:twenty|thirty) (?:first|second|third|fourth|fifth|sixth"
    r"|seventh|eighth|ninth)|thirtieth|\d{1,2}(?:st|nd|rd|th))"
)
_HOUR: Final = r"(?P<hour>\d{1,2}|" + "|".join(sorted(_HOURS, key=len, reverse=True)) + ")"
_MINUTE: Final = r"(?: (?P<minute>\d{2}|forty five|fifteen|thirty|twenty|ten|oh five))?"
_HALF: Final = r"(?: ?(?P<half>a ?m|p ?m|o'?clock|in the (?:morning|afternoon|evening)))?"

_DAY: Final = re.compile(
    r"\b(?:(?P<next>next|this|coming) )?(?P<weekday>" + "|".join(_WEEKDAYS) + r")s?\b(?: the " + _ORDINAL + r")?"
    r"|\b(?P<near>the day after tomorrow|tomorrow|today|tonight|any day)\b"
    r"|\b(?P<month>" + "|".join(_MONTHS) + r") (?:the )?(?P<date>" + _ORDINAL + r")"
    r"|\b(?:on )?the (?P<ordinal>" + _ORDINAL + r")\b"
)
_PAST: Final = re.compile(r"\b(?P<shift>half past|quarter past|quarter to) " + _HOUR + r"\b" + _HALF)
_SURE: Final = re.compile(
    r"\b(?:at|around|about|by|say|maybe) " + _HOUR + _MINUTE + _HALF + r"(?![\w'])(?! (?:hundred|dollars))"
)
_CLOCK: Final = re.compile(r"\b" + _HOUR + _MINUTE + _HALF + r"(?![\w'])(?! (?:hundred|dollars))")
_NAMED: Final = re.compile(r"\b(noon|midday|midnight|any ?time)\b")
_ANY_TIME: Final = "any time"
_PART: Final = re.compile(r"\b(morning|afternoon|evening|tonight)\b")


@dataclass(frozen=True, slots=True)
class SpokenTime:
    """What was said of a time: `day` ("Friday"), `clock` ("3:30 PM", "noon") or `part` ("morning"); empty if not."""

    day: str = ""
    clock: str = ""
    part: str = ""

    @property
    def is_whole(self) -> bool:
        return bool(self.day and (self.clock or self.part))

    def __bool__(self) -> bool:
        return bool(self.day or self.clock or self.part)

    def __str__(self) -> str:
        if self.clock == _ANY_TIME and self.day:
            return f"{self.day}, {_ANY_TIME}"
        if self.clock:
            return f"{self.day} at {self.clock}" if self.day else self.clock
        return " ".join(filter(None, (self.day, self.part)))

    def filled(self, earlier: SpokenTime) -> SpokenTime:
        """This time, with what it leaves open taken from an earlier one."""
        has_hour = bool(self.clock or self.part)
        return SpokenTime(
            self.day or earlier.day,
            self.clock if has_hour else earlier.clock,
            self.part if has_hour else earlier.part,
        )


def spoken_time(text: str) -> SpokenTime:
    """The first day and the first time of day in `text`."""
    plain = normalise(re.sub(r"(?<=\d):(?=\d\d)", " ", text.lower().replace(".", "")))
    day, rest = _day(plain)
    part = _PART.search(rest)
    clock = _clock(rest, part[1] if part else "", is_alone=bool(day))
    return SpokenTime(day, clock, "" if clock or not part else part[1])


def _day(plain: str) -> tuple[str, str]:
    """The day, and the text without it (the ordinal of a date is no hour)."""
    found = _DAY.search(plain)
    if found is None:
        return "", plain
    rest = f"{plain[: found.start()]} ; {plain[found.end() :]}"
    if found["weekday"]:
        name = found["weekday"].capitalize()
        return (f"next {name}" if found["next"] == "next" else name), rest
    if found["near"]:
        return ("today", f"{rest} tonight") if found["near"] == "tonight" else (found["near"], rest)
    if found["month"]:
        return f"{found['month'].capitalize()} {found['date']}", rest
    return f"the {found['ordinal']}", rest


def _clock(plain: str, part: str, *, is_alone: bool) -> str:
    if named := _NAMED.search(plain):
        return _ANY_TIME if named[1].startswith("any") else {"midday": "noon"}.get(named[1], named[1])
    if past := _PAST.search(plain):
        hour = _number(past["hour"])
        shift = {"half past": (hour, 30), "quarter past": (hour, 15), "quarter to": ((hour - 2) % 12 + 1, 45)}
        return _written(*shift[past["shift"]], past["half"] or "", part)
    found = _SURE.search(plain) or _CLOCK.search(plain)
    if found is None:
        return ""
    is_sure = found.re is _SURE or found["minute"] or found["half"]
    if not is_sure and not is_alone and len(plain.split()) > 3:
        return ""  # a bare number among other words ("we have two dogs") is no time
    return _written(_number(found["hour"]), _minutes(found["minute"] or ""), found["half"] or "", part)


def _written(hour: int, minute: int, half: str, part: str) -> str:
    if not 0 < hour <= 23 or minute > 59:
        return ""
    half = half.replace(" ", "")
    if hour > 12:
        hour, half = hour - 12, "pm"
    is_afternoon = "pm" in half or "afternoon" in half or "evening" in half or part in ("afternoon", "evening", "tonight")
    is_morning = "am" in half or "morning" in half or part == "morning"
    if not is_morning and not is_afternoon:
        is_afternoon = hour == 12 or hour <= 7
    return f"{hour}{f':{minute:02}' if minute else ''} {'PM' if is_afternoon and not is_morning else 'AM'}"


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _HOURS[word]


def _minutes(words: str) -> int:
    if words.isdigit():
        return int(words)
    return {"forty five": 45, "oh five": 5}.get(words) or _MINUTES.get(words, 0)
