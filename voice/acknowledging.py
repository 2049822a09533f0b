"""The word in between: whether a late reply is bridged, when, and with what. Pure.

An answer is acknowledged ("Okay."), a question considered ("Let me see."), a wait that goes on explained ("One moment.").
None of them twice in a call (a phrase that comes again gives a machine away), none where the answer may be bad news, where
somebody complains, and none where the reply itself will be heard as soon. A goodbye is acknowledged, and never explained.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from voice.actions import CallerSaid, Message
from voice.agent import Manners
from voice.phrases import is_parting, is_request, is_upset, normalise
from voice.policy import Policy
from voice.promptness import Promptness
from voice.reply import Reply

_AGAIN: Final = 1.4  # seconds of silence after a word in between, before the wait is explained
_LEAST: Final = 0.25  # seconds that nobody has spoken, before a word in between
_GRACE: Final = 0.12  # seconds a reply may be later than expected before it is late
_BREATH: Final = 0.1
_LETTER: Final = 0.055  # seconds
_MOST: Final = 2  # words in between in one reply


class Bridge:
    """What may be said in between in one call. Decides; `Speaking` says it."""

    def __init__(self, manners: Manners, policy: Policy, promptness: Promptness) -> None:
        self._answers = deque(manners.acknowledgements)
        self._waits = deque(manners.fillers)
        self._after = policy.acknowledge_after
        self._promptness = promptness

    def due(self, reply: Reply, since: float, now: float) -> float | None:
        """When to bridge the wait for this reply: `now`, or an instant at which to ask again, or never. The caller has been
        waiting `since`."""
        if self._after is None or not (self._answers or self._waits):
            return None
        if reply.told_at is not None or reply.is_protected or len(reply.bridges) == _MOST or reply.is_leading:
            return None
        expected = now + self._promptness.remaining(reply.id, now)
        if reply.bridges:
            again = reply.bridged_until + _AGAIN
            return max(now, again) if expected > again else again + _GRACE
        if expected > since + self._after:
            return max(now, since + _LEAST)
        return max(since + self._after, expected) + _GRACE

    def words(self, reply: Reply, messages: Sequence[Message], now: float) -> str:
        """What fits, never to be offered again; empty for nothing. Nothing long for a short wait: the reply would have to
        wait for it."""
        said = next((each.text for each in reversed(messages) if isinstance(each, CallerSaid)), "")
        is_answering = bool(messages) and isinstance(messages[-1], CallerSaid)
        if is_answering and not normalise(said):
            return ""  # nothing was understood: there is nothing to acknowledge
        if is_upset(said) or (is_parting(said) and reply.bridges):
            return ""
        is_told = is_answering and not reply.bridges and (is_parting(said) or not is_request(said))
        stock = self._answers if is_told else self._waits
        if not stock:
            return ""
        remaining = self._promptness.remaining(reply.id, now)
        words = next((each for each in stock if _seconds(each) <= remaining), min(stock, key=len))
        stock.remove(words)
        reply.is_acknowledged |= is_told
        return words


def _seconds(words: str) -> float:
    """How long they take to say, about."""
    return _BREATH + _LETTER * len(words)
