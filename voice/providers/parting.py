"""How a call's socket is left: with a word of goodbye, within a second, and for good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from websockets.asyncio.client import ClientConnection

_WITHIN: Final = 1.0  # seconds for a polite close


async def part(connection: ClientConnection, goodbye: Callable[[], Awaitable[None]]) -> None:
    """Say goodbye and close. Never raises: the socket may be long gone, or never answer.

    One that does not answer is cut: given up in the middle of its close it would stay, with its keep-alive, until a ping
    went unanswered too.
    """
    try:
        with suppress(Exception):
            async with asyncio.timeout(_WITHIN):
                await goodbye()
                await connection.close()
    finally:
        connection.transport.abort()
