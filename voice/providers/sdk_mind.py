"""What the minds with an HTTP SDK have in common: how its client is opened, kept warm, read, cancelled and understood.

The SDK makes the request, with its keys, headers and errors; what it would do to the body and to the answer is left out, for
it takes longer than all the rest: it walks through every tool's schema before a request, and makes a model of every piece of
an answer. So the body goes out as it is (`extra_body`, which both SDKs send untouched) and the events are read as bytes.

Facts: idle connections are dropped after 5 s by the HTTP client's own default, so they are kept longer; cancelling a stream
closes its HTTP/1.1 connection, so a second one is kept warm; the SDKs' own retries wait in silence, so they are off.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from voice.errors import ProviderError, ProviderUnavailable
from voice.ports import ModelOutput
from voice.providers.extras import load
from voice.providers.server_sent import EventTooLarge, ServerSent
from voice.providers.trouble import from_status, from_transport

CHARACTERS_PER_TOKEN: Final = 4  # to estimate what a cancelled reply had written
_KEEP_ALIVE: Final = 120.0  # seconds an idle connection is kept
_OVERLOADED: Final = "overloaded_error"  # in mid-stream it comes with status 200


@dataclass(frozen=True, slots=True)
class MindSettings:
    """Where a mind is asked, as whom, and for what. Times in seconds: the last line of defence, the deadlines that matter
    are shorter and adaptive."""

    api_key: str
    base_url: str | None = None
    model: str = ""
    max_tokens: int = 300  # two or three spoken sentences and a tool call
    connect_timeout: float = 2.0
    read_timeout: float = 10.0


class Reading(Protocol):
    """Puts one streamed answer together."""

    def take(self, data: bytes) -> list[ModelOutput]:
        """What an event brings. Raises `ProviderError`, or `msgspec.MsgspecError` for what is no event."""

    def end(self) -> list[ModelOutput]:
        """What is left when the stream is over. Raises `ProviderError` when it was cut, however politely."""

    def settle(self, read: int) -> None:
        """Account for it, whole or cut off. `read`: tokens that it was given, as an estimate, if it was cancelled; else 0.
        Called once, at last."""


class SdkClient:
    """A vendor's asynchronous client (`class_name` of the SDK `provider`), with what a call needs of it."""

    def __init__(self, provider: str, class_name: str, settings: MindSettings) -> None:
        """Raises `ProviderRejected` when the SDK is not installed."""
        sdk, http = load(provider, provider), load("httpx2", provider)
        self._provider = provider
        self._status_error: type[BaseException] = sdk.APIStatusError
        self._connection_error: type[BaseException] = sdk.APIConnectionError
        self._api_error: type[BaseException] = sdk.APIError
        self.api: Any = getattr(sdk, class_name)(
            api_key=settings.api_key,
            base_url=settings.base_url,
            max_retries=0,
            http_client=http.AsyncClient(
                limits=http.Limits(max_connections=None, keepalive_expiry=_KEEP_ALIVE),
                timeout=http.Timeout(settings.read_timeout, connect=settings.connect_timeout),
            ),
        )
        self._connecting: set[asyncio.Task[None]] = set()

    async def outputs(
        self, resource: Any, required: Mapping[str, object], body: Mapping[str, object], reading: Reading
    ) -> AsyncGenerator[ModelOutput, None]:
        """Stream the answer to one request. `resource` creates it; `required` is what its method insists on being given.

        Raises `ProviderError`. Cancelled, it has another connection made ready behind the caller's back.
        """
        events, read = ServerSent(), 0
        try:
            request = resource.with_streaming_response.create(**required, stream=True, extra_body=body)
            async with request as response:
                async for piece in response.http_response.aiter_bytes():
                    for data in events.feed(piece):
                        for output in reading.take(data):
                            yield output
            for data in events.end():
                reading.take(data)
            for output in reading.end():
                yield output
        except (GeneratorExit, asyncio.CancelledError):
            read = len(msgspec.json.encode(body)) // CHARACTERS_PER_TOKEN
            self._connect_behind()
            raise
        except Exception as error:
            raise self.translate(error) from error
        finally:
            reading.settle(read)

    # --- connections ---

    async def connect(self) -> None:
        """Have a connection open. Never raises: it is only a head start, the next reply says what is wrong."""
        with suppress(Exception):
            await self.api.models.list()

    async def connect_two(self) -> None:
        """Two at the same time: one request uses the connection that is left, the other must open a new one."""
        await asyncio.gather(self.connect(), self.connect())

    def _connect_behind(self) -> None:
        task = asyncio.create_task(self.connect_two())
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def connected(self) -> None:
        """Return once the connections that are being made ready are."""
        await asyncio.gather(*self._connecting)

    async def close(self) -> None:
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        await self.api.close()

    def translate(self, error: Exception) -> ProviderError:
        """Our error for one of theirs, or of the transport's beneath."""
        if isinstance(error, ProviderError):
            return error
        if isinstance(error, self._status_error):
            kinds = " ".join(str(getattr(error, name, None) or "") for name in ("type", "code"))
            status = int(getattr(error, "status_code", 500))
            return (
                said_in_stream(self._provider, kinds)
                if status == 200
                else from_status(self._provider, status, f"{kinds} {error}")
            )
        if isinstance(error, self._connection_error):
            return from_transport(self._provider, error.__cause__ or error)
        if isinstance(error, self._api_error):
            return ProviderUnavailable(self._provider, "server_error", str(error)[:200])
        if isinstance(error, msgspec.MsgspecError | EventTooLarge):
            return ProviderUnavailable(self._provider, "malformed", str(error)[:200])
        return from_transport(self._provider, error)


def said_in_stream(provider: str, kind: str, words: str = "") -> ProviderError:
    """An error that came as an event, when the status had long been sent."""
    code = "overloaded" if _OVERLOADED in kind else "server_error"
    return ProviderUnavailable(provider, code, f"{kind} {words}".strip()[:200])
