"""How soon a caller is answered, in virtual time: the conversation core among vendors that are as slow as they publish.

    python -m benchmarks.answering --turns 3000

Deterministic from its seed and free of the machine's own lateness, so this is where promptness is tuned; the suites over
sockets say whether it holds. A speech model lets go of a voice late, prosody tells ends from pauses as well as it does on
the recorded corpus (area under the curve 0.76, docs/turn-taking.md), a quarter of the turns have a thinking pause.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from benchmarks.callers.scenario import OPENING, PAUSED, REPLIES, TURNS
from benchmarks.measure import Distribution
from benchmarks.simulate import WINDOW, Delays, Utterance, World
from benchmarks.vendors.presets import PUBLISHED, Preset
from voice.actions import Note, Speak, StartReply
from voice.agent import AgentDefinition, Manners
from voice.conversation import Conversation
from voice.events import SAMPLE_RATE, CallId, Direction, ReplyId, ReplyText, ReplyWritten, Samples, VoiceEvidence
from voice.policy import Policy
from voice.promptness import Lately

TURNS_A_CALL: Final = 6
_MANNERS: Final = Manners(silence_after=30.0, longest_call=600.0)
_AGENT: Final = AgentDefinition("answering", "Acme", "Ann", "to be measured", OPENING, "Goodbye.", manners=_MANNERS)
_LETTING_GO: Final = (0.02, 0.2)  # seconds a speech model takes to let go of a voice; on the corpus 0 to 0.2
_CUES_AFTER: Final = 0.19  # seconds of silence after which prosody has been measured
_APART: Final = 0.45  # log-odds by which ends and pauses lie on either side of nothing, and
_SPREAD: Final = 0.9  # how widely: together an area under the curve of 0.76
_WORD: Final = 0.28  # seconds
_TOKENS_A_WORD: Final = 1.5
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


class Paced(World):
    """A world in which every delay is drawn anew."""

    def __init__(self, conversation: Conversation, preset: Preset, rng: random.Random) -> None:
        super().__init__(conversation, [], delays=Delays(mark=0.02, order=0.01))
        self._preset, self._rng = preset, rng
        self._lags: dict[float, float] = {}
        self._shifts: dict[float, float] = {}
        self.last = set[float]()  # ends of the parts that are the last of their turn

    def _drawn(self, name: str) -> float:
        return self._preset.delay(name).draw(self._rng)

    def _final(self) -> None:
        self.delays = replace(self.delays, final=self._drawn("deepgram.final"))
        super()._final()

    def _speak(self, order: Speak) -> None:
        self.delays = replace(self.delays, mouth=self._drawn("elevenlabs.ttfb"), interim=self._drawn("deepgram.interim"))
        super()._speak(order)

    def _write(self, order: StartReply) -> None:
        instant = self.now + self._drawn("openai.ttft")
        for word in REPLIES[len(order.messages) % len(REPLIES)].split():
            self.at(instant, ReplyText(order.reply, f"{word} "))
            instant += _TOKENS_A_WORD / self._preset.tokens_per_second
        self.at(instant, ReplyWritten(order.reply))

    def _next_window(self, index: int) -> None:
        """The level falls when the voice ends; the speech model follows, and then prosody."""
        end = (index + 1) * WINDOW / SAMPLE_RATE
        middle = end - WINDOW / SAMPLE_RATE / 2
        before = [said for said in self.utterances if said.start <= middle]
        level, speech = -62.0, 0.02
        features: tuple[tuple[str, float], ...] = (("room", -62.0), ("caller_level", -26.0))
        if before:
            ended = before[-1].start + before[-1].length
            lag = self._lags.setdefault(ended, self._rng.uniform(*_LETTING_GO))
            if middle < ended:
                level, speech = -26.0, 0.97
            elif middle < ended + lag:
                speech = 0.9 if middle < ended + lag / 2 else 0.6
            elif 0 <= middle - ended - lag - _CUES_AFTER < WINDOW / SAMPLE_RATE:
                features += (("complete", 1.0 + self._shift(ended) / 0.25),)
        self.at(end, VoiceEvidence(Samples((index + 1) * WINDOW), speech, level, 0.0, features))

    def _shift(self, ended: float) -> float:
        centre = _APART if ended in self.last else -_APART
        return self._shifts.setdefault(ended, self._rng.gauss(centre, _SPREAD))


def answers(turns: int, seed: int = 1, preset: Preset = PUBLISHED, policy: Policy | None = None) -> Answers:
    """Have so many turns answered, in calls of a few each."""
    found, lately = Answers(), Lately()
    for number in range(-(-turns // TURNS_A_CALL)):
        rng = random.Random(f"answering {seed} {number}")
        told = lately.told(policy or Policy())
        conversation = Conversation(CallId(f"answering-{number}"), _AGENT, Direction.OUTBOUND, OPENING, told)
        world = Paced(conversation, preset, rng)
        said = [_turn(world, rng) for _ in range(TURNS_A_CALL)]
        _until_quiet(world)
        report = conversation.report()
        lately.add(report.mind_took, report.mouth_took)
        found.begun, found.wasted = found.begun + report.speculated, found.wasted + report.wasted
        _judge(world, said, found)
    return found


def _turn(world: Paced, rng: random.Random) -> Said:
    """The caller waits until we are silent and says something."""
    _until_quiet(world)
    start = world.now + rng.uniform(0.3, 0.9)
    if rng.random() < 0.25:
        first, second = rng.choice(PAUSED)
        pause = rng.choice((0.3, 0.5, 0.7, 1.0))
        one = Utterance(start, _WORD * len(first.split()), f"{first}." if rng.random() < _CRITICS else first)
        parts: tuple[Utterance, ...] = (one, Utterance(one.start + one.length + pause, _WORD * len(second.split()), second))
    else:
        text = rng.choice(TURNS)
        parts = (Utterance(start, _WORD * len(text.split()), text),)
    said = Said(parts)
    world.last.add(said.end)
    assert isinstance(world.utterances, list)
    world.utterances.extend(parts)
    world.run(until=said.end + 0.3)
    return said


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
    sounds: list[tuple[float, bool]] = []  # when, and whether it is the reply's own
    for sound in world.played:
        sounds.append((sound.start, nth[sound.reply] >= words[sound.reply]))
        nth[sound.reply] += 1
    for number, turn in enumerate(said):
        until = said[number + 1].parts[0].start if number + 1 < len(said) else float("inf")
        after = [(at - turn.end, is_own) for at, is_own in sounds if turn.end < at < until]
        for one, other in zip(turn.parts, turn.parts[1:], strict=False):
            found.pauses += 1
            found.cut += any(one.start + one.length < at < other.start for at, _ in sounds)
        if after:
            found.gaps.append(after[0][0])
            found.bridged += not after[0][1]
            found.contents += [gap for gap, is_own in after if is_own][:1]


def _milliseconds(seconds: float | None) -> float:
    return round(1000 * (seconds or 0.0))


def _percent(hits: int, of: int) -> float:
    return round(100 * hits / max(1, of), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description="How soon callers are answered, in virtual time.")
    parser.add_argument("--turns", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    order = parser.parse_args()
    found = answers(order.turns, order.seed)
    for name, value in found.figures().items():
        print(f"{name:24}{value:>10g}")
    print(f"{'dropped because':24}{', '.join(f'{why} ({count})' for why, count in found.why.most_common())}")


if __name__ == "__main__":
    main()
