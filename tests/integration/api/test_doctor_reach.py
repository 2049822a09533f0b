"""The doctor against parts that answer well, badly or not at all; all of them on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api import doctor
from api.doctor import Finding, Report, State
from api.settings import env_names

SECRET = "hunter2hunter2hunter2"


class Answering:
    """A web server that answers every path with one status; it keeps what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.read(4096)
        self.asked.append(asked.decode())
        body = b'{"ok":true}'
        writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


@pytest.fixture
async def web() -> AsyncIterator[Answering]:
    answering = Answering()
    server = await asyncio.start_server(answering.answer, "127.0.0.1", 0)
    answering.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield answering


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in env_names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OFFHOOK_PUBLIC_URL", "http://127.0.0.1:1")


async def examined() -> Report:
    return await asyncio.to_thread(doctor.examine)


def part(report: Report, name: str) -> Finding:
    return next(finding for finding in report.findings if finding.group == "parts" and finding.part == name)


async def test_with_nothing_configured_nothing_is_asked() -> None:
    report = await examined()
    assert report.ok
    for name in ("redis", "qdrant", "twilio", "deepgram", "elevenlabs", "anthropic", "openai", "livekit", "traces"):
        assert part(report, name).state is State.OFF
    assert part(report, "public URL").state is State.WARN
    assert part(report, "database").detail.endswith("(made on first use)")


def configure(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC1")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", SECRET)
    monkeypatch.setenv("TWILIO_API_URL", url)
    monkeypatch.setenv("TWILIO_FROM", "+12025550100")
    monkeypatch.setenv("OFFHOOK_QDRANT_URL", url)
    monkeypatch.setenv("OFFHOOK_PUBLIC_URL", url)
    monkeypatch.setenv("OFFHOOK_REDIS_URL", url.replace("http", "redis"))
    monkeypatch.setenv("LIVEKIT_URL", url.replace("http", "ws"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setattr(doctor, "find_spec", lambda _: object())


async def test_parts_that_answer_are_well(monkeypatch: pytest.MonkeyPatch, web: Answering) -> None:
    configure(monkeypatch, web.url)
    report = await examined()
    for name in ("twilio", "qdrant", "redis", "livekit", "traces", "public URL"):
        assert part(report, name).state is State.OK, name
    paths = {request.split()[1] for request in web.asked if request}
    assert {"/healthz", "/readyz", "/2010-04-01/Accounts/AC1.json"} <= paths


@pytest.mark.parametrize(("status", "state"), [(401, State.FAIL), (403, State.FAIL), (500, State.WARN), (404, State.OK)])
async def test_what_an_answer_says_of_the_credentials(
    monkeypatch: pytest.MonkeyPatch, web: Answering, status: int, state: State
) -> None:
    configure(monkeypatch, web.url)
    web.status = status
    report = await examined()
    assert part(report, "twilio").state is state
    assert part(report, "qdrant").state is State.WARN
    assert part(report, "public URL").state is State.WARN


async def test_parts_that_are_not_there_fail_with_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    configure(monkeypatch, "http://127.0.0.1:1")
    report = await examined()
    for name in ("twilio", "qdrant", "redis", "livekit", "traces"):
        finding = part(report, name)
        assert finding.state is State.FAIL, name
        assert finding.do, name
    doctor.show(report)
    assert SECRET not in "".join(capsys.readouterr())


async def test_a_client_that_is_not_installed_says_which_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, "http://127.0.0.1:1")
    monkeypatch.setattr(doctor, "find_spec", lambda _: None)
    assert part(await examined(), "redis").do == "pip install 'offhook[redis]'"


async def test_a_database_is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OFFHOOK_DATABASE_URL", f"sqlite:///{tmp_path}/x.db")
    assert part(await examined(), "database").state is State.OK
    monkeypatch.setenv("OFFHOOK_DATABASE_URL", f"sqlite:///{tmp_path}/x.db/no/folder.db")
    finding = part(await examined(), "database")
    assert (finding.state, finding.do) == (State.FAIL, "mend OFFHOOK_DATABASE_URL")


async def test_an_agent_that_can_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "agents").symlink_to(Path(__file__).parents[3] / "agents")
    report = await asyncio.to_thread(doctor.examine, offline=True)
    agents = [finding for finding in report.findings if finding.part.startswith("agent ")]
    assert agents
    assert {finding.state for finding in agents} == {State.OK}
