"""Which piece of its reply each mark stands in, by the call's own journal: what a carrier's record of marks cannot tell."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from voice.events import SpeechArrived
from voice.journal import Entry, read


def segments_of(journal: Path) -> dict[str, int]:
    """The segment of every mark, by its name without the number of a second sending; a word in between has a negative one.
    Marks of a draft that was spoken before it was wanted are left out: nothing but content is drafted.

    Raises `JournalError`.
    """
    _, entries = read(journal)
    return marked(entries)


def marked(entries: Iterable[Entry]) -> dict[str, int]:
    """The same of entries that were read already."""
    return {
        place_of(str(name)): entry.event.segment
        for entry in entries
        if isinstance(entry.event, SpeechArrived)
        for order, fields in entry.actions
        if order == "Play"
        for _, name in fields["marks"]
    }


def place_of(mark: str) -> str:
    """`<reply>/<position>` of a mark that may carry the number of its sending."""
    return "/".join(mark.split("/")[:2])
