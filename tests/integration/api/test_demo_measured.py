"""What the demo measures of its recordings, with the journals that tell a wait after a word in between from a hole."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.demo_report import journals, measured
from context.calls import Call, CallRecord
from telephony.audio import silence, write_stereo
from voice.actions import Play
from voice.agent import AgentDefinition
from voice.events import CallId, Direction, ReplyId, SpeechArrived
from voice.journal import VERSION, JournalHeader, JournalWriter
from voice.policy import Policy

AT = datetime(2026, 11, 20, tzinfo=UTC)
CALL = Call("ca_1", "outbound", "+16145550123", "+13025550100", "+16145550123", AT, "solar", "1", carrier_sid="CA1")


@pytest.fixture
def recorded(tmp_path: Path) -> list[dict[str, Any]]:
    """A call of three seconds whose buffer ran dry twice within a reply: after "Okay.", and in the middle of a sentence."""
    names = ("2/4000", "2/8000", "2/12000")
    marks = [{"name": name, "placed": 0, "returned": 6000 * (n + 1), "why": "played"} for n, name in enumerate(names)]
    wav, told = tmp_path / "CA1.wav", tmp_path / "CA1.json"
    write_stereo(wav, silence(24_000), silence(24_000))
    dry = [{"at": 6000, "samples": 1600}, {"at": 12_000, "samples": 800}]
    told.write_text(json.dumps({"call_sid": "CA1", "wav": str(wav), "samples": 24_000, "marks": marks, "underruns": dry}))
    return [{"json": str(told), "wav": str(wav)}, {"json": "", "wav": ""}]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Its journal: the word in between ends at the first of the marks."""
    agent = AgentDefinition(name="a", seller="Acme", persona="Ann", goal="", opening="Hello.", goodbye="Goodbye.")
    header = JournalHeader(VERSION, CallId("ca_1"), agent, Direction.OUTBOUND, "Hello.", Policy(), AT)
    writer = JournalWriter(tmp_path / "journals" / "ca_1.jsonl", header)
    for number, (segment, mark) in enumerate([(-1, "2/4000"), (0, "2/8000"), (0, "2/12000")]):
        play = Play(bytes(4000), ((4000, mark),))
        writer.write(float(number), SpeechArrived(ReplyId(2), segment, bytes(4000)), [play])
    writer.close()
    return writer.path


def test_a_wait_after_a_word_in_between_is_told_from_a_hole(recorded, journal, tmp_path):
    told = journals([CallRecord(CALL)], tmp_path)
    assert told == {"CA1": journal}
    (figures,) = measured(recorded, told)
    assert figures.holes == (0.1,)


def test_without_a_journal_every_silence_counts(recorded, tmp_path):
    calls = [CallRecord(CALL), CallRecord(replace(CALL, carrier_sid=None))]
    (figures,) = measured(recorded, journals(calls, tmp_path))
    assert figures.holes == (0.2, 0.1)
