"""How slow each vendor is, as published: log-normal delays by name, each with its source. Draws nothing by itself.

A delay is given by its median and its 95th percentile, because that is how vendors and their measurers publish them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

_Z95: Final = 1.6448536269514722  # the standard normal's 95th percentile


@dataclass(frozen=True, slots=True)
class Delay:
    """A log-normal delay in seconds: half are under `p50`, 95 % under `p95`. `source` says who published it."""

    p50: float
    p95: float
    source: str = "assumed"

    def __post_init__(self) -> None:
        if not 0 <= self.p50 <= self.p95:
            raise ValueError(f"a delay needs 0 <= p50 <= p95, not {self.p50} and {self.p95}")

    def draw(self, rng: random.Random) -> float:
        """One delay in seconds."""
        if self.p50 == 0:
            return 0.0
        return self.p50 * math.exp(rng.gauss(0.0, math.log(self.p95 / self.p50) / _Z95))


NOTHING: Final = Delay(0.0, 0.0, "none")


@dataclass(frozen=True, slots=True)
class Preset:
    """One named way for the vendors to behave. `pace` holds rates that are not delays (tokens a second, times real time)."""

    name: str
    delays: Mapping[str, Delay] = field(default_factory=dict)
    tokens_per_second: float = 120.0
    speech_rate: float = 12.0  # how many times faster than real time a voice is delivered

    def delay(self, name: str) -> Delay:
        return self.delays.get(name, NOTHING)

    def slower(self, name: str, delay: Delay) -> Preset:
        """The same preset with one delay replaced."""
        return replace(self, delays=MappingProxyType({**self.delays, name: delay}))


_HANDSHAKE: Final = Delay(
    0.105, 0.235, "developers.deepgram.com measuring-streaming-latency (111 ms TCP); usesherlock.ai (80-200 ms)"
)

PUBLISHED: Final = Preset(
    "published",
    MappingProxyType(
        {
            "handshake": _HANDSHAKE,
            "deepgram.interim": Delay(
                0.150, 0.300, 'developers.deepgram.com measuring-streaming-latency: "300 milliseconds or less"'
            ),
            "deepgram.final": Delay(0.150, 0.300, "as interim; pipecat's measured p99 of end of speech to final is 0.35 s"),
            "deepgram.eot": Delay(
                0.260, 1.500, "developers.deepgram.com flux/nova-3-migration (~260 ms p50); together.ai/models/flux (p95)"
            ),
            "elevenlabs.ttfb": Delay(0.175, 0.330, "elevenlabs.io latency-optimization (150-200 ms in the US); p95 assumed"),
            "anthropic.ttft": Delay(
                0.500, 1.100, "third parties on Haiku 4.5 (200-600 ms p50); no figure for Haiku 5.5 found"
            ),
            "openai.ttft": Delay(0.500, 1.100, "as anthropic.ttft, so that providers are alike"),
        }
    ),
)
INSTANT: Final = Preset("instant", MappingProxyType({}), tokens_per_second=1e6, speech_rate=1e6)
PRESETS: Final[Mapping[str, Preset]] = MappingProxyType({preset.name: preset for preset in (PUBLISHED, INSTANT)})
