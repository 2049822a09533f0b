"""The playbook as a table of talk: what was said, what is answered, what is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context.briefing import Briefing
from voice.actions import AgentSaid, CallerSaid, Happened, Message, ToolUsed
from voice.agent import AgentDefinition, Question, Then, Voicemail
from voice.events import Direction
from voice.language.stock import each
from voice.language.wording import blanks, fill
from voice.providers.embedded.playbook import Playbook
from voice.providers.embedded.stand import Reply, encoded, share_heard, stronger
from voice.providers.embedded.understanding import Understanding


@dataclass
class Talk:
    """A call with this agent, turn by turn. Everything that is said is heard, unless `cut` after so many words."""

    agent: AgentDefinition
    briefing: Briefing
    direction: Direction = Direction.OUTBOUND
    messages: list[Message] = field(default_factory=list)
    last: Reply | None = None

    def opened(self) -> Talk:
        opening = self.agent.inbound_opening if self.direction is Direction.INBOUND else self.agent.opening
        self.messages.append(AgentSaid(fill(opening, blanks(self.agent, self.briefing))))
        return self

    def reply(self) -> Reply:
        return Playbook(self.agent, Understanding(self.agent), self.briefing, self.direction).reply(self.messages)

    def hears(self, what: str | Message | None, cut: int | None = None, ok: bool = True) -> str:
        """The reply to what the caller says (or what happens)."""
        if what is not None:
            self.messages.append(CallerSaid(what) if isinstance(what, str) else what)
        self.last = self.reply()
        for number, tool in enumerate(self.last.tools):
            self.messages.append(ToolUsed(f"t{len(self.messages)}-{number}", tool.name, encoded(tool), "done", ok))
        heard = " ".join(self.last.text.split()[:cut])
        if heard:
            self.messages.append(AgentSaid(heard, cut is not None))
        return self.last.text

    @property
    def tools(self) -> list[tuple[str, dict[str, str]]]:
        assert self.last is not None
        return [(tool.name, dict(tool.arguments)) for tool in self.last.tools]


@pytest.fixture
def talk(agent: AgentDefinition, briefing: Callable[..., Briefing]) -> Talk:
    return Talk(agent, briefing()).opened()


def test_a_whole_call(talk: Talk) -> None:
    assert talk.hears("sure") == "Do you own your home?"
    assert talk.hears("yes i own it") == "How much is your electric bill?"
    assert talk.tools == [("save_answer", {"question": "owner", "value": "yes", "words": "yes i own it"})]
    assert talk.hears("about one fifty") == "About 150 dollars. What kind of roof do you have?"
    assert talk.hears("is it expensive") == "The visit is free. What kind of roof do you have?"
    assert talk.tools == [("remember", {"fact": "Asked the price."})]
    assert talk.hears("clay tiles") == "When could we come by?"
    assert talk.hears("friday") == "What time on Friday would suit you?"
    assert talk.hears("at three thirty") == "Booked for Friday at 3:30 PM. Anything we should know?"
    assert talk.tools[1] == ("book_appointment", {"when": "Friday at 3:30 PM", "note": "at three thirty"})
    assert talk.hears("there is a gate") == "Thank you, goodbye!"
    assert [name for name, _ in talk.tools] == ["save_answer", "remember", "end_call"]


def test_two_things_in_one_breath(talk: Talk) -> None:
    talk.hears("okay")
    assert talk.hears("yes i own it but how much does it cost") == "The visit is free. How much is your electric bill?"
    assert [name for name, _ in talk.tools] == ["save_answer", "remember"]


def test_an_answer_given_early_is_not_asked_for(talk: Talk) -> None:
    talk.hears("sure")
    assert talk.hears("we own the house and i pay ninety dollars") == "About 90 dollars. What kind of roof do you have?"


def test_a_changed_mind_counts(talk: Talk) -> None:
    talk.hears("sure")
    talk.hears("yes")
    assert talk.hears("sorry no i rent").startswith("Then this is not for you.")
    assert talk.tools[-1] == ("end_call", {"outcome": "owner:no"})


def test_no_to_the_opening_ends_politely(talk: Talk) -> None:
    assert talk.hears("no") == "Another time, then. Goodbye."
    assert talk.tools == [("end_call", {"outcome": "refused"})]


def test_no_without_a_word_for_it_is_a_goodbye(agent: AgentDefinition, briefing: Callable[..., Briefing]) -> None:
    talk = Talk(replace(agent, objections=()), briefing()).opened()
    assert talk.hears("no") == "Thank you, goodbye!"


def test_an_objection_ends_the_call_with_its_own_words(talk: Talk) -> None:
    assert talk.hears("no i'm busy") == "Another time, then. Goodbye."
    assert talk.tools == [("end_call", {"outcome": "busy"})]


def test_an_objection_that_goes_on(talk: Talk) -> None:
    assert talk.hears("i sold the house") == "Good to know. Do you own your home?"


def test_a_question_that_was_not_heard_is_asked_again(talk: Talk) -> None:
    talk.hears("sure", cut=1)
    assert talk.hears("yes") == "Do you own your home?"
    assert talk.hears("yes", cut=2) == "How much is your electric bill?"
    assert talk.hears("hundred dollars") == "How much is your electric bill?"


def test_an_answer_to_a_question_half_heard_counts(talk: Talk) -> None:
    talk.hears("sure", cut=3)
    assert talk.hears("yes i own it") == "How much is your electric bill?"


def test_a_question_asked_again_stays_open_although_the_second_time_was_cut(talk: Talk) -> None:
    talk.hears("sure")
    talk.hears("is it expensive", cut=3)
    assert talk.hears("yes") == "How much is your electric bill?"


def test_not_understood_is_asked_in_other_words_then_given_up(talk: Talk) -> None:
    talk.hears("sure")
    assert talk.hears("") == "Sorry, I didn't catch that. Is the home yours? Please say yes or no."
    assert talk.hears("purple rain") == "That's all right, let's go on. How much is your electric bill?"
    assert talk.hears("yes i own it") == "How much is your electric bill?"


def test_say_that_again(talk: Talk) -> None:
    assert talk.hears("what did you say") == "This is Ava, an AI assistant calling for Acme Panels. Do you have a minute?"
    assert talk.hears("okay") == "Do you own your home?"
    assert talk.hears("could you repeat that") == "Is the home yours? Please say yes or no."
    assert talk.hears("hello") == "Do you own your home?"
    assert talk.hears("hold on") == "Of course, take your time."
    assert talk.hears("yes") == "How much is your electric bill?"


def test_it_says_what_it_is(talk: Talk) -> None:
    assert talk.hears("who is this") == "This is Ava, an AI assistant calling for Acme Panels. Do you own your home?"
    answer = talk.hears("are you a real person")
    assert answer.startswith("Yes, I'm an AI assistant, not a person.")


def test_the_wish_not_to_be_called_comes_first(talk: Talk) -> None:
    assert talk.hears("yes i own it but stop calling me") == "You are off our list. Goodbye."
    assert talk.tools == [
        ("opt_out", {"words": "yes i own it but stop calling me"}),
        ("end_call", {"outcome": "opted_out"}),
    ]


def test_the_stock_of_wishes_works_without_the_file(agent: AgentDefinition, briefing: Callable[..., Briefing]) -> None:
    bare = replace(agent, objections=(), transfer_to="")
    assert Talk(bare, briefing()).opened().hears("stop calling me") == bare.manners.opted_out
    assert Talk(bare, briefing()).opened().hears("you have the wrong number") == bare.manners.opted_out
    assert Talk(bare, briefing()).opened().hears("goodbye") == bare.goodbye
    refused = Talk(bare, briefing()).opened().hears("i want to talk to a person")
    assert refused == f"{bare.manners.no_transfer} Do you own your home?"
    talk = Talk(replace(bare, transfer_to="sip:desk@host"), briefing()).opened()
    assert talk.hears("i want to talk to a person") == bare.manners.transferring
    assert talk.tools == [("transfer", {"reason": "asked_for_a_person"})]


def test_key_nine_opts_out(talk: Talk) -> None:
    talk.hears(Happened("key:9"))
    assert [name for name, _ in talk.tools] == ["opt_out", "end_call"]
    assert Talk(talk.agent, talk.briefing).opened().hears(Happened("key:1")) == ""


def test_a_transfer_by_objection_and_by_answer(talk: Talk) -> None:
    assert talk.hears("can i talk to a person") == "I'll connect you."
    assert talk.tools == [("transfer", {"reason": "human"})]
    later = Talk(talk.agent, talk.briefing).opened()
    later.hears("sure")
    assert later.hears("ask my wife to choose") == "I will let you talk."


def test_a_transfer_that_failed_is_said(talk: Talk) -> None:
    talk.hears("can i talk to a person", ok=False)
    assert talk.hears(None) == f"{talk.agent.manners.no_transfer} Do you own your home?"
    assert talk.hears("yes") == "How much is your electric bill?"


def test_a_booking_that_failed_is_said(talk: Talk) -> None:
    talk.hears("sure")
    talk.hears("i own it and pay ninety dollars and the roof is metal")
    talk.hears("friday at three", ok=False)
    assert talk.hears(None) == f"{talk.agent.manners.not_booked} When could we come by?"
    assert talk.hears("monday at two").startswith("Booked for Monday at 2 PM.")


def test_a_failed_answer_is_nobodys_business(talk: Talk) -> None:
    talk.messages.append(CallerSaid("sure"))
    talk.messages.append(ToolUsed("x", "save_answer", "{}", "no", ok=False))
    talk.messages.append(AgentSaid("Do you own your home?"))
    assert talk.hears(None) == ""


def test_what_was_done_is_not_done_twice(talk: Talk) -> None:
    talk.hears("sure")
    talk.hears("yes", cut=0)
    assert talk.hears("yes") == "How much is your electric bill?"
    assert talk.tools == [("save_answer", {"question": "owner", "value": "yes", "words": "yes yes"})]
    talk.hears("is it expensive")
    talk.hears("is it expensive")
    assert talk.tools == []


def test_silence_is_asked_about_once(talk: Talk) -> None:
    assert talk.hears(Happened("silence")) == talk.agent.manners.still_there
    assert talk.hears(Happened("silence")).startswith(talk.agent.manners.silence_goodbye)
    assert talk.tools == [("end_call", {"outcome": "silence"})]


def test_being_there_is_no_answer(talk: Talk) -> None:
    talk.hears("sure")
    talk.hears(Happened("silence"))
    assert talk.hears("yes") == "Do you own your home?"
    assert talk.tools == []
    talk.hears(Happened("silence"))
    assert talk.hears("yes i own it") == "How much is your electric bill?"
    assert talk.hears("thank you") == "How much is your electric bill?"


def test_a_machine_gets_the_message_or_nothing(talk: Talk) -> None:
    message = talk.hears(Happened("machine"))
    assert message == "This is Ava for Acme Panels, 3 0 2, 5 5 5, 0 1 0 0. Goodbye."
    words = Talk(talk.agent, talk.briefing).opened().hears("hi you have reached the voicemail of maria")
    assert words == message
    silent = Talk(replace(talk.agent, voicemail=Voicemail()), talk.briefing).opened()
    assert silent.hears(Happened("machine")) == ""
    assert silent.tools == [("end_call", {"outcome": "machine"})]


def test_a_machine_in_the_middle_of_a_talk_is_a_person(talk: Talk) -> None:
    talk.hears("sure")
    assert "goodbye" not in talk.hears("please leave a message after the beep").lower()


def test_what_is_known_is_confirmed(agent: AgentDefinition, briefing: Callable[..., Briefing]) -> None:
    talk = Talk(agent, briefing(owner="yes", bill="150")).opened()
    assert talk.hears("sure") == "You told us yes about owning your home. Is that still right?"
    assert talk.hears("yes that's right") == "Your bill is about 150 dollars, I see. What kind of roof do you have?"
    assert talk.tools == [("save_answer", {"question": "owner", "value": "yes", "words": "yes that's right"})]
    assert talk.hears("metal") == "When could we come by?"


def test_what_is_known_may_have_changed(agent: AgentDefinition, briefing: Callable[..., Briefing]) -> None:
    asks = replace(agent.questions[1], known="Is your bill still {value} dollars?")
    agent = replace(agent, questions=(asks, *agent.questions[2:]))
    talk = Talk(agent, briefing(bill="150")).opened()
    assert talk.hears("sure") == "Is your bill still 150 dollars?"
    assert talk.hears("no it changed") == "How much is your electric bill?"
    assert talk.hears("ninety dollars") == "About 90 dollars. What kind of roof do you have?"
    direct = Talk(agent, briefing(bill="150")).opened()
    direct.hears("sure")
    assert direct.hears("no it is ninety dollars now") == "About 90 dollars. What kind of roof do you have?"
    unclear = Talk(agent, briefing(bill="150")).opened()
    unclear.hears("sure")
    assert unclear.hears("purple rain").endswith("Is your bill still 150 dollars?")


def test_yes_to_what_is_known_takes_the_answer_as_it_is(agent: AgentDefinition, briefing: Callable[..., Briefing]) -> None:
    asks = replace(agent.questions[1], known="Is your bill still {value} dollars?")
    talk = Talk(replace(agent, questions=(asks, *agent.questions[2:])), briefing(bill="150")).opened()
    talk.hears("sure")
    assert talk.hears("yes") == "What kind of roof do you have?"


def test_an_hour_without_a_day(talk: Talk) -> None:
    talk.hears("i own it and pay ninety dollars and the roof is metal")
    assert talk.hears("at three") == "And on which day?"
    assert talk.hears("tomorrow").startswith("Booked for tomorrow at 3 PM.")
    assert talk.hears("no that's all") == "Thank you, goodbye!"
    assert [name for name, _ in talk.tools] == ["save_answer", "end_call"]


def test_a_near_day_is_said_as_it_is(talk: Talk) -> None:
    talk.hears("i own it and pay ninety dollars and the roof is metal")
    assert talk.hears("tomorrow") == "What time tomorrow would suit you?"


def test_an_opening_that_asks_nothing_is_followed_by_the_first_question(
    agent: AgentDefinition, briefing: Callable[..., Briefing]
) -> None:
    talk = Talk(replace(agent, opening="Hi, this is {persona}."), briefing()).opened()
    assert talk.hears(None) == "Do you own your home?"
    assert talk.hears(None) == ""


def test_a_call_without_messages_begins_with_the_opening(agent: AgentDefinition, briefing: Callable[..., Briefing]) -> None:
    assert (
        Talk(agent, briefing()).hears(None)
        == "Hi Maria, this is Ava, an AI assistant for Acme Panels. Do you have a minute?"
    )
    inbound = Talk(agent, briefing(), Direction.INBOUND)
    assert inbound.hears(None) == "Thank you for calling Acme Panels. How are you?"


def test_repeating_the_openings_question(agent: AgentDefinition, briefing: Callable[..., Briefing]) -> None:
    talk = Talk(replace(agent, questions=()), briefing()).opened()
    assert talk.hears("purple rain") == "Thank you, goodbye!"


def test_words_said_while_we_spoke_do_not_confuse_what_was_asked(talk: Talk) -> None:
    talk.messages += [CallerSaid("sure"), CallerSaid("mhm"), AgentSaid("Do you own your home?")]
    assert talk.hears("yes") == "How much is your electric bill?"


def test_another_minds_words_are_understood(talk: Talk) -> None:
    talk.messages += [
        CallerSaid("well"),
        AgentSaid("Fine. Do you own your home?"),
        AgentSaid("How much is your electric bill?"),
    ]
    assert talk.hears("two hundred").startswith("About 200 dollars.")


def test_where_a_call_stands_is_told(talk: Talk) -> None:
    talk.hears("sure")
    talk.hears("yes i own it")
    stand = Playbook(talk.agent, Understanding(talk.agent), talk.briefing, Direction.OUTBOUND).stand(talk.messages)
    assert (stand.asked, dict(stand.answers)) == ("bill", {"owner": "yes"})


def test_the_way_that_leads_further_away_wins() -> None:
    assert stronger(Then.END, Then.GO_ON) is Then.END
    assert stronger(Then.GO_ON, Then.TRANSFER) is Then.TRANSFER


def test_how_much_was_heard() -> None:
    assert share_heard("do you own your home", "yes well do you own") == pytest.approx(0.6)
    assert share_heard("", "anything") == 0.0
    assert share_heard("hello", "") == 0.0


_SAID = "yes no i own it rent metal tile friday at three hundred dollars stop who is this how much does cost hello what bye"
_WORDS = st.sampled_from(each(_SAID))
_MESSAGES = st.one_of(
    st.lists(_WORDS, max_size=8).map(" ".join).map(CallerSaid),
    st.sampled_from(["silence", "key:9", "key:1", "machine"]).map(Happened),
    st.lists(_WORDS, max_size=8).map(" ".join).map(AgentSaid),
    st.sampled_from(["book_appointment", "transfer", "opt_out"]).map(lambda name: ToolUsed("t", name, "{}", None, ok=False)),
)


@settings(max_examples=150)
@given(messages=st.lists(_MESSAGES, max_size=12))
def test_whatever_happens_it_knows_what_to_say_and_says_it_again(messages: list[Message]) -> None:
    agent = _plain_agent()
    playbook = Playbook(agent, _UNDERSTANDING, Briefing(), Direction.OUTBOUND)
    first, second = playbook.reply(messages), playbook.reply(messages)
    assert first == second
    assert all(json.loads(encoded(tool)) is not None for tool in first.tools)
    assert "{" not in first.text


def _plain_agent() -> AgentDefinition:
    return _UNDERSTANDING.agent


def _hypothesis_agent() -> AgentDefinition:
    from voice.agent import Answer, AnswerKind

    owner = Question("owner", "Do you own it?", AnswerKind.YES_NO, (Answer("no", ("i rent",), "Bye.", Then.END),))
    visit = Question("visit", "When?", AnswerKind.TIME, (Answer("{value}", (), "At {value}.", Then.BOOK),))
    return AgentDefinition("a", "Seller", "Ava", "goal", "Hi. Do you have a minute?", "Goodbye.", questions=(owner, visit))


_UNDERSTANDING = Understanding(_hypothesis_agent())
