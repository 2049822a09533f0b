"""Every provider that calls would use, asked by its own adapter before any call: is the key good, is there such a model,
such a voice, is there credit left? In the order of OFFHOOK_STT, OFFHOOK_LLM, OFFHOOK_TTS; one line each, with the cure.

The adapters ask through the vendors' own SDKs, so what is found good here is what a call will do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from api.engines import access_of
from api.findings import Finding, State
from api.settings import EMBEDDED, NEEDS, Settings, is_set
from voice.agent import AgentDefinition
from voice.agent_file import AgentFolder
from voice.errors import AgentFileError, ProviderError, ProviderRejected
from voice.providers.vendors import make_ears, make_mind, make_mouth

CHECKED_WITHIN: Final = 8.0  # seconds for all that one provider is asked
CLOSED_WITHIN: Final = 2.0  # seconds for it to let go

_MAKERS: Final = {"stt": make_ears, "llm": make_mind, "tts": make_mouth}
_CURES: Final = {
    "bad_request": "see {setting} and its options",
    "quota": "top up the account, or name a fallback in {setting}",
    "rate_limited": "try again soon; if it lasts, ask the vendor for more, or name a fallback in {setting}",
    "overloaded": "it has trouble of its own: try later, or name a fallback in {setting}",
    "server_error": "it has trouble of its own: try later, or name a fallback in {setting}",
}


@dataclass(frozen=True, slots=True)
class _Named:
    """A provider as the operator named it."""

    stage: str  # stt | llm | tts
    name: str

    @property
    def vendor(self) -> str:
        return self.name.partition(":")[0]

    @property
    def setting(self) -> str:
        return f"OFFHOOK_{self.stage.upper()}"


async def vendors(settings: Settings) -> list[Finding]:
    """A finding for every vendor that is named, and for every voice its agents ask for; then those that nobody asks for."""
    agents = _agents(settings)
    named = [
        _Named(stage, name)
        for stage in _MAKERS
        for name in getattr(settings, f"{stage}_order")
        if name.partition(":")[0] != EMBEDDED
    ]
    made = [(one, _made(one, settings)) for one in named]  # importing an SDK takes a second or two: not on anybody's clock
    findings = await asyncio.gather(*(_examined(one, part, agents) for one, part in made))
    return [*(finding for found in findings for finding in found), *_unused(settings, {one.vendor for one in named})]


def _agents(settings: Settings) -> list[AgentDefinition]:
    try:
        return list(AgentFolder(settings.agents).all().values())
    except AgentFileError:
        return []  # told elsewhere


def _made(one: _Named, settings: Settings) -> Any | ProviderError:
    try:
        return _MAKERS[one.stage](one.name, access_of(settings))
    except ProviderError as error:
        return error


async def _examined(one: _Named, part: Any | ProviderError, agents: list[AgentDefinition]) -> list[Finding]:
    if isinstance(part, ProviderError):
        return [_failed(one, part)]
    try:
        return [await _answered(one, what, check) for what, check in _checks(one, part, agents)]
    finally:
        async with asyncio.timeout(CLOSED_WITHIN):
            await part.close()


def _checks(one: _Named, part: Any, agents: list[AgentDefinition]) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
    """What is asked of a provider: once, or of a mouth once for every voice."""
    if one.stage != "tts" or not agents:
        agent = agents[0] if agents else AgentDefinition("", "", "", "", "", "")
        yield "", partial(part.check, agent) if one.stage == "tts" else part.check
        return
    seen: set[object] = set()
    for agent in agents:
        voice = part.voice(agent) if hasattr(part, "voice") else ""
        if voice not in seen:
            seen.add(voice)
            yield (f"agent {agent.name}" if len(agents) > 1 else ""), partial(part.check, agent)


async def _answered(one: _Named, what: str, check: Callable[[], Awaitable[None]]) -> Finding:
    part = _part(one, what)
    try:
        async with asyncio.timeout(CHECKED_WITHIN):
            await check()
    except ProviderError as error:
        return _failed(one, error, what)
    except TimeoutError:
        return Finding("parts", part, State.FAIL, f"no answer in {CHECKED_WITHIN:.0f} s", _reach(one))
    return Finding("parts", part, State.OK, "answers; key, model and credit are good" if one.vendor in NEEDS else "answers")


def _failed(one: _Named, error: ProviderError, what: str = "") -> Finding:
    is_passing = not isinstance(error, ProviderRejected) and error.code in ("rate_limited", "overloaded", "server_error")
    words = str(error).removeprefix(f"{error.provider}: ").splitlines()[0]
    return Finding("parts", _part(one, what), State.WARN if is_passing else State.FAIL, words[:200], _cure(one, error.code))


def _part(one: _Named, what: str) -> str:
    """The vendor's plain name where there is only one of it: what follows is its model."""
    return f"{one.name} ({what})" if what else one.name


def _cure(one: _Named, code: str) -> str:
    match code:
        case "wrong_key":
            return f"see {' or '.join(NEEDS.get(one.vendor, ('its key',)))}"
        case "not_found" if one.stage == "tts":
            return "name a voice there is under [voices] in the agent's file, and a model there is in OFFHOOK_TTS"
        case "not_found":
            return f"name a model there is: {one.setting}={one.vendor}:MODEL"
        case "extra_missing":
            extra = one.vendor
            return f"pip install 'offhook[{extra}]'"
        case _ if code in _CURES:
            return _CURES[code].format(setting=one.setting)
        case _:
            return _reach(one)


def _reach(one: _Named) -> str:
    address = {"deepgram": "DEEPGRAM_URL", "elevenlabs": "ELEVENLABS_URL"}.get(one.vendor, f"{one.vendor.upper()}_BASE_URL")
    return f"see {address if one.vendor in NEEDS else 'its options'} and the network"


def _unused(settings: Settings, used: set[str]) -> Iterator[Finding]:
    for vendor, needed in NEEDS.items():
        if vendor in used:
            continue
        has_key = any(is_set(getattr(settings, name.lower())) for name in needed)
        detail = "configured, but no stage names it: not asked" if has_key else "not configured"
        yield Finding("parts", vendor, State.OFF, detail)
