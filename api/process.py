"""What a serving process owes its machine: a port of its own, an ear for signals, and an end that cuts nobody off.

Asked to stop once (SIGTERM, Ctrl-C) it dials nobody any more, lets nobody new in, and lets the conversations that go on come
to their end, within `DRAIN_WITHIN`; asked twice, it says goodbye at once. Chooses no adapter.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import structlog

from api.settings import Settings, SettingsError, is_loopback
from api.switchboard import Switchboard

DRAIN_WITHIN: Final = 60.0  # seconds for the calls that go on; whoever runs us should wait a little longer before killing
GOODBYE_WITHIN: Final = 5.0  # seconds from hanging up to the books being closed

log = structlog.get_logger()


class CannotServe(SettingsError):
    """The server cannot be started as asked; the message says what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything slow is started. Raises `CannotServe`."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise CannotServe(_why_not(host, port, error)) from error


def _why_not(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of {host} is taken: stop what listens there, or choose another with --port"
        case errno.EACCES:
            return f"port {port} may not be opened by this user: choose one above 1023 with --port"
        case _:
            return f"cannot listen on {host}:{port}: {error.strerror or error}"


def refuse_workers(workers: int) -> None:
    """A call lives in the process that dialled it, and live events do not travel between processes yet."""
    if workers != 1:
        raise CannotServe(f"--workers {workers}: this version serves from one process; leave --workers out")


def reachable_at(settings: Settings, host: str, port: int) -> Settings:
    """The settings with a public URL that fits: on this machine alone, without one given, it is where we listen."""
    if "public_url" in settings.model_fields_set or not is_loopback(host):
        return settings
    return settings.model_copy(update={"public_url": f"http://{f'[{host}]' if ':' in host else host}:{port}"})


def introduction(settings: Settings, host: str, port: int) -> str:
    """What people are told when the server is ready, in a line or two."""
    shown = f"[{host}]" if ":" in host else host
    first = f"offhook is ready at http://{shown}:{port}"
    if not settings.has_carrier:
        return (
            f"{first}\nno carrier is configured, so nothing is dialled or answered: "
            "set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM"
        )
    if not settings.twilio_from:
        return f"{first}\nTWILIO_FROM is empty, so the gate clears no call: set it to a number of the account"
    return f"{first}, reached by the carrier at {settings.public_url}"


class Stopping:
    """Somebody's wish that this process end: `asked` once, and `at_once` when asked again."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.at_once = asyncio.Event()
        self.is_open = False  # set when the house stands: from then on there may be calls to be let end

    def ask(self) -> None:
        (self.at_once if self.asked.is_set() else self.asked).set()

    @contextmanager
    def heeding_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for each in signals:
            loop.add_signal_handler(each, self.ask)
        try:
            yield
        finally:
            for each in signals:
                loop.remove_signal_handler(each)


async def drain(switchboard: Switchboard, stopping: Stopping, within: float = DRAIN_WITHIN) -> None:
    """Let the conversations come to their end, the rest to none; then see that every call's end is written."""
    switchboard.is_draining = True
    log.info("draining", live=len(switchboard.live), within=within)
    await switchboard.give_up_unanswered()
    quiet = asyncio.create_task(switchboard.quiet())
    hurry = asyncio.create_task(stopping.at_once.wait())
    await asyncio.wait((quiet, hurry), timeout=within, return_when=asyncio.FIRST_COMPLETED)
    hurry.cancel()
    await switchboard.close()
    with suppress(TimeoutError):
        await asyncio.wait_for(quiet, GOODBYE_WITHIN)
    log.info("drained", live=len(switchboard.live))
