"""The shell of a call: everything the core orders is carried out, everything that happens reaches the core, and it ends."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from telephony.leg import KeyReceived, LegStopped
from voice.agent import AgentDefinition, Manners
from voice.errors import ProviderUnavailable
from voice.events import HangupRequested, Transcribed
from voice.policy import Policy
from voice.ports import SpokenAudio, TextDelta, ToolRequest
from voice.replay import replay
from voice.report import Ending
from voice.session import MOST_LINKS


async def test_a_whole_call(make_rig):
    bye = (TextDelta("Thank you, bye."), ToolRequest("t1", "end_call", "{}"))
    rig = await make_rig(["yes please"], [bye])
    rig.start()
    await rig.notes.until("agent", "Hello?")
    rig.caller_says()
    report = await rig.report()
    assert report.ending is Ending.COMPLETED
    assert [line.text for line in report.transcript] == ["Hello?", "yes please", "Thank you, bye."]
    assert rig.mind.prompts[0].messages[-1].text == "yes please"
    assert len(rig.leg.sent) == len(rig.leg.marks) * 2400  # four words of 0.3 s, a mark behind each
    assert rig.ears.is_closed
    assert rig.mouth.is_closed


async def test_the_journal_of_a_real_session_replays(make_rig):
    rig = await make_rig(["stop calling me"])
    rig.start()
    await rig.notes.until("agent", "Hello?")
    rig.caller_says()
    assert (await rig.report()).ending is Ending.OPTED_OUT
    result = replay(rig.journal)
    assert result.events > 50
    assert result.differences == ()


async def test_a_call_that_is_over_is_freed_without_the_collector(make_rig):
    rig = await make_rig()
    rig.start()
    rig.leg.push(LegStopped("hangup"))
    await rig.report()
    session = weakref.ref(rig.session)
    gc.disable()
    try:
        del rig
        await asyncio.sleep(0)
        assert session() is None
    finally:
        gc.enable()


async def test_an_opt_out_runs_its_tool_before_the_end(make_rig):
    rig = await make_rig(["take me off your list"])
    rig.start()
    await rig.notes.until("agent", "Hello?")
    rig.caller_says()
    await rig.report()
    assert [(name, key) for name, _, key in rig.tools.runs] == [("opt_out", "ca_1:opt_out")]


async def test_the_last_words_of_a_caller_who_hangs_up_count(make_rig):
    rig = await make_rig(["stop calling me"])
    rig.start()
    await rig.notes.until("agent", "Hello?")
    rig.leg.caller(b"\x00" * 256, 10)
    rig.leg.push(LegStopped("hangup"))
    report = await rig.report()
    assert report.ending is Ending.OPTED_OUT
    assert [name for name, _, _ in rig.tools.runs] == ["opt_out"]


async def test_a_transfer_leaves_the_leg_to_the_carrier(make_rig):
    rig = await make_rig(["a person please"], [(ToolRequest("t1", "transfer", "{}"),)])
    rig.start()
    await rig.notes.until("agent", "Hello?")
    rig.caller_says()
    report = await rig.report()
    assert rig.control.transfers == ["+16145550199"]
    assert (report.ending, report.transferred_to) == (Ending.TRANSFERRED, "+16145550199")


async def test_a_refused_transfer_is_spoken_about(make_rig):
    bye = (TextDelta("Sorry, nobody is there. Bye."), ToolRequest("t2", "end_call", "{}"))
    rig = await make_rig(["a person please"], [(ToolRequest("t1", "transfer", "{}"),), bye])
    rig.control.refusal = "busy"
    rig.start()
    await rig.notes.until("agent", "Hello?")
    rig.caller_says()
    report = await rig.report()
    assert report.ending is Ending.COMPLETED
    assert report.transferred_to == ""


async def test_a_mind_that_fails_is_apologised_for(make_rig):
    rig = await make_rig(["yes please"], [ProviderUnavailable("mind", "stalled")])
    rig.start()
    await rig.notes.until("agent", "Hello?")
    rig.caller_says()
    report = await rig.report()
    assert (report.ending, report.detail) == (Ending.TROUBLE, "stalled")


async def test_ears_that_fail_are_apologised_for(make_rig):
    rig = await make_rig()
    rig.start()
    await rig.notes.until("agent", "Hello?")
    rig.ears.fail(ProviderUnavailable("ears", "dropped"))
    assert (await rig.report()).detail == "dropped"


async def test_a_voice_that_fails_ends_the_call(make_rig):
    rig = await make_rig(failures={"Hello?": ProviderUnavailable("mouth", "dropped")})
    rig.start()
    assert (await rig.report()).ending is Ending.TROUBLE


async def test_a_fault_of_ours_ends_this_call_only(make_rig, monkeypatch):
    rig = await make_rig()

    class Broken:
        def __init__(self, whole):
            self.whole = whole

        def __getattr__(self, name):
            return getattr(self.whole, name)

        def handle(self, event, now):
            raise AssertionError("a rule of ours does not hold")

    monkeypatch.setattr(rig.session, "conversation", Broken(rig.session.conversation))
    rig.start()
    report = await rig.report()
    assert (report.ending, report.detail) == (Ending.TROUBLE, "internal error")
    assert rig.ears.is_closed


async def test_a_supervisor_hangs_up(make_rig):
    rig = await make_rig()
    rig.start()
    await rig.notes.until("agent", "Hello?")
    rig.session.hang_up("supervisor")
    report = await rig.report()
    assert (report.ending, report.detail) == (Ending.STOPPED, "supervisor")


async def test_a_barge_in_stops_mouth_and_mind(make_rig):
    gate = asyncio.Event()
    gate.set()
    long = " ".join(["word"] * 60) + "."
    bye = (TextDelta("Bye then."), ToolRequest("t1", "end_call", "{}"))
    rig = await make_rig(["yes please", "wait a moment"], [long, bye], gate=gate)
    rig.start()
    await rig.notes.until("agent", "Hello?")
    rig.caller_says()
    await rig.leg.until_marks(4)
    rig.caller_says(20)
    report = await rig.report()
    assert rig.leg.cleared == 2  # for a lower voice, and then for good
    cut = next(line for line in report.transcript if line.is_cut)
    assert 0 < len(cut.text.split()) < 60
    assert report.transcript[-1].text == "Bye then."


async def test_keys_reach_the_core(make_rig):
    rig = await make_rig()
    rig.start()
    await rig.notes.until("agent", "Hello?")
    rig.leg.push(KeyReceived("9"))
    assert (await rig.report()).ending is Ending.OPTED_OUT


async def test_events_after_the_end_are_nothing(make_rig):
    rig = await make_rig()
    rig.start()
    await rig.notes.until("agent", "Hello?")
    rig.session.hang_up("done")
    await rig.report()
    rig.session.post(HangupRequested("again"))
    rig.session.post(Transcribed("late", is_final=True))


@pytest.mark.parametrize("windows", [0, 200])
async def test_a_leg_that_ends_at_once_or_later_leaves_nothing_running(make_rig, windows):
    rig = await make_rig()
    rig.start()
    rig.leg.caller(b"\xff" * 256, windows)
    rig.leg.push(LegStopped("dropped"))
    assert (await rig.report()).ending is Ending.CALLER_LEFT
    assert len(asyncio.all_tasks()) == 1


async def test_a_late_voice_is_bridged_with_words_that_are_ready(make_rig):
    gate = asyncio.Event()
    gate.set()
    bye = (TextDelta("It is free."), ToolRequest("t1", "end_call", "{}"))
    ready = {"One moment.": (SpokenAudio(b"\x55" * 4000),)}
    manners = Manners(acknowledgements=(), fillers=("One moment.",))
    agent = AgentDefinition("test", "Acme", "Ava", "to test", "Hello?", "Bye.", manners=manners)
    rig = await make_rig(
        ["what is it?"], [bye], gate=gate, agent=agent, ready=ready, policy=Policy(mind_takes=1.0, mouth_takes=1.0)
    )
    rig.start()
    await rig.notes.until("agent", "Hello?")
    gate.clear()
    rig.caller_says()
    await rig.notes.until("agent", "One moment.")
    assert b"\x55" * 800 in rig.leg.sent
    gate.set()
    report = await rig.report()
    assert [line.text for line in report.transcript] == ["Hello?", "what is it?", "One moment. It is free."]
    assert rig.mouth.spoken == ["Hello?", "It is free."]
    assert replay(rig.journal).differences == ()


LAW = AgentDefinition("test", "Acme", "Ava", "to test", "This is Ava from Acme. This call is recorded.", "Bye.")


@pytest.mark.parametrize("is_noticed", [True, False])
async def test_a_broken_link_is_replaced_and_the_law_said_again(make_rig, is_noticed):
    """The carrier may know before us that the link is broken, and open another while ours seems to stand."""
    bye = (TextDelta("Thanks."), ToolRequest("t1", "end_call", "{}"))
    rig = await make_rig(["yes"], [bye], agent=LAW, may_rejoin=True)
    rig.leg.is_deaf = True  # nothing is known to be heard
    rig.start()
    await rig.leg.until_marks(2)
    if is_noticed:
        rig.leg.push(LegStopped("dropped"))
        await rig.notes.until("decision", "the media link broke (dropped)")
    assert rig.session.may_rejoin
    second = type(rig.leg)()
    talking = asyncio.create_task(rig.session.rejoin(second))
    await rig.notes.until("decision", "a media link again")
    await second.until_marks(9)
    rig.leg = second
    rig.caller_says()
    report = await rig.report()
    await talking
    assert [line.text for line in report.transcript] == [LAW.opening, "yes", "Thanks."]
    assert report.oddities["broken media links"] == 1
    assert report.unheard == ""
    assert not rig.session.may_rejoin
    assert replay(rig.journal).differences == ()
    assert len(asyncio.all_tasks()) == 1


async def test_a_link_that_does_not_come_back_ends_with_the_carriers_word(make_rig):
    rig = await make_rig(agent=LAW, may_rejoin=True)
    rig.leg.is_deaf = True
    rig.start()
    rig.session.leg_gone("hangup")  # nothing is broken yet: the link itself will tell
    await rig.leg.until_marks(2)
    rig.leg.push(LegStopped("violation"))
    await rig.notes.until("decision", "the media link broke (violation)")
    rig.session.leg_gone("hangup")
    report = await rig.report()
    assert (report.detail, report.unheard) == ("hangup", LAW.opening)


async def test_a_line_that_breaks_again_and_again_is_given_up(make_rig):
    rig = await make_rig(agent=LAW, may_rejoin=True)
    rig.leg.is_deaf = True
    rig.start()
    await rig.leg.until_marks(1)
    links = [rig.leg, *(type(rig.leg)() for _ in range(MOST_LINKS - 1))]
    tasks = []
    for link in links[1:]:
        link.is_deaf = True
        tasks.append(asyncio.create_task(rig.session.rejoin(link)))
        await link.until_marks(1)
    assert not rig.session.may_rejoin
    links[-1].push(LegStopped("dropped"))
    assert (await rig.report()).detail == "dropped"
    await asyncio.gather(*tasks)
