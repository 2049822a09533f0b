import pytest

from telephony.simulator import instructions as twiml

BASE = "https://engine.example/twilio/voice"


def test_every_verb():
    document = """<?xml version="1.0" encoding="UTF-8"?>
    <Response>
      <Say>Hi</Say><Play>https://x.example/a.mp3</Play><Pause length="2"/><Pause/><Pause length="x"/><Pause length="-3"/>
      <Connect action="/after"><Stream url="wss://engine.example/media?lost=1" name="s" statusCallback="stream">
        <Parameter name="a" value="b"/></Stream></Connect>
      <Dial callerId="+1" timeout="5" timeLimit="60" action="dial">+16145550123</Dial>
      <Dial><Sip statusCallback="https://x.example/s" statusCallbackEvent="ringing answered">sip:a@b.c</Sip></Dial>
      <Dial/><Connect/><Gather/><Redirect>/again</Redirect><Reject reason="busy"/><Reject/><Hangup/>
    </Response>"""
    assert twiml.read(document, BASE) == (
        twiml.SaySomething("Hi"),
        twiml.SaySomething("https://x.example/a.mp3"),
        twiml.Pause(2.0),
        twiml.Pause(1.0),
        twiml.Pause(1.0),
        twiml.Pause(1.0),
        twiml.ConnectStream(
            "wss://engine.example/media",
            (("a", "b"),),
            "https://engine.example/after",
            "https://engine.example/twilio/stream",
            "s",
        ),
        twiml.Dial("+16145550123", "+1", "https://engine.example/twilio/dial", 5.0, 60.0),
        twiml.Dial("sip:a@b.c", status_callback="https://x.example/s", status_events=("ringing", "answered")),
        twiml.Skipped("Dial"),
        twiml.Skipped("Connect"),
        twiml.Skipped("Gather"),
        twiml.Redirect("https://engine.example/again"),
        twiml.Reject("busy"),
        twiml.Reject("rejected"),
        twiml.Hangup(),
    )


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("", 12100),
        ("<Response>", 12100),
        ("hello", 12100),
        ('<!DOCTYPE x [<!ENTITY a "b">]><Response>&a;</Response>', 12100),
        ("<response/>", 12200),
        ("<Response/>" + " " * 70_000, 11750),
        ('<Response><Connect><Stream url="https://x.example/m"/></Connect></Response>', 31922),
        ("<Response><Connect><Stream/></Connect></Response>", 31922),
    ],
)
def test_documents_that_cannot_be_run(document, code):
    with pytest.raises(twiml.InstructionFault) as caught:
        twiml.read(document)
    assert caught.value.code == code
