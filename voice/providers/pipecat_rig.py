"""A running pipecat pipeline with one service in it, and a way in and a way out: what pipecat wants around a service."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from voice.errors import ProviderError, ProviderUnavailable
from voice.events import SAMPLE_RATE
from voice.providers.extras import load

_START_WITHIN: Final = 5.0  # seconds for a pipeline to start
_STALLED: Final = 10.0  # seconds without a frame


class Rig:
    """One running pipeline with one service in it."""

    def __init__(self, name: str, service: Any) -> None:
        self.name = name
        self.out: asyncio.Queue[Any] = asyncio.Queue()  # frames, or a `ProviderError`
        worker = load("pipecat.pipeline.worker", "pipecat")
        pipeline = load("pipecat.pipeline.pipeline", "pipecat")
        params = worker.PipelineParams(audio_in_sample_rate=SAMPLE_RATE, audio_out_sample_rate=SAMPLE_RATE)
        self._worker: Any = worker.PipelineWorker(
            pipeline.Pipeline([service, _tap(self.out)]),
            params=params,
            cancel_on_idle_timeout=False,
            enable_rtvi=False,
            enable_turn_tracking=False,
        )
        self._runner: Any = load("pipecat.workers.runner", "pipecat").WorkerRunner(
            handle_sigint=False, check_dangling_tasks=False
        )
        self._started = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self.is_closed = False

    async def start(self) -> None:
        """Run the pipeline. Raises `ProviderUnavailable` when it does not come up in time."""

        async def started(_worker: Any, _frame: Any) -> None:
            self._started.set()

        async def failed(_worker: Any, frame: Any) -> None:
            self.out.put_nowait(ProviderUnavailable(self.name, "server_error", str(frame.error)[:200]))

        self._worker.add_event_handler("on_pipeline_started", started)
        self._worker.add_event_handler("on_pipeline_error", failed)
        await self._runner.add_workers(self._worker)
        self._running = asyncio.create_task(self._runner.run())
        try:
            async with asyncio.timeout(_START_WITHIN):
                await self._started.wait()
        except TimeoutError:
            await self.close()
            raise ProviderUnavailable(self.name, "timeout", "the pipeline did not start") from None

    async def send(self, frame: Any) -> None:
        await self._worker.queue_frame(frame)

    async def receive(self) -> Any:
        """The next frame. Raises `ProviderError` when the service reports one, or nothing comes."""
        try:
            async with asyncio.timeout(_STALLED):
                frame = await self.out.get()
        except TimeoutError:
            raise ProviderUnavailable(self.name, "stalled") from None
        if isinstance(frame, ProviderError):
            raise frame
        return frame

    async def close(self) -> None:
        """Cancel the pipeline. Twice is allowed."""
        if self.is_closed:
            return
        self.is_closed = True
        with suppress(Exception):  # it may be half up or half down: either way it is to be gone
            await self._worker.cancel()
        if self._running is not None:
            await asyncio.wait([self._running], timeout=2.0)
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)


def _tap(out: asyncio.Queue[Any]) -> Any:
    """A frame processor that hands every frame that comes down to us."""
    base: Any = load("pipecat.processors.frame_processor", "pipecat")

    class Tap(base.FrameProcessor):  # type: ignore[misc]
        async def process_frame(self, frame: Any, direction: Any) -> None:
            await super().process_frame(frame, direction)
            if direction == base.FrameDirection.DOWNSTREAM:
                out.put_nowait(frame)
            await self.push_frame(frame, direction)

    return Tap()
