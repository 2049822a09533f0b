"""How fast the conversation core decides: seeded storms in virtual time, no audio, no sockets, no clock but this one."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.report.model import Run, Share
from benchmarks.simulate import World
from benchmarks.storm import broken_laws, build
from voice.conversation import Conversation


def speed(calls: int, seed: int, progress: Callable[[str], None]) -> Run:
    """Run so many random calls; every law must hold in all of them. The core's own time is that of a second conversation,
    which is told the same events at the same instants: callers, carriers and laws cost as much again."""
    events = broken = 0
    simulated = alone = 0.0
    began = time.process_time()
    for number in range(calls):
        storm = seed * 1_000_000 + number
        world = build(storm)
        world.run(until=300.0)
        alone += _core_alone(world, build(storm).conversation)
        events += len(world.log)
        simulated += world.now
        broken += any(True for _ in broken_laws(world))
        if number % 100 == 99:
            progress(f"{number + 1} of {calls} storms")
    took = time.process_time() - began - alone
    return Run(
        suite="simulation",
        engine="offhook",
        setup={"storms": str(calls), "seed": str(seed)},
        calls=calls,
        call_seconds=round(simulated, 1),
        shares={"broken_laws": Share(hits=broken, of=calls)},
        numbers={
            "events_per_second": round(events / alone),
            "calls_per_second": round(calls / took, 1),
            "times_real_time": round(simulated / took),
        },
    )


def _core_alone(world: World, again: Conversation) -> float:
    """Seconds of CPU for the events of a call."""
    began = time.process_time()
    for instant, event, _ in world.log:
        again.handle(event, instant)
    return time.process_time() - began
