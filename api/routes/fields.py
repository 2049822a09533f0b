"""Path and query parameters that several routes share, with their bounds."""

from __future__ import annotations

from typing import Annotated, TypeAlias, TypeVar

from fastapi import Path, Query

from api.errors import NotFound, Unprocessable
from api.parts import Refused

Thing = TypeVar("Thing")

Id: TypeAlias = Annotated[str, Path(max_length=120, pattern=r"^[A-Za-z0-9_.:-]+$")]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=200, description="how many at most")]
After: TypeAlias = Annotated[
    str | None, Query(max_length=200, pattern=r"^[A-Za-z0-9_.:=-]+$", description="the `next` of the page before")
]
OfCampaign: TypeAlias = Annotated[str | None, Query(max_length=120, pattern=r"^[A-Za-z0-9_.:-]+$")]


def found(thing: Thing | Refused | None, code: str) -> Thing:
    """The thing itself; a problem if there is none, or a rule said no."""
    if thing is None:
        raise NotFound(code)
    return allowed(thing)


def allowed(thing: Thing | Refused) -> Thing:
    """The thing itself; a problem with every rule that spoke if it was refused."""
    if isinstance(thing, Refused):
        raise Unprocessable(thing.code, thing.detail, findings=thing.findings)
    return thing
