"""Whatever instant the process dies at, no phone rings twice and nobody is forgotten."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

CONTACTS = 15
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("seed", [1, 2])
def test_no_crash_makes_a_phone_ring_twice(tmp_path: Path, seed: int) -> None:
    program = [sys.executable, str(Path(__file__).with_name("crashing.py")), str(tmp_path), str(seed), str(CONTACTS)]
    done = subprocess.run(program, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["exit"] == 0, done.stderr
    assert seen["lives"] > CONTACTS / 4  # it did die, and often
    assert [number for number, times in Counter(seen["dialled"]).items() if times > 1] == []
    for number, phases in seen["ends"].items():
        assert (phases[-1] == "ended") is (number in seen["dialled"])
        assert phases[-1] in ("ended", "unknown")
