"""A supervisor's orders, kept until we may speak: words to be said, and whom to connect the caller to. Pure."""

from __future__ import annotations

from voice.actions import Note
from voice.course import Course
from voice.memory import Memory
from voice.wishes import HandOver, Say, Step


class Supervision:
    """What has been ordered and is not done yet. `course` and `memory` are the call's."""

    def __init__(self, course: Course, memory: Memory) -> None:
        self._course = course
        self._memory = memory
        self._words: list[str] = []
        self._to = ""

    @property
    def is_waiting(self) -> bool:
        return bool(self._words or self._to)

    def says(self, text: str, *, is_free: bool) -> list[Step]:
        """Now, if that interrupts nobody but our own mind (`is_free`); else as soon as the caller, or the law's text, is
        through."""
        if not self._is_heeded:
            return [Note("decision", "not said for the supervisor: the call is ending")]
        self._words.append(text)
        note = Note("decision", "a supervisor speaks through the agent")
        return [note, *self.obey()] if is_free else [note]

    def transfers(self, to: str, *, is_free: bool) -> list[Step]:
        """A person has decided: done whatever the mind was about to say, but not in the middle of the law's text."""
        if not self._is_heeded:
            return [Note("decision", "not transferred for the supervisor: the call is ending")]
        self._to = to
        note = Note("decision", "a supervisor hands the caller over")
        return [note, *self.obey()] if is_free else [note]

    def whispers(self, text: str) -> list[Step]:
        """Kept for the mind's next reply: nothing that is being said or heard changes."""
        if not self._course.is_talking:
            return []
        self._memory.happened(f"a supervisor tells you, unheard by the caller: {' '.join(text.split())}")
        return [Note("decision", "a supervisor whispers to the agent")]

    def obey(self) -> list[Step]:
        """Carry out what was ordered; a hand-over makes dictated words needless."""
        to, self._to = self._to, ""
        words = " ".join(self._words)
        self._words.clear()
        return [HandOver(to) if to else Say(words)]

    @property
    def _is_heeded(self) -> bool:
        return self._course.is_talking and self._course.ending is None
