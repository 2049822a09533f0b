"""Orders and events as a journal holds them: a name and fields. Read leniently, for the picture of a call must not depend on
every field of every order being what it is in this version. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Order:
    """One order the core gave."""

    name: str
    fields: Mapping[str, object]

    def text(self, key: str) -> str:
        """A text; empty where there is none."""
        value = self.fields.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> float:
        """A number; 0 where there is none."""
        value = self.fields.get(key)
        return float(value) if isinstance(value, int | float) else 0.0

    def whole(self, key: str) -> int:
        return int(self.number(key))

    def is_set(self, key: str) -> bool:
        return self.fields.get(key) is True

    def pairs(self, key: str) -> tuple[tuple[object, object], ...]:
        """A list of pairs; what is not a pair is left out."""
        value = self.fields.get(key)
        found = value if isinstance(value, list) else []
        return tuple((pair[0], pair[1]) for pair in found if isinstance(pair, list) and len(pair) == 2)


def orders(actions: Sequence[Any]) -> tuple[Order, ...]:
    """The orders among what a journal line holds as actions; what is none is left out."""
    return tuple(
        Order(action[0], action[1])
        for action in actions
        if isinstance(action, list) and len(action) == 2 and isinstance(action[0], str) and isinstance(action[1], dict)
    )
