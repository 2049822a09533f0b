"""Consents and do-not-call lists."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Query

from api.parts import Consents, DoNotCall
from api.resources import (
    ConsentView,
    DncAddition,
    DncLookup,
    DncStatus,
    MessageHeard,
    NewConsent,
    RevokeConsent,
    WrittenMessage,
)
from api.routes.fields import allowed

NumberQuery: TypeAlias = Annotated[str, Query(pattern=r"^\+[1-9][0-9]{6,14}$", description="E.164; write the plus as %2B")]


def consents_router(consents: Consents) -> APIRouter:
    routes = APIRouter(prefix="/v1/consents", tags=["compliance"])

    @routes.get("")
    async def show_consents(number: NumberQuery) -> list[ConsentView]:
        """Every consent this number ever gave, revoked ones too."""
        return await consents.show(number)

    @routes.post("", status_code=201)
    async def record_consent(consent: NewConsent) -> ConsentView:
        return allowed(await consents.record(consent))

    @routes.post("/revoke")
    async def revoke_consent(revocation: RevokeConsent) -> list[ConsentView]:
        """Revoke, for one seller or for all; what stands afterwards."""
        return await consents.revoke(revocation)

    return routes


def dnc_router(lists: DoNotCall) -> APIRouter:
    routes = APIRouter(prefix="/v1/dnc", tags=["compliance"])

    @routes.get("")
    async def dnc_status() -> list[DncStatus]:
        """Every list: how many numbers, how old, which area codes it covers."""
        return await lists.status()

    @routes.get("/lookup")
    async def look_up(number: NumberQuery) -> DncLookup:
        return await lists.lookup(number)

    @routes.post("", status_code=201)
    async def add_to_internal_list(addition: DncAddition) -> DncLookup:
        """Put a number on the internal list: no campaign of ours calls it again."""
        return await lists.add(addition)

    @routes.post("/message")
    async def hear_message(message: WrittenMessage) -> MessageHeard:
        """Somebody wrote to us. If it asks to be left alone, in English or Spanish, the number goes on our list at once."""
        return await lists.hear(message)

    return routes
