"""The carrier's media stream: checks the handshake's signature, then hands the socket to whoever speaks the protocol."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, WebSocket

from api.metrics import Metrics
from api.parts import MediaDoor
from api.routes.webhooks import signed_url
from api.settings import Settings
from api.sockets import INTERNAL, POLICY, StarletteTextSocket
from telephony.direct import DirectSocket, direct_of
from telephony.errors import TelephonyError
from telephony.twilio.signature import HEADER, is_handshake_signed

_GOOD_CLOSES = frozenset({None, 1000, 1001, 1005})
log = structlog.get_logger()


def router(media: MediaDoor, settings: Settings, metrics: Metrics) -> APIRouter:
    routes = APIRouter()
    base = settings.media_url.removesuffix("/twilio/media")
    token = settings.twilio_auth_token.get_secret_value()

    @routes.websocket("/twilio/media")
    async def twilio_media(socket: WebSocket) -> None:
        if not is_handshake_signed(signed_url(base, socket), socket.headers.get(HEADER), token):
            metrics.bad_signature("media")
            metrics.media_socket("refused")
            log.warning("media_refused", code="signature_wrong")
            await socket.close(POLICY)  # not accepted yet: the carrier sees a 403
            return
        await socket.accept()
        metrics.media_socket(await _run(media, direct_of(socket.scope) or StarletteTextSocket(socket)))

    return routes


async def _run(media: MediaDoor, socket: DirectSocket | StarletteTextSocket) -> str:
    """One call's media, to its end; how it ended, in a word. A fault in here ends this call and no other."""
    try:
        await media(socket)
    except TelephonyError as error:  # the peer broke the protocol, and the link has closed the socket with the reason
        await socket.close(POLICY)
        log.warning("media_broken_off", error=type(error).__name__, code=getattr(error, "code", ""))
        return "violation"
    except Exception as error:
        log.exception("media_crashed", error=type(error).__name__)
        await socket.close(INTERNAL)
        return "crashed"
    await socket.close()
    return "closed" if socket.close_code in _GOOD_CLOSES else "dropped"
