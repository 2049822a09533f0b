"""A person's no from the command line: written, widened by the setting, and obeyed by every plan in one transaction."""

from __future__ import annotations

import json

import pytest

from api.settings import get_settings

ANN, MOBILE, BOB = "+16145550123", "+16145550124", "+16145550125"
HEADER = "number,name,Person_ID\n"
CONSENT = ("--wording", "I agree", "--signed", "--ai-voice", "--no-condition", "--obtained-at", "2026-06-01T15:00:00Z")


@pytest.fixture
def agents(tmp_path, monkeypatch):
    """One agent that may speak for anybody: what it says is of no matter here."""
    folder = tmp_path / "agents"
    folder.mkdir()
    said = 'persona = "Sam"\ngoal = "x"\nopening = "Hello."\ngoodbye = "Bye."\n'
    (folder / "sam.toml").write_text(f'name = "sam"\nseller = "acme"\n{said}')
    monkeypatch.setenv("OFFHOOK_AGENTS", str(folder))


@pytest.fixture
def campaigns(offhook, agents, tmp_path):
    """Ann has two numbers, one in each campaign; Bob, numbered alike, is in another list."""
    for name, seller, purpose, rows in (
        ("offers", "acme", "telemarketing", f"{ANN},Ann,1\n"),
        ("reminders", "acme", "informational", f"{MOBILE},Ann,1\n"),
        ("others", "bolt", "telemarketing", f"{MOBILE},Ann,1\n"),
    ):
        (tmp_path / "crm.csv").write_text(HEADER + rows)
        assert offhook("campaign", "create", name, "--seller", seller, "--agent", "sam", "--purpose", purpose)[0] == 0
        assert offhook("campaign", "import", name, "crm.csv")[0] == 0
    (tmp_path / "bought.csv").write_text(f"{HEADER}{BOB},Bob,1\n")
    assert offhook("campaign", "import", "offers", "bought.csv")[0] == 0


def still_called(offhook) -> set[str]:
    found = set()
    for campaign in json.loads(offhook("campaign", "status", "--json")[1]):
        found |= {campaign["name"]} if campaign["contacts"]["waiting"] else set()
    return found


@pytest.mark.parametrize("command", [("dnc", "add"), ("consent", "revoke")])
@pytest.mark.parametrize(
    ("setting", "more", "left"),
    [
        ("", (), {"offers", "others"}),
        ("", ("--scope", "house"), {"offers"}),
        ("house", (), {"offers"}),
        ("seller,acme=house", (), {"offers"}),
        ("purpose", ("--purpose", "telemarketing"), {"offers", "reminders", "others"}),
        ("purpose", (), {"offers", "others"}),
    ],
)
def test_a_no_reaches_the_person_as_far_as_the_setting_says(offhook, campaigns, monkeypatch, command, setting, more, left):
    """`offers` stays open because Bob is in it: the same id in another list is another person."""
    monkeypatch.setenv("OFFHOOK_REVOCATION_SCOPE", setting)
    get_settings.cache_clear()
    status, said = offhook(*command, ANN, "--seller", "acme", *more)
    assert (status, "Receipt r_" in said) == (0, True)
    assert still_called(offhook) == left
    told = json.loads(offhook("campaign", "explain", "offers", ANN, "--json")[1])
    assert told["contact"]["state"] == "called_off"
    assert json.loads(offhook("campaign", "explain", "offers", BOB, "--json")[1])["contact"]["state"] == "waiting"
    assert offhook("audit", "verify")[0] == 0


def test_the_other_number_is_refused_whoever_brings_it_in(offhook, campaigns):
    assert offhook("consent", "record", MOBILE, "--seller", "acme", *CONSENT)[0] == 0
    told = json.loads(offhook("dnc", "add", ANN, "--seller", "acme", "--json")[1])
    assert told["numbers"] == [ANN, MOBILE]
    assert "DNC_INTERNAL" in offhook("check", MOBILE, "--seller", "acme")[1]


def test_who_it_was_may_be_said(offhook, campaigns, tmp_path):
    (tmp_path / "crm.csv").write_text(f"{HEADER}{ANN},Her husband,2\n{BOB},His desk,2\n")
    assert offhook("campaign", "import", "others", "crm.csv")[0] == 0
    told = json.loads(offhook("dnc", "add", ANN, "--seller", "acme", "--person", "crm.csv/2", "--json")[1])
    assert told["numbers"] == [ANN, BOB]


def test_two_files_are_one_list_when_the_operator_says_so(offhook, campaigns, tmp_path):
    (tmp_path / "more.csv").write_text(f"{HEADER}+16145550126,Ann again,1\n")
    assert offhook("campaign", "import", "offers", "more.csv", "--people", "crm.csv")[0] == 0
    assert "+16145550126" in json.loads(offhook("dnc", "add", MOBILE, "--json")[1])["numbers"]


def test_a_written_message_is_read(offhook, campaigns, tmp_path):
    status, said = offhook("dnc", "message", ANN, "see you on Friday")
    assert (status, "does not ask" in said) == (0, True)
    assert json.loads(offhook("dnc", "message", ANN, "ok", "--json")[1])["asks_to_stop"] is False
    (tmp_path / "mail.txt").write_text("Hola,\nquítenme de su lista por favor.\n")
    told = json.loads(offhook("dnc", "message", ANN, "@mail.txt", "--channel", "e-mail", "--json")[1])
    assert told["numbers"] == [ANN, MOBILE]
    assert still_called(offhook) == {"offers"}


def test_a_person_is_forgotten_in_every_room(offhook, campaigns):
    assert offhook("consent", "record", MOBILE, "--seller", "acme", *CONSENT)[0] == 0
    before = json.loads(offhook("audit", "person", ANN)[1])["numbers"]
    assert [each["number"] for each in before] == [ANN, MOBILE]
    assert [each["contacts"][0]["name"] for each in before] == ["Ann", "Ann"]
    assert len(before[1]["consent_events"]) == 1
    status, said = offhook("audit", "erase", ANN, "--reason", "letter")
    assert (status, said.count("•••"), "never called again" in said) == (0, 2, True)
    after = json.loads(offhook("audit", "person", MOBILE)[1])["numbers"]
    assert {each["name"] for each in after[0]["contacts"]} == {""}
    assert {each["state"] for each in after[0]["contacts"]} == {"called_off"}
    assert "PERSON_ERASED" in offhook("check", MOBILE, "--seller", "acme")[1]
    assert "erased" in offhook("campaign", "import", "others", "crm.csv")[1]
    assert offhook("audit", "verify")[0] == 0
    assert offhook("audit", "erase", BOB, "--reason", "call", "--alone", "--json")[0] == 0


def test_a_scope_that_is_none_is_said_in_a_line(offhook, monkeypatch):
    monkeypatch.setenv("OFFHOOK_REVOCATION_SCOPE", "galaxy")
    get_settings.cache_clear()
    status, said = offhook("dnc", "add", ANN)
    assert status == 1
    assert "OFFHOOK_REVOCATION_SCOPE: 'galaxy' is none of: purpose, seller, house" in said
