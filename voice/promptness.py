"""How soon a reply will be heard: what mind and mouth have taken lately, and how far this reply has come. Pure.

It is known before it happens, so that a wait can be bridged when it begins and not when it has become awkward.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from voice.actions import Action, Speak, StartReply
from voice.events import Event, ReplyId, ReplyText, SpeechArrived
from voice.policy import Policy

_RECENT: Final = 7  # delays of this call that count, beside what the process knows
_FOLLOWED: Final = 4  # replies at a time: the live one, a draft, and those just stopped
_OVERDUE: Final = 0.35  # of the usual delay: what is late already takes so much longer still, at the median of a log-normal


@dataclass(slots=True)
class _Way:
    """A reply's way: when the mind was asked, and the mouth; seconds on the call's clock."""

    mind_asked: float | None = None
    mouth_asked: float | None = None
    has_words: bool = False
    is_audible: bool = False


class Promptness:
    """Times in seconds; `mind` and `mouth` are the usual delays to the first word and to the first sound, 0 while unknown.

    `known` are those of this process, from its other calls.
    """

    def __init__(self, known: tuple[float, float] = (0.0, 0.0)) -> None:
        self._mind, self._mouth = (deque([each] if each else [], maxlen=_RECENT) for each in known)
        self._ways: dict[ReplyId, _Way] = {}

    @property
    def mind(self) -> float:
        return median(self._mind) if self._mind else 0.0

    @property
    def mouth(self) -> float:
        return median(self._mouth) if self._mouth else 0.0

    def saw(self, event: Event, actions: Sequence[Action], now: float) -> None:
        """Follow what was asked for, and what came."""
        if isinstance(event, ReplyText):
            self._wrote(event.reply, now)
        elif isinstance(event, SpeechArrived) and event.segment == 0:
            self._spoke(event.reply, now)
        for action in actions:
            if isinstance(action, StartReply):
                self._way(action.reply).mind_asked = now
            elif isinstance(action, Speak) and action.segment == 0:
                self._way(action.reply).mouth_asked = now

    def remaining(self, reply: ReplyId, now: float) -> float:
        """Seconds until this reply's own first sound, as far as can be told."""
        way = self._ways.get(reply, _Way(mind_asked=now))
        if way.is_audible:
            return 0.0
        if way.mouth_asked is not None:
            return _left(self.mouth, now - way.mouth_asked)
        if way.has_words or way.mind_asked is None:
            return self.mouth
        return _left(self.mind, now - way.mind_asked) + self.mouth

    def _wrote(self, reply: ReplyId, now: float) -> None:
        way = self._ways.get(reply)
        if way is not None and not way.has_words:
            way.has_words = True
            if way.mind_asked is not None:
                self._mind.append(now - way.mind_asked)

    def _spoke(self, reply: ReplyId, now: float) -> None:
        way = self._ways.get(reply)
        if way is not None and not way.is_audible:
            way.is_audible = True
            if way.mouth_asked is not None and way.mind_asked is not None:  # fixed words are often spoken already
                self._mouth.append(now - way.mouth_asked)

    def _way(self, reply: ReplyId) -> _Way:
        if reply not in self._ways and len(self._ways) == _FOLLOWED:
            del self._ways[next(iter(self._ways))]
        return self._ways.setdefault(reply, _Way())


def _left(usual: float, passed: float) -> float:
    return max(usual - passed, usual * _OVERDUE)


class Lately:
    """What mind and mouth have taken in the last calls of this process: where a new call's expectations begin."""

    def __init__(self, published: tuple[float, float] = (0.5, 0.18)) -> None:
        """`published`: what vendors say of themselves, for the first call."""
        self._calls: deque[tuple[float, float]] = deque([published], maxlen=20)

    def add(self, mind: float, mouth: float) -> None:
        """A call is over in which these were the usual delays; one without a reply teaches nothing."""
        if mind and mouth:
            self._calls.append((mind, mouth))

    def told(self, policy: Policy) -> Policy:
        """The policy of a new call, which knows them."""
        minds, mouths = zip(*self._calls, strict=True)
        return replace(policy, mind_takes=round(median(minds), 3), mouth_takes=round(median(mouths), 3))
