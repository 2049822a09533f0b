"""Any pipecat service as ears, mind or mouth: `pipecat:deepgram`, `pipecat:openai?model=...&base_url=...`.

A pipecat service lives in a pipeline; here each has one of its own, with nothing before and after it but a way in and a
way out. Options go to the service's `Settings` when those have a field of that name, else to its constructor; `class`
chooses between several services of one module. A missing `api_key` is taken from the vendor's usual environment variable.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import json
import os
from collections.abc import AsyncGenerator, Mapping
from types import MappingProxyType, ModuleType
from typing import Any, Final

from context.briefing import Briefing
from voice.agent import AgentDefinition
from voice.errors import ProviderError, ProviderRejected
from voice.events import SAMPLE_RATE, Transcribed
from voice.ports import ModelOutput, Prompt, SpokenAudio, TextDelta, ToolRequest
from voice.pricing.consumption import Consumption, Stage, bill
from voice.providers.extras import load
from voice.providers.finding import family_of, found_language
from voice.providers.openai import as_messages
from voice.providers.pipecat_rig import Rig
from voice.providers.plugin import PlugIn, ToMulaw
from voice.providers.plugin_parts import PlugInEars, PlugInPart, check_ears, check_mind, check_mouth, spoken
from voice.providers.prompting import call_notes, chat_turns, standing_orders, tool_cards
from voice.providers.trouble import from_transport


class _Part(PlugInPart):
    """A kind of service: STT, LLM or TTS."""

    framework = "pipecat"

    def __init__(self, plugin: PlugIn, kind: str) -> None:
        super().__init__(plugin)
        self._options = dict(plugin.options)
        vendor, _, _ = plugin.module.partition(".")
        module = load(f"pipecat.services.{plugin.module}.{kind.lower()}", "pipecat")
        self._class: Any = _service(module, kind, str(self._options.pop("class", "")), self.name)
        self.frames: Any = load("pipecat.frames.frames", "pipecat")
        self._vendor = vendor

    def settable(self) -> set[str]:
        """What the service's settings know."""
        takes = inspect.signature(self._class).parameters
        return {field.name for field in dataclasses.fields(self._class.Settings)} if "settings" in takes else set()

    def service(self, extra: Mapping[str, object]) -> Any:
        """A new service. Raises `ProviderRejected` when it does not take the options, or misses its key."""
        takes, known = inspect.signature(self._class).parameters, self.settable()
        wanted = {**extra, **self._options}
        options = {name: value for name, value in wanted.items() if name not in known}
        if "api_key" in takes and "api_key" not in options:
            options["api_key"] = os.environ.get(f"{self._vendor.upper()}_API_KEY", "")
        try:
            if settings := {name: value for name, value in wanted.items() if name in known}:
                options["settings"] = self._class.Settings(**settings)
            return self._class(**options)
        except (TypeError, ValueError) as error:
            raise ProviderRejected(self.name, "bad_request", str(error)) from error

    async def rig(self, prepare: Any = None, extra: Mapping[str, object] = MappingProxyType({})) -> Rig:
        """A pipeline around a new service, running; `extra` options give way to the operator's. Raises `ProviderError`."""
        service = self.service(extra)
        if prepare is not None:
            prepare(service)
        rig = Rig(self.name, service)
        await rig.start()
        return rig

    async def close(self) -> None:
        """Every call's pipeline is closed with its call."""


def _service(module: ModuleType, kind: str, wanted: str, name: str) -> Any:
    """The service class of a module: the named one, or the one with the shortest name."""
    suffix = f"{kind}Service"
    found = [
        value
        for key, value in vars(module).items()
        if inspect.isclass(value) and key.endswith(suffix) and value.__module__ == module.__name__
    ]
    found = [value for value in found if not value.__name__.startswith("Base")]
    if wanted:
        found = [value for value in found if value.__name__ == wanted]
    if not found:
        raise ProviderRejected(name, "unknown_provider", f"{module.__name__} has no {wanted or suffix}")
    return min(found, key=lambda value: len(value.__name__))


# --- ears -------------------------------------------------------------------------------------------------------------

_USUAL: Final = "en"  # what services listen for that are told nothing; those that find out for themselves contradict it


class PipecatEars(_Part):
    def __init__(self, plugin: PlugIn) -> None:
        super().__init__(plugin, "STT")

    async def check(self) -> None:
        """Whether its vendor answers. Raises `ProviderError`."""
        await check_ears(self)

    async def open(self, agent: AgentDefinition, briefing: Briefing) -> _Ears:
        """Ears for one call. Raises `ProviderError`."""
        extra = self._language(agent)
        asked = str(self.plugin.options.get("language") or extra.get("language") or _USUAL)
        return _Ears(self, await self.rig(extra=extra), asked)

    def _language(self, agent: AgentDefinition) -> dict[str, object]:
        """The agent's language, for a service that would listen for the usual one."""
        is_usual = family_of(agent.language) == _USUAL or "language" not in self.settable()
        return {} if is_usual else {"language": agent.language}


class _Ears(PlugInEars):
    def __init__(self, part: PipecatEars, rig: Rig, asked: str) -> None:
        super().__init__(part.name)
        self._asked = asked
        self._frames = part.frames
        self._rig = rig
        self._inbox: asyncio.Queue[Any] = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._read())]

    def _feed(self, pcm: bytes, samples: int) -> None:
        self._inbox.put_nowait(self._frames.InputAudioRawFrame(pcm, SAMPLE_RATE, 1))

    def _flush(self) -> None:
        self._inbox.put_nowait(self._frames.VADUserStoppedSpeakingFrame())

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._rig.close()

    async def _send(self) -> None:
        try:
            while True:
                await self._rig.send(await self._inbox.get())
        except Exception as error:  # whatever its plumbing raises
            self.failed(from_transport(self._name, error))

    async def _read(self) -> None:
        while True:
            frame = await self._rig.out.get()
            if isinstance(frame, ProviderError):
                self.failed(frame)
                return
            if isinstance(frame, self._frames.TranscriptionFrame):
                self.told(self._transcribed(frame, is_final=True))
            elif isinstance(frame, self._frames.InterimTranscriptionFrame):
                self.told(self._transcribed(frame, is_final=False))

    def _transcribed(self, frame: Any, *, is_final: bool) -> Transcribed:
        language = found_language(frame.language, len(frame.text.split()), self._asked)
        return Transcribed(frame.text, is_final, language=language)


# --- mind -------------------------------------------------------------------------------------------------------------


class PipecatMind(_Part):
    """Keeps the pipelines of finished replies for the next ones: starting one takes tens of milliseconds."""

    def __init__(self, plugin: PlugIn) -> None:
        super().__init__(plugin, "LLM")
        self._context: Any = load("pipecat.processors.aggregators.llm_context", "pipecat").LLMContext
        schema = load("pipecat.adapters.llm.schemas.function_schema", "pipecat").FunctionSchema
        self._tools: list[Any] = [
            schema(card.name, card.description, _properties(card.parameters), _required(card.parameters))
            for card in tool_cards()
        ]
        self._idle: list[Rig] = []

    async def check(self) -> None:
        """Whether its vendor answers. Raises `ProviderError`."""
        await check_mind(self.reply)

    async def reply(self, prompt: Prompt) -> AsyncGenerator[ModelOutput, None]:
        """Stream one reply. Raises `ProviderError`."""
        rig = self._idle.pop() if self._idle else await self.rig(self._accept_tools)
        is_whole = False
        written = 0
        try:
            await rig.send(self.frames.LLMContextFrame(self._asked(prompt)))
            while not isinstance(frame := await rig.receive(), self.frames.LLMFullResponseEndFrame):
                for output in self._outputs(frame):
                    written += len(output.text) if isinstance(output, TextDelta) else 0
                    yield output
            while not rig.out.empty():  # tool calls may be announced after the end of the words
                for output in self._outputs(await rig.receive()):
                    yield output
            is_whole = True
        except (GeneratorExit, asyncio.CancelledError, ProviderError):
            raise
        except Exception as error:
            raise from_transport(self.name, error) from error
        finally:
            if is_whole:
                self._idle.append(rig)
            else:
                await rig.close()
            bill(Consumption(Stage.MIND, self.name, tokens_out=written // 4, is_wasted=not is_whole))

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()

    def _outputs(self, frame: Any) -> list[ModelOutput]:
        if isinstance(frame, self.frames.LLMTextFrame):
            return [TextDelta(frame.text)] if frame.text else []
        if isinstance(frame, self.frames.FunctionCallsStartedFrame):
            return [
                ToolRequest(call.tool_call_id, call.function_name, _json(call.arguments)) for call in frame.function_calls
            ]
        return []

    def _asked(self, prompt: Prompt) -> Any:
        system = f"{standing_orders(prompt.agent)}\n\n{call_notes(prompt.briefing, prompt.direction)}"
        messages = [{"role": "system", "content": system}, *as_messages(chat_turns(prompt.messages))]
        return self._context(messages=messages, tools=self._tools)

    def _accept_tools(self, service: Any) -> None:
        """The conversation runs the tools; the service is told only that they were taken, and not to go on."""
        properties = self.frames.FunctionCallResultProperties(run_llm=False)

        async def taken(params: Any) -> None:
            await params.result_callback({"status": "taken"}, properties=properties)

        service.register_function(None, taken)


def _properties(parameters: dict[str, object]) -> dict[str, object]:
    properties = parameters.get("properties")
    return properties if isinstance(properties, dict) else {}


def _required(parameters: dict[str, object]) -> list[str]:
    required = parameters.get("required")
    return required if isinstance(required, list) else []


def _json(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


# --- mouth ------------------------------------------------------------------------------------------------------------


class PipecatMouth(_Part):
    def __init__(self, plugin: PlugIn) -> None:
        super().__init__(plugin, "TTS")

    async def check(self, agent: AgentDefinition) -> None:
        """Whether its vendor answers. Raises `ProviderError`."""
        await check_mouth(self, agent)

    async def open(self, agent: AgentDefinition) -> _Mouth:
        """A mouth for one call. Raises `ProviderError`."""
        return _Mouth(self, await self.rig())


class _Mouth:
    def __init__(self, part: PipecatMouth, rig: Rig) -> None:
        self._part = part
        self._rig = rig

    def speak(self, text: str) -> AsyncGenerator[SpokenAudio, None]:
        """Stream one segment, without word times. Raises `ProviderError`."""
        return spoken(self._part.name, text, self._pieces(text))

    async def _pieces(self, text: str) -> AsyncGenerator[SpokenAudio, None]:
        frames, is_whole = self._part.frames, False
        to_mulaw: ToMulaw | None = None
        try:
            await self._rig.send(frames.TTSSpeakFrame(text, append_to_context=False))
            while not isinstance(frame := await self._rig.receive(), frames.TTSStoppedFrame):
                if isinstance(frame, frames.TTSAudioRawFrame):
                    to_mulaw = to_mulaw or ToMulaw(frame.sample_rate)
                    if audio := to_mulaw.convert(frame.audio):
                        yield SpokenAudio(audio)
            if to_mulaw is not None and (audio := to_mulaw.convert(b"", is_last=True)):
                yield SpokenAudio(audio)
            is_whole = True
        except (GeneratorExit, asyncio.CancelledError, ProviderError):
            raise
        except Exception as error:
            raise from_transport(self._part.name, error) from error
        finally:
            if not is_whole:
                await self._interrupt()

    async def _interrupt(self) -> None:
        """Stop what is being said, and forget what of it has come."""
        if not self._rig.is_closed:
            await self._rig.send(self._part.frames.InterruptionFrame())
        while not self._rig.out.empty():
            self._rig.out.get_nowait()

    async def close(self) -> None:
        """Close. Twice is allowed."""
        await self._rig.close()
