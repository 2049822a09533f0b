"""Who speaks, what for, how, and with which rules: the agent definition, as values.

Read from `agents/*.toml` by `voice/agent_file.py`. The playbook part (questions, objections) is what the embedded mind
interprets and what a large model is told in words; everything else is obeyed by the conversation core whoever the mind is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final


class AnswerKind(StrEnum):
    """What was asked decides what is expected, and how long to wait for the end of it."""

    YES_NO = "yes_no"
    CHOICE = "choice"
    NUMBER = "number"
    TIME = "time"
    OPEN = "open"


class Then(StrEnum):
    """What an answer or an objection leads to."""

    GO_ON = "go_on"  # the next open question
    ASK_AGAIN = "ask_again"  # the question that was open
    BOOK = "book"  # book_appointment, then go on
    TRANSFER = "transfer"
    OPT_OUT = "opt_out"
    END = "end"


class VoicemailAction(StrEnum):
    LEAVE_MESSAGE = "leave_message"
    HANG_UP = "hang_up"


@dataclass(frozen=True, slots=True)
class Answer:
    """One way to answer a question: what people say for it, what we say to it, and where it leads."""

    value: str
    phrases: tuple[str, ...]
    say: str = ""
    then: Then = Then.GO_ON


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    ask: str
    kind: AnswerKind
    answers: tuple[Answer, ...]
    again: str = ""  # a second wording, when the first was not understood
    known: str = ""  # said instead of asking when the briefing already has this slot; `{value}` is what is known


@dataclass(frozen=True, slots=True)
class Objection:
    """Something people bring up at any time: a question of theirs, a refusal, a wish."""

    id: str
    phrases: tuple[str, ...]
    say: str
    then: Then = Then.ASK_AGAIN
    remember: str = ""  # a sentence for the knowledge base, when this comes up


@dataclass(frozen=True, slots=True)
class Voicemail:
    action: VoicemailAction = VoicemailAction.HANG_UP
    text: str = ""


class ScreenerAction(StrEnum):
    ANSWER = "answer"  # say who calls, and wait for the person
    HANG_UP = "hang_up"


class HoldAction(StrEnum):
    WAIT = "wait"  # in silence, for `wait_for`
    HANG_UP = "hang_up"


class AnotherPersonAction(StrEnum):
    INTRODUCE = "introduce"  # the opening again: its disclosures are owed to whoever hears us
    GO_ON = "go_on"


class LanguageAction(StrEnum):
    SAY = "say"  # `language_says`, and go on; the second time it ends the call
    TRANSFER = "transfer"  # to `transfer_to`
    HANG_UP = "hang_up"  # after `language_says`


@dataclass(frozen=True, slots=True)
class EncounterPolicy:
    """What to do about what is at the other end when it is not the person we rang. Times in seconds."""

    screener: ScreenerAction = ScreenerAction.ANSWER
    screener_says: str = "This is {persona}, an AI assistant calling for {seller}."
    hold: HoldAction = HoldAction.WAIT
    another_person: AnotherPersonAction = AnotherPersonAction.INTRODUCE
    wait_for: float = 120.0  # somebody to come back: from a queue, a screener, or with another person
    language: LanguageAction = LanguageAction.SAY
    language_says: str = "I'm sorry, I only speak English."


# Neutral words, since it is not known yet what follows them; each is said once a call at most, so there are as many as a
# long call has turns.
ACKNOWLEDGEMENTS: Final = (
    "Okay.", "Got it.", "I see.", "All right.", "Right.", "Understood.", "Okay, I see.", "Noted.", "All right then.",
    "Okay, got it.", "Fair enough.", "Right, I see.",
)  # fmt: skip
FILLERS: Final = (
    "Let me see.", "Let's see.", "One moment.", "Let me think.", "Just a second.", "Well, let me see.", "Give me a moment.",
    "Let me have a look.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Manners:
    """What the agent says when the playbook has no line for it, and its patience. Times in seconds."""

    still_there: str = "Are you still there?"
    silence_goodbye: str = "I can't hear you, so I'll say goodbye for now."
    not_understood: str = "Sorry, I didn't catch that."
    moving_on: str = "That's all right, let's go on."
    identity: str = "This is {persona}, an AI assistant calling for {seller}."
    robot: str = "Yes, I'm an AI assistant, not a person. I'm calling for {seller}."
    no_transfer: str = "I can't connect you right now, but we can call you back."
    holding: str = "Of course, take your time."
    looking_up: str = "One moment, I'm looking that up."  # when a tool takes long
    still_looking: str = "It's taking a little longer, please bear with me."  # when it takes very long
    which_time: str = "What time {value} would suit you?"
    which_day: str = "And on which day?"
    not_booked: str = "I'm sorry, that did not work."
    opted_out: str = "Okay. We won't call this number again. Goodbye."
    transferring: str = "One moment, I'm connecting you."
    trouble: str = "I'm sorry, I'm having trouble on my side. We'll call you back. Goodbye."
    time_is_up: str = "I'm afraid our time is up. Thank you, goodbye."
    acknowledgements: tuple[str, ...] = ACKNOWLEDGEMENTS  # said in turn when the answer to an answer will be late
    fillers: tuple[str, ...] = FILLERS  # when that to a question will, or when it takes longer; neutral words only
    hello_within: float = 0.0  # outbound: how long to wait for a hello before the opening; 0 speaks with the first frame
    silence_after: float = 6.0
    longest_call: float = 600.0


@dataclass(frozen=True, slots=True)
class AgentDefinition:
    """One agent. `opening` and `inbound_opening` may use `{first_name}`, `{seller}`, `{persona}` and known slots."""

    name: str
    seller: str
    persona: str
    goal: str
    opening: str
    goodbye: str
    inbound_opening: str = ""
    language: str = "en-US"
    voice: str = "female"  # embedded voices: female, male; vendors' voice ids under `voices`
    voices: Mapping[str, str] = field(default_factory=dict)
    callback_number: str = ""
    numbers: tuple[str, ...] = ()  # our numbers that this agent answers
    transfer_to: str = ""  # "+1..." or "sip:..."
    questions: tuple[Question, ...] = ()
    objections: tuple[Objection, ...] = ()
    voicemail: Voicemail = field(default_factory=Voicemail)
    encounters: EncounterPolicy = field(default_factory=EncounterPolicy)
    manners: Manners = field(default_factory=Manners)
    instructions: str = ""  # further words for a large model
    keyterms: tuple[str, ...] = ()  # names and terms the ears should know
    call_budget: Decimal | None = None  # dollars one call should cost at most; None: the house's own limit
    version: str = ""  # hash of the file it was read from
