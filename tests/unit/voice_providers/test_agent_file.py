"""Agent files: what is read, and every way to get one wrong."""

from __future__ import annotations

import os
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest

from voice.agent import (
    ACKNOWLEDGEMENTS,
    AgentDefinition,
    Answer,
    AnswerKind,
    EncounterPolicy,
    HoldAction,
    Manners,
    Objection,
    Question,
    ScreenerAction,
    Then,
    Voicemail,
    VoicemailAction,
)
from voice.agent_file import AgentFolder, parse_agent
from voice.errors import AgentFileError
from voice.tongues.spanish import MANNERS as SPANISH_MANNERS

GOOD = """
name = "small"
seller = "Acme"
persona = "Ava"
goal = "Ask one thing."
opening = "Hi {first_name}, this is {persona} for {seller}."
goodbye = "Goodbye!"
numbers = ["+13025550100"]
transfer_to = "sip:desk@host"
voices = { elevenlabs = "abc" }
[voicemail]
action = "leave_message"
text = "Call {callback_number}."
[manners]
silence_after = 5
[[questions]]
id = "owner"
kind = "yes_no"
ask = "Do you own it?"
known = "You said {value}. Right?"
answers = [{ value = "yes", phrases = ["i do"], then = "transfer" }]
[[objections]]
id = "price"
phrases = ["how much"]
say = "It is free."
"""
ENCOUNTERS_SAY = b'[encounters]\nscreener_says = "Ava."\nlanguage_says = "Pardon."\n'


def changed(old: str, new: str) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new).encode()


def test_a_good_file_is_read_whole() -> None:
    agent = parse_agent(GOOD.encode(), "small.toml")
    assert agent.questions[0].kind is AnswerKind.YES_NO
    assert agent.questions[0].answers[0].then is Then.TRANSFER
    assert agent.objections[0].then is Then.ASK_AGAIN
    assert agent.voicemail.action is VoicemailAction.LEAVE_MESSAGE
    assert agent.manners.silence_after == 5.0
    assert agent.voices == {"elevenlabs": "abc"}
    assert len(agent.version) == 16


def test_what_else_may_be_at_the_other_end_has_a_policy() -> None:
    plain = parse_agent(GOOD.encode(), "small.toml").encounters
    assert plain == EncounterPolicy()
    table = b'[encounters]\nscreener = "hang_up"\nhold = "hang_up"\nwait_for = 30\nanother_person = "go_on"\n'
    told = parse_agent(GOOD.encode() + table, "small.toml").encounters
    assert (told.screener, told.hold, told.wait_for) == (ScreenerAction.HANG_UP, HoldAction.HANG_UP, 30.0)


def speaking(language: str) -> bytes:
    return GOOD.replace('name = "small"', f'name = "small"\nlanguage = "{language}"').encode()


def test_a_spanish_agent_says_spanish_sentences_where_its_file_is_silent() -> None:
    assert parse_agent(GOOD.encode(), "a").manners.acknowledgements == ACKNOWLEDGEMENTS
    agent = parse_agent(speaking("es-MX"), "a")
    assert agent.manners.fillers == SPANISH_MANNERS.fillers
    assert agent.manners.opted_out == "De acuerdo. No volveremos a llamar a este número. Adiós."
    assert agent.encounters.language_says == "Lo siento, solo hablo español."
    own = speaking("es-MX").replace(b"silence_after = 5", b'silence_after = 5\nfillers = ["A ver."]')
    assert parse_agent(own, "a").manners.fillers == ("A ver.",)


def test_an_agent_of_a_language_without_sentences_brings_its_own() -> None:
    """An English sentence in a French call would be understood by nobody, least of all that they are not called again."""
    french = speaking("fr-CA")
    said = {field.name for field in fields(Manners) if isinstance(field.default, str)}
    for missing in sorted(said):
        own = "\n".join(f'{name} = "Oui."' for name in sorted(said - {missing}))
        with pytest.raises(AgentFileError, match=f"manners.{missing}: is missing") as refused:
            parse_agent(french.replace(b"silence_after = 5", own.encode()) + ENCOUNTERS_SAY, "a")
        assert refused.value.code == "missing"
    whole = "\n".join(f'{name} = "Oui."' for name in sorted(said))
    with pytest.raises(AgentFileError, match="screener_says"):
        parse_agent(french.replace(b"silence_after = 5", whole.encode()), "a")
    agent = parse_agent(french.replace(b"silence_after = 5", whole.encode()) + ENCOUNTERS_SAY, "a")
    assert agent.manners.trouble == "Oui."
    assert agent.manners.acknowledgements == agent.manners.fillers == ()


def test_the_version_is_of_the_content() -> None:
    assert parse_agent(GOOD.encode(), "a").version == parse_agent(GOOD.encode(), "b").version
    assert parse_agent(GOOD.encode(), "a").version != parse_agent(GOOD.encode() + b"# more", "a").version


@pytest.mark.parametrize(
    ("content", "code", "names"),
    [
        (b"\xff\xfe", "not_text", "file"),
        (b"name = ", "syntax", "file"),
        (b"#" * 300_000, "too_large", "file"),
        (changed('goal = "Ask one thing."', ""), "missing", "goal"),
        (changed('goal = "Ask one thing."', 'goal = " "'), "empty", "goal"),
        (changed('goal = "Ask one thing."', "goal = 3"), "wrong_type", "goal"),
        (changed('goal = "Ask', 'gaol = "x"\ngoal = "Ask'), "unknown_key", "gaol"),
        (changed('say = "It is free."', 'say = "It is free."\nsya = "x"'), "unknown_key", "objections[1].sya"),
        (changed('known = "You', 'knwon = "x"\nknown = "You'), "unknown_key", "questions[1].knwon"),
        (changed("silence_after = 5", "silence_afer = 5"), "unknown_key", "manners.silence_afer"),
        (changed("silence_after = 5", 'silence_after = "5"'), "wrong_type", "manners.silence_after"),
        (changed("silence_after = 5", "silence_after = true"), "wrong_type", "manners.silence_after"),
        (changed("silence_after = 5", "silence_after = 0"), "bad_value", "manners.silence_after"),
        (changed('goal = "Ask', 'call_budget = "1"\ngoal = "Ask'), "wrong_type", "call_budget"),
        (changed('goal = "Ask', 'call_budget = true\ngoal = "Ask'), "wrong_type", "call_budget"),
        (changed('goal = "Ask', 'call_budget = -1\ngoal = "Ask'), "bad_value", "call_budget"),
        (changed('kind = "yes_no"', 'kind = "maybe"'), "bad_value", "questions[1].kind"),
        (changed('kind = "yes_no"', 'kind = "choice"').replace(b'"i do"', b""), "missing", "answers"),
        (changed('phrases = ["how much"]', "phrases = []"), "missing", "phrases"),
        (changed('phrases = ["how much"]', "phrases = [1]"), "wrong_type", "objections[1].phrases"),
        (changed('text = "Call {callback_number}."', ""), "missing", "voicemail.text"),
        (changed('name = "small"', 'name = "Small One"'), "bad_value", "name"),
        (changed('"+13025550100"', '"302 555"'), "bad_number", "numbers"),
        (changed('"sip:desk@host"', '"desk"'), "bad_number", "transfer_to"),
        (changed("silence_after = 5", 'fillers = ["Great!"]'), "bad_value", "manners.fillers"),
        (changed("silence_after = 5", 'acknowledgements = ["Wonderful."]'), "bad_value", "manners.acknowledgements"),
        (changed('transfer_to = "sip:desk@host"', ""), "missing", "transfer_to"),
        (
            changed('transfer_to = "sip:desk@host"', "").replace(b'then = "transfer"', b'then = "end"')
            + b'[encounters]\nlanguage = "transfer"\n',
            "missing",
            "transfer_to",
        ),
        (changed("{persona}", "{person}"), "unknown_blank", "opening"),
        (
            changed("[[objections]]", '[[objections]]\nid="price"\nphrases=["x"]\nsay="x"\n[[objections]]'),
            "duplicate",
            "price",
        ),
        (changed("[voicemail]", "[voicemails]"), "unknown_key", "voicemails"),
        (changed('voices = { elevenlabs = "abc" }', 'voices = "abc"'), "wrong_type", "voices"),
        (GOOD.split("[[objections]]")[0].encode() + b"[objections]\n", "wrong_type", "objections"),
    ],
)
def test_every_problem_has_its_code_and_names_its_place(content: bytes, code: str, names: str) -> None:
    with pytest.raises(AgentFileError) as caught:
        parse_agent(content, "small.toml")
    assert caught.value.code == code
    assert str(caught.value).startswith("small.toml: ")
    assert names in str(caught.value)


def test_a_call_may_have_a_budget() -> None:
    assert parse_agent(GOOD.encode(), "a").call_budget is None
    assert parse_agent(changed('goal = "Ask', 'call_budget = 0.35\ngoal = "Ask'), "a").call_budget == Decimal("0.35")


def write(file: Path, content: bytes, at: int) -> None:
    file.write_bytes(content)
    os.utime(file, (at, at))


def test_a_folder_follows_its_files(tmp_path: Path) -> None:
    folder = AgentFolder(tmp_path)
    assert folder.all() == {}
    write(tmp_path / "small.toml", GOOD.encode(), 1)
    first = folder.get("small")
    assert folder.get("small") is first
    write(tmp_path / "small.toml", changed("It is free.", "It costs nothing."), 2)
    assert folder.get("small").objections[0].say == "It costs nothing."
    assert folder.for_number("+13025550100") is folder.get("small")
    assert folder.for_number("+13025550199") is None
    (tmp_path / "small.toml").unlink()
    with pytest.raises(AgentFileError, match="there is no such agent"):
        folder.get("small")


def test_a_broken_edit_keeps_the_last_good_version(tmp_path: Path) -> None:
    folder = AgentFolder(tmp_path)
    write(tmp_path / "small.toml", GOOD.encode(), 1)
    good = folder.get("small")
    write(tmp_path / "small.toml", b"name =", 2)
    assert folder.get("small") == good
    assert folder.problems["small.toml"].code == "syntax"
    write(tmp_path / "small.toml", GOOD.encode() + b"\n", 3)
    assert folder.get("small").version != good.version
    assert folder.problems == {}


def test_a_file_that_was_never_good_says_why(tmp_path: Path) -> None:
    write(tmp_path / "small.toml", b"name =", 1)
    with pytest.raises(AgentFileError) as caught:
        AgentFolder(tmp_path).get("small")
    assert caught.value.code == "syntax"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AgentFileError) as caught:
        AgentFolder(tmp_path / "none").all()
    assert caught.value.code == "no_folder"


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.toml", GOOD.encode(), 1)
    write(tmp_path / "b.toml", GOOD.encode(), 1)
    folder = AgentFolder(tmp_path)
    assert list(folder.all()) == ["small"]
    assert folder.problems["b.toml"].code == "duplicate"


def test_a_file_that_cannot_be_read_is_a_problem_of_that_file(tmp_path: Path) -> None:
    (tmp_path / "x.toml").mkdir()
    write(tmp_path / "small.toml", GOOD.encode(), 1)
    folder = AgentFolder(tmp_path)
    assert list(folder.all()) == ["small"]
    assert folder.problems["x.toml"].code == "unreadable"


@pytest.mark.parametrize("name", ["solar", "reminder"])
def test_the_agents_that_ship_are_good(name: str) -> None:
    agents = Path(__file__).parents[3] / "agents"
    agent = AgentFolder(agents).get(name)
    assert "AI assistant" in agent.opening
    assert "stop" in agent.opening


@pytest.mark.parametrize("shape", [Manners, EncounterPolicy, AgentDefinition, Voicemail, Question, Answer, Objection])
def test_every_key_is_documented(shape: type) -> None:
    page = (Path(__file__).parents[3] / "docs" / "agents.md").read_text()
    own = {"version", "manners", "encounters", "voicemail", "questions", "objections", "answers"}
    assert [field.name for field in fields(shape) if field.name not in own and f"`{field.name}`" not in page] == []
