"""By names and addresses alone, as settings give them: a turn heard, thought about and spoken through three vendors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from benchmarks.vendors.anthropic import AnthropicStandIn
from benchmarks.vendors.deepgram import DeepgramStandIn
from benchmarks.vendors.elevenlabs import ElevenLabsStandIn
from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.mind import scripted
from benchmarks.vendors.openai import OpenAIStandIn
from context.briefing import Briefing
from voice.agent import AgentDefinition
from voice.errors import ProviderRejected
from voice.ports import Prompt, TextDelta
from voice.pricing.consumption import Account, Stage, bill_to
from voice.pricing.table import bill_for, published
from voice.providers.deepgram import DeepgramEars
from voice.providers.scripted import ScriptedEars, ScriptedMind, ScriptedMouth
from voice.providers.vendors import Access, Embedded, Fleet, fleet_of, make_ears, make_mind, make_mouth

EMBEDDED = Embedded(ScriptedEars(), ScriptedMind(), ScriptedMouth())
Audio = Callable[[float], bytes]


async def turn(
    fleet: Fleet, agent: AgentDefinition, briefing: Briefing, prompt: Prompt, caller: bytes
) -> tuple[str, str, int]:
    """What was heard, answered, and how many bytes were spoken."""
    async with asyncio.timeout(30):
        ears, mouth = await fleet.ears.open(agent, briefing), await fleet.mouth.open(agent)
        ears.hear(caller)
        ears.finish_utterance()
        heard = ""
        async for event in ears.events():
            if event.is_final:
                heard = event.text
                break
        said = "".join([output.text async for output in fleet.mind.reply(prompt) if isinstance(output, TextDelta)])
        spoken = sum([len(piece.audio) async for piece in mouth.speak(said)])
        await ears.close()
        await mouth.close()
    return heard, said, spoken


async def test_a_turn_by_settings_alone_with_its_bill(
    agent: AgentDefinition, briefing: Briefing, prompt: Prompt, speech: Audio, silence: Audio
) -> None:
    import datetime

    mind = scripted("Good morning.")
    async with (
        DeepgramStandIn(script=["hello"]) as ears,
        AnthropicStandIn(mind=mind) as claude,
        ElevenLabsStandIn() as mouth,
    ):
        settings = {name.lower(): value for part in (ears, claude, mouth) for name, value in part.settings().items()}
        fleet = fleet_of(["deepgram"], ["anthropic"], ["elevenlabs"], Access(**settings), EMBEDDED)
        with bill_to(Account()) as account:
            done = await turn(fleet, agent, briefing, prompt, speech(0.6) + silence(0.2))
        await fleet.close()
    assert done == ("hello", "Good morning.", 14 * 480)
    bill = bill_for(account, published(), datetime.date(2026, 11, 20))
    assert bill.unpriced == ()
    assert all(bill.stages[stage] > 0 for stage in Stage)


async def test_with_every_first_choice_down_the_second_ones_do_it(
    agent: AgentDefinition, briefing: Briefing, prompt: Prompt, speech: Audio, silence: Audio
) -> None:
    async with (
        DeepgramStandIn() as ears,
        AnthropicStandIn() as claude,
        ElevenLabsStandIn() as mouth,
        OpenAIStandIn(mind=scripted("Here I am.")) as local,
    ):
        for part in (ears, claude, mouth):
            part.faults.inject(Fault(Kind.AUTH))
        settings = {name.lower(): value for part in (ears, claude, mouth, local) for name, value in part.settings().items()}
        names = (["deepgram", "embedded"], ["anthropic", "openai:llama"], ["elevenlabs"])
        fleet = fleet_of(*names, Access(**settings), Embedded(ScriptedEars(["yes"]), ScriptedMind(), ScriptedMouth()))
        heard, said, spoken = await turn(fleet, agent, briefing, prompt, speech(0.6) + silence(0.2))
        assert (heard, said) == ("yes", "Here I am.")
        assert spoken > 0  # by the last resort
        assert not fleet.health.can_take_calls()
        await fleet.close()


def test_a_name_nobody_has_is_refused_with_the_names_there_are() -> None:
    for make in (make_ears, make_mind, make_mouth):
        with pytest.raises(ProviderRejected, match=r"unknown_provider: no such \w+; there are: "):
            make("nobody", Access())


def test_a_plugin_whose_framework_is_not_installed_says_what_to_install() -> None:
    with pytest.raises(ProviderRejected, match="pip install"):
        make_mind("livekit:no_such_plugin", Access())
    with pytest.raises(ProviderRejected, match="pip install"):
        make_mouth("pipecat:no_such_service", Access())
    with pytest.raises(ProviderRejected, match="pip install"):
        make_ears("pipecat:no_such_service", Access())


def test_ears_may_be_asked_for_a_language_and_for_nothing_else() -> None:
    ears = make_ears("deepgram:nova-3?language=multi", Access(deepgram_api_key="k"))
    assert isinstance(ears, DeepgramEars)
    assert (ears.settings.model, ears.settings.language) == ("nova-3", "multi")
    with pytest.raises(ProviderRejected, match="no option tier; there is: language"):
        make_ears("deepgram:nova-3?tier=best", Access())
