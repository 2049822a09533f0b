"""What an engine believes, against what was: its memory of each reply, the caller's first words, its own account of how long
the caller waited. Pure. Times in seconds, positions in samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.callers.scenario import sentences
from benchmarks.heard import HeardSentence, believed_count
from telephony.audio import SAMPLE_RATE

_WORN_OFF: Final = 0.06  # seconds of a word's ends that are too soft for the ears' sense of loudness


@dataclass(frozen=True, slots=True)
class Claims:
    """What the engine's own metrics say: how long the caller waited each time, and for which part of it."""

    waits: tuple[float, ...] = ()
    stages: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


NO_CLAIMS: Final = Claims()


@dataclass(frozen=True, slots=True)
class Believed:
    """What is known of a call on the engine's side: the agent's turns as it remembers them, what arrived of the caller's
    speech as (first sample, seconds) for each utterance, and its own metrics."""

    agent: tuple[str, ...] | None = None  # None: nobody knows
    utterances: tuple[tuple[int, float], ...] | None = None  # None: nobody knows
    claims: Claims = NO_CLAIMS


def memory_errors(
    heard: Sequence[HeardSentence], replies: Sequence[str], memory: Sequence[str]
) -> Iterator[tuple[bool, float]]:
    """Of each reply that was heard: whether it was cut, and by how many words the engine's memory differs from it."""
    counts: dict[str, int] = {}
    for each in heard:
        counts[each.text] = max(counts.get(each.text, 0), each.reached)
    for reply in replies:
        parts = sentences(reply)
        reached = sum(counts.get(part, 0) for part in parts)
        whole = sum(len(part.split()) for part in parts)
        if reached:
            yield reached < whole, float(abs(believed_count(reply, memory) - reached))


def lost_start(length: float, believed: Believed) -> float | None:
    """Seconds of the caller's first line that never reached the ears; None where nobody knows."""
    if believed.utterances is None:
        return None
    heard = believed.utterances[0][1] if believed.utterances else 0.0
    return max(0.0, length - heard - _WORN_OFF)


# --- from notes -------------------------------------------------------------------------------------------------------


def believed_of(notes: Sequence[Mapping[str, object]]) -> dict[str, Believed]:
    """What an engine noted, by call."""
    found = {}
    for note in notes:
        sid, agent, utterances = note.get("call_sid"), note.get("believed"), note.get("utterances")
        if isinstance(sid, str) and isinstance(agent, list):
            heard = tuple((int(at), float(length)) for at, length in utterances) if isinstance(utterances, list) else ()
            found[sid] = Believed(tuple(str(each[0]) for each in agent), heard or None, _claims(note))
    return found


def _claims(note: Mapping[str, object]) -> Claims:
    waits, stages = note.get("claimed"), note.get("stages")
    return Claims(
        tuple(float(each) for each in waits) if isinstance(waits, list) else (),
        {str(name): tuple(map(float, values)) for name, values in stages.items()} if isinstance(stages, dict) else {},
    )


def arrived_of(notes: Sequence[Mapping[str, object]]) -> dict[str, tuple[tuple[int, float], ...]]:
    """What the vendors noted, by script: what arrived of the caller's first line, if anything did. Of several sockets for
    one call the one that received most speaks."""
    found: dict[str, tuple[tuple[int, float], ...]] = {}
    longest: dict[str, int] = {}
    for note in notes:
        script, sounds, received = note.get("script"), note.get("sounds"), note.get("received")
        if not (isinstance(script, str) and isinstance(sounds, list) and isinstance(received, int)):
            continue
        if received >= longest.get(script, 0):
            longest[script] = received
            found[script] = tuple((began, lasted / SAMPLE_RATE) for index, began, lasted in sounds if index == 0)
    return found
