"""Several mouths behind the port of one: hedged until the first byte, and continued by the next voice from the word that
was heard when one fails in the middle of a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field

import structlog

from voice.agent import AgentDefinition
from voice.errors import ProviderError, ProviderUnavailable
from voice.events import SAMPLE_RATE
from voice.ports import Speaker, SpokenAudio, TextToSpeech
from voice.pricing.consumption import Stage
from voice.providers.resilience.attempt import Candidate, race
from voice.providers.resilience.breaker import Admission
from voice.providers.resilience.continuation import rest_of
from voice.providers.resilience.health import Health, Record
from voice.providers.resilience.latency import connect_within, stall_within

log = structlog.get_logger()


class FallbackMouth:
    """An ordered list of mouths. One `Health` is shared by all calls of the process.

    `last_resort` speaks when all others are down, so that an apology can always be heard; it does not count as being up.
    """

    def __init__(self, mouths: Sequence[TextToSpeech], health: Health, last_resort: TextToSpeech | None = None) -> None:
        self.name = "+".join(mouth.name for mouth in mouths)
        self._health = health
        self._records = {mouth.name: health.record(Stage.MOUTH, mouth.name) for mouth in mouths}
        self._mouths = tuple(mouths)
        if last_resort is not None and last_resort.name not in self._records:
            self._mouths = (*mouths, last_resort)
            self._records[last_resort.name] = health.record(Stage.MOUTH, last_resort.name, is_spare=True)

    async def open(self, agent: AgentDefinition) -> FallbackSpeaker:
        """Open the first mouth that can be opened. Raises `ProviderError` when none can."""
        speaker = FallbackSpeaker(self._mouths, self._records, agent, self._health)
        await speaker.begin()
        return speaker

    def voice(self) -> str | None:
        """Whose voice a segment that is asked for now will have; None while that is not sure, because the first to be asked
        has just failed or is being tried again."""
        now = self._health.clock()
        asked = next((record for record in self._records.values() if not record.breaker.is_open(now)), None)
        return asked.provider if asked is not None and asked.breaker.is_steady else None

    async def close(self) -> None:
        for mouth in self._mouths:
            if (close := getattr(mouth, "close", None)) is not None:
                await close()


@dataclass(slots=True)
class _Segment:
    """How much of a segment has been spoken."""

    text: str
    words: list[str] = field(default_factory=list)
    samples: int = 0
    began: float = 0.0
    failed: set[str] = field(default_factory=set)

    @property
    def rest(self) -> str:
        return rest_of(self.text, self.words, self.samples / SAMPLE_RATE) if self.samples else self.text

    def took(self, piece: SpokenAudio, now: float) -> None:
        self.began = self.began or now
        self.samples += len(piece.audio)
        self.words += [word.text for word in piece.words]

    def patience(self, now: float, least: float) -> float:
        """How long the next piece may take: until shortly before the caller has heard all there is, and `least` at least."""
        return max(self.samples / SAMPLE_RATE - (now - self.began) - least, least)


class FallbackSpeaker:
    """The mouth of one call. Each provider's speaker is opened when it is first needed, and again after it failed."""

    def __init__(
        self, mouths: Sequence[TextToSpeech], records: dict[str, Record], agent: AgentDefinition, health: Health
    ) -> None:
        self._mouths = {mouth.name: mouth for mouth in mouths}
        self._records = records
        self._agent = agent
        self._health = health
        self._open: dict[str, Speaker] = {}

    async def begin(self) -> None:
        """Open the first speaker that can be opened, while it rings. Raises `ProviderError` when none can."""
        failure: ProviderError = ProviderUnavailable("all", "all_down", "no mouth may be asked now")
        for record, _ in self._health.admitted(self._records.values()):
            try:
                await self._speaker(record, is_pressed=False)
                record.breaker.released()
                return
            except ProviderError as error:
                record.failed(error, self._health.clock())
                failure = error
        raise failure

    async def speak(self, text: str) -> AsyncGenerator[SpokenAudio, None]:
        """Stream one segment, in one voice or more. Raises `ProviderError` when no voice is left."""
        segment = _Segment(text)
        while rest := segment.rest.strip():
            attempt = await race(self._candidates(segment, rest), self._health, self._health.hedges[Stage.MOUTH])
            try:
                while (piece := await attempt.next(self._patience(segment, attempt.record))) is not None:
                    segment.took(piece, self._health.clock())
                    yield piece
                return
            except ProviderError as error:
                provider = attempt.record.provider
                attempt.record.failed(error, self._health.clock())
                segment.failed.add(provider)
                await self._forget(provider)
                log.warning("mouth_replaced", provider=provider, error=str(error), words=len(segment.words))
                if len(segment.failed) == len(self._mouths):
                    raise
            finally:
                attempt.call_off()

    def _patience(self, segment: _Segment, record: Record) -> float:
        """How long the next piece may take; with nobody to take over there is nothing to hurry for."""
        deadlines = self._health.deadlines
        if len(self._mouths) - len(segment.failed) <= 1:
            return deadlines.give_up_bounds[1]
        return segment.patience(self._health.clock(), stall_within(record.pauses, deadlines))

    async def close(self) -> None:
        """Close every speaker that was opened. Twice is allowed."""
        while self._open:
            _, speaker = self._open.popitem()
            await speaker.close()

    def _candidates(self, segment: _Segment, rest: str) -> list[Candidate[SpokenAudio]]:
        records = [record for name, record in self._records.items() if name not in segment.failed]
        return [self._candidate(record, admission, rest) for record, admission in self._health.askable(records)]

    def _candidate(self, record: Record, admission: Admission, rest: str) -> Candidate[SpokenAudio]:
        return Candidate(record, admission, lambda: self._spoken(record, rest))

    async def _spoken(self, record: Record, text: str) -> AsyncIterator[SpokenAudio]:
        speaker = await self._speaker(record)
        async for piece in speaker.speak(text):
            yield SpokenAudio(piece.audio, piece.words, record.provider)

    async def _speaker(self, record: Record, *, is_pressed: bool = True) -> Speaker:
        if record.provider not in self._open:
            before = self._health.clock()
            within = connect_within(record.connect, self._health.deadlines, is_pressed=is_pressed and not record.is_spare)
            try:
                async with asyncio.timeout(within):
                    self._open[record.provider] = await self._mouths[record.provider].open(self._agent)
            except TimeoutError:
                raise ProviderUnavailable(record.provider, "timeout", f"no connection in {within:.1f} s") from None
            record.connected(self._health.clock() - before)
        return self._open[record.provider]

    async def _forget(self, provider: str) -> None:
        speaker = self._open.pop(provider, None)
        if speaker is not None:
            await speaker.close()
