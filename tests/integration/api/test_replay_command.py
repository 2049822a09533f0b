"""`offhook replay` as it is typed: listed, stepped through, drawn, compared with a recording."""

from __future__ import annotations

import builtins
import json
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.cli import run
from benchmarks.simulate import Call, Utterance, World
from telephony.audio import SAMPLE_RATE, silence, write_stereo
from voice.agent import AgentDefinition
from voice.conversation import Conversation
from voice.events import CallId, Direction
from voice.journal import VERSION, JournalHeader, JournalWriter
from voice.policy import Policy

AGENT = AgentDefinition("test", "Acme", "Ava", "ask", "Hello, who is there?", "Bye.")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journals" / "CA1.jsonl"
    replies = [("Nice to meet you. What can we do?",), ("Fine, bye then.", Call("end_call"))]
    world = World(
        Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, AGENT.opening),
        utterances=[Utterance(2.5, 0.6, "yes hello"), Utterance(7.0, 0.9, "no thank you")],
        mind=lambda messages: replies.pop(0) if replies else ("Okay.",),
    ).run()
    at = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    writer = JournalWriter(
        path, JournalHeader(VERSION, CallId("CA1"), AGENT, Direction.OUTBOUND, AGENT.opening, Policy(), at)
    )
    for now, event, actions in world.log:
        writer.write(now, event, actions)
    writer.close()
    return path


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    """The recording of some other call, in which nobody spoke."""
    path = tmp_path / "other.wav"
    write_stereo(path, silence(SAMPLE_RATE * 5), silence(SAMPLE_RATE * 5))
    return path


@pytest.fixture
def offhook(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def typed(*arguments: object) -> tuple[int, str, str]:
        status = run(["replay", *map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return typed


def otherwise(journal: Path) -> None:
    journal.write_text(journal.read_text().replace('"text":"no thank you"', '"text":"stop calling me"'))


def test_a_call_is_listed(offhook, journal):
    status, out, _ = offhook(journal)
    assert status == 0
    assert "turn over" in out
    assert out.splitlines()[-1].endswith("the same decisions")


def test_only_a_part_is_listed(offhook, journal):
    status, out, _ = offhook(journal, "--from", 2, "--to", 5)
    times = [float(line.split()[0]) for line in out.splitlines()[:-1]]
    assert status == 0
    assert times
    assert 2 <= min(times) <= max(times) <= 5


def test_a_part_that_ends_before_it_begins_is_refused(offhook, journal):
    status, _, err = offhook(journal, "--from", 5, "--to", 2)
    assert status == 2
    assert "--to must be later" in err


def test_other_decisions_are_told_and_give_the_status(offhook, journal):
    otherwise(journal)
    status, out, _ = offhook(journal, "--only-differences")
    assert status == 1
    assert "≠ then:" in out
    assert "decided otherwise" in out


def test_figures_for_machines(offhook, journal):
    status, out, _ = offhook(journal, "--json")
    assert status == 0
    assert json.loads(out)["differences"] == 0


def test_a_call_is_drawn_for_its_owner_alone(offhook, journal, tmp_path):
    out = tmp_path / "call.html"
    out.write_text("older")
    out.chmod(0o644)
    status, told, _ = offhook(journal, "--html", out, "--from", 1, "--to", 3)
    assert status == 0
    assert f"drawn into {out}" in told
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert '"view":[1000,3000]' in out.read_text()


def test_a_drawing_says_how_it_went_for_machines(offhook, journal, silent, tmp_path):
    out = tmp_path / "call.html"
    status, told, _ = offhook(journal, "--html", out, "--recording", silent, "--json")
    figures = json.loads(told)
    assert status == 0
    assert figures["bytes"] == out.stat().st_size < 500_000
    assert figures["recording"]["our voice"]["agrees"] is False


def test_the_page_finds_the_recording_from_where_it_lies(offhook, journal, silent, tmp_path):
    (tmp_path / "pages").mkdir()
    out = tmp_path / "pages" / "call.html"
    assert offhook(journal, "--html", out, "--recording", silent)[0] == 0
    assert 'src="../other.wav"' in out.read_text()


def test_a_drawing_of_other_decisions_is_a_drawing_all_the_same(offhook, journal, tmp_path):
    otherwise(journal)
    status, told, _ = offhook(journal, "--html", tmp_path / "call.html")
    assert status == 0
    assert "events decided otherwise" in told


def test_a_recording_of_another_call_does_not_agree(offhook, journal, silent):
    status, out, _ = offhook(journal, "--recording", silent)
    assert status == 1
    assert "our voice: recording and journal DO NOT AGREE" in out
    assert json.loads(offhook(journal, "--recording", silent, "--json")[1])["recording"]["our voice"]["agrees"] is False


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{journal}", "--recording", "{missing}"], "No such file"),
        (["{journal}", "--recording", "{journal}"], "not a recording"),
        (["{missing}", "--html", "{out}"], "No such file"),
        (["{journal}", "--html", "{missing}/x.html"], "No such file"),
    ],
)
def test_a_users_error_is_a_line(offhook, journal, tmp_path, arguments, says):
    places = {"journal": journal, "missing": tmp_path / "missing", "out": tmp_path / "call.html"}
    status, _, err = offhook(*(argument.format(**places) for argument in arguments))
    assert status == 1
    assert says in err
    assert "Traceback" not in err
    assert not (tmp_path / "call.html").exists()


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def these(*lines: str) -> None:
        left: Iterator[str] = iter(lines)

        def read(prompt: str) -> str:
            try:
                return next(left)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr(builtins, "input", read)

    return these


def test_stepping_shows_a_decision_at_a_time(offhook, journal, type_in):
    type_in("", "/turn over", "q")
    status, out, _ = offhook(journal, "--step")
    assert status == 0
    assert out.count("believes:") == 3
    assert "turn over" in out


def test_stepping_ends_with_the_input(offhook, journal, type_in):
    type_in()
    assert offhook(journal, "--step")[0] == 0


def test_there_may_be_nothing_to_step_through(offhook, journal):
    status, out, _ = offhook(journal, "--step", "--from", 4000)
    assert status == 0
    assert out == "nothing was decided there\n"
