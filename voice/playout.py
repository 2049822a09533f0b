"""The playout ledger: what was queued for the caller, and what of it reached the ear. Pure.

Positions here are *outgoing* samples (8 kHz) since the call began, counted as queued. A mark carries its reply and its
position in its name and is placed behind each word. The trap this file exists for: Twilio's `clear` also returns the marks
of the audio it threw away (Media Streams, WebSocket messages, "Send a clear message"), so a returned mark means *heard*
only while it is still queued in this ledger.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from voice.events import SAMPLE_RATE, ReplyId, Word

MARK_EVERY = int(0.25 * SAMPLE_RATE)  # samples; for voices that tell no word times


@dataclass(slots=True)
class Segment:
    """One segment's place in the outgoing stream. `ends` holds each word's last sample, known or estimated."""

    reply: ReplyId
    number: int
    text: str
    start: int
    length: int = 0
    is_complete: bool = False
    is_told: bool = False  # that it sounds, or that it never will
    words: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)


class Playout:
    """What was sent and what was heard, to the word."""

    def __init__(self) -> None:
        self.queued = 0  # outgoing position of the end of all audio ever queued
        self.heard = 0  # outgoing position up to which the caller has certainly heard
        self._segments: list[Segment] = []
        self._marks: deque[tuple[str, int]] = deque()

    @property
    def is_playing(self) -> bool:
        """Whether audio is queued that has not been heard yet."""
        return bool(self._marks)

    @property
    def remaining(self) -> float:
        """Seconds of audio queued and not known to be heard: an upper bound of how long we will still be audible."""
        return (self.queued - self.heard) / SAMPLE_RATE if self._marks else 0.0

    def is_open(self, reply: ReplyId, number: int) -> bool:
        """Whether some of this segment's audio has been queued."""
        return self._find(reply, number) is not None

    def open(self, reply: ReplyId, number: int, text: str) -> None:
        """A segment's audio will follow what is queued now."""
        self._segments.append(Segment(reply, number, text, self.queued))

    def queue(self, reply: ReplyId, number: int, length: int, words: tuple[Word, ...]) -> tuple[tuple[int, str], ...]:
        """Account for `length` samples of an open segment; return the marks to place, as (offset in this audio, name)."""
        segment = self._find(reply, number)
        assert segment is not None, f"segment {reply}/{number} was never opened"
        offsets: list[int] = []
        for word in words:
            end = min(length, max(1, round(word.end * SAMPLE_RATE)))
            segment.words.append(word.text)
            segment.ends.append(self.queued + end)
            offsets.append(end)
        if not words:
            offsets.extend(range(MARK_EVERY, length, MARK_EVERY))
        if length and (not offsets or offsets[-1] < length):
            offsets.append(length)
        marks = tuple((offset, f"{reply}/{self.queued + offset}") for offset in sorted(set(offsets)))
        self._marks.extend((name, self.queued + offset) for offset, name in marks)
        self.queued += length
        segment.length += length
        return marks

    def complete(self, reply: ReplyId, number: int) -> None:
        """All audio of the segment is queued. Without word times they are estimated, in proportion to letters."""
        segment = self._find(reply, number)
        if segment is None:  # it had no audio at all
            return
        segment.is_complete = True
        if segment.ends or not segment.length:
            return
        segment.words = segment.text.split()
        letters = [len(word) + 1 for word in segment.words]
        total, so_far = sum(letters) or 1, 0
        for count in letters:
            so_far += count
            segment.ends.append(segment.start + segment.length * so_far // total)

    def begun(self) -> list[str]:
        """The texts of the segments that have begun to sound since this was last asked."""
        texts: list[str] = []
        for segment in self._segments:
            is_next = not self._marks or self._marks[0][1] > segment.start  # nothing before it is still unheard
            if segment.length and not segment.is_told and is_next:
                segment.is_told = True
                texts.append(segment.text)
        return texts

    def returned(self, name: str) -> bool:
        """A mark came back. True if it means that audio was heard; False for one of cleared or unknown audio."""
        if not any(name == queued for queued, _ in self._marks):
            return False
        while True:  # marks return in order: an earlier one still queued was lost on the way, not unplayed
            queued, position = self._marks.popleft()
            self.heard = position
            if queued == name:
                break
        return True

    def cut(self) -> None:
        """Everything queued and not heard is thrown away; its marks mean nothing when they come back."""
        self._marks.clear()
        for segment in self._segments:
            segment.is_complete = True
            segment.is_told = True

    def heard_text(self, reply: ReplyId) -> str:
        """What the caller heard of a reply, to the word."""
        parts: list[str] = []
        for segment in self._segments:
            if segment.reply != reply or not segment.length:
                continue
            if segment.is_complete and self.heard >= segment.start + segment.length:
                parts.append(segment.text)
                continue
            count = sum(1 for end in segment.ends if end <= self.heard)
            parts.append(_first_words(segment, count))
        return " ".join(part for part in parts if part)

    def _find(self, reply: ReplyId, number: int) -> Segment | None:
        ours = (segment for segment in reversed(self._segments) if segment.reply == reply and segment.number == number)
        return next(ours, None)


def _first_words(segment: Segment, count: int) -> str:
    """The first `count` spoken words, in the written text's own spelling where the two agree in number."""
    written = segment.text.split()
    if len(written) == len(segment.words):
        return " ".join(written[:count])
    return " ".join(segment.words[:count])
