"""What a barge-in wastes: what is still spoken after it, and what was paid for and not wanted."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import Final

from benchmarks.providers.turns import AGENT, fleet_of, vendors_of
from benchmarks.vendors.log import Log
from benchmarks.vendors.mouth import CHARACTER
from voice.providers.resilience.paced import PacedSpeaker
from voice.providers.vendors import Fleet

LONG_REPLY: Final = ("First of all, thank you.", "We check roofs in your area.", "It takes half an hour.", "Is Friday good?")


async def barge_in(seed: int, calls: int = 20) -> dict[str, object]:
    """A reply of four sentences, cut off at a random moment: what was spoken after, and what was paid and not wanted."""
    async with AsyncExitStack() as stack:
        vendors = await vendors_of(stack, seed)
        fleet = await fleet_of(stack, vendors)
        cuts = await asyncio.gather(
            *(_cut(fleet, vendors.mouths[0].log, random.Random(f"{seed} {n}")) for n in range(calls))
        )
        return {
            "cut_replies": calls,
            "characters_spoken_after": sum(cut[0] for cut in cuts),
            "sentences_billed_not_wanted_most": max(cut[1] for cut in cuts),
            "sentences_billed_not_wanted_mean": round(sum(cut[1] for cut in cuts) / calls, 2),
        }


async def _cut(fleet: Fleet, log: Log, rng: random.Random) -> tuple[int, int]:
    """Speak the long reply as a session does, one segment after the other, and stop somewhere in it.

    Returns the characters that still came after the cut, and the sentences billed that had not begun to be heard.
    """
    mouth = PacedSpeaker(await fleet.mouth.open(AGENT))
    mark = f" {rng.getrandbits(40):x}"  # tells this call's sentences from the others' in the log
    lengths = [len(sentence + mark) * CHARACTER for sentence in LONG_REPLY]
    begun = asyncio.Event()
    arrived: list[str] = []

    async def reply() -> None:
        for sentence in LONG_REPLY:
            async for piece in mouth.speak(sentence + mark):
                begun.set()
                arrived.extend(word.text for word in piece.words)

    task = asyncio.create_task(reply())
    await begun.wait()
    heard = rng.uniform(0.2, sum(lengths) - 0.2)
    await asyncio.sleep(heard)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    at_the_cut = len(arrived)
    next_reply = [word.text async for piece in mouth.speak("Yes?") for word in piece.words]
    late = len("".join(arrived[at_the_cut:])) + len("".join(word for word in next_reply if word != "Yes?"))
    wanted = sum(1 for n in range(len(lengths)) if sum(lengths[:n]) <= heard)
    billed = sum(1 for entry in log.of("billed") if str(entry["text"]).endswith(mark))
    await mouth.close()
    return late, max(billed - wanted, 0)
