"""The playout ledger: what was queued for the caller, and what of it reached the ear. Pure.

Positions here are *outgoing* samples (8 kHz) since the call began, counted as first queued: audio that is sent again keeps
its positions. A mark carries its reply and its position in its name, and which sending it belongs to, and is placed behind
each word. The trap this file exists for: Twilio's `clear` also returns the marks of the audio it threw away (Media Streams,
WebSocket messages, "Send a clear message"), so a returned mark means *heard* only while it is still queued in this ledger.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from telephony.audio import decode
from voice.events import SAMPLE_RATE, ReplyId, Word

MARK_EVERY = int(0.25 * SAMPLE_RATE)  # samples; for voices that tell no word times
KEPT = 3 * SAMPLE_RATE  # samples of heard audio that may yet be said again
CLAUSE = int(
    1.5 * SAMPLE_RATE
)  # samples that may be said again so as to begin where a clause does; more sounds like a stutter

_STRETCH: Final = 80  # samples (10 ms): shorter than any silence that is one
_AUDIBLE: Final = 330  # 16-bit amplitude (-40 dBFS) under which a voice is silent
_IS_LOUD: Final = bytes(abs(int(sample)) > _AUDIBLE for sample in decode(bytes(range(256))))
_USUAL_PACE: Final = 5.5  # stretches of sound a letter: fourteen letters a second and a fifth of it silence


@dataclass(slots=True)
class Segment:
    """One segment's place in the outgoing stream. `ends` holds each word's last sample, known or estimated."""

    reply: ReplyId
    number: int
    text: str
    start: int
    length: int = 0
    is_complete: bool = False
    is_whole: bool = False  # it may have to be said again from its beginning
    words: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    sounding: list[int] = field(default_factory=list)  # where its audio is not silence: the ends of such stretches of 10 ms


class Playout:
    """What was sent and what was heard, to the word."""

    def __init__(self) -> None:
        self.queued = 0  # outgoing position of the end of all audio ever queued
        self.heard = 0  # outgoing position up to which the caller has certainly heard
        self.strays = 0  # marks that came back twice, or for no audio of ours
        self._segments: list[Segment] = []
        self._untold: list[Segment] = []  # those that have not begun to sound, and may
        self._marks: deque[tuple[str, int]] = deque()
        self._audio: deque[tuple[int, bytes]] = deque()  # with the position of its first sample
        self._places: deque[tuple[int, ReplyId]] = deque()  # where marks belong in it
        self._thrown: set[str] = set()  # marks of audio that was thrown away, not yet back
        self._sending = 0  # how often audio was sent again
        self._pace = _USUAL_PACE  # stretches of sound a letter, of the last segment that told no word times

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

    def made(self, reply: ReplyId, number: int) -> float:
        """Seconds of audio there are of this segment."""
        segment = self._find(reply, number)
        return segment.length / SAMPLE_RATE if segment is not None else 0.0

    def open(self, reply: ReplyId, number: int, text: str, *, is_whole: bool = False) -> None:
        """A segment's audio will follow what is queued now. `is_whole`: all of it is kept until all of it was heard."""
        segment = Segment(reply, number, text, self.queued, is_whole=is_whole)
        self._segments.append(segment)
        self._untold.append(segment)

    def queue(self, reply: ReplyId, number: int, audio: bytes, words: tuple[Word, ...]) -> tuple[tuple[int, str], ...]:
        """Account for audio of an open segment; return the marks to place, as (offset in this audio, name)."""
        segment = self._find(reply, number)
        assert segment is not None, f"segment {reply}/{number} was never opened"
        length = len(audio)
        offsets: list[int] = []
        for word in words:
            end = min(length, max(1, round(word.end * SAMPLE_RATE), *offsets[-1:]))  # times may run backwards
            segment.words.append(word.text)
            segment.ends.append(self.queued + end)
            offsets.append(end)
        if not words:
            segment.sounding += (self.queued + end for end in _sounding(audio))
            offsets.extend(range(MARK_EVERY, length, MARK_EVERY))
        if length and (not offsets or offsets[-1] < length):
            offsets.append(length)
        places = [(self.queued + offset, reply) for offset in sorted(set(offsets))]
        marks = self._place(places, self.queued)
        self._audio.append((self.queued, audio))
        self._places.extend(places)
        self.queued += length
        segment.length += length
        return marks

    def send_again(self, position: int) -> tuple[bytes, tuple[tuple[int, str], ...]]:
        """Everything from `position` on, with marks of its own; those of the sending before mean nothing any more."""
        self._sending += 1
        self._throw_marks()
        parts = [audio[max(0, position - start) :] for start, audio in self._audio if start + len(audio) > position]
        return b"".join(parts), self._place([place for place in self._places if place[0] > position], position)

    def _place(self, places: list[tuple[int, ReplyId]], start: int) -> tuple[tuple[int, str], ...]:
        marks: list[tuple[int, str]] = []
        for position, reply in places:
            name = f"{reply}/{position}/{self._sending}" if self._sending else f"{reply}/{position}"
            self._marks.append((name, position))
            marks.append((position - start, name))
        return tuple(marks)

    def complete(self, reply: ReplyId, number: int) -> None:
        """All audio of the segment is queued. Where the voice tells no word times they are estimated."""
        segment = self._find(reply, number)
        if segment is None:  # it had no audio at all
            return
        segment.is_complete = True
        if segment.ends or not segment.length:
            return
        self._pace = (len(segment.sounding) or segment.length / _STRETCH) / max(1, _letters(segment.text.split()))
        self._estimate(segment)

    def _estimate(self, segment: Segment) -> None:
        """Words take as long as they have letters, of the time in which something sounds: on voices of four kinds one word
        off at the 95th percentile, where letters over all of the time are two off, and syllables no better than letters."""
        so_far, sounds = 0, segment.sounding or range(segment.start + _STRETCH, segment.start + segment.length + 1, _STRETCH)
        for word in segment.text.split():
            so_far += _letters([word])
            stretch = max(0, round(so_far * self._pace) - 1)
            if stretch >= len(sounds) and not segment.is_complete:
                return
            segment.words.append(word)
            segment.ends.append(sounds[min(stretch, len(sounds) - 1)] if sounds else segment.start + segment.length)

    def begun(self) -> list[str]:
        """The texts of the segments that have begun to sound since this was last asked."""
        if not self._untold:
            return []
        following = self._marks[0][1] if self._marks else self.queued + 1  # what lies before it has been heard
        begun = [segment for segment in self._untold if segment.length and segment.start < following]
        self._untold = [segment for segment in self._untold if not segment.length or segment.start >= following]
        return [segment.text for segment in begun]

    def returned(self, name: str) -> bool:
        """A mark came back. True if it means that audio was heard; False for one of cleared or unknown audio."""
        if not any(name == queued for queued, _ in self._marks):
            self.strays += name not in self._thrown
            self._thrown.discard(name)
            return False
        while True:  # marks return in order: an earlier one still queued was lost on the way, not unplayed
            queued, position = self._marks.popleft()
            self.heard = max(self.heard, position)
            if queued == name:
                break
        self._forget(self._needed_from())
        return True

    def hold(self, position: int) -> None:
        """The carrier's buffer was emptied when the ear was at `position`; what was not heard may yet be sent again."""
        self.heard = max(self.heard, position)
        self._throw_marks()

    def cut(self, position: int) -> None:
        """Everything queued and not heard, up to `position`, is thrown away; its marks mean nothing when they come back."""
        self.hold(position)
        self._forget(self.queued)
        for segment in self._segments:
            if not segment.is_complete and not segment.ends and segment.length:
                self._estimate(segment)  # by the pace of those before it
            segment.is_complete = True
        self._untold.clear()

    def begins_at(self, position: int) -> int:
        """Where the segment begins that was cut at `position`: for words that must be heard whole."""
        segment = next((each for each in self._segments if each.start <= position < each.start + each.length), None)
        return position if segment is None else max(segment.start, self._kept_from)

    def rewind(self, position: int) -> None:
        """What follows `position` is said again, and is not heard before its receipts say so."""
        self.heard = min(self.heard, position)

    def _needed_from(self) -> int:
        """Before this nothing will be sent again."""
        needed = self.heard - KEPT
        for segment in reversed(self._segments):
            if segment.is_complete and segment.start + segment.length <= self.heard:
                break
            if segment.is_whole:
                needed = min(needed, segment.start)
        return needed

    def _throw_marks(self) -> None:
        self._thrown |= {name for name, _ in self._marks}
        self._marks.clear()

    def _forget(self, position: int) -> None:
        while self._audio and self._audio[0][0] + len(self._audio[0][1]) <= position:
            self._audio.popleft()
        while self._places and self._places[0][0] <= position:
            self._places.popleft()

    def resumes_at(self, position: int, most: int = CLAUSE) -> int:
        """Where to go on after having been stopped at `position`: at the beginning of the clause if that lies no more than
        `most` samples back, else with the word that was cut. Nobody goes on in the middle of a word, and few people in the
        middle of a thought."""
        segment = next((each for each in self._segments if each.start <= position < each.start + each.length), None)
        if segment is None or not segment.ends:
            return position
        starts = [segment.start, *segment.ends[:-1]]
        cut = sum(1 for end in segment.ends if end <= position)
        if cut == len(starts):
            return position  # in the silence behind the last word
        words = _spelled(segment)
        begins = cut
        while begins > 0 and not words[begins - 1].endswith(_CLAUSE_ENDS):
            begins -= 1
        return max(starts[begins] if position - starts[begins] <= most else starts[cut], self._kept_from)

    @property
    def _kept_from(self) -> int:
        return self._audio[0][0] if self._audio else self.queued

    def is_heard(self, reply: ReplyId, number: int) -> bool:
        """Whether all of a segment was heard."""
        segment = self._find(reply, number)
        return segment is not None and segment.is_complete and 0 < segment.length <= self.heard - segment.start

    def is_told(self, reply: ReplyId, position: int) -> bool:
        """Whether something of this reply's own lies before `position`; a word in between (below zero) is none of it."""
        return any(each.reply == reply and each.number >= 0 and each.start < position for each in self._segments)

    def is_asking(self, reply: ReplyId) -> bool:
        """Whether a question of this reply has begun to sound: then a "yes" may be its answer."""
        ours = (segment for segment in self._segments if segment.reply == reply and segment.start < self.heard)
        return any(segment.text.endswith("?") for segment in ours)

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


def _sounding(audio: bytes) -> Iterator[int]:
    """The ends of the stretches of 10 ms in which a voice is heard."""
    loud = audio.translate(_IS_LOUD)
    return (start + _STRETCH for start in range(0, len(loud), _STRETCH) if b"\1" in loud[start : start + _STRETCH])


def _letters(words: Sequence[str]) -> int:
    return sum(len(word) + 1 for word in words)


_CLAUSE_ENDS = (",", ";", ":", ".", "!", "?", "–", "—")


def _spelled(segment: Segment) -> list[str]:
    """The spoken words, in the written text's own spelling where the two agree in number."""
    written = segment.text.split()
    return written if len(written) == len(segment.words) else segment.words


def _first_words(segment: Segment, count: int) -> str:
    return " ".join(_spelled(segment)[:count])
