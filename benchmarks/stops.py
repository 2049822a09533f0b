"""Why an agent fell silent: which sounds of a caller stopped it, and which replies broke off with nobody speaking. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.callers.scenario import sentences
from benchmarks.heard import HeardSentence
from benchmarks.measure import Line, Span
from telephony.audio import SAMPLE_RATE

_NATURAL: Final = int(0.5 * SAMPLE_RATE)  # a reply that ends this near its last word has ended by itself
_HUNG_UP: Final = int(1.0 * SAMPLE_RATE)  # samples before the end of a call in which a reply is cut by the hang-up


@dataclass(frozen=True, slots=True)
class Words:
    """What is known of the agent's words. Of a voice nobody knows, only a clear tells a reply cut short from a whole one."""

    heard: Sequence[HeardSentence]
    replies: Sequence[str]
    clears: tuple[int, ...] | None

    @property
    def content(self) -> list[HeardSentence]:
        """What was heard of the replies themselves: the rest only bridges a wait."""
        known = self._sentences()
        return [each for each in self.heard if each.text in known]

    @property
    def bridges(self) -> list[HeardSentence]:
        """Words in between ("Okay.", "Let me see."): after one of them an agent falls silent of itself."""
        known = self._sentences()
        return [each for each in self.heard if each.text not in known]

    def _sentences(self) -> set[str]:
        return {sentence for reply in self.replies for sentence in sentences(reply)}


def cut_by(began: int, within: float, agent: Sequence[Span], words: Words) -> int | None:
    """When the agent, who was talking at `began`, fell silent before its reply was over; None if it did not."""
    ends = [end for start, end in agent if start < began < end]
    if not ends or ends[0] - began > within * SAMPLE_RATE:
        return None
    if words.clears is not None:
        return ends[0] if any(began <= at <= ends[0] + _NATURAL for at in words.clears) else None
    last = [each for each in words.heard if each.start < ends[0]]
    is_over = bool(last) and _ends_of_itself(last[-1], words) and abs(last[-1].end - ends[0]) < _NATURAL
    return None if is_over else ends[0]


def _ends_of_itself(sentence: HeardSentence, words: Words) -> bool:
    return _ends_a_reply(sentence, words.replies) or (sentence.is_whole and sentence in words.bridges)


def _ends_a_reply(sentence: HeardSentence, replies: Sequence[str]) -> bool:
    return sentence.is_whole and any(sentences(reply)[-1] == sentence.text for reply in replies)


def undisturbed(words: Words, lines: Sequence[Line], samples: int) -> Iterator[tuple[int, bool]]:
    """Every reply over which nobody made a sound: where it ended, and whether it broke off all the same."""
    for start, end, is_whole in _told(words):
        is_disturbed = any(line.start < end + SAMPLE_RATE // 2 and line.end > start for line in lines)
        if not is_disturbed and end < samples - _HUNG_UP:
            yield end, not is_whole


def _told(words: Words) -> Iterator[tuple[int, int, bool]]:
    """Replies as they were heard: start, end, and whether to their last word."""
    places = {
        part: (number, index) for number, reply in enumerate(words.replies) for index, part in enumerate(sentences(reply))
    }
    run: list[HeardSentence] = []
    for sentence in words.content:
        number, index = places.get(sentence.text, (-1, 0))
        is_next = bool(run) and (
            places.get(run[-1].text, (-1, 0)) == (number, index - 1) or run[-1].is_continued_by(sentence)
        )
        if run and not is_next:
            yield run[0].start, run[-1].end, _ends_a_reply(run[-1], words.replies)
            run = []
        run.append(sentence)
    if run:
        yield run[0].start, run[-1].end, _ends_a_reply(run[-1], words.replies)
