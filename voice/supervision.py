"""A supervisor's orders, kept until we may speak: words to be said, and whom to connect the caller to. Pure."""

from __future__ import annotations


class Supervision:
    """What has been ordered and is not done yet."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._to = ""

    @property
    def is_waiting(self) -> bool:
        return bool(self._words or self._to)

    def dictate(self, text: str) -> None:
        """To be said instead of words of the mind's."""
        self._words.append(text)

    def connect(self, to: str) -> None:
        self._to = to

    def take_hand_over(self) -> str:
        """Whom to connect the caller to; empty for nobody. A hand-over makes dictated words needless."""
        to, self._to = self._to, ""
        if to:
            self._words.clear()
        return to

    def take_words(self) -> str:
        """Everything that is to be said."""
        words = " ".join(self._words)
        self._words.clear()
        return words
