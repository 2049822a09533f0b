"""Makes stand-ins by name, with or without the embedded parts behind them. The only module here that chooses."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.vendors import mind
from benchmarks.vendors.anthropic import AnthropicStandIn
from benchmarks.vendors.deepgram import DeepgramStandIn
from benchmarks.vendors.ears import ListenerFactory, RealListener, Tell
from benchmarks.vendors.elevenlabs import ElevenLabsStandIn
from benchmarks.vendors.mind import Mind, PlaybookMind
from benchmarks.vendors.mouth import MouthPort
from benchmarks.vendors.openai import OpenAIStandIn
from benchmarks.vendors.presets import Preset
from benchmarks.vendors.standin import StandIn
from context.briefing import Briefing
from voice.agent import AgentDefinition
from voice.agent_file import parse_agent
from voice.ports import SpeechToText, TextToSpeech, Transcriber
from voice.providers.registry import make_ears, make_mind, make_mouth

VENDORS: Final = ("deepgram", "elevenlabs", "anthropic", "openai")


_NOBODY: Final = AgentDefinition("stand-in", "", "", "", "", "")


def _together(agents: Sequence[AgentDefinition]) -> AgentDefinition:
    return replace(
        agents[0],
        name="all",
        questions=tuple(question for agent in agents for question in agent.questions),
        objections=tuple(objection for agent in agents for objection in agent.objections),
        keyterms=tuple(term for agent in agents for term in agent.keyterms),
    )


class Real:
    """The embedded parts, made when they are first needed."""

    def __init__(self, agent_files: Sequence[Path] = ()) -> None:
        self.agents = tuple(parse_agent(file.read_bytes(), str(file)) for file in agent_files) or (_NOBODY,)
        self._home = TemporaryDirectory(prefix="offhook-vendors-")
        self._ears: SpeechToText | None = None
        self._mouth: TextToSpeech | None = None

    async def ears(self) -> Transcriber:
        """Ears for one more socket, for the words of all the playbooks together: a socket does not say whose call it is."""
        self._ears = self._ears or make_ears("embedded", Path(self._home.name))
        return await self._ears.open(_together(self.agents), Briefing())

    async def mouth(self) -> MouthPort:
        self._mouth = self._mouth or make_mouth("embedded")
        return await self._mouth.open(self.agents[0])

    def mind(self) -> Mind:
        return PlaybookMind(make_mind("embedded"), self.agents)

    async def close(self) -> None:
        for part in (self._ears, self._mouth):
            close = getattr(part, "close", None)
            if close is not None:
                await close()
        self._home.cleanup()


async def stand_in(name: str, preset: Preset, seed: int, script: Sequence[str] = (), real: Real | None = None) -> StandIn:
    """A stand-in, not yet started. `script`: what is heard, or answered; `real`: really listen, speak, answer."""
    match name:
        case "deepgram":
            listen = _listening(real) if real and not script else None
            return DeepgramStandIn(preset, seed, script=script, listen=listen)
        case "elevenlabs":
            return ElevenLabsStandIn(preset, seed, voice=await real.mouth() if real else None)
        case "anthropic":
            return AnthropicStandIn(preset, seed, mind=_mind(script, real))
        case "openai":
            return OpenAIStandIn(preset, seed, mind=_mind(script, real))
        case _:
            raise ValueError(f"no such vendor: {name}; there are: {', '.join(VENDORS)}")


def _mind(script: Sequence[str], real: Real | None) -> Mind | None:
    if script:
        return mind.scripted(*script)
    return real.mind() if real else None


def _listening(real: Real) -> ListenerFactory:
    return lambda tell: _Late(tell, real)


class _Late:
    """A listener whose ears are opened while the first audio is already arriving."""

    def __init__(self, tell: Tell, real: Real) -> None:
        self._tell = tell
        self._early = bytearray()
        self._listener: RealListener | None = None
        self._expected: tuple[str, ...] = ()
        self._opening = asyncio.create_task(self._open(real))

    async def _open(self, real: Real) -> None:
        self._listener = RealListener(self._tell, await real.ears())
        self._listener.expect(self._expected)
        self._listener.hear(bytes(self._early))

    def hear(self, audio: bytes) -> None:
        if self._listener is None:
            self._early += audio
        else:
            self._listener.hear(audio)

    @property
    def is_settled(self) -> bool:
        return self._listener is not None and self._listener.is_settled

    def settle(self) -> None:
        if self._listener is not None:
            self._listener.settle()

    def finish(self) -> None:
        if self._listener is not None:
            self._listener.finish()

    def expect(self, phrases: Sequence[str]) -> None:
        self._expected = tuple(phrases)
        if self._listener is not None:
            self._listener.expect(phrases)

    async def close(self) -> None:
        self._opening.cancel()
        await asyncio.gather(self._opening, return_exceptions=True)
        if self._listener is not None:
            await self._listener.close()
