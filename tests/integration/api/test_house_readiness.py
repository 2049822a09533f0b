from __future__ import annotations

from pathlib import Path

import pytest

from api import readiness
from api.parts import Readiness
from api.readiness import HouseReadiness
from storage.database import Database
from voice.agent_file import AgentFolder

AGENTS = Path(__file__).parents[3] / "agents"


async def found(checks: Readiness) -> dict[str, bool]:
    return {check.part: check.ok for check in await checks.checks()}


async def test_a_house_that_can_take_calls(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    ready = HouseReadiness(database, AgentFolder(AGENTS), tmp_path)
    assert await found(ready) == {"database": True, "agents": True, "home": True}
    await database.close()


async def test_a_house_that_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    (tmp_path / "x.db").write_bytes(b"this is no database" * 100)
    ready = HouseReadiness(database, AgentFolder(tmp_path / "none"), tmp_path / "gone")
    assert await found(ready) == {"database": False, "agents": False, "home": False}
    monkeypatch.setattr(readiness, "DISK_NEEDED", 10**18)
    assert (await found(HouseReadiness(database, AgentFolder(AGENTS), tmp_path)))["home"] is False
    await database.close()
