"""Signed requests from the network to the engine: for instructions, and to report. The faults asked for happen here.

Time limits and the single retry of a failed connection: twilio.com/docs/usage/webhooks/webhooks-connection-overrides.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx
import structlog

from telephony.simulator.faults import Faults
from telephony.simulator.ledger import CallLedger
from telephony.twilio import signature

log = structlog.get_logger()

CONNECT_TIMEOUT: Final = 5.0
TOTAL_TIMEOUT: Final = 15.0
USER_AGENT: Final = "TwilioProxy/1.1"
_CONTENT: Final = ("text/xml", "application/xml", "text/html", "text/plain")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a request for instructions brought: a document, or Twilio's error code."""

    document: str = ""
    error: int | None = None


class Webhooks:
    """The network's one HTTP client."""

    def __init__(self, auth_token: str) -> None:
        self._token = auth_token
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        # trust_env=False: the engine is on this machine or nearby, never behind the user's proxy.
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(TOTAL_TIMEOUT, connect=CONNECT_TIMEOUT),
            limits=limits,
            headers={"User-Agent": USER_AGENT},
            trust_env=False,
        )

    async def instructions(self, url: str, form: dict[str, str]) -> Fetched:
        """Ask for TwiML. 11200 on an HTTP error, 11205 when nobody answers, 12300 for what is not a document."""
        try:
            answer = await self._post(url, form)
        except httpx.HTTPError as error:
            log.warning("simulator_webhook_failed", reason=type(error).__name__)
            return Fetched(error=11205)
        if answer.status_code >= 400:
            return Fetched(error=11200)
        if not answer.headers.get("content-type", "").startswith(_CONTENT):
            return Fetched(error=12300)
        return Fetched(answer.text)

    async def report(self, url: str, form: dict[str, str]) -> int | None:
        """Deliver a callback; the HTTP status it was answered with, None if nobody answered."""
        try:
            return (await self._post(url, form)).status_code
        except httpx.HTTPError:
            return None

    async def report_and_forget(self, url: str, form: dict[str, str]) -> None:
        await self.report(url, form)

    async def _post(self, url: str, form: dict[str, str]) -> httpx.Response:
        headers = {signature.HEADER: signature.sign_as_twilio(url, form, self._token)}
        try:
            return await self._client.post(url, data=form, headers=headers)
        except httpx.ConnectError:
            # Only a failed connection is tried again (rc=1, rp=ct): nothing has been said yet.
            return await self._client.post(url, data=form, headers=headers)

    async def close(self) -> None:
        await self._client.aclose()


class StatusReports:
    """The status callbacks of one call, sent in order by one task, or in whatever disorder was asked for."""

    def __init__(self, webhooks: Webhooks, ledger: CallLedger, faults: Faults) -> None:
        self._webhooks = webhooks
        self._ledger = ledger
        self._faults = faults
        self._queue: asyncio.Queue[dict[str, str] | None] = asyncio.Queue()
        self._held: dict[str, str] | None = None
        self.sent: list[tuple[str, int | None]] = []
        self._task = asyncio.create_task(self._deliver(), name=f"status {ledger.sid}")

    def report(self, event: str) -> None:
        form = self._ledger.status_form(event, datetime.now(UTC))
        if form is None or event in self._faults.lost:
            return
        for _ in range(2 if self._faults.doubled else 1):
            self._order(form)

    def _order(self, form: dict[str, str]) -> None:
        if not self._faults.shuffled:
            self._queue.put_nowait(form)
        elif self._held is None:
            self._held = form
        else:
            self._queue.put_nowait(form)
            self._queue.put_nowait(self._held)
            self._held = None

    async def finish(self) -> None:
        """Send what is left."""
        if self._held is not None:
            self._queue.put_nowait(self._held)
            self._held = None
        self._queue.put_nowait(None)
        await self._task

    def abort(self) -> None:
        self._task.cancel()

    async def _deliver(self) -> None:
        while (form := await self._queue.get()) is not None:
            if self._faults.late:
                await asyncio.sleep(self._faults.late)
            status = await self._webhooks.report(self._ledger.wanted.url, form)
            self.sent.append((form["CallStatus"], status))
            if status is None or status >= 400:
                self._ledger.note(f"15003: status callback answered {status}")
