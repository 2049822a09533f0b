"""A fact: one thing we know, about a person, a campaign, or in general; where from and since when. Pure values.

A fact is never changed: a newer value of the same `key` about the same person supersedes it, and the history keeps both.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NewType
from uuid import UUID, uuid5

from context.briefing import KnownFact

FactId = NewType("FactId", str)  # a UUID, made from what the fact says, so that learning twice learns once

OPERATOR: Final = "operator"
LONGEST: Final = 2000  # characters of a fact's text: a paragraph. Longer texts drown the search and the prompt.

_PARAGRAPHS: Final = re.compile(r"\r?\n\s*\n")
_NAMESPACE: Final = UUID("6a4f1a5c-1d0e-5c0b-9f6b-0ff400c0fac7")


@dataclass(frozen=True, slots=True)
class Fact:
    """`number` is whom it is about ("" for nobody in particular), `campaign_id` where it holds ("" everywhere).

    `key` names a playbook slot and `value` what fills it; both are "" for free text. Build one with `make_fact`.
    """

    id: FactId
    text: str
    source: str  # "operator", "call CA..."
    at: datetime
    number: str = ""
    campaign_id: str = ""
    key: str = ""
    value: str = ""
    call_id: str | None = None

    def known(self, score: float = 0.0) -> KnownFact:
        """As a briefing tells it."""
        return KnownFact(self.text, self.source, self.at, self.key, self.value, score)


@dataclass(frozen=True, slots=True)
class Scope:
    """Who is asking: facts about `number` or about nobody, of `campaign_id` or of all campaigns, are visible."""

    number: str = ""
    campaign_id: str = ""

    def sees(self, fact: Fact) -> bool:
        return fact.number in ("", self.number) and fact.campaign_id in ("", self.campaign_id)


@dataclass(frozen=True, slots=True)
class Hit:
    fact: Fact
    score: float


def make_fact(
    text: str,
    source: str,
    at: datetime,
    *,
    number: str = "",
    campaign_id: str = "",
    key: str = "",
    value: str = "",
    call_id: str | None = None,
) -> Fact:
    """A fact with its id. White space is folded and the text cut at `LONGEST`. Raises `ValueError` for an empty one."""
    text, value = tidy(text), tidy(value)
    if not text:
        raise ValueError("a fact needs words")
    if at.tzinfo is None:
        raise ValueError("a fact needs an instant with a zone")
    said = "\x1f".join((source, number, campaign_id, key, text, value, at.isoformat()))
    fact_id = FactId(str(uuid5(_NAMESPACE, said)))
    return Fact(fact_id, text, source, at, number, campaign_id, key, value, call_id)


def operator_facts(
    text: str, at: datetime, *, number: str = "", campaign_id: str = "", key: str = "", value: str = ""
) -> tuple[Fact, ...]:
    """What an operator writes, a fact for each paragraph; one that fills a slot is not split. Nothing is cut off."""
    parts = [text] if key else [part for paragraph in _PARAGRAPHS.split(text) for part in _pieces(tidy_long(paragraph))]
    return tuple(
        make_fact(part, OPERATOR, at, number=number, campaign_id=campaign_id, key=key, value=value) for part in parts if part
    )


def _pieces(paragraph: str) -> list[str]:
    """A paragraph in pieces of at most `LONGEST`, cut between words."""
    return textwrap.wrap(paragraph, LONGEST, break_on_hyphens=False)


def tidy(text: str) -> str:
    """One line of printable text. What callers say ends up in a prompt: it must not be able to look like its structure."""
    return tidy_long(text[: 2 * LONGEST])[:LONGEST].rstrip()


def tidy_long(text: str) -> str:
    """`tidy` without a limit, for what comes from the operator."""
    return " ".join("".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text).split())


def gist(text: str) -> str:
    """Two texts with the same gist say the same: letters and digits, case folded."""
    return " ".join("".join(char if char.isalnum() else " " for char in text.casefold()).split())
