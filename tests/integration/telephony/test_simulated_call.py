"""Whole calls over real sockets: the official SDK places them, a tiny engine answers and talks."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from telephony.audio import read_wav, silence
from telephony.leg import AudioReceived, KeyReceived, LegStopped, MarkReceived
from telephony.simulator.person import tone
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
            lines='[{at=0.1, say="Hello?"}, {after_silence=0.2, press="9"}, {after_silence=0.2, say="Bye."}, {pause=0.1, hang_up=true}]',
            hang_up_after="0.2",
        )
    )
    carrier = connect(network)
    seen: list[object] = []

    async def talk(link, events):
        link.send_audio(tone(300, 0.4))
        link.send_mark("greeted")
        async for event in events:
            seen.append(event)
            match event:
                case MarkReceived("greeted"):
                    pass
                case KeyReceived():
                    link.send_audio(tone(300, 0.3))
                    link.send_mark("thanked")
                case MarkReceived("thanked"):
                    link.send_audio(silence(800) + tone(300, 0.8))

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
