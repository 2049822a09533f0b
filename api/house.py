"""What every call of this process stands on, chosen once. Holds no state of a call."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from api.call_tools import OptOuts
from api.errands import Agents
from api.metrics import Metrics
from api.settings import Settings
from context.gather import Source
from context.knowledge.base import KnowledgeBase
from dialer.ports import AttemptStore
from storage.database import Database
from storage.hot import LiveFeed
from telephony.twilio.rest import TwilioCarrier
from voice.policy import Policy
from voice.ports import LanguageModel, Prompt, Speaker, SpeechToText, TextToSpeech, VoiceActivity
from voice.pricing.consumption import Stage
from voice.pricing.meter import Meter
from voice.pricing.table import PriceTable


@dataclass(frozen=True, slots=True)
class Engines:
    """Ears, mind and mouth as configured; `activity` makes one detector a call."""

    ears: SpeechToText
    mind: LanguageModel
    mouth: TextToSpeech
    activity: Callable[[], VoiceActivity]
    warm: Callable[[Prompt], Coroutine[Any, Any, None]]  # lets the mind get ready while it rings; never raises
    pace: Callable[[Speaker], Speaker]  # what is put around the voice of a live call
    prices: PriceTable
    down: Callable[[], Sequence[Stage]]  # the stages for which a call placed now would find nobody
    lag: Callable[[], float] = float  # seconds by which the detectors are late
    voice: Callable[[], str | None] = str  # whose voice a reply begun now will have; None: not sure


@dataclass(frozen=True, slots=True)
class House:
    """What every call of this process stands on."""

    settings: Settings
    database: Database
    attempts: AttemptStore
    carrier: TwilioCarrier
    agents: Agents
    engines: Engines
    sources: tuple[Source, ...]
    knowledge: KnowledgeBase
    opt_outs: OptOuts
    feed: LiveFeed
    at: Callable[[], datetime]
    meter: Meter
    policy: Policy = field(default_factory=Policy)
    metrics: Metrics = field(default_factory=Metrics)
    is_full: Callable[[], bool] = bool  # whether one more call would be one too many
