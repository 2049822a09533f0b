import pytest

from telephony.twilio import verdicts
from telephony.twilio.verdicts import Disposition, Fault


@pytest.mark.parametrize(
    ("code", "disposition", "fault", "may_retry", "stops"),
    [
        (20003, "failed", "account", False, True),
        (21210, "failed", "account", False, True),
        (21211, "invalid_number", "number", False, False),
        (21216, "blocked", "carrier", False, False),
        (32017, "blocked", "account", False, False),
        (20429, "failed", "carrier", True, False),
        (21205, "failed", "request", False, False),
    ],
)
def test_rest_errors_classify_themselves(code, disposition, fault, may_retry, stops):
    verdict = verdicts.of_error(code, 400)
    assert (verdict.disposition, verdict.fault, verdict.may_retry, verdict.stops_dialing) == (
        disposition,
        fault,
        may_retry,
        stops,
    )
    assert verdict.code == code


@pytest.mark.parametrize(
    ("status", "fault", "may_retry"),
    [
        (401, "account", False),
        (403, "account", False),
        (429, "carrier", True),
        (500, "carrier", True),
        (400, "request", False),
    ],
)
def test_unknown_errors_go_by_their_http_status(status, fault, may_retry):
    for code in (None, 99999):
        verdict = verdicts.of_error(code, status)
        assert (verdict.fault, verdict.may_retry, verdict.code) == (fault, may_retry, code)


@pytest.mark.parametrize(
    ("status", "sip", "error", "disposition", "may_retry"),
    [
        ("completed", None, None, "answered", False),
        ("busy", 486, None, "busy", True),
        ("busy", 603, None, "busy", True),
        ("busy", 607, None, "blocked", False),
        ("busy", None, None, "busy", True),
        ("no-answer", 487, None, "no_answer", True),
        ("canceled", 487, None, "canceled", False),
        ("failed", 404, None, "invalid_number", False),
        ("failed", 503, None, "failed", True),
        ("failed", 404, 13225, "blocked", False),
        ("failed", 404, 99999, "invalid_number", False),
        ("failed", None, None, "failed", True),
        ("ringing", None, None, "unknown", False),
        ("new-word", None, None, "unknown", False),
    ],
)
def test_ended_calls(status, sip, error, disposition, may_retry):
    verdict = verdicts.of_call(status, sip, error)
    assert (verdict.disposition, verdict.may_retry) == (disposition, may_retry)


def test_every_verdict_says_something_and_where_it_is_from():
    for verdict in (*verdicts.ERRORS.values(), *verdicts.SIP.values(), verdicts.UNREACHABLE):
        assert verdict.say.endswith(".")
        assert verdict.source
        assert not (verdict.may_retry and verdict.disposition in (Disposition.INVALID_NUMBER, Disposition.BLOCKED))
        assert not verdict.stops_dialing or verdict.fault is Fault.ACCOUNT
