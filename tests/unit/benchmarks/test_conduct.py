"""A measurement of many suites: one that fails loses nothing of the others."""

import pytest

from benchmarks.conduct import Order, conduct
from benchmarks.errors import BenchmarkError
from benchmarks.plan import Plan
from benchmarks.report.model import Run, read
from benchmarks.suites.catalogue import Suite, Task


async def _well(task: Task) -> list[Run]:
    return [Run(suite="simulation", engine="offhook", numbers={"events_per_second": 1.0})]


async def _badly(task: Task) -> list[Run]:
    raise ZeroDivisionError("a [fault] of the suite itself")


async def _unable(task: Task) -> list[Run]:
    raise BenchmarkError("nobody was there")


WELL, BADLY, UNABLE = Suite("simulation", "", _well), Suite("gate", "", _badly), Suite("context", "", _unable)


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Other tests want the log as it was."""
    monkeypatch.setattr("benchmarks.conduct.structlog.configure", lambda **_: None)


def test_a_failing_suite_leaves_the_page_and_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OFFHOOK_HOME", str(tmp_path))
    order = Order(tmp_path / "result.json", tmp_path / "page.html")
    assert not conduct([BADLY, WELL, UNABLE], [], Plan("", 0), order)
    found = read(tmp_path / "result.json")
    assert [run.suite for run in found.runs] == ["simulation"]
    assert found.failures[0].startswith("gate: ZeroDivisionError: a [fault] of the suite itself (test_conduct.py:")
    assert found.failures[1] == "context: nobody was there"
    assert set(found.took) == {"gate", "simulation", "context"}
    assert "events of the core" in (tmp_path / "page.html").read_text()
    assert "seconds a suite: gate" in capsys.readouterr().out


def test_nothing_measured_at_all_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("OFFHOOK_HOME", str(tmp_path))
    with pytest.raises(BenchmarkError, match="nobody was there"):
        conduct([UNABLE], [], Plan("", 0), Order(tmp_path / "r.json", tmp_path / "p.html"))
    assert not (tmp_path / "r.json").exists()
