"""What the two plug-in worlds share: how a plug-in is named and configured, and linear audio at any rate as mu-law.

A name is a plug-in and its own constructor's options: `deepgram`, `openai?model=gpt-5.4-mini&temperature=0.2`,
`elevenlabs?voice_id=abc&base_url=https://...`. Values are read as JSON where they are JSON, as text otherwise. Keys come
from where each plug-in looks for them itself: the vendor's environment variable.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

from telephony.audio import Resampler, encode
from voice.errors import ProviderRejected
from voice.events import SAMPLE_RATE, Transcribed


@dataclass(frozen=True, slots=True)
class PlugIn:
    """A plug-in of a framework, and the options for its constructor."""

    framework: str
    module: str
    options: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.framework}:{self.module}"


def parse_name(framework: str, name: str) -> PlugIn:
    """A plug-in by its name. Raises `ProviderRejected` when there is none in it."""
    module, _, query = name.partition("?")
    if not module.replace("_", "").replace(".", "").isalnum():
        raise ProviderRejected(framework, "unknown_provider", f"{framework}:NAME needs the name of a plug-in, not {name!r}")
    return PlugIn(framework, module, {key: _value(text) for key, text in parse_qsl(query, keep_blank_values=True)})


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


class ToMulaw:
    """Linear 16-bit mono audio of one rate, in pieces, as mu-law at 8 kHz."""

    def __init__(self, rate: int) -> None:
        self._resampler = None if rate == SAMPLE_RATE else Resampler(rate, SAMPLE_RATE)

    def convert(self, pcm: bytes, *, is_last: bool = False) -> bytes:
        """The next piece; the last one is empty. An odd last byte is dropped: half a sample is none."""
        samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.int16)
        if self._resampler is not None:
            samples = self._resampler.finish() if is_last else self._resampler.feed(samples)
        return encode(samples) if len(samples) else b""


@dataclass(slots=True)
class LastInterim:
    """Remembers what a final that does not come would have said."""

    interim: Transcribed = field(default_factory=lambda: Transcribed("", is_final=False))

    def heard(self, words: Transcribed) -> Transcribed:
        self.interim = Transcribed("", is_final=False) if words.is_final else words
        return words

    def close(self) -> Transcribed:
        """The final that takes the place of the one that did not come."""
        final = Transcribed(self.interim.text, True, self.interim.confidence, None, self.interim.words)
        self.interim = Transcribed("", is_final=False)
        return final
