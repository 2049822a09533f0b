"""Words that are already a whole answer."""

from __future__ import annotations

import pytest

from voice.agent import AnswerKind
from voice.answers import is_answer
from voice.endpointing import Endpointing
from voice.events import Transcribed

ROOFS = frozenset({"shingle", "metal", "it's flat"})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Yes.", AnswerKind.YES_NO),
        ("yes I do", AnswerKind.YES_NO),
        ("no thank you", AnswerKind.YES_NO),
        ("about two hundred dollars", AnswerKind.NUMBER),
        ("Friday at three", AnswerKind.TIME),
        ("it is a metal roof", AnswerKind.CHOICE),
        ("it's flat", AnswerKind.OPEN),
    ],
)
def test_whole(text: str, kind: AnswerKind):
    assert is_answer(text, kind, ROOFS)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", AnswerKind.YES_NO),
        ("I do", AnswerKind.YES_NO),
        ("yes but the roof", AnswerKind.YES_NO),
        ("yes it is right of course I think so", AnswerKind.YES_NO),
        ("two hundred", AnswerKind.NUMBER),
        ("Friday", AnswerKind.TIME),
        ("slate", AnswerKind.CHOICE),
        ("well I was thinking", AnswerKind.OPEN),
    ],
)
def test_not_yet(text: str, kind: AnswerKind):
    assert not is_answer(text, kind, ROOFS)


def test_a_whole_answer_is_waited_for_less():
    short, open_end = Endpointing(), Endpointing()
    short.expect(AnswerKind.YES_NO, ("Yes, I do.",))
    open_end.expect(AnswerKind.YES_NO)
    for endpointing, words in ((short, "yes i do"), (open_end, "yes but the")):
        endpointing.begin()
        endpointing.voiced(0.6, 0.0)
        endpointing.transcribed(Transcribed(words, is_final=True))
    assert short.ending().patience < 0.4 < open_end.ending().patience
