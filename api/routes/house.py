"""Whether the server lives, whether it can take a call, what it has counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Response

from api.metrics import CONTENT_TYPE, Metrics
from api.parts import Readiness
from api.resources import Alive, Check, Health

READY_WITHIN: Final = 5.0  # seconds: a part that does not answer in that time is not ready


def open_router(readiness: Readiness | None, standing: Callable[[], Alive] | None = None) -> APIRouter:
    """Open to everybody: says yes or no, and of what is wrong only the part's name."""
    routes = APIRouter(tags=["house"])

    @routes.get("/healthz")
    async def healthz() -> Alive:
        """The process answers. Beside that: the age of each do-not-call list, the versions of rules and time-zone data."""
        return standing() if standing is not None else Alive()

    @routes.get("/readyz", responses={503: {"model": Health}})
    async def readyz(response: Response) -> Health:
        """Every part a call needs works now; 503 with the names of those that do not."""
        checks = await _checks(readiness)
        is_ready = all(check.ok for check in checks)
        response.status_code = 200 if is_ready else 503
        return Health(ok=is_ready, checks=[Check(part=check.part, ok=check.ok) for check in checks])

    return routes


def metrics_router(metrics: Metrics) -> APIRouter:
    routes = APIRouter(tags=["house"])

    @routes.get("/metrics", response_class=Response)
    async def scrape() -> Response:
        """Prometheus text."""
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    return routes


async def _checks(readiness: Readiness | None) -> list[Check]:
    if readiness is None:
        return []
    try:
        async with asyncio.timeout(READY_WITHIN):
            return await readiness.checks()
    except TimeoutError:
        return [Check(part="readiness", ok=False, detail="no answer in time")]
