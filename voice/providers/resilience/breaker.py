"""A circuit breaker: stops asking a provider that keeps failing, and finds out at low cost when it is back. Pure.

CLOSED --failures in a row--> OPEN --cool-down--> HALF_OPEN --one success--> CLOSED
                               ^                      |
                               +----- one failure ----+  (and twice the cool-down)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class State(Enum):
    CLOSED = auto()
    OPEN = auto()
    HALF_OPEN = auto()


class Admission(Enum):
    """What a breaker says to a request."""

    YES = auto()
    PROBE = auto()  # one at a time, beside a provider that is known to work
    NO = auto()


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """Failures in a row that weigh `opens_at` together open it: one that failed outright weighs 2, one that was only late 1.
    A rejection (key, model, quota) opens it at once and for longer. Times in seconds.

    From `doubts_at` on it is asked, but not alone, and those who wait for it already ask another as well: one that is well
    is late four times in a row once in a hundred thousand requests. At three, one that is late now and then cost too many
    second requests in a simulation of its first minute.
    """

    opens_at: int = 5
    doubts_at: int = 4
    cool_down: float = 5.0
    longest: float = 60.0
    cool_down_rejected: float = 60.0


class Breaker:
    """One provider's breaker, shared by all calls of the process."""

    def __init__(self, policy: BreakerPolicy | None = None) -> None:
        self.policy = policy or BreakerPolicy()
        self.state = State.CLOSED
        self.reopens_at = 0.0
        self._weight = 0
        self._cool_down = self.policy.cool_down
        self._is_probing = False

    def admit(self, now: float) -> Admission:
        """Whether a request may go out now. A `PROBE` must be followed by `succeeded`, `failed` or `released`."""
        if self.state is State.OPEN and now >= self.reopens_at:
            self.state = State.HALF_OPEN
            self._is_probing = False
        if self.state is State.CLOSED:
            return Admission.YES
        if self.state is State.OPEN or self._is_probing:
            return Admission.NO
        self._is_probing = True
        return Admission.PROBE

    def is_open(self, now: float) -> bool:
        """Whether requests are refused at this instant, without asking for one."""
        return self.state is State.OPEN and now < self.reopens_at

    @property
    def is_steady(self) -> bool:
        """Whether nothing is held against it: its last answer came, and in time."""
        return self.state is State.CLOSED and not self._weight

    def is_doubted(self, now: float) -> bool:
        """Whether a request had better not wait for it alone: it has failed too often in a row of late, or is open."""
        return self.is_open(now) or self._weight >= self.policy.doubts_at

    def succeeded(self) -> bool:
        """A request was answered in time. True when that closed the breaker."""
        was_closed = self.state is State.CLOSED
        self.state = State.CLOSED
        self._weight = 0
        self._is_probing = False
        self._cool_down = self.policy.cool_down
        return not was_closed

    def failed(self, now: float, *, is_rejected: bool = False, is_late: bool = False) -> bool:
        """A request failed, or is late. True when that opened the breaker."""
        self._weight += 1 if is_late else 2
        was_probe = self.state is State.HALF_OPEN
        self._is_probing = False
        if self.state is State.OPEN or not (was_probe or is_rejected or self._weight >= self.policy.opens_at):
            return False
        if was_probe:
            self._cool_down = min(self._cool_down * 2, self.policy.longest)
        self.state = State.OPEN
        self.reopens_at = now + (self.policy.cool_down_rejected if is_rejected else self._cool_down)
        return True

    def released(self) -> None:
        """A request was called off by us: it says nothing about the provider."""
        self._is_probing = False
