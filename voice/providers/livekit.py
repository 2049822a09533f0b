"""Any `livekit-agents` plug-in as ears, mind or mouth: `livekit:deepgram`, `livekit:openai?model=...`.

The plug-ins are used as libraries, without a LiveKit server, room or job. Their own retries are off: whoever wraps us
decides whom to ask next. Facts read in livekit-agents 1.8: plug-ins must be imported on the main thread; those that take an
`http_session` need to be given one outside of a job; a Deepgram `flush` gives a final, but END_OF_SPEECH never comes; timed
words of the voices count from different starts, so they are not used.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from typing import Any, Final

from context.briefing import Briefing
from telephony.audio import decode
from voice.agent import AgentDefinition
from voice.errors import ProviderError, ProviderRejected
from voice.events import SAMPLE_RATE, Transcribed, Word
from voice.ports import ModelOutput, Prompt, SpokenAudio, TextDelta, ToolRequest, Usage
from voice.pricing.consumption import Consumption, Stage, bill
from voice.providers.extras import load
from voice.providers.plugin import LastInterim, PlugIn, ToMulaw, parse_name
from voice.providers.prompting import call_notes, chat_turns, standing_orders, tool_cards
from voice.providers.trouble import from_status, from_transport

_FINAL_AFTER: Final = 0.8  # seconds a plug-in may take for the final it was asked for
_TIMEOUT: Final = 10.0


def livekit_ears(name: str) -> LiveKitEars:
    """Ears of a plug-in. Raises `ProviderRejected`: no such plug-in, or it is not installed."""
    return LiveKitEars(parse_name("livekit", name))


def livekit_mind(name: str) -> LiveKitMind:
    """A mind of a plug-in. Raises `ProviderRejected`: no such plug-in, or it is not installed."""
    return LiveKitMind(parse_name("livekit", name))


def livekit_mouth(name: str) -> LiveKitMouth:
    """A mouth of a plug-in. Raises `ProviderRejected`: no such plug-in, or it is not installed."""
    return LiveKitMouth(parse_name("livekit", name))


class _Part:
    """A part of a plug-in: STT, LLM or TTS, made when first needed because some want a running loop."""

    def __init__(self, plugin: PlugIn, kind: str) -> None:
        self.name = plugin.name
        self._plugin = plugin
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
            options = dict(self._plugin.options)
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

    async def check(self, agent: AgentDefinition | None = None) -> None:
        """Whether it can be made: options and key. Its vendor is not asked: plug-ins have no way for it."""
        self.made()

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

    async def open(self, agent: AgentDefinition, briefing: Briefing) -> _Ears:
        """Ears for one call; the plug-in connects by itself. Raises `ProviderError`."""
        try:
            stream = self.made().stream(conn_options=self.connection())
        except Exception as error:
            raise self.translate(error) from error
        return _Ears(self, stream, self._frame)


class _Ears:
    def __init__(self, part: LiveKitEars, stream: Any, frame: Any) -> None:
        self._part = part
        self._stream = stream
        self._frame = frame
        self._last = LastInterim()
        self._sent = 0
        self._timer: asyncio.TimerHandle | None = None
        self._heard: asyncio.Queue[Transcribed | ProviderError | None] = asyncio.Queue()
        self._is_closed = False
        self._reader = asyncio.create_task(self._read())

    def hear(self, audio: bytes) -> None:
        if self._is_closed or not audio:
            return
        self._sent += len(audio)
        with suppress(RuntimeError):  # the stream has failed: its error is on its way
            self._stream.push_frame(self._frame(decode(audio).tobytes(), SAMPLE_RATE, 1, len(audio)))

    def finish_utterance(self) -> None:
        if self._is_closed or self._timer is not None:
            return
        with suppress(RuntimeError):
            self._stream.flush()
        self._timer = asyncio.get_running_loop().call_later(_FINAL_AFTER, self._too_late)

    def expect(self, phrases: Sequence[str]) -> None:
        """Plug-ins take no hints in mid-stream."""

    async def events(self) -> AsyncIterator[Transcribed]:
        """What is heard, until `close`. Raises `ProviderError`."""
        while (heard := await self._heard.get()) is not None:
            if isinstance(heard, ProviderError):
                raise heard
            yield heard

    async def close(self) -> None:
        """Close. Twice is allowed."""
        if self._is_closed:
            return
        self._is_closed = True
        self._stop_timer()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        with suppress(Exception):  # what a broken stream says when it is closed does not matter any more
            await self._stream.aclose()
        self._heard.put_nowait(None)
        bill(Consumption(Stage.EARS, self._part.name, seconds=self._sent / SAMPLE_RATE))

    async def _read(self) -> None:
        try:
            async for event in self._stream:
                self._take(event)
        except Exception as error:
            self._heard.put_nowait(self._part.translate(error))

    def _take(self, event: Any) -> None:
        if not event.alternatives or event.type.value not in (
            "interim_transcript",
            "preflight_transcript",
            "final_transcript",
        ):
            return
        best = event.alternatives[0]
        is_final = event.type.value == "final_transcript"
        if is_final:
            self._stop_timer()
        words = tuple(Word(str(word), float(word.start_time), float(word.end_time)) for word in best.words or ())
        end = 0.5 if event.type.value == "preflight_transcript" else None
        self._heard.put_nowait(self._last.heard(Transcribed(best.text, is_final, best.confidence, None, words, end)))

    def _too_late(self) -> None:
        self._timer = None
        self._heard.put_nowait(self._last.close())

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


# --- mind -------------------------------------------------------------------------------------------------------------


class LiveKitMind(_Part):
    def __init__(self, plugin: PlugIn) -> None:
        super().__init__(plugin, "LLM")
        self._llm: Any = load("livekit.agents.llm", "livekit")
        self._tools = [self._tool(card.name, card.description, card.parameters) for card in tool_cards()]

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

    async def speak(self, text: str) -> AsyncGenerator[SpokenAudio, None]:
        """Stream one segment, without word times. Raises `ProviderError`."""
        if not text.strip():
            return
        is_whole = False
        try:
            async with self._stream(text) as stream:
                to_mulaw = ToMulaw(self._made.sample_rate)
                async for event in stream:
                    if audio := to_mulaw.convert(bytes(event.frame.data)):
                        yield SpokenAudio(audio)
                if audio := to_mulaw.convert(b"", is_last=True):
                    yield SpokenAudio(audio)
            is_whole = True
        except (GeneratorExit, asyncio.CancelledError):
            raise
        except Exception as error:
            raise self._part.translate(error) from error
        finally:
            bill(Consumption(Stage.MOUTH, self._part.name, characters=len(text.strip()), is_wasted=not is_whole))

    def _stream(self, text: str) -> Any:
        if not self._made.capabilities.streaming:
            return self._made.synthesize(text, conn_options=self._part.connection())
        stream = self._made.stream(conn_options=self._part.connection())
        stream.push_text(text)
        stream.end_input()
        return stream

    async def close(self) -> None:
        """The plug-in's connections are shared by all calls and closed with it."""
