"""ElevenLabs as the mouth: one multi-context WebSocket a call, mu-law ready for the carrier, HTTP when that fails.

The official SDK has no such socket, so it is spoken here; the SDK serves the HTTP fallback and the checks. A segment is a
context: opened, given its text with `flush`, and closed at once, because only a closed context ever says that it is final.
A reply that is cut off therefore costs at most the segment that was being made; its late frames are known by their context
and dropped. Facts: elevenlabs-docs asyncapi.yml, docs/websockets, best-practices/conversational-agents.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from voice.agent import AgentDefinition
from voice.errors import ProviderError, ProviderRejected, ProviderUnavailable
from voice.events import Word
from voice.ports import SpokenAudio
from voice.pricing.consumption import Consumption, Stage, bill
from voice.providers.extras import load
from voice.providers.trouble import from_status, from_transport

_PROVIDER: Final = "elevenlabs"
_FORMAT: Final = "ulaw_8000"
_MAX_CONTEXTS: Final = 5  # at once; a sixth kills the socket, and a closing one holds its place until it is final
_INACTIVITY: Final = 180  # seconds, the most the vendor allows
_KEEP_ALIVE_EVERY: Final = 15.0  # seconds
_DEFAULT_VOICES: Final = {"female": "EXAVITQu4vr4xnSDxMaL", "male": "TX3LPaxmHKxFdv7VOQHJ"}  # premade: Sarah, Liam
_SETTINGS: Final = ("stability", "similarity_boost", "style", "speed")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ElevenLabsSettings:
    api_key: str
    url: str = "https://api.elevenlabs.io"
    model: str = "eleven_flash_v2_5"
    connect_timeout: float = 3.0
    read_timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """Which voice, and how: from an agent's `voices` (`elevenlabs`, `elevenlabs.speed`, `elevenlabs.pronunciation`, ...)."""

    id: str
    settings: Mapping[str, float] = field(default_factory=dict)
    pronunciation: tuple[tuple[str, str], ...] = ()  # dictionary id, version


def voice_of(agent: AgentDefinition) -> VoiceChoice:
    """The voice an agent file asks for. A setting that is not a number is left to the vendor's default, with a warning."""
    voices = agent.voices
    settings: dict[str, float] = {}
    for name in _SETTINGS:
        if text := voices.get(f"{_PROVIDER}.{name}"):
            try:
                settings[name] = float(text)
            except ValueError:
                log.warning("voice_setting_ignored", agent=agent.name, setting=name, value=text)
    pairs = (
        entry.strip().partition(":") for entry in voices.get(f"{_PROVIDER}.pronunciation", "").split(",") if entry.strip()
    )
    pronunciation = tuple((dictionary, version) for dictionary, _, version in pairs)
    return VoiceChoice(voices.get(_PROVIDER) or _DEFAULT_VOICES.get(agent.voice, agent.voice), settings, pronunciation)


class ElevenLabsVoice:
    """Opens the mouth of each call. Make one while starting."""

    name = _PROVIDER

    def __init__(self, settings: ElevenLabsSettings) -> None:
        """Raises `ProviderRejected` when the SDK is not installed."""
        sdk = load("elevenlabs.client", "elevenlabs")
        http = load("httpx", "elevenlabs")
        self.settings = settings
        self._api_error: type[BaseException] = load("elevenlabs.core.api_error", "elevenlabs").ApiError
        base = settings.url.rstrip("/")
        self._http: Any = http.AsyncClient(
            limits=http.Limits(max_connections=None, keepalive_expiry=120),
            timeout=http.Timeout(settings.read_timeout, connect=settings.connect_timeout),
        )
        self.client: Any = sdk.AsyncElevenLabs(api_key=settings.api_key, base_url=base, httpx_client=self._http)

    async def open(self, agent: AgentDefinition) -> _Mouth:
        """Connect for one call. Raises `ProviderError` when neither socket nor HTTP can be hoped for."""
        mouth = _Mouth(self, voice_of(agent))
        try:
            await mouth.connect()
        except ProviderRejected:
            raise
        except ProviderError as error:
            log.warning("falling_back_to_http", provider=_PROVIDER, error=str(error))
        return mouth

    async def check(self, agent: AgentDefinition) -> None:
        """Whether key and voice are good and there are characters left. Raises `ProviderError`."""
        try:
            await self.client.voices.get(voice_of(agent).id)
            credit = await self.client.user.subscription.get()
        except Exception as error:
            raise self.translate(error) from error
        if credit.character_limit and credit.character_count >= credit.character_limit:
            raise ProviderRejected(
                _PROVIDER, "quota", f"{credit.character_count} of {credit.character_limit} characters used"
            )

    async def close(self) -> None:
        await self._http.aclose()

    def socket_url(self, voice: VoiceChoice) -> str:
        base = self.settings.url.rstrip("/").replace("http", "ws", 1)
        query = {
            "model_id": self.settings.model,
            "output_format": _FORMAT,
            "auto_mode": "true",  # no buffering: every message is a whole sentence
            "sync_alignment": "true",
            "inactivity_timeout": str(_INACTIVITY),
        }
        return f"{base}/v1/text-to-speech/{voice.id}/multi-stream-input?{urlencode(query)}"

    def translate(self, error: Exception) -> ProviderError:
        """Our error for one of theirs."""
        if isinstance(error, ProviderError):
            return error
        if isinstance(error, self._api_error):
            return from_status(
                _PROVIDER, int(getattr(error, "status_code", 0) or 500), json.dumps(getattr(error, "body", ""))
            )
        if isinstance(error, InvalidStatus):
            body = error.response.body or b""
            return from_status(_PROVIDER, error.response.status_code, bytes(body).decode(errors="replace"))
        return from_transport(_PROVIDER, error)


# --- the wire ---------------------------------------------------------------------------------------------------------


class _Alignment(msgspec.Struct):
    chars: list[str]
    starts: list[float] = msgspec.field(name="charStartTimesMs")
    durations: list[float] = msgspec.field(name="charDurationsMs")


class _Message(msgspec.Struct, rename="camel"):
    """What the socket says. Unknown fields are ignored, as vendors add some every month."""

    audio: str | None = None
    is_final: bool | None = None
    context_id: str = ""
    alignment: _Alignment | None = None
    error: str | None = None
    message: str | None = None


_DECODER: Final = msgspec.json.Decoder(_Message)


@dataclass(slots=True)
class WordClock:
    """Makes words of timed characters. A word that begins in one piece of audio and ends in the next belongs to the
    next: a word that was not said to its end was not heard."""

    _carry: str = ""
    _since: float = 0.0

    def words(self, chars: Sequence[str], starts: Sequence[float], ends: Sequence[float]) -> tuple[Word, ...]:
        """The words that end within this piece; times in seconds from its start, never below zero."""
        found: list[Word] = []
        until = 0.0
        for char, start, end in zip(chars, starts, ends, strict=False):
            if char.isspace():
                found += self._flush(until)
                continue
            if not self._carry:
                self._since = start
            self._carry += char
            until = end
        return tuple(found)

    def rest(self) -> tuple[Word, ...]:
        """The last word, when nothing follows that would end it."""
        return tuple(self._flush(0.0))

    def next_piece(self) -> None:
        """The word under way began before the piece that comes now."""
        self._since = 0.0

    def _flush(self, until: float) -> list[Word]:
        if not self._carry:
            return []
        word = Word(self._carry, round(max(self._since, 0.0), 3), round(max(until, self._since, 0.0), 3))
        self._carry = ""
        return [word]


class _Socket:
    """One WebSocket and the contexts under way on it."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._contexts: dict[str, asyncio.Queue[_Message | ProviderError]] = {}
        self._dropped: set[str] = set()  # cut off by us, not final yet: still holding a place
        self.failure: ProviderError | None = None
        self.late_frames = 0
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._keep_alive())]

    @property
    def is_usable(self) -> bool:
        return self.failure is None and len(self._contexts) + len(self._dropped) < _MAX_CONTEXTS

    async def begin(self, name: str, messages: Sequence[Mapping[str, object]]) -> asyncio.Queue[_Message | ProviderError]:
        """Open a context, give it all it is to say, and close it. Returns where its messages arrive."""
        queue: asyncio.Queue[_Message | ProviderError] = asyncio.Queue()
        self._contexts[name] = queue
        for message in messages:
            await self._connection.send(json.dumps({**message, "context_id": name}))
        return queue

    def end(self, name: str, *, is_final: bool) -> None:
        """Nobody listens to this context any more."""
        if self._contexts.pop(name, None) is not None and not is_final and self.failure is None:
            self._dropped.add(name)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(WebSocketException, OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._connection.send('{"close_socket": true}')
                await self._connection.close()

    async def _read(self) -> None:
        try:
            async for text in self._connection:
                self._take(text)
            self._fail(ProviderUnavailable(_PROVIDER, "dropped", "the socket was closed"))
        except WebSocketException as error:
            self._fail(from_transport(_PROVIDER, error))

    def _take(self, text: str | bytes) -> None:
        try:
            message = _DECODER.decode(text)
        except msgspec.MsgspecError as error:
            log.warning("malformed_message", provider=_PROVIDER, error=str(error))
            return
        if message.error:
            self._fail(ProviderUnavailable(_PROVIDER, message.error, message.message or ""))
            return
        queue = self._contexts.get(message.context_id)
        if queue is not None:
            queue.put_nowait(message)
        elif message.is_final:
            self._dropped.discard(message.context_id)
        else:
            self.late_frames += 1

    def _fail(self, error: ProviderError) -> None:
        self.failure = self.failure or error
        for queue in self._contexts.values():
            queue.put_nowait(self.failure)

    async def _keep_alive(self) -> None:
        with suppress(WebSocketException):
            while True:
                await asyncio.sleep(_KEEP_ALIVE_EVERY)
                await self._connection.send('{"text": ""}')


class _Mouth:
    """The mouth of one call."""

    def __init__(self, vendor: ElevenLabsVoice, voice: VoiceChoice) -> None:
        self._vendor = vendor
        self._voice = voice
        self._socket: _Socket | None = None
        self._count = 0
        self._is_closed = False

    async def connect(self) -> None:
        """Open the socket, or open a new one in place of one that failed. Raises `ProviderError`."""
        settings = self._vendor.settings
        await self._drop_socket()
        try:
            connection = await connect(
                self._vendor.socket_url(self._voice),
                additional_headers={"xi-api-key": settings.api_key},
                compression=None,  # base64 of mu-law does not shrink
                open_timeout=settings.connect_timeout,
                max_size=None,
            )
        except (WebSocketException, OSError, TimeoutError) as error:
            raise self._vendor.translate(error) from error
        self._socket = _Socket(connection)

    async def speak(self, text: str) -> AsyncGenerator[SpokenAudio, None]:
        """Stream one segment. `aclose()` drops it: its late frames are known by their context. Raises `ProviderError`."""
        if not text.strip():
            return
        way = self._by_socket if await self._has_socket() else self._by_http
        spoken = False
        try:
            async with aclosing(way(text)) as pieces:
                async for piece in pieces:
                    spoken = True
                    yield piece
            return
        except ProviderUnavailable:
            if spoken or way == self._by_http:
                raise
        async with aclosing(self._by_http(text)) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        """Close the socket. Twice is allowed."""
        self._is_closed = True
        await self._drop_socket()

    async def _drop_socket(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    async def _has_socket(self) -> bool:
        """Whether the socket can take a segment; one that failed, or is full of contexts being closed, is replaced."""
        if self._socket is not None and self._socket.is_usable:
            return True
        try:
            await self.connect()
        except ProviderRejected:
            raise
        except ProviderError as error:
            log.warning("falling_back_to_http", provider=_PROVIDER, error=str(error))
            return False
        return True

    async def _by_socket(self, text: str) -> AsyncGenerator[SpokenAudio, None]:
        socket = self._socket
        assert socket is not None
        self._count += 1
        name = f"s{self._count}"
        is_final = False
        clock = WordClock()
        try:
            try:
                queue = await socket.begin(name, self._messages(text))
            except WebSocketException as error:
                raise from_transport(_PROVIDER, error) from error
            while not is_final:
                message = await queue.get()
                if isinstance(message, ProviderError):
                    raise message
                is_final = bool(message.is_final)
                if message.audio:
                    yield SpokenAudio(base64.b64decode(message.audio), _timed(clock, message.alignment))
            if rest := clock.rest():
                yield SpokenAudio(b"", rest)
        finally:
            socket.end(name, is_final=is_final)
            self._bill(text, is_wasted=not is_final)

    def _messages(self, text: str) -> list[dict[str, object]]:
        # Text "should always end with a space"; voice settings count only in a context's first message.
        first: dict[str, object] = {"text": " "}
        if self._voice.settings:
            first["voice_settings"] = dict(self._voice.settings)
        if self._voice.pronunciation:
            first["pronunciation_dictionary_locators"] = [
                {"pronunciation_dictionary_id": dictionary, "version_id": version}
                for dictionary, version in self._voice.pronunciation
            ]
        return [first, {"text": f"{text.strip()} ", "flush": True}, {"close_context": True}]

    async def _by_http(self, text: str) -> AsyncGenerator[SpokenAudio, None]:
        clock = WordClock()
        is_whole = False
        try:
            stream: AsyncGenerator[Any, None] = self._vendor.client.text_to_speech.stream_with_timestamps(
                self._voice.id,
                text=text,
                model_id=self._vendor.settings.model,
                output_format=_FORMAT,
                **({"voice_settings": dict(self._voice.settings)} if self._voice.settings else {}),
            )
            async with aclosing(stream):  # or the response stays open until the garbage collector comes
                async for line in stream:
                    yield SpokenAudio(base64.b64decode(line.audio_base_64), _timed_by_http(clock, line.alignment))
            if rest := clock.rest():
                yield SpokenAudio(b"", rest)
            is_whole = True
        except Exception as error:
            raise self._vendor.translate(error) from error
        finally:
            self._bill(text, is_wasted=not is_whole)

    def _bill(self, text: str, *, is_wasted: bool) -> None:
        model = self._vendor.settings.model
        bill(Consumption(Stage.MOUTH, _PROVIDER, model, characters=len(text.strip()), is_wasted=is_wasted))


def _timed(clock: WordClock, alignment: _Alignment | None) -> tuple[Word, ...]:
    """The words of one message: its times count from its own start."""
    clock.next_piece()
    if alignment is None:
        return ()
    starts = [start / 1000 for start in alignment.starts]
    ends = [(start + length) / 1000 for start, length in zip(alignment.starts, alignment.durations, strict=False)]
    return clock.words(alignment.chars, starts, ends)


def _timed_by_http(clock: WordClock, times: Any) -> tuple[Word, ...]:
    """The same over HTTP, where the names and the units are others."""
    clock.next_piece()
    if times is None:
        return ()
    return clock.words(times.characters, times.character_start_times_seconds, times.character_end_times_seconds)
