"""Deepgram as the ears: Nova on `/v1/listen`, Flux on `/v2/listen`, mu-law straight from the carrier.

One socket a call, opened while it rings. What is asked of the socket is decided by `Hearing`, which knows neither socket
nor clock; the shell around it sends, reads, keeps alive and times. Facts this rests on (developers.deepgram.com/docs):
`Finalize` is answered by `from_finalize`, or not at all when little was heard, so a timer stands beside it; an empty frame
closes the stream; ten seconds without audio or KeepAlive close it; Flux decides on the audio it gets, so it gets silence.

The SDK's socket client says what we want, but it neither connects (that one offers compression, useless on mu-law, hides why
it was refused, cannot be given a time-out, and leaks its socket when it is cancelled in the handshake) nor reads: it tries
every kind of message in turn on each, and one that is none ends it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from context.briefing import Briefing
from telephony.audio import SILENCE
from voice.agent import AgentDefinition
from voice.errors import ProviderError, ProviderUnavailable
from voice.events import SAMPLE_RATE, Transcribed
from voice.pricing.consumption import Consumption, Stage, bill
from voice.providers.call_ears import CallEars
from voice.providers.deepgram_hearing import Hearing, Message, keyterms, parse, within_limit
from voice.providers.extras import load
from voice.providers.parting import part
from voice.providers.trouble import from_status, from_transport, from_words

_PROVIDER: Final = "deepgram"
_NOVA_FRAME: Final = 160  # bytes: what the carrier sends, 20 ms; 20-250 ms are asked for
_FLUX_FRAME: Final = 640  # 80 ms, "strongly recommended" (flux/nova-3-migration)
_KEEP_ALIVE_EVERY: Final = 4.0  # seconds; "every 3-5 seconds" (audio-keep-alive)
_FLUX_SILENCE_AFTER: Final = 1.0  # seconds without audio after which Flux is given silence to decide on

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DeepgramSettings:
    """`final_after`: seconds an answer to Finalize may take before the last interim is taken for it; twice that when there
    is none, and only `final_again_after` when one was answered just before: there may be nothing new.

    `stall_after`: seconds, of audio sent and on the clock, without a message coming back, not even an empty one, after
    which the ears are deaf; when a final was asked for and did not come, `deaf_after` is enough.
    """

    api_key: str
    url: str = "wss://api.deepgram.com"
    model: str = "nova-3"
    language: str = ""  # the agent's own unless set; `multi` understands them all, and tells which was spoken
    connect_timeout: float = 3.0
    final_after: float = 0.5
    final_again_after: float = 0.3
    stall_after: float = 6.0
    deaf_after: float = 1.0
    endpointing: float = 0.1  # of silence, by Nova's own judgement: its final comes before our detectors are sure of a pause
    eot_threshold: float = 0.7
    eager_eot_threshold: float = 0.4
    eot_timeout: float = 5.0

    @property
    def is_flux(self) -> bool:
        return self.model.startswith("flux")

    @property
    def billed_as(self) -> str:
        """The model as the vendor's price list has it."""
        return f"{self.model}-multi" if self.language == "multi" and not self.is_flux else self.model


class DeepgramEars:
    """Opens the ears of each call. Make one while starting."""

    name = _PROVIDER

    def __init__(self, settings: DeepgramSettings) -> None:
        """Raises `ProviderRejected` when the SDK is not installed."""
        sdk = load("deepgram", "deepgram")
        self.settings = settings
        if settings.is_flux:
            self._speaking: Any = load("deepgram.listen.v2.socket_client", "deepgram").AsyncV2SocketClient
            self._configure: Any = load("deepgram.listen.v2.types", "deepgram").ListenV2Configure
        else:
            self._speaking = load("deepgram.listen.v1.socket_client", "deepgram").AsyncV1SocketClient
            self._configure = load("deepgram.listen.v1.types", "deepgram").ListenV1Configure
        self._api_error: type[BaseException] = load("deepgram.core.api_error", "deepgram").ApiError
        host = settings.url.rstrip("/").split("://")[-1]
        secure = "" if settings.url.startswith(("ws://", "http://")) else "s"
        self._socket_url = f"ws{secure}://{host}"
        rest = f"http{secure}://{host}"
        environment = load("deepgram.environment", "deepgram").DeepgramClientEnvironment(
            base=rest, production=self._socket_url, agent=self._socket_url, agent_rest=rest
        )
        self._http: Any = load("httpx", "deepgram").AsyncClient(timeout=settings.connect_timeout)
        self._client: Any = sdk.AsyncDeepgramClient(
            api_key=settings.api_key, environment=environment, httpx_client=self._http
        )

    async def open(self, agent: AgentDefinition, briefing: Briefing) -> _Ears:
        """Connect for one call. Raises `ProviderError`."""
        terms = keyterms(agent, briefing)
        try:
            connection = await self._connect(agent.language, terms)
        except Exception as error:
            raise self._translate(error) from error
        return _Ears(self.settings, self._speaking(websocket=connection), connection, self._configure, terms)

    async def _connect(self, language: str, terms: Sequence[str]) -> ClientConnection:
        settings = self.settings
        query = [("model", settings.model), ("encoding", "mulaw"), ("sample_rate", str(SAMPLE_RATE))]
        if settings.is_flux:
            query += [
                ("eot_threshold", str(settings.eot_threshold)),
                ("eager_eot_threshold", str(settings.eager_eot_threshold)),
                ("eot_timeout_ms", str(round(settings.eot_timeout * 1000))),
            ]
        else:
            query += [
                ("channels", "1"),
                ("language", settings.language or language),
                ("interim_results", "true"),
                ("punctuate", "true"),
                ("endpointing", str(round(settings.endpointing * 1000))),
            ]
        query += [("keyterm", term) for term in terms]
        return await connect(
            f"{self._socket_url}/{'v2' if settings.is_flux else 'v1'}/listen?{urlencode(query)}",
            additional_headers={"Authorization": f"Token {settings.api_key}"},
            compression=None,
            open_timeout=settings.connect_timeout,
            max_size=None,
        )

    async def check(self) -> None:
        """Whether the key and the model are good. Raises `ProviderError`."""
        try:
            await self._client.manage.v1.projects.list()
            connection = await self._connect("en-US", ())
            await part(connection, self._speaking(websocket=connection).send_close_stream)
        except Exception as error:
            raise self._translate(error) from error

    async def close(self) -> None:
        """Close what the checks used; each call's ears close themselves."""
        await self._http.aclose()

    def _translate(self, error: Exception) -> ProviderError:
        if isinstance(error, self._api_error):
            return from_status(_PROVIDER, int(getattr(error, "status_code", 0) or 500), str(getattr(error, "body", "")))
        if isinstance(error, InvalidStatus):
            body = bytes(error.response.body or b"").decode(errors="replace")
            return from_status(_PROVIDER, error.response.status_code, body)
        return from_transport(_PROVIDER, error)


# --- the shell --------------------------------------------------------------------------------------------------------


class _Ears(CallEars):
    """The ears of one call."""

    def __init__(
        self, settings: DeepgramSettings, socket: Any, connection: ClientConnection, configure: Any, terms: tuple[str, ...]
    ) -> None:
        super().__init__()
        self._settings = settings
        self._socket = socket
        self._connection = connection
        self._configure = configure
        self._terms = terms
        self._told = terms
        self._frame = _FLUX_FRAME if settings.is_flux else _NOVA_FRAME
        self._hearing = Hearing()
        self._pending = bytearray()
        self._orders: deque[str] = deque()
        self._wake = asyncio.Event()
        self._sent = 0  # bytes of caller audio
        self._filler = 0  # bytes of silence put in
        self._sent_at_word = 0  # of caller audio, when the vendor last said anything
        self._word_at = time.monotonic()  # and when that was
        self._asked = 0.0  # seconds of caller audio when a final was asked for last
        self._has_waited = False  # for that final
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._read())]

    # --- the port ---

    def hear(self, audio: bytes) -> None:
        """Take caller audio; it leaves in frames of the size the vendor likes."""
        self._pending += audio
        if len(self._pending) >= self._frame:
            self._wake.set()

    def finish_utterance(self) -> None:
        """Ask for the final. It comes from the vendor, or from the timer."""
        if self._is_closed or self._timer is not None:
            return
        if self._hearing.is_settled(time.monotonic()):
            self._tell(Transcribed("", is_final=True))
            return
        self._has_waited = self._hearing.has_answered(time.monotonic())
        self._orders.append("finish")
        self._wake.set()
        wait = self._settings.final_again_after if self._has_waited else self._settings.final_after
        self._start_timer(wait, self._too_late)

    def expect(self, phrases: Sequence[str]) -> None:
        """Listen for these as well, from now on, as far as the vendor's limit on keyterms goes."""
        terms = within_limit((*self._terms, *phrases))
        if terms != self._told:
            self._told = terms
            self._orders.append("configure")
            self._wake.set()

    async def _end(self) -> None:
        """Say goodbye and close."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await part(self._connection, self._socket.send_close_stream)
        seconds = (self._sent + self._filler) / SAMPLE_RATE
        bill(Consumption(Stage.EARS, _PROVIDER, self._settings.billed_as, seconds=seconds))

    # --- sending ---

    async def _send(self) -> None:
        quiet_after = _FLUX_SILENCE_AFTER if self._settings.is_flux else _KEEP_ALIVE_EVERY
        try:
            while True:
                try:
                    async with asyncio.timeout(quiet_after):
                        await self._wake.wait()
                except TimeoutError:
                    await self._keep_alive()
                    continue
                self._wake.clear()
                await self._send_audio()
                while self._orders:
                    if self._orders.popleft() == "configure":
                        await self._socket.send_configure(self._configure(keyterms=list(self._told)))
                    else:
                        await self._send_finish()
        except ProviderError as error:
            self._fail(error)
        except Exception as error:
            self._fail(from_transport(_PROVIDER, error))

    async def _send_audio(self, *, all_of_it: bool = False) -> None:
        while len(self._pending) >= self._frame or (all_of_it and self._pending):
            frame = bytes(self._pending[: self._frame])
            del self._pending[: self._frame]
            self._sent += len(frame)
            await self._socket.send_media(frame)
        if self._silent_for() > self._settings.stall_after:
            raise ProviderUnavailable(_PROVIDER, "stalled", f"no word for {self._settings.stall_after} s of audio")

    async def _send_finish(self) -> None:
        await self._send_audio(all_of_it=True)
        self._asked = self._sent / SAMPLE_RATE
        if self._settings.is_flux:
            await self._socket.send_force_end_turn()
        else:
            await self._socket.send_finalize()

    async def _keep_alive(self) -> None:
        if not self._settings.is_flux:
            await self._socket.send_keep_alive()
            return
        silence = SILENCE * _FLUX_FRAME
        self._filler += len(silence)
        self._hearing.fillers.append(((self._sent + self._filler) / SAMPLE_RATE, self._filler / SAMPLE_RATE))
        await self._socket.send_media(silence)

    # --- reading ---

    async def _read(self) -> None:
        garbled = 0
        try:
            while True:
                text = await self._connection.recv()
                try:
                    message = parse(text)
                except msgspec.MsgspecError as error:
                    garbled += 1
                    if garbled == 1:  # one line a call, not one a message
                        log.warning("malformed_message", provider=_PROVIDER, error=str(error))
                    continue
                self._sent_at_word = self._sent
                self._word_at = time.monotonic()
                self._take(message)
        except ProviderError as error:
            self._fail(error)
        except Exception as error:
            self._fail(from_transport(_PROVIDER, error))

    def _take(self, message: Message) -> None:
        if message.type == "Error":
            raise from_words(_PROVIDER, "server_error", f"{message.code} {message.description}".strip())
        heard = self._hearing.take(message, time.monotonic())
        if heard is None:
            return
        if heard.is_final:
            self._stop_timer()
        self._tell(heard)

    def _too_late(self) -> None:
        """The final that was asked for did not come: the caller is not kept waiting for it."""
        self._timer = None
        if self._silent_for() > self._settings.deaf_after:
            self._fail(ProviderUnavailable(_PROVIDER, "stalled", "no answer to Finalize, nor to the audio before it"))
            return
        if self._hearing.interim is None and not self._has_waited:  # no words yet are worth a second wait
            self._has_waited = True
            self._start_timer(self._settings.final_after, self._too_late)
            return
        self._tell(self._hearing.close(self._asked))

    def _silent_for(self) -> float:
        """Seconds without a message, by the clock and by the audio sent, whichever is less: replayed audio is sent faster
        than it can be answered, and while no audio is sent there is nothing to answer."""
        return min((self._sent - self._sent_at_word) / SAMPLE_RATE, time.monotonic() - self._word_at)

    def _fail(self, error: ProviderError) -> None:
        if not self._is_closed:
            self._stop_timer()
            self._tell(error)
