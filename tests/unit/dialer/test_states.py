from __future__ import annotations

import pytest

from dialer.states import CODES, state_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("OH", "OH"),
        ("oh", "OH"),
        (" New  York ", "NY"),
        ("district of columbia", "DC"),
        ("", ""),
        ("  ", ""),
        ("Ontario", None),
        ("XX", None),
    ],
)
def test_a_state_is_known_by_code_or_name(text: str, code: str | None) -> None:
    assert state_code(text) == code


def test_there_are_fifty_and_the_rest() -> None:
    assert len(CODES) == 56
