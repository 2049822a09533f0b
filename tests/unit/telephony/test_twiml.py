from xml.etree import ElementTree

import pytest

from telephony.errors import TwimlError
from telephony.number import PhoneNumber, SipAddress
from telephony.simulator import instructions
from telephony.twilio import twiml


def parsed(document):
    return ElementTree.fromstring(document)


def test_a_stream_ends_with_a_hangup():
    document = twiml.connect_stream("wss://x.example/media", {"token": 'a"<&b'}, action="https://x.example/after")
    root = parsed(document)
    assert [child.tag for child in root] == ["Connect", "Hangup"]
    stream = root.find("Connect/Stream")
    assert stream is not None
    assert stream.get("url") == "wss://x.example/media"
    parameter = stream.find("Parameter")
    assert parameter is not None
    assert (parameter.get("name"), parameter.get("value")) == ("token", 'a"<&b')
    assert root[0].get("action") == "https://x.example/after"
    assert parsed(twiml.connect_stream("wss://x.example/media")).find("Connect/Stream/Parameter") is None


def test_a_stream_that_ends_may_ask_what_comes_next():
    document = twiml.connect_stream("wss://x.example/media", then="https://x.example/twilio/voice?call=ca_1&x=2")
    root = parsed(document)
    assert [child.tag for child in root] == ["Connect", "Redirect"]
    assert (root[1].text, root[1].get("method")) == ("https://x.example/twilio/voice?call=ca_1&x=2", "POST")


@pytest.mark.parametrize(
    "url", ["https://x.example/media", "/media", "wss://x.example/m?a=1", "wss://x.example/m#a", "wss:///m"]
)
def test_urls_twilio_would_refuse_or_cut(url):
    with pytest.raises(TwimlError, match="bad_url"):
        twiml.connect_stream(url)


def test_parameters_have_a_limit():
    twiml.connect_stream("wss://x.example/media", {"n": "v" * 498})
    with pytest.raises(TwimlError, match="parameter_too_long"):
        twiml.connect_stream("wss://x.example/media", {"n": "v" * 499})


def test_dialling_a_number_and_a_sip_address():
    document = twiml.dial(
        PhoneNumber("+16145550123"), "+16145550100", "https://x.example/dial", timeout=20, say_first="One <moment>"
    )
    say, dial = parsed(document)
    assert say.text == "One <moment>"
    assert dial.attrib == {
        "callerId": "+16145550100",
        "action": "https://x.example/dial",
        "method": "POST",
        "timeout": "20",
        "answerOnBridge": "true",
    }
    assert (dial[0].tag, dial[0].text) == ("Number", "+16145550123")
    sip = parsed(twiml.dial(SipAddress("sip:a@b.example?x=1&y=2"), "", "/d", time_limit=600))[0]
    assert (sip[0].tag, sip[0].text, sip.get("timeLimit")) == ("Sip", "sip:a@b.example?x=1&y=2", "600")


def test_small_documents():
    assert parsed(twiml.reject("busy"))[0].attrib == {"reason": "busy"}
    with pytest.raises(TwimlError, match="bad_reason"):
        twiml.reject("rude")
    assert parsed(twiml.hangup())[0].tag == "Hangup"
    assert len(parsed(twiml.empty())) == 0
    assert parsed(twiml.pause(3))[0].attrib == {"length": "3"}
    say, hangup = parsed(twiml.say_and_hang_up("Sorry \x00\x0b& bye \ud83d", "alice"))
    assert (say.text, say.get("voice"), hangup.tag) == ("Sorry & bye ", "alice", "Hangup")


def test_words_never_become_verbs():
    document = twiml.say_and_hang_up("</Say><Dial>+19005550100</Dial>")
    assert [child.tag for child in parsed(document)] == ["Say", "Hangup"]


def test_our_network_reads_what_we_write():
    verbs = instructions.read(twiml.connect_stream("wss://x.example/media", {"a": "b"}))
    assert verbs == (instructions.ConnectStream("wss://x.example/media", (("a", "b"),)), instructions.Hangup())
