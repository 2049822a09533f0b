"""What the collector is told."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from voice.collector import settle


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("_as_it_was")
def test_what_stays_is_not_looked_through_again() -> None:
    settle()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] > 10_000
