"""Ten thousand seeded calls, rude and faulty, and the laws that hold in all of them. The nightly target runs a million."""

from __future__ import annotations

import os

import pytest

from benchmarks.storm import build, storm, timeline

STORMS = int(os.environ.get("OFFHOOK_STORMS", "10000"))
CHUNKS = 20


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_storms_break_no_law(chunk: int):
    for seed in range(chunk, STORMS, CHUNKS):
        broken = storm(seed)
        if broken:
            print("\n".join(timeline(seed)))
        assert not broken, f"seed {seed}: {broken}"


def test_the_same_seed_is_the_same_call():
    assert build(7).run().log == build(7).run().log
