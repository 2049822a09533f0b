import msgspec
from sqlalchemy import select

from context import store
from context.calls import Appointment, Effect, SavedAnswer
from context.learning.learn import learn, learn_the_rest
from context.person import delete_files, erase_person, export_person
from context.transcript import Speaker, Turn
from storage.tables import metadata

PERSON = "+13125550142"
OTHER = "+19995550100"


async def _talk(database, write_call, call, at, call_id, **rest):
    await write_call(call(call_id, **rest), recording_path=f"{call_id}.wav", journal_path=f"{call_id}.log")
    async with database.transaction() as connection:
        await store.write_turns(connection, call_id, [Turn(Speaker.CALLER, "my secret", 0, 1)])
        await store.save_answer(connection, call_id, SavedAnswer("owner", "secret yes", "secret", at(0.5)))
        note = Effect(f"{call_id}/1", call_id, "remember", '{"fact":"secret dog"}', at(0.6), ok=True, result="secret")
        await store.record_effect(connection, note)
        person = str(rest.get("person", PERSON))
        await store.book_appointment(connection, call_id, person, Appointment(f"{call_id}/2", "secret noon", "", at(0.7)))


async def test_an_export_holds_everything_and_is_portable(database, base, call, write_call, at):
    await _talk(database, write_call, call, at, "call-1")
    await _talk(database, write_call, call, at, "call-2", person=OTHER, to_number=OTHER)
    await learn("call-1", database, base, at(2))
    async with database.reading() as connection:
        export = await export_person(connection, PERSON)
    data = msgspec.json.decode(export.as_json())
    assert data["number"] == PERSON
    assert [record["call"]["id"] for record in data["calls"]] == ["call-1"]
    assert data["calls"][0]["turns"][0]["text"] == "my secret"
    assert len(data["facts"]) == 3
    assert OTHER not in export.as_json().decode()


async def test_erasing_leaves_no_word_of_the_person_anywhere(database, base, call, write_call, at):
    await _talk(database, write_call, call, at, "call-1")
    await _talk(database, write_call, call, at, "call-2", direction="inbound", from_number=PERSON, to_number="+13125550100")
    for call_id in ("call-1", "call-2"):
        await learn(call_id, database, base, at(2))
    async with database.transaction() as connection:
        erased = await erase_person(connection, PERSON, at(5))
    await base.forget(PERSON)
    assert (erased.calls, erased.facts) == (2, 3)  # the second call said nothing new
    assert sorted(erased.files) == ["call-1.log", "call-1.wav", "call-2.log", "call-2.wav"]
    async with database.reading() as connection:
        rows = [str(row) for table in metadata.sorted_tables for row in await connection.execute(select(table))]
        assert not [row for row in rows if "secret" in row or PERSON in row]
        assert len(await store.list_calls(connection)) == 2
        assert (await export_person(connection, PERSON)).calls == ()
    assert await base.for_person(PERSON) == ()
    assert await learn_the_rest(database, base, at(9)) == 0


async def test_the_others_keep_theirs(database, base, call, write_call, at):
    await _talk(database, write_call, call, at, "call-1")
    await _talk(database, write_call, call, at, "call-2", person=OTHER, to_number=OTHER)
    await learn("call-2", database, base, at(2))
    async with database.transaction() as connection:
        await erase_person(connection, PERSON, at(5))
    await base.forget(PERSON)
    async with database.reading() as connection:
        assert len(await store.transcript(connection, "call-2")) == 1
        # A tool that is asked for again must not run again: its key outlives the erasure.
        assert [effect.key for effect in await store.effects_of(connection, "call-1")] == ["call-1/1"]
    assert len(await base.for_person(OTHER)) == 3


def test_files_are_deleted_inside_the_home_and_nowhere_else(tmp_path):
    home, outside = tmp_path / "home", tmp_path / "precious"
    home.mkdir()
    outside.write_text("keep")
    (home / "a.wav").write_text("x")
    (home / "link.wav").symlink_to(outside)
    gone = delete_files(["a.wav", str(home / "never.wav"), "../precious", str(outside), "link.wav"], home)
    assert outside.exists()
    assert not (home / "a.wav").exists()
    assert {path.name for path in gone} == {"a.wav", "never.wav"}
