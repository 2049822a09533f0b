"""One caller turn while it grows: its words, final and interim, and when it began and ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from voice.events import Transcribed
from voice.phrases import normalise


@dataclass(slots=True)
class CallerTurn:
    """Times are `now` (monotonic seconds). `is_waiting`: final words were asked for and have not come."""

    started_at: float | None = None
    ended_at: float = 0.0
    why: str = ""
    is_waiting: bool = False
    is_outdated: bool = False  # the voice went on since they were asked for
    is_over: bool = False
    is_late: bool = False  # its final words should have come long ago
    interim: str = ""
    changed_at: float = 0.0
    final_at: float = 0.0  # when the last final came
    final_until: float = 0.0  # seconds of caller audio up to which the finals' words reach, where they tell
    heard_until: float | None = None  # seconds of caller audio up to which the interim's words reach, where it tells
    language: str = ""  # the recogniser's opinion, where it has one
    finals: list[str] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(part for part in (*self.finals, self.interim) if part)

    @property
    def confidence(self) -> float | None:
        """The weakest final's: a turn is no surer than its worst part."""
        return min(self.confidences, default=None)

    def is_revised_by(self, text: str) -> bool:
        """Whether a final says again, or longer, or shorter, what the last one said."""
        said = self.finals[-1] if self.finals else self.interim
        if not said or not text:
            return False
        before, after = normalise(said), normalise(text)
        return before.startswith(after) or after.startswith(before)

    def begins(self, now: float) -> None:
        """The caller speaks; a turn that has begun goes on."""
        if self.started_at is None:
            self.started_at = now

    def hears(self, event: Transcribed, now: float = 0.0) -> None:
        before = self.text
        self.language = event.language or self.language
        self._hears(event)
        self.final_at = now if event.is_final else self.final_at
        if self.text != before:
            self.changed_at = now

    def _hears(self, event: Transcribed) -> None:
        if not event.is_final:
            self.interim = event.text
            self.heard_until = event.words[-1].end if event.words else None
            return
        if not self.is_outdated or normalise(event.text).startswith(normalise(self.interim)):
            self.interim = ""  # else words that were said since it was asked for: another final will have them
        self.is_waiting = False
        if event.text:
            self.finals.append(event.text)
        if event.words:
            self.final_until = event.words[-1].end
        if event.confidence is not None:
            self.confidences.append(event.confidence)

    def continues(self, earlier: CallerTurn) -> None:
        """The caller went on: what seemed a turn of its own was the first part of this one."""
        self.started_at = earlier.started_at
        self.finals[:0] = [earlier.text] if earlier.text else []
        self.confidences[:0] = earlier.confidences
