from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from context.calls import Call, CallRecord, CallState
from context.facts import Fact, make_fact
from context.transcript import Speaker, Turn

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PERSON = "+13125550142"


@pytest.fixture
def at() -> Callable[[float], datetime]:
    """An instant so many minutes after noon."""
    return lambda minutes: NOON + timedelta(minutes=minutes)


@pytest.fixture
def told() -> Callable[..., Fact]:
    """A fact about the person: `told(3, "text", key=..., value=...)` was learned three minutes after noon."""

    def make(minutes: float, text: str, source: str = "operator", **rest: str) -> Fact:
        return make_fact(text, source, NOON + timedelta(minutes=minutes), **{"number": PERSON, **rest})  # type: ignore[arg-type]

    return make


@pytest.fixture
def talk() -> Callable[..., tuple[Turn, ...]]:
    """Turns from lines like "c: hello" (the caller) and "a: good day" (the agent), two seconds each."""

    def make(*lines: str) -> tuple[Turn, ...]:
        sides = {"c": Speaker.CALLER, "a": Speaker.AGENT}
        return tuple(Turn(sides[line[0]], line[3:], 2.0 * place, 2.0 * place + 1.5) for place, line in enumerate(lines))

    return make


@pytest.fixture
def record() -> Callable[..., CallRecord]:
    """A finished, answered call of 72 seconds; `call` changes the call, the rest is what it left behind."""

    def make(*, call: dict[str, object] | None = None, **rest: object) -> CallRecord:
        values: dict[str, object] = {
            "id": "call-1",
            "direction": "outbound",
            "from_number": "+13125550100",
            "to_number": PERSON,
            "person": PERSON,
            "started_at": NOON,
            "answered_at": NOON + timedelta(seconds=8),
            "ended_at": NOON + timedelta(seconds=80),
            "state": CallState.ENDED,
            "disposition": "answered",
            "answered_by": "human",
        }
        return CallRecord(Call(**values | (call or {})), **rest)  # type: ignore[arg-type]

    return make
