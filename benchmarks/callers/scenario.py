"""What callers do in each suite, from a seed: who says what, when, and what kind of sound it is. Pure.

A caller is a script of `Act`s; the harness knows from it what every sound was meant to be, so that nothing has to be guessed
from the audio: a cough is a cough because the script says so.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from telephony.simulator.people import AfterSilence, At, Echo, Over, When


class Kind(StrEnum):
    """What a sound of the caller's is."""

    HELLO = "hello"  # the first word, said into the first seconds
    TURN = "turn"  # waits for an answer
    BARGE_IN = "barge_in"  # takes the floor
    BACKCHANNEL = "backchannel"  # takes nothing
    COUGH = "cough"
    CLICK = "click"
    BYE = "bye"


NOISES: Final = frozenset({Kind.BACKCHANNEL, Kind.COUGH, Kind.CLICK})


@dataclass(frozen=True, slots=True)
class Act:
    """One sound. `text` in parts with a pause of `pause` seconds between them; no text for a noise."""

    kind: Kind
    when: When
    text: tuple[str, ...] = ()
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One caller. `noise` in dBFS."""

    name: str
    voice: str
    acts: tuple[Act, ...]
    replies: tuple[str, ...]
    noise: float | None = None
    echo: Echo | None = None
    seed: int = 0
    hangs_up_after: float = 1.0  # seconds of silence after the last answer


OPENING: Final = "Hello, this is Ann from Acme. I am calling about your roof. Is this a good time for you?"
REPLIES: Final = (
    "Thank you for telling me that. We look at roofs all over your county, and it takes about half an hour.",
    "Good question, let me explain. Our people come to your house, look at every tile, and write it all down for you.",
    "That makes sense to me. Most owners in your street had the same storm last spring, and many roofs were damaged.",
    "Sure, that is no problem. The visit itself is free of charge, and nobody will try to sell you anything that day.",
    "Let me see what we have. There is a morning on Tuesday, and there is a whole afternoon on Thursday next week.",
    "All right, I have noted that. You will get a short message the day before, with the name of the person who comes.",
    "I understand what you mean. If it rains heavily on the day, they will call you early and find another morning.",
    "Of course, I can repeat that. They start at the chimney, go along the gutters, and finish with the attic inside.",
    "Very good, that helps a lot. Then I will write that you prefer a call in the evening, after six o'clock.",
    "Yes, that is quite right. The report goes to your insurance as well, but only if you tell us that you want it.",
    "Perfect, I will arrange it. Somebody from our office will be in touch, and you can always call us back.",
    "Well, that depends on the roof. A small one takes twenty minutes, and a large one may take close to an hour.",
)
TURNS: Final = (
    "Yes I do have a minute.",
    "How long would that take?",
    "What does it cost me?",
    "My roof is about twelve years old.",
    "We had some water in the attic last year.",
    "Who would come to the house?",
    "I think next week would be better.",
    "Can you send me something in writing?",
    "I would have to ask my wife first.",
    "That sounds reasonable to me.",
    "When do you have time?",
    "And what happens if it rains?",
)
PAUSED: Final = (
    ("I was thinking that", "maybe Thursday would work for us."),
    ("My number is five five five", "oh one oh nine."),
    ("We bought the house in", "two thousand and eleven."),
    ("The thing is that", "my neighbour had a bad experience."),
    ("Could you call me back at", "around six in the evening?"),
)
INTERRUPTIONS: Final = (
    "Wait, I have a question about that.",
    "Stop for a second please.",
    "Sorry, can I say something?",
    "Hold on, that is not right.",
    "No no, we already had that done.",
)
# Spoken as people do, in 0.2 to 0.6 s. No "mm-hm": synthesisers spell it, and 0.8 s of letters is no murmur.
BACKCHANNELS: Final = ("uh-huh", "mm", "okay", "right", "yeah")
BYES: Final = ("Okay thank you, goodbye.", "Thanks, bye bye.")
VOICES: Final = ("caller", "caller_female", "caller_deep", "caller_old", "caller_plain")
ROOMS: Final = (None, None, -55.0, -50.0)  # dBFS of noise


@dataclass(slots=True)
class _Cast:
    """Draws lines without saying one twice in a call."""

    rng: random.Random
    used: set[str] = field(default_factory=set)

    def one(self, texts: tuple[str, ...]) -> str:
        fresh = [text for text in texts if text not in self.used] or list(texts)
        text = self.rng.choice(fresh)
        self.used.add(text)
        return text

    def turn(self) -> Act:
        return Act(Kind.TURN, self._patiently(), (self.one(TURNS),))

    def paused(self) -> Act:
        pause = round(self.rng.choice((0.3, 0.5, 0.7, 1.0)), 2)
        return Act(Kind.TURN, self._patiently(), self.rng.choice(PAUSED), pause)

    def interruption(self) -> Act:
        return Act(Kind.BARGE_IN, Over(round(self.rng.uniform(1.0, 3.0), 2)), (self.one(INTERRUPTIONS),))

    def backchannel(self) -> Act:
        return Act(Kind.BACKCHANNEL, Over(round(self.rng.uniform(1.0, 2.5), 2)), (self.rng.choice(BACKCHANNELS),))

    def noise(self) -> Act:
        return Act(self.rng.choice((Kind.COUGH, Kind.CLICK)), Over(round(self.rng.uniform(1.0, 2.5), 2)))

    def bye(self) -> Act:
        return Act(Kind.BYE, self._patiently(), (self.one(BYES),))

    def _patiently(self) -> When:
        return AfterSilence(round(self.rng.uniform(0.9, 1.4), 2))


def latency(number: int, seed: int, turns: int = 2) -> Scenario:
    """Asks and answers; every second caller thinks in the middle of a sentence once."""
    cast = _Cast(random.Random(f"latency {seed} {number}"))
    acts = [Act(Kind.HELLO, At(0.1), ("Hello?",))]
    acts += [cast.paused() if turn == 1 and number % 2 else cast.turn() for turn in range(turns)]
    return _scenario("latency", number, cast, [*acts, cast.bye()], noise=ROOMS[number % len(ROOMS)])


def bargein(number: int, seed: int, rounds: int = 2) -> Scenario:
    """Takes the floor, murmurs along, coughs: each over a long answer of its own. Every fourth hears themselves come back,
    every fourth sits in a noisy room."""
    cast = _Cast(random.Random(f"bargein {seed} {number}"))
    acts = [Act(Kind.HELLO, At(0.1), ("Hello?",)), cast.turn()]
    deeds: list[Callable[[], Act]] = [cast.interruption, cast.backchannel, cast.noise]
    for turn in range(rounds):
        deed = deeds[(turn + number) % len(deeds)]()
        acts.append(deed)
        if deed.kind in NOISES:
            acts.append(cast.turn())
    echo = Echo(-30.0, 0.18) if number % 4 == 3 else None
    noise = -50.0 if number % 4 == 1 else None
    return _scenario("bargein", number, cast, [*acts, cast.bye()], noise, echo)


def gaps(number: int, seed: int) -> Scenario:
    """Listens to long answers."""
    return latency(number, seed + 1000, turns=1)


def endless(number: int, seed: int, turns: int = 60) -> Scenario:
    """Goes on asking for as long as the measurement lasts: for density and soak."""
    cast = _Cast(random.Random(f"density {seed} {number}"))
    acts = [Act(Kind.HELLO, At(0.1), ("Hello?",)), *(cast.turn() for _ in range(turns))]
    return _scenario("density", number, cast, acts)


SCENARIOS: Final[dict[str, Callable[[int, int], Scenario]]] = {
    "latency": latency,
    "bargein": bargein,
    "gaps": gaps,
    "density": endless,
}


def _scenario(
    suite: str, number: int, cast: _Cast, acts: list[Act], noise: float | None = None, echo: Echo | None = None
) -> Scenario:
    replies = list(REPLIES)
    cast.rng.shuffle(replies)
    voice = VOICES[number % len(VOICES)]
    return Scenario(f"{suite}-{number}", voice, tuple(acts), tuple(replies), noise, echo, number)


def sentences(text: str) -> list[str]:
    """A text in the sentences an engine is likely to ask a voice for."""
    found = text.replace("? ", "?|").replace(". ", ".|").split("|")
    return [sentence.strip() for sentence in found if sentence.strip()]
