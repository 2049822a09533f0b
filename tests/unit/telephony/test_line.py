import pytest

from telephony.audio import FRAME, SILENT_FRAME
from telephony.simulator.line import Bridge, Line, Nothing, Ringback, Stream
from telephony.simulator.people import At
from telephony.simulator.person import Cue, PersonOnPhone, Script, tone
from telephony.twilio import codec

VOICE = tone(300, 0.02)


@pytest.fixture
def line():
    script = Script((Cue(At(0.04), tone(200, 0.04), "Hi."), Cue(At(0.1), digits="5"), Cue(At(0.14), hangs_up=True)))
    hung_up = []
    made = Line(PersonOnPhone(script), lambda: hung_up.append(made.position))
    made.hung_up = hung_up
    return made


def connect(line):
    sent = []
    stream = Stream(codec.CarrierWriter("AC1", "CA1", "MZ1"), lambda text: sent.append(codec.read_carrier(text)), line.truth)
    line.far = stream
    return stream, sent


def test_both_channels_share_one_clock(line):
    stream, sent = connect(line)
    stream.append(VOICE * 2)
    for _ in range(8):
        line.tick()
    assert len(line.said) == len(line.heard) == 8 * FRAME == line.position
    assert bytes(line.heard) == VOICE * 2 + SILENT_FRAME * 6
    assert bytes(line.said[320:640]) == tone(200, 0.04)
    media = [message for message in sent if isinstance(message, codec.Media)]
    assert [codec.number(message.media.timestamp) for message in media] == [73 + 20 * n for n in range(8)]
    assert b"".join(message.media.payload for message in media) == bytes(line.said)
    assert [message.dtmf.digit for message in sent if isinstance(message, codec.Dtmf)] == ["5"]
    assert line.truth.keys == [(5 * FRAME, "5")]
    assert line.hung_up == [8 * FRAME]
    assert line.truth.first_heard == 0


def test_marks_say_why_they_came_back(line):
    stream, sent = connect(line)
    stream.mark("idle")
    stream.append(VOICE * 3)
    stream.mark("cleared")
    line.tick()
    stream.clear()
    stream.append(VOICE)
    stream.mark("played")
    line.tick()
    line.tick()
    assert [message.mark.name for message in sent if isinstance(message, codec.Mark)] == ["idle", "cleared", "played"]
    assert [(name, why) for name, _, _, why in line.truth.marks] == [
        ("idle", "idle"),
        ("cleared", "cleared"),
        ("played", "played"),
    ]
    assert line.truth.clears == [(FRAME, 2 * FRAME)]


def test_an_underrun_is_noted_and_a_silence_is_not(line):
    stream, _ = connect(line)
    stream.append(VOICE)
    line.tick()
    line.tick()
    stream.append(VOICE[:80])
    line.tick()
    assert line.truth.underruns == [(FRAME, FRAME)]
    for _ in range(101):
        line.tick()
    stream.append(VOICE)
    line.tick()
    assert len(line.truth.underruns) == 1


def test_two_lines_bridged_hear_each_other_one_frame_later(line):
    other = Line(PersonOnPhone(Script()), lambda: None, is_recorded=False)
    line.far, other.far = Bridge(other), Bridge(line)
    heard = []
    for _ in range(6):
        line.tick()
        heard.append(other.far.listen(other.position))
        other.tick()
    assert b"".join(heard) == bytes(line.said)
    assert other.heard == b""


def test_ringing_is_heard_and_means_nothing():
    line = Line(PersonOnPhone(Script()), lambda: None)
    line.far = Ringback()
    for _ in range(400):
        line.tick()
    assert any(line.heard[:160])
    assert bytes(line.heard[2 * 8000 : 6 * 8000]) == SILENT_FRAME * 200
    assert bytes(line.heard[6 * 8000 : 6 * 8000 + 160]) != SILENT_FRAME
    assert line.person.ear.last_voiced == -1


def test_nothing_at_the_far_end_and_late_ticks():
    line = Line(PersonOnPhone(Script()), lambda: None)
    line.tick(0.5)
    line.tick(12.0)
    line.tick(11.0)
    assert isinstance(line.far, Nothing)
    assert (line.truth.frames_late, line.truth.latest_ms) == (2, 12.0)
