"""Of a wait, what is neither provider nor policy: every delay of ours is found, in its place, and nothing else is."""

from datetime import UTC, datetime
from functools import partial

import pytest

from benchmarks.callers.step import Turn
from benchmarks.engines.scripted import PACES
from benchmarks.lateness import Part, accounts, arrival, is_steady
from voice.actions import FinishUtterance, Note, Play, Speak, StartReply
from voice.agent import AgentDefinition, Manners
from voice.events import (
    CallId,
    DeadlinePassed,
    Direction,
    MarkReturned,
    MediaStarted,
    ReplyId,
    ReplyText,
    SegmentSpoken,
    SpeechArrived,
    Transcribed,
    VoiceEvidence,
)
from voice.journal import VERSION, JournalHeader, JournalWriter
from voice.policy import Policy

PACE = PACES["fixed"]  # a final after 150 ms, a first token after 300, first audio after 75
ONE = ReplyId(1)
# A line of two seconds is over at 102: its last frame left at 101.98, and one every 20 ms after it.
SPOKEN, OVER = 16_000, 102.0
SENT = tuple(OVER - 0.02 + 0.02 * number for number in range(100))


def answered(after: float) -> Turn:
    return Turn("density-0", 0, after, call="CA1", position=SPOKEN, sent=SENT)


def sound(seconds: float, speech: float = 0.0, **features: float) -> VoiceEvidence:
    """A window that ends so long after the caller fell silent."""
    return VoiceEvidence(
        SPOKEN + round(seconds * 8000), speech, -20.0 if speech > 0.5 else -60.0, 0.0, tuple(features.items())
    )


def speech(segment: int = 0) -> SpeechArrived:
    return SpeechArrived(ONE, segment, bytes(800))


PLAY = Play(bytes(800))
HEADER = JournalHeader(
    VERSION,
    CallId("CA1"),
    AgentDefinition(
        name="a",
        seller="Acme",
        persona="Ann",
        goal="",
        opening="Hello.",
        goodbye="Goodbye.",
        manners=Manners(hello_within=2.0),
    ),
    Direction.OUTBOUND,
    "Hello.",
    Policy(),
    datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.fixture
def account(tmp_path):
    """The accounts of the answers in a journal of these events, each with its instant and what it led to."""

    def found(*lines, turns=(), told=()):
        writer = JournalWriter(tmp_path / "CA1.jsonl", HEADER)
        for now, event, *actions in lines:
            writer.write(now, event, actions)
        writer.close()
        return accounts(writer.path, told, turns, PACE)

    return found


def parts(added) -> dict[str, float]:
    """In milliseconds, without those that are nothing."""
    return {part.value: round(1000 * each, 3) for part, each in added.parts.items() if abs(each) > 1e-6}


def test_evidence_that_is_late_and_the_way_to_the_wire(account):
    """The window at 400 ms ends the turn, whose answer lies ready: 400 ms are policy, less the frame that comes early."""
    (added,) = account((102.48, sound(0.4), PLAY), turns=[answered(0.49)])
    assert parts(added) == {"detectors": 100.0, "line": 10.0}
    assert added.total == pytest.approx(0.11)


def test_providers_are_allowed_what_they_take_and_no_more(account):
    (added,) = account(
        (102.38, sound(0.4), StartReply(ONE, ())),
        (102.70, ReplyText(ONE, "I "), Note("agent", "I")),  # 20 ms late
        (102.73, ReplyText(ONE, "see."), Speak(ONE, 0, "I see.")),  # due 320 ms after the order
        (102.835, speech(), PLAY),  # 30 ms late
        turns=[answered(0.84)],
    )
    assert parts(added) == {"pieces": 60.0, "line": 5.0}


def test_an_opening_mouth_is_late_with_a_later_piece_too(account):
    (added,) = account(
        (102.38, sound(0.4), Speak(ONE, 0, "I see.")),
        (102.46, speech()),
        (102.60, SegmentSpoken(ONE, 0), PLAY),  # the second piece: due after 105 ms
        turns=[answered(0.6)],
    )
    assert parts(added) == {"pieces": 115.0}


def test_a_word_in_between_is_ready_at_once(account):
    (added,) = account(
        (102.38, sound(0.4), Speak(ONE, -1, "Okay.", is_ready=True)), (102.39, speech(-1), PLAY), turns=[answered(0.39)]
    )
    assert parts(added) == {"pieces": 10.0}


def test_words_are_due_with_the_frame_that_brought_them(account):
    """The recogniser's 150 ms of silence are its own."""
    (added,) = account((102.25, Transcribed("yes", True), PLAY), told=[(SPOKEN + 1280, False)], turns=[answered(0.25)])
    assert parts(added) == {"words": 110.0}


def test_words_that_were_asked_for_are_due_when_they_were(account):
    lines = (102.20, sound(0.096), FinishUtterance()), (102.25, Transcribed("yes", True), PLAY)
    (added,) = account(*lines, told=[(SPOKEN + 1280, True)], turns=[answered(0.25)])
    assert parts(added) == {"detectors": 120.0, "words": 50.0}


def test_a_turn_model_that_answers_late_is_ours(account):
    """Asked at the second window of silence, it has answered at the third where nothing is late; here at the fifth."""
    windows = [(102.0 + 0.032 * number, sound(0.032 * number)) for number in range(1, 5)]
    (added,) = account(
        (101.98, sound(0.0, speech=0.9)), *windows, (102.14, sound(0.16, complete=2.0), PLAY), turns=[answered(0.14)]
    )
    assert parts(added) == {"turn model": 64.0}


def test_a_deadline_is_due_when_it_was_set_for(account):
    """The real core sets one: a greeting is over, and two seconds later at most we open."""
    talk = [(100.0 + 0.032 * number, sound(-2.0 + 0.032 * number, speech=0.99)) for number in range(1, 63)]
    rest = [(101.984 + 0.032 * number + 0.05, sound(0.032 * number)) for number in range(6)]
    begun = (100.0, MediaStarted())

    def told(due: float):
        late = (due + 0.1, DeadlinePassed(), PLAY)
        return account(begun, *talk, *rest, late, turns=[answered(due + 0.2 - OVER)])

    (added,) = told(_deadline(begun, *talk, *rest))
    assert parts(added)["deadlines"] == pytest.approx(100.0)
    assert parts(added)["line"] == pytest.approx(100.0)


def _deadline(*lines) -> float:
    conversation = HEADER.conversation()
    for now, event in lines:
        conversation.handle(event, now)
    assert conversation.deadline is not None
    return conversation.deadline


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [(102.3, sound(0.3))],
        [(102.6, sound(0.3), PLAY)],  # after the answer was heard
        [(101.6, sound(-0.4), PLAY)],  # before the line was over
        [(102.3, MarkReturned("1/0"), PLAY)],  # nothing tells when the carrier sent it
        [(102.3, speech(), PLAY)],  # of a reply that nobody ordered
        [(102.3, Transcribed("yes", True), PLAY)],  # of which the ears know nothing
    ],
)
def test_an_answer_without_a_cause_has_no_account(account, lines):
    assert account(*lines, turns=[answered(0.5)]) == [None]


def test_asked_words_without_anybody_asking(account):
    assert account((102.3, Transcribed("", True), PLAY), told=[(1, True)], turns=[answered(0.5)]) == [None]


def test_frames_arrive_when_they_were_sent():
    """On the grid of 20 ms where the caller noted nothing: before the last frame of the line, and after the answer."""
    late = Turn("a", 0, 0.5, position=SPOKEN, sent=(101.98, 102.05))
    at = partial(arrival, late)
    assert [at(SPOKEN), at(SPOKEN - 1), at(SPOKEN + 1)] == [101.98, 101.98, 102.05]
    assert at(SPOKEN - 160) == pytest.approx(101.96)
    assert at(SPOKEN + 320) == pytest.approx(102.07)
    assert Turn("a", 0, 0.5).ended_at == 0.0


def test_only_providers_of_a_fixed_pace_can_be_told_apart():
    assert is_steady("fixed")
    assert not is_steady("published")
    assert not is_steady("none of these")


def test_every_part_has_a_name_for_people():
    assert len({part.value for part in Part}) == len(Part)
