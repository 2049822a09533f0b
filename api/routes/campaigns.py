"""Campaigns and their contacts: made, filled from CSV, started and stopped, and explained."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Query, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from api.errors import BadRequest
from api.parts import Campaigns, Contacts
from api.resources import CampaignView, ContactView, Explanation, ImportReport, NewBudget, NewCampaign, Page
from api.routes.fields import After, Id, Limit, OfCampaign, allowed, found

LARGEST_IMPORT: Final = 32 * 1024 * 1024  # bytes: some 300,000 rows; more goes in several pieces
_CSV_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": "number,name\n+12025550123,Ann Lee\n"},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


class CampaignOrder(StrEnum):
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


People: TypeAlias = Annotated[str, Query(max_length=60, description="a list of people, e.g. crm")]


def router(campaigns: Campaigns) -> APIRouter:
    routes = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])

    @routes.post("", status_code=201)
    async def create_campaign(campaign: NewCampaign) -> CampaignView:
        return allowed(await campaigns.create(campaign))

    @routes.get("")
    async def list_campaigns() -> list[CampaignView]:
        """Campaigns with their progress, the newest first."""
        return await campaigns.list()

    @routes.get("/{campaign_id}")
    async def get_campaign(campaign_id: Id) -> CampaignView:
        return found(await campaigns.get(campaign_id), "no_such_campaign")

    @routes.post("/{campaign_id}/contacts", openapi_extra=_CSV_BODY)
    async def import_contacts(campaign_id: Id, request: Request, people: People = "") -> ImportReport:
        """Add contacts from CSV. Bad rows are named by line and reason; the good ones are kept. `people` names the list
        whose numbering the column `person_id` follows; without it ids are this campaign's own."""
        return found(await campaigns.import_contacts(campaign_id, await _csv(request), people), "no_such_campaign")

    @routes.get("/{campaign_id}/explain")
    async def explain_contact(
        campaign_id: Id, contact: Annotated[str, Query(min_length=1, max_length=120, description="an id or a number")]
    ) -> Explanation:
        """Why this contact is, or is not, being dialled: every rule that spoke, and when next."""
        return found(await campaigns.explain(campaign_id, contact), "no_such_contact")

    @routes.post("/{campaign_id}/budget")
    async def set_budget(campaign_id: Id, budget: NewBudget) -> CampaignView:
        """What all its calls may cost together. Held because that was spent, it dials again once there is more."""
        return found(await campaigns.set_budget(campaign_id, budget.dollars), "no_such_campaign")

    @routes.post("/{campaign_id}/{order}")
    async def order_campaign(campaign_id: Id, order: CampaignOrder) -> CampaignView:
        """Start, pause, resume or stop."""
        return found(await campaigns.order(campaign_id, order.value), "no_such_campaign")

    return routes


def contacts_router(contacts: Contacts) -> APIRouter:
    routes = APIRouter(prefix="/v1/contacts", tags=["contacts"])

    @routes.get("")
    async def list_contacts(limit: Limit = 50, after: After = None, campaign: OfCampaign = None) -> Page[ContactView]:
        return await contacts.list(campaign=campaign, limit=limit, after=after)

    @routes.get("/{contact_id}")
    async def get_contact(contact_id: Id) -> ContactView:
        return found(await contacts.get(contact_id), "no_such_contact")

    return routes


async def _csv(request: Request) -> bytes:
    """The CSV, whichever of the two ways it was sent."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/csv", "text/plain", "application/octet-stream"):
        return await request.body()
    if kind != "multipart/form-data":
        raise HTTPException(415)
    async with request.form(max_files=1, max_fields=5, max_part_size=LARGEST_IMPORT) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise BadRequest("no_file", "Send the CSV as the form field `file`.")
        return await file.read()
