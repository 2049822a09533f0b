"""Whether what picked up is a machine, judged by what it says. Pure.

Carriers' detectors take about four seconds (Twilio: default settings, asynchronous callback); a greeting says it in words.
"""

from __future__ import annotations

from typing import Final

from voice.phrases import any_of, plain
from voice.tongues import TONGUES

_GREETING: Final = any_of(pattern for tongue in TONGUES for pattern in tongue.voicemail)


def is_voicemail_greeting(text: str) -> bool:
    """Whether these are words that only a recorded greeting says to somebody who rings."""
    return _GREETING.search(plain(text)) is not None
