"""Whether what picked up is a machine, judged by what it says. Pure.

Carriers' detectors take about four seconds (Twilio: default settings, asynchronous callback); a greeting says it in words.
"""

from __future__ import annotations

import re
from typing import Final

from voice.phrases import normalise

_GREETING: Final = re.compile(
    r"\b(leave (me |us |your |a )*(name|message|number)|(after|at) the (tone|beep)|(is|am|are) not available|"
    r"(can't|cannot|can not|unable to) (come to the phone|take your call|answer)|reached the (voice ?mail|mailbox)|"
    r"voice ?mail|mailbox)\b"
)


def is_voicemail_greeting(text: str) -> bool:
    """Whether these are words that only a recorded greeting says to somebody who rings."""
    return _GREETING.search(normalise(text)) is not None
