"""How soon a caller is answered, in virtual time: the conversation core among vendors that are as slow as they publish.

    python -m benchmarks.answering --turns 3000

Deterministic from its seed and free of the machine's own lateness, so this is where promptness is tuned; the suites over
sockets say whether it holds. A speech model lets go of a voice late, prosody tells ends from pauses as well as it does on
the recorded corpus (area under the curve 0.76, docs/turn-taking.md). What is said is what the suites' callers say: a fifth
of the turns have a thinking pause, a third are goodbyes with a comma in them.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.answering_parts import PARTS, medians, parts
from benchmarks.callers.scenario import BYES, OPENING, PAUSED, TURNS
from benchmarks.measure import Distribution
from benchmarks.paced import Paced
from benchmarks.simulate import Utterance, World
from benchmarks.vendors.presets import PUBLISHED, Preset
from voice.actions import Note, Speak
from voice.agent import AgentDefinition, Manners
from voice.conversation import Conversation
from voice.events import CallId, Direction, ReplyId
from voice.policy import Policy
from voice.promptness import Lately
from voice.providers.resilience.health import MINDS_AT_ONCE

TURNS_A_CALL: Final = 3
_MANNERS: Final = Manners(silence_after=30.0, longest_call=600.0)
_AGENT: Final = AgentDefinition("answering", "Acme", "Ann", "to be measured", OPENING, "Goodbye.", manners=_MANNERS)
_WORD: Final = 0.28  # seconds
_COMMA: Final = 0.25  # seconds that a synthesised caller rests at one
_CRITICS: Final = 0.3  # of pauses, those after which a recogniser that is asked writes a full stop all the same


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of the caller: its parts and the pauses between them, instants of the call."""

    parts: tuple[Utterance, ...]

    @property
    def end(self) -> float:
        return self.parts[-1].start + self.parts[-1].length


@dataclass(slots=True)
class Answers:
    """What came of many turns. Seconds."""

    gaps: list[float] = field(default_factory=list)
    contents: list[float] = field(default_factory=list)
    pauses: int = 0
    cut: int = 0  # pauses in which something of ours was heard
    bridged: int = 0  # turns that got a word in between
    begun: int = 0  # drafts
    wasted: int = 0
    why: Counter[str] = field(default_factory=Counter)
    parts: list[dict[str, float]] = field(default_factory=list)  # of every answer

    def figures(self) -> dict[str, float]:
        """By name; milliseconds and per cent."""
        gaps, contents = Distribution(tuple(self.gaps)), Distribution(tuple(self.contents))
        return {
            "turns": len(self.gaps),
            "gap_p50_ms": _milliseconds(gaps.at(50)),
            "gap_p95_ms": _milliseconds(gaps.at(95)),
            "content_p50_ms": _milliseconds(contents.at(50)),
            "content_p95_ms": _milliseconds(contents.at(95)),
            "bridged_percent": _percent(self.bridged, len(self.gaps)),
            "pauses_cut_percent": _percent(self.cut, self.pauses),
            "drafts_wasted_percent": _percent(self.wasted, self.begun),
        }


def answers(
    turns: int, seed: int = 1, preset: Preset = PUBLISHED, policy: Policy | None = None, minds: int = MINDS_AT_ONCE
) -> Answers:
    """Have so many turns answered, in calls of a few each, with so many minds asked at once."""
    found, lately = Answers(), Lately()
    for number in range(-(-turns // TURNS_A_CALL)):
        rng = random.Random(f"answering {seed} {number}")
        told = lately.told(policy or Policy())
        conversation = Conversation(CallId(f"answering-{number}"), _AGENT, Direction.OUTBOUND, OPENING, told)
        world = Paced(conversation, preset, rng, minds)
        said = [_turn(world, rng, is_last=turn == TURNS_A_CALL - 1) for turn in range(TURNS_A_CALL)]
        _until_quiet(world)
        report = conversation.report()
        lately.add(report.mind_took, report.mouth_took)
        found.begun, found.wasted = found.begun + report.speculated, found.wasted + report.wasted
        _judge(world, said, found)
    return found


def _turn(world: Paced, rng: random.Random, *, is_last: bool) -> Said:
    """The caller waits until we are silent and says something."""
    _until_quiet(world)
    start = world.now + rng.uniform(0.3, 0.9)
    said = Said(_parts(rng, start, is_last=is_last))
    world.last.add(said.end)
    assert isinstance(world.utterances, list)
    world.utterances.extend(said.parts)
    world.run(until=said.end + 0.3)
    return said


def _parts(rng: random.Random, start: float, *, is_last: bool) -> tuple[Utterance, ...]:
    if is_last:
        first, comma, second = rng.choice(BYES).partition(", ")
        return _halves(start, first + comma.rstrip(), second, _COMMA)
    if rng.random() < 0.3:
        first, second = rng.choice(PAUSED)
        return _halves(start, f"{first}." if rng.random() < _CRITICS else first, second, rng.choice((0.3, 0.5, 0.7, 1.0)))
    text = rng.choice(TURNS)
    return (Utterance(start, _WORD * len(text.split()), text),)


def _halves(start: float, first: str, second: str, pause: float) -> tuple[Utterance, Utterance]:
    one = Utterance(start, _WORD * len(first.split()), first)
    return one, Utterance(start + one.length + pause, _WORD * len(second.split()), second)


def _until_quiet(world: World) -> None:
    """Until we have answered, and been silent for a moment."""
    while not world.conversation.ended:
        world.run(until=world.now + 0.2)
        is_answering = world.conversation.is_hearing or world.conversation.is_replying
        if not is_answering and all(sound.end < world.now - 0.2 for sound in world.played[-1:]):
            return


def _judge(world: World, said: Sequence[Said], found: Answers) -> None:
    words = Counter[ReplyId]()
    for _, action in world.done:
        if isinstance(action, Speak) and action.is_ready:
            words[action.reply] += len(action.text.split())
        elif isinstance(action, Note) and action.text.startswith("a prepared reply is dropped"):
            found.why[action.text.partition(": ")[2]] += 1
    nth = Counter[ReplyId]()
    sounds: list[tuple[float, bool, ReplyId]] = []  # when, and whether it is the reply's own
    for sound in world.played:
        sounds.append((sound.start, nth[sound.reply] >= words[sound.reply], sound.reply))
        nth[sound.reply] += 1
    for number, turn in enumerate(said):
        until = said[number + 1].parts[0].start if number + 1 < len(said) else float("inf")
        after = [(at - turn.end, is_own, reply) for at, is_own, reply in sounds if turn.end < at < until]
        for one, other in zip(turn.parts, turn.parts[1:], strict=False):
            found.pauses += 1
            found.cut += any(one.start + one.length < at < other.start for at, *_ in sounds)
        if after:
            found.gaps.append(after[0][0])
            found.bridged += not after[0][1]
        for gap, reply in [(gap, reply) for gap, is_own, reply in after if is_own][:1]:
            found.contents.append(gap)
            found.parts += [each for each in (parts(world, reply, turn.end, turn.end + gap),) if each is not None]


def _milliseconds(seconds: float | None) -> float:
    return round(1000 * (seconds or 0.0))


def _percent(hits: int, of: int) -> float:
    return round(100 * hits / max(1, of), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description="How soon callers are answered, in virtual time.")
    parser.add_argument("--turns", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--minds", type=int, default=MINDS_AT_ONCE, help="so many are asked at once, the first to answer counts"
    )
    order = parser.parse_args()
    found = answers(order.turns, order.seed, minds=order.minds)
    for name, value in found.figures().items():
        print(f"{name:24}{value:>10g}")
    for name, milliseconds in medians(found.parts).items():
        print(f"{f'  {name}':24}{milliseconds:>10g}  {PARTS[name]}")
    print(f"{'dropped because':24}{', '.join(f'{why} ({count})' for why, count in found.why.most_common())}")


if __name__ == "__main__":
    main()
