"""Runs a journal through the conversation core again: the same events must lead to the same actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import msgspec

from voice.conversation import Conversation
from voice.events import SAMPLE_RATE, VoiceEvidence
from voice.journal import Entry, JournalHeader, plain, read, since


@dataclass(frozen=True, slots=True)
class Belief:
    """What the core held to be true once it had taken an event. `waits` are due in seconds since the first event."""

    phase: str = "ringing"
    caller: str = "quiet"
    agent: str = "silent"
    ending: float = 0.0  # probability that the caller's turn is over
    expected: str = ""  # the kind of answer that was asked for
    waits: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One event that led to something, now or then. `differs` when the core decided otherwise this time."""

    at: float  # seconds since the first event
    entry: Entry
    actions: list[Any]
    belief: Belief = Belief()
    broke: str = ""  # the core of now cannot take this event: what it said

    @property
    def differs(self) -> bool:
        return bool(self.broke) or self.actions != self.entry.actions

    @property
    def decides(self) -> bool:
        """Whether it did more than queue audio that was ordered before."""
        return self.differs or any(name != "Play" for name, _ in self.actions)


@dataclass(frozen=True, slots=True)
class Replay:
    events: int
    steps: tuple[Step, ...]
    differences: tuple[Step, ...]
    since: str = ""  # why an older journal's decisions may differ


def replay(path: Path) -> Replay:
    """Replay a whole journal. Raises JournalError."""
    events = 0
    steps = []
    header, entries = read(path)
    for step in retrace(header, entries):
        events += 1
        if step.actions or step.entry.actions or step.differs:
            steps.append(step)
    return Replay(events, tuple(steps), tuple(step for step in steps if step.differs), since(header.version))


def walk(path: Path) -> Iterator[Step]:
    """Step through a journal event by event. Raises JournalError."""
    header, entries = read(path)
    yield from retrace(header, entries)


def retrace(header: JournalHeader, entries: Iterator[Entry]) -> Iterator[Step]:
    """Step through entries that were read already. Raises JournalError.

    An event of then may be one that the core of now cannot take, because it never gave the order that it answers. That is
    a difference and told as one; the events after it pass unjudged, since the core's state means nothing any more.
    """
    conversation = header.conversation()
    belief, broke = Belief(), ""
    began: float | None = None
    for entry in entries:
        began = entry.now if began is None else began
        if broke:
            yield Step(entry.now - began, entry, entry.actions, belief)
            continue
        try:
            actions = [plain(action) for action in conversation.handle(entry.event, entry.now)]
        except Exception as error:
            broke = f"{type(error).__name__}: {error}"
            yield Step(entry.now - began, entry, [], belief, broke)
            continue
        belief = _belief(conversation, began)
        yield Step(entry.now - began, entry, msgspec.json.decode(msgspec.json.encode(actions)), belief)


def _belief(conversation: Conversation, began: float) -> Belief:
    floor = conversation.floor
    return Belief(
        phase=conversation.phase.name.lower(),
        caller=floor.caller.name.lower(),
        agent=floor.agent.name.lower(),
        ending=floor.ending,
        expected=floor.expected.value if floor.expected is not None else "",
        waits=tuple((wait.value, due - began) for wait, due in conversation.waits.items()),
    )


# --- in words ---------------------------------------------------------------------------------------------------------


def listing(steps: Iterable[Step]) -> Iterator[str]:
    """Steps in lines for people; those that only queue audio of a voice as it arrives are told together."""
    pieces: list[Step] = []
    for step in steps:
        if step.decides:
            yield from _pieces(pieces)
            pieces = []
            yield from describe(step)
        else:
            pieces.append(step)
    yield from _pieces(pieces)


def _pieces(steps: Sequence[Step]) -> Iterator[str]:
    if steps:
        seconds = sum(values["audio"] for step in steps for _, values in step.actions) / SAMPLE_RATE
        pieces = f", in {len(steps)} pieces until {steps[-1].at:.3f}" if len(steps) > 1 else ""
        yield f"{steps[0].at:8.3f}      ♪ {seconds:.2f} s of our voice queued{pieces}"


def describe(step: Step) -> Iterator[str]:
    """A step in lines for people: what happened, and what was decided."""
    yield f"{step.at:8.3f}  {cause_of(step)}"
    told = step.actions if step.differs else [action for action in step.actions if not _is_echo(action)]
    for line in _orders(told):
        yield f"{step.at:8.3f}      → {line}"
    if step.broke:
        yield f"{step.at:8.3f}      ✗ cannot be taken now: {step.broke}"
    if step.differs:
        for line in _orders(step.entry.actions):
            yield f"{step.at:8.3f}      ≠ then: {line}"


def _orders(actions: Iterable[Any]) -> Iterator[str]:
    """Orders in lines, pieces of audio in a row as one."""
    for name, group in groupby(actions, key=lambda action: action[0]):
        same = list(group)
        if name == "Play" and len(same) > 1:
            samples = sum(values["audio"] for _, values in same)
            yield f"Play {samples / SAMPLE_RATE * 1000:.0f} ms in {len(same)} pieces"
        else:
            yield from map(brief, same)


def _is_echo(action: Sequence[Any]) -> bool:
    """Whether the event has told it already."""
    name, values = action
    return bool(name == "Note" and values.get("kind") == "caller_interim")


def cause_of(step: Step) -> str:
    """The event of a step, in a line."""
    event = step.entry.event
    if not isinstance(event, VoiceEvidence):
        return brief(plain(event))
    return f"the sound at {event.position / SAMPLE_RATE:.2f} s: speech {event.speech:.0%}, {event.level:.0f} dBFS"


def describe_belief(belief: Belief, at: float) -> str:
    """What the core believes, in a line; waits in seconds from `at`."""
    parts = [belief.phase, f"caller {belief.caller}", f"agent {belief.agent}"]
    if belief.ending >= 0.01:
        parts.append(f"turn over {belief.ending:.0%}")
    if belief.expected:
        parts.append(f"asked: {belief.expected}")
    parts += [f"{name} in {due - at:.1f} s" for name, due in sorted(belief.waits, key=lambda wait: wait[1])]
    return " · ".join(parts)


_UNTOLD: Final = frozenset({"messages", "words", "marks", "phrases", "features", "key"})
_PLAIN: Final[tuple[object, ...]] = (None, "", 0, 0.0, False, [], {})  # what goes without saying,
_SAID: Final = ("ok", "segment")  # but for these


def brief(thing: Sequence[Any]) -> str:
    """An event or action as written, in one line."""
    name, values = thing
    worthy = {key: value for key, value in values.items() if key not in _UNTOLD and (value not in _PLAIN or key in _SAID)}
    told = [f"{key}={_value(value)}" for key, value in worthy.items()]
    if name == "Note":
        detail = ", ".join(f"{key} {value}" for key, value in values.get("detail", ()))
        return f"Note [{values.get('kind')}] {values.get('text')}" + (f" ({detail})" if detail else "")
    if name in ("SpeechArrived", "Play"):
        told = [part for part in told if not part.startswith("audio=")] + [f"{values.get('audio', 0) / 8:.0f} ms"]
    return " ".join([name, *told])


def _value(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"' if " " in value and '"' not in value else value
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
