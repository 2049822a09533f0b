"""Listens without an account: pocketsphinx in worker processes, with a language model of the playbook's own expected words.

Good for a known vocabulary and clear speech (the demo, tests, a trial). Not for free speech on a real telephone line.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from context.briefing import Briefing
from voice.agent import AgentDefinition
from voice.events import Transcribed
from voice.providers.embedded.wire import Audio, Close, Expect, Finish, Heard, OpenEars, Prepare, Ready
from voice.providers.embedded.worker import Channel, Worker

_CALLS_PER_PROCESS: Final = 8
_MOST_PROCESSES: Final = 4


class EmbeddedEars:
    """Speech to text on this machine: models are kept under `home`; at most `processes` are started, as calls need them."""

    name = "embedded"

    def __init__(self, home: Path, processes: int = 0) -> None:
        module, folder = "voice.providers.embedded.ears_worker", str(home / "ears")
        most = processes or min(_MOST_PROCESSES, os.cpu_count() or 1)
        self._workers = [Worker(module, (folder,)) for _ in range(most)]

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that run now."""
        return tuple(worker.pid for worker in self._workers if worker.pid is not None)

    async def start(self, agents: Sequence[AgentDefinition] = ()) -> None:
        """Start one process and make these agents' models, so that no call waits for them. Raises `ProviderError`."""
        await self._workers[0].start()
        for agent in agents:
            channel = await self._workers[0].open()
            try:
                channel.send(Prepare(channel.number, agent))
                while not isinstance(await channel.receive(), Ready):
                    pass
            finally:
                channel.close()

    async def open(self, agent: AgentDefinition, briefing: Briefing) -> EmbeddedTranscriber:
        """The ears of one call. Raises `ProviderError`."""
        channel = await self._worker().open()
        try:
            channel.send(OpenEars(channel.number, agent))
            while not isinstance(await channel.receive(), Ready):
                pass
        except BaseException:
            channel.close()
            raise
        return EmbeddedTranscriber(channel)

    async def close(self) -> None:
        """End all processes."""
        for worker in self._workers:
            await worker.close()

    def _worker(self) -> Worker:
        """The least loaded running process; another one is started only when the running ones have enough calls."""
        running = [worker for worker in self._workers if worker.pid is not None]
        idle = [worker for worker in self._workers if worker.pid is None]
        best = min(running, key=lambda worker: worker.load, default=None)
        if best is None or (best.load >= _CALLS_PER_PROCESS and idle):
            return idle[0]
        return best


class EmbeddedTranscriber:
    """The ears of one call. Word times are in seconds since they were opened."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._is_closed = False

    def hear(self, audio: bytes) -> None:
        """Take caller audio (mu-law)."""
        if not self._is_closed:
            self._channel.send(Audio(self._channel.number, audio))

    def finish_utterance(self) -> None:
        """Ask for the final of what was heard so far."""
        if not self._is_closed:
            self._channel.send(Finish(self._channel.number))

    def expect(self, phrases: Sequence[str]) -> None:
        """What will be said next: listened for from the next utterance on."""
        if not self._is_closed:
            self._channel.send(Expect(self._channel.number, tuple(phrases)))

    async def events(self) -> AsyncIterator[Transcribed]:
        """Interims and finals until `close`. Raises `ProviderError` when the worker dies."""
        while not self._is_closed:
            match await self._channel.receive():
                case Heard(_, text, is_final, confidence, words):
                    yield Transcribed(text, is_final, confidence if is_final else None, words=words)
                case Close():
                    return
                case _:
                    continue

    async def close(self) -> None:
        """Stop listening. Closing twice is allowed."""
        self._is_closed = True
        self._channel.close()
