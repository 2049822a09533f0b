"""What `make fast` compiles: the list in pyproject.toml is of modules there are, and of all that run here, or of none."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import is_dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from voice.build import is_compiled
from voice.endpointing import EndpointPolicy
from voice.events import Event
from voice.journal import JournalHeader

ROOT = Path(__file__).parents[3]
COMPILED: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["offhook"]["compiled"]


@pytest.mark.parametrize("module", COMPILED)
def test_a_module_of_the_list_is_native_where_the_core_is(module: str):
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    assert spec.origin.endswith(".so") == is_compiled()


@pytest.mark.parametrize("module", COMPILED)
def test_a_module_of_the_list_waits_for_nothing(module: str):
    """Compiled coroutines that wait while they handle an exception hand it to whoever runs then (docs/performance.md)."""
    tree = ast.parse((ROOT / module.replace(".", "/")).with_suffix(".py").read_bytes())
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)]


def _within(shape: object, found: set[type]) -> set[type]:
    for part in get_args(shape):
        _within(part, found)
    if isinstance(shape, type) and is_dataclass(shape) and shape not in found:
        found.add(shape)
        for part in get_type_hints(shape).values():
            _within(part, found)
    return found


def test_nothing_that_a_journal_is_read_back_as_is_compiled():
    """A compiled class has no type hints: what is within it would come back as a dict, which compiled code refuses."""
    shapes = _within(JournalHeader, set()) | _within(Event, set())
    assert EndpointPolicy in shapes
    assert {shape.__module__ for shape in shapes} & set(COMPILED) == set()


def test_nothing_is_compiled_beside_the_sources():
    packages = sorted({module.partition(".")[0] for module in COMPILED})
    assert [path for package in packages for path in (ROOT / package).rglob("*.so")] == []
