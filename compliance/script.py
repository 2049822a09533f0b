"""What an agent's fixed words must hold before a single call is made with them, and what words say what. Pure.

The gate judges this with every call (`Errand.unmet`): a script that cannot meet a duty of the call holds the campaign until
somebody mends it. What was really said, and when, is measured from the audio afterwards (`compliance.disclosure`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from compliance.record import Unmet
from compliance.rules.schema import AreaCodeFile

_OFFERS: Final = re.compile(
    r"\b(say|press|reply|text)\b.{0,40}\b(stop|9|nine)\b|\bstop\b.{0,40}\bcall"
    r"|\b(diga|marque|oprima|presione)\b.{0,40}\b(alto|pare|parar|basta|9|nueve)\b",
    re.IGNORECASE,
)
_SAYS_AI: Final = re.compile(
    r"\b(AI|A\.I\.|artificial|automated|robot|virtual|IA|inteligencia artificial|automatizad[ao])\b", re.IGNORECASE
)
_SAYS_RECORDED: Final = re.compile(r"\brecord(ed|ing)?\b|\bgrab(ada|ando|aci[oó]n)\b", re.IGNORECASE)
_DIGITS: Final = re.compile(r"(?:\d[\s,.\-()]*){10,11}")
_TOLL_FREE: Final = re.compile(r"8(00|33|44|55|66|77|88)")  # NANPA: in service; 822 and 880-887, 889 are not yet
_WORDS_IN_TWO_SECONDS: Final = 6  # at 180 words a minute


def offers_opt_out(text: str) -> bool:
    """Whether these words tell how to get no more calls (47 CFR 64.1200(b)(3): with brief explanatory instructions)."""
    return _OFFERS.search(text) is not None


def says_ai(text: str) -> bool:
    return _SAYS_AI.search(text) is not None


def says_recorded(text: str) -> bool:
    return _SAYS_RECORDED.search(text) is not None


def tells_number(text: str) -> bool:
    """Whether a telephone number is told in these words, however its digits are spaced."""
    return bool(_numbers(text))


def tells_toll_free(text: str) -> bool:
    return any(_TOLL_FREE.match(digits) is not None for digits in _numbers(text))


def _numbers(text: str) -> list[str]:
    """The last ten digits of every number that is told."""
    return [re.sub(r"\D", "", found)[-10:] for found in _DIGITS.findall(text)]


@dataclass(frozen=True, slots=True)
class Script:
    """The fixed words of an agent, blanks filled with its own names. `voicemail` is empty when none is left."""

    seller: str
    opening: str
    goodbye: str
    callback_number: str
    voicemail: str = ""


@lru_cache(maxsize=256)
def shortcomings(script: Script, areas: AreaCodeFile | None) -> tuple[Unmet, ...]:
    """Every duty (by its kind in the rule book) that these words cannot meet, and why."""
    return tuple(Unmet(duty, why) for duty, why in _wrong(script, areas))


def _wrong(script: Script, areas: AreaCodeFile | None) -> Iterator[tuple[str, str]]:
    seller, opening = script.seller.casefold(), script.opening.casefold()
    if seller not in opening:
        yield "identify", f"The opening does not name {script.seller}."
    elif script.voicemail and seller not in script.voicemail.casefold():
        yield "identify", f"The voicemail does not name {script.seller}."
    if why := _wrong_offer(script, opening.partition(seller)[2]):
        yield "opt_out", why
    if why := _wrong_callback(script, areas):
        yield "callback_number", why
    if script.voicemail and not tells_toll_free(script.voicemail):
        yield "voicemail_number", "The voicemail gives no toll-free number."
    if not says_ai(script.opening):
        yield "disclose_ai", "The opening does not say that an AI speaks."
    if not says_recorded(script.opening):
        yield "disclose_recording", "The opening does not say that the call is recorded."


def _wrong_offer(script: Script, after_name: str) -> str:
    if not offers_opt_out(script.opening):
        return "The opening does not say how to get no more calls."
    found = _OFFERS.search(after_name)
    if found is not None and len(after_name[: found.start()].split()) > _WORDS_IN_TWO_SECONDS:
        return "Between the seller's name and the offer of the opt-out the opening says more than two seconds hold."
    return ""


def _wrong_callback(script: Script, areas: AreaCodeFile | None) -> str:
    number = script.callback_number
    if not number:
        return "The agent has no callback_number."
    if not re.fullmatch(r"\+1[2-9]\d{9}", number):
        return "The callback_number is no number in the United States."
    if areas is not None and int(number[2:5]) in areas.premium:
        return "The callback_number costs its caller money: a 900 number may not be given."
    if not any(number[-10:] in _numbers(words) for words in (script.opening, script.goodbye)):
        return "Neither the opening nor the goodbye tells the callback_number: write {callback_number} into one of them."
    return ""
