import pytest

from telephony.audio import FRAME, SAMPLE_RATE, SILENT_FRAME, encode, level, silence
from telephony.simulator.people import AfterPause, AfterSilence, At, Beep, Echo, HangUp, Line, Over, Press, Say, Sound
from telephony.simulator.person import (
    Cue,
    Ear,
    PersonOnPhone,
    Script,
    Uttered,
    cue,
    sound,
    tone,
    voicemail,
)

VOICE = tone(300, 0.02)
FRAMES_PER_SECOND = SAMPLE_RATE // FRAME


def frames(seconds):
    return round(seconds * FRAMES_PER_SECOND)


class Call:
    """A timeline: the agent talks and is silent, the person does what the script says."""

    def __init__(self, *cues, **manners):
        self.person = PersonOnPhone(Script(cues, **manners))
        self.audio = b""
        self.digits = ""
        self.hung_up_at = None

    def hear(self, seconds, frame=SILENT_FRAME, *, is_voice=True):
        for _ in range(frames(seconds)):
            tick = self.person.tick(frame, is_voice=is_voice)
            self.audio += tick.audio
            self.digits += tick.digits
            if tick.hung_up and self.hung_up_at is None:
                self.hung_up_at = (self.person.position - FRAME) / SAMPLE_RATE
        return self

    def agent(self, seconds):
        return self.hear(seconds, VOICE)

    @property
    def said(self):
        return [(each.text, each.start / SAMPLE_RATE, each.end / SAMPLE_RATE) for each in self.person.uttered]


def say(when, text, seconds=0.2):
    return Cue(when, tone(200, seconds), text)


def test_at_an_instant_after_the_answer():
    call = Call(say(At(0.4), "Hello?")).hear(1.0)
    assert call.said == [("Hello?", 0.4, 0.6)]
    assert call.audio[:3200] == silence(3200)
    assert call.audio[3200:4800] == tone(200, 0.2)
    assert call.audio[4800:] == silence(3200)


def test_after_the_agent_has_spoken_and_is_silent():
    call = Call(say(AfterSilence(0.5), "Yes.")).hear(1.0).agent(1.0).hear(1.0)
    assert call.said == [("Yes.", 2.5, pytest.approx(2.7))]


def test_a_pause_inside_the_agents_sentence_is_not_its_end():
    call = Call(say(AfterSilence(0.5), "Yes.")).agent(0.4).hear(0.3).agent(0.4).hear(1.0)
    assert [start for _, start, _ in call.said] == [1.6]


def test_one_answer_does_not_answer_two_questions():
    call = Call(say(AfterSilence(0.2), "One."), say(AfterSilence(0.2), "Two."), patience=60).agent(0.8).hear(2.0)
    assert [text for text, _, _ in call.said] == ["One."]
    call.agent(0.8).hear(1.0)
    assert [text for text, _, _ in call.said] == ["One.", "Two."]


def test_whoever_has_said_one_word_is_let_go_on():
    call = Call(say(AfterSilence(0.5), "Yes."), hang_up_after=0.5).agent(0.4).hear(1.4).agent(0.8).hear(0.8)
    assert [start for _, start, _ in call.said] == [pytest.approx(3.1)]
    assert call.agent(0.4).hear(1.4).hung_up_at is None


def test_one_word_and_then_nothing_is_answered_all_the_same():
    call = Call(say(AfterSilence(0.5), "Yes.")).agent(0.4).hear(2.5)
    assert [start for _, start, _ in call.said] == [pytest.approx(2.4)]


def test_over_the_agent():
    call = Call(say(Over(0.8), "Wait!")).hear(0.4).agent(2.0)
    assert call.said == [("Wait!", 1.2, pytest.approx(1.4))]


def test_over_the_agent_counts_from_my_own_last_line():
    call = Call(say(At(0.5), "Mm."), say(Over(0.5), "Wait!")).agent(2.0)
    assert [start for _, start, _ in call.said] == [0.5, pytest.approx(1.2)]


def test_over_needs_somebody_to_talk_over():
    assert Call(say(Over(0.5), "Wait!")).agent(0.3).hear(3.0).said == []


def test_after_my_own_pause():
    call = Call(say(At(0.2), "I would"), say(AfterPause(0.8), "rather not.")).hear(2.0)
    assert [start for _, start, _ in call.said] == [0.2, pytest.approx(1.2)]


def test_keys_and_hanging_up():
    call = Call(Cue(At(0.2), digits="9#"), Cue(AfterPause(0.2), hangs_up=True)).hear(1.0)
    assert call.digits == "9#"
    assert call.said[0][0] == "[9#]"
    assert call.hung_up_at == pytest.approx(0.4)


def test_the_networks_own_sounds_are_not_the_agent():
    assert Call(say(AfterSilence(0.2), "Yes.")).hear(0.5, VOICE, is_voice=False).hear(1.0).said == []


def test_a_click_is_not_speech():
    call = Call(say(AfterSilence(0.2), "Yes.")).hear(0.02, VOICE).hear(1.0)
    assert call.said == []


def test_hanging_up_after_the_goodbye():
    call = Call(say(At(0.2), "Bye."), hang_up_after=0.5).hear(1.0).agent(1.0).hear(1.0)
    assert call.hung_up_at == pytest.approx(2.5)


def test_staying_until_patience_ends():
    assert Call(say(At(0.2), "Bye."), patience=2.0).hear(5.0).hung_up_at == pytest.approx(2.4)
    assert Call(say(AfterSilence(0.2), "Yes."), patience=1.0).hear(2.0).hung_up_at == 1.0
    assert Call(patience=1.0).agent(1.0).hear(2.0).hung_up_at == pytest.approx(2.0)


def test_voicemail():
    script = voicemail(tone(200, 0.5), "Leave one.", Beep(frequency=1000, seconds=0.3), 3.0)
    call = Call(*script.cues, hang_up_after=script.hang_up_after, limit=script.limit, patience=script.patience).hear(1.0)
    call.hear(1.0)
    assert call.said == [("Leave one.", 0.6, pytest.approx(1.1)), ("[beep]", pytest.approx(1.5), pytest.approx(1.8))]
    assert call.agent(4.0).hung_up_at == pytest.approx(4.8)
    silent = Call(*script.cues, hang_up_after=5.0, patience=8.0, limit=30.0).hear(20)
    assert silent.hung_up_at == pytest.approx(9.8)
    messaged = Call(*script.cues, hang_up_after=5.0, patience=8.0, limit=30.0).hear(2.0).agent(2.0).hear(8.0)
    assert messaged.hung_up_at == pytest.approx(9.0)


def test_noise_and_echo_go_into_the_microphone():
    noisy = Call(noise=-50.0, seed=3).hear(2.5)
    assert level(noisy.audio) == pytest.approx(-50, abs=2)
    echoing = Call(echo=Echo(gain=-20, delay=0.1)).agent(0.5)
    assert echoing.audio[:800] == silence(800)
    assert level(echoing.audio[800:]) == pytest.approx(level(VOICE) - 20, abs=1)
    assert Call(noise=-50.0, seed=3).hear(1.0).audio == noisy.audio[:8000]


def test_a_last_frame_is_filled_up():
    call = Call(Cue(At(0.0), b"\x01" * 200, "x")).hear(0.1)
    assert call.audio == b"\x01" * 200 + silence(600)
    assert call.person.uttered == [Uttered("x", 0, 200)]


def test_an_ear_knows_when_it_first_heard():
    ear = Ear()
    ear.hear(VOICE, 0)
    assert ear.first_voiced == -1
    ear.hear(VOICE, 160)
    ear.hear(encode(VOICE_QUIET), 320)
    assert (ear.first_voiced, ear.talking_since, ear.last_voiced) == (0, 0, 320)
    ear.hear(SILENT_FRAME, 320 + 2400)
    assert ear.talking_since is None
    ear.hear(VOICE, 8000)
    ear.hear(VOICE, 8160)
    assert (ear.first_voiced, ear.talking_since) == (0, 8000)


VOICE_QUIET = __import__("numpy").full(160, 20, dtype="int16")


def test_lines_made_ready():
    speech = {"Hi.": b"\x01"}
    assert cue(Line(At(1), Say("Hi.")), speech) == Cue(At(1), b"\x01", "Hi.")
    assert cue(Line(At(1), Press("1")), speech) == Cue(At(1), digits="1")
    assert cue(Line(At(1), HangUp()), speech) == Cue(At(1), hangs_up=True)
    cough = cue(Line(At(1), Sound("cough")), speech, 7)
    assert cough.audio == sound("cough", 7)
    assert (cough.text, len(cough.audio), len(sound("click"))) == ("[cough]", 2800, 80)
    assert level(cough.audio[:800]) > -25
