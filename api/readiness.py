"""Whether this process can take a call now: the parts every call needs, each tried. Fits `api.parts.Readiness`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from sqlalchemy import text

from api.probes import Probe
from api.resources import Alive, Check, ListAge
from compliance.health import gate_health
from compliance.store import ComplianceStore
from storage.database import Database
from voice.agent_file import AgentFolder
from voice.errors import AgentFileError

DISK_NEEDED: Final = 200 * 1024 * 1024  # bytes: some two hours of recordings


def standing(compliance: ComplianceStore, today: date) -> Alive:
    """The process lives; and how the gate's lists and rules stand. A list that is too old ends no call and no process."""
    health = gate_health(compliance.lists, compliance.rules, today)
    lists = [ListAge(name=each.name, state=each.state.value, age_days=each.age) for each in health.lists]
    return Alive(rules=health.rules, tzdata=health.tzdata, lists=lists)


class HouseReadiness:
    """`probes` ask the parts that are not this process's own."""

    def __init__(self, database: Database, agents: AgentFolder, home: Path, probes: Sequence[Probe] = ()) -> None:
        self._database = database
        self._agents = agents
        self._home = home
        self._probes = tuple(probes)

    async def checks(self) -> list[Check]:
        """Every part, tried now; never raises."""
        beyond = [await probe() for probe in self._probes]
        return [await self._try_database(), self._try_agents(), self._try_home(), *beyond]

    async def _try_database(self) -> Check:
        try:
            async with self._database.reading() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:  # whatever a driver raises: the answer is no
            return Check(part="database", ok=False, detail=type(error).__name__)
        return Check(part="database", ok=True)

    def _try_agents(self) -> Check:
        try:
            count = len(self._agents.all())
        except AgentFileError as error:
            return Check(part="agents", ok=False, detail=str(error))
        return Check(part="agents", ok=count > 0, detail=f"{count} usable")

    def _try_home(self) -> Check:
        try:
            free = shutil.disk_usage(self._home).free
        except OSError as error:
            return Check(part="home", ok=False, detail=error.strerror or "unreadable")
        is_usable = os.access(self._home, os.W_OK | os.X_OK) and free >= DISK_NEEDED
        return Check(part="home", ok=is_usable, detail=f"{free // 1024**2} MB free")
