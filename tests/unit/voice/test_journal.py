"""What was written can be read, and leads to the same actions."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.simulate import Call, Utterance, World
from voice.agent import AgentDefinition
from voice.conversation import Conversation
from voice.errors import JournalError
from voice.events import CallId, Direction, Samples, VoiceEvidence
from voice.journal import VERSION, JournalHeader, JournalWriter, read
from voice.policy import Policy
from voice.replay import describe, replay

AGENT = AgentDefinition("test", "Acme", "Ava", "ask", "Hello, who is there?", "Bye.")


def header() -> JournalHeader:
    at = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    return JournalHeader(VERSION, CallId("CA1"), AGENT, Direction.OUTBOUND, AGENT.opening, Policy(), at)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal of a call with an answer, a barge-in, a tool and a goodbye."""
    path = tmp_path / "journals" / "CA1.jsonl"
    writer = JournalWriter(path, header())
    replies = [("I would like to tell you something very long.",), ("Fine, bye then.", Call("end_call"))]
    world = World(
        Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, AGENT.opening),
        utterances=[Utterance(2.5, 0.6, "yes hello"), Utterance(4.9, 0.9, "no thank you very much")],
        mind=lambda messages: replies.pop(0),
    ).run()
    for now, event, actions in world.log:
        writer.write(now, event, actions)
    writer.close()
    assert world.conversation.ended
    return path


def test_replay_arrives_at_the_same_actions(journal: Path):
    result = replay(journal)
    assert result.differences == ()
    assert result.events > 100
    lines = [line for step in result.steps for line in describe(step)]
    assert any("ClearPlayout" in line for line in lines)


def test_windows_share_lines_and_come_back_as_they_were(tmp_path: Path):
    writer = JournalWriter(tmp_path / "CA1.jsonl", header())
    windows = [
        (7.0 + 0.032 * n, VoiceEvidence(Samples(256 * n), 0.1 * (n % 9), -61.5, 0.0, (("room", -60.25),))) for n in range(40)
    ]
    for now, window in windows:
        writer.write(now, window, [])
    writer.close()
    assert len(writer.path.read_bytes().splitlines()) == 3
    assert [(entry.now, entry.event) for entry in read(writer.path)[1]] == windows


def test_a_difference_is_found_and_shown(journal: Path):
    text = journal.read_text()
    journal.write_text(text.replace('"text":"no thank you very much"', '"text":"stop calling me"', 1))
    result = replay(journal)
    assert result.differences
    assert any("then:" in line for line in describe(result.differences[0]))


def test_only_its_owner_may_read_it(journal: Path):
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600


def test_a_last_line_cut_short_is_left_out(journal: Path):
    whole = replay(journal).events
    journal.write_bytes(journal.read_bytes().rstrip(b"\n")[:-5])
    assert replay(journal).events == whole - 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a journal"),
        (b"hello\n", "not a journal"),
        (b'{"version":99}', "not a journal"),
    ],
)
def test_what_is_no_journal_says_so(tmp_path: Path, content: bytes, says: str):
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=says):
        read(path)


def test_a_missing_file_says_so(tmp_path: Path):
    with pytest.raises(JournalError, match="No such file"):
        read(tmp_path / "none.jsonl")


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_an_older_journal_is_replayed_and_says_why_it_differs(journal: Path, version: int):
    journal.write_text(journal.read_text().replace(f'"version":{VERSION}', f'"version":{version}', 1))
    assert f"journal version {version}" in replay(journal).since


def test_a_journal_of_today_needs_no_excuse(journal: Path):
    assert replay(journal).since == ""


def test_another_version_says_so(journal: Path):
    journal.write_text(journal.read_text().replace(f'"version":{VERSION}', '"version":99', 1))
    with pytest.raises(JournalError, match="version 99"):
        read(journal)


@pytest.mark.parametrize(
    "line", [b'[1.0,"Nonsense",{}]', b'[1.0,"KeyPressed",{}]', b"garbage", b"[1.0]", b'[1.0,"Windows",[["x"]]]']
)
def test_a_broken_line_is_named(journal: Path, line: bytes):
    lines = journal.read_bytes().split(b"\n")
    lines[3] = line
    journal.write_bytes(b"\n".join(lines))
    with pytest.raises(JournalError):
        replay(journal)
