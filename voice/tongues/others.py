"""Languages that are known only well enough to be told from the agent's own."""

from __future__ import annotations

from typing import Final

from voice.tongues.table import Tongue, words

FRENCH: Final = Tongue(
    code="fr",
    common=words("bonjour allo oui qui est c'est je ne pas vous parlez francais merci madame monsieur appelle pour quoi"),
    asks_for=(r"parlez[- ]vous fran\w*",),
)
GERMAN: Final = Tongue(
    code="de",
    common=words("hallo ja nein wer ist da ich bin nicht sprechen sie deutsch danke bitte was wollen kein"),
)
PORTUGUESE: Final = Tongue(
    code="pt",
    common=words("alo ola quem fala voce nao sim obrigado obrigada portugues senhor isso"),
)
