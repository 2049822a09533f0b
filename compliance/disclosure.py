"""What a call must say and do, and whether it did, judged from the instants at which audio was really played. Pure.

The rule book says which duties bind a call; the conversation measures (seconds since the answer, from the playout ledger);
this tells which duties were not met. A duty that was never measured counts as not met.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from compliance.record import Errand, LineType
from compliance.rules import Rulebook
from compliance.rules.schema import Duty

# What the conversation measures, by name. All are seconds since the answer; absent: it did not happen.
GREETING_ENDED: Final = "greeting_ended"  # the person's own "hello?"
FIRST_AUDIO: Final = "first_audio"
IDENTIFIED: Final = "identified"  # the end of the words that name the seller
OPT_OUT_OFFERED: Final = "opt_out_offered"  # the beginning of the words that offer it
AI_DISCLOSED: Final = "ai_disclosed"
RECORDING_DISCLOSED: Final = "recording_disclosed"
PURPOSE_SAID: Final = "purpose_said"
CALLBACK_GIVEN: Final = "callback_given"
TOLL_FREE_GIVEN: Final = "toll_free_given"
OPT_OUT_ASKED: Final = "opt_out_asked"
ENDED: Final = "ended"
RANG: Final = "rang"  # how long it rang, for a call that nobody answered

_HAPPENED: Final = {
    "identify": IDENTIFIED,
    "callback_number": CALLBACK_GIVEN,
    "opt_out": OPT_OUT_OFFERED,
    "end_on_opt_out": ENDED,
    "voicemail_number": TOLL_FREE_GIVEN,
    "purpose": PURPOSE_SAID,
    "speak": FIRST_AUDIO,
    "ring": RANG,
    "disclose_ai": AI_DISCLOSED,
    "disclose_recording": RECORDING_DISCLOSED,
    "release_line": ENDED,
}
_AFTER: Final = {
    "answer": "",
    "start": "",
    "greeting": GREETING_ENDED,
    "identification": IDENTIFIED,
    "request": OPT_OUT_ASKED,
}
_HANG_UP_WITHIN: Final = 10.0  # seconds; where a statute gives no figure, the strictest that does: RCW 80.36.390


@dataclass(frozen=True, slots=True)
class Breach:
    """A duty that was not met: `says` is the duty, `found` what was measured instead."""

    entry: str
    says: str
    source: str
    found: str


def duties(errand: Errand, line: LineType, states: frozenset[str], on: date, rules: Rulebook) -> tuple[Duty, ...]:
    """Everything such a call must say or do, by federal law, the law of these states and our own rules."""
    return tuple(
        rule
        for _, rule in rules.of(states)
        if isinstance(rule, Duty) and rule.binds(errand.purpose, errand.voice, line) and rule.in_force(on)
    )


def breaches(bound: tuple[Duty, ...], measured: Mapping[str, float], *, answered_by: str) -> list[Breach]:
    """The duties a call did not meet. `answered_by` is `person`, `machine` or `nobody`: each has duties of its own."""
    return [
        Breach(duty.id, duty.says, duty.source, found)
        for duty in bound
        if _concerns(duty, measured, answered_by) and (found := _wrong(duty, measured))
    ]


def _concerns(duty: Duty, measured: Mapping[str, float], answered_by: str) -> bool:
    match duty.duty:
        case "ring":
            return answered_by == "nobody"
        case "voicemail_number":
            return answered_by == "machine"
        case "end_on_opt_out" | "release_line":
            return OPT_OUT_ASKED in measured
        case "identify" | "callback_number" | "purpose":
            return answered_by != "nobody"
        case _:
            return answered_by == "person"


def _wrong(duty: Duty, measured: Mapping[str, float]) -> str:
    name, since = _HAPPENED[duty.duty], _AFTER[duty.after]
    happened = measured.get(name)
    if happened is None:
        return f"{name} was not measured: it did not happen."
    if duty.duty == "ring":
        return "" if duty.within is None or happened >= duty.within else f"It rang for {happened:.1f} s."
    start = measured.get(since, 0.0) if since else 0.0
    within = duty.within if duty.within is not None else (_HANG_UP_WITHIN if since == OPT_OUT_ASKED else None)
    if within is None or happened - start <= within:
        return ""
    return f"{name} came {happened - start:.2f} s after {since or 'the answer'}; {within:g} s are allowed."
