"""What `make fast` compiles: the list in pyproject.toml is of modules there are, and of all that run here, or of none."""

from __future__ import annotations

import ast
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from voice.build import is_compiled

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


def test_nothing_is_compiled_beside_the_sources():
    packages = sorted({module.partition(".")[0] for module in COMPILED})
    assert [path for package in packages for path in (ROOT / package).rglob("*.so")] == []
