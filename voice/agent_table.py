"""One table of an agent file being read: every key is asked for once, by its kind; a wrong value is named with its cure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from voice.errors import AgentFileError

_Choice = TypeVar("_Choice", bound=StrEnum)


class Table:
    """One TOML table being read: every key is asked for once, and what nobody asked for is refused by `end`."""

    def __init__(self, file: str, field: str, content: Mapping[str, object]) -> None:
        self._file, self._field, self._content = file, field, content
        self._read: set[str] = set()

    def problem(self, code: str, key: str, what: str) -> AgentFileError:
        return AgentFileError(code, f"{self._file}: {self._name(key)}: {what}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._take(key, default)
        if not isinstance(value, str):
            raise self.problem("wrong_type", key, 'must be text: put it in "quotes"')
        if default is None and not value.strip():
            raise self.problem("empty", key, "must not be empty: write what is to be said or meant")
        return value.strip()

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = self._take(key, list(default))
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            raise self.problem("wrong_type", key, 'must be a list of texts: ["like this", "and this"]')
        return tuple(item.strip() for item in value)

    def seconds(self, key: str, default: float, least: float = 0.5) -> float:
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.problem("wrong_type", key, "must be a number of seconds")
        if not least <= value <= 86_400:
            raise self.problem("bad_value", key, f"{value} seconds makes no sense: give between {least:g} and 86400")
        return float(value)

    def dollars(self, key: str) -> Decimal | None:
        value = self._take(key, 0)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.problem("wrong_type", key, "must be a number of dollars")
        if not 0 <= value <= 10_000:
            raise self.problem("bad_value", key, f"{value} dollars makes no sense: give between 0 (no limit) and 10000")
        return Decimal(str(value)) or None

    def choice(self, key: str, kinds: type[_Choice], default: _Choice | None = None) -> _Choice:
        value = self.text(key, None if default is None else str(default))
        try:
            return kinds(value)
        except ValueError:
            raise self.problem("bad_value", key, f"{value!r} is not one of: {', '.join(kinds)}") from None

    def table(self, key: str) -> Table:
        value = self._take(key, {})
        if not isinstance(value, dict):
            raise self.problem("wrong_type", key, f"must be a table: write [{key}]")
        return Table(self._file, self._name(key), value)

    def tables(self, key: str) -> Iterator[Table]:
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.problem("wrong_type", key, f"must be a list of tables: write [[{key}]] before each")
        for number, item in enumerate(value, 1):
            yield Table(self._file, self._name(f"{key}[{number}]"), item)

    def mapping(self, key: str) -> dict[str, str]:
        table = self.table(key)
        return {name: table.text(name) for name in table._content}

    def end(self) -> None:
        """Refuse what was not asked for: a misspelt key would otherwise be obeyed by nobody."""
        for key in self._content:
            if key not in self._read:
                known = ", ".join(sorted(self._read))
                raise self.problem("unknown_key", key, f"is not a key here; the keys are: {known}")

    def _take(self, key: str, default: object) -> object:
        self._read.add(key)
        if key in self._content:
            return self._content[key]
        if default is None:
            raise self.problem("missing", key, "is missing: add it")
        return default

    def _name(self, key: str) -> str:
        return f"{self._field}.{key}" if self._field else key
