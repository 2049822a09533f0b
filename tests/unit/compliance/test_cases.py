"""Every decision case, through the real gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.cases import CaseReport, run_cases

CASES = Path(__file__).parents[2] / "data" / "compliance" / "cases.json"
REPORT = run_cases(CASES)


@pytest.mark.parametrize("row", REPORT.rows, ids=lambda row: row.id)
def test_gate_and_case_agree(row):
    assert row.disagreements == ()


@pytest.mark.parametrize("row", REPORT.rows, ids=lambda row: row.id)
def test_every_field_of_a_case_is_read(row):
    assert row.unread == ()


def test_the_report_counts_them_all():
    assert isinstance(REPORT, CaseReport)
    assert len(REPORT.rows) == 67
    assert REPORT.disagreements == ()
    assert REPORT.rules_version.endswith("-law-only")
