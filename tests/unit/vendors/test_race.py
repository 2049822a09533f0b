from __future__ import annotations

from voice.providers.resilience.race import CallOff, Entrant, HedgeBudget, Late, Lost, Race, Start, Won

USUAL = Entrant(hedge_after=1.0, give_up_after=4.0)
PROBE = Entrant(hedge_after=1.0, give_up_after=4.0, is_probe=True)


def race(*entrants: Entrant, budget: HedgeBudget | None = None) -> Race:
    return Race(entrants, budget or HedgeBudget())


def test_the_first_in_time_wins_alone() -> None:
    core = race(USUAL, USUAL)
    assert core.begin(0.0) == [Start(0)]
    assert core.deadline == 1.0
    assert core.answered(0) == [Won(0)]
    assert core.deadline is None
    assert core.answered(0) == []
    assert core.failed(0, 0.8) == []


def test_a_late_one_is_hedged_and_called_off_as_late_when_the_hedge_wins() -> None:
    core = race(USUAL, USUAL, USUAL)
    core.begin(0.0)
    assert core.passed(1.0) == [Late(0), Start(1)]
    assert core.deadline == 2.0
    assert core.passed(2.0) == [Late(1)]  # one hedge is enough
    assert core.deadline == 4.0
    assert core.answered(1) == [CallOff(0), Won(1)]


def test_when_the_late_one_wins_after_all_the_hedge_is_called_off_in_good_standing() -> None:
    core = race(USUAL, USUAL)
    core.begin(0.0)
    core.passed(1.0)
    assert core.answered(0) == [CallOff(1), Won(0)]


def test_without_budget_or_anybody_else_there_is_no_hedge() -> None:
    spent = HedgeBudget(share=0.0, burst=0.0)
    core = race(USUAL, USUAL, budget=spent)
    core.begin(0.0)
    assert core.passed(1.0) == [Late(0)]
    alone = race(USUAL)
    alone.begin(0.0)
    assert alone.passed(1.0) == [Late(0)]
    assert alone.deadline == 4.0


def test_one_that_fails_is_replaced_at_once_and_costs_no_budget() -> None:
    budget = HedgeBudget(share=0.0, burst=0.0)
    core = race(USUAL, USUAL, budget=budget)
    core.begin(0.0)
    assert core.failed(0, 0.1) == [Start(1)]
    assert core.failed(1, 0.2) == [Lost()]
    assert (budget.requests, budget.hedges) == (2, 0)


def test_one_that_fails_beside_a_hedge_leaves_the_hedge_running() -> None:
    core = race(USUAL, USUAL, USUAL)
    core.begin(0.0)
    core.passed(1.0)
    assert core.failed(0, 1.1) == []
    assert core.failed(1, 1.2) == [Start(2)]


def test_one_is_given_up_in_the_end_and_the_next_is_asked() -> None:
    core = race(USUAL, USUAL, budget=HedgeBudget(burst=0.0))
    core.begin(0.0)
    core.passed(1.0)
    assert core.passed(4.0) == [CallOff(0), Start(1)]
    core.passed(5.0)
    assert core.passed(8.0) == [CallOff(1), Lost()]


def test_one_that_is_known_to_be_down_by_now_is_not_waited_for() -> None:
    core = race(USUAL, USUAL, budget=HedgeBudget(share=0.0, burst=0.0))
    core.begin(0.0)
    assert core.distrusted(0, 0.2) == [Start(1)]
    assert core.distrusted(0, 0.3) == []
    assert core.answered(1) == [CallOff(0), Won(1)]
    assert core.distrusted(1, 0.4) == []


def test_a_probe_runs_beside_one_that_is_known_to_work() -> None:
    assert race(PROBE, USUAL).begin(0.0) == [Start(0), Start(1)]
    assert race(PROBE).begin(0.0) == [Start(0)]
    assert race(PROBE, PROBE, USUAL, USUAL).begin(0.0) == [Start(0), Start(1), Start(2)]


def test_a_race_without_entrants_is_lost() -> None:
    core = race()
    assert core.begin(0.0) == [Lost()]
    assert core.passed(9.0) == []


def test_the_budget_is_a_share_of_the_requests() -> None:
    budget = HedgeBudget(share=0.125, burst=2.0)
    assert [budget.take(), budget.take(), budget.take()] == [True, True, False]
    for _ in range(8):
        budget.requested()
    assert [budget.take(), budget.take()] == [True, False]
    assert (budget.requests, budget.hedges) == (8, 3)


def test_twins_are_asked_at_once_and_the_first_word_of_either_counts() -> None:
    budget = HedgeBudget()
    core = Race([USUAL] * 2, budget, together=2)
    assert core.begin(0.0) == [Start(0), Start(1)]
    assert core.answered(1) == [CallOff(0), Won(1)]
    assert (budget.requests, budget.twins, budget.hedges) == (1, 1, 0)


def test_twins_are_late_together_and_hedged_once() -> None:
    core = Race([USUAL] * 2 + [USUAL] * 2, HedgeBudget(), together=2)
    core.begin(0.0)
    assert core.passed(1.0) == [Late(0), Start(2)]
    assert core.passed(2.0) == [Late(2)]
    assert core.answered(2) == [CallOff(0), CallOff(1), Won(2)]


def test_a_twin_that_fails_leaves_the_other_running() -> None:
    core = Race([USUAL] * 3, HedgeBudget(), together=2)
    core.begin(0.0)
    assert core.failed(0, 0.1) == []
    assert core.failed(1, 0.2) == [Start(2)]


def test_twins_that_are_distrusted_get_one_beside_them() -> None:
    core = Race([USUAL] * 4, HedgeBudget(), together=2)
    core.begin(0.0)
    assert core.distrusted(0, 0.1) == [Start(2)]
    assert core.distrusted(1, 0.1) == []


def test_fewer_than_are_wanted_are_asked() -> None:
    assert Race([USUAL], HedgeBudget(), together=3).begin(0.0) == [Start(0)]
    assert Race([], HedgeBudget(), together=3).begin(0.0) == [Lost()]
