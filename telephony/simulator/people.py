"""The people at the far end: who they are and what they do, read from a TOML file. Pure but for `load`.

[faults]                          # optional, for everybody: see faults.py
doubled = true

[[people]]
number = "+16145550101"           # or "sip:closer@example.com"
name = "Dana"
voice = "female"                  # handed to the mouth as it stands
ring = 2.0                        # seconds it rings before the outcome
attempts = ["busy", "answers"]    # outcome of each call to them; the last one repeats
                                  # answers | busy | no_answer | voicemail | rejected | unreachable | invalid
lines = [                         # said one after the other, each when its moment comes
  { at = 0.4, say = "Hello?" },                      # seconds after the answer
  { after_silence = 0.7, say = "Yes, speaking." },   # the agent has spoken, and has been silent for so long
  { over = 1.2, say = "Wait, who is this?" },        # over the agent, so long after it started to talk
  { pause = 0.8, say = "I mean, really." },          # so long after my own last line
  { after_silence = 0.7, press = "9" },
  { after_silence = 0.5, sound = "cough" },
  { after_silence = 0.7, say = "Bye.", attempt = 2 },# only in the second call to them (or by them)
  { after_silence = 1.0, hang_up = true },
]
hang_up_after = 2.0               # after the last line: hang up when the agent has spoken and been silent for so long
                                  # (0: stay on the line)
patience = 20.0                   # seconds of silence from both sides after which they hang up anyway
noise = -55.0                     # dBFS of noise in the room; absent: none
echo = { gain = -30.0, delay = 0.2 }   # of what they hear, back into their microphone

greeting = "Hi, leave a message." # for voicemail: said after the answer, then the beep
beep = { frequency = 1000.0, seconds = 0.4 }
message_limit = 30.0              # seconds of recording before voicemail hangs up

[people.faults]
lost = ["completed"]

[[people.calls]]                  # calls they make themselves
to = "+16145550100"
at = 5.0                          # seconds after the network starts; absent: only on POST /simulator/calls
lines = [ { at = 0.5, say = "Hi, you called me?" } ]
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from telephony.errors import TelephonyError
from telephony.number import NumberRefused, parse_target
from telephony.simulator.faults import Faults

SOUNDS: Final = frozenset({"cough", "click"})
_KEYS: Final = frozenset("0123456789*#ABCD")


class PeopleFileError(TelephonyError):
    """A people file cannot be used. `code` is a stable word; the message names the person, the field and the cure."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Outcome(StrEnum):
    """What comes of one call to a person."""

    ANSWERS = "answers"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    INVALID = "invalid"


# --- when a line is said; all times in seconds -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class At:
    """So long after the answer."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AfterSilence:
    """When the other side has spoken since my last line and has been silent for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Over:
    """While the other side talks, so long after it began."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AfterPause:
    """So long after my own last line, whatever the other side does."""

    seconds: float


When: TypeAlias = At | AfterSilence | Over | AfterPause


# --- what is done then -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True)
class Press:
    digits: str


@dataclass(frozen=True, slots=True)
class Sound:
    name: str


@dataclass(frozen=True, slots=True)
class HangUp:
    pass


Deed: TypeAlias = Say | Press | Sound | HangUp


@dataclass(frozen=True, slots=True)
class Line:
    when: When
    deed: Deed
    attempt: int | None = None


class Echo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    gain: float = -30.0  # dB
    delay: float = 0.2  # seconds


class Beep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    frequency: float = 1000.0  # Hz
    seconds: float = 0.4


@dataclass(frozen=True, slots=True)
class OwnCall:
    """A call that a person makes."""

    to: str
    at: float | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Person:
    number: str  # E.164 or a SIP URI
    name: str = ""
    voice: str = ""
    ring: float = 2.0
    attempts: tuple[Outcome, ...] = (Outcome.ANSWERS,)
    lines: tuple[Line, ...] = ()
    hang_up_after: float = 0.0
    patience: float = 20.0
    noise: float | None = None
    echo: Echo | None = None
    greeting: str = ""
    beep: Beep = field(default_factory=Beep)
    message_limit: float = 30.0
    calls: tuple[OwnCall, ...] = ()
    faults: Faults = field(default_factory=Faults)

    def outcome(self, attempt: int) -> Outcome:
        """What comes of the `attempt`-th call to them, counted from 1."""
        return self.attempts[min(attempt, len(self.attempts)) - 1]

    def lines_of(self, attempt: int) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.attempt in (None, attempt))

    def all_texts(self) -> tuple[str, ...]:
        """Everything they may ever say, to be synthesised in advance."""
        lines = (*self.lines, *(line for call in self.calls for line in call.lines))
        said = [line.deed.text for line in lines if isinstance(line.deed, Say)]
        return tuple(dict.fromkeys([*said, self.greeting] if self.greeting else said))


@dataclass(frozen=True, slots=True)
class People:
    """Everybody on this network, by number."""

    people: tuple[Person, ...]
    faults: Faults = field(default_factory=Faults)

    def find(self, number: str) -> Person | None:
        """By number or SIP URI; of a SIP URI, parameters and headers do not matter."""
        bare = number.partition(";")[0].partition("?")[0] if number.startswith("sip") else number
        return next((person for person in self.people if person.number == bare), None)


# --- the file ----------------------------------------------------------------------------------------------------------


class _LineShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: float | None = None
    after_silence: float | None = None
    over: float | None = None
    pause: float | None = None
    say: str | None = None
    press: str | None = None
    sound: str | None = None
    hang_up: bool | None = None
    attempt: int | None = None


class _CallShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    to: str
    at: float | None = None
    lines: tuple[_LineShape, ...] = ()


class _PersonShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: str
    name: str = ""
    voice: str = ""
    ring: float = 2.0
    attempts: tuple[Outcome, ...] = (Outcome.ANSWERS,)
    lines: tuple[_LineShape, ...] = ()
    hang_up_after: float = 0.0
    patience: float = 20.0
    noise: float | None = None
    echo: Echo | None = None
    greeting: str = ""
    beep: Beep = Beep()
    message_limit: float = 30.0
    calls: tuple[_CallShape, ...] = ()
    faults: Faults = Faults()


class _FileShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    people: tuple[_PersonShape, ...]
    faults: Faults = Faults()


def load(path: Path) -> People:
    """Read a people file. Raises `PeopleFileError`, or OSError when it cannot be read."""
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text: str, name: str = "people file") -> People:
    """Read people from TOML. Raises `PeopleFileError`: `not_toml`, `bad_field`, `bad_number`, `bad_line`, `twice`."""
    try:
        shape = msgspec.convert(tomllib.loads(text), _FileShape)
    except tomllib.TOMLDecodeError as error:
        raise PeopleFileError("not_toml", f"{name}: {error}") from error
    except msgspec.ValidationError as error:
        raise PeopleFileError("bad_field", f"{name}: {error}") from error
    people = tuple(_person(each, name) for each in shape.people)
    for person in people:
        if sum(other.number == person.number for other in people) > 1:
            raise PeopleFileError("twice", f"{name}: {person.name or 'somebody'} has the number of somebody else")
    return People(people, shape.faults)


def _person(shape: _PersonShape, name: str) -> Person:
    who = f"{name}: {shape.name or shape.number}"
    if not shape.attempts:
        raise PeopleFileError("bad_field", f"{who}: attempts is empty; leave it out or name an outcome")
    return Person(
        number=_number(shape.number, who),
        name=shape.name,
        voice=shape.voice,
        ring=shape.ring,
        attempts=shape.attempts,
        lines=tuple(_line(line, who) for line in shape.lines),
        hang_up_after=shape.hang_up_after,
        patience=shape.patience,
        noise=shape.noise,
        echo=shape.echo,
        greeting=shape.greeting,
        beep=shape.beep,
        message_limit=shape.message_limit,
        calls=tuple(
            OwnCall(_number(call.to, who), call.at, tuple(_line(line, who) for line in call.lines)) for call in shape.calls
        ),
        faults=shape.faults,
    )


def _number(text: str, who: str) -> str:
    target = parse_target(text, allow_foreign=True)
    if isinstance(target, NumberRefused):
        raise PeopleFileError("bad_number", f"{who}: the number {target.why}")
    return str(target)


def _line(shape: _LineShape, who: str) -> Line:
    whens = [
        kind(seconds)
        for kind, seconds in (
            (At, shape.at),
            (AfterSilence, shape.after_silence),
            (Over, shape.over),
            (AfterPause, shape.pause),
        )
        if seconds is not None
    ]
    if len(whens) != 1 or whens[0].seconds < 0:
        raise PeopleFileError("bad_line", f"{who}: a line has exactly one of at, after_silence, over, pause (seconds)")
    return Line(whens[0], _deed(shape, who), shape.attempt)


def _deed(shape: _LineShape, who: str) -> Deed:
    deeds: list[Deed] = []
    if shape.say:
        deeds.append(Say(shape.say))
    if shape.press and set(shape.press) <= _KEYS:
        deeds.append(Press(shape.press))
    if shape.sound in SOUNDS:
        deeds.append(Sound(shape.sound))
    if shape.hang_up:
        deeds.append(HangUp())
    if len(deeds) != 1:
        raise PeopleFileError(
            "bad_line", f"{who}: a line does exactly one of say, press (keys), sound ({', '.join(sorted(SOUNDS))}), hang_up"
        )
    return deeds[0]
