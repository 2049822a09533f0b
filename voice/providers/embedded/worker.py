"""Keeps one worker process: starts it when first needed, again when it has died, and ends it for good at the exit.

A worker that dies takes its channels with it (each is told `Failed`), never the engine; the next `open` starts another.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import structlog

from voice.errors import ProviderError, ProviderRejected, ProviderUnavailable
from voice.providers.embedded.wire import ITSELF, LARGEST, LENGTH, Close, Failed, Message, Ready, pack, unpack

log = structlog.get_logger()

_START_WITHIN: Final = 30.0  # seconds: a cold machine imports numpy and loads a model
_END_WITHIN: Final = 2.0  # seconds until an unwilling worker is killed
_LARGEST_BACKLOG: Final = 4 * 1024 * 1024  # bytes not yet taken by the worker: it is stuck, not slow
_ROOT: Final = Path(__file__).resolve().parents[3]
_REJECTIONS: Final = frozenset({"no_engine", "no_voice"})


class Channel:
    """One conversation with a worker: send messages, and read those that come back."""

    def __init__(self, worker: Worker, number: int) -> None:
        self.number = number
        self._worker = worker
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._is_closed = False

    def send(self, message: Message) -> None:
        """Hand a message over. Never blocks; what a dead worker would not read is dropped (the reader learns of it)."""
        self._worker.send(message)

    def deliver(self, message: Message) -> None:
        self._inbox.put_nowait(message)

    async def receive(self) -> Message:
        """The next message. Raises `ProviderError` when the worker failed or died."""
        message = await self._inbox.get()
        if isinstance(message, Failed):
            self.close()
            raise self._worker.error(message)
        return message

    def close(self) -> None:
        """Tell the worker to stop. Closing twice is allowed."""
        if not self._is_closed:
            self._is_closed = True
            self._worker.forget(self.number)
            self.deliver(Close(self.number))  # whoever waits for a message need not wait any more


class _Process:
    """One life of a worker: the process, the task that reads it, and whether it is still of use."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.is_alive = True
        self.is_ready: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.reader: asyncio.Task[None] | None = None


class Worker:
    """`module` is run as `python -m module *arguments`; `provider` is its name in errors."""

    def __init__(self, module: str, arguments: Sequence[str] = (), provider: str = "embedded") -> None:
        self._module, self._arguments, self._provider = module, tuple(arguments), provider
        self._numbers = itertools.count(ITSELF + 1)
        self._channels: dict[int, Channel] = {}
        self._life: _Process | None = None
        self._starting = asyncio.Lock()
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """The process id while a process is there."""
        return self._life.process.pid if self._life and self._life.is_alive else None

    @property
    def load(self) -> int:
        """How many channels are open."""
        return len(self._channels)

    async def open(self) -> Channel:
        """A channel to the running worker, which is started if need be. Raises `ProviderError`."""
        await self.start()
        channel = Channel(self, next(self._numbers))
        self._channels[channel.number] = channel
        return channel

    async def start(self) -> None:
        """See that the process is there and ready. Raises `ProviderError`."""
        async with self._starting:
            if self._is_closed:
                raise ProviderUnavailable(self._provider, "closed", "the engine is shutting down")
            if self._life is not None and not self._life.is_alive:
                await self._end(self._life)
                self._life = None
            if self._life is None:
                self._life = await self._spawn()
            life = self._life
            try:
                answer = await asyncio.wait_for(asyncio.shield(life.is_ready), _START_WITHIN)
            except TimeoutError:
                await self._end(life)
                raise ProviderUnavailable(self._provider, "start_timeout", self._module) from None
            if isinstance(answer, Failed):
                await self._end(life)
                raise self.error(answer)

    async def close(self) -> None:
        """End the process and wait for it. Closing twice is allowed."""
        self._is_closed = True
        async with self._starting:
            if self._life is not None:
                await self._end(self._life)

    def send(self, message: Message) -> None:
        life = self._life
        if life is None or not life.is_alive or (pipe := life.process.stdin) is None or pipe.is_closing():
            return
        if pipe.transport.get_write_buffer_size() > _LARGEST_BACKLOG:
            log.error("worker_stuck", worker=self._module)
            life.process.kill()
            return
        pipe.write(pack(message))

    def forget(self, number: int) -> None:
        if self._channels.pop(number, None) is not None:
            self.send(Close(number))

    def error(self, failure: Failed) -> ProviderError:
        kind = ProviderRejected if failure.code in _REJECTIONS else ProviderUnavailable
        return kind(self._provider, failure.code, failure.message)

    async def _spawn(self) -> _Process:
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self._module, *self._arguments),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths)},
            )
        except OSError as error:
            raise ProviderUnavailable(self._provider, "no_process", str(error)) from None
        life = _Process(process)
        life.reader = asyncio.create_task(self._read(life), name=f"read {self._module}")
        log.info("worker_started", worker=self._module, pid=process.pid)
        return life

    async def _read(self, life: _Process) -> None:
        pipe = life.process.stdout
        assert pipe is not None
        why = "the process ended"
        try:
            while True:
                (length,) = LENGTH.unpack(await pipe.readexactly(LENGTH.size))
                if length > LARGEST:
                    why = "a message without end"
                    break
                self._deliver(life, unpack(await pipe.readexactly(length)))
        except asyncio.IncompleteReadError:
            pass
        except msgspec.MsgspecError as error:
            why = f"not a message: {error}"
        finally:
            self._died(life, why)

    def _deliver(self, life: _Process, message: Message) -> None:
        if message.channel == ITSELF:
            if isinstance(message, Ready | Failed) and not life.is_ready.done():
                life.is_ready.set_result(message)
        elif (channel := self._channels.get(message.channel)) is not None:
            channel.deliver(message)

    def _died(self, life: _Process, why: str) -> None:
        life.is_alive = False  # not killed here: asyncio's kill may reap a process that its watcher is still waiting for
        if not life.is_ready.done():
            life.is_ready.set_result(Failed(ITSELF, "worker_died", why))
        if not self._is_closed:
            log.error("worker_died", worker=self._module, why=why, channels=len(self._channels))
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            channel.deliver(Failed(channel.number, "worker_died", why))

    async def _end(self, life: _Process) -> None:
        """Let the worker leave by closing its input, else kill it; wait until it is gone and its pipes are closed."""
        process = life.process
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _END_WITHIN)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if life.reader is not None:
            await asyncio.gather(life.reader, return_exceptions=True)
