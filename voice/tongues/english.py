"""English.

Sources of the screeners' wordings: Google Call Screen and Apple's call screening ask callers for name and reason before a
phone rings ("Go ahead and say your name, and why you're calling"; "If you record your name and reason for calling, I'll see
if this person is available").
"""

from __future__ import annotations

from typing import Final

from voice.agent import EncounterPolicy, Manners
from voice.tongues.table import Sentences, Tongue, words

_SOMEBODY: Final = (
    r"(her|him|them|the (owner|manager|boss|patient)|"
    r"my (wife|husband|mom|mum|mother|dad|father|son|daughter|boss|manager|partner|brother|sister|roommate))"
)

ENGLISH: Final = Tongue(
    code="en",
    common=words(
        "the you i is are this what who yes yeah hello and of to it my do don't not can on that we he she calling"
        " i'm it's that's have for with your"
    ),
    asks_for=(r"(?:do not|don't) speak (?:any )?spanish", r"(?:speak|in) english", r"no spanish"),
    backchannels=words(
        "mhm mm mmm mmmm hm hmm hmmm uh-huh uhhuh uhuh uh huh mm-hm mm-hmm mmhm mmhmm mmkay aha ah oh okay ok 'kay kay"
        " yeah yah yea yep yup right sure yes alright cool gotcha exactly indeed wow really nice"
    ),
    backchannel_phrases=frozenset(
        ("i see", "oh i see", "got it", "i got it", "go on", "all right", "of course", "makes sense", "sounds good")
    ),
    trailing=words(
        "and or but because so if when while that which the a an to of for from with without at in on into about between"
        " my our your his her their this is are was were am be been has have had will would can could should i'm it's we're"
        " um uh uhm er erm hmm well like maybe"
    ),
    digits=words("zero oh o one two three four five six seven eight nine ten double triple hundred thousand"),
    grave=(
        r"passed away|died|is dead|funeral|in (?:the )?hospital|cancer|heart attack|stroke|divorced?|miscarriage",
        r"lost (?:my|his|her|our) (?:job|house|home|wife|husband|son|daughter|mother|father|mom|dad|baby)",
    ),
    upset=(
        r"complain\w*|complaint|ridiculous|unacceptable|outrageous|scam\w*|fraud|liar|lying|angry|furious|upset|annoyed|annoying",
        r"terrible|awful|horrible|disgusting|harass\w*|lawyer|sue|(?:not|isn't|that's) (?:right|true|wrong)|wrong number",
        r"hung up on|fed up|sick of|leave me alone|already (?:told|said|had|did)",
    ),
    parting=(r"good ?bye|bye|bye-bye|see you|talk to you later|have a (?:good|nice|great) \w+|good night",),
    before_asking=words("and so but well okay ok yes no yeah um uh wait sorry hello hi oh"),
    asking=(
        r"who|what|when|where|why|which|whose|how|can|could|would|will|do|does|did|is|are|was|were|has|have|should|may",
        r"tell me|explain|give me|send me|let me know|i have a question",
    ),
    leads=(r"okay|ok|got it|i see|all right|alright|right|understood|noted|sure|very well",),
    cheerful=(r"great|perfect|wonderful|excellent|awesome|fantastic|good|lovely|super|nice|amazing|brilliant|glad|happy",),
    screener=(
        r"(?:say|state|record|give|tell me) (?:your|me your) name\b.*\b(?:calling|call|reason|why|available)",
        r"(?:who is|who's) calling and why|call (?:screening|assist|assistant)|screening (?:service|calls?)",
        r"(?:see|check) if (?:this|the) person is available|reason for (?:your )?call(?:ing)?",
    ),
    hold=(
        r"please (?:hold|stay on the line|continue to hold)|(?:your|this) call is (?:very )?important",
        r"thank you for (?:holding|waiting)|next available|caller number|in the order (?:it was|they were) received",
        r"(?:all|our) (?:of our )?(?:agents|representatives|operators|lines|associates)(?: \w+)? (?:are|busy)",
    ),
    fetching=(
        r"(?:i'll|i will|let me|lemme|gonna|going to) (?:go |just )?(?:get|grab|fetch|find|put|ask|wake) " + _SOMEBODY,
        r"(?:hand|pass|giv|turn)(?:e|ing)? (?:you|it|the phone) (?:over )?to " + _SOMEBODY,
        r"(?:she's|he's|she is|he is) (?:right here|coming|just coming)",
    ),
    voicemail=(
        r"leave (?:me |us |your |a )*(?:name|message|number)|(?:after|at) the (?:tone|beep)|(?:is|am|are) not available",
        r"(?:can't|cannot|can not|unable to) (?:come to the phone|take your call|answer)",
        r"reached the (?:voice ?mail|mailbox)|voice ?mail|mailbox",
    ),
    sentences=Sentences(Manners(), EncounterPolicy().screener_says, EncounterPolicy().language_says),
)
