"""Reads agents from `*.toml`: decides whether a file is a usable agent, and says in one sentence why not.

Never half-loads: a file with a problem is refused whole, and while it is broken `AgentFolder` keeps the last good version.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

import structlog

from voice.agent import (
    AgentDefinition,
    AnotherPersonAction,
    Answer,
    AnswerKind,
    EncounterPolicy,
    HoldAction,
    LanguageAction,
    Manners,
    Objection,
    Question,
    ScreenerAction,
    Then,
    Voicemail,
    VoicemailAction,
)
from voice.agent_table import Table
from voice.errors import AgentFileError
from voice.language.wording import AGENT_BLANKS, BLANK
from voice.phrases import is_cheerful
from voice.tongues import tongue_of
from voice.tongues.table import Sentences

_E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_SIP: Final = re.compile(r"sips?:[^\s@]+(@[^\s@]+)?")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SAID: Final = tuple(field.name for field in fields(Manners) if isinstance(field.default, str))  # every fixed sentence
_LARGEST_FILE: Final = 256 * 1024  # bytes: an agent is a few pages; more is a mistake or an attack

_Choice = TypeVar("_Choice", bound=StrEnum)
log = structlog.get_logger()


def parse_agent(content: bytes, file: str) -> AgentDefinition:
    """The agent a file describes. `file` is its name in messages. Raises `AgentFileError` for the first problem found."""
    if len(content) > _LARGEST_FILE:
        raise AgentFileError("too_large", f"{file}: file: is larger than {_LARGEST_FILE} bytes: shorten it")
    try:
        root = Table(file, "", tomllib.loads(content.decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise AgentFileError("not_text", f"{file}: file: is not UTF-8 text: save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise AgentFileError("syntax", f"{file}: file: is not TOML ({error}): correct that line") from None
    agent = _agent(root, version=hashlib.sha256(content).hexdigest()[:16])
    root.end()
    _check(root, agent)
    return agent


def _agent(root: Table, version: str) -> AgentDefinition:
    return AgentDefinition(
        name=root.text("name"),
        seller=root.text("seller"),
        persona=root.text("persona"),
        goal=root.text("goal"),
        opening=root.text("opening"),
        goodbye=root.text("goodbye"),
        inbound_opening=root.text("inbound_opening", ""),
        language=root.text("language", "en-US"),
        voice=root.text("voice", "female"),
        voices=root.mapping("voices"),
        callback_number=root.text("callback_number", ""),
        numbers=root.texts("numbers"),
        transfer_to=root.text("transfer_to", ""),
        questions=tuple(_question(table) for table in root.tables("questions")),
        objections=tuple(_objection(table) for table in root.tables("objections")),
        voicemail=_voicemail(root.table("voicemail")),
        encounters=_encounters(root.table("encounters"), _sentences_of(root)),
        manners=_manners(root.table("manners"), _sentences_of(root)),
        instructions=root.text("instructions", ""),
        keyterms=root.texts("keyterms"),
        call_budget=root.dollars("call_budget"),
        version=version,
    )


def _question(table: Table) -> Question:
    question = Question(
        id=table.text("id"),
        ask=table.text("ask"),
        kind=table.choice("kind", AnswerKind),
        answers=tuple(_answer(answer) for answer in table.tables("answers")),
        again=table.text("again", ""),
        known=table.text("known", ""),
    )
    table.end()
    if question.kind is AnswerKind.CHOICE and not any(answer.phrases for answer in question.answers):
        raise table.problem("missing", "answers", "a choice needs answers with phrases: add [[questions.answers]]")
    return question


def _answer(table: Table) -> Answer:
    answer = Answer(
        value=table.text("value"),
        phrases=table.texts("phrases"),
        say=table.text("say", ""),
        then=table.choice("then", Then, Then.GO_ON),
    )
    table.end()
    return answer


def _objection(table: Table) -> Objection:
    objection = Objection(
        id=table.text("id"),
        phrases=table.texts("phrases"),
        say=table.text("say"),
        then=table.choice("then", Then, Then.ASK_AGAIN),
        remember=table.text("remember", ""),
    )
    table.end()
    if not objection.phrases:
        raise table.problem("missing", "phrases", "is missing: list what people say for it")
    return objection


def _voicemail(table: Table) -> Voicemail:
    action = table.choice("action", VoicemailAction, VoicemailAction.HANG_UP)
    leaves = action is VoicemailAction.LEAVE_MESSAGE
    voicemail = Voicemail(action, table.text("text", None if leaves else ""))
    table.end()
    return voicemail


def _sentences_of(root: Table) -> Sentences | None:
    """What is said in the agent's language where its file is silent; None: the file must not be, for nobody would understand
    an English sentence there, least of all that they will not be called again."""
    tongue = tongue_of(root.text("language", "en-US"))
    return tongue.sentences if tongue is not None else None


def _encounters(table: Table, sentences: Sentences | None) -> EncounterPolicy:
    plain = EncounterPolicy()
    encounters = EncounterPolicy(
        screener=table.choice("screener", ScreenerAction, plain.screener),
        screener_says=table.text("screener_says", sentences.screener_says if sentences else None),
        hold=table.choice("hold", HoldAction, plain.hold),
        another_person=table.choice("another_person", AnotherPersonAction, plain.another_person),
        wait_for=table.seconds("wait_for", plain.wait_for, least=5.0),
        language=table.choice("language", LanguageAction, plain.language),
        language_says=table.text("language_says", sentences.language_says if sentences else None),
    )
    table.end()
    return encounters


def _manners(table: Table, sentences: Sentences | None) -> Manners:
    usual = sentences.manners if sentences is not None else None
    plain = usual or Manners(acknowledgements=(), fillers=())
    said = {name: table.text(name, getattr(usual, name) if usual else None) for name in _SAID}
    manners = Manners(
        **said,
        acknowledgements=table.texts("acknowledgements", plain.acknowledgements),
        fillers=table.texts("fillers", plain.fillers),
        hello_within=table.seconds("hello_within", plain.hello_within, least=0.0),
        silence_after=table.seconds("silence_after", plain.silence_after),
        longest_call=table.seconds("longest_call", plain.longest_call),
    )
    table.end()
    return manners


def _check(root: Table, agent: AgentDefinition) -> None:
    """What no single field can tell: numbers that are numbers, ids that are told apart, blanks that can be filled."""
    if not _NAME.fullmatch(agent.name):
        raise root.problem("bad_value", "name", f"{agent.name!r} must be of a-z, 0-9, - and _ only")
    for key, number in (("callback_number", agent.callback_number), *(("numbers", each) for each in agent.numbers)):
        if number and not _E164.fullmatch(number):
            raise root.problem("bad_number", key, f"{number!r} is not a number like +13025550100")
    target = agent.transfer_to
    if target and not (_E164.fullmatch(target) or _SIP.fullmatch(target)):
        raise root.problem("bad_number", "transfer_to", f"{target!r} is neither like +13025550100 nor like sip:desk@host")
    for key in ("acknowledgements", "fillers"):
        for words in getattr(agent.manners, key):
            if is_cheerful(words):
                raise root.problem(
                    "bad_value", f"manners.{key}", f"{words!r} may be said before bad news: use neutral words"
                )
    _check_ids(root, agent)
    _check_targets(root, agent)
    _check_blanks(root, agent)


def _check_ids(root: Table, agent: AgentDefinition) -> None:
    for key, ids in (("questions", [q.id for q in agent.questions]), ("objections", [o.id for o in agent.objections])):
        for name in ids:
            if ids.count(name) > 1:
                raise root.problem("duplicate", key, f"the id {name!r} is there twice: rename one")


def _check_targets(root: Table, agent: AgentDefinition) -> None:
    if agent.encounters.language is LanguageAction.TRANSFER and not agent.transfer_to:
        raise root.problem("missing", "transfer_to", "is missing, but another language leads to a transfer: add it")
    leads = [a.then for q in agent.questions for a in q.answers] + [o.then for o in agent.objections]
    if Then.TRANSFER in leads and not agent.transfer_to:
        raise root.problem("missing", "transfer_to", "is missing, but something leads to a transfer: add it")


def _check_blanks(root: Table, agent: AgentDefinition) -> None:
    slots = AGENT_BLANKS | {question.id for question in agent.questions}
    for where, text, allowed in _sentences(agent, slots):
        for blank in BLANK.findall(text):
            if blank not in allowed:
                raise root.problem("unknown_blank", where, f"{{{blank}}} can't be filled; use: {', '.join(sorted(allowed))}")


def _sentences(agent: AgentDefinition, slots: frozenset[str]) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Everything that will be spoken: where it stands, the text, and the blanks it may have."""
    yield "opening", agent.opening, slots
    yield "inbound_opening", agent.inbound_opening, slots
    yield "goodbye", agent.goodbye, slots
    yield "voicemail.text", agent.voicemail.text, slots
    yield "encounters.screener_says", agent.encounters.screener_says, slots
    yield "encounters.language_says", agent.encounters.language_says, slots
    yield "manners.identity", agent.manners.identity, slots
    yield "manners.robot", agent.manners.robot, slots
    yield "manners.which_time", agent.manners.which_time, frozenset({"value"})
    for question in agent.questions:
        yield f"questions.{question.id}.ask", question.ask, slots
        yield f"questions.{question.id}.again", question.again, slots
        yield f"questions.{question.id}.known", question.known, slots | {"value"}
        for answer in question.answers:
            yield f"questions.{question.id}.answers.say", answer.say, slots | {"value"}
    for objection in agent.objections:
        yield f"objections.{objection.id}.say", objection.say, slots


@dataclass(frozen=True, slots=True)
class _Loaded:
    stamp: tuple[int, int]  # modification time in nanoseconds, size in bytes
    agent: AgentDefinition | None


class AgentFolder:
    """The agents of a folder, each read anew when its file changes.

    `problems` holds, by file name, why a file is not in use as it stands now. Looking costs one directory listing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loaded: dict[str, _Loaded] = {}
        self.problems: dict[str, AgentFileError] = {}

    def get(self, name: str) -> AgentDefinition:
        """The agent of that name, in its last good version. Raises `AgentFileError` when there is none."""
        agents = self.all()
        if name in agents:
            return agents[name]
        if problem := self.problems.get(f"{name}.toml"):
            raise problem
        known = ", ".join(sorted(agents)) or "none"
        raise AgentFileError("no_such_agent", f"{self._path}: {name}: there is no such agent; there are: {known}")

    def all(self) -> dict[str, AgentDefinition]:
        """Every usable agent by name."""
        self._refresh()
        return {loaded.agent.name: loaded.agent for _, loaded in sorted(self._loaded.items()) if loaded.agent}

    def for_number(self, number: str) -> AgentDefinition | None:
        """The agent that answers one of our numbers (`+1...`), if any does."""
        return next((agent for agent in self.all().values() if number in agent.numbers), None)

    def _refresh(self) -> None:
        if not self._path.is_dir():
            raise AgentFileError("no_folder", f"{self._path}: folder: is not there: make it, or set OFFHOOK_AGENTS")
        files = {file.name: file for file in self._path.glob("*.toml")}
        for name in [name for name in self._loaded if name not in files]:
            del self._loaded[name]
            self.problems.pop(name, None)
        for name, file in sorted(files.items()):
            self._refresh_file(name, file)

    def _refresh_file(self, name: str, file: Path) -> None:
        held = self._loaded.get(name)
        stamp = (-1, -1)
        try:
            found = file.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if held is not None and held.stamp == stamp:
                return
            agent = parse_agent(file.read_bytes(), name)
            self._refuse_namesake(name, agent)
        except OSError as error:
            self._keep(name, held, stamp, AgentFileError("unreadable", f"{name}: file: cannot be read ({error.strerror})"))
        except AgentFileError as error:
            self._keep(name, held, stamp, error)
        else:
            if held is not None and held.agent != agent:
                log.info("agent_reloaded", file=name, version=agent.version)
            self._loaded[name] = _Loaded(stamp, agent)
            self.problems.pop(name, None)

    def _keep(self, name: str, held: _Loaded | None, stamp: tuple[int, int], problem: AgentFileError) -> None:
        log.warning("agent_file_refused", file=name, code=problem.code, problem=str(problem))
        self.problems[name] = problem
        self._loaded[name] = _Loaded(stamp, held.agent if held else None)

    def _refuse_namesake(self, name: str, agent: AgentDefinition) -> None:
        for other, loaded in self._loaded.items():
            if other != name and loaded.agent is not None and loaded.agent.name == agent.name:
                raise AgentFileError("duplicate", f"{name}: name: {agent.name!r} is also the name in {other}: rename one")
