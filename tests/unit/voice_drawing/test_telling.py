"""The story of a whole call, and of calls that end, or break, in other ways."""

from __future__ import annotations

import pytest

from voice.drawing.telling import tell
from voice.errors import JournalError


def test_the_head_tells_who_and_how(barged):
    facts = barged.story.facts
    assert (facts.call, facts.agent, facts.persona, facts.direction) == ("CA1", "test", "Ava", "outbound")
    assert facts.ending == "we hung up"
    assert facts.events == len(barged.world.log)
    assert barged.story.length >= facts.duration
    assert barged.story.differences == ()


def test_lanes_are_full(barged):
    story = barged.story
    assert story.windows
    assert [each.text for each in story.understood if each.is_final] == ["yes hello", "no thank you very much"]
    assert {span.row for span in story.spans} >= {"phase", "caller", "agent", "doubt", "wait:longest"}
    assert any(probability > 0 for _, probability in story.endings)
    assert any(decision.label.startswith("turn over: ") for decision in story.decisions)


def lines(barged) -> list[str]:
    return barged.journal.read_text().splitlines()


def test_a_journal_that_breaks_off_says_so(barged):
    barged.journal.write_text("\n".join(lines(barged)[:60]) + "\n")
    assert tell(barged.journal).facts.ending == "the journal breaks off"


@pytest.mark.parametrize(
    ("last", "ending", "detail"),
    [
        ('[1099.0,"LegEnded",{"reason":"hangup"},[]]', "the caller left", "hangup"),
        ('[1099.0,"DeadlinePassed",{},[["Transfer",{"call":"t","to":"+16145550123"}]]]', "transferred", "to somebody else"),
        ('[1099.0,"PartyDetected",{"party":"machine","source":"carrier"},[]]', "the journal breaks off", ""),
    ],
)
def test_endings(barged, last, ending, detail):
    barged.journal.write_text("\n".join([*lines(barged)[:60], last]) + "\n")
    facts = tell(barged.journal).facts
    assert (facts.ending, facts.detail) == (ending, detail)


def test_other_words_now_make_differences(barged):
    text = barged.journal.read_text().replace('"text":"no thank you very much"', '"text":"stop calling me"')
    barged.journal.write_text(text)
    story = tell(barged.journal)
    assert story.differences
    assert {decision.time for decision in story.decisions} == {"same", "then", "now"}


def test_an_event_the_core_of_now_cannot_take_ends_the_judging_and_not_the_story(barged):
    told = lines(barged)
    at = next(number for number, line in enumerate(told) if '"SpeechArrived"' in line)
    told[at] = told[at].replace('"segment":0', '"segment":7', 1)
    barged.journal.write_text("\n".join(told) + "\n")
    story = tell(barged.journal)
    assert "IndexError" in story.differences[0].broke
    assert len(story.differences) == 1
    assert story.facts.events == len(barged.world.log)


def test_what_is_no_journal_is_refused(tmp_path):
    (tmp_path / "x.jsonl").write_text("hello\n")
    with pytest.raises(JournalError, match="not a journal"):
        tell(tmp_path / "x.jsonl")
