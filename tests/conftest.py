"""What holds for every test: a busy machine is no counterexample."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from voice.build import is_compiled

settings.register_profile("offhook", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("offhook")


def pytest_sessionstart() -> None:
    """Tests that are to try the compiled core must not pass on the sources of the checkout."""
    if os.environ.get("OFFHOOK_COMPILED") == "1" and not is_compiled():
        pytest.exit("the modules under test are not compiled", returncode=1)


@pytest.fixture(scope="session")
def furnish(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Give a new house what its ears learn of their agents, which takes four seconds of a core: the first house of these
    tests does, and the others find it. Returns the house's folder."""
    learnt = tmp_path_factory.mktemp("ears")

    def furnish(home: Path) -> Path:
        home.mkdir(parents=True, exist_ok=True)
        (home / "ears").symlink_to(learnt, target_is_directory=True)
        return home

    return furnish
