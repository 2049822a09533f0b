"""What `offhook doctor` finds at the gate: rules and time zones by their versions, do-not-call lists by their age, and
whether the words of each agent can meet the duties of a call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from api.findings import Finding, State
from api.scripts import unmet
from api.settings import Settings
from compliance.dnc import Lists, missing_state_lists
from compliance.health import ListHealth, ListState, gate_health
from compliance.rules import Rulebook, open_rulebook
from voice.agent import AgentDefinition

_STATES = {
    ListState.FRESH: State.OK,
    ListState.ALARM: State.WARN,
    ListState.ABSENT: State.WARN,
    ListState.STOPPED: State.FAIL,
    ListState.DAMAGED: State.FAIL,
}


def gate(settings: Settings, today: date) -> Iterator[Finding]:
    lists, rules = Lists(settings.home), operators_rulebook(settings)
    health = gate_health(lists, rules, today)
    if health.closed_because:
        yield Finding("gate", "rules", State.FAIL, health.closed_because, "mend that file: no call passes until then")
    else:
        yield Finding("gate", "rules", State.OK, health.rules)
    yield Finding("gate", "time zones", State.OK, f"tzdata {health.tzdata}, pinned with offhook")
    yield from (_list(each) for each in health.lists)
    absent = ", ".join(sorted(told.split()[0] for told in missing_state_lists(rules, lists.names())))
    if absent:
        yield Finding("gate", "states' own lists", State.WARN, f"no copy of {absent}", "see: offhook dnc status")


def _list(health: ListHealth) -> Finding:
    state = _STATES[health.state]
    cure = "" if state is State.OK else "download it and load it: offhook dnc load"
    return Finding("gate", f"list {health.name}", state, health.says, cure)


def words_of(file: str, agent: AgentDefinition, rules: Rulebook) -> Finding:
    """An agent's file that can be read: can what it says be lawful?"""
    lacks = unmet(agent, agent.seller, rules)
    if lacks:
        return Finding(
            "parts", f"agent {file}", State.FAIL, " ".join(each.why for each in lacks), "the gate holds its calls"
        )
    return Finding("parts", f"agent {file}", State.OK, f"{agent.name} for {agent.seller}")


def operators_rulebook(settings: Settings) -> Rulebook:
    return open_rulebook(*sorted((settings.home / "rules").glob("*.toml")))
