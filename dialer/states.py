"""The states of the United States by name and by postal code (USPS Publication 28, appendix B), and nothing more."""

from __future__ import annotations

from typing import Final

_NAMES: Final = """
AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|DC District of Columbia
FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine
MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada
NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon
PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia
WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming|PR Puerto Rico|VI Virgin Islands|GU Guam|AS American Samoa
MP Northern Mariana Islands
"""
_CODE_BY_NAME: Final = {
    name.casefold(): code
    for code, name in (entry.split(" ", 1) for line in _NAMES.split("\n") for entry in line.split("|") if entry)
}
CODES: Final = frozenset(_CODE_BY_NAME.values())


def state_code(text: str) -> str | None:
    """The two-letter code for a state's code or name; "" for no text; None for anything else."""
    plain = " ".join(text.split()).rstrip(".")
    if not plain or plain.upper() in CODES:
        return plain.upper()
    return _CODE_BY_NAME.get(plain.casefold())
