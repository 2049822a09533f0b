"""What a string of digits means: a phone number one can ring, or the reason it is not. Decides nothing about *whether* to.

Never guesses: letters, extensions, premium and emergency numbers are refused by name, not repaired.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

import phonenumbers
from phonenumbers import PhoneNumberType, ValidationResult

# Regions where US calling law holds. Other +1 countries (Canada, the Caribbean) are foreign: other law, other prices.
US_REGIONS: Final = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})

LONGEST_TEXT: Final = 64
_EMERGENCY: Final = frozenset({"911", "112", "933", "988"})  # 933: 911 test line of VoIP carriers; 988: crisis lifeline
_EXTENSION: Final = re.compile(
    r"(?:;ext=|\b(?:ext|extn|extension|x)\b\.?:?|(?<=\d)\s*(?:ext|x)\.?|#|,|;)\s*\d+\s*$", re.IGNORECASE
)
_LETTER: Final = re.compile(r"[^\W\d_]")
_NANP: Final = re.compile(r"\+1([2-9](?!11)\d\d)([2-9](?!11)\d\d)(\d{4})", re.ASCII)
# 555-0100 to 555-0199 are set aside for fiction (ATIS-0300115): never assigned, so examples and tests can use them.
_FICTIONAL: Final = re.compile(r"\+1[2-9][0-8]\d55501\d\d", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class PhoneNumber:
    """A phone number in E.164. `str()` gives it in clear; `repr()`, which logs and tracebacks use, is masked."""

    e164: str

    def __str__(self) -> str:
        return self.e164

    def __repr__(self) -> str:
        return f"PhoneNumber({mask(self.e164)})"

    @property
    def area_code(self) -> str:
        """The three digits after +1; empty outside the North American plan."""
        return self.e164[2:5] if _NANP.fullmatch(self.e164) else ""

    @property
    def is_toll_free(self) -> bool:
        return phonenumbers.number_type(phonenumbers.parse(self.e164)) == PhoneNumberType.TOLL_FREE

    @property
    def is_fictional(self) -> bool:
        return _FICTIONAL.fullmatch(self.e164) is not None


@dataclass(frozen=True, slots=True)
class SipAddress:
    """A SIP URI that a carrier can dial, e.g. `sip:sales@example.com:5061;transport=tls`."""

    uri: str

    def __str__(self) -> str:
        return self.uri


@dataclass(frozen=True, slots=True)
class NumberRefused:
    """Why a text is not a number we can use. `code`: empty, too_long_text, letters, extension, emergency, service, premium,
    too_short, too_long, foreign, invalid, sip_malformed."""

    code: str
    why: str


Target: TypeAlias = PhoneNumber | SipAddress


def parse_number(text: str, region: str = "US", *, allow_foreign: bool = False) -> PhoneNumber | NumberRefused:
    """Read a phone number as people write it; without a country code it is of `region`.

    Numbers outside the US and its territories are refused as `foreign` unless `allow_foreign`.
    """
    text = text.strip().removeprefix("tel:").strip()
    refusal = _refuse_shape(text)
    if refusal is not None:
        return refusal
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        return _unparsable(error)
    return _judge(parsed, allow_foreign=allow_foreign)


def parse_target(text: str, region: str = "US", *, allow_foreign: bool = False) -> Target | NumberRefused:
    """Read something a call can be handed to: a phone number or a SIP address."""
    if text.strip().lower().startswith(("sip:", "sips:")):
        return _parse_sip(text.strip())
    return parse_number(text, region, allow_foreign=allow_foreign)


def mask(text: str) -> str:
    """The form in which a number may appear in logs: country and area, and the last digits.

    `+16145550123` becomes `+1614•••0123`; a SIP address keeps its host; what is neither shows nothing.
    """
    if not text:
        return ""
    if text.lower().startswith(("sip:", "sips:")):
        scheme, _, rest = text.partition(":")
        host = re.split(r"[;?]", rest.rpartition("@")[2])[0]
        return f"{scheme}:•••@{host}"
    if re.fullmatch(r"\+1\d{10}", text, re.ASCII):
        return f"{text[:5]}•••{text[-4:]}"
    if re.fullmatch(r"\+\d{7,15}", text, re.ASCII):
        return f"{text[:3]}•••{text[-2:]}"
    return "•••"


def _refuse_shape(text: str) -> NumberRefused | None:
    if not text:
        return NumberRefused("empty", "there is no number")
    if len(text) > LONGEST_TEXT:
        return NumberRefused("too_long_text", f"longer than {LONGEST_TEXT} characters")
    if _EXTENSION.search(text):
        return NumberRefused("extension", "has an extension; a carrier cannot dial it")
    if _LETTER.search(text):
        return NumberRefused("letters", "has letters in it")
    return _refuse_short_code(phonenumbers.normalize_digits_only(text))


def _refuse_short_code(digits: str) -> NumberRefused | None:
    """Three digits mean the same with or without a country code in front: nobody may make us ring 911 as `+1 911`."""
    core = digits.removeprefix("1") if len(digits) == 4 else digits
    if core in _EMERGENCY:
        return NumberRefused("emergency", "is an emergency number")
    if len(core) == 3 and core.endswith("11"):
        return NumberRefused("service", "is a service code")
    return None


def _unparsable(error: phonenumbers.NumberParseException) -> NumberRefused:
    kinds = {
        phonenumbers.NumberParseException.TOO_SHORT_NSN: ("too_short", "has too few digits"),
        phonenumbers.NumberParseException.TOO_SHORT_AFTER_IDD: ("too_short", "has too few digits"),
        phonenumbers.NumberParseException.TOO_LONG: ("too_long", "has too many digits"),
    }
    return NumberRefused(*kinds.get(error.error_type, ("invalid", "is not a phone number")))


def _judge(parsed: phonenumbers.PhoneNumber, *, allow_foreign: bool) -> PhoneNumber | NumberRefused:
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if possible in (ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY):
        return NumberRefused("too_short", "has too few digits, or lacks its area code")
    if possible == ValidationResult.TOO_LONG:
        return NumberRefused("too_long", "has too many digits")
    number = PhoneNumber(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    if _is_premium(parsed, number):
        return NumberRefused("premium", "is a premium-rate number")
    region = phonenumbers.region_code_for_number(parsed)
    if not allow_foreign and (parsed.country_code != 1 or (region is not None and region not in US_REGIONS)):
        # Toll-free +1 numbers belong to no one region; the library files them under the US.
        return NumberRefused("foreign", "is not a number of the United States")
    if not number.is_fictional and not phonenumbers.is_valid_number(parsed):
        return NumberRefused("invalid", "is not assigned, or not a number at all")
    return number


def _is_premium(parsed: phonenumbers.PhoneNumber, number: PhoneNumber) -> bool:
    nanp = _NANP.fullmatch(number.e164)
    # In many area codes the exchange 976 is pay-per-call; the library's data no longer says so.
    if nanp is not None and (nanp[1] == "900" or nanp[2] == "976"):
        return True
    return phonenumbers.number_type(parsed) in (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST)


_SIP: Final = re.compile(
    r"sips?:"
    r"(?:[\w\-.!~*'()&=+$,%]{1,128}@)?"  # RFC 3261 user part, without ';?/' which have no use here
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-.]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::\d{1,5})?"
    r"(?:;[\w\-.!~*'()%=+]+)*"
    r"(?:\?[\w\-.!~*'()%=+&:]+)?",
    re.ASCII | re.IGNORECASE,
)


def _parse_sip(text: str) -> SipAddress | NumberRefused:
    # Twilio limits all SIP headers in the URI to 1024 characters; we keep the whole URI under that.
    if len(text) > 1024 or not _SIP.fullmatch(text):
        return NumberRefused("sip_malformed", "is not a SIP address like sip:name@host")
    return SipAddress(text)
