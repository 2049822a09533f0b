"""Whether words, spoken or written, ask to be left alone: English and Spanish, in whatever way people put it. Pure.

47 CFR 64.1200(a)(10): revocation by any reasonable means, no words prescribed. So a doubt counts for the person; but what
only postpones ("not before noon"), asks for more ("don't stop calling") or tells of something else is no such wish.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final


def _each(words: str) -> frozenset[str]:
    return frozenset(words.split())


LONGEST: Final = 2000  # letters that are read of one message

_CALL: Final = r"(?:call|phone|ring|dial|contact|bother|text|disturb|harass)"
_CALLING: Final = r"(?:calling|phoning|ringing|dialing|contacting|bothering|texting|disturbing|harassing|pestering)"
_WHOM: Final = r"(?:me|us|here|this|my|our|again|back|any ?more|ever|no more|at all|her|him|them)"
_NEVER: Final = r"(?:do not|don't|dont|never|must not|can't|cannot|can not|may not|shouldn't|should not|better not)"
_MINE: Final = r"(?:me|us|(?:my|our|this|the) (?:\w+ )?(?:number|name|phone|line|house|family|mom|mother|dad|father))"
_LIST: Final = r"(?:lists?|database|system|records?|files?|books?|registry|campaigns?|call(?:s|ing)?|dialer)"
_NOT_WANTED: Final = r"(?:do not|don't|dont|didn't|no longer|never) (?:want|need|wish|like|care)"

_ENGLISH: Final = (
    rf"\b(?:stop|quit|cease|no more|enough|done|sick of|tired of) (?:\w+ ){{0,2}}{_CALLING}\b",
    r"\b(?:stop|quit|cease|end) (?:with )?(?:all )?(?:this|these|the|those|your|making|placing) (?:\w+ ){0,2}calls?\b",
    rf"\b{_NEVER} (?:you )?(?:(?:ever|please|even|dare|try to) )*{_CALL} (?:\w+ )?{_WHOM}\b",
    rf"\b(?:do not|don't|dont|never) (?:ever )?{_CALL}$",
    rf"\bnot to (?:ever )?(?:be )?{_CALL}(?:ed)? {_WHOM}\b|\btold you (?:guys |people )?not to {_CALL}\b",
    r"\bno (?:more|further|other) (?:\w+ )?calls?\b",
    rf"\b{_NOT_WANTED} (?:\w+ ){{0,3}}(?:calls?|to be (?:called|contacted|bothered|on (?:your|any|the)))\b",
    rf"\b{_NOT_WANTED} (?:\w+ ){{0,2}}(?:you|anyone|anybody) (?:to )?(?:ever )?(?:{_CALL}|{_CALLING})\b",
    r"\b(?:do not|don't|dont|no longer|never) (?:ever )?(?:want|wish|care) to (?:ever )?hear from you\b",
    rf"\b(?:take|remove|get|delete|strike|scratch|cross|erase|drop|pull|put|add) {_MINE} (?:\w+ ){{0,3}}?"
    rf"(?:off|from|out|on|to)\b.{{0,30}}\b{_LIST}\b",
    rf"\b(?:remove|delete|erase|lose|unlist|unsubscribe) (?:me|us|{_MINE})\b",
    r"\b(?:to|be|get|been) (?:be )?(?:removed|taken off|unsubscribed|deleted|left alone|dropped)\b",
    rf"\boff (?:of )?(?:your|this|that|the) (?:\w+ ){{0,2}}{_LIST}\b",
    r"\bunsubscribe\b|\bopt(?:ing|ed)?(?: me| us)?[ -]?out\b|\bdnc\b",
    r"\bdo[ -]not[ -](?:call|contact)\b(?! me| us| until| before)",
    r"(?:^|[,.!;] ?)(?:please )?stop(?: it| that)?(?: please)?(?=[,.!;]|$)",  # the very word that the opening offers
    r"\bstop (?:\w+ ){0,2}leave (?:me|us)\b(?! an?\b| the\b| your\b)",  # how "stop calling me" is heard on a bad line
    r"\b(?:leave|let) (?:me|us) (?:alone|be(?! \w))\b|\bgo away\b|\bget lost\b|\b(?:fuck|piss|buzz|bugger) off\b",
    r"\b(?:revoke|withdraw|cancel|rescind|take back) (?:\w+ )?(?:consent|permission|authori[sz]ation|subscription)\b",
    r"\b(?:cancel|end) (?:these|all|my|the|your|any)(?: \w+)? calls\b",
    r"\b(?:do not|don't|no longer) (?:have|got) (?:my|our|any) (?:permission|consent)\b",
    r"\bnot (?:allowed|permitted|authori[sz]ed|welcome) to (?:call|contact|phone)\b|\bi no longer (?:consent|agree)\b",
    r"\b(?:i|we) (?:already )?(?:said|told you(?: guys| people)?)(?: to| please)? stop\b",
    r"\b(?:not interested|no thank you|no thanks|please|just)\b.{0,12}\bstop\b(?! by\b| at\b| in\b| over\b| it from\b)",
    r"\bblock(?:ing|ed)? (?:you|your|this) (?:number|calls?)\b",
)
_SPANISH: Final = (
    r"\bno (?:me |nos |le |les )?(?:vuelvan?|vuelvas) (?:nunca )?(?:a |mas a )?(?:llamar|marcar|molestar|contactar|hablar)",
    r"\bno (?:me|nos|lo|la) (?:esten? |sigan? |ande )?"
    r"(?:llamen?|llames|marquen?|marques|molesten?|molestes|contacten?|hablen?|fastidien?|llamando|molestando|marcando)\b",
    r"\bno (?:llamen?|llames|marquen?|molesten?) (?:mas|nunca|aqui|a este|a mi|a esta|otra vez|de nuevo|ya)\b",
    r"\bno (?:sigan?|sigas|continuen?|esten?) (?:llamando|molestando|marcando)(?:me|nos)?\b|\bno insistan?\b",
    r"\b(?:dejen?|dejes|deja|paren?|para|basta|cesen?|terminen?) (?:ya )?(?:de|con) (?:\w+ )?"
    r"(?:llamar|molestar|marcar|contactar|fastidiar|acosar|llamadas)",
    r"\bno (?:quiero|queremos|deseo|deseamos|necesito|acepto|autorizo)\b.{0,30}"
    r"\b(?:llamadas?|llamen?|llame|contacten?|marquen?|molesten?|saber (?:mas |nada )?de ustedes)\b",
    r"\bya no (?:me |nos |quiero |queremos |deseo )?(?:que )?(?:me |nos )?"
    r"(?:llamen?|llames|marquen?|molesten?|contacten?|llamadas|recibir)\b",
    r"\b(?:no|ni) (?:mas|una) llamadas?\b|\bque (?:no|ya no) (?:me|nos) (?:llamen?|marquen?|molesten?|contacten?)\b",
    r"\b(?:quit|sac|saqu|borr|elimin|remuev|retir|tach|sup?rim|dar|pon|apunt|anot|desinscrib)\w{0,7}\b.{0,30}"
    r"\b(?:lista|base de datos|registros?|sistema|directorio)\b",
    r"\b(?:borr|elimin|olvid|quit|sac|saqu|tach)\w{0,4}(?:me|nos)?\b.{0,12}"
    r"\b(?:mi|nuestro|este|el) (?:numero|telefono|nombre|contacto)\b",
    r"\b(?:dar|de|den|deme|denme|dame|darme|darnos|denos|dennos)(?:me|nos)? (?:me )?de baja\b|\bdesuscrib\w+\b",
    r"\b(?:dej|dej[ea]n?)(?:e|en|a)?(?:me|nos) (?:\w+ )?(?:en paz|tranquil[oa]s?|sol[oa]s?)\b|\blargu?ese\b|\bvayase\b",
    r"\b(?:cancel|retir|revoc|anul)\w{0,4} (?:\w+ )?(?:consentimiento|permiso|autorizacion|llamadas|suscripcion)\b",
    r"\bno (?:tienen?|tienes) (?:mi |nuestro )?(?:permiso|autorizacion|consentimiento)\b",
)
_STOPS: Final = re.compile("|".join(f"(?:{each})" for each in (*_ENGLISH, *_SPANISH)))
# What looks like a wish to stop and is the opposite, or only a wish for another hour.
_GOES_ON: Final = re.compile(
    r"\b(?:do not|don't|dont|never|can't|cannot|won't|didn't) (?:\w+ )?(?:stop|quit)\b(?! ?[,.!])"
    r"|\bno (?:dejen?|dejes|paren?) de llamar\w*"
    rf"|\b(?:do not|don't|dont|never) {_CALL} (?:me |us )?(?:\w+ ){{0,2}}?"
    r"(?:before|until|till|after|between|during|so (?:early|late)|sir|ma'am|mister|names|honey|that)\b"
    r"|\bno me (?:llamen?|llames|marquen?) (?:antes|hasta|despues|tan|entre|senor|senora)\b"
)
# One word, or a very few, that mean nothing else when they are all that is said.
_ALONE: Final = re.compile(
    r"(?:(?:please|just|no|hey|ok|okay|i said|por favor|ya) )*"
    r"(?:stop|stop it|stop now|stop stop|stop that|enough|enough already|unsubscribe|stopall|opt ?out|parar?|paren?|alto"
    r"|basta|ya basta|baja|ya estuvo)(?: (?:please|now|it|already|ok|okay|por favor|ya|stop))*"
)

# How the words begin without which none of the above can be meant. Most of what is said on the telephone has none of them,
# and every interim transcript of every call is asked about.
_BEGINNINGS: Final = _each(
    "stop quit ceas enou call phon ring dial cont both text dist hara pest remo take unli unsu dele drop get lost opt opt-"
    " opti opte dnc leav let away off cons perm auth subs hear bloc list data syst reco file book regi camp numb name eras"
    " lose do-n done llam marq marc mole habl fast insi deje deja dejo dejo para pare bast cese term baja desu base sist"
    " dire nume tele nomb larg vaya susc auto sabe alto estu acos"
)


@lru_cache(maxsize=1024)  # an interim is asked about by several parts, and often comes twice
def asks_to_be_left_alone(text: str) -> bool:
    """Whether somebody who says or writes this wants no more calls."""
    plain = folded(text)
    if _BEGINNINGS.isdisjoint([word[:4] for word in re.findall(r"[\w-]+", plain)]):
        return False
    rest = _GOES_ON.sub(" ; ", plain)
    return _STOPS.search(rest) is not None or _ALONE.fullmatch(" ".join(re.findall(r"[\w']+", rest))) is not None


def folded(text: str) -> str:
    """Small letters without accents, apostrophes straight, blanks single; signs are kept where they part a sentence."""
    flat = unicodedata.normalize("NFKD", text[:LONGEST].replace("’", "'").lower())
    letters = "".join(letter for letter in flat if not unicodedata.combining(letter))
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s',.!;-]", " ", letters)).strip(" .!,;-")
