"""Names of providers, as settings give them, to the parts behind them. A part's code is loaded only when it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from voice.errors import ProviderRejected
from voice.ports import LanguageModel, SpeechToText, TextToSpeech

EMBEDDED: Final = "embedded"
EARS: Final = (EMBEDDED,)
MINDS: Final = (EMBEDDED,)
MOUTHS: Final = (EMBEDDED,)


def make_ears(name: str, home: Path) -> SpeechToText:
    """Speech to text by name; `home` is where it may keep files. Raises `ProviderRejected` for an unknown name."""
    if name == EMBEDDED:
        from voice.providers.embedded.ears import EmbeddedEars

        return EmbeddedEars(home)
    raise _unknown("ears", name, EARS)


def make_mind(name: str) -> LanguageModel:
    """A language model by name. Raises `ProviderRejected` for an unknown name."""
    if name == EMBEDDED:
        from voice.providers.embedded.mind import EmbeddedMind

        return EmbeddedMind()
    raise _unknown("mind", name, MINDS)


def make_mouth(name: str) -> TextToSpeech:
    """Text to speech by name. Raises `ProviderRejected` for an unknown name."""
    if name == EMBEDDED:
        from voice.providers.embedded.mouth import EmbeddedMouth

        return EmbeddedMouth()
    raise _unknown("mouth", name, MOUTHS)


def _unknown(part: str, name: str, known: tuple[str, ...]) -> ProviderRejected:
    return ProviderRejected(name, "unknown_provider", f"no such {part}; there are: {', '.join(known)}")
