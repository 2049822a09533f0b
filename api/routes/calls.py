"""Calls: past ones, live ones, one to place, and a supervisor's hand on those that go on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header

from api.errors import Conflict, NotFound
from api.parts import Calls, Hand, LiveCalls, Order, Placer, Refused
from api.resources import (
    CallView,
    Done,
    LiveCallView,
    NewCall,
    Page,
    SayOrder,
    TranscriptView,
    TransferOrder,
    WhisperOrder,
)
from api.routes.fields import After, Id, Limit, OfCampaign, allowed, found


def router(calls: Calls | None, placer: Placer | None, live: LiveCalls | None) -> APIRouter:
    routes = APIRouter(prefix="/v1/calls", tags=["calls"])
    if live is not None:
        _add_live(routes, live)
        _add_hands(routes, live)
    if placer is not None:
        _add_placing(routes, placer)
    if calls is not None:
        _add_past(routes, calls)
    return routes


def _add_past(routes: APIRouter, calls: Calls) -> None:
    @routes.get("")
    async def list_calls(limit: Limit = 50, after: After = None, campaign: OfCampaign = None) -> Page[CallView]:
        """Calls, the newest first."""
        return await calls.list(campaign=campaign, limit=limit, after=after)

    @routes.get("/{call_id}")
    async def get_call(call_id: Id) -> CallView:
        return found(await calls.get(call_id), "no_such_call")

    @routes.get("/{call_id}/transcript")
    async def get_transcript(call_id: Id) -> TranscriptView:
        """Who said what, with times in seconds from the answer."""
        return found(await calls.transcript(call_id), "no_such_call")


def _add_placing(routes: APIRouter, placer: Placer) -> None:
    @routes.post("", status_code=201)
    async def place_call(
        call: NewCall, idempotency_key: Annotated[str, Header(max_length=200, pattern=r"^[\x21-\x7e]*$")] = ""
    ) -> CallView:
        """Check one number and dial it. A refusal (422) names every rule that spoke; the same Idempotency-Key dials once."""
        return allowed(await placer.place(call, idempotency_key))


def _add_live(routes: APIRouter, live: LiveCalls) -> None:
    @routes.get("/live")
    async def list_live_calls() -> list[LiveCallView]:
        """The calls going on now, with what has been said so far."""
        return live.snapshot()


def _add_hands(routes: APIRouter, live: LiveCalls) -> None:
    """Only what a live call can really be told is listed."""

    async def done(call_id: str, order: Order) -> Done:
        match await live.order(call_id, order):
            case Refused() as refused:
                raise Conflict(refused.code, refused.detail)
            case False:
                raise NotFound("no_such_live_call", "There is no such call, or it is over.")
            case _:
                return Done()

    if Hand.HANGUP in live.hands:

        @routes.post("/{call_id}/hangup", status_code=202)
        async def hang_up(call_id: Id) -> Done:
            """End the call."""
            return await done(call_id, Order(Hand.HANGUP))

    if Hand.SAY in live.hands:

        @routes.post("/{call_id}/say", status_code=202)
        async def say(call_id: Id, order: SayOrder) -> Done:
            """Have the agent say this to the caller next."""
            return await done(call_id, Order(Hand.SAY, text=order.text))

    if Hand.WHISPER in live.hands:

        @routes.post("/{call_id}/whisper", status_code=202)
        async def whisper(call_id: Id, order: WhisperOrder) -> Done:
            """Tell the agent something the caller does not hear."""
            return await done(call_id, Order(Hand.WHISPER, text=order.text))

    if Hand.TRANSFER in live.hands:

        @routes.post("/{call_id}/transfer", status_code=202)
        async def transfer(call_id: Id, order: TransferOrder) -> Done:
            """Connect the caller to somebody else."""
            return await done(call_id, Order(Hand.TRANSFER, to=order.to, is_warm=order.mode == "warm"))

    if Hand.TAKEOVER in live.hands:

        @routes.post("/{call_id}/takeover", status_code=202)
        async def take_over(call_id: Id) -> Done:
            """The agent falls silent; a person speaks."""
            return await done(call_id, Order(Hand.TAKEOVER))
