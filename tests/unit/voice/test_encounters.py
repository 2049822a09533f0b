"""What else may be at the other end: its evidence, and what is done about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.simulate import Utterance, World
from voice.actions import AgentSaid, Hangup, Happened, Note, Transfer
from voice.agent import (
    AgentDefinition,
    AnotherPersonAction,
    EncounterPolicy,
    HoldAction,
    LanguageAction,
    ScreenerAction,
)
from voice.conversation import Conversation
from voice.encounters import Encounters, Sight
from voice.events import CallId, Direction, Party, Samples, ToneHeard, Transcribed, VoiceEvidence
from voice.report import Ending

AGENT = AgentDefinition(
    "test", "Acme", "Ava", "ask", "Hello, this is Ava. Do you own your home?", "Goodbye.", transfer_to="+16145550199"
)
SAYS = "This is Ava of Acme."
SCREENED = replace(AGENT, encounters=EncounterPolicy(screener_says=SAYS, wait_for=20.0))


# --- the evidence -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("Go ahead and say your name, and why you're calling.", Sight.SCREENER),
        ("Hi. If you record your name and reason for calling, I'll see if this person is available.", Sight.SCREENER),
        ("Please state your name and why you are calling", Sight.SCREENER),
        ("who's calling and why", Sight.SCREENER),
        ("Your call is important to us, please stay on the line.", Sight.HOLD),
        ("all of our agents are busy", Sight.HOLD),
        ("hang on I'll get her", Sight.ANOTHER_PERSON),
        ("one moment, let me get my wife", Sight.ANOTHER_PERSON),
        ("I'm handing the phone over to him", Sight.ANOTHER_PERSON),
        ("passing you over to my husband", Sight.ANOTHER_PERSON),
        ("let me get my glasses", None),
        ("no hablo inglés", Sight.LANGUAGE),
        ("hola quién habla", Sight.LANGUAGE),
        ("parlez-vous français", Sight.LANGUAGE),
        ("ich bin nicht da", Sight.LANGUAGE),
        ("hello who is this", None),
        ("la la la la", Sight.LANGUAGE),
        ("no", None),
        ("I have two dogs", None),
    ],
)
def test_words_tell_who_speaks(words: str, what: Sight | None):
    sighting = Encounters(AGENT).words(words, 3.0)
    assert (sighting.what if sighting else None) is what


def test_nobody_screens_late_or_twice():
    encounters = Encounters(AGENT)
    assert encounters.words("state your name and why you are calling", 40.0) is None
    assert encounters.words("state your name and why you are calling", 4.0)
    assert encounters.words("state your name and why you are calling", 5.0) is None


def test_a_recogniser_that_tells_languages_is_believed():
    assert Encounters(AGENT).words("yes", 3.0, "es-419")
    assert Encounters(replace(AGENT, language="es-US")).words("hola quién habla", 3.0, "es") is None
    assert Encounters(replace(AGENT, language="es-US")).words("hola quién habla", 3.0) is None


def tone(frequency: float, duration: float, at: float = 1.0) -> ToneHeard:
    return ToneHeard(Samples(int(at * 8000)), frequency, duration)


def test_a_fax_answers_with_one_tone_and_calls_with_two():
    assert Encounters(AGENT).tone(tone(2100.0, 2.6))
    encounters = Encounters(AGENT)
    assert encounters.tone(tone(1100.0, 0.5, at=1.0)) is None
    assert encounters.tone(tone(1100.0, 0.5, at=4.5))
    assert encounters.tone(tone(1100.0, 0.5, at=8.0)) is None


def test_a_beep_is_no_fax():
    encounters = Encounters(AGENT)
    assert encounters.tone(tone(1000.0, 0.5)) is None
    assert encounters.tone(tone(2100.0, 0.4)) is None
    assert encounters.tone(tone(1100.0, 0.5, at=1.0)) is None
    assert encounters.tone(tone(1100.0, 0.5, at=2.0)) is None


def hears(encounters: Encounters, seconds: float, level: float, swing: float = 0.0, speech: float = 0.1) -> None:
    for number in range(int(seconds / 0.032)):
        wave = level + swing * ((number % 20) / 10 - 1)
        encounters.sound(VoiceEvidence(Samples(256 * (number + 1)), speech, wave))


def test_music_is_sound_that_nobody_speaks_and_that_changes():
    encounters = Encounters(AGENT)
    hears(encounters, 5.0, -25.0, 6.0)
    assert not encounters.is_music
    hears(encounters, 5.0, -25.0, 6.0)
    assert encounters.is_music
    assert encounters.music().what is Sight.HOLD
    for level, swing, speech in ((-25.0, 1.0, 0.1), (-25.0, 6.0, 0.9), (-60.0, 6.0, 0.1)):
        hears(encounters, 20.0, level, swing, speech)
        assert not encounters.is_music


# --- what is done about it --------------------------------------------------------------------------------------------


def call(agent: AgentDefinition, *utterances: Utterance, direction: Direction = Direction.OUTBOUND) -> World:
    return World(
        Conversation(CallId("CA1"), agent, direction, agent.opening),
        utterances=utterances,
        mind=lambda messages: ("Well then.",),
    )


def spoken(world: World) -> list[str]:
    return [message.text for message in world.conversation.messages if isinstance(message, AgentSaid)]


SCREENER = Utterance(3.4, 2.5, "please state your name and why you are calling")


def test_a_screener_is_told_who_calls_and_the_person_gets_the_whole_opening():
    world = call(SCREENED, SCREENER, Utterance(12.0, 0.5, "hello")).run(until=18.0)
    assert spoken(world) == [AGENT.opening, SAYS, AGENT.opening]
    assert world.conversation.report().encounters == ("screener: please state your name and why you are calling",)
    assert [note.text for _, note in world.orders(Note) if isinstance(note, Note) and note.kind == "party"] == ["screener"]


def test_a_screener_that_speaks_over_the_opening_is_heard_too():
    world = call(SCREENED)
    world.at(2.5, Transcribed(SCREENER.text, is_final=True))
    world.run(until=6.0)
    assert SAYS in spoken(world)


def test_nobody_behind_a_screener_is_waited_for_so_long():
    report = call(SCREENED, SCREENER).run().conversation.report()
    assert (report.ending, report.detail) == (Ending.AWAY, "nobody came back")
    assert 25.0 < report.duration < 30.0


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (EncounterPolicy(screener=ScreenerAction.HANG_UP), SCREENER.text),
        (EncounterPolicy(hold=HoldAction.HANG_UP), "your call is important to us"),
    ],
)
def test_they_may_be_hung_up_on(policy: EncounterPolicy, words: str):
    world = call(replace(AGENT, encounters=policy), Utterance(3.4, 2.5, words)).run()
    assert world.conversation.report().ending is Ending.AWAY
    assert world.orders(Hangup)


def test_a_queue_is_waited_in_without_a_word():
    world = call(
        SCREENED, Utterance(3.4, 2.0, "your call is important to us"), Utterance(14.0, 2.0, "thank you for holding"),
        Utterance(22.0, 0.6, "front desk hello"),
    ).run(until=26.0)  # fmt: skip
    assert spoken(world)[1:] == ["Well then."]
    assert Happened("somebody is at the telephone again") in world.conversation.messages


def test_music_instead_of_an_answer_is_waited_out():
    world = call(SCREENED)
    world.sounds = (3.0, 90.0)
    report = world.run().conversation.report()
    assert spoken(world)[1:] == [AGENT.manners.still_there]
    assert (report.ending, report.encounters) == (Ending.AWAY, ("hold: music",))


def test_another_person_is_introduced_to():
    world = call(AGENT, Utterance(3.4, 1.5, "hang on I'll get her"), Utterance(12.0, 0.5, "hello")).run(until=18.0)
    assert spoken(world)[1:] == [AGENT.manners.holding, AGENT.opening]
    agent = replace(AGENT, encounters=EncounterPolicy(another_person=AnotherPersonAction.GO_ON))
    world = call(agent, Utterance(3.4, 1.5, "hang on I'll get her"), Utterance(12.0, 0.5, "hello")).run(until=18.0)
    assert spoken(world)[1:] == [AGENT.manners.holding, "Well then."]


def test_somebody_who_goes_while_we_introduce_ourselves_hears_it_again():
    world = call(AGENT, Utterance(12.0, 0.5, "hello"))
    world.at(2.0, Transcribed("hang on I'll get her", is_final=True))
    world.run(until=18.0)
    assert spoken(world)[-2:] == [AGENT.manners.holding, AGENT.opening]


def test_another_language_is_answered_once_and_then_ends_the_call():
    foreign = Utterance(3.4, 1.0, "no hablo inglés")
    world = call(AGENT, foreign, Utterance(9.0, 1.0, "hola quién habla")).run()
    policy = AGENT.encounters
    assert spoken(world)[1:] == [policy.language_says, policy.language_says]
    assert world.conversation.report().detail == "language"
    agent = replace(AGENT, encounters=EncounterPolicy(language=LanguageAction.HANG_UP))
    assert len(spoken(call(agent, foreign).run())) == 2
    agent = replace(AGENT, encounters=EncounterPolicy(language=LanguageAction.TRANSFER))
    assert call(agent, foreign).run().orders(Transfer)


def test_a_fax_is_left_alone():
    world = call(AGENT)
    world.at(2.0, tone(2100.0, 2.8, at=2.0))
    report = world.run().conversation.report()
    assert (report.ending, report.party) == (Ending.MACHINE, Party.FAX)
    assert "2100 Hz" in report.detail


def test_nothing_is_recognised_any_more_once_we_are_leaving():
    world = call(AGENT, Utterance(3.4, 1.0, "stop calling me"), Utterance(5.2, 1.0, "hang on I'll get her")).run()
    assert world.conversation.report().ending is Ending.OPTED_OUT
    assert spoken(world) == [AGENT.opening, AGENT.manners.opted_out]
