"""Walks through a replayed call in the terminal, decision by decision: what is typed goes in, lines come out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from voice.replay import Step, describe, describe_belief

HELP: Final = (
    "Enter or n: next · p: back · t 12.5: to that second · /word: next with this word",
    "d: next that differs · g: to the first · q: leave",
)


class Walk:
    """One place in a list of steps. `is_over` once somebody has had enough, or walked past the end."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.is_over = not steps
        self._steps = steps
        self._here = 0

    def show(self) -> list[str]:
        """The step we stand at."""
        step = self._steps[self._here]
        return [
            f"── {self._here + 1} of {len(self._steps)} ──",
            *describe(step),
            f"          believes: {describe_belief(step.belief, step.at)}",
        ]

    def obey(self, typed: str) -> list[str]:
        """Do what was typed; the lines to show for it."""
        word, _, rest = typed.strip().partition(" ")
        match word:
            case "" | "n":
                return self._go(self._here + 1)
            case "p":
                return self._go(max(0, self._here - 1))
            case "g":
                return self._go(0)
            case "d":
                return self._find(lambda step: step.differs, "nothing differs from here on")
            case "t":
                return self._to(rest)
            case "q":
                self.is_over = True
                return []
            case _ if word.startswith("/"):
                wanted = typed.strip()[1:].casefold()
                return self._find(lambda step: wanted in "\n".join(describe(step)).casefold(), "not found from here on")
            case _:
                return list(HELP)

    def _go(self, place: int) -> list[str]:
        if place >= len(self._steps):
            self.is_over = True
            return ["the end"]
        self._here = place
        return self.show()

    def _to(self, typed: str) -> list[str]:
        try:
            at = float(typed)
        except ValueError:
            return ["t and a number of seconds: t 12.5"]
        return self._go(next((number for number, step in enumerate(self._steps) if step.at >= at), len(self._steps) - 1))

    def _find(self, fits: Callable[[Step], bool], otherwise: str) -> list[str]:
        for number in range(self._here + 1, len(self._steps)):
            if fits(self._steps[number]):
                return self._go(number)
        return [otherwise]
