"""A replay tells what it finds in lines that people can read."""

from __future__ import annotations

from voice.actions import Action, Note, Play, SetGain, Speak, StartReply
from voice.events import DeadlinePassed, Event, ReplyId, Samples, SpeechArrived, Transcribed, VoiceEvidence
from voice.journal import Entry, plain
from voice.replay import Belief, Step, brief, describe, describe_belief, listing

ONE = ReplyId(1)


def step(at: float, event: Event, *then: Action, now: tuple[Action, ...] | None = None, broke: str = "") -> Step:
    before = [plain(action) for action in then]
    after = before if now is None else [plain(action) for action in now]
    return Step(at, Entry(at, event, before), after, Belief(), broke)


def test_an_event_and_its_orders_are_told():
    event = VoiceEvidence(Samples(8000), 0.956, -20.4)
    assert list(describe(step(1.0, event, SetGain(0.3)))) == [
        "   1.000  the sound at 1.00 s: speech 96%, -20 dBFS",
        "   1.000      → SetGain gain=0.3",
    ]


def test_audio_in_a_row_is_one_line_and_an_interim_is_told_once():
    event = Transcribed("yes", is_final=False)
    orders = (
        Note("caller_interim", "yes"),
        Play(b"\xff" * 800, ()),
        Play(b"\xff" * 400, ()),
        SetGain(1.0),
        Play(b"\xff" * 8, ()),
    )
    assert [line[8:] for line in describe(step(1.0, event, *orders))] == [
        "  Transcribed text=yes",
        "      → Play 150 ms in 2 pieces",
        "      → SetGain gain=1",
        "      → Play 1 ms",
    ]


def test_then_is_told_where_now_is_another():
    lines = list(describe(step(1.0, DeadlinePassed(), SetGain(0.3), now=())))
    assert lines[1:] == ["   1.000      ≠ then: SetGain gain=0.3"]


def test_what_cannot_be_taken_is_told():
    assert "✗ cannot be taken now: KeyError: 3" in "\n".join(describe(step(1.0, DeadlinePassed(), broke="KeyError: 3")))


def test_pieces_of_a_voice_are_told_together():
    piece = SpeechArrived(ONE, 0, b"\xff" * 800)
    steps = [step(n / 10, piece, Play(b"\xff" * 800, ())) for n in range(3)]
    steps += [step(0.5, DeadlinePassed(), SetGain(1.0)), step(0.6, piece, Play(b"\xff" * 800, ()))]
    lines = list(listing(steps))
    assert lines[0] == "   0.000      ♪ 0.30 s of our voice queued, in 3 pieces until 0.200"
    assert lines[-1] == "   0.600      ♪ 0.10 s of our voice queued"
    assert len(lines) == 4


def test_orders_in_brief():
    assert (
        brief(plain(Note("tool", "opt_out done", (("result", "written"),)))) == "Note [tool] opt_out done (result written)"
    )
    assert brief(plain(Speak(ONE, 0, "Hello there."))) == 'Speak reply=1 segment=0 text="Hello there."'
    assert brief(plain(StartReply(ONE, ()))) == "StartReply reply=1"
    assert brief(plain(SpeechArrived(ONE, 1, b"\xff" * 80))) == "SpeechArrived reply=1 segment=1 10 ms"


def test_a_belief_in_a_line():
    belief = Belief("talking", "speaking", "silent", 0.25, "yes_no", (("longest", 600.0), ("final", 1.4)))
    told = "talking · caller speaking · agent silent · turn over 25% · asked: yes_no · final in 0.4 s · longest in 599.0 s"
    assert describe_belief(belief, 1.0) == told
