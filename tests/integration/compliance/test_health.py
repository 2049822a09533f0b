"""How the gate stands: list ages with their alarm and their hard stop, versions, and what the doctor makes of it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from api.findings import State
from api.gate_checks import gate
from api.readiness import standing
from api.settings import get_settings
from compliance.dnc import Lists
from compliance.dnc_load import LoadOrder, load
from compliance.health import ListState, gate_health
from compliance.rules import closed_rulebook, load_rulebook
from compliance.store import ComplianceStore
from compliance.zones import TZDATA

DAY = date(2026, 11, 1)


@pytest.fixture
def lists(tmp_path):
    path = tmp_path / "n.txt"
    path.write_text("6145550199\n")
    load(tmp_path, LoadOrder("national", path, DAY, "tests", datetime(2026, 11, 1, tzinfo=UTC)))
    return Lists(tmp_path)


@pytest.mark.parametrize(
    ("days", "state"),
    [(0, ListState.FRESH), (24, ListState.FRESH), (25, ListState.ALARM), (31, ListState.ALARM), (32, ListState.STOPPED)],
)
def test_the_age_of_a_list(lists, days, state):
    (national,) = gate_health(lists, load_rulebook(), DAY + timedelta(days=days)).lists
    assert (national.state, national.age, national.numbers, national.area_codes) == (state, days, 1, 1)
    assert f"{days} days old" in national.says


def test_no_registry_and_a_damaged_list(tmp_path, lists):
    (absent,) = gate_health(Lists(tmp_path / "nowhere"), load_rulebook(), DAY).lists
    assert (absent.name, absent.state, absent.age) == ("national", ListState.ABSENT, None)
    assert "no copy is loaded" in absent.says
    (tmp_path / "lists" / "national" / "gen-000001" / "614.bits").write_bytes(b"short")
    (damaged,) = gate_health(Lists(tmp_path), load_rulebook(), DAY).lists
    assert (damaged.state, "loaded again" in damaged.says) == (ListState.DAMAGED, True)


def test_versions_are_told_and_a_closed_gate_says_why(lists):
    health = gate_health(lists, load_rulebook(), DAY)
    assert (health.rules, health.tzdata, health.closed_because) == (load_rulebook().version, TZDATA, "")
    assert gate_health(lists, closed_rulebook("a typo"), DAY).closed_because == "a typo"


def test_what_everybody_may_see_of_it(tmp_path, lists):
    health = standing(ComplianceStore.open(tmp_path), DAY + timedelta(days=40))
    assert health.ok  # the process lives: a list that is too old ends no call that was agreed to
    assert [(each.name, each.state, each.age_days) for each in health.lists] == [("national", "stopped", 40)]
    assert health.tzdata == TZDATA


@pytest.mark.parametrize(("days", "state"), [(3, State.OK), (26, State.WARN), (33, State.FAIL)])
def test_the_doctor_warns_and_then_fails(tmp_path, monkeypatch, lists, days, state):
    monkeypatch.setenv("OFFHOOK_HOME", str(tmp_path))
    get_settings.cache_clear()
    found = {each.part: each for each in gate(get_settings(), DAY + timedelta(days=days))}
    assert found["list national"].state is state
    assert found["rules"].state is State.OK
    assert "FL, IN, LA" in found["states' own lists"].detail
    get_settings.cache_clear()


def test_the_doctor_reads_the_operators_rules_and_every_agents_words(offhook, tmp_path, monkeypatch):
    (tmp_path / "home" / "rules").mkdir(parents=True)
    (tmp_path / "home" / "rules" / "ours.toml").write_text("jurisdiction = ")
    (tmp_path / "agents").mkdir()
    said = 'persona = "Sam"\ngoal = "x"\nopening = "Hello."\ngoodbye = "Bye."\n'
    (tmp_path / "agents" / "sam.toml").write_text(f'name = "sam"\nseller = "acme"\n{said}')
    status, said = offhook("doctor", "--offline", "--json")
    told = {each["part"]: each for each in json.loads(said)["findings"]}
    assert status == 1
    assert (told["rules"]["state"], "ours.toml" in told["rules"]["detail"]) == ("fail", True)
    assert (told["agent sam.toml"]["state"], "does not name acme" in told["agent sam.toml"]["detail"]) == ("fail", True)
    assert told["list national"]["state"] == "warn"
