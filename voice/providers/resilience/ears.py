"""Several ears behind the port of one: when they fail in mid-call, the next ears hear again what is not final yet.

The caller's audio never waits and is never lost: while new ears are being opened it is kept, and they catch up faster than
the caller speaks. Word times stay those of the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from context.briefing import Briefing
from voice.agent import AgentDefinition
from voice.errors import ProviderError, ProviderUnavailable
from voice.events import Transcribed
from voice.ports import SpeechToText, Transcriber
from voice.pricing.consumption import Stage
from voice.providers.call_ears import CallEars
from voice.providers.resilience.health import Health, Record
from voice.providers.resilience.latency import connect_within, final_within
from voice.providers.resilience.replay import Replay, shifted

log = structlog.get_logger()


class FallbackEars:
    """An ordered list of ears. One `Health` is shared by all calls of the process."""

    def __init__(self, ears: Sequence[SpeechToText], health: Health) -> None:
        self.name = "+".join(one.name for one in ears)
        self._ears = {one.name: one for one in ears}
        self._health = health
        self._records = {one.name: health.record(Stage.EARS, one.name) for one in ears}

    async def open(self, agent: AgentDefinition, briefing: Briefing) -> FallbackTranscriber:
        """Open the first ears that can be opened. Raises `ProviderError` when none can."""
        ears = FallbackTranscriber(self._ears, self._records, agent, briefing, self._health)
        await ears.begin()
        return ears

    async def close(self) -> None:
        for one in self._ears.values():
            if (close := getattr(one, "close", None)) is not None:
                await close()


class FallbackTranscriber(CallEars):
    """The ears of one call."""

    def __init__(
        self,
        ears: dict[str, SpeechToText],
        records: dict[str, Record],
        agent: AgentDefinition,
        briefing: Briefing,
        health: Health,
    ) -> None:
        super().__init__()
        self._ears = ears
        self._records = records
        self._agent = agent
        self._briefing = briefing
        self._health = health
        self._replay = Replay()
        self._inner: Transcriber | None = None
        self._record: Record | None = None
        self._base = 0.0  # seconds of the call before the present ears began to listen
        self._expected: tuple[str, ...] = ()
        self._asked_at: float | None = None
        self._reader: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Open the first ears. Raises `ProviderError` when none can be opened."""
        await self._open(first_choice=list(self._records.values()))
        self._reader = asyncio.create_task(self._read())

    # --- the port ---

    def hear(self, audio: bytes) -> None:
        """Take caller audio: to the ears when there are any, and into the replay."""
        self._replay.hear(audio)
        if self._inner is not None:
            self._inner.hear(audio)

    def finish_utterance(self) -> None:
        """Ask for the final; ears that do not give it in time are replaced, if there are others."""
        self._replay.asked()
        if self._asked_at is None:
            self._asked_at = self._health.clock()
            self._restart_timer()
        if self._inner is not None:
            self._inner.finish_utterance()

    def expect(self, phrases: Sequence[str]) -> None:
        """Pass the hint on, to these ears and to any after them."""
        self._expected = tuple(phrases)
        if self._inner is not None:
            self._inner.expect(phrases)

    async def _end(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._drop()

    # --- ears after ears ---

    async def _read(self) -> None:
        try:
            while True:
                try:
                    await self._listen()
                    return
                except ProviderError as error:
                    await self._replace(error)
        except ProviderError as error:
            self._tell(error)

    async def _listen(self) -> None:
        """Pass on what the present ears hear, until they fail or are closed."""
        assert self._inner is not None
        async for heard in self._inner.events():
            self._take(shifted(heard, self._base))
        if not self._is_closed:
            raise ProviderUnavailable(self._provider, "dropped", "the ears stopped listening")

    def _take(self, heard: Transcribed) -> None:
        record = self._record
        if heard.is_final:
            if self._asked_at is not None and record is not None:
                record.succeeded(self._health.clock() - self._asked_at)
            self._asked_at = None
            self._stop_timer()
            self._replay.final(heard.words)
        self._tell(heard)

    async def _replace(self, error: ProviderError) -> None:
        """Open other ears and let them hear again what is not final. The failed ones may try again, last."""
        failed = self._record
        assert failed is not None
        failed.failed(error, self._health.clock())
        log.warning("ears_replaced", provider=failed.provider, error=str(error), replayed=len(self._replay.audio) / 8000)
        await self._drop()
        others = [record for record in self._records.values() if record is not failed]
        await self._open(first_choice=[*others, failed])
        if self._asked_at is not None:
            self._restart_timer()

    async def _open(self, first_choice: list[Record]) -> None:
        """The first that can be opened. In mid-call those that are down are tried too, last: a call without ears is over."""
        failure: ProviderError = ProviderUnavailable("all", "all_down", "no ears may be asked now")
        up = [record for record, _ in self._health.admitted(first_choice)]
        down = [record for record in first_choice if record not in up] if self._replay.position else []
        for record in (chosen := (*up, *down)):
            is_pressed = bool(self._replay.position) and record is not chosen[-1]
            try:
                inner = await self._connect(record, is_pressed=is_pressed)
            except ProviderError as error:
                record.failed(error, self._health.clock())
                failure = error
                continue
            finally:
                record.breaker.released()
            self._begin_with(inner, record)
            return
        raise failure

    async def _connect(self, record: Record, *, is_pressed: bool) -> Transcriber:
        before = self._health.clock()
        within = connect_within(record.connect, self._health.deadlines, is_pressed=is_pressed)
        try:
            async with asyncio.timeout(within):
                inner = await self._ears[record.provider].open(self._agent, self._briefing)
        except TimeoutError:
            raise ProviderUnavailable(record.provider, "timeout", f"no connection in {within:.1f} s") from None
        record.connected(self._health.clock() - before)
        return inner

    def _begin_with(self, inner: Transcriber, record: Record) -> None:
        self._inner, self._record = inner, record
        self._base = self._replay.start
        if self._expected:
            inner.expect(self._expected)
        if audio := self._replay.audio:
            inner.hear(audio)
        if self._asked_at is not None:
            inner.finish_utterance()

    async def _drop(self) -> None:
        inner, self._inner = self._inner, None
        if inner is not None:
            with suppress(ProviderError):
                await inner.close()

    # --- the final that does not come ---

    def _too_late(self) -> None:
        self._timer = None
        if len(self._ears) == 1 or self._reader is None:
            return  # the only ears there are: their own timer, or their error, will come
        self._reader.cancel()
        late = ProviderUnavailable(self._provider, "stalled", "the final that was asked for did not come")
        self._reader = asyncio.create_task(self._go_on_after(self._reader, late))

    async def _go_on_after(self, reader: asyncio.Task[None], late: ProviderError) -> None:
        await asyncio.gather(reader, return_exceptions=True)
        try:
            await self._replace(late)
        except ProviderError as error:
            self._tell(error)
            return
        await self._read()

    def _restart_timer(self) -> None:
        if self._record is not None:
            self._start_timer(final_within(self._record.first, self._health.deadlines), self._too_late)

    @property
    def _provider(self) -> str:
        return self._record.provider if self._record is not None else "nobody"
