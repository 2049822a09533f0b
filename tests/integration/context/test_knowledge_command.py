import asyncio
import json

import pytest
from typer.testing import CliRunner

from api.commands import knowledge
from api.settings import get_settings
from context.knowledge.qdrant_edge import QdrantEdgeIndex
from storage.database import Database

PERSON = "+13125550142"


@pytest.fixture
def offhook(tmp_path, monkeypatch):
    """Run `offhook knowledge ...` on a home of its own, without the sentence encoder."""

    async def no_encoder():
        return None

    monkeypatch.setenv("OFFHOOK_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(knowledge, "open_embedder", no_encoder)
    monkeypatch.setattr(Database, "migrate", Database.create_all)
    get_settings.cache_clear()
    yield lambda *arguments, **rest: CliRunner().invoke(knowledge.app, list(arguments), **rest)
    get_settings.cache_clear()


def test_what_is_added_is_found_and_can_be_taken_back(offhook):
    told = offhook("add", "The roof leaks.", "--number", "312 555 0142", "--key", "roof", "--value", "leaks")
    assert (told.exit_code, told.stdout) == (0, "1 new, 0 superseded\n")
    assert offhook("add", "The roof is new.", "--number", PERSON, "--key", "roof", "--value", "new").exit_code == 0
    found = offhook("search", "roof", "--number", PERSON)
    assert "The roof is new." in found.stdout
    assert "leaks" not in found.stdout
    assert PERSON not in found.stdout  # masked
    assert "by words only" in found.stderr
    assert "Nothing was found." in offhook("search", "roof").stdout
    lines = offhook("history", "--number", PERSON).stdout.splitlines()
    assert [line.split()[3] for line in lines] == ["put", "withdraw", "put"]
    assert offhook("rollback", "1").stdout == "1 restored, 1 withdrawn\n"
    assert "leaks" in offhook("search", "roof", "--number", PERSON).stdout


def test_machines_get_json(offhook):
    added = json.loads(offhook("add", "The inspection is free.", "--json").stdout)
    assert added == {"given": 1, "new": 1, "superseded": 0, "indexed": True}
    hits = json.loads(offhook("search", "inspection", "--json").stdout)["hits"]
    assert [hit["text"] for hit in hits] == ["The inspection is free."]
    (change,) = json.loads(offhook("history", "--json").stdout)
    assert change["kind"] == "put"
    undone = json.loads(offhook("rollback", "0", "--json").stdout)
    assert undone == {"to": 0, "restored": 0, "withdrawn": 1}


def test_a_file_is_a_fact_a_paragraph_with_progress_when_long(offhook, tmp_path):
    (tmp_path / "house.txt").write_text("\n\n".join(f"Paragraph number {number}." for number in range(200)))
    added = offhook("add", "--file", "house.txt", "--campaign", "autumn")
    assert "200 new" in added.stdout
    assert "64 of 200" in added.stderr
    assert "200 known already" in offhook("add", "--file", "house.txt", "--campaign", "autumn").stdout
    assert "1 new" in offhook("add", "--file", "-", input="From a pipe.").stdout


def test_an_empty_history_says_so(offhook):
    assert "no history" in offhook("history").stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["add", "x", "--file", "y"], "one of the two"),
        (["add", "--key", "a"], "one of the two"),
        (["add", "x", "--key", "a"], "go together"),
        (["add", " \n "], "no words"),
        (["add", "x", "--number", "not a number"], "--number"),
        (["add", "--file", "latin.txt"], "not UTF-8"),
        (["search", "x", "--limit", "0"], "--limit"),
    ],
)
def test_a_users_mistake_is_a_line_not_a_traceback(offhook, tmp_path, arguments, complaint):
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    outcome = offhook(*arguments)
    assert outcome.exit_code == 2
    assert complaint in outcome.stderr


def test_beside_a_server_that_has_the_index(offhook, tmp_path):
    async def meanwhile():
        index = await QdrantEdgeIndex.open(tmp_path / "knowledge")
        try:
            return await asyncio.to_thread(lambda: (offhook("add", "The roof leaks."), offhook("search", "roof")))
        finally:
            await index.close()

    added, found = asyncio.run(meanwhile())
    assert "The running server will index it." in added.stdout
    assert "The roof leaks." in found.stdout
    assert "a running server has the index" in found.stderr
