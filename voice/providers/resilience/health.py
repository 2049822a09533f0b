"""What all calls of the process know about each provider: is it up, how fast is it, and the one line when that changes.

The dialer asks `can_take_calls`: when every provider of a stage is down, a call placed now could only apologise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from voice.errors import ProviderError
from voice.pricing.consumption import Stage
from voice.providers.resilience.breaker import Admission, Breaker, BreakerPolicy, State
from voice.providers.resilience.latency import DeadlinePolicy, Expected, RecentLatency
from voice.providers.resilience.race import HedgeBudget

log = structlog.get_logger()

# Published first-word and first-byte delays, to begin with; after ten answers a provider's own past counts.
EXPECTED: Final = {Stage.EARS: Expected(0.15, 0.30), Stage.MIND: Expected(0.50, 1.10), Stage.MOUTH: Expected(0.175, 0.33)}
# What the house asks for each reply. The least of two log-normal delays with the published spread has a median 0.11 s lower
# and a 95th percentile 0.3 s lower, for the tokens read twice and one token more written.
MINDS_AT_ONCE: Final = 2
_TOO_SLOW: Final = "too_slow"
_HANDSHAKE: Final = Expected(0.105, 0.235)
_PAUSE: Final = {Stage.EARS: Expected(0.1, 0.125), Stage.MIND: Expected(0.02, 0.125), Stage.MOUTH: Expected(0.02, 0.0625)}


@dataclass(slots=True)
class Record:
    """One provider of one stage."""

    stage: Stage
    provider: str
    breaker: Breaker
    first: RecentLatency
    connect: RecentLatency
    pauses: RecentLatency  # the longest within each answer
    last_error: str = ""
    is_spare: bool = False  # a last resort: used when all are down, but nobody is up because of it
    on_doubt: set[Callable[[], None]] = field(default_factory=set)  # those who are waiting for its answer

    def succeeded(self, took: float) -> None:
        """It gave its first word or byte."""
        self.first.add(took)
        if self.breaker.succeeded():
            log.info("provider_back", stage=self.stage, provider=self.provider)

    def connected(self, took: float) -> None:
        self.connect.add(took)

    def failed(self, error: ProviderError, now: float) -> None:
        self.last_error = error.code
        log.debug("provider_failed", stage=self.stage, provider=self.provider, error=str(error))
        is_late, is_news = isinstance(error, TooSlow), self.breaker.state is State.CLOSED
        if self.breaker.failed(now, is_rejected=not error.retryable, is_late=is_late):
            retry = round(self.breaker.reopens_at - now, 1)
            tell, event = (log.error, "provider_down") if is_news else (log.info, "provider_still_down")
            tell(event, stage=self.stage, provider=self.provider, error=str(error), retry_in=retry)
        if self.breaker.is_doubted(now):
            for told in tuple(self.on_doubt):
                told()

    def late(self, took: float, now: float) -> None:
        """It is later than its own past allows: a failure like another, which its next answer forgives.

        How long we have waited is no measure of the provider and is not remembered as one.
        """
        self.failed(TooSlow(self.provider, took), now)

    def called_off(self) -> None:
        """We do not want its answer any more; that says nothing about it."""
        self.breaker.released()


class TooSlow(ProviderError):
    """The provider was later than its own past allows, too often."""

    retryable = True

    def __init__(self, provider: str, took: float) -> None:
        super().__init__(provider, _TOO_SLOW, f"no answer within {took:.2f} s")


@dataclass(slots=True)
class Health:
    """The records of all providers, made when they are first named."""

    clock: Callable[[], float] = time.monotonic
    deadlines: DeadlinePolicy = field(default_factory=DeadlinePolicy)
    breakers: BreakerPolicy = field(default_factory=BreakerPolicy)
    hedges: dict[Stage, HedgeBudget] = field(default_factory=lambda: {stage: HedgeBudget() for stage in Stage})
    minds_at_once: int = 1  # so many requests of the preferred mind for each reply: the first word of any of them counts
    records: dict[tuple[Stage, str], Record] = field(default_factory=dict)

    def record(self, stage: Stage, provider: str, *, is_spare: bool = False) -> Record:
        key = (stage, provider)
        if key not in self.records:
            expected = RecentLatency(EXPECTED[stage])
            breaker, connect = Breaker(self.breakers), RecentLatency(_HANDSHAKE)
            pauses = RecentLatency(_PAUSE[stage])
            self.records[key] = Record(stage, provider, breaker, expected, connect, pauses, is_spare=is_spare)
        return self.records[key]

    def admitted(self, records: Iterable[Record]) -> Iterator[tuple[Record, Admission]]:
        """Those who may be asked now, in order; those who are down are left out. Whoever is not reached is not admitted."""
        now = self.clock()
        for record in records:
            admission = record.breaker.admit(now)
            if admission is not Admission.NO:
                yield record, admission

    def askable(self, records: Sequence[Record]) -> list[tuple[Record, Admission]]:
        """Those who may be asked, and after them those who are down only for being slow, as somebody to hedge with.

        When nobody else is left, these are asked all at once: an answer that may come is worth more to a caller than a
        refusal that is sure.
        """
        found = list(self.admitted(records))
        names = {record.provider for record, _ in found}
        slow = [record for record in records if record.last_error == _TOO_SLOW and record.provider not in names]
        return [*found, *((record, Admission.YES if found else Admission.PROBE) for record in slow)]

    def is_down(self, stage: Stage) -> bool:
        """Whether every provider of a stage is down. A stage without providers is not this module's business: False."""
        of_stage = [record for record in self.records.values() if record.stage is stage and not record.is_spare]
        now = self.clock()
        return bool(of_stage) and all(record.breaker.is_open(now) for record in of_stage)

    def down(self) -> tuple[Stage, ...]:
        """The stages for which a call placed now would find nobody."""
        return tuple(stage for stage in Stage if self.is_down(stage))

    def can_take_calls(self) -> bool:
        """Whether a call placed now would find ears, mind and mouth."""
        return not self.down()
