"""When a call said what the law wants said, from its journal: by the marks of the audio that was really played.

A sentence is shown when its first audio sounds, that is when the mark before it has come back; so one sentence ends where
the next begins. What a sentence says is told by its words: the seller's name, "recorded", "press 9".
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from compliance.disclosure import (
    AI_DISCLOSED,
    CALLBACK_GIVEN,
    ENDED,
    FIRST_AUDIO,
    IDENTIFIED,
    OPT_OUT_ASKED,
    OPT_OUT_OFFERED,
    RECORDING_DISCLOSED,
    TOLL_FREE_GIVEN,
)
from compliance.script import offers_opt_out, says_ai, says_recorded, tells_number, tells_toll_free
from voice.errors import JournalError
from voice.events import LegEnded, MediaStarted
from voice.journal import Entry, read


def said_in(path: Path, seller: str) -> dict[str, float]:
    """Seconds from the answer by name (`compliance.disclosure`); empty when the journal cannot be read."""
    try:
        _, entries = read(path)
        return said_when(list(entries), seller)
    except JournalError:
        return {}


def said_when(entries: Iterable[Entry], seller: str) -> dict[str, float]:
    """As `said_in`, of entries already read. Sentences that never began to sound are not in them."""
    sentences: list[tuple[float, str]] = []
    found: dict[str, float] = {}
    start = last = 0.0
    for entry in entries:
        if isinstance(entry.event, MediaStarted):
            start = entry.now
        last = entry.now - start
        if isinstance(entry.event, LegEnded):
            found.setdefault(ENDED, last)
        for name, values in entry.actions:
            if name == "Note" and values.get("kind") == "agent":
                sentences.append((last, str(values.get("text", ""))))
            elif _is_opt_out(name, values):
                found.setdefault(OPT_OUT_ASKED, last)
    found.setdefault(ENDED, last)
    return found | _told(sentences, seller, found[ENDED])


def _is_opt_out(name: str, values: dict[str, Any]) -> bool:
    return name == "RunTool" and values.get("name") == "opt_out"


def _told(sentences: list[tuple[float, str]], seller: str, end: float) -> dict[str, float]:
    """The first sentence that says each thing: the offer counts from its beginning, everything else from its end."""
    found: dict[str, float] = {FIRST_AUDIO: sentences[0][0]} if sentences else {}
    for place, (begun, text) in enumerate(sentences):
        over = sentences[place + 1][0] if place + 1 < len(sentences) else end
        if seller and seller.lower() in text.lower():
            found.setdefault(IDENTIFIED, over)
        if says_ai(text):
            found.setdefault(AI_DISCLOSED, over)
        if says_recorded(text):
            found.setdefault(RECORDING_DISCLOSED, over)
        if offers_opt_out(text):
            found.setdefault(OPT_OUT_OFFERED, begun)
        if tells_number(text):
            found.setdefault(CALLBACK_GIVEN, over)
        if tells_toll_free(text):
            found.setdefault(TOLL_FREE_GIVEN, over)
    return found
