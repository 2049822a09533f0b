"""The lane of decisions: orders in words, the events that led to them, and whether they are given now too. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from telephony.number import mask
from voice.drawing.orders import Order, orders
from voice.drawing.story import Decision, Difference, Time
from voice.events import SAMPLE_RATE
from voice.replay import Step, brief, cause_of

_SHOWN_ELSEWHERE: Final = frozenset({"Play", "SetLead"})  # in the agent's lane, and among beliefs
_NOTES_SHOWN_ELSEWHERE: Final = frozenset({"agent", "caller_interim"})  # in the lane of who spoke


def decisions(step: Step) -> Iterator[Decision]:
    """What was decided in a step, then and now."""
    cause = cause_of(step)
    if not step.differs:
        given = orders(step.entry.actions)
        run = {order.text("name") for order in given if order.name == "RunTool"}
        for order in given:
            if _is_worth_a_mark(order) and not (order.name == "Note" and order.text("text") in run):
                yield _decision(step.at, order, cause, Time.SAME)
        return
    for action in step.entry.actions:
        for order in orders([action]):
            yield _decision(step.at, order, cause, Time.SAME if action in step.actions else Time.THEN)
    for action in step.actions:
        if action not in step.entry.actions:
            yield from (_decision(step.at, order, cause, Time.NOW) for order in orders([action]))


def difference(step: Step) -> Difference | None:
    """What is decided otherwise in a step, in words; None where nothing is."""
    if not step.differs:
        return None
    then = tuple(told(action) for action in step.entry.actions if action not in step.actions)
    now = tuple(told(action) for action in step.actions if action not in step.entry.actions)
    if not then and not now and not step.broke:
        then, now = ("the same orders",), ("in another order of their own",)
    return Difference(step.at, cause_of(step), then, now, step.broke)


def told(action: list[Any]) -> str:
    """An action as it was written, in words."""
    return " · ".join(" ".join(part for part in _words(order)[1:] if part) for order in orders([action])) or brief(action)


def _is_worth_a_mark(order: Order) -> bool:
    if order.name == "Note":
        return order.text("kind") not in _NOTES_SHOWN_ELSEWHERE
    return order.name not in _SHOWN_ELSEWHERE


def _decision(at: float, order: Order, cause: str, time: Time) -> Decision:
    kind, label, detail = _words(order)
    return Decision(at, kind, label, detail, cause, time)


def _words(order: Order) -> tuple[str, str, str]:
    """Kind, label and the rest."""
    reply = order.whole("reply")
    match order.name:
        case "Note":
            detail = "; ".join(f"{key}: {value}" for key, value in order.pairs("detail"))
            return order.text("kind") or "note", order.text("text"), detail
        case "StartReply":
            return "reply", f"{'prepare' if order.is_set('speculative') else 'start'} reply {reply}", ""
        case "StopReply":
            return "stop", f"stop reply {reply}", ""
        case "ClearPlayout":
            return "stop", "clear", "what is queued is thrown away, here and at the carrier"
        case "SetGain":
            gain = order.number("gain")
            return "gain", "full voice" if gain >= 1.0 else f"duck to {gain:g}", ""
        case "SetLead":
            return "lead", f"send {order.number('seconds') * 1000:.0f} ms ahead", ""
        case "Speak":
            protected = "to be heard to its end" if order.is_set("is_protected") else ""
            return "speak", f"say “{order.text('text')}”", protected
        case "RunTool":
            return "tool", f"run {order.text('name')}", order.text("arguments")
        case "Transfer":
            return "leave", f"transfer to {mask(order.text('to'))}", ""
        case "Hangup":
            return "leave", "hang up", order.text("reason")
        case "Expect":
            phrases = order.fields.get("phrases")
            shown = ", ".join(str(phrase) for phrase in phrases) if isinstance(phrases, list) else ""
            return "listen", "expect an answer", shown
        case "FinishUtterance":
            return "listen", "ask for the last words", ""
        case "Play":
            return "play", f"play {order.number('audio') / SAMPLE_RATE:.2f} s", ""
        case other:
            return "other", other, ""
