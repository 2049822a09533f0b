"""Small closed lists of words that mean something to the conversation itself, whoever the mind is.

Compared after `normalise`: lower case, no punctuation. A recogniser's spelling varies; the lists carry the variants.
"""

from __future__ import annotations

import re
from typing import Final

from telephony.wishes import asks_to_be_left_alone


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


BACKCHANNELS: Final = _set(
    "mhm mm mmm mmmm hm hmm hmmm uh-huh uhhuh uhuh uh huh mm-hm mm-hmm mmhm mmhmm mmkay aha ah oh okay ok 'kay kay"
    " yeah yah yea yep yup right sure yes alright cool gotcha exactly indeed wow really nice"
)
_BACKCHANNEL_PHRASES: Final = frozenset(
    ("i see", "oh i see", "got it", "i got it", "go on", "all right", "of course", "makes sense", "sounds good")
)
_TRAILING: Final = _set(
    "and or but because so if when while that which the a an to of for from with without at in on into about between"
    " my our your his her their this is are was were am be been has have had will would can could should i'm it's we're"
    " um uh uhm er erm hmm well like maybe"
)
_DIGITS: Final = _set("zero oh o one two three four five six seven eight nine ten double triple hundred thousand")
# What people dictate: a telephone number has seven digits or ten, a card sixteen. Fewer, and more may come.
_WHOLE_NUMBER: Final = 7


_GRAVE: Final = re.compile(
    r"\b(passed away|died|is dead|funeral|in (the )?hospital|cancer|heart attack|stroke|divorced?|miscarriage|"
    r"lost (my|his|her|our) (job|house|home|wife|husband|son|daughter|mother|father|mom|dad|baby))\b"
)
# A complaint: "okay" would belittle it. A goodbye: nothing is looked up for it.
_UPSET: Final = re.compile(
    r"\b(complain\w*|complaint|ridiculous|unacceptable|outrageous|scam\w*|fraud|liar|lying|angry|furious|upset|annoyed|annoying|"
    r"terrible|awful|horrible|disgusting|harass\w*|lawyer|sue|(not|isn't|that's) (right|true|wrong)|wrong number|"
    r"hung up on|fed up|sick of|leave me alone|already (told|said|had|did))\b"
)
_PARTING: Final = re.compile(
    r"\b(good ?bye|bye|bye-bye|see you|talk to you later|have a (good|nice|great) \w+|good night)\b"
)
_ASKS: Final = re.compile(
    r"^(?:(?:and|so|but|well|okay|ok|yes|no|yeah|um|uh|wait|sorry|hello|hi|oh) )*"
    r"(?:who|what|when|where|why|which|whose|how|can|could|would|will|do|does|did|is|are|was|were|has|have|should|may|"
    r"tell me|explain|give me|send me|let me know|i have a question)\b"
)
_LEAD: Final = re.compile(
    r"^(?:\s*(?:okay|ok|got it|i see|all right|alright|right|understood|noted|sure|very well)\s*(?:[,.!;:–—-]+\s*|$))+",
    re.IGNORECASE,
)
_CHEERFUL: Final = re.compile(
    r"\b(great|perfect|wonderful|excellent|awesome|fantastic|good|lovely|super|nice|amazing|brilliant|glad|happy)\b"
)


def normalise(text: str) -> str:
    """Lower case, without punctuation, single spaces: what two recognisers would both write."""
    return " ".join(re.sub(r"[^\w\s'-]", " ", text.lower().replace("’", "'")).split())


def is_backchannel(text: str) -> bool:
    """Whether these words, if they are all, only say "go on": they do not take the floor."""
    plain = normalise(text)
    if plain in _BACKCHANNEL_PHRASES:
        return True
    words = plain.split()
    return 0 < len(words) <= 3 and all(word in BACKCHANNELS for word in words)


def trails_off(text: str) -> bool:
    """Whether the last word promises another one ("...and", "my")."""
    words = normalise(text).split()
    return bool(words) and words[-1] in _TRAILING


def promises_more(text: str) -> bool:
    """Whether another word is as good as certain: the last one promises it, or a recogniser that punctuates saw a comma."""
    return trails_off(text) or text.rstrip().endswith(",")


def is_complete(text: str) -> bool:
    """Whether a recogniser that punctuates took these words for a sentence."""
    return text.rstrip().endswith((".", "?", "!"))


def is_question(text: str) -> bool:
    """Whether a recogniser that punctuates took the last of these words for a question."""
    return text.rstrip().endswith("?")


def is_number_in_progress(text: str, *, is_expected: bool) -> bool:
    """Whether digits are being dictated and more may come: when a number was asked for, or three and more were said."""
    count = 0
    for word in reversed(normalise(text).split()):
        figures = word.replace("-", "")
        if figures.isdigit():
            count += len(figures)
        elif word in _DIGITS:
            count += 1
        else:
            break
    return 0 < count < _WHOLE_NUMBER and (is_expected or count >= 3)


def is_opt_out(text: str) -> bool:
    """Whether the person asks not to be called again, in English or Spanish; the guard errs on the side of believing it."""
    return asks_to_be_left_alone(text)


def is_grave(text: str) -> bool:
    """Whether the person tells of a misfortune: a light word before our answer would wound."""
    return _GRAVE.search(normalise(text)) is not None


def is_cheerful(text: str) -> bool:
    """Whether words praise or rejoice: said before it is known what comes next, they may stand before bad news."""
    return _CHEERFUL.search(normalise(text)) is not None


def is_upset(text: str) -> bool:
    """Whether somebody complains or contradicts: they want to be answered, not soothed with a word."""
    return _UPSET.search(normalise(text)) is not None


def is_parting(text: str) -> bool:
    """Whether somebody says goodbye."""
    return _PARTING.search(normalise(text)) is not None


def closes(text: str) -> bool:
    """Whether the last of these words say goodbye."""
    return is_parting(" ".join(text.split()[-4:]))


def is_request(text: str) -> bool:
    """Whether something is asked of us, by its form: a question mark, or how the last sentence begins."""
    last = re.split(r"(?<=[.!?])\s+", text.strip())[-1]
    return is_question(text) or _ASKS.match(normalise(last)) is not None


def is_led(text: str) -> bool:
    """Whether what we say begins with an acknowledgement."""
    return _LEAD.match(text) is not None


def without_lead(text: str) -> str:
    """The same without it: nobody says "Okay. Okay, ..."."""
    rest = _LEAD.sub("", text)
    return rest[:1].upper() + rest[1:]
