"""Whether a house can take a call, asked of its real parts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from api.probes import (
    ASKED_AGAIN_AFTER,
    TRIED_AGAIN_AFTER,
    CarrierProbe,
    door_probe,
    ears_probe,
    knowledge_probe,
    mouth_probe,
)
from api.readiness import HouseReadiness
from context.ports import Mode
from storage.database import Database
from telephony.errors import CarrierError
from voice.agent_file import AgentFolder
from voice.providers.embedded.ears import EmbeddedEars
from voice.providers.embedded.mouth import EmbeddedMouth

AGENTS = Path(__file__).parents[3] / "agents"


class Carrier:
    def __init__(self) -> None:
        self.asked = 0
        self.error: CarrierError | None = None

    async def check(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error


async def test_no_carrier_is_no_call() -> None:
    check = await CarrierProbe(None)()
    assert (check.part, check.ok) == ("carrier", False)


async def test_the_carrier_is_not_asked_with_every_probe() -> None:
    now, carrier = [0.0], Carrier()
    probe = CarrierProbe(carrier, lambda: now[0])  # type: ignore[arg-type]
    assert [(await probe()).ok, (await probe()).ok] == [True, True]
    assert carrier.asked == 1
    now[0] = ASKED_AGAIN_AFTER
    carrier.error = CarrierError("twilio_20003", "wrong credentials", retryable=False)
    assert (await probe()).ok is False
    carrier.error = None
    assert (await probe()).ok is False
    now[0] += TRIED_AGAIN_AFTER
    assert (await probe()).ok is True


async def test_a_worker_that_was_ended_is_noticed(tmp_path: Path) -> None:
    ears, mouth = EmbeddedEars(tmp_path, processes=1), EmbeddedMouth()
    engines: Any = SimpleNamespace(ears=ears, mouth=mouth)
    assert (await mouth_probe(engines)()).ok is True
    await mouth.close()
    await ears.close()
    for probe, part in ((mouth_probe(engines), "mouth"), (ears_probe(engines), "ears")):
        check = await probe()
        assert (check.part, check.ok) == (part, False)


async def test_a_vendor_is_taken_at_its_word() -> None:
    engines: Any = SimpleNamespace(ears=SimpleNamespace(name="deepgram"), mouth=SimpleNamespace(name="elevenlabs"))
    assert [(await ears_probe(engines)()).detail, (await mouth_probe(engines)()).detail] == ["deepgram", "elevenlabs"]


async def test_a_house_with_its_doors_closed_is_not_ready(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    switchboard: Any = SimpleNamespace(is_draining=False)
    knowledge: Any = SimpleNamespace(mode=next(iter(Mode)))
    ready = HouseReadiness(database, AgentFolder(AGENTS), tmp_path, (door_probe(switchboard), knowledge_probe(knowledge)))
    assert all(check.ok for check in await ready.checks())
    switchboard.is_draining = True
    assert [check.part for check in await ready.checks() if not check.ok] == ["door"]
    await database.close()
