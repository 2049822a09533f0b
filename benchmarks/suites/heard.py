"""What our memory keeps of replies that are cut: hundreds of cuts, with word times and without, in seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from benchmarks.callers.scenario import REPLIES, sentences
from benchmarks.callers.speech import AGENT_VOICE, Recorded, Speech
from benchmarks.cuts import errors
from benchmarks.plan import Place
from benchmarks.report.model import Run, figure

VOICES: Final = (AGENT_VOICE, "caller", "caller_plain", "caller_old")
CUTS: Final = 200  # a voice


async def heard(place: Place, cuts: int, seed: int, progress: Callable[[str], None]) -> Run:
    """Cut so many replies of each voice. Raises `ProviderError` when nothing here can speak."""
    speech = Speech(place.speech)
    parts = [sentences(reply) for reply in REPLIES]
    await speech.learn([(part, voice) for voice in VOICES for reply in parts for part in reply])
    timed: list[float] = []
    untimed: list[float] = []
    for number, voice in enumerate(VOICES):
        progress(f"{cuts} replies of the voice {voice}, cut with word times and without")
        replies: list[list[tuple[str, Recorded]]] = [[(part, speech.get(part, voice)) for part in reply] for reply in parts]
        timed += errors(replies, cuts, seed + number, has_word_times=True)
        untimed += errors(replies, cuts, seed + number, has_word_times=False)
    return Run(
        suite="heard",
        engine="offhook",
        setup={"cuts a voice": str(cuts), "voices": ", ".join(VOICES), "seed": str(seed)},
        calls=2 * cuts * len(VOICES),
        figures={"heard_error": figure(timed, "words"), "heard_error_untimed": figure(untimed, "words")},
    )
