"""Whole calls over real sockets: the official SDK places them, a tiny engine answers and talks."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from telephony.audio import read_wav, silence
from telephony.leg import AudioReceived, KeyReceived, LegStopped, MarkReceived
from telephony.number import SipAddress
from telephony.simulator.person import tone
from telephony.twilio import twiml
from telephony.twilio.rest import Placed

DANA = "+16145550101"
OURS = "+16145550100"


def person(**fields: object) -> str:
    lines = "\n".join(f"{name} = {value}" for name, value in fields.items())
    return f'[[people]]\nnumber = "{DANA}"\nname = "Dana"\nvoice = "female"\nring = 0.05\n{lines}\n'


async def place(carrier, engine, to=DANA, **more):
    placed = await carrier.place(to, OURS, f"{engine.url}/voice", f"{engine.url}/status", 20, **more)
    assert isinstance(placed, Placed)
    return placed.call_sid


async def test_a_call_from_ring_to_recording(engine, start_network, connect, tmp_path: Path):
    network = await start_network(
        person(
            lines='[{at=0.1, say="Hello?"}, {after_silence=0.2, press="9"}, {after_silence=0.2, say="Bye."},'
            " {pause=0.1, hang_up=true}]",
            hang_up_after="0.2",
        )
    )
    carrier = connect(network)
    seen: list[object] = []

    async def talk(link, events):
        link.send([tone(300, 0.4)])
        link.send(["greeted"])
        async for event in events:
            seen.append(event)
            match event:
                case MarkReceived("greeted"):
                    pass
                case KeyReceived():
                    link.send([tone(300, 0.3)])
                    link.send(["thanked"])
                case MarkReceived("thanked"):
                    link.send([silence(800) + tone(300, 0.8)])

    engine.behave = talk
    sid = await place(carrier, engine, amd_callback=f"{engine.url}/amd")
    call = network.network.calls[sid]
    await asyncio.wait_for(call.ended.wait(), 20)
    await engine.until(lambda: "completed" in engine.statuses())

    assert engine.unsigned == []
    assert engine.statuses() == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in engine.forms("/status")] == ["0", "1", "2", "3"]
    assert engine.forms("/amd") == [
        {"CallSid": sid, "AccountSid": carrier.account_sid, "AnsweredBy": "human", "MachineDetectionDuration": "100"}
    ]
    assert engine.forms("/voice")[0]["Direction"] == "outbound-api"
    assert engine.handshakes[0]["user-agent"] == "Twilio.TmeWs/1.0"
    assert "sec-websocket-extensions" not in engine.handshakes[0]
    assert engine.links[0].start.call_sid == sid
    assert engine.links[0].start.parameters == {"attempt": "7"}

    audio = [event for event in seen if isinstance(event, AudioReceived)]
    assert [event.position for event in audio] == [160 * n for n in range(len(audio))]
    assert [type(event).__name__ for event in seen if not isinstance(event, AudioReceived)] == [
        "MarkReceived",
        "KeyReceived",
        "MarkReceived",
        "LegStopped",
    ]
    assert seen[-1] == LegStopped("hangup")

    truth = json.loads((tmp_path / "recordings" / f"{sid}.json").read_bytes())
    rate, samples = read_wav(tmp_path / "recordings" / f"{sid}.wav")
    assert rate == 8000
    assert samples.shape == (truth["samples"], 2)
    assert [line["text"] for line in truth["lines"]] == ["Hello?", "[9]", "Bye."]
    assert [mark["why"] for mark in truth["marks"]] == ["played", "played"]
    for line in (truth["lines"][0], truth["lines"][2]):
        before = samples[: line["start"], 0]
        said = samples[line["start"] : line["end"], 0]
        assert abs(before[-160:]).max() == 0
        assert abs(said).max() > 3000
    assert abs(samples[truth["first_heard"] : truth["first_heard"] + 800, 1]).max() > 3000
    assert abs(samples[: truth["first_heard"], 1]).max() == 0

    record = await carrier.fetch(sid)
    assert record is not None
    assert (record.status, record.direction, record.to) == ("completed", "outbound-api", DANA)
    assert record.duration is not None


async def ended(network, sid):
    call = network.network.calls[sid]
    await asyncio.wait_for(call.ended.wait(), 20)
    return call.describe()


async def test_clear_returns_marks_of_audio_nobody_heard(engine, start_network, connect):
    network = await start_network(person(lines='[{over=0.3, say="Stop, please stop."}, {pause=0.2, hang_up=true}]'))
    marks: list[str] = []

    async def talk(link, events):
        for n in range(10):
            link.send([tone(300, 0.5)])
            link.send([f"m{n}"])
        spoken = 0
        async for event in events:
            if isinstance(event, MarkReceived):
                marks.append(event.name)
            if isinstance(event, AudioReceived) and event.audio != silence(160):
                spoken += 1
                if spoken == 5:
                    link.clear()
                    link.send(["after"])

    engine.behave = talk
    truth = await ended(network, await place(connect(network), engine))
    assert marks == [f"m{n}" for n in range(10)] + ["after"]
    why = {mark["name"]: mark["why"] for mark in truth["marks"]}
    assert why["m0"] in ("played", "cleared")
    assert why["m9"] == "cleared"
    assert why["after"] == "idle"
    assert len(truth["clears"]) == 1
    cleared = truth["clears"][0]
    assert cleared["dropped"] > 0
    # The person began while the agent talked; the engine cleared when it had heard five frames of it.
    assert cleared["at"] >= truth["lines"][0]["start"] + 5 * 160


async def test_a_transfer_lets_two_people_talk_to_each_other(engine, start_network, connect, tmp_path):
    network = await start_network(
        person(lines='[{at=0.1, say="I want a human."}, {after_silence=0.2, say="Hi there, human."}]', hang_up_after=0.3)
        + '[[people]]\nnumber = "sip:closer@example.com"\nring = 0.1\nlines = [{at=0.2, say="Closer here."},'
        ' {after_silence=0.2, say="Goodbye then."}, {pause=0.3, hang_up=true}]\n'
    )
    engine.documents["/dial"] = lambda form: '<?xml version="1.0"?><Response><Hangup/></Response>'
    carrier = connect(network)
    started = asyncio.Event()
    reasons: list[str] = []

    async def talk(link, events):
        async for event in events:
            if isinstance(event, AudioReceived) and event.position == 160 * 30:
                started.set()
            if isinstance(event, LegStopped):
                reasons.append(event.reason)

    engine.behave = talk
    sid = await place(carrier, engine)
    await asyncio.wait_for(started.wait(), 10)
    changed = await carrier.redirect(
        sid, twiml.dial(SipAddress("sip:closer@example.com"), OURS, f"{engine.url}/dial", timeout=5)
    )
    assert changed.status == "in-progress"
    truth = await ended(network, sid)
    [dialled] = engine.forms("/dial")
    assert dialled["DialCallStatus"] == "completed"
    child = await ended(network, dialled["DialCallSid"])
    assert reasons == ["hangup"]
    assert engine.unsigned == []
    assert child["parent_call_sid"] == sid
    assert child["ended_by"] == "person"
    assert [line["text"] for line in child["lines"]] == ["Closer here.", "Goodbye then."]
    assert "Hi there, human." in [line["text"] for line in truth["lines"]]
    [bridge] = truth["bridges"]
    _, parent_audio = read_wav(tmp_path / "recordings" / f"{sid}.wav")
    _, child_audio = read_wav(tmp_path / "recordings" / f"{child['call_sid']}.wav")
    heard = parent_audio[bridge["start"] : bridge["end"], 1]
    first = child["lines"][0]
    said = child_audio[first["start"] : first["end"], 0]
    offsets = [at for at in range(0, len(heard) - len(said), 160) if (heard[at : at + len(said)] == said).all()]
    assert offsets


async def test_the_other_leg_goes_down_with_the_caller(engine, start_network, connect):
    network = await start_network(
        person(lines="[{after_silence=0.1, hang_up=true}]")
        + '[[people]]\nnumber = "+16145550102"\nring = 0.1\nlines = [{at=0.1, say="Hello?"}]\n'
    )
    engine.documents["/voice"] = lambda form: "<Response><Dial>+16145550102</Dial></Response>"
    sid = await place(connect(network), engine)
    truth = await ended(network, sid)
    assert truth["ended_by"] == "person"
    child_sid = truth["bridges"][0]["call_sid"]
    child = await ended(network, child_sid)
    assert (child["status"], child["ended_by"]) == ("completed", "other")


async def test_nobody_to_transfer_to(engine, start_network, connect):
    network = await start_network(
        person(lines="[]") + '[[people]]\nnumber = "+16145550102"\nattempts = ["busy"]\nring = 0.05\n'
    )
    engine.documents["/voice"] = lambda form: f'<Response><Dial action="{engine.url}/dial">+16145550102</Dial></Response>'
    engine.documents["/dial"] = lambda form: "<Response><Hangup/></Response>"
    await ended(network, await place(connect(network), engine))
    [dialled] = engine.forms("/dial")
    assert dialled["DialCallStatus"] == "busy"
    assert dialled["DialBridged"] == "false"


async def test_outcomes_by_attempt(engine, start_network, connect):
    network = await start_network(
        person(
            attempts='["busy", "no_answer", "rejected", "unreachable", "invalid", "answers"]',
            lines="[{at=0.1, hang_up=true}]",
        )
    )
    carrier = connect(network)
    seen = []
    for _ in range(4):
        sid = (await carrier.place(DANA, OURS, f"{engine.url}/voice", f"{engine.url}/status", 1)).call_sid
        truth = await ended(network, sid)
        seen.append((truth["outcome"], truth["status"], truth["sip_code"]))
    assert seen == [
        ("busy", "busy", 486),
        ("no_answer", "no-answer", 487),
        ("rejected", "busy", 603),
        ("unreachable", "failed", 404),
    ]
    refused = await carrier.place(DANA, OURS, f"{engine.url}/voice", f"{engine.url}/status", 1)
    assert refused.verdict.disposition == "invalid_number"
    assert refused.verdict.code == 21217
    truth = await ended(network, await place(carrier, engine))
    assert truth["status"] == "completed"
    await engine.until(lambda: engine.statuses()[-1] == "completed")
    finals = [form for form in engine.forms("/status") if form["CallStatus"] in ("busy", "no-answer", "failed", "completed")]
    assert [form.get("SipResponseCode") for form in finals] == ["486", "487", "603", "404", None]


async def test_voicemail_greets_beeps_and_is_detected(engine, start_network, connect):
    network = await start_network(person(attempts='["voicemail"]', greeting='"Leave one."', message_limit=0.3))
    sid = await place(connect(network), engine, amd_callback=f"{engine.url}/amd")
    truth = await ended(network, sid)
    assert [line["text"] for line in truth["lines"]] == ["Leave one.", "[beep]"]
    assert engine.forms("/amd")[0]["AnsweredBy"] == "machine_start"
    assert truth["ended_by"] == "person"


async def test_people_call_in(engine, start_network, connect):
    network = await start_network(
        person(lines="[]", calls=f'[{{to="{OURS}", at=0.05, lines=[{{at=0.1, say="Hi."}}, {{pause=0.1, hang_up=true}}]}}]')
    )
    await engine.until(lambda: "completed" in engine.statuses())
    [sid] = network.network.calls
    truth = await ended(network, sid)
    assert (truth["direction"], truth["status"], truth["from"]) == ("inbound", "completed", DANA)
    form = engine.forms("/voice")[0]
    assert (form["Direction"], form["CallStatus"], form["To"]) == ("inbound", "ringing", OURS)
    assert engine.unsigned == []


async def test_an_inbound_call_may_be_rejected(engine, start_network, connect):
    network = await start_network(person(lines="[]"))
    engine.documents["/voice"] = lambda form: '<Response><Reject reason="busy"/></Response>'
    call = network.network.call_in(DANA, OURS)
    truth = await ended(network, call.ledger.sid)
    assert (truth["status"], truth["answered_at"]) == ("busy", None)


async def test_rest_hangs_up_a_live_call_and_the_stream_stops(engine, start_network, connect):
    network = await start_network(person(lines="[]"))
    carrier = connect(network)
    reasons = []

    async def talk(link, events):
        async for event in events:
            if isinstance(event, AudioReceived) and event.position == 800:
                assert (await carrier.hang_up(link.start.call_sid)).status == "in-progress"
            if isinstance(event, LegStopped):
                reasons.append(event.reason)

    engine.behave = talk
    sid = await place(carrier, engine)
    truth = await ended(network, sid)
    assert (truth["status"], truth["ended_by"], reasons) == ("completed", "engine", ["hangup"])
    again = await carrier.hang_up(sid)
    assert again.verdict.code == 21220


async def test_the_engine_ends_the_call_by_closing_its_socket(engine, start_network, connect):
    network = await start_network(person(lines="[]"))

    async def talk(link, events):
        async for event in events:
            if isinstance(event, AudioReceived) and event.position == 800:
                await link.close()

    engine.behave = talk
    truth = await ended(network, await place(connect(network), engine))
    assert (truth["status"], truth["ended_by"]) == ("completed", "engine")
    await engine.until(lambda: len(engine.forms("/stream")) == 2)
    assert [form["StreamEvent"] for form in engine.forms("/stream")] == ["stream-started", "stream-stopped"]


async def test_wrong_messages_are_ignored_and_noted_once(engine, start_network, connect):
    network = await start_network(person(lines="[{over=0.1, hang_up=true}]"))

    async def talk(link, events):
        raw = link._socket
        for text in (
            "{",
            '{"event":"clear"}',
            '{"event":"clear","streamSid":"MZother"}',
            '{"event":"hello","streamSid":"x"}',
        ):
            raw.send(text)
        link.send([tone(300, 1.0)])
        async for _ in events:
            pass

    engine.behave = talk
    truth = await ended(network, await place(connect(network), engine))
    assert truth["notes"] == ["31951: invalid message"]
    assert truth["first_heard"] is not None


async def test_instructions_that_cannot_be_had_end_the_call(engine, start_network, connect):
    network = await start_network(person(lines="[]"))
    engine.documents["/voice"] = lambda form: "<Response><Oops"
    truth = await ended(network, await place(connect(network), engine))
    assert truth["status"] == "completed"
    assert truth["notes"][0].startswith("12100")


async def test_a_stream_to_nowhere_fails_and_the_next_verb_runs(engine, start_network, connect):
    network = await start_network(person(lines="[]"))
    engine.documents["/voice"] = lambda form: (
        f'<Response><Connect><Stream url="ws://127.0.0.1:9/x"/></Connect><Redirect>{engine.url}/again</Redirect></Response>'
    )
    engine.documents["/again"] = lambda form: "<Response><Pause length='0'/><Say>x</Say><Gather/><Hangup/></Response>"
    truth = await ended(network, await place(connect(network), engine))
    assert len(engine.forms("/again")) == 1
    assert truth["notes"][0].startswith("31920")


async def test_calls_wait_for_their_turn(engine, start_network, connect):
    network = await start_network(person(lines="[{at=0.1, hang_up=true}]"), calls_per_second=0.01)
    carrier = connect(network)
    sids = [await place(carrier, engine) for _ in range(3)]
    first, second, third = (network.network.calls[sid].ledger.queue_ms for sid in sids)
    assert first == 0 < second <= 100_000 < third
    for sid in sids[1:]:
        assert (await carrier.hang_up(sid)).status == "queued"
    assert [(await ended(network, sid))["status"] for sid in sids] == ["completed", "canceled", "canceled"]


async def test_small_verbs_and_limits(engine, start_network, connect):
    network = await start_network(
        person(lines="[]")
        + '[[people]]\nnumber = "+16145550102"\nring = 0.05\n'
        + '[[people]]\nnumber = "+16145550103"\nattempts = ["invalid"]\n'
    )
    engine.documents["/voice"] = lambda form: (
        f'<Response><Connect action="{engine.url}/again"><Stream url="{engine.media_url}"/></Connect></Response>'
    )
    engine.documents["/again"] = lambda form: (
        f'<Response><Pause length="0"/><Dial timeLimit="1" action="{engine.url}/dial"><Number>+16145550102</Number></Dial>'
        "</Response>"
        if len(engine.forms("/dial")) == 0
        else f'<Response><Dial action="{engine.url}/dial">+16145550103</Dial></Response>'
    )
    engine.documents["/dial"] = lambda form: (
        f"<Response><Redirect>{engine.url}/again</Redirect></Response>"
        if len(engine.forms("/dial")) == 1
        else "<Response><Say>Bye</Say><Reject/></Response>"
    )

    async def leave(link, events):
        await anext(events)
        await link.close()

    engine.behave = leave
    truth = await ended(network, await place(connect(network), engine))
    assert engine.forms("/again")[0]["StreamSid"] == truth["streams"][0]["stream_sid"]
    assert [form["DialCallStatus"] for form in engine.forms("/dial")] == ["completed", "failed"]
    first = await ended(network, engine.forms("/dial")[0]["DialCallSid"])
    assert (first["ended_by"], first["lines"]) == ("network", [])


async def test_a_call_has_a_longest_time(engine, start_network, connect):
    network = await start_network(person(lines="[]"))
    truth = await ended(network, await place(connect(network), engine, time_limit=1))
    assert (truth["status"], truth["ended_by"]) == ("completed", "network")
    await engine.until(lambda: len(engine.forms("/stream")) == 2)
    assert engine.forms("/stream")[-1]["StreamEvent"] == "stream-stopped"


async def test_a_defect_of_the_network_fails_one_call_and_no_more(engine, start_network, connect, monkeypatch):
    network = await start_network(person(lines="[{at=0.1, hang_up=true}]"))
    carrier = connect(network)

    async def broken(url, form):
        raise RuntimeError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr(network.network.webhooks, "instructions", broken)
        truth = await ended(network, await place(carrier, engine))
    assert truth["status"] == "failed"
    assert (await ended(network, await place(carrier, engine)))["status"] == "completed"


async def test_nobody_has_that_number(engine, start_network, connect):
    network = await start_network(person(lines="[]"))
    truth = await ended(network, await place(connect(network), engine, to="+16145550188"))
    assert (truth["status"], truth["sip_code"], truth["answered_at"]) == ("failed", 404, None)


async def test_more_audio_than_the_carrier_keeps_is_thrown_away(engine, start_network, connect, monkeypatch):
    monkeypatch.setattr("telephony.simulator.playout.CAPACITY", 100)
    monkeypatch.setattr("telephony.simulator.playout.Playout.__init__.__defaults__", (100,))
    network = await start_network(person(lines="[{at=1.0, hang_up=true}]"))

    async def talk(link, events):
        link.send([tone(300, 1.0)])
        link._socket.send(json.dumps({"event": "media", "streamSid": "MZx"}))
        async for _ in events:
            pass

    engine.behave = talk
    truth = await ended(network, await place(connect(network), engine))
    assert truth["notes"] == ["31931: more than ten minutes of audio buffered", "31951: invalid message"]
