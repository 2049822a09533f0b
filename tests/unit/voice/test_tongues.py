"""The languages that are known: what each recognises, and that none of them spoils another."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import permutations

import pytest

from voice.agent import AgentDefinition, Manners
from voice.encounters import Encounters, Sight
from voice.machine import is_voicemail_greeting
from voice.phrases import (
    is_backchannel,
    is_cheerful,
    is_grave,
    is_led,
    is_number_in_progress,
    is_opt_out,
    is_parting,
    is_request,
    is_upset,
    plain,
    trails_off,
    without_lead,
)
from voice.sentences import SentenceSplitter
from voice.tongues import TONGUES, Tongue, tongue_of

AGENT = AgentDefinition("a", "Acme", "Ava", "Sell.", "Hola.", "Adiós.", transfer_to="+13025550100")
WHOLE = tuple(tongue for tongue in TONGUES if tongue.backchannels)


def test_a_language_is_found_whatever_its_region() -> None:
    assert [tongue.code for tongue in (tongue_of("es-US"), tongue_of("EN_gb")) if tongue] == ["es", "en"]
    assert tongue_of("tlh") is None
    assert tongue_of("") is None


def test_accents_and_signs_are_no_difference() -> None:
    assert plain("¿Qué dice, Señora?") == plain("que dice senora") == "que dice senora"


# --- Spanish, as English is tested in test_phrases -----------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Ajá.", "sí", "Claro que sí.", "mjm", "Ah, ya.", "sí, claro", "Está bien"])
def test_spanish_backchannels_do_not_take_the_floor(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["no", "espere", "¿quién habla?", "sí pero no puedo", "basta", "no, gracias"])
def test_everything_else_in_spanish_may(text: str) -> None:
    assert not is_backchannel(text)


@pytest.mark.parametrize("text", ["quiero hablar de", "mañana y", "mi número es", "porque", "vivo en"])
def test_some_last_spanish_words_promise_more(text: str) -> None:
    assert trails_off(text)
    assert not trails_off("mañana por la tarde")


def test_spanish_digits_may_go_on_until_they_make_a_number() -> None:
    assert is_number_in_progress("es el cinco cinco cinco", is_expected=False)
    assert not is_number_in_progress("cinco cinco cinco uno dos tres cuatro", is_expected=True)


@pytest.mark.parametrize(
    "text", ["Mi esposo falleció hace un mes.", "está en el hospital", "tiene cáncer", "perdí mi trabajo", "perdí a mi mamá"]
)
def test_a_misfortune_told_in_spanish(text: str) -> None:
    assert is_grave(text)
    assert not is_grave("el techo tiene doce años")


@pytest.mark.parametrize(
    "text",
    ["Esto es ridículo", "quiero poner una queja", "ya le dije que no", "es una estafa", "número equivocado", "estoy harta"],
)
def test_a_complaint_in_spanish(text: str) -> None:
    assert is_upset(text)
    assert not is_upset("unos doce años")


@pytest.mark.parametrize("text", ["Adiós.", "gracias, hasta luego", "que le vaya bien", "que tenga un buen día"])
def test_a_goodbye_in_spanish(text: str) -> None:
    assert is_parting(text)
    assert not is_parting("mañana está bien")


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("¿Cuánto cuesta?", True),
        ("y cuánto tarda eso", True),
        ("oiga, ¿me puede mandar algo", True),
        ("dígame el precio", True),
        ("el techo es viejo", False),
    ],
)
def test_what_is_asked_of_us_in_spanish(text: str, asks: bool) -> None:
    assert is_request(text) is asks


def test_an_acknowledgement_of_its_own_is_left_out_in_spanish() -> None:
    assert without_lead("De acuerdo, ¿cuándo le vendría bien?") == "¿cuándo le vendría bien?"
    assert without_lead("Está bien. Muy bien, vamos.") == "Vamos."
    assert not is_led("Claro que puede venir.")


@pytest.mark.parametrize(
    "text", ["Deje su mensaje después del tono.", "el buzón de voz está lleno", "la persona no se encuentra disponible"]
)
def test_a_spanish_voicemail_is_one_whoever_speaks(text: str) -> None:
    assert is_voicemail_greeting(text)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Diga su nombre y el motivo de su llamada.", Sight.SCREENER),
        ("Su llamada es muy importante, permanezca en la línea.", Sight.HOLD),
        ("Todos nuestros agentes están ocupados.", Sight.HOLD),
        ("Espere, se lo paso.", Sight.ANOTHER_PERSON),
        ("voy a llamar a mi esposa", Sight.ANOTHER_PERSON),
        ("the line is in English please", Sight.LANGUAGE),
        ("I don't speak Spanish", Sight.LANGUAGE),
        ("what is this who are you", Sight.LANGUAGE),
        ("sí, bueno, ¿qué quiere?", None),
        ("okay", None),
        ("hello sí quiero eso", None),
    ],
)
def test_a_spanish_agent_knows_what_is_at_the_other_end(text: str, seen: Sight | None) -> None:
    found = Encounters(replace(AGENT, language="es-US")).words(text, 5.0)
    assert (found.what if found else None) is seen


def test_a_language_without_a_table_is_told_by_the_ears_alone() -> None:
    encounters = Encounters(replace(AGENT, language="it-IT"))
    assert encounters.words("hola, ¿quién habla, por favor?", 5.0) is None
    found = encounters.words("buongiorno, chi parla", 5.0, "es")
    assert found is not None
    assert found.what is Sight.LANGUAGE


# --- every language ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tongue", TONGUES, ids=lambda tongue: tongue.code)
def test_a_table_is_written_as_it_is_compared(tongue: Tongue) -> None:
    lists = [getattr(tongue, field.name) for field in fields(tongue)]
    entries = {word for words in lists if isinstance(words, frozenset) for word in words}
    assert {word for word in entries if plain(word) != word} == set()
    assert tongue.common


@pytest.mark.parametrize(("one", "other"), [*permutations(TONGUES, 2)], ids=lambda tongue: tongue.code)
def test_a_frequent_word_tells_one_language(one: Tongue, other: Tongue) -> None:
    assert one.common & other.common == frozenset()


@pytest.mark.parametrize(("one", "other"), [*permutations(WHOLE, 2)], ids=lambda tongue: tongue.code)
def test_no_word_of_a_language_means_something_else_in_another(one: Tongue, other: Tongue) -> None:
    assert (one.trailing - other.trailing) & (other.common | other.backchannels | other.digits) == frozenset()
    assert one.backchannels & (other.trailing - other.backchannels) == frozenset()
    assert one.digits & (other.trailing | other.common | other.backchannels) == frozenset()


@pytest.mark.parametrize("tongue", WHOLE, ids=lambda tongue: tongue.code)
def test_what_is_said_in_a_language_is_all_there_and_neutral(tongue: Tongue) -> None:
    assert tongue.sentences is not None
    manners = tongue.sentences.manners
    said = [getattr(manners, field.name) for field in fields(Manners) if isinstance(field.default, str)]
    assert all(said)
    assert "{seller}" in manners.robot
    for words in (*manners.acknowledgements, *manners.fillers):
        assert not is_cheerful(words)
        splitter = SentenceSplitter()
        assert [*splitter.feed(words), *splitter.flush()] == [words]
    assert not any(is_opt_out(words) for words in said if words != manners.opted_out)
    if tongue.code != "en":
        assert not set(said) & {field.default for field in fields(Manners)}
