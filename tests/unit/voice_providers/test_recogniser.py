"""The ears of a call with a decoder and a detector that do as they are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from voice.events import Samples, VoiceEvidence
from voice.providers.embedded import recogniser
from voice.providers.embedded.recogniser import PREROLL, Heard, Recogniser, confidence, plain
from voice.providers.silero import WINDOW, SileroActivity

FRAMES = WINDOW * 100 / 8000  # decoder frames a window


@dataclass
class Segment:
    word: str
    start_frame: int
    end_frame: int


@dataclass
class Hypothesis:
    hypstr: str
    prob: float


@dataclass
class FakeDecoder:
    """Hears the words of `script`, one every five windows from the tenth on."""

    script: Sequence[str] = ("yes", "i(2)", "do")
    probability: float = 0.1
    windows: int = 0
    calls: list[str] = field(default_factory=list)

    def start_utt(self) -> None:
        self.calls.append("start")
        self.windows = 0

    def process_raw(self, data: bytes, no_search: bool = False, full_utt: bool = False) -> int:
        assert len(data) == 2 * WINDOW
        self.windows += 1
        return 1

    def end_utt(self) -> None:
        self.calls.append("end")

    def n_frames(self) -> int:
        return self.windows

    @property
    def words(self) -> list[str]:
        return list(self.script[: max(0, self.windows - PREROLL) // 5])

    def hyp(self) -> Any:
        return Hypothesis(" ".join(["<s>", *self.words, "[NOISE]"]), self.probability) if self.words else None

    def seg(self) -> Iterable[Any]:
        start = int(PREROLL * FRAMES)
        spoken = [Segment(word, start + 20 * n, start + 20 * n + 9) for n, word in enumerate(self.words)]
        return [Segment("<s>", 0, start - 1), *spoken]


class FakeActivity(SileroActivity):
    """What is speech is told by the audio: its first byte in a window, in hundredths."""

    def judge(self, window: bytes) -> VoiceEvidence:
        return VoiceEvidence(Samples(0), window[0] / 100, -30.0)


def windows(speech: float, count: int) -> bytes:
    return bytes([round(speech * 100)]) * (WINDOW * count)


@pytest.fixture
def decoder() -> FakeDecoder:
    return FakeDecoder()


@pytest.fixture
def ears(decoder: FakeDecoder, monkeypatch: pytest.MonkeyPatch) -> Recogniser:
    monkeypatch.setattr(recogniser, "SileroActivity", FakeActivity)
    return Recogniser(decoder, lambda used: decoder.calls.append("prepare"))


def texts(heard: list[Heard]) -> list[str]:
    return [each.text for each in heard]


def test_silence_never_reaches_the_decoder(ears: Recogniser, decoder: FakeDecoder) -> None:
    assert ears.hear(windows(0.1, 200)) == []
    assert ears.finish() == Heard("", is_final=True)
    assert decoder.calls == []


def test_speech_is_heard_as_it_grows_and_timed_in_the_call(ears: Recogniser, decoder: FakeDecoder) -> None:
    ears.hear(windows(0.1, 50))
    interims = ears.hear(windows(0.9, 20))
    assert texts(interims) == ["yes", "yes i", "yes i do"]
    assert not any(each.is_final for each in interims)
    final = ears.finish()
    assert (final.text, final.is_final) == ("yes i do", True)
    assert final.words[0].start == pytest.approx((50 - PREROLL + 1 + PREROLL) * WINDOW / 8000, abs=0.04)
    assert decoder.calls == ["prepare", "start", "end"]
    assert ears.finish().text == ""


def test_a_long_pause_is_not_fed_but_what_follows_is(ears: Recogniser, decoder: FakeDecoder) -> None:
    ears.hear(windows(0.9, 10))
    ears.hear(windows(0.0, 300))
    fed = decoder.windows
    assert fed < 40
    ears.hear(windows(0.9, 10))
    assert decoder.windows == fed + PREROLL + 10
    final = ears.finish()
    assert final.words[-1].end < 320 * WINDOW / 8000


def test_a_noise_that_was_not_speech_is_nobodys_words(ears: Recogniser, decoder: FakeDecoder) -> None:
    assert ears.hear(windows(0.4, 40)) == []
    assert ears.hear(windows(0.0, 25)) == []
    assert decoder.calls == ["prepare", "start", "end"]
    assert ears.finish() == Heard("", is_final=True)
    ears.hear(windows(0.4, 30))
    assert ears.finish().text == ""


def test_words_that_are_not_believed_are_not_told(ears: Recogniser, decoder: FakeDecoder) -> None:
    decoder.probability = 1e-6
    ears.hear(windows(0.9, 40))
    final = ears.finish()
    assert (final.text, final.words) == ("", ())
    assert final.confidence < 0.3


def test_an_endless_utterance_is_finished_unasked(ears: Recogniser) -> None:
    heard = ears.hear(windows(0.9, 1000))
    assert [each.is_final for each in heard].count(True) == 1


def test_no_words_at_all(ears: Recogniser, decoder: FakeDecoder) -> None:
    decoder.script = ()
    ears.hear(windows(0.9, 40))
    assert ears.finish() == Heard("", is_final=True)


def test_without_a_preparation(decoder: FakeDecoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recogniser, "SileroActivity", FakeActivity)
    ears = Recogniser(decoder)
    ears.hear(windows(0.9, 40))
    assert ears.finish().text == "yes i do"


def test_confidence_and_plain_words() -> None:
    assert confidence(1.0) == 1.0
    assert confidence(0.0) == 0.0
    assert 0.7 < confidence(0.1) < 0.9
    assert plain("<s> yes i(2) [NOISE] do </s>") == "yes i do"
