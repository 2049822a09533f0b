"""What can be made to go wrong at a stand-in, and which request it strikes. Pure; the wire carries it out."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Ways for a vendor to fail. Where the vendor documents an answer for it, the stand-in gives that answer."""

    REFUSED = "refused"  # the connection is reset before a byte of an answer
    AUTH = "auth"  # the key is wrong
    MISSING = "missing"  # the model or voice does not exist
    QUOTA = "quota"  # the credit is used up
    RATE_LIMITED = "rate_limited"  # 429, with retry-after
    OVERLOADED = "overloaded"  # 529 (or 503 where the vendor has no such code)
    BROKEN = "broken"  # 500
    DROP = "drop"  # the connection is cut after `after` bytes of the answer
    STALL = "stall"  # nothing more is sent after `after` bytes of the answer, and nothing is closed
    MALFORMED = "malformed"  # one message, after `after` bytes, is not what its format says
    SLOW = "slow"  # the first byte comes `seconds` later than it would have
    ERROR_BODY = "error_body"  # status 200, and the body of a 500
    ERROR_EVENT = "error_event"  # an error in the vendor's own stream format, after `after` bytes


STATUS: Final = {
    Kind.AUTH: 401,
    Kind.MISSING: 404,
    Kind.QUOTA: 402,
    Kind.RATE_LIMITED: 429,
    Kind.OVERLOADED: 529,
    Kind.BROKEN: 500,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. It strikes requests whose path contains `path`, `times` times (None: until lifted), with `chance` each.

    The path `live` strikes sockets that are already open, at their next message.
    """

    kind: Kind
    after: int = 0  # bytes of the answer's body that still come through
    times: int | None = None
    chance: float = 1.0
    seconds: float = 2.0  # SLOW: how much later; RATE_LIMITED: the retry-after
    path: str = ""


class Faults:
    """The faults in force. Asked once for each request."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._in_force: list[tuple[Fault, int]] = []

    def inject(self, fault: Fault) -> None:
        """From now on, let this go wrong. Faults are tried in the order in which they were injected."""
        self._in_force.append((fault, 0))

    def lift(self) -> None:
        """Nothing goes wrong any more."""
        self._in_force.clear()

    def has(self, path: str) -> bool:
        """Whether any fault names exactly this path."""
        return any(fault.path == path for fault, _ in self._in_force)

    def strike(self, path: str) -> Fault | None:
        """The fault that this request meets, if any."""
        for index, (fault, struck) in enumerate(self._in_force):
            if fault.path not in path or (fault.times is not None and struck >= fault.times):
                continue
            if fault.chance < 1.0 and self._rng.random() >= fault.chance:
                continue
            self._in_force[index] = (fault, struck + 1)
            return fault
        return None
