"""Any `livekit-agents` plug-in as ears, mind or mouth: `livekit:deepgram`, `livekit:openai?model=...`.

The plug-ins are used as libraries, without a LiveKit server, room or job. Their own retries are off: whoever wraps us
decides whom to ask next. Facts read in livekit-agents 1.8: plug-ins must be imported on the main thread; those that take an
`http_session` need to be given one outside of a job; a Deepgram `flush` gives a final, but END_OF_SPEECH never comes; timed
words of the voices count from different starts, so they are not used.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any, Final

from context.briefing import Briefing
from voice.agent import AgentDefinition
from voice.errors import ProviderError, ProviderRejected
from voice.events import SAMPLE_RATE, Transcribed, Word
from voice.ports import ModelOutput, Prompt, SpokenAudio, TextDelta, ToolRequest, Usage
from voice.pricing.consumption import Consumption, Stage, bill
from voice.providers.extras import load
from voice.providers.finding import family_of, found_language
from voice.providers.plugin import PlugIn, ToMulaw
from voice.providers.plugin_parts import PlugInEars, PlugInPart, check_ears, check_mind, check_mouth, spoken
from voice.providers.prompting import call_notes, chat_turns, standing_orders, tool_cards
from voice.providers.trouble import from_status, from_transport

_TIMEOUT: Final = 10.0


class _Part(PlugInPart):
    """A part of a plug-in: STT, LLM or TTS, made when first needed because some want a running loop."""

    framework = "livekit"

    def __init__(self, plugin: PlugIn, kind: str) -> None:
        super().__init__(plugin)
        self._agents = load("livekit.agents", "livekit")
        module = load(f"livekit.plugins.{plugin.module}", "livekit")
        self._factory: Any = getattr(module, kind, None)
        if self._factory is None:
            raise ProviderRejected(self.name, "unknown_provider", f"the plug-in has no {kind}")
        self._made: Any = None
        self._session: Any = None

    def made(self) -> Any:
        """The plug-in's object. Raises `ProviderRejected` when it does not take the options, or misses its key."""
        if self._made is None:
            options = dict(self.plugin.options)
            if "http_session" in inspect.signature(self._factory).parameters:
                self._session = load("aiohttp", "livekit").ClientSession()
                options["http_session"] = self._session
            try:
                self._made = self._factory(**options)
            except (TypeError, ValueError) as error:
                raise ProviderRejected(self.name, "bad_request", str(error)) from error
        return self._made

    def connection(self) -> Any:
        """One try, with a time-out."""
        return self._agents.APIConnectOptions(max_retry=0, timeout=_TIMEOUT)

    def translate(self, error: BaseException) -> ProviderError:
        if isinstance(error, ProviderError):
            return error
        status = getattr(error, "status_code", None)
        if isinstance(status, int) and status > 0:
            return from_status(self.name, status, str(error))
        return from_transport(self.name, error)

    async def close(self) -> None:
        made, self._made = self._made, None
        if made is not None:
            await made.aclose()
        if self._session is not None:
            await self._session.close()


# --- ears -------------------------------------------------------------------------------------------------------------


class LiveKitEars(_Part):
    def __init__(self, plugin: PlugIn) -> None:
        super().__init__(plugin, "STT")
        self._frame: Any = load("livekit.rtc", "livekit").AudioFrame

    async def check(self) -> None:
        """Whether its vendor answers. Raises `ProviderError`."""
        await check_ears(self)

    async def open(self, agent: AgentDefinition, briefing: Briefing) -> _Ears:
        """Ears for one call; the plug-in connects by itself. Raises `ProviderError`."""
        asked, is_told = self._language(agent)
        try:
            told = {"language": asked} if is_told else {}
            stream = self.made().stream(conn_options=self.connection(), **told)
        except Exception as error:
            raise self.translate(error) from error
        return _Ears(self, stream, self._frame, asked)

    def _language(self, agent: AgentDefinition) -> tuple[str, bool]:
        """The language it listens for, empty where it finds that out itself, and whether it must be told: the options come
        first, then what the agent speaks, where that is not what the plug-in takes for granted."""
        options = self.plugin.options
        if options.get("detect_language") is True:
            return "", False
        if option := options.get("language"):
            return str(option), False
        takes = inspect.signature(self._factory).parameters
        usual = takes["language"].default if "language" in takes else None
        if not isinstance(usual, str):
            return "", False
        is_ours = family_of(usual) == family_of(agent.language)
        return (usual, False) if is_ours else (agent.language, True)


class _Ears(PlugInEars):
    def __init__(self, part: LiveKitEars, stream: Any, frame: Any, asked: str) -> None:
        super().__init__(part.name)
        self._asked = asked
        self._part = part
        self._stream = stream
        self._frame = frame
        self._reader = asyncio.create_task(self._read())

    def _feed(self, pcm: bytes, samples: int) -> None:
        with suppress(RuntimeError):  # the stream has failed: its error is on its way
            self._stream.push_frame(self._frame(pcm, SAMPLE_RATE, 1, samples))

    def _flush(self) -> None:
        with suppress(RuntimeError):
            self._stream.flush()

    async def _stop(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        with suppress(Exception):  # what a broken stream says when it is closed does not matter any more
            await self._stream.aclose()

    async def _read(self) -> None:
        try:
            async for event in self._stream:
                if event.alternatives and event.type.value in _TRANSCRIPTS:
                    self.told(_transcribed(event.type.value, event.alternatives[0], self._asked))
        except Exception as error:
            self.failed(self._part.translate(error))


_TRANSCRIPTS: Final = ("interim_transcript", "preflight_transcript", "final_transcript")


def _transcribed(kind: str, best: Any, asked: str) -> Transcribed:
    words = tuple(Word(str(word), float(word.start_time), float(word.end_time)) for word in best.words or ())
    end = 0.5 if kind == "preflight_transcript" else None
    language = found_language(best.language, len(best.text.split()), asked)
    confidence = None if best.confidence is None else float(best.confidence)  # plug-ins have numpy's floats, too
    return Transcribed(best.text, kind == "final_transcript", confidence, None, words, end, language)


# --- mind -------------------------------------------------------------------------------------------------------------


class LiveKitMind(_Part):
    def __init__(self, plugin: PlugIn) -> None:
        super().__init__(plugin, "LLM")
        self._llm: Any = load("livekit.agents.llm", "livekit")
        self._tools = [self._tool(card.name, card.description, card.parameters) for card in tool_cards()]

    async def check(self) -> None:
        """Whether its vendor answers. Raises `ProviderError`."""
        await check_mind(self.reply)

    async def reply(self, prompt: Prompt) -> AsyncGenerator[ModelOutput, None]:
        """Stream one reply. Raises `ProviderError`."""
        try:
            stream = self.made().chat(chat_ctx=self._context(prompt), tools=self._tools, conn_options=self.connection())
            async with stream:
                async for chunk in stream:
                    for output in self._outputs(chunk):
                        yield output
        except (GeneratorExit, asyncio.CancelledError):
            raise
        except Exception as error:
            raise self.translate(error) from error

    def _outputs(self, chunk: Any) -> list[ModelOutput]:
        outputs: list[ModelOutput] = []
        if chunk.delta is not None:
            if chunk.delta.content:
                outputs.append(TextDelta(chunk.delta.content))
            outputs += [ToolRequest(call.call_id, call.name, call.arguments or "{}") for call in chunk.delta.tool_calls]
        if chunk.usage is not None:
            outputs.append(self._usage(chunk.usage))
        return outputs

    def _usage(self, usage: Any) -> Usage:
        cached = usage.prompt_cached_tokens or 0
        bill(
            Consumption(
                Stage.MIND,
                self.name,
                tokens_in=usage.prompt_tokens - cached,
                tokens_out=usage.completion_tokens,
                tokens_cached=cached,
            )
        )
        return Usage(usage.prompt_tokens, usage.completion_tokens, cached)

    def _context(self, prompt: Prompt) -> Any:
        llm = self._llm
        context = llm.ChatContext.empty()
        system = f"{standing_orders(prompt.agent)}\n\n{call_notes(prompt.briefing, prompt.direction)}"
        context.add_message(role="system", content=system)
        names: dict[str, str] = {}
        for turn in chat_turns(prompt.messages):
            for result in turn.results:
                context.items.append(
                    llm.FunctionCallOutput(
                        call_id=result.call, name=names.get(result.call, ""), output=result.text, is_error=not result.ok
                    )
                )
            if turn.text:
                context.add_message(role=turn.role, content=turn.text)
            for use in turn.uses:
                names[use.call] = use.name
                context.items.append(llm.FunctionCall(call_id=use.call, name=use.name, arguments=use.arguments))
        return context

    def _tool(self, name: str, description: str, parameters: dict[str, object]) -> Any:
        async def never(raw_arguments: dict[str, object]) -> str:
            raise AssertionError("tools are run by the conversation")

        schema = {"name": name, "description": description, "parameters": parameters}
        return self._llm.function_tool(never, raw_schema=schema)


# --- mouth ------------------------------------------------------------------------------------------------------------


class LiveKitMouth(_Part):
    def __init__(self, plugin: PlugIn) -> None:
        super().__init__(plugin, "TTS")

    async def check(self, agent: AgentDefinition) -> None:
        """Whether its vendor answers. Raises `ProviderError`."""
        await check_mouth(self, agent)

    async def open(self, agent: AgentDefinition) -> _Mouth:
        """A mouth for one call; the plug-in connects by itself. Raises `ProviderError`."""
        try:
            made = self.made()
            made.prewarm()
        except Exception as error:
            raise self.translate(error) from error
        return _Mouth(self, made)


class _Mouth:
    def __init__(self, part: LiveKitMouth, made: Any) -> None:
        self._part = part
        self._made = made

    def speak(self, text: str) -> AsyncGenerator[SpokenAudio, None]:
        """Stream one segment, without word times. Raises `ProviderError`."""
        return spoken(self._part.name, text, self._pieces(text))

    async def _pieces(self, text: str) -> AsyncGenerator[SpokenAudio, None]:
        try:
            async with self._stream(text) as stream:
                to_mulaw = ToMulaw(self._made.sample_rate)
                async for event in stream:
                    if audio := to_mulaw.convert(bytes(event.frame.data)):
                        yield SpokenAudio(audio)
                if audio := to_mulaw.convert(b"", is_last=True):
                    yield SpokenAudio(audio)
        except (GeneratorExit, asyncio.CancelledError):
            raise
        except Exception as error:
            raise self._part.translate(error) from error

    def _stream(self, text: str) -> Any:
        if not self._made.capabilities.streaming:
            return self._made.synthesize(text, conn_options=self._part.connection())
        stream = self._made.stream(conn_options=self._part.connection())
        stream.push_text(text)
        stream.end_input()
        return stream

    async def close(self) -> None:
        """The plug-in's connections are shared by all calls and closed with it."""
