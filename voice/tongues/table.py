"""What has to be known of a language to hold a telephone conversation in it, whoever the mind is. Values only.

Words are written as `voice.phrases.plain` leaves them: small letters, no accents, no punctuation but apostrophes and
hyphens. Patterns are regular expressions over such text, each to be found at word boundaries; `leads` alone is looked for in
what we are about to say, as it is written.
"""

from __future__ import annotations

from dataclasses import dataclass

from voice.agent import Manners


def words(text: str) -> frozenset[str]:
    """A list of words that is easier to read as lines."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Sentences:
    """What an agent says in this language where its file gives no words of its own."""

    manners: Manners
    screener_says: str
    language_says: str


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language. An empty field is never met: nothing is then recognised by it, and nothing done."""

    code: str  # ISO 639-1
    common: frozenset[str]  # frequent, short, and in no other language here: what a language is told by
    asks_for: tuple[str, ...] = ()  # saying that one speaks this language, or not the other
    backchannels: frozenset[str] = frozenset()  # "go on", in a word
    backchannel_phrases: frozenset[str] = frozenset()
    trailing: frozenset[str] = frozenset()  # last words that promise another
    digits: frozenset[str] = frozenset()
    grave: tuple[str, ...] = ()  # a misfortune is told
    upset: tuple[str, ...] = ()  # a complaint: "okay" would belittle it
    parting: tuple[str, ...] = ()  # a goodbye: nothing is looked up for it
    before_asking: frozenset[str] = frozenset()  # what a question may be led in by
    asking: tuple[str, ...] = ()  # how a request begins
    leads: tuple[str, ...] = ()  # acknowledgements that a reply may begin with
    cheerful: tuple[str, ...] = ()  # not to be said before bad news
    screener: tuple[str, ...] = ()
    hold: tuple[str, ...] = ()
    fetching: tuple[str, ...] = ()  # somebody else is called to the telephone
    voicemail: tuple[str, ...] = ()
    sentences: Sentences | None = None
