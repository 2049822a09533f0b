"""Callers: the same seed gives the same people, and every sound has its place in the script."""

import pytest

from benchmarks.callers.fleet import call_sid
from benchmarks.callers.load import Frames, masked
from benchmarks.callers.scenario import NOISES, OPENING, SCENARIOS, Kind, sentences
from benchmarks.callers.speech import Speech, pauses, person, texts_of, trimmed, write_bank
from benchmarks.engines.scripted import Bank
from telephony.audio import SAMPLE_RATE, silence
from telephony.simulator.person import tone


@pytest.mark.parametrize("suite", sorted(SCENARIOS))
def test_the_same_seed_gives_the_same_caller(suite):
    assert SCENARIOS[suite](3, 7) == SCENARIOS[suite](3, 7)
    assert SCENARIOS[suite](3, 7) != SCENARIOS[suite](3, 8)


@pytest.mark.parametrize("number", range(6))
def test_a_call_begins_with_hello_and_never_ends_with_a_noise(number):
    acts = SCENARIOS["bargein"](number, 1).acts
    assert acts[0].kind is Kind.HELLO
    assert acts[-1].kind is Kind.BYE
    assert any(act.kind in NOISES or act.kind is Kind.BARGE_IN for act in acts)


def test_every_second_caller_of_latency_thinks_in_mid_sentence():
    assert any(act.pause for act in SCENARIOS["latency"](1, 1).acts)
    assert not any(act.pause for act in SCENARIOS["latency"](0, 1).acts)


def test_calls_are_named_alike_for_every_engine():
    assert call_sid("latency", 1, 2) == call_sid("latency", 1, 2)
    assert len({call_sid(suite, 1, 2) for suite in SCENARIOS}) == len(SCENARIOS)
    assert len(call_sid("density", 1, 2)) == 34


def test_texts_are_cut_as_engines_cut_them():
    assert sentences(OPENING)[-1] == "Is this a good time for you?"
    assert " ".join(sentences(OPENING)) == OPENING


def test_silence_at_the_ends_of_speech_is_cut_off():
    sound = tone(300, 0.5, -20)
    recorded = trimmed(silence(800) + sound + silence(800), (("hm", 0.1, 0.6),))
    assert len(recorded.audio) == pytest.approx(len(sound), abs=10)
    assert recorded.words[0][1] == pytest.approx(0.0, abs=0.01)
    assert trimmed(silence(80), ()).audio == silence(80)


@pytest.fixture
def speech(tmp_path):
    """Everything spoken as a hum of a length of its own: no synthesiser is needed to try a script."""
    known = Speech(tmp_path)
    for number in range(4):
        for text, voice in texts_of([SCENARIOS[suite](number, 1) for suite in SCENARIOS]):
            audio = tone(200 + len(text), 0.02 * (5 + len(text)), -20)
            known._known[text, voice] = trimmed(audio, ((text.split()[0], 0.0, 0.2),))
    return known


def test_a_pause_lies_where_the_script_says(speech):
    scenario = SCENARIOS["latency"](1, 1)
    act = next(act for act in scenario.acts if act.pause)
    (start, end), *_ = pauses(act, scenario, speech)
    cue = person(scenario, speech).cues[scenario.acts.index(act)]
    assert cue.audio[start:end] == silence(end - start)
    assert (end - start) / SAMPLE_RATE == pytest.approx(act.pause)
    assert cue.text == " ".join(act.text)


def test_a_bank_holds_everything_an_engine_needs(speech, tmp_path):
    cast = [SCENARIOS["bargein"](number, 1) for number in range(3)]
    bank = Bank(write_bank(tmp_path / "bank.json", cast, speech))
    assert bank.opening == OPENING
    script = bank.script(cast[2].name)
    assert script.replies == cast[2].replies
    assert [part.text for part in script.parts if part.text] == [part for act in cast[2].acts for part in act.text]
    assert all(sentence in bank.speech for reply in script.replies for sentence in sentences(reply))


# --- the wire of many callers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_frames_of_every_length_are_read_back(size):
    text = "x" * size
    sent = masked(text)
    head = 6 if size < 126 else 8 if size < 65536 else 14
    from_server = bytes((sent[0], sent[1] & 0x7F)) + sent[2 : head - 4] + sent[head:]
    frames = Frames()
    found = [frame for start in range(0, len(from_server), 7000) for frame in frames.feed(from_server[start : start + 7000])]
    assert found == [(1, text.encode())]


def test_frames_come_in_any_pieces():
    frames = Frames()
    data = b"\x81\x02hi" + b"\x88\x00" + b"\x81\x7e\x00\x80" + b"y" * 128
    found = [frame for byte in data for frame in frames.feed(bytes((byte,)))]
    assert found == [(1, b"hi"), (8, b""), (1, b"y" * 128)]
