"""What people say on the telephone whatever the call is about, by intent: the ears listen for it, the mind understands it.

Written in the recogniser's spelling: lower case, no digits, no punctuation but apostrophes.
"""

from __future__ import annotations

from typing import Final


def each(words: str) -> tuple[str, ...]:
    """The words of a list that is easier to read as a line."""
    return tuple(words.split())


YES: Final = (
    *("yes", "yeah", "yep", "yup", "yes please", "sure", "of course", "okay", "all right", "absolutely", "definitely"),
    *("that's right", "that's correct", "correct", "right", "i do", "yes i do", "we do", "i am", "yes i am", "yes it is"),
    *(
        "i can",
        "yes i can",
        "yes we do",
        "that works",
        "that works for me",
        "sounds good",
        "fine",
        "go ahead",
        "sure go ahead",
    ),
    *("i guess so", "i think so", "uh huh", "still right", "yes that's right", "yes that's still right", "sure thing"),
    *("yeah sure", "yes of course", "yes a minute is fine", "okay go ahead", "yes go ahead", "it is", "i would", "perfect"),
)
NO: Final = (
    *("no", "nope", "nah", "no i don't", "no we don't", "not really", "no i'm not", "i'm not", "i don't", "we don't"),
    *(
        "i don't think so",
        "not at all",
        "that's wrong",
        "that's not right",
        "no that's wrong",
        "not any more",
        "of course not",
    ),
    *(
        "no it isn't",
        "no it's not",
        "i can't",
        "no i can't",
        "not right now",
        "no not right now",
        "no it changed",
        "no sorry",
    ),
)
UNSURE: Final = (
    *("i don't know", "i'm not sure", "i am not sure", "not sure", "i have no idea", "no idea", "maybe", "hard to say"),
    *("i would have to check", "i don't remember"),
)
GREETING: Final = (
    *("hello", "hi", "hey", "hi there", "hello there", "hello hello", "good morning", "good afternoon", "good evening"),
    *("speaking", "yes speaking", "this is she", "this is he", "hello yes", "yes hello"),
)
IDENTITY: Final = (
    *(
        "who is this",
        "who is calling",
        "who's calling",
        "who are you",
        "who is this please",
        "hello who is this",
        "who's there",
    ),
    *("what company is this", "where are you calling from", "what is this about", "why are you calling", "what do you want"),
)
ROBOT: Final = (
    *("are you a robot", "are you a real person", "are you human", "is this a robot", "is this a recording"),
    *("am i talking to a machine", "are you a machine", "are you a computer", "are you real", "is this a computer"),
)
AGAIN: Final = (
    *(
        "say that again",
        "can you say that again",
        "could you repeat that",
        "can you repeat that",
        "repeat that please",
        "pardon",
    ),
    *("pardon me", "excuse me", "what did you say", "sorry what", "what was that", "come again", "sorry i didn't hear you"),
    *("i didn't catch that", "i can't hear you", "what", "huh", "i don't understand", "can you repeat the question"),
)
HOLD: Final = (
    "hold on",
    "one moment",
    "just a moment",
    "just a minute",
    "wait",
    "wait a minute",
    "one second",
    "hang on",
    "give me a second",
)
STOP: Final = (
    *("stop", "stop calling me", "stop calling", "please stop calling me", "don't call me again", "do not call me again"),
    *(
        "don't call me",
        "do not call me any more",
        "never call me again",
        "take me off your list",
        "remove me from your list",
    ),
    *("please take me off your list", "take my number off your list", "put me on your do not call list", "unsubscribe"),
    *("don't call this number again", "stop calling this number", "do not call here again", "quit calling me", "opt out"),
    *("no stop calling me", "no please take me off your list", "i said stop calling me"),
)
PERSON: Final = (
    *("i want to talk to a person", "can i speak to a person", "i want to speak to a human", "let me talk to someone"),
    *("can i talk to a real person", "transfer me", "connect me to a person", "i'd like to speak to a person", "operator"),
    *("give me a real person", "i want to speak to someone", "can i speak to somebody", "representative"),
)
WRONG_NUMBER: Final = (
    "wrong number",
    "you have the wrong number",
    "you've got the wrong number",
    "i think you have the wrong number",
)
GOODBYE: Final = (
    *(
        "goodbye",
        "bye",
        "bye bye",
        "thank you goodbye",
        "thanks bye",
        "okay bye",
        "have a nice day",
        "thank you bye",
        "okay goodbye",
    ),
)
THANKS: Final = ("thank you", "thanks", "thank you very much", "okay thank you", "great thanks")
VOICEMAIL: Final = (
    *("please leave a message after the beep", "please leave a message after the tone", "leave a message after the beep"),
    *(
        "leave your name and number after the tone",
        "at the tone please record your message",
        "you have reached the voicemail of",
    ),
    *("is not available right now", "i can't come to the phone right now", "i can't take your call right now"),
    *("please leave your name and number and i'll call you back", "the person you are calling is not available"),
    *(
        "when you have finished recording you may hang up",
        "your call has been forwarded to an automatic voice message system",
    ),
    *("hi you have reached the voicemail of", "the mailbox is full", "the number you have dialed is not in service"),
    *("please leave a message", "leave me a message and i'll call you back as soon as i can"),
)
FILLERS: Final = frozenset(each("uh um er ah oh hm hmm mm mhm well so like just please actually basically"))
CONTRACTIONS: Final = dict(
    pair.split(": ")
    for pair in (
        *("i'm: i am", "i've: i have", "i'll: i will", "i'd: i would", "it's: it is", "that's: that is", "who's: who is"),
        *("what's: what is", "you're: you are", "you've: you have", "we're: we are", "we've: we have", "we'll: we will"),
        *("he's: he is", "she's: she is", "there's: there is", "they're: they are", "let's: let us", "don't: do not"),
        *("dont: do not", "doesn't: does not", "didn't: did not", "can't: can not", "cannot: can not", "won't: will not"),
        *("isn't: is not", "aren't: are not", "wasn't: was not", "wouldn't: would not", "haven't: have not"),
        *(
            "hasn't: has not",
            "couldn't: could not",
            "gonna: going to",
            "wanna: want to",
            "yeah: yes",
            "yep: yes",
            "yup: yes",
        ),
        *("nope: no", "nah: no", "ok: okay", "alright: okay", "hi: hello", "hey: hello", "bucks: dollars"),
    )
)
# The commonest given names of adults in the United States (SSA, births 1960-2000) that the ears' dictionary has.
FIRST_NAMES: Final = each(
    "james robert john michael david william richard joseph thomas christopher charles daniel matthew anthony mark steven"
    " paul andrew joshua kevin brian george timothy jason jeffrey ryan jacob gary eric jonathan scott carlos luis jose mary"
    " patricia jennifer linda elizabeth barbara susan jessica karen sarah lisa nancy sandra ashley emily kimberly donna"
    " michelle carol amanda melissa deborah stephanie rebecca laura cynthia amy angela anna maria rosa grace alice ben"
)
