"""The parts of a serving process: its port, its signals, the way it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from api.cli import run
from api.compose import open_house, parts_of
from api.housework import working
from api.process import CannotServe, Stopping, drain, introduction, listen, reachable_at, refuse_workers
from api.settings import Settings

AGENTS = Path(__file__).parents[3] / "agents"


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg]


def test_a_port_that_is_taken_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("api.settings.get_settings", lambda: settings(home=tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["serve", "--port", str(port)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"offhook: port {port} of 127.0.0.1 is taken: stop what listens there, or choose another with --port"


def test_an_address_that_is_not_ours_is_one_line() -> None:
    with pytest.raises(CannotServe, match=r"cannot listen on 192\.0\.2\.1:0"):
        listen("192.0.2.1", 0)


def test_one_process_is_all_there_is() -> None:
    refuse_workers(1)
    with pytest.raises(CannotServe, match="--workers 4"):
        refuse_workers(4)


def test_without_a_public_url_it_is_where_we_listen() -> None:
    assert reachable_at(settings(), "127.0.0.1", 9000).public_url == "http://127.0.0.1:9000"
    assert reachable_at(settings(), "::1", 9000).media_url == "ws://[::1]:9000/twilio/media"
    given = settings(public_url="https://calls.example.com")
    assert reachable_at(given, "127.0.0.1", 9000) is given
    assert reachable_at(settings(), "10.0.0.1", 9000).public_url == "http://127.0.0.1:8080"


def test_what_is_missing_is_said_at_the_start() -> None:
    carrier = {"twilio_account_sid": "AC1", "twilio_auth_token": SecretStr("x")}
    assert "TWILIO_ACCOUNT_SID" in introduction(settings(), "127.0.0.1", 8080)
    assert "TWILIO_FROM is empty" in introduction(settings(**carrier), "127.0.0.1", 8080)
    ready = introduction(settings(**carrier, twilio_from=("+13025550100",)), "::1", 8080)
    assert ready == "offhook is ready at http://[::1]:8080, reached by the carrier at http://127.0.0.1:8080"


async def test_signals_ask_once_and_then_again() -> None:
    stopping = Stopping()
    with stopping.heeding_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stopping.asked.wait(), 5.0)
        assert not stopping.at_once.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(stopping.at_once.wait(), 5.0)


class Board:
    """A switchboard with one conversation, which ends when it is told to, or is told to by `close`."""

    def __init__(self) -> None:
        self.is_draining = False
        self.over = asyncio.Event()
        self.done: list[str] = []

    @property
    def live(self) -> list[str]:
        return [] if self.over.is_set() else ["call"]

    async def give_up_unanswered(self) -> None:
        self.done.append("give up")

    async def quiet(self) -> None:
        await self.over.wait()

    async def close(self) -> None:
        self.done.append("cut off" if self.live else "close")
        self.over.set()


async def test_a_conversation_is_let_end() -> None:
    board, stopping = Board(), Stopping()
    draining = asyncio.create_task(drain(board, stopping))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert board.is_draining
    board.over.set()
    await draining
    assert board.done == ["give up", "close"]


async def test_asked_twice_it_is_cut_off() -> None:
    board, stopping = Board(), Stopping()
    draining = asyncio.create_task(drain(board, stopping))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    stopping.ask()
    stopping.ask()
    await draining
    assert board.done == ["give up", "cut off"]


async def test_a_conversation_without_end_is_cut_off_in_time() -> None:
    board = Board()
    await drain(board, Stopping(), within=0.0)  # type: ignore[arg-type]
    assert board.done == ["give up", "cut off"]


async def test_without_a_carrier_the_house_works_and_has_no_door_for_one(
    tmp_path: Path, furnish: Callable[[Path], Path]
) -> None:
    async with open_house(settings(home=furnish(tmp_path), agents=AGENTS)) as house, working(house):
        parts = parts_of(house)
        assert (parts.carrier, parts.media, parts.placer) == (None, None, None)
        assert parts.readiness is not None
        assert [check.part for check in await parts.readiness.checks() if not check.ok] == ["carrier"]
