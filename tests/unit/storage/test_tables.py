from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects import sqlite

from storage.tables import UtcDateTime, load_tables

SQLITE = sqlite.dialect()


def test_every_module_of_the_folder_is_loaded_whatever_the_order() -> None:
    assert {"campaigns", "contacts", "attempts", "carrier_events", "events"} <= set(load_tables().tables)
    assert load_tables() is load_tables()


def test_instants_are_kept_as_utc_and_naive_ones_refused() -> None:
    kind = UtcDateTime()
    at = datetime(2026, 11, 20, 9, tzinfo=timezone(timedelta(hours=-6)))
    kept = kind.process_bind_param(at, SQLITE)
    assert kept is not None
    assert kept.utcoffset() == timedelta(0)
    assert kind.process_result_value(kept.replace(tzinfo=None), SQLITE) == at
    assert kind.process_result_value(at, SQLITE).tzinfo is UTC  # type: ignore[union-attr]
    assert kind.process_bind_param(None, SQLITE) is None
    assert kind.process_result_value(None, SQLITE) is None
    with pytest.raises(ValueError, match="zone"):
        kind.process_bind_param(datetime(2026, 11, 20), SQLITE)  # noqa: DTZ001
