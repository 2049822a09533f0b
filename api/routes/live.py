"""Live events for consoles and other programs: a snapshot first, then everything as it happens."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

import msgspec
from fastapi import APIRouter, WebSocket
from pydantic import TypeAdapter

from api.live_events import CallStarted, CampaignProgress, LiveEvent, Missed, Snapshot, campaign_of, encode, shown
from api.metrics import Metrics
from api.parts import Campaigns, LiveCalls
from api.resources import CampaignView, LiveCallView
from api.sockets import StarletteTextSocket
from storage import hot
from storage.events import Recorded
from storage.hot import LiveFeed, Subscription

PROGRESS_EVERY: Final = 0.5  # seconds between two looks at the same campaigns
_calls = TypeAdapter(list[LiveCallView])
_campaigns = TypeAdapter(list[CampaignView])


def router(feed: LiveFeed, live: LiveCalls | None, campaigns: Campaigns | None, metrics: Metrics) -> APIRouter:
    routes = APIRouter()

    @routes.websocket("/v1/events")
    async def events(socket: WebSocket) -> None:
        await socket.accept()
        text = StarletteTextSocket(socket)
        metrics.reader_joined()
        try:
            await _Reader(text, live, campaigns, metrics).run(feed)
        finally:
            metrics.reader_left()
            await text.close()

    return routes


class _Reader:
    """One connection to the live events. What it says is not listened to; when it leaves, everything here ends."""

    def __init__(
        self, socket: StarletteTextSocket, live: LiveCalls | None, campaigns: Campaigns | None, metrics: Metrics
    ) -> None:
        self._socket = socket
        self._live = live
        self._campaigns = campaigns
        self._metrics = metrics
        self._changed: set[str] = set()  # campaigns whose progress is to be told
        self._change = asyncio.Event()

    async def run(self, feed: LiveFeed) -> None:
        known = await self._campaigns.list() if self._campaigns else []
        async with feed.subscribe() as subscription:
            # Nothing is awaited between the subscription and the picture: no event falls between them.
            self._socket.send(_snapshot(self._live, known))
            tasks = [asyncio.create_task(work) for work in (self._leave(), self._forward(subscription), self._report())]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
            for task in done:
                task.result()

    async def _leave(self) -> None:
        while await self._socket.receive() is not None:
            pass

    async def _forward(self, subscription: Subscription) -> None:
        async for recorded in subscription:
            event = self._seen(recorded)
            if event is not None:
                self._socket.send(encode(event))
                await self._socket.drain()

    def _seen(self, recorded: Recorded | hot.Missed) -> LiveEvent | None:
        if isinstance(recorded, hot.Missed):
            self._metrics.events_dropped(recorded.count)
            return Missed(at=datetime.now(UTC), count=recorded.count)
        campaign = campaign_of(recorded)
        if campaign:
            self._changed.add(campaign)
            self._change.set()
        event = shown(recorded)
        return self._named(event) if isinstance(event, CallStarted) else event

    def _named(self, event: CallStarted) -> CallStarted:
        """With the contact's name and the campaign, which the record of a start does not hold."""
        for call in self._live.snapshot() if self._live else []:
            if call.id == event.call:
                return msgspec.structs.replace(event, contact=call.contact_name, campaign=call.campaign_id or "")
        return event

    async def _report(self) -> None:
        """Tell how far the changed campaigns are, not more often than people can read."""
        while True:
            await self._change.wait()
            self._change.clear()
            changed, self._changed = self._changed, set()
            for campaign_id in sorted(changed):
                campaign = await self._campaigns.get(campaign_id) if self._campaigns else None
                if campaign is not None:
                    self._socket.send(encode(_progress(campaign)))
            await asyncio.sleep(PROGRESS_EVERY)


def _progress(campaign: CampaignView) -> CampaignProgress:
    return CampaignProgress(
        at=datetime.now(UTC),
        campaign=campaign.id,
        name=campaign.name,
        state=campaign.state,
        contacts=campaign.contacts,
        live=campaign.live,
        outcomes=campaign.outcomes,
        refusals=campaign.refusals,
        hold=campaign.hold,
        hold_why=campaign.hold_why,
    )


def _snapshot(live: LiveCalls | None, campaigns: list[CampaignView]) -> str:
    calls = live.snapshot() if live else []
    return encode(
        Snapshot(
            at=datetime.now(UTC),
            hands=tuple(sorted(live.hands)) if live else (),
            calls=msgspec.Raw(_calls.dump_json(calls)),
            campaigns=msgspec.Raw(_campaigns.dump_json(campaigns)),
        )
    )
