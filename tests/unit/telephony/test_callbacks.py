from datetime import UTC, datetime
from itertools import permutations

import pytest

from telephony.errors import ProtocolViolation
from telephony.twilio import callbacks

BASE = {"CallSid": "CA1", "AccountSid": "AC1", "To": "+16145550101", "From": "+16145550100", "Direction": "outbound-api"}


def status(word, sequence=None, **more):
    form = BASE | {"CallStatus": word} | more
    return callbacks.status_changed(form if sequence is None else form | {"SequenceNumber": str(sequence)})


def test_a_voice_request():
    request = callbacks.voice_request(BASE | {"CallStatus": "in-progress", "AnsweredBy": "human", "NewOne": "x"})
    assert (request.call_sid, request.to, request.from_, request.answered_by) == (
        "CA1",
        "+16145550101",
        "+16145550100",
        "human",
    )
    assert not request.is_inbound
    assert not request.is_caller_verified
    inbound = callbacks.voice_request(
        {
            "CallSid": "CA2",
            "Called": "+1",
            "Caller": "+2",
            "Direction": "inbound",
            "StirVerstat": "TN-Validation-Passed-A-Diverted",
            "ErrorCode": "11200",
        }
    )
    assert inbound.is_inbound
    assert inbound.is_caller_verified
    assert (inbound.to, inbound.from_, inbound.error_code) == ("+1", "+2", 11200)


def test_a_status():
    changed = status(
        "completed", 3, CallDuration="7", SipResponseCode="487", Timestamp="Fri, 20 Nov 2026 09:00:00 +0000", ErrorCode="x"
    )
    assert (changed.sequence, changed.duration, changed.sip_code, changed.error_code) == (3, 7, 487, None)
    assert changed.at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert changed.is_final
    assert not status("ringing").is_final


@pytest.mark.parametrize(
    "read", [callbacks.voice_request, callbacks.status_changed, callbacks.answered_by, callbacks.dial_ended]
)
@pytest.mark.parametrize("form", [{}, {"CallSid": ""}, {"CallSid": "C" * 300}])
def test_a_callback_that_names_no_call(read, form):
    with pytest.raises(ProtocolViolation, match="missing_parameter"):
        read(form)


@pytest.mark.parametrize(
    ("said", "party", "is_over"),
    [
        ("human", "human", False),
        ("machine_start", "machine", False),
        ("machine_end_beep", "machine", True),
        ("fax", "fax", False),
        ("unknown", "unknown", False),
        ("martian", "unknown", False),
    ],
)
def test_who_answered(said, party, is_over):
    found = callbacks.answered_by(
        {"CallSid": "CA1", "AccountSid": "AC1", "AnsweredBy": said, "MachineDetectionDuration": "2300"}
    )
    assert (found.party, found.is_greeting_over, found.after) == (party, is_over, 2.3)
    assert callbacks.answered_by({"CallSid": "CA1", "AnsweredBy": said}).after is None


def test_the_end_of_a_dial():
    ended = callbacks.dial_ended(BASE | {"DialCallStatus": "completed", "DialCallSid": "CA2", "DialCallDuration": "12"})
    assert (ended.is_bridged, ended.dial_call_sid, ended.duration, ended.sip_code) == (True, "CA2", 12, None)
    assert not callbacks.dial_ended(BASE | {"DialCallStatus": "busy"}).is_bridged


def test_a_stream():
    changed = callbacks.stream_changed(
        BASE
        | {"StreamSid": "MZ1", "StreamEvent": "stream-error", "StreamError": "x", "Timestamp": "2026-11-20T09:00:00.000Z"}
    )
    assert (changed.event, changed.error, changed.at) == ("stream-error", "x", datetime(2026, 11, 20, 9, tzinfo=UTC))


@pytest.mark.parametrize("text", ["", "soon", "2026-99-99", "2026-11-20T09:00:00", "Fri, 20 Nov 2026 09:00:00 -0000"])
def test_times_that_cannot_be_used(text):
    assert status("ringing", Timestamp=text).at is None


def test_callbacks_in_any_order_end_in_the_same_state():
    life = [status("initiated", 0), status("ringing", 1), status("in-progress", 2), status("completed", 3)]
    for order in permutations([*life, life[3], life[1]]):
        known = None
        seen = []
        for each in order:
            if callbacks.is_news(known, each):
                known = each.call_status
                seen.append(callbacks.rank(known))
        assert known == "completed"
        assert seen == sorted(set(seen))


def test_a_call_ends_once():
    assert not callbacks.is_news("no-answer", status("completed"))
    assert not callbacks.is_news("completed", status("completed"))


def test_a_status_we_do_not_know_is_not_news():
    assert not callbacks.is_news(None, status("levitating"))
    assert callbacks.is_news("levitating", status("ringing"))


@pytest.mark.parametrize("text", ["-1", "1.0", "١", "9" * 13, ""])
def test_numbers_that_are_none(text):
    assert status("ringing", CallDuration=text).duration is None
