from datetime import UTC, datetime, timedelta

from telephony.simulator.ledger import CallLedger, Wanted
from telephony.twilio import callbacks

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def ledger(**more):
    made = CallLedger("CA1", "AC1", "+16145550101", "+16145550100", "outbound-api", AT)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def test_a_call_that_was_answered():
    call = ledger(wanted=Wanted("https://x.example/s", ("initiated", "completed")))
    assert call.status_form("initiated", AT)["SequenceNumber"] == "0"
    assert call.status_form("ringing", AT) is None
    call.answer(AT + timedelta(seconds=3))
    assert call.duration is None
    call.end("completed", AT + timedelta(seconds=64.2))
    form = call.status_form("completed", AT)
    assert form is not None
    assert (form["CallDuration"], form["Duration"], form["SequenceNumber"]) == ("62", "2", "1")
    read = callbacks.status_changed(form)
    assert (read.call_status, read.duration, read.at) == ("completed", 62, AT)
    resource = call.resource()
    assert (resource["status"], resource["duration"], resource["to_formatted"]) == ("completed", "62", "(614) 555-0101")
    assert resource["start_time"] == "Fri, 20 Nov 2026 09:00:03 +0000"


def test_a_call_that_was_not():
    call = ledger(wanted=Wanted("https://x.example/s"), answered_by="", status="initiated")
    assert call.resource()["status"] == "queued"
    assert (call.resource()["start_time"], call.resource()["duration"]) == (None, None)
    call.end("no-answer", AT, 487)
    form = call.status_form("completed", AT)
    assert form is not None
    assert (form["CallStatus"], form["CallDuration"], form["SipResponseCode"]) == ("no-answer", "0", "487")
    assert call.resource()["duration"] == "0"
    assert call.has_ended


def test_who_answered_is_told_at_the_end():
    call = ledger(wanted=Wanted("https://x.example/s"), answered_by="human")
    call.answer(AT)
    call.end("completed", AT + timedelta(seconds=1))
    assert call.status_form("completed", AT)["AnsweredBy"] == "human"


def test_requests_for_instructions():
    assert "ParentCallSid" not in ledger().voice_form()
    assert ledger(parent_sid="CA0").voice_form()["ParentCallSid"] == "CA0"
    assert ledger(direction="inbound").voice_form()["StirVerstat"] == "TN-Validation-Passed-A"
    assert ledger(to="sip:a@b").resource()["to_formatted"] == "sip:a@b"


def test_notes_are_written_once():
    call = ledger()
    call.note("31951")
    call.note("31951")
    assert call.notes == ["31951"]
