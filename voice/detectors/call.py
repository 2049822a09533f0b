"""One call's place among the detectors: what came in, what we played, and what its pauses sound like.

`CallDetectors` fits `ports.VoiceActivity`: it cuts windows and hands them to the pool, which judges those of all calls at
once and asks each call only for what is rare: is this our own voice, how did the last seconds sound, now that it pauses?
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from telephony.audio import SILENCE, Floats, floats
from voice.detectors import prosody
from voice.detectors.echo import LONGEST, STRETCH, EchoGuard
from voice.detectors.pauses import ASK_AT, CUES_AT, WINDOW
from voice.detectors.smart_turn import HEARD, Answer, TurnJudge
from voice.events import SAMPLE_RATE, ToneHeard, VoiceEvidence

Found = VoiceEvidence | ToneHeard
Features = tuple[tuple[str, float], ...]

_KEEP_SENT: Final = 4 * SAMPLE_RATE  # bytes: the longest delay, the longest stretch, and what is sent ahead of its time
_SEARCH_EVERY: Final = 4  # windows
_HEARD_WINDOWS: Final = -(-max(HEARD, prosody.MEMORY) // WINDOW)


class Queue(Protocol):
    """Where windows wait to be judged."""

    def put(self, call: CallDetectors, window: bytes) -> None:
        """Never blocks."""


class Sent:
    """The last seconds of what we sent, mu-law, addressed by samples since the line opened."""

    def __init__(self) -> None:
        self.end = 0
        self._pieces: deque[tuple[int, bytes]] = deque()  # without silence; each with the place of its first sample

    def write(self, audio: bytes, now: int) -> None:
        """Append audio; where nothing was sent until `now`, there was silence."""
        self.end = max(self.end, now) + len(audio)
        kept = audio[-_KEEP_SENT:]
        self._pieces.append((self.end - len(kept), kept))
        while len(self._pieces) > 1 and self._pieces[1][0] <= self.end - _KEEP_SENT:
            self._pieces.popleft()

    def until(self, position: int, length: int) -> Floats:
        """The `length` samples before `position`; silence where there is nothing (yet, or any more)."""
        first = position - length
        found = bytearray(SILENCE * length)
        for begins, audio in self._pieces:
            cut = audio[max(0, first - begins) : max(0, position - begins)]
            if cut:
                place = max(0, begins - first)
                found[place : place + len(cut)] = cut
        return floats(found)

    def forget_after(self, position: int) -> None:
        """What was to come after `position` will not come."""
        while self._pieces and self._pieces[-1][0] >= position:
            self._pieces.pop()
        if self._pieces:
            begins, audio = self._pieces[-1]
            self._pieces[-1] = (begins, audio[: position - begins])
        self.end = min(self.end, max(position, 0))


class CallDetectors:
    """The detectors of one call, on one row of the pool."""

    def __init__(self, queue: Queue, row: int, judge: TurnJudge | None = None) -> None:
        self.row = row
        self.tell: Callable[[Found], None] = _nobody
        self.position = 0  # samples judged
        self.sounds_until = 0  # samples: until then what we sent may come back
        self.answer: Answer | None = None  # of the turn model, outstanding
        self.is_fresh = True  # nothing of it has been judged
        self.is_over = False  # nobody wants to know any more
        self._queue = queue
        self._judge = judge
        self._pending = b""
        self._fed = 0  # samples
        self._heard: deque[bytes] = deque(maxlen=_HEARD_WINDOWS)
        self._sent = Sent()
        self._guard = EchoGuard()
        self._levels: prosody.Levels | None = None  # of the pause that was listened to last

    # --- the session's side ---

    def begin(self, tell: Callable[[Found], None]) -> None:
        """Hand what is found from now on to `tell`."""
        self.tell = tell

    def feed(self, audio: bytes) -> None:
        """Take caller audio (mu-law, any length, in order)."""
        self._fed += len(audio)
        pending = self._pending + audio
        while len(pending) >= WINDOW:
            self._queue.put(self, pending[:WINDOW])
            pending = pending[WINDOW:]
        self._pending = pending

    def played(self, audio: bytes) -> None:
        """Take audio as it leaves for the caller's ear, ahead of its time or not. What is not told of is silence."""
        if audio:
            self._sent.write(audio, self._fed)
            self.sounds_until = self._sent.end + LONGEST

    def cleared(self) -> None:
        """What was sent and not yet heard was thrown away."""
        self._sent.forget_after(self._fed)
        self.sounds_until = min(self.sounds_until, self._fed + LONGEST)

    def end(self) -> None:
        """The call is over: what waits is not judged, and nobody is told."""
        self.is_over = True
        self.tell = _nobody

    # --- the pool's side ---

    @property
    def behind(self) -> int:
        """Samples that have come and are not judged."""
        return self._fed - self.position

    def take(self, window: bytes) -> int:
        """The window that is judged now; its end in samples."""
        self._heard.append(window)
        self.position += WINDOW
        return self.position

    def echo(self, speech: float) -> float:
        """The probability that this window, in which something was sent or not long before, is our own voice."""
        may_search = self.position // WINDOW % _SEARCH_EVERY == 0 and speech > 0.15
        if self._guard.delay is None and not may_search:
            return 0.0
        sent = self._sent.until(self.position, STRETCH + LONGEST)
        return self._guard.judge(self._last(STRETCH), sent, WINDOW, may_search=may_search)

    def listen(self, rest: int, began: int, ended: int, room: float) -> Features:
        """What the pause that is `rest` windows old, after speech from `began` to `ended`, has to tell."""
        if rest == ASK_AT:
            if self._judge is not None:
                self.answer = self._judge.ask(self._last(min(self.position, HEARD)))
            return ()
        if rest == CUES_AT or self._levels is None:
            return _named(self._cues(began, ended, room))
        self._levels.go_on(self._last(self.position - self._levels.goes_on_at))
        return _named({"breath": self._levels.breath(ended)})

    def _cues(self, began: int, ended: int, room: float) -> dict[str, float]:
        samples = self._last(min(self.position, prosody.MEMORY))
        first = self.position - len(samples)
        self._levels = prosody.Levels(samples, self.position)
        return prosody.at_pause(samples, max(0, began - first), ended - first, room, self._levels.found)

    def answered(self, *, is_voiced: bool) -> Features:
        """What the turn model says, once it has; nobody wants to know any more when the voice went on."""
        assert self.answer is not None
        if is_voiced:
            self.answer = None
        if self.answer is None or not self.answer.done():
            return ()
        answer, self.answer = self.answer, None
        return (("complete", round(answer.result(), 4)),)

    def _last(self, length: int) -> Floats:
        """The last samples judged; silence came before everything."""
        heard = b"".join(self._heard)[-length:]
        return floats(SILENCE * (length - len(heard)) + heard)


def _named(cues: dict[str, float]) -> Features:
    return tuple((name, round(value, 4)) for name, value in cues.items())


def _nobody(_: Found) -> None:
    """A call that nobody listens to yet."""
