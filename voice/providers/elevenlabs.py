"""ElevenLabs as the mouth: one multi-context WebSocket a call, mu-law ready for the carrier, HTTP when that fails.

The official SDK has no such socket, so it is spoken here; the SDK serves the HTTP fallback and the checks. A segment is a
context: opened, given its text with `flush`, and closed at once, because only a closed context ever says that it is final.
A reply that is cut off therefore costs at most the segment that was being made; its late frames are known by their context
and dropped. Facts: elevenlabs-docs asyncapi.yml, docs/websockets, best-practices/conversational-agents.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from voice.agent import AgentDefinition
from voice.errors import ProviderError, ProviderRejected, ProviderUnavailable
from voice.ports import SpokenAudio
from voice.pricing.consumption import Consumption, Stage, bill
from voice.providers.elevenlabs_socket import Socket, WordClock, timed, timed_by_http
from voice.providers.extras import load
from voice.providers.trouble import from_status, from_transport

_PROVIDER: Final = "elevenlabs"
_FORMAT: Final = "ulaw_8000"
_INACTIVITY: Final = 180  # seconds, the most the vendor allows
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

    def voice(self, agent: AgentDefinition) -> str:
        """The voice that an agent is spoken with."""
        return voice_of(agent).id

    async def check(self, agent: AgentDefinition) -> None:
        """Whether key, model and voice are good and there are characters left. Raises `ProviderError`.

        A key may be allowed to speak and not to look these up: then what cannot be looked up is taken to be good.
        """
        api, voice = self.client, self.voice(agent)
        models = await self._looked_up(api.models.list())
        names = {str(model.model_id) for model in models or ()}
        if names and self.settings.model not in names:
            raise ProviderRejected(_PROVIDER, "not_found", f"no model {self.settings.model!r}")
        await self._looked_up(api.voices.get(voice))
        credit = await self._looked_up(api.user.subscription.get())
        if credit is not None and credit.character_limit and credit.character_count >= credit.character_limit:
            raise ProviderRejected(
                _PROVIDER, "quota", f"{credit.character_count} of {credit.character_limit} characters used"
            )

    async def _looked_up(self, asked: Awaitable[Any]) -> Any:
        try:
            return await asked
        except Exception as error:
            if "missing_permissions" in json.dumps(getattr(error, "body", None), default=str):
                return None
            raise self.translate(error) from error

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


class _Mouth:
    """The mouth of one call."""

    def __init__(self, vendor: ElevenLabsVoice, voice: VoiceChoice) -> None:
        self._vendor = vendor
        self._voice = voice
        self._socket: Socket | None = None
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
        self._socket = Socket(connection)

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
                    yield SpokenAudio(message.audio, timed(clock, message.alignment))
            if rest := clock.rest():
                yield SpokenAudio(b"", rest)
        finally:
            socket.end(name, is_final=is_final)
            self._bill(text, is_wasted=not is_final)

    def _manner(self) -> dict[str, object]:
        """How the agent's file wants it spoken, in the vendor's words."""
        manner: dict[str, object] = {}
        if self._voice.settings:
            manner["voice_settings"] = dict(self._voice.settings)
        if self._voice.pronunciation:
            manner["pronunciation_dictionary_locators"] = [
                {"pronunciation_dictionary_id": dictionary, "version_id": version}
                for dictionary, version in self._voice.pronunciation
            ]
        return manner

    def _messages(self, text: str) -> list[dict[str, object]]:
        # Text "should always end with a space"; voice settings count only in a context's first message.
        first: dict[str, object] = {"text": " ", **self._manner()}
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
                **self._manner(),
            )
            async with aclosing(stream):  # or the response stays open until the garbage collector comes
                async for line in stream:
                    yield SpokenAudio(base64.b64decode(line.audio_base_64), timed_by_http(clock, line.alignment))
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
