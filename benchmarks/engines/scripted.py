"""Ears, mind and mouth with published delays, the same for every engine under test. Standard library alone.

The ears hear by loudness and know from the call's script what was said; the mind gives the script's replies in turn; the
mouth speaks recorded speech. None of them computes anything worth measuring: what is left is the engine.
"""

from __future__ import annotations

import json
import math
import random
from array import array
from base64 import b64decode
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Final

RATE: Final = 8000  # samples a second, one byte each (mu-law)
FRAME: Final = 160
INTERIM_EVERY: Final = 0.26  # seconds of speech between interims
PIECE: Final = 3200  # samples of one piece of speech: 0.4 s
BETWEEN_PIECES: Final = 0.03  # seconds: thirteen times real time
TOKENS_AT_ONCE: Final = 2
_Z95: Final = 1.6448536269514722  # the standard normal's 95th percentile
_LOUD: Final = 0.007  # peak that a frame of speech has and line noise (-50 dBFS) has not: about -43 dBFS


UNTIMED: Final = (
    "elevenlabs_untimed"  # the vendor's name among the addresses, where some calls have a voice without word times
)


def is_untimed(script: str, seed: int) -> bool:
    """Whether a caller's agent speaks with the voice that has no word times, in a run that has both: four callers in a row
    have it and four have not, since every fourth has an echo, or noise, and the next round has them the other way round."""
    number = script.rpartition("-")[2]
    return number.isdigit() and (int(number) // 4 + seed) % 2 == 0


def mouth_of(vendors: Mapping[str, str], script: str, seed: int) -> str:
    """Where the mouth of a call is, among the vendors' addresses."""
    return vendors[UNTIMED if UNTIMED in vendors and is_untimed(script, seed) else "elevenlabs"]


def _loudness_table() -> bytes:
    """mu-law byte -> 1 if it is loud. One translation finds speech in a frame at the cost of a copy."""
    table = bytearray(256)
    for code in range(256):
        inverted = code ^ 0xFF
        magnitude = ((((inverted & 15) << 3) + 132) << ((inverted >> 4) & 7)) - 132
        table[code] = int(magnitude / 32768 > _LOUD)
    return bytes(table)


def _pcm_table() -> list[int]:
    table = []
    for code in range(256):
        inverted = code ^ 0xFF
        magnitude = ((((inverted & 15) << 3) + 132) << ((inverted >> 4) & 7)) - 132
        table.append(-magnitude if inverted & 0x80 else magnitude)
    return table


_IS_LOUD: Final = _loudness_table()
_PCM: Final = _pcm_table()
_ENOUGH: Final = 12  # loud samples in 20 ms that make it speech


@dataclass(frozen=True, slots=True)
class Delay:
    """Log-normal seconds, by median and 95th percentile; equal ones make a constant."""

    p50: float
    p95: float

    def draw(self, rng: random.Random) -> float:
        if self.p95 <= self.p50:
            return self.p50
        return self.p50 * math.exp(rng.gauss(0.0, math.log(self.p95 / self.p50) / _Z95))


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow the parts are. `final`: from the end of speech; `token`: to the first; `audio`: to the first of a segment."""

    name: str
    final: Delay
    token: Delay
    audio: Delay
    tokens_per_second: float = 100.0


PACES: Final = {
    "fixed": Pace("fixed", Delay(0.150, 0.150), Delay(0.300, 0.300), Delay(0.075, 0.075)),
    # Deepgram nova-3's measured 247/298 ms (pipecat stt-benchmark); a small fast model; ElevenLabs flash, 150-200 ms
    "published": Pace("published", Delay(0.260, 0.330), Delay(0.500, 1.100), Delay(0.180, 0.330)),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One sound of a caller's script: its words (none for a cough) and its length in seconds."""

    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Script:
    """What one caller will say, and what they are answered. `voiced`: dBFS from which on a sound is the caller's own, and
    neither their room nor an echo."""

    parts: tuple[Part, ...]
    replies: tuple[str, ...]
    voiced: float = -46.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """Recorded speech: mu-law, and its words as (text, start, end) in seconds."""

    audio: bytes = field(repr=False)
    words: tuple[tuple[str, float, float], ...] = ()


class Bank:
    """All scripts and all speech of a run, from one file that the harness wrote."""

    def __init__(self, path: Path) -> None:
        content = json.loads(path.read_text())
        self.opening: str = content["opening"]
        self.scripts: dict[str, Script] = {
            name: Script(
                tuple(Part(*part) for part in script["parts"]), tuple(script["replies"]), script.get("voiced", -46.0)
            )
            for name, script in content["scripts"].items()
        }
        self.speech = {
            text: Spoken(b64decode(spoken["audio"]), tuple((w, s, e) for w, s, e in spoken["words"]))
            for text, spoken in content["speech"].items()
        }

        self._found: dict[str, Spoken] = {}  # for texts that were recorded only in parts

    def script(self, name: str) -> Script:
        """A caller that says nothing of a script gets the first."""
        return self.scripts.get(name) or next(iter(self.scripts.values()))

    def say(self, text: str) -> Spoken:
        """Speech for a text. An engine may cut or join sentences as it likes: runs of known words are found within it."""
        text = text.strip()
        known = self.speech.get(text) or self._found.get(text)
        if known is None:  # looked for once: it takes milliseconds, and the same sentences come again and again
            known = self._found[text] = self._find(text)
        return known

    def _find(self, text: str) -> Spoken:
        words, found = text.split(), []
        while words:
            count, spoken = self._longest(words)
            found.append(spoken)
            words = words[count:]
        return _joined(found) if found else _hum("")

    def _longest(self, words: list[str]) -> tuple[int, Spoken]:
        """How many of the first words are known in a row, and that speech; a hum for one that nobody has recorded."""
        best = Spoken(b"")
        for spoken in self.speech.values():
            texts = [word.lower() for word, _, _ in spoken.words]
            for start in range(len(texts)):
                pairs = zip(texts[start:], words, strict=False)
                count = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1].lower(), pairs))
                best = _cut(spoken, start, count) if count > len(best.words) else best
        return (len(best.words), best) if best.words else (1, _hum(words[0]))


def _cut(spoken: Spoken, start: int, count: int) -> Spoken:
    """Some words of a sentence, with the silence that follows them."""
    words = spoken.words[start : start + count]
    following = spoken.words[start + count :]
    begins = int(words[0][1] * RATE) if start else 0
    ends = int(following[0][1] * RATE) if following else len(spoken.audio)
    at = begins / RATE
    return Spoken(spoken.audio[begins:ends], tuple((word, begun - at, ended - at) for word, begun, ended in words))


def _joined(pieces: list[Spoken]) -> Spoken:
    words: list[tuple[str, float, float]] = []
    at = 0.0
    for piece in pieces:
        words += [(word, start + at, end + at) for word, start, end in piece.words]
        at += len(piece.audio) / RATE
    return Spoken(b"".join(piece.audio for piece in pieces), tuple(words))


def _hum(text: str) -> Spoken:
    """A tone of 0.3 s a word: for texts nobody recorded."""
    tone = bytes([0x9A] * 10 + [0x1A] * 10) * (int(0.25 * RATE) // 20) + b"\xff" * int(0.05 * RATE)
    words = text.split()
    return Spoken(tone * len(words), tuple((word, 0.3 * n, 0.3 * n + 0.25) for n, word in enumerate(words)))


@dataclass(frozen=True, slots=True)
class Words:
    """What the ears have: an interim replaces the one before it."""

    text: str
    is_final: bool


class Listener:
    """The ears of one call. Driven by the audio alone, so that it needs no timer: 20 ms in, words out. Pure."""

    def __init__(self, script: Script, pace: Pace, rng: random.Random) -> None:
        self._parts = deque(script.parts)
        self._pace, self._rng = pace, rng
        self._rest = b""
        self._voiced = 0.0  # seconds of the present utterance
        self._silence = 0.0
        self._final_at = 0.0  # seconds of silence after which the final comes
        self._told_at = 0.0
        self.received = 0  # samples ever heard
        self.utterances: list[tuple[int, float]] = []  # when each began (samples) and how long it was (seconds)
        self._began = 0

    @property
    def is_hearing(self) -> bool:
        return self._voiced > 0

    def hear(self, audio: bytes) -> list[Words]:
        if not self._rest and len(audio) == FRAME:
            return self._frame(audio)
        data = self._rest + audio
        told: list[Words] = []
        whole = len(data) // FRAME * FRAME
        for start in range(0, whole, FRAME):
            told += self._frame(data[start : start + FRAME])
        self._rest = data[whole:]
        return told

    def finish(self) -> list[Words]:
        """The engine wants the final now: it comes when it would have come, or an empty one if there is nothing to come."""
        if not self._voiced:
            return [Words("", True)]
        return [] if self._silence else [self._close()]

    def _frame(self, frame: bytes) -> list[Words]:
        return self.step(is_loud=frame[::2].translate(_IS_LOUD).count(1) * 2 >= _ENOUGH)

    def step(self, *, is_loud: bool) -> list[Words]:
        """20 ms that were loud or not: for engines whose audio is not mu-law any more when it gets here."""
        self.received += FRAME
        if is_loud:
            return self._loud()
        if not self._voiced:
            return []
        self._silence += FRAME / RATE
        return [self._close()] if self._silence >= self._final_at else []

    def _loud(self) -> list[Words]:
        if not self._voiced:
            self._began = self.received - FRAME
            self._told_at = 0.0
            self._final_at = self._pace.final.draw(self._rng)
        self._voiced += FRAME / RATE + self._silence
        self._silence = 0.0
        if self._voiced - self._told_at < INTERIM_EVERY:
            return []
        self._told_at = self._voiced
        text = " ".join(self._so_far())
        return [Words(text, False)] if text else []

    def _so_far(self) -> list[str]:
        if not self._parts:
            return []
        part = self._parts[0]
        words = part.text.split()
        return words[: int(len(words) * min(1.0, max(0.0, self._voiced - self._pace.final.p50) / part.seconds))]

    def _close(self) -> Words:
        self.utterances.append((self._began, round(self._voiced, 3)))
        rest = self._voiced
        text: list[str] = []
        while self._parts and (not text or rest > 0.5 * self._parts[0].seconds):
            part = self._parts.popleft()
            rest -= part.seconds
            text.append(part.text)
            if rest <= 0:
                break
        self._voiced = self._silence = 0.0
        return Words(" ".join(filter(None, text)), True)


def is_loud_pcm(frame: bytes) -> bool:
    """The same question of 20 ms of 16-bit PCM at 8 kHz, little-endian."""
    if 2 * len(frame[1::4].translate(None, b"\x00\xff")) >= _ENOUGH:  # by their upper bytes alone: beyond 255 either way
        return True
    samples = memoryview(frame).cast("h")[::2].tolist()
    limit = int(_LOUD * 32768)
    if max(samples) <= limit and min(samples) >= -limit:
        return False
    return 2 * sum(1 for sample in samples if sample > limit or sample < -limit) >= _ENOUGH


@lru_cache(maxsize=256)
def to_pcm(ulaw: bytes) -> bytes:
    """mu-law as 16-bit PCM; remembered, since the same speech is said again and again."""
    return array("h", [_PCM[code] for code in ulaw]).tobytes()


def tokens(text: str) -> Iterator[str]:
    """A reply in the pieces a model streams: `TOKENS_AT_ONCE` words each."""
    words = text.split(" ")
    for start in range(0, len(words), TOKENS_AT_ONCE):
        yield " ".join(words[start : start + TOKENS_AT_ONCE]) + " "


def overlapping(spoken: Spoken) -> Iterator[Spoken]:
    """Speech in the same pieces, with every word that sounds in each: one that is not over goes on in the next."""
    for start in range(0, len(spoken.audio), PIECE):
        began, ended = start / RATE, min(start + PIECE, len(spoken.audio)) / RATE
        words = tuple((w, s - began, e - began) for w, s, e in spoken.words if s < ended and e > began)
        yield Spoken(spoken.audio[start : start + PIECE], words)


def pieces(spoken: Spoken) -> Iterator[Spoken]:
    """Speech in the pieces a voice streams, with the words that end in each, timed from its start."""
    for start in range(0, len(spoken.audio), PIECE):
        began, ended = start / RATE, (start + PIECE) / RATE
        words = tuple((w, max(0.0, s - began), e - began) for w, s, e in spoken.words if began < e <= ended)
        yield Spoken(spoken.audio[start : start + PIECE], words)
