"""The pure parts of the stand-ins: delays, faults, tokens, and what a hum says."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from benchmarks.vendors.faults import Fault, Faults, Kind
from benchmarks.vendors.mind import Chat, PlaybookMind, pieces, tokens
from benchmarks.vendors.mouth import CHARACTER, Hum, alignment
from benchmarks.vendors.presets import INSTANT, PRESETS, PUBLISHED, Delay
from voice.agent import AgentDefinition
from voice.events import Word
from voice.ports import SpokenAudio
from voice.providers.prompting import standing_orders
from voice.providers.scripted import ScriptedMind as ScriptedModel


def test_a_delay_has_the_published_median_and_tail_and_the_same_seed_gives_the_same() -> None:
    delay = PUBLISHED.delay("anthropic.ttft")
    drawn = sorted(delay.draw(random.Random(seed)) for seed in range(4000))
    assert drawn[2000] == pytest.approx(delay.p50, rel=0.05)
    assert drawn[3800] == pytest.approx(delay.p95, rel=0.08)
    assert delay.draw(random.Random(7)) == delay.draw(random.Random(7))


def test_presets_name_their_sources_and_the_instant_one_has_no_delays() -> None:
    assert set(PRESETS) == {"published", "instant"}
    assert all(delay.source not in ("", "assumed") for delay in PUBLISHED.delays.values())
    assert INSTANT.delay("anthropic.ttft").draw(random.Random(1)) == 0.0
    assert INSTANT.slower("x", Delay(1, 1)).delay("x").draw(random.Random(1)) == 1.0
    with pytest.raises(ValueError, match="p50"):
        Delay(2, 1)


def test_a_fault_strikes_its_path_as_often_as_it_may_with_its_chance() -> None:
    faults = Faults(random.Random(1))
    faults.inject(Fault(Kind.STALL, path="/v1/messages", times=1))
    assert faults.strike("/v1/models") is None
    assert faults.strike("/v1/messages") is not None
    assert faults.strike("/v1/messages") is None
    faults.inject(Fault(Kind.SLOW, chance=0.05))
    struck = sum(faults.strike("x") is not None for _ in range(2000))
    assert 60 < struck < 140
    assert not faults.has("live")
    faults.lift()
    assert faults.strike("x") is None


def test_text_is_cut_into_tokens_and_nothing_is_lost() -> None:
    text = "  One two,\nthree.  "
    assert "".join(pieces(text)) == text
    assert (tokens(""), tokens("abcde")) == (0, 2)


async def test_a_hums_times_are_exact() -> None:
    said = [piece async for piece in Hum().speak("ab c")]
    assert [len(piece.audio) / 8000 for piece in said] == pytest.approx([3 * CHARACTER, 2 * CHARACTER])
    assert alignment(said[0]) == {
        "chars": ["a", "b", " "],
        "charStartTimesMs": [0, 60, 120],
        "charDurationsMs": [60, 60, 60],
    }


def test_characters_fill_a_piece_and_a_word_may_go_on_in_the_next() -> None:
    def of(*words: Word) -> list[tuple[object, object, object]]:
        found = alignment(SpokenAudio(bytes(800), words))
        return list(zip(found["chars"], found["charStartTimesMs"], found["charDurationsMs"], strict=True))

    assert of(Word("ab", 0.02, 0.06), Word("cd", 0.08, 0.16)) == [("a", 20, 20), ("b", 40, 20), (" ", 60, 20), ("c", 80, 20)]
    assert of(Word("cd", -0.02, 0.06)) == [("d", 20, 40), (" ", 60, 40)]
    assert of() == [(" ", 0, 100)]


async def test_the_playbooks_mind_knows_whose_call_it_is_although_blanks_were_filled() -> None:
    model = ScriptedModel(["Fine."] * 2)
    ann, bob = (AgentDefinition("a", "Acme", name, "goal", "", "Call {callback_number}.") for name in ("Ann", "Bob"))
    mind = PlaybookMind(model, (ann, bob))
    for agent in (bob, ann):
        system = standing_orders(replace(agent, goodbye="Call 8 0 0."))
        assert [part async for part in mind.answer(Chat("m", system, ()))]
        assert model.prompts[-1].agent is agent
