"""What every synthesis engine here offers, and which of its voices go by which name.

A `Timbre` is an engine's voice made into another person: slower, higher, with a longer throat. The agent's voices are
`female` and `male`; the `caller...` voices are for simulated people, so that nobody is called by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voice.events import Word

Samples16: TypeAlias = NDArray[np.int16]
Sink: TypeAlias = Callable[[Samples16, Sequence[Word]], bool]  # audio, words timed from the text's start -> stop now?


@dataclass(frozen=True, slots=True)
class Timbre:
    """`base` is the engine's own voice; `pace` 1.2 speaks a fifth slower; `pitch` 1.1 a tenth higher.

    `tract` 1.05 makes the throat 5 % longer (the audio is played that much slower, so it also lowers the pitch and pace).
    `gain` is linear and brings the voice to about -20 dBFS while it speaks.
    """

    base: str
    pace: float = 1.0
    pitch: float = 1.0
    tract: float = 1.0
    gain: float = 1.0


class SynthesisEngine(Protocol):
    """One engine, in a process of its own: neither flite nor espeak-ng may be entered twice with one voice."""

    rate: int  # samples per second of what the sink is given

    def synthesise(self, text: str, timbre: Timbre, sink: Sink) -> None:
        """Speak `text` into `sink` until it answers True or the text is over."""


FLITE: Final[dict[str, Timbre]] = {
    "female": Timbre("slt", gain=0.6),
    "male": Timbre("rms", pace=0.95, gain=1.05),
    "caller": Timbre("rms", gain=1.05),
    "caller_female": Timbre("slt", tract=0.94, pace=1.08, gain=0.6),
    "caller_male": Timbre("rms", gain=1.05),
    "caller_deep": Timbre("rms", tract=1.05, pace=0.95, gain=1.05),
    "caller_old": Timbre("awb", gain=0.87),
    "caller_plain": Timbre("kal16", gain=2.2),
}

ESPEAK: Final[dict[str, Timbre]] = {
    "female": Timbre("en-us+f3"),
    "male": Timbre("en-us+m3"),
    "caller": Timbre("en-us"),
    "caller_female": Timbre("en-us+f4"),
    "caller_male": Timbre("en-us"),
    "caller_deep": Timbre("en-us+m7"),
    "caller_old": Timbre("en-us+m2"),
    "caller_plain": Timbre("en-us+m1"),
}

CATALOGUE: Final = {"flite": FLITE, "espeak": ESPEAK}

_SENTENCE_END: Final = re.compile(r"(?<=[.?!])\s+")


def sentences(text: str) -> list[str]:
    """The text in sentences: an engine plans a whole text before its first sound, so shorter pieces are heard sooner."""
    return [sentence for sentence in _SENTENCE_END.split(text.strip()) if sentence]
