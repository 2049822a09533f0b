from hypothesis import given
from hypothesis import strategies as st

from telephony.audio import SILENT_FRAME, silence
from telephony.simulator.playout import Cleared, Playout

A, B = b"\x01" * 160, b"\x02" * 160


def test_audio_is_played_in_order_and_then_there_is_silence():
    playout = Playout()
    playout.append(A + B[:40])
    assert playout.play(160) == (A, ())
    assert playout.play(160) == (B[:40] + silence(120), ())
    assert playout.play(160) == (SILENT_FRAME, ())
    assert playout.play(10) == (silence(10), ())


def test_a_mark_comes_back_when_its_audio_has_been_heard_to_the_end():
    playout = Playout()
    playout.append(A)
    assert playout.mark("a") == ()
    playout.append(B)
    assert playout.mark("b") == ()
    assert playout.play(160) == (A, ())
    assert playout.play(160) == (B, ("a",))
    assert playout.play(160) == (SILENT_FRAME, ("b",))


def test_a_mark_with_nothing_before_it_comes_back_at_once():
    playout = Playout()
    assert playout.mark("idle") == ("idle",)
    playout.append(A)
    playout.play(160)
    assert playout.mark("again") == ("again",)


def test_marks_keep_their_order():
    playout = Playout()
    playout.append(A)
    playout.mark("first")
    playout.play(160)
    assert playout.mark("second") == ()
    assert playout.play(160)[1] == ("first", "second")


def test_clear_returns_the_marks_of_what_was_never_heard():
    playout = Playout()
    playout.append(A + B)
    playout.mark("a")
    playout.mark("b")
    playout.play(160)
    assert playout.clear() == Cleared(160, ("a", "b"))
    assert playout.clear() == Cleared(0, ())
    assert playout.mark("after") == ("after",)
    playout.append(B)
    assert playout.play(160) == (B, ())


def test_what_does_not_fit_is_discarded():
    playout = Playout(capacity=200)
    assert playout.append(A) == 0
    assert playout.append(B) == 120
    assert playout.buffered == 200


def test_a_long_reply_does_not_keep_what_was_played():
    playout = Playout()
    playout.append(A * 1000)
    for _ in range(900):
        playout.play(160)
    assert playout.buffered == 100 * 160
    assert len(playout._audio) <= 64 * 1024 + 100 * 160


@given(st.lists(st.one_of(st.integers(1, 500), st.just("mark"), st.just("clear"), st.just("play")), max_size=80))
def test_every_mark_comes_back_once_and_nothing_is_played_twice(steps):
    playout, placed, returned, appended, played, cleared = Playout(), 0, [], 0, 0, 0
    for step in steps:
        match step:
            case "mark":
                returned += playout.mark(str(placed))
                placed += 1
            case "clear":
                gone = playout.clear()
                cleared += gone.samples
                returned += gone.marks
            case "play":
                audio, marks = playout.play(160)
                returned += marks
                played += audio.count(b"\x01")
            case int():
                playout.append(b"\x01" * step)
                appended += step
    returned += playout.clear().marks
    assert returned == [str(n) for n in range(placed)]
    assert played + cleared <= appended
