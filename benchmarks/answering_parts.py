"""Where the time of an answer goes: from the caller's last sound through ears, mind and mouth to our own. Pure."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import Final

from benchmarks.simulate import World
from voice.actions import FinishUtterance, Speak, StartReply
from voice.events import ReplyId, ReplyText, SpeechArrived

PARTS: Final = {
    "pause": "until the ears are asked for their last words",
    "words": "until the mind is asked",
    "mind": "until its first word",
    "clause": "until the mouth is asked",
    "mouth": "until its first sound has come",
    "held": "until that is heard: the turn must be over, and a word in between said",
}


def parts(world: World, reply: ReplyId, end: float, heard: float) -> dict[str, float] | None:
    """Seconds by the names of `PARTS`, of the reply that was heard so late after the caller's `end`. None where an order is
    unknown: the reply began otherwise than with the mind."""
    began = _ordered(world, StartReply, reply)
    clause = _ordered(world, Speak, reply)
    words = next((at for at, event, _ in world.log if isinstance(event, ReplyText) and event.reply == reply), None)
    sound = next((at for at, event, _ in world.log if _is_sound(event, reply)), None)
    if began is None or clause is None or words is None or sound is None:
        return None
    asked = max((at for at, order in world.done if isinstance(order, FinishUtterance) and at <= began), default=began)
    instants = [end, max(end, min(asked, began)), began, words, clause, sound, heard]
    return {name: after - before for name, (before, after) in zip(PARTS, pairwise(instants), strict=True)}


def medians(found: list[dict[str, float]]) -> dict[str, float]:
    """Of each part, in milliseconds."""
    return {name: round(1000 * median(each[name] for each in found)) for name in PARTS} if found else {}


def _ordered(world: World, kind: type[StartReply] | type[Speak], reply: ReplyId) -> float | None:
    orders = (at for at, order in world.done if isinstance(order, kind) and order.reply == reply and _is_own(order))
    return next(orders, None)


def _is_own(order: StartReply | Speak) -> bool:
    return isinstance(order, StartReply) or order.segment == 0


def _is_sound(event: object, reply: ReplyId) -> bool:
    return isinstance(event, SpeechArrived) and event.reply == reply and event.segment == 0
