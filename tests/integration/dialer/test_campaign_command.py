from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli import run
from api.settings import get_settings

ROOT = Path(__file__).parents[3]
ANN = "+13125550142"
ROWS = f"""number,name,state,consent_at,consent_seller,consent_wording
{ANN},Ann Lee,IL,2026-03-01T14:05:00-05:00,Acme Solar,You may call me.
12,Bad,,,,
{ANN},Ann again,,,,
"""


class Shell:
    """Types `offhook campaign ...` and reads what comes back."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str, status: int = 0) -> str:
        assert run(["campaign", *words]) == status
        told = self._capsys.readouterr()
        self.complaint = told.err
        assert bool(told.err) is bool(status)
        return told.out

    def json(self, *words: str, status: int = 0) -> dict[str, object]:
        read: dict[str, object] = json.loads(self(*words, "--json", status=status))
        return read


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OFFHOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OFFHOOK_AGENTS", str(ROOT / "agents"))
    monkeypatch.delenv("OFFHOOK_DATABASE_URL", raising=False)
    (tmp_path / "contacts.csv").write_text(ROWS)
    get_settings.cache_clear()
    yield Shell(capsys)
    get_settings.cache_clear()


def make(shell: Shell, name: str = "autumn") -> None:
    shell("create", name, "--seller", "Acme Solar", "--agent", "solar")


def test_a_campaign_from_its_making_to_its_end(shell: Shell) -> None:
    assert "import autumn" in shell("create", "autumn", "--seller", "Acme Solar", "--agent", "solar")
    told = shell("import", "autumn", "contacts.csv")
    assert "1 of 3 rows taken; 1 consents told of." in told
    assert "too_short" in told
    assert "duplicate" in told
    assert "now running" in shell("start", "autumn")
    assert "0 refused before are asked about again" in shell("start", "autumn", "--again")
    assert "now paused" in shell("pause", "autumn")
    assert "now running" in shell("resume", "autumn")
    assert "running" in shell("status")
    assert "waiting" in shell("status", "autumn")
    assert "now stopped" in shell("stop", "autumn")
    shell("start", "autumn", status=1)
    assert shell.complaint == "offhook: it was stopped for good; create a new campaign\n"


def test_machines_get_it_all(shell: Shell) -> None:
    created = shell.json("create", "autumn", "--seller", "Acme Solar", "--agent", "solar", "--concurrency", "3")
    assert created["state"] == "draft"
    report = shell.json("import", "autumn", "contacts.csv")
    assert (report["rows"], report["kept"], report["bad"], report["duplicates"]) == (3, 1, 1, 1)
    problems = report["problems"]
    assert isinstance(problems, list)
    assert problems[0] == {"line": 3, "column": "number", "code": "too_short", "why": problems[0]["why"]}
    assert shell.json("start", str(created["id"]))["state"] == "running"
    status = shell.json("status", "autumn")
    assert status["contacts"] == {"waiting": 1, "attempting": 0, "closed": 0, "called_off": 0}
    assert isinstance(json.loads(shell("status", "--json")), list)


def test_why_somebody_is_not_called_is_told_by_rule(shell: Shell) -> None:
    make(shell)
    shell("import", "autumn", "contacts.csv")
    draft = shell("explain", "autumn", "(312) 555-0142")
    assert "The campaign is draft" in draft
    assert "CONSENT_NOT_WRITTEN" in draft
    shell("start", "autumn")
    told = shell.json("explain", "autumn", ANN)
    assert told["code"] == "refused_now"
    rules = told["rules"]
    assert isinstance(rules, list)
    assert "CONSENT_NOT_WRITTEN" in rules
    asked = told["asked_now"]
    assert isinstance(asked, dict)
    assert all(finding["source"] for finding in asked["findings"])
    contact = told["contact"]
    assert isinstance(contact, dict)
    assert shell.json("explain", "autumn", str(contact["id"]))["code"] == "refused_now"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["create", "x", "--seller", "A", "--agent", "nobody"], "no agent named 'nobody'"),
        (["create", "x", "--seller", "A", "--agent", "solar", "--from", "12"], "--from has too few digits"),
        (["create", "autumn", "--seller", "A", "--agent", "solar"], "already; choose another name"),
        (["start", "autumn"], "import contacts first"),
        (["pause", "autumn"], "start it first"),
        (["status", "spring"], "no campaign named 'spring'"),
        (["import", "autumn", "missing.csv"], "No such file"),
        (["import", "autumn", "empty.csv"], "nothing in the file"),
        (["explain", "autumn", ANN], "no contact +1312•••0142"),
        (["explain", "autumn", "somebody"], "no contact somebody"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(shell: Shell, tmp_path: Path, words: list[str], complaint: str) -> None:
    make(shell)
    (tmp_path / "empty.csv").touch()
    assert shell(*words, status=1) == ""
    assert complaint in shell.complaint
    assert shell.complaint.startswith("offhook: ")
    assert shell.complaint.count("\n") == 1


def test_a_file_without_a_good_row_fails(shell: Shell, tmp_path: Path) -> None:
    make(shell)
    (tmp_path / "bad.csv").write_text("number\n12\n")
    assert run(["campaign", "import", "autumn", "bad.csv"]) == 1


def test_errors_are_for_machines_too(shell: Shell) -> None:
    assert shell.json("start", "autumn", status=1)["code"] == "no_such_campaign"


def test_every_command_shows_an_example(shell: Shell) -> None:
    for command in ("create", "import", "start", "pause", "resume", "stop", "status", "explain"):
        assert f"Example: offhook campaign {command}" in shell(command, "--help")


def test_a_campaigns_budget_is_set_shown_and_taken_away(shell: Shell) -> None:
    shell("create", "autumn", "--seller", "Acme Solar", "--agent", "solar", "--budget", "25")
    assert "$0.00 spent of $25.00" in shell("status", "autumn")
    assert "may cost $40.50 in all" in shell("budget", "autumn", "40.5")
    status = shell.json("status", "autumn")
    assert (status["spent"], status["budget"], status["hold"]) == (0, 40.5, None)
    assert shell.json("budget", "autumn", "0")["budget"] is None
    assert "no budget of its own" in shell("budget", "autumn", "0")
