"""An agent to listen, think and speak for, and callers with a voice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from voice.agent import AgentDefinition
from voice.agent_file import AgentFolder
from voice.providers.embedded.ears import EmbeddedEars
from voice.providers.embedded.mouth import EmbeddedMouth

AGENTS = Path(__file__).parents[3] / "agents"


@pytest.fixture
def agent() -> AgentDefinition:
    return AgentFolder(AGENTS).get("solar")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where language models are kept: one folder for the whole run, since making them takes a second each."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
async def ears(models: Path) -> AsyncIterator[EmbeddedEars]:
    ears = EmbeddedEars(models, processes=1)
    yield ears
    await ears.close()


@pytest.fixture
async def mouth() -> AsyncIterator[EmbeddedMouth]:
    mouth = EmbeddedMouth("espeak")
    yield mouth
    await mouth.close()
