"""Puts the routes together over whatever parts there are. Chooses no adapter, opens nothing: `api/compose.py` does."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

from api import errors
from api.auth import Doorkeeper
from api.limits import Gatehouse
from api.parts import Parts
from api.routes import calls, campaigns, compliance, console, house, knowledge, live, media, webhooks

DESCRIPTION = "A real-time voice calling engine. Errors are problem documents (RFC 9457) with a stable `code`."


def create_app(parts: Parts) -> FastAPI:
    """The server's ASGI app. A part that is None has no routes, and `/openapi.json` does not list any."""
    app = FastAPI(
        title="offhook",
        description=DESCRIPTION,
        version=installed_version(),
        lifespan=parts.lifespan,
        docs_url=None,  # the framework's pages load their scripts from elsewhere
        redoc_url=None,
        openapi_url=None,  # ours asks for a token
        redirect_slashes=False,  # a redirected webhook carries a signature for another URL
    )
    doorkeeper = Doorkeeper.of(parts.settings)

    errors.install(app)
    app.include_router(house.open_router(parts.readiness, parts.standing))
    for routes in [*_guarded(parts, app), *_self_guarded(parts, doorkeeper)]:
        app.include_router(routes)
    app.add_middleware(Gatehouse, metrics=parts.metrics, doorkeeper=doorkeeper)
    return app


def installed_version() -> str:
    try:
        return version("offhook")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0"


def _guarded(parts: Parts, app: FastAPI) -> list[APIRouter]:
    """What needs a token: `api.limits.is_guarded` knows these by their paths."""
    routes = [
        calls.router(parts.calls, parts.placer, parts.live),
        house.metrics_router(parts.metrics),
        _openapi_router(app),
    ]
    if parts.campaigns is not None:
        routes.append(campaigns.router(parts.campaigns))
    if parts.contacts is not None:
        routes.append(campaigns.contacts_router(parts.contacts))
    if parts.consents is not None:
        routes.append(compliance.consents_router(parts.consents))
    if parts.dnc is not None:
        routes.append(compliance.dnc_router(parts.dnc))
    if parts.knowledge is not None:
        routes.append(knowledge.router(parts.knowledge))
    if parts.agents is not None:
        routes.append(knowledge.agents_router(parts.agents))
    return routes


def _self_guarded(parts: Parts, doorkeeper: Doorkeeper) -> list[APIRouter]:
    """What knows its own people: the carrier by its signature, browsers by their cookie."""
    routes = [console.router(doorkeeper, parts.metrics)]
    if parts.carrier is not None:
        routes.append(webhooks.router(parts.carrier, parts.settings, parts.metrics))
    if parts.media is not None:
        routes.append(media.router(parts.media, parts.settings, parts.metrics))
    if parts.feed is not None:
        routes.append(live.router(parts.feed, parts.live, parts.campaigns, parts.metrics))
    return routes


def _openapi_router(app: FastAPI) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/openapi.json")
    async def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    return routes
