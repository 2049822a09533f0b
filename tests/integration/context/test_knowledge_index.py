"""The contract of an index, held by every kind of it."""

from context.facts import LONGEST, Scope

MINE = Scope("+13125550142")


async def _texts(index, query, scope=MINE, limit=5):
    return [hit.fact.text for hit in await index.search(query, scope, limit)]


async def test_what_was_put_is_found_whole(index, told):
    fact = told(1, "The roof was replaced in 2019", key="roof", value="2019", source="call 7")
    await index.put([fact])
    (hit,) = await index.search("roof", MINE, 5)
    assert hit.fact == fact
    assert hit.score > 0
    assert await index.count() == 1


async def test_the_nearest_comes_first(index, told):
    await index.put([told(1, "Prefers tea in the morning"), told(2, "The roof leaks since the storm"), told(3, "Has a dog")])
    assert (await _texts(index, "storm damage to the roof"))[0] == "The roof leaks since the storm"
    assert len(await _texts(index, "the roof and the dog", limit=1)) == 1


async def test_nobody_sees_what_is_known_about_another(index, told):
    await index.put(
        [
            told(1, "roof of mine"),
            told(1, "roof of somebody else", number="+19995550100"),
            told(1, "roof in general", number=""),
            told(1, "roof in a campaign", number="", campaign_id="autumn"),
        ]
    )
    assert set(await _texts(index, "roof")) == {"roof of mine", "roof in general"}
    assert set(await _texts(index, "roof", Scope("+1777", "autumn"))) == {"roof in general", "roof in a campaign"}
    assert set(await _texts(index, "roof", Scope())) == {"roof in general"}


async def test_putting_twice_is_putting_once_and_removing_twice_is_no_error(index, told):
    fact = told(1, "roof")
    await index.put([fact, fact])
    await index.put([fact])
    assert await index.count() == 1
    await index.remove([fact.id])
    await index.remove([fact.id])
    await index.remove([])
    await index.put([])
    assert await index.count() == 0
    assert await _texts(index, "roof") == []


async def test_erasing_a_person_leaves_the_others(index, told):
    await index.put([told(1, "roof a"), told(2, "roof b"), told(1, "roof c", number="")])
    await index.erase("+13125550142")
    assert await _texts(index, "roof") == ["roof c"]
    await index.erase("+13125550142")


async def test_clearing_leaves_an_index_that_works(index, told):
    await index.put([told(1, "roof")])
    await index.clear()
    assert await index.count() == 0
    await index.put([told(1, "roof")])
    assert await _texts(index, "roof") == ["roof"]


async def test_odd_queries_find_nothing_and_raise_nothing(index, told):
    await index.put([told(1, "The roof was replaced")])
    for query in ("", "   ", "is it so", "\x00", "?!", "日本語"):
        assert await _texts(index, query) in ([], ["The roof was replaced"])
    assert await _texts(index, "roof " * 5000) == ["The roof was replaced"]


async def test_many_and_long_facts(index, told):
    await index.put([told(number, f"fact {number} " + "word " * 300) for number in range(300)])
    await index.put([told(1, "zebra " * LONGEST)])
    assert await index.count() == 301
    assert (await _texts(index, "zebra", limit=1))[0].startswith("zebra")


async def test_closing_twice_is_allowed(index):
    await index.close()
    await index.close()
