from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from api.parts import Hand

DOCS = Path(__file__).parents[3] / "docs" / "api.md"


def test_every_route_is_documented_and_no_other(house: Any, serve: Any) -> None:
    house.live.hands = frozenset(Hand)
    paths = serve(house.parts()).get("/openapi.json").json()["paths"]
    real = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    documented = set(re.findall(r"^\| `(GET|POST) (/[^`]*)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    assert documented == real
