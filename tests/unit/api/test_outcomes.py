from __future__ import annotations

from datetime import date

import pytest

from api.outcomes import costs_of, disposition_of
from dialer.attempt import Disposition
from voice.events import CallId, Party
from voice.pricing.consumption import Account, Consumption, Stage
from voice.pricing.table import published
from voice.report import CallReport, Ending, Line

DAY = date(2026, 11, 20)


def test_a_call_that_used_nothing_cost_nothing_and_says_nothing() -> None:
    assert costs_of(Account(), published(), DAY) == {}


def test_what_was_used_is_told_by_stage_and_provider_with_what_nobody_heard_beside_it() -> None:
    mind = Consumption(Stage.MIND, "anthropic", "claude-haiku-5-5", tokens_in=100, tokens_out=20, tokens_cached=900)
    account = Account(
        entries=[
            mind,
            mind,
            Consumption(Stage.EARS, "deepgram", "nova-3", seconds=12.3456),
            Consumption(Stage.MOUTH, "elevenlabs", "eleven_flash_v2_5", characters=40, is_wasted=True),
        ]
    )
    told = costs_of(account, published(), DAY)
    assert told["used"] == {
        "mind.anthropic:claude-haiku-5-5": {"times": 2, "tokens_in": 200, "tokens_out": 40, "tokens_cached": 1800},
        "ears.deepgram:nova-3": {"times": 1, "seconds": 12.346},
        "mouth.elevenlabs:eleven_flash_v2_5.wasted": {"times": 1, "characters": 40},
    }
    cost = told["cost"]
    assert isinstance(cost, dict)
    assert cost["wasted"] == 0.0008
    assert cost["unpriced"] == 0


@pytest.mark.parametrize(
    ("ending", "has_heard_us", "expected"),
    [
        (Ending.COMPLETED, True, Disposition.ANSWERED),
        (Ending.TROUBLE, True, Disposition.CALL_BACK),
        (Ending.TROUBLE, False, Disposition.ABANDONED),
        (Ending.CALLER_LEFT, False, Disposition.ABANDONED),
        (Ending.OPTED_OUT, False, Disposition.OPTED_OUT),
    ],
)
def test_a_call_that_we_broke_off_is_owed_another(ending: Ending, has_heard_us: bool, expected: Disposition) -> None:
    lines = (Line("agent", "I am sorry.", 0.0, 1.0),) if has_heard_us else ()
    report = CallReport(CallId("ca_1"), ending, "", lines, (), Party.HUMAN, "", 1.0)
    assert disposition_of(report) is expected
