"""Seeded storms: random calls with rude callers, slow parts and lost, doubled and late events, and what must hold in all.

`storm(seed)` builds one call, runs it in virtual time and returns the laws it broke. A seed that breaks one prints a
timeline that can be pasted into a test. Tens of thousands run in a minute: no audio, no sockets, no clock.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from benchmarks.simulate import Call, Delays, Utterance, World
from voice.actions import Action, AgentSaid, Hangup, Message, Note, Play, RunTool, Speak, StopReply, Transfer
from voice.agent import AgentDefinition, Manners, Voicemail, VoicemailAction
from voice.conversation import Conversation
from voice.events import (
    SAMPLE_RATE,
    CallId,
    Direction,
    Event,
    HangupRequested,
    KeyPressed,
    MarkReturned,
    Party,
    PartyDetected,
    ReplyId,
    Samples,
    SpeechArrived,
    SupervisorSays,
    ToneHeard,
    ToolCalled,
    ToolFinished,
    Transcribed,
    TransferRequested,
    VoiceEvidence,
    Whispered,
    Word,
)

AGENT: Final = AgentDefinition(
    name="storm",
    seller="Acme",
    persona="Ava",
    goal="to be tested",
    opening="Hello, this is Ava, an assistant of Acme. Do you have a minute?",
    goodbye="Thank you and goodbye.",
    transfer_to="+16145550199",
    voicemail=Voicemail(VoicemailAction.LEAVE_MESSAGE, "Please call us back when you can."),
    manners=Manners(silence_after=4.0, longest_call=45.0),
)
SAYINGS: Final = (
    "yes", "no", "uh-huh", "mhm", "okay", "well I think so", "what does it cost", "hold on a second please", "",
    "who is this", "stop calling me", "take me off your list", "a person please", "and then my", "friday at three",
    "please leave a message after the tone", "hang on I'll get her", "state your name and why you are calling",
    "no hablo inglés", "your call is important to us", "no he passed away",
)  # fmt: skip
SENTENCES: Final = ("I see.", "That is good to know, thank you.", "Could you tell me a little more about that?", "Fine!")
TOOLS: Final = (
    Call("save_answer", '{"question":"q","value":"v"}'), Call("remember", '{"fact":"f"}'), Call("end_call"),
    Call("transfer"), Call("opt_out"), Call("book_appointment", '{"when":"Friday"}'), Call("fly"), Call("remember", "{"),
)  # fmt: skip
STOP_TIME: Final = 0.5  # seconds a caller may hold the floor before we are quiet

SLIP: Final = 0.022  # seconds (a frame) that may be lost or repeated where our voice is lowered or raised
GREETS: Final = 2.0  # seconds after the end of the callee's greeting
AGAIN: Final = 2.0  # seconds that may be repeated after a wrong stop


@dataclass(frozen=True, slots=True)
class Broken:
    """A law that did not hold."""

    law: str
    detail: str


def build(seed: int) -> World:
    """The call of this seed."""
    rng = random.Random(seed)
    is_fair = rng.random() < 0.5  # half of the storms have no transport faults: there the strict laws hold
    direction = rng.choice((Direction.OUTBOUND, Direction.OUTBOUND, Direction.INBOUND))
    fillers = rng.choice(((), ("Let me see.", "One moment.")))
    agent = replace(AGENT, manners=replace(AGENT.manners, fillers=fillers, hello_within=rng.choice((0.0, 0.0, 1.2))))
    world = World(
        Conversation(CallId(f"storm-{seed}"), agent, direction, agent.opening),
        utterances=list(_utterances(rng)),
        mind=_mind(rng),
        delays=Delays(
            mind=rng.choice((0.1, 0.5, 2.0, 12.0)),
            mouth=rng.choice((0.02, 0.2, 1.0)),
            final=rng.choice((0.03, 0.1, 0.3, 0.9)),
            tool=rng.choice((0.05, 0.5, 7.0)),
            mark=rng.choice((0.0, 0.02, 0.15)),
            order=rng.choice((0.0, 0.0, 0.04, 0.12)),
            gone=rng.choice((0.02, 1.0, 60.0)),
        ),
        hangs_up_at=rng.uniform(0.0, 40.0) if rng.random() < 0.3 else None,
        tool_succeeds=lambda order: rng.random() < 0.8,
    )
    if not is_fair:
        world.mangle = _mangle(rng)
        world.is_faulty = True
        world.voice_fault = lambda order: rng.choice(("mute", "endless", "backwards")) if rng.random() < 0.02 else ""
    for event in _interjections(rng):
        world.at(rng.uniform(0.0, 40.0), event)
    _breaks(world, rng)
    return world


def broken_laws(world: World) -> Iterator[Broken]:
    """Look at a finished call and name what must never happen."""
    yield from _always_ends(world)
    yield from _effects_once(world)
    yield from _superseded_is_silent(world)
    yield from _memory_is_heard(world)
    yield from _gives_way(world)
    yield from _drafts_are_harmless(world)
    yield from _nothing_lost_or_repeated(world)
    yield from _greets_in_time(world)
    yield from _never_bridges_twice_alike(world)


def storm(seed: int) -> list[Broken]:
    """Run one call; an exception of ours is a broken law too."""
    world = build(seed)
    try:
        world.run(until=300.0)
    except Exception as error:  # the storm is what finds it, and it goes on to the next seed
        return [Broken("never fails", f"{type(error).__name__}: {error}")]
    return list(broken_laws(world))


def timeline(seed: int) -> Iterator[str]:
    """The call of a seed, event by event, for people."""
    world = build(seed).run(until=300.0)
    for instant, event, actions in world.log:
        if actions or not isinstance(event, VoiceEvidence):
            yield f"{instant:8.3f}  {event}"
            yield from (f"{instant:8.3f}      -> {action}" for action in actions)


# --- the laws ---------------------------------------------------------------------------------------------------------


def _always_ends(world: World) -> Iterator[Broken]:
    if not world.conversation.ended:
        yield Broken("always ends", f"still {world.conversation.phase} at {world.now:.1f} s")


def _effects_once(world: World) -> Iterator[Broken]:
    keys = Counter(action.key for _, action in world.done if isinstance(action, RunTool))
    for key, count in keys.items():
        if count > 1:
            yield Broken("every effect at most once", f"{key} {count} times")
    hangups = sum(isinstance(action, Hangup) for _, action in world.done)
    if hangups > 1:
        yield Broken("every effect at most once", f"{hangups} hang-ups")
    refused = sum(isinstance(event, ToolFinished) and not event.ok for _, event, _ in world.log)
    if sum(isinstance(action, Transfer) for _, action in world.done) > 1 + refused:
        yield Broken("every effect at most once", "transferred twice")


def _superseded_is_silent(world: World) -> Iterator[Broken]:
    """A reply that was stopped is not heard any more, gives the mouth nothing more to say, and runs no tool."""
    stopped: set[ReplyId] = set()
    for instant, event, actions in world.log:
        for action in actions:
            if (done := _done_for(action, event)) in stopped:
                yield Broken("a superseded reply does nothing", f"reply {done} at {instant:.3f} s: {action}")
            if isinstance(action, StopReply):
                stopped.add(action.reply)


def _done_for(action: Action, event: Event) -> ReplyId | None:
    """The reply that this order carries on, if it carries on one."""
    match action:
        case Play(marks=((_, name), *_)):
            return ReplyId(int(name.partition("/")[0]))
        case Speak(reply):
            return reply
        case RunTool() | Transfer() if isinstance(event, ToolCalled):
            return event.reply
    return None


def _memory_is_heard(world: World) -> Iterator[Broken]:
    """What the memory says was heard was played, in order; without transport faults it lacks at most the last word."""
    truth = [sound.word for sound in world.played if sound.end <= world.now + 1e-6]
    memory = [word for said in world.conversation.messages if isinstance(said, AgentSaid) for word in said.text.split()]
    position = 0
    for word in memory:
        while position < len(truth) and truth[position] != word:
            position += 1
        if position == len(truth):
            yield Broken("memory equals heard", f"{word!r} was remembered and never heard: {memory} / {truth}")
            return
        position += 1


def _gives_way(world: World) -> Iterator[Broken]:
    """Somebody who talks over an unprotected reply for longer than the stop time is not talked over any more."""
    protected = {action.reply for _, action in world.done if isinstance(action, Speak) and action.is_protected}
    for said in world.utterances:
        limit = said.start + STOP_TIME
        if said.length < STOP_TIME + 0.2 or limit > world.now or _is_quiet_before(world, said):
            continue
        talked_over = [
            sound
            for sound in world.played
            if sound.reply not in protected and sound.start < said.start - 0.35 and sound.end > limit + 0.35
        ]
        if talked_over:
            yield Broken("gives way", f"still speaking {talked_over[0]} at {limit:.2f} s over {said}")


def _drafts_are_harmless(world: World) -> Iterator[Broken]:
    """A reply that was prepared and thrown away has never been heard, and its tools have never run."""
    orders = [action for _, action in world.done]
    dropped = {
        action.reply
        for action, after in pairwise(orders)
        if isinstance(action, StopReply) and isinstance(after, Note) and after.text.startswith("a prepared reply is dropped")
    }
    heard = {sound.reply for sound in world.played}
    ran = {ReplyId(int(tool.call.split("-")[0])) for tool in orders if isinstance(tool, RunTool) and tool.call[0].isdigit()}
    for reply in dropped & (heard | ran):
        yield Broken("drafts are harmless", f"reply {reply} was dropped, and yet heard or acted upon")


def _nothing_lost_or_repeated(world: World) -> Iterator[Broken]:
    """Audio that is sent again begins where the ear was; after a wrong stop at most a clause earlier."""
    if world.is_faulty:
        return  # where receipts are lost, so may be a word
    heard = [stretch for stretch in world.stretches if stretch.last > stretch.first]
    for before, after in pairwise(heard):
        if not before.is_cut or before.reply != after.reply:
            continue
        lost, most = (after.first - before.last) / SAMPLE_RATE, AGAIN if after.is_taken_up else SLIP
        if not -most <= lost <= SLIP:
            yield Broken("nothing is lost or repeated", f"{lost:+.3f} s between {before} and {after}")


def _greets_in_time(world: World) -> Iterator[Broken]:
    """47 CFR 64.1200(a)(7)(ii): we speak within two seconds of the end of the callee's greeting, unless we have left. The
    voice is made ahead."""
    opened = min((instant for instant, action in world.done if isinstance(action, Speak | Hangup)), default=world.now)
    ends = [said.start + said.length for said in world.utterances if said.start < opened]
    if world.conversation.party in (Party.MACHINE, Party.FAX):
        return  # a machine is answered after its beep
    if world.broken[0] < opened and world.broken != (0.0, 0.0):
        return  # there was nobody to greet
    is_speaking = any(said.start < opened <= said.start + said.length for said in world.utterances)
    if not is_speaking and opened - max([0.0, *ends]) > GREETS:
        yield Broken("greets in time", f"at {opened:.2f} s, {opened - max([0.0, *ends]):.2f} s after the greeting")


def _never_bridges_twice_alike(world: World) -> Iterator[Broken]:
    said = [
        after.text
        for (_, action), (_, after) in pairwise(world.done)
        if isinstance(action, Note) and action.text.startswith("the reply is late") and isinstance(after, Speak)
    ]
    if len(said) > len(set(said)):
        yield Broken("never bridges twice alike", f"{said}")


def _is_quiet_before(world: World, said: Utterance) -> bool:
    """Whether the caller was quiet long enough before for this to be a run of voice of its own."""
    return any(other.start < said.start <= other.start + other.length + 0.4 for other in world.utterances if other != said)


# --- the weather ------------------------------------------------------------------------------------------------------


def _utterances(rng: random.Random) -> Iterator[Utterance]:
    instant = rng.uniform(0.0, 4.0)
    for _ in range(rng.randrange(12)):
        text = rng.choice(SAYINGS)
        length = max(0.1, len(text.split()) * rng.uniform(0.2, 0.4)) if text else rng.uniform(0.03, 1.5)
        yield Utterance(instant, length, text, rng.choice((-20.0, -20.0, -25.0)))
        instant += length + rng.choice((0.1, 0.3, 0.6, 1.5, 4.0, 9.0))


def _mind(rng: random.Random) -> Callable[[Sequence[Message]], Sequence[str | Call]]:
    def reply(messages: Sequence[Message]) -> Sequence[str | Call]:
        if rng.random() < 0.03:
            return ("!",)
        words = [rng.choice(SENTENCES) + " " for _ in range(rng.randrange(4))]
        tools = [rng.choice(TOOLS)] if rng.random() < 0.35 else []
        return (*words, *tools)

    return reply


def _mangle(rng: random.Random) -> Callable[[float, Event], Sequence[tuple[float, Event]]]:
    def mangle(instant: float, event: Event) -> Sequence[tuple[float, Event]]:
        fate = rng.random()
        if fate < 0.03 and not isinstance(event, SpeechArrived):
            return ()
        if fate < 0.08:
            return (
                ((instant, event), (instant + rng.uniform(0, 2), event))
                if not isinstance(event, SpeechArrived)
                else ((instant, event),)
            )
        if fate < 0.15 and isinstance(event, MarkReturned):
            return ((instant + rng.uniform(0, 3), event),)
        return ((instant, event),)

    return mangle


def _interjections(rng: random.Random) -> Iterator[Event]:
    if rng.random() < 0.1:
        yield KeyPressed(rng.choice("019#"))
    if rng.random() < 0.1:
        yield PartyDetected(rng.choice(tuple(Party)), "carrier")
    if rng.random() < 0.05:
        yield ToneHeard(Samples(0), 1000.0, 0.4)
    if rng.random() < 0.05:
        yield HangupRequested("supervisor")
    for odd in (
        Transcribed("thank you", is_final=True),
        Transcribed("I said yes", is_final=True, words=(Word("yes", 2.0, 2.2), Word("I", 1.0, 1.1))),
        MarkReturned("7/123456/7"),
        MarkReturned("another call's mark"),
        VoiceEvidence(Samples(1), 0.9, -20.0),
    ):
        if rng.random() < 0.1:
            yield odd
    for order in (SupervisorSays("One moment please. I will ask."), Whispered("be kind"), TransferRequested("+16145550199")):
        if rng.random() < 0.1:
            yield order


def _breaks(world: World, rng: random.Random) -> None:
    """Now and then the media link breaks, and mostly another is opened; what the caller says meanwhile is lost."""
    if rng.random() >= 0.08:
        return
    world.is_faulty = True
    world.breaks(rng.uniform(0.0, 30.0), rng.choice((0.3, 1.0, 3.0, 60.0)))
