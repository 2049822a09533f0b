"""Everything that can go wrong on the way to and from a carrier.

TelephonyError
 +-- ProtocolViolation   the peer said something its own protocol forbids (the peer's fault); ends that one link or request
 +-- CarrierError        the carrier's API could not tell us what we asked (the carrier's, or the network's, fault)
 +-- TwimlError          instructions that the carrier would refuse (our fault)

A carrier's *refusal* of a call is not here: it is a value, `telephony.twilio.rest.PlaceRefused`.
"""

from __future__ import annotations


class TelephonyError(Exception):
    """Something between us and a carrier failed."""


class ProtocolViolation(TelephonyError):
    """The peer broke its protocol. `code` is a stable word; the message says what was expected."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class CarrierError(TelephonyError):
    """The carrier's API did not answer, or answered something unusable. `retryable`: asking again may help."""

    def __init__(self, code: str, message: str, *, retryable: bool) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.retryable = retryable


class TwimlError(TelephonyError):
    """Instructions that the carrier would refuse. `code` is a stable word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
