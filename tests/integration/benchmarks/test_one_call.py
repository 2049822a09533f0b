"""A whole measurement in small: our engine behind a real socket, a recorded caller, figures from the recording."""

import asyncio
import io
import json
import socket
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from benchmarks.belief import believed_of
from benchmarks.callers import fleet, load
from benchmarks.callers.fleet import Caller, Order
from benchmarks.callers.scenario import REPLIES, SCENARIOS, Act, Kind, Scenario
from benchmarks.callers.speech import Speech, texts_of, trimmed, write_bank
from benchmarks.callers.step import Step, verdict
from benchmarks.density import accounted
from benchmarks.engines.offhook import Switchboard, app_of
from benchmarks.engines.options import Options
from benchmarks.engines.scripted import Bank
from benchmarks.engines.vendors import BankMind, BankMouth, ScriptedDeepgram
from benchmarks.figures import figures_of, read_recorded
from benchmarks.heard import Voice
from benchmarks.lateness import Part
from benchmarks.vendors.elevenlabs import ElevenLabsStandIn
from benchmarks.vendors.openai import OpenAIStandIn
from benchmarks.vendors.presets import INSTANT
from telephony.embedding import serve_on, webhooks, webhooks_and_media
from telephony.simulator.ledger import CallLedger
from telephony.simulator.people import AfterSilence, At
from telephony.simulator.person import tone
from telephony.simulator.wheel import Wheel
from voice.events import Transcribed
from voice.session import Session


def short(number: int, seed: int) -> Scenario:
    # A second of silence, not less: on a busy machine an engine may rest for half a second within what it says.
    acts = (Act(Kind.HELLO, At(0.0), ("Hello?",)), Act(Kind.TURN, AfterSilence(1.0), ("What does it cost me?",)))
    return Scenario(f"density-{number}", "caller", acts, REPLIES[:2], hangs_up_after=1.0)


@pytest.fixture
def scenario(monkeypatch):
    monkeypatch.setitem(SCENARIOS, "density", short)
    return short(0, 1)


@pytest.fixture
def speech(tmp_path, scenario):
    """Every text a hum of its own pitch, half a second long: a call of a few seconds."""
    known = Speech(tmp_path / "speech")
    for number, (text, voice) in enumerate(dict.fromkeys(texts_of([scenario]))):
        known._known[text, voice] = trimmed(tone(200 + 17 * number, 0.5, -18), ((text.split()[0], 0.0, 0.5),))
    return known


@asynccontextmanager
async def answering(tmp_path, bank: Path, vendors: dict[str, str]):
    """Our engine on a port of its own; its URL and what it notes."""
    notes = tmp_path / "notes.jsonl"
    switchboard = Switchboard(Options(0, bank, notes, "fixed", 1, -1, 0.0, "unjudged", vendors), tmp_path / "journals")
    switchboard.probe.start()
    listener = socket.create_server(("127.0.0.1", 0))
    async with await serve_on(listener, webhooks_and_media(app_of(switchboard))) as serving:
        yield f"ws://127.0.0.1:{serving.port}/", notes
    switchboard.probe.close()
    await switchboard.close()


@pytest.fixture
def bank(tmp_path, scenario, speech):
    return write_bank(tmp_path / "bank.json", [scenario], speech)


@pytest.fixture
async def engine(tmp_path, bank):
    """With scripted parts in its own process."""
    async with answering(tmp_path, bank, {}) as found:
        yield found


@pytest.fixture
async def vendors(tmp_path, bank):
    """The vendors of a run, without delays; what they note, and where they listen."""
    known, notes = Bank(bank), tmp_path / "vendors.jsonl"
    ears, mind = ScriptedDeepgram(INSTANT, 1, known, notes), OpenAIStandIn(INSTANT, 1, mind=BankMind(known))
    async with ears, mind, ElevenLabsStandIn(INSTANT, 1, voice=BankMouth(known), times_for_all=True) as mouth:
        yield notes, {"deepgram": ears.ws_url, "openai": f"{mind.url}/v1", "elevenlabs": mouth.url}


def order(url: str, folder: Path) -> Order:
    return Order(url, "density", 0, 1, 1, folder / "calls", folder / "speech", 0.0, 30.0, -1)


async def test_a_call_is_recorded_and_measured(engine, tmp_path, speech, monkeypatch):
    url, notes = engine
    found = await Caller(order(url, tmp_path), 0, speech, Wheel()).run()
    assert found["ended_by"] == "person"
    recorded = read_recorded(Path(str(found["json"])))
    assert [act.kind for act in recorded.acts] == [Kind.HELLO, Kind.TURN]
    told = [json.loads(line) for line in notes.read_text().splitlines()]
    believed = believed_of(told)[recorded.call_sid]
    assert believed.agent[0].startswith("Hello, this is Ann")
    bank = json.loads((tmp_path / "bank.json").read_text())
    figures = figures_of(recorded, Path(recorded.wav), Voice({}), tuple(bank["scripts"]["density-0"]["replies"]), believed)
    assert figures.seconds > 1
    assert figures.late_frames.of > 50


async def test_a_call_over_the_vendors_sockets(vendors, tmp_path, bank, speech):
    heard, addresses = vendors
    async with answering(tmp_path, bank, addresses) as (url, notes):
        found = await Caller(order(url, tmp_path), 0, speech, Wheel()).run()
    assert found["ended_by"] == "person"
    told = [json.loads(line) for line in notes.read_text().splitlines()]
    believed = believed_of(told)[found["call_sid"]]
    assert believed.agent[1] == REPLIES[0]
    (note,) = (json.loads(line) for line in heard.read_text().splitlines())
    assert note["script"] == "density-0"
    assert [index for index, _, _ in note["sounds"]] == [0, 1]


@asynccontextmanager
async def application(document: str, seen: list[bytes]):
    """A carrier's application: answers every webhook with the same document. Its URL."""

    async def app(scope, receive, send) -> None:
        seen.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/xml")]})
        await send({"type": "http.response.body", "body": document.encode()})

    listener = socket.create_server(("127.0.0.1", 0))
    async with await serve_on(listener, webhooks(app)) as serving:
        yield f"http://127.0.0.1:{serving.port}/voice"


async def test_an_application_says_where_to_connect(tmp_path, speech, scenario):
    seen: list[bytes] = []
    stream = '<Stream url="ws://127.0.0.1:9/media"><Parameter name="call" value="7"/></Stream>'
    document = f"<Response><Connect>{stream}</Connect></Response>"
    async with application(document, seen) as url:
        caller = Caller(order(url, tmp_path), 0, speech, Wheel())
        ledger = CallLedger("CA1", "AC1", "+13025550100", "+16145550100", "inbound", datetime.now(UTC))
        verb = await caller._instructions(ledger)
    assert (verb.url, verb.parameters) == ("ws://127.0.0.1:9/media", (("call", "7"),))
    assert b"CallSid=CA1" in seen[0]


async def test_an_application_without_a_stream_answers_nobody(tmp_path, speech, scenario):
    async with application("<Response><Hangup/></Response>", []) as url:
        found = await Caller(order(url, tmp_path), 0, speech, Wheel()).run()
    assert found["ended_by"] == "nobody"
    assert "12100" in str(found["notes"])


async def test_nobody_answers(tmp_path, speech, scenario):
    found = await Caller(order("ws://127.0.0.1:9/", tmp_path), 0, speech, Wheel()).run()
    assert found["ended_by"] == "nobody"
    assert "31920" in str(found["notes"])


@pytest.fixture
def late(monkeypatch):
    """An engine that hears of every word so many seconds too late."""
    seconds, post = 0.1, Session.post

    def post_late(session, event):
        if isinstance(event, Transcribed):
            asyncio.get_running_loop().call_later(seconds, post, session, event)
        else:
            post(session, event)

    monkeypatch.setattr(Session, "post", post_late)
    return seconds


async def test_many_callers_do_as_they_are_told_and_see_an_engine_that_is_late(engine, late, tmp_path, monkeypatch):
    url, notes = engine
    monkeypatch.setattr(load, "SETTLE", 1.0)
    orders, told = io.BytesIO(b'{"calls": 2, "hold": 5}\n'), io.BytesIO()
    await load.obey(load.Load(url, [("density-0", [b"".join([tone(300, 0.4, -18)])])]), orders, told)
    step = msgspec.json.decode(told.getvalue(), type=Step)
    assert (step.calls, step.live, step.dropped) == (2, 2, 0)
    assert step.frames > 0
    assert {(turn.script, turn.line) for turn in step.turns} == {("density-0", 0)}
    found = accounted(step, tmp_path, [json.loads(line) for line in notes.read_text().splitlines()], "fixed")
    assert len(found) == len(step.turns)
    known = [(each, turn) for each, turn in zip(found, sorted(step.turns, key=lambda turn: turn.call), strict=True) if each]
    assert known
    for each, turn in known:
        assert late < each.total < turn.gap
        assert each.parts[Part.WORDS] > late


async def test_a_refusing_engine_drops_the_callers(monkeypatch):
    monkeypatch.setattr(load, "SETTLE", 0.0)
    step = await load.Load("ws://127.0.0.1:9/", [("none", [tone(300, 0.1)])]).step(1, 0.0)
    assert verdict(step, None) == "calls were dropped"


def test_an_order_is_read_from_the_command_line(tmp_path):
    told = fleet.read_order(["--target", "ws://x", "--out", str(tmp_path), "--speech", str(tmp_path), "--calls", "3"])
    assert (told.suite, told.calls, told.core) == ("latency", 3, -1)
