"""Whether the parts beyond this process's own can do their share of a call now: each a question for `/readyz`.

Asked often, by machines: so the carrier is asked at most every half minute, and nothing here is slow or raises.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from api.house import Engines
from api.resources import Check
from api.switchboard import Switchboard
from context.knowledge.base import KnowledgeBase
from telephony.errors import CarrierError
from telephony.twilio.rest import TwilioCarrier
from voice.errors import ProviderError
from voice.providers.embedded.ears import EmbeddedEars
from voice.providers.embedded.mouth import EmbeddedMouth

Probe: TypeAlias = Callable[[], Awaitable[Check]]

ASKED_AGAIN_AFTER: Final = 30.0  # seconds
TRIED_AGAIN_AFTER: Final = 3.0  # seconds after a no


class CarrierProbe:
    """Whether the carrier's API takes our credentials. None: there is no carrier, so no call can be made or taken."""

    def __init__(self, carrier: TwilioCarrier | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._carrier = carrier
        self._clock = clock
        self._known: tuple[float, Check] | None = None

    async def __call__(self) -> Check:
        if self._carrier is None:
            return Check(part="carrier", ok=False, detail="none is configured")
        if self._known is None or self._clock() >= self._known[0]:
            check = await self._ask(self._carrier)
            self._known = (self._clock() + (ASKED_AGAIN_AFTER if check.ok else TRIED_AGAIN_AFTER), check)
        return self._known[1]

    async def _ask(self, carrier: TwilioCarrier) -> Check:
        try:
            await carrier.check()
        except CarrierError as error:
            return Check(part="carrier", ok=False, detail=str(error))
        return Check(part="carrier", ok=True, detail="takes our credentials")


def ears_probe(engines: Engines) -> Probe:
    async def ask() -> Check:
        ears = engines.ears
        return await _started("ears", ears.name, ears.start if isinstance(ears, EmbeddedEars) else None)

    return ask


def mouth_probe(engines: Engines) -> Probe:
    async def ask() -> Check:
        mouth = engines.mouth
        return await _started("mouth", mouth.name, mouth.start if isinstance(mouth, EmbeddedMouth) else None)

    return ask


async def _started(part: str, name: str, start: Callable[[], Awaitable[None]] | None) -> Check:
    """An embedded engine is a process: starting one that runs does nothing, and one that died runs again afterwards."""
    try:
        if start is not None:
            await start()
    except ProviderError as error:
        return Check(part=part, ok=False, detail=f"{name}: {error}")
    return Check(part=part, ok=True, detail=name)


def knowledge_probe(knowledge: KnowledgeBase) -> Probe:
    async def ask() -> Check:
        return Check(part="knowledge", ok=True, detail=f"searches by {knowledge.mode}")

    return ask


def door_probe(switchboard: Switchboard) -> Probe:
    async def ask() -> Check:
        going = switchboard.is_draining
        return Check(part="door", ok=not going, detail="the server is going down" if going else "open")

    return ask
