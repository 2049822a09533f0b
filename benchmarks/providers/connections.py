"""Whether a turn of a call ever has to open a connection for itself, after a barge-in too: counted at the stand-ins."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Final

from benchmarks.providers.turns import REPLY, Call, fleet_of, prompt, vendors_of
from benchmarks.vendors.log import Log
from benchmarks.vendors.mind import scripted

_LONG: Final = REPLY * 40  # still being written when the caller talks over its first words


async def connections(seed: int) -> dict[str, object]:
    """TCP connections that a turn of a call had to open for itself, after barge-ins too. The target is none."""
    async with AsyncExitStack() as stack:
        vendors = await vendors_of(stack, seed, lines=12)
        fleet = await fleet_of(stack, vendors)
        await fleet.mind.warm(prompt())
        call = await Call.open(fleet)
        before = [vendor.log.count("connection") for vendor in (vendors.ears[0], vendors.mouths[0])]
        for number in range(12):
            is_cut = number % 3 == 2
            for vendor in vendors.minds:
                vendor.mind = scripted(_LONG if is_cut else REPLY)
            await (call.turn_cut_off() if is_cut else call.turn())
        await call.close()
        after = [vendor.log.count("connection") for vendor in (vendors.ears[0], vendors.mouths[0])]
        return {
            "turns": 12,
            "barge_ins": 4,
            "replies_cut_off": vendors.minds[0].log.count("cancelled"),
            "ears_opened": after[0] - before[0],
            "mouth_opened": after[1] - before[1],
            "mind_opened_on_the_path": _on_the_path(vendors.minds[0].log),
            "mind_opened_in_advance": vendors.minds[0].log.count("connection") - _on_the_path(vendors.minds[0].log),
        }


def _on_the_path(log: Log) -> int:
    """Connections whose first request was a reply: somebody waited for their handshake."""
    first: dict[int, str] = {}
    for entry in log.of("request"):
        first.setdefault(entry.connection, str(entry["path"]))
    return sum(1 for path in first.values() if path == "/v1/messages") - 1  # the pre-warming opens one, while it rings
