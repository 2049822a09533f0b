"""The instants the law asks about, from a journal's marks."""

from __future__ import annotations

import msgspec
import pytest

from api.said_when import said_in, said_when
from voice.events import LegEnded, MarkReturned, MediaStarted
from voice.journal import Entry

SENTENCES = [
    (10.0, "Hi Jo, this is Ava, an AI assistant calling for Acme Solar."),
    (14.1, "This call is recorded."),
    (15.6, "Say stop or press 9 at any time and we won't call again."),
    (19.0, "Do you have a minute?"),
]


def journal(sentences=SENTENCES, *, opt_out=None, end=30.0):
    entries = [Entry(10.0, MediaStarted(), [])]
    entries += [Entry(at, MarkReturned("m"), [["Note", {"kind": "agent", "text": text}]]) for at, text in sentences]
    entries.append(Entry(22.0, MarkReturned("m"), [["Note", {"kind": "caller", "text": "stop"}], ["Speak", {}]]))
    if opt_out:
        entries.append(Entry(opt_out, MarkReturned("m"), [["RunTool", {"name": "opt_out"}]]))
    return [*entries, Entry(end, LegEnded("hangup"), [])]


def test_each_thing_at_its_instant():
    told = {name: round(seconds, 2) for name, seconds in said_when(journal(opt_out=23.0), "Acme Solar").items()}
    assert told == {
        "first_audio": 0.0,
        "identified": 4.1,
        "ai_disclosed": 4.1,
        "recording_disclosed": 5.6,
        "opt_out_offered": 5.6,
        "opt_out_asked": 13.0,
        "ended": 20.0,
    }


def test_what_was_cut_off_before_it_sounded_is_not_there():
    told = said_when(journal(SENTENCES[:1]), "Acme Solar")
    assert "opt_out_offered" not in told
    assert told["identified"] == 20.0  # no sentence came after it: it ended at the latest when the call did


def test_another_sellers_name_identifies_nobody():
    assert "identified" not in said_when(journal(), "Beta")
    assert "identified" not in said_when(journal(), "")


def test_a_silent_call():
    assert said_when(journal([]), "Acme Solar") == {"ended": 20.0}
    assert said_when([], "Acme Solar") == {"ended": 0.0}


@pytest.mark.parametrize(
    ("text", "offers"),
    [
        ("Press nine and we won't call again.", True),
        ("You can say stop at any time.", True),
        ("To stop these calls, tell me so.", True),
        ("We stop by at three.", False),
    ],
)
def test_what_offers_an_opt_out(text, offers):
    assert ("opt_out_offered" in said_when(journal([(10.0, text)]), "Acme Solar")) is offers


def test_a_journal_that_cannot_be_read_tells_nothing(tmp_path):
    assert said_in(tmp_path / "none.jsonl", "Acme") == {}
    (tmp_path / "bad.jsonl").write_bytes(msgspec.json.encode({"version": 0}) + b"\n")
    assert said_in(tmp_path / "bad.jsonl", "Acme") == {}
