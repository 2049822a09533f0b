"""Figures from a recording that was made by hand: every number is known beforehand."""

import msgspec
import numpy as np
import pytest

from benchmarks.belief import Believed, Claims, arrived_of, believed_of
from benchmarks.callers.scenario import Kind
from benchmarks.engines.scripted import Spoken
from benchmarks.figures import Act, CallFigures, Recorded, Tally, figures_of
from benchmarks.heard import Voice, believed_count, words_of
from benchmarks.measure import Clear, Line, Underrun, energy_spans
from benchmarks.report.timeline import drawn, timeline_of
from telephony.audio import SAMPLE_RATE, decode, encode, write_stereo

SECONDS = SAMPLE_RATE
SENTENCES = ("One two three four.", "Five six seven eight.")
REPLY = " ".join(SENTENCES)
WORD = 0.3  # seconds


def voice_like(seed: int, seconds: float) -> np.ndarray:
    """Noise of its own for every word: loud, and like nothing else."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(int(seconds * SECONDS)) * 2500).clip(-20000, 20000).astype(np.int16)


def spoken(number: int) -> Spoken:
    words = SENTENCES[number].split()
    audio = np.concatenate([voice_like(100 * number + index, WORD) for index in range(len(words))])
    return Spoken(encode(audio), tuple((word, WORD * index, WORD * (index + 1)) for index, word in enumerate(words)))


SPEECH = {sentence: spoken(number) for number, sentence in enumerate(SENTENCES)}
AGENT = b"".join(SPEECH[sentence].audio for sentence in SENTENCES)


class Tape:
    """Both channels of a call, written into."""

    def __init__(self, seconds: float) -> None:
        self.mouth = np.zeros(int(seconds * SECONDS), np.int16)
        self.ear = np.zeros(int(seconds * SECONDS), np.int16)
        self.lines: list[Line] = []
        self.acts: list[Act] = []

    def caller(self, at: float, seconds: float, kind: Kind = Kind.TURN, pauses: tuple[tuple[int, int], ...] = ()) -> None:
        start = int(at * SECONDS)
        sound = voice_like(7, seconds)
        for begin, end in pauses:
            sound[begin:end] = 0
        self.mouth[start : start + len(sound)] = sound
        self.lines.append(Line("words", start, start + len(sound)))
        self.acts.append(Act(kind, "words", pauses))

    def agent(self, at: float, seconds: float = 10.0) -> None:
        sound = decode(AGENT[: int(seconds * SECONDS)])
        start = int(at * SECONDS)
        self.ear[start : start + len(sound)] = sound

    def recorded(self, **more: object) -> Recorded:
        return Recorded(call_sid="CA1", samples=len(self.ear), lines=tuple(self.lines), acts=tuple(self.acts), **more)


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """The speech model would not take noise for speech: both detectors go by energy here."""
    monkeypatch.setattr("benchmarks.figures.model_spans", energy_spans)

    def measure(tape: Tape, believed: Believed | None = None, **more: object) -> CallFigures:
        wav = tmp_path / "call.wav"
        write_stereo(wav, encode(tape.mouth), encode(tape.ear))
        return figures_of(tape.recorded(**more), wav, Voice(SPEECH), (REPLY,), believed)

    return measure


def test_the_response_gap_and_the_first_content(measured):
    tape = Tape(8)
    tape.caller(1.0, 1.0)
    tape.agent(2.6)
    found = measured(tape)
    assert found.gap == [pytest.approx(0.6, abs=0.011)]
    assert found.content_gap == [pytest.approx(0.6, abs=0.02)]
    assert found.first_audio == [pytest.approx(2.6, abs=0.011)]


def test_a_word_in_between_is_audio_and_no_content(tmp_path, monkeypatch):
    """Nor is the wait after it a hole in a reply, or a reply that broke off, or a stop for an uh-huh."""
    monkeypatch.setattr("benchmarks.figures.model_spans", energy_spans)
    word = Spoken(encode(voice_like(999, 0.6)), (("Okay.", 0.0, 0.6),))
    tape = Tape(11)
    tape.caller(1.0, 1.0)
    tape.ear[int(2.4 * SECONDS) : int(2.4 * SECONDS) + len(word.audio)] = decode(word.audio)
    tape.caller(2.8, 0.1, Kind.BACKCHANNEL)
    tape.agent(4.4)
    wav = tmp_path / "call.wav"
    write_stereo(wav, encode(tape.mouth), encode(tape.ear))
    recorded = tape.recorded(
        underruns=_underruns((int(3.1 * SECONDS), int(1.3 * SECONDS)), (int(5.9 * SECONDS), int(0.1 * SECONDS)))
    )
    found = figures_of(recorded, wav, Voice({**SPEECH, "Okay.": word}), (REPLY,), None)
    assert found.gap[0] == pytest.approx(0.4, abs=0.011)
    assert found.content_gap == [pytest.approx(2.4, abs=0.02)]
    assert (found.holes, found.late_frames.hits) == ([0.1], 5)
    assert found.stops["backchannel"] == Tally(0, 1)
    assert found.stops["nothing"] == Tally(0, 1)


def test_a_sentence_is_found_and_remembered_without_an_acknowledgement_that_was_left_out():
    text = "Sure, that is no problem."
    audio = np.concatenate([voice_like(50 + index, WORD) for index in range(5)])
    words = tuple((word, WORD * index, WORD * (index + 1)) for index, word in enumerate(text.split()))
    ear = np.zeros(4 * SECONDS, np.int16)
    tail = audio[int(WORD * SECONDS) :]
    ear[SECONDS : SECONDS + len(tail)] = tail
    (heard,) = Voice({text: Spoken(encode(audio), words)}).find(ear, energy_spans(ear))
    assert (heard.text, heard.reached, heard.is_whole) == (text, 5, True)
    assert believed_count(text, ["Okay. That is no problem."]) == 5
    assert believed_count(text, ["Okay."]) == 0


@pytest.mark.parametrize("rest", [2, 3])
@pytest.mark.parametrize("silence", [0.6, 4.0])
def test_a_reply_that_is_taken_up_again_was_heard_to_its_end(measured, rest, silence):
    """Stopped in its third word, and gone on with after a while: from that word, or from the one after it."""
    tape = Tape(14)
    sound = decode(AGENT)
    cut = int(2.7 * WORD * SECONDS)
    tape.ear[SECONDS : SECONDS + cut] = sound[:cut]
    at = SECONDS + cut + int(silence * SECONDS)
    tape.ear[at : at + len(sound) - int(rest * WORD * SECONDS)] = sound[int(rest * WORD * SECONDS) :]
    found = Voice(SPEECH).find(tape.ear, energy_spans(tape.ear))
    assert [each.text for each in found] in ([SENTENCES[0]] * 2 + [SENTENCES[1]], list(SENTENCES))  # held up, if not long
    assert found[-2].is_whole
    told = measured(tape, Believed((REPLY,)))
    assert (told.heard_error, told.heard_error_whole) == ([], [0.0])
    assert (told.stops["nothing"].hits, told.stops["nothing"].of) == (0, 1)


def test_a_turn_that_nobody_answers_is_counted(measured):
    tape = Tape(6)
    tape.caller(1.0, 1.0)
    assert measured(tape).unanswered == 1


def test_barge_in_is_measured_from_the_mouth_to_silence(measured):
    tape = Tape(8)
    tape.agent(1.0, 1.25)
    tape.caller(2.0, 1.5, Kind.BARGE_IN)
    found = measured(tape)
    assert found.stop == [pytest.approx(0.25, abs=0.011)]
    assert found.missed == Tally(0, 1)


def test_an_agent_that_talks_on_missed_the_barge_in(measured):
    tape = Tape(8)
    tape.agent(1.0)
    tape.caller(2.0, 1.0, Kind.BARGE_IN)
    found = measured(tape)
    assert (found.stop, found.missed) == ([], Tally(1, 1))


@pytest.mark.parametrize(("heard", "stops"), [(1.3, 1), (10.0, 0)])
def test_falling_silent_for_a_backchannel_is_a_false_stop(measured, heard, stops):
    tape = Tape(8)
    tape.agent(1.0, heard)
    tape.caller(1.9, 0.3, Kind.BACKCHANNEL)
    found = measured(tape)
    assert found.stops["backchannel"] == found.stops["backchannel: words"] == Tally(stops, 1)


def test_a_reply_that_ends_by_itself_was_not_stopped(measured):
    tape = Tape(8)
    tape.agent(1.0)
    tape.caller(3.0, 0.2, Kind.COUGH)
    found = measured(tape)
    assert found.stops["cough"] == Tally(0, 1)


@pytest.mark.parametrize(("at", "cut_offs"), [(1.9, 1), (3.4, 0)])
def test_speaking_into_a_pause_is_a_cut_off(measured, at, cut_offs):
    tape = Tape(8)
    tape.caller(1.0, 2.0, pauses=((int(0.7 * SECONDS), int(1.4 * SECONDS)),))
    tape.agent(at)
    found = measured(tape)
    assert found.cut_offs == Tally(cut_offs, 1)


def test_memory_is_compared_with_what_was_heard(measured):
    tape = Tape(8)
    tape.agent(1.0, 1.85)  # six words and a bit of the seventh
    tape.caller(2.7, 1.0, Kind.BARGE_IN)
    found = measured(tape, Believed(("One two three four. Five six seven",)))
    assert found.heard_error == [1.0]


def test_memory_of_a_whole_reply_is_kept_apart(measured):
    tape = Tape(8)
    tape.agent(1.0)
    found = measured(tape, Believed((REPLY,)))
    assert (found.heard_error, found.heard_error_whole) == ([], [0.0])


def test_a_dry_buffer_within_a_reply_is_a_hole(measured):
    tape = Tape(8)
    tape.agent(1.0)
    found = measured(tape, underruns=_underruns((12000, 800)))
    assert found.holes == [0.1]
    assert found.late_frames.hits == 5


def test_a_hole_while_the_carrier_was_late_is_not_the_engines(measured):
    tape = Tape(8)
    tape.agent(1.0)
    found = measured(tape, underruns=_underruns((12000, 800)), late=((11000, 80.0),))
    assert (found.holes, found.discarded) == ([], {"holes": 1})


def test_silence_around_the_callers_words_is_no_hole(measured):
    tape = Tape(8)
    tape.caller(1.5, 0.5)
    tape.agent(2.5)
    assert measured(tape, underruns=_underruns((12000, 8000))).holes == []


def test_the_first_words_that_never_arrived(measured):
    tape = Tape(4)
    tape.caller(0.1, 0.8, Kind.HELLO)
    found = measured(tape, Believed(utterances=((3000, 0.5),)))
    assert found.lost_start == [pytest.approx(0.24)]


def test_a_first_word_that_never_arrived_at_all_is_lost(measured):
    tape = Tape(4)
    tape.caller(0.1, 0.8, Kind.HELLO)
    assert measured(tape, Believed(utterances=())).lost_words == Tally(1, 1)
    assert measured(tape, Believed(utterances=((800, 0.75),))).lost_words == Tally(0, 1)
    assert measured(tape, Believed()).lost_words == Tally()


@pytest.mark.parametrize(("more", "why"), [({"has_echo": True}, "echo"), ({"has_noise": True}, "room"), ({}, "nothing")])
def test_a_reply_that_breaks_off_with_nobody_speaking(measured, more, why):
    tape = Tape(8)
    tape.agent(1.0, 1.25)
    assert measured(tape, **more).stops == {why: Tally(1, 1)}


def test_what_comes_back_of_the_agent_is_not_the_callers(measured):
    tape = Tape(8)
    tape.caller(1.0, 1.0)
    tape.agent(2.6)
    tape.mouth[int(2.0 * SECONDS) : int(6.0 * SECONDS)] += voice_like(3, 4.0)
    assert measured(tape, has_echo=True).gap == [pytest.approx(0.5, abs=0.02)]


def test_words_that_were_not_recognised_in_speech_that_goes_on_are_no_stop(measured):
    tape = Tape(8)
    tape.agent(1.0, 1.25)
    tape.ear[int(2.2 * SECONDS) : int(5.0 * SECONDS)] = voice_like(5, 2.8)
    assert measured(tape).stops == {}


def test_a_whole_reply_with_nobody_speaking_was_not_stopped(measured):
    tape = Tape(8)
    tape.agent(1.0)
    assert measured(tape).stops == {"nothing": Tally(0, 1)}


def test_a_reply_cut_by_the_hang_up_or_by_a_caller_is_another_matter(measured):
    tape = Tape(3)
    tape.agent(1.0, 1.5)
    assert measured(tape).stops == {}
    tape = Tape(8)
    tape.agent(1.0, 1.25)
    tape.caller(2.0, 0.5, Kind.BARGE_IN)
    assert measured(tape).stops == {}


def test_both_talking_at_once(measured):
    tape = Tape(8)
    tape.agent(1.0)
    tape.caller(2.0, 0.5, Kind.BACKCHANNEL)
    assert measured(tape).double_talk == pytest.approx(0.5, abs=0.03)


def test_disagreeing_detectors_discard_a_figure():
    figures = CallFigures("CA1", "s", 1.0)
    figures.add("gap", 1.0, 1.05)
    figures.add("gap", 1.0, 1.5)
    figures.add("gap", None, 1.5)
    figures.add("gap", None, None)
    assert (figures.gap, figures.discarded) == ([1.0], {"gap": 2})


def test_notes_of_an_engine_are_read_by_call():
    notes = [{"lag_p99": 1.0}, {"call_sid": "CA1", "believed": [["Hello", False]], "utterances": [[800, 0.5]]}]
    assert believed_of(notes) == {"CA1": Believed(("Hello",), ((800, 0.5),))}


def test_what_the_vendors_received_is_read_by_script():
    notes = [
        {"script": "latency-0", "received": 100, "sounds": [[1, 8000, 400]]},
        {"script": "latency-0", "received": 900, "sounds": [[0, 800, 4000], [1, 8000, 400]]},
        {"script": "latency-1", "received": 900, "sounds": []},
        {"other": 1},
    ]
    assert arrived_of(notes) == {"latency-0": ((800, 0.5),), "latency-1": ()}


def test_an_engines_own_metrics_are_read_with_its_memory():
    note = {"call_sid": "CA1", "believed": [], "claimed": [0.5, 0.7], "stages": {"mind": [0.3]}}
    assert believed_of([note])["CA1"].claims == Claims((0.5, 0.7), {"mind": (0.3,)})


def test_a_held_up_word_is_found_later():
    audio = SPEECH[SENTENCES[0]].audio
    half = int(0.6 * SECONDS)
    ear = np.concatenate([decode(audio[:half]), np.zeros(6000, np.int16), decode(audio[half:]), np.zeros(8000, np.int16)])
    found = Voice(SPEECH).find(ear, [(0, len(ear) - 8000)])
    assert [(each.words, each.is_whole) for each in found] == [(4, True)]


def test_quiet_words_count_as_heard():
    ear = (decode(AGENT).astype(np.float32) * 0.3).astype(np.int16)
    assert [each.words for each in Voice(SPEECH).find(ear, [(0, len(ear))])] == [4, 4]


def test_words_are_compared_without_dress():
    assert words_of("Hello, it's ME - Ann!") == ["hello", "its", "me", "ann"]
    assert believed_count("One two three.", ["so One, two"]) == 2
    assert believed_count("One two three.", []) == 0


def _underruns(*each: tuple[int, int]) -> tuple[object, ...]:
    return tuple(Underrun(at, samples) for at, samples in each)


def test_of_an_unknown_voice_only_a_clear_tells_a_stop(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.figures.model_spans", energy_spans)
    for clears, stops in (((), 0), ((Clear(17_000, 100),), 1)):
        tape = Tape(8)
        tape.agent(1.0, 1.25)
        tape.caller(2.0, 0.2, Kind.BACKCHANNEL)
        wav = tmp_path / "call.wav"
        write_stereo(wav, encode(tape.mouth), encode(tape.ear))
        found = figures_of(tape.recorded(clears=clears), wav, Voice({}), (REPLY,), None)
        assert found.stops["backchannel"].hits == stops


def test_an_agent_that_beeps_is_found_by_its_loudness(tmp_path, monkeypatch):
    tape = Tape(8)
    tape.caller(1.0, 1.0)
    tape.agent(3.0, 1.25)
    wav = tmp_path / "call.wav"
    write_stereo(wav, encode(tape.mouth), encode(tape.ear))
    caller_alone = [(8 * 1000, 16 * 1000)]
    monkeypatch.setattr("benchmarks.figures.model_spans", lambda samples: caller_alone if samples[9000] else [])
    for voice, gaps in ((Voice({}), 1), (Voice(SPEECH), 0)):
        found = figures_of(tape.recorded(), wav, voice, (REPLY,), None)
        assert (len(found.gap), found.is_speech) == (gaps, bool(voice.speech))


def test_detectors_that_disagree_about_a_noise_or_a_pause_discard_it(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.figures.model_spans", lambda samples: [])
    tape = Tape(8)
    tape.caller(0.5, 2.0, pauses=((int(0.7 * SECONDS), int(1.4 * SECONDS)),))
    tape.agent(1.4, 2.15)
    tape.caller(3.3, 0.3, Kind.BACKCHANNEL)
    wav = tmp_path / "call.wav"
    write_stereo(wav, encode(tape.mouth), encode(tape.ear))
    found = figures_of(tape.recorded(), wav, Voice(SPEECH), (REPLY,), None)
    assert (found.cut_offs, "backchannel" in found.stops) == (Tally(), False)
    assert found.discarded.total() >= 2


def test_a_call_for_the_eye():
    tape = Tape(4)
    tape.caller(1.0, 1.0)
    tape.agent(2.5, 1.4)
    line = drawn(tape.recorded(clears=(Clear(16_000, 0), Clear(60 * SECONDS, 0))), np.stack([tape.mouth, tape.ear], axis=1))
    assert [(mark.kind, mark.at) for mark in line.marks] == [("turn", 1.0), ("clear", 2.0)]
    assert len(line.caller) == len(line.agent) == 80
    assert line.caller[30] > 0.3
    assert line.agent[30] == 0.0


def test_the_call_with_most_to_see_is_shown(tmp_path):
    assert timeline_of(tmp_path, []) is None
    folder = tmp_path / "calls"
    folder.mkdir()
    for sid, kinds in (("CA1", 1), ("CA2", 2), ("CA3", 2)):
        tape = Tape(4)
        tape.caller(0.5, 0.5)
        if kinds == 2:
            tape.caller(2.0, 0.5, Kind.BARGE_IN)
        write_stereo(folder / f"{sid}.wav", encode(tape.mouth), encode(tape.ear))
        recorded = tape.recorded(wav=str(folder / f"{sid}.wav"), scenario=f"of {sid}")
        (folder / f"{sid}.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(recorded, call_sid=sid)))
    shown = timeline_of(tmp_path, [CallFigures(sid, "", 1.0) for sid in ("CA3", "CA1", "CA2")])
    assert shown is not None
    assert shown.title == "of CA2"  # the same one with every engine, whatever came of it
