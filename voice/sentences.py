"""Cuts what the mind writes into segments the mouth can speak: whole sentences, as soon as one is complete. Pure."""

from __future__ import annotations

import re
from typing import Final

# A sentence ends at one of these, when white space follows; a digit or an abbreviation before a full stop is no end.
_END: Final = re.compile(r"[.!?…][\"')\]]*(?=\s)|\n")
# The first words may be spoken before their sentence is written, from where nobody hears the seam: a clause, long enough for
# the next one to be ready when it ends.
_CLAUSE: Final = re.compile(r"[,;:–—](?=\s)")
_SPEAKABLE: Final = 10  # letters: about 0.7 s, twice what a slow voice takes to begin
_ABBREVIATION: Final = re.compile(r"(?:\b(?:mr|mrs|ms|dr|st|no|vs|etc|inc|co|[ap]\.m|e\.g|i\.e|[a-z]))\.$", re.IGNORECASE)


class SentenceSplitter:
    """Feed text as it streams; take out every sentence that is certain to be complete."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> list[str]:
        """The sentences completed by `text`, without surrounding space."""
        self._rest += text
        done: list[str] = []
        start = 0
        for match in _END.finditer(self._rest):
            if _ABBREVIATION.search(self._rest[start : match.end()]):
                continue
            sentence = self._rest[start : match.end()].strip()
            start = match.end()
            if sentence:
                done.append(sentence)
        self._rest = self._rest[start:]
        return done

    def first_clause(self) -> list[str]:
        """The first clause of what is left, if it is complete and long enough to be spoken by itself."""
        for match in _CLAUSE.finditer(self._rest):
            clause = self._rest[: match.end()].strip()
            if len(clause) > _SPEAKABLE:
                self._rest = self._rest[match.end() :]
                return [clause]
        return []

    def flush(self) -> list[str]:
        """What is left when the writing has ended: it is a sentence whether it looks like one or not."""
        rest, self._rest = self._rest.strip(), ""
        return [rest] if rest else []
