"""A database, a home folder with a national list, and calls to propose."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from api import cli
from api.settings import get_settings
from compliance.consent import Given
from compliance.dnc_load import LoadOrder, load
from compliance.record import CallerId, Consent, ConsentKind, Errand, Purpose, VoiceKind
from compliance.store import ComplianceStore, ProposedCall
from storage.database import Database

# Where there is a PostgreSQL for tests (its database is emptied for each), everything here is tried on it as well.
POSTGRES = os.environ.get("OFFHOOK_TEST_POSTGRES", "")
KINDS = ["sqlite", "postgres"] if POSTGRES else ["sqlite"]
NOON = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)  # a Tuesday, noon in Ohio
ANN = "+16145550123"
LISTED = "+16145550199"


@pytest.fixture(params=KINDS)
async def url(request, tmp_path) -> str:
    """An empty database's."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/offhook.db"
    server = Database(POSTGRES)
    async with server.transaction() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await server.close()
    return POSTGRES


@pytest.fixture
async def database(url):
    database = Database(url)
    await database.create_all()
    yield database
    await database.close()


@pytest.fixture
def home(tmp_path) -> Path:
    home = tmp_path / "home"
    national = tmp_path / "national.txt"
    national.write_text("6145550199\n")
    order = LoadOrder("national", national, date(2026, 7, 10), "tests", NOON)
    load(home, order)
    return home


@pytest.fixture
def store(home) -> ComplianceStore:
    return ComplianceStore.open(home)


@pytest.fixture
def errand() -> Errand:
    shown = CallerId("+16145550100", is_shown=True, is_authorised=True)
    return Errand("acme", Purpose.TELEMARKETING, VoiceKind.ARTIFICIAL, "solar", "c1", shown)


@pytest.fixture
def proposed(errand) -> ProposedCall:
    return ProposedCall(ANN, errand, attempt="a1", contact="k1", person="ann")


@pytest.fixture
def given() -> Given:
    consent = Consent(
        id="g1",
        kind=ConsentKind.WRITTEN,
        number=ANN,
        sellers=frozenset({"acme"}),
        obtained_at=datetime(2026, 6, 1, 15, tzinfo=UTC),
        wording="I agree that Acme may call me with an AI-generated voice. Agreeing is no condition of buying.",
        is_signed=True,
        names_artificial_voice=True,
        says_not_a_condition=True,
    )
    return Given("g1", consent, "ann")


@pytest.fixture
def another(proposed):
    """The same errand for another attempt or number."""

    def make(attempt: str, number: str = ANN, **changes):
        return replace(proposed, attempt=attempt, number=number, **changes)

    return make


@pytest.fixture
def offhook(tmp_path, monkeypatch, capsys):
    """Type a command; its exit status and all it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OFFHOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TWILIO_FROM", "+16145550100")
    monkeypatch.delenv("OFFHOOK_DATABASE_URL", raising=False)
    get_settings.cache_clear()

    def run(*arguments: str) -> tuple[int, str]:
        status = cli.run(list(arguments))
        said = capsys.readouterr()
        return status, said.out + said.err

    yield run
    get_settings.cache_clear()
