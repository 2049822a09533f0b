"""One call of the network's, from the first ring to the recording. The shell around a line and a ledger.

Everything that can befall a live call (the person hangs up, REST redirects or ends it) is posted as a command; one task
reads them and runs the verbs in between, so nothing ever happens to a call from two sides at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, assert_never

import structlog

from telephony.audio import SILENT_FRAME
from telephony.number import mask
from telephony.simulator import instructions as twiml
from telephony.simulator.faults import Faults
from telephony.simulator.ledger import CallLedger, Json
from telephony.simulator.line import Bridge, Line, Nothing, Ringback
from telephony.simulator.media import StreamFailed, run_stream
from telephony.simulator.people import Outcome
from telephony.simulator.person import PersonOnPhone, Script
from telephony.simulator.recording import keep, truth_of
from telephony.simulator.webhooks import StatusReports, Webhooks
from telephony.simulator.wheel import Wheel

log = structlog.get_logger()

LONGEST_CALL: Final = 14400.0  # seconds: four hours, as Twilio's own limit
LONGEST_DOCUMENT_CHAIN: Final = 100  # documents one call may ask for: a redirect loop ends here
_DIAL_STATUS: Final = {"busy": "busy", "no-answer": "no-answer", "failed": "failed", "canceled": "canceled"}


@dataclass(frozen=True, slots=True)
class Redirected:
    """REST gave the call new instructions."""

    url: str = ""
    document: str = ""


@dataclass(frozen=True, slots=True)
class HungUp:
    """Somebody ended the call. `by`: person, engine (REST or TwiML), network, other (the far end of a bridge)."""

    by: str


Command: TypeAlias = Redirected | HungUp


@dataclass(frozen=True, slots=True)
class Next:
    """Where the instructions go on: ask a URL, with something to tell it."""

    url: str
    extra: tuple[tuple[str, str], ...] = ()


class Exchange(Protocol):
    """What a call needs of the network that carries it."""

    webhooks: Webhooks
    wheel: Wheel

    @property
    def auth_token(self) -> str: ...

    @property
    def recordings(self) -> Path | None:
        """Where recordings go; None: nothing is recorded."""

    def new_sid(self, kind: str) -> str: ...

    def dial_child(self, parent: CallLedger, verb: twiml.Dial) -> LiveCall:
        """The second leg of a `<Dial>`, not yet ringing."""

    def spawn(self, work: Coroutine[Any, Any, None], *, is_farewell: bool = False) -> None:
        """Do something without waiting for it, or at most a little while if it is the end of a call's story."""


class LiveCall:
    """A call while it lives. `ended` is set when all is over and written."""

    def __init__(
        self, network: Exchange, ledger: CallLedger, script: Script, outcome: Outcome, ring: float, faults: Faults
    ) -> None:
        self.ledger = ledger
        self.line: Line | None = None
        self.answered = asyncio.Event()
        self.ended = asyncio.Event()
        self.ended_by = ""
        self.found: dict[str, Json] = {}
        self.attempt_outcome = outcome
        self._network = network
        self._script = script
        self._ring = ring
        self._faults = faults
        self._reports = StatusReports(network.webhooks, ledger, faults)
        self._commands: asyncio.Queue[Command] = asyncio.Queue()
        self._documents = 0
        self._rejection = ""

    # --- from outside -------------------------------------------------------------------------------------------------

    def post(self, command: Command) -> None:
        self._commands.put_nowait(command)

    def describe(self) -> dict[str, Json]:
        return self.found or truth_of(self.ledger, self.line, self.attempt_outcome.value, self.ended_by)

    # --- ringing ------------------------------------------------------------------------------------------------------

    async def ring_and_answer(self, timeout: float) -> bool:
        """Ring the person for at most `timeout` seconds. True if they answered; otherwise the call has ended."""
        self.ledger.status = "initiated"
        self._reports.report("initiated")
        if self.attempt_outcome in (Outcome.UNREACHABLE, Outcome.INVALID):
            await self._end("failed", "network", 404)
            return False
        self.ledger.status = "ringing"
        self._reports.report("ringing")
        picks_up = self.attempt_outcome is not Outcome.NO_ANSWER
        command = await self._wait_command(min(self._ring, timeout) if picks_up else timeout)
        if command is not None:
            await self._end("canceled", "engine", 487)
            return False
        if not picks_up or self._ring > timeout:
            await self._end("no-answer", "network", 487)
            return False
        if self.attempt_outcome in (Outcome.BUSY, Outcome.REJECTED):
            await self._end("busy", "person", 486 if self.attempt_outcome is Outcome.BUSY else 603)
            return False
        self._answer()
        return True

    async def is_called_off(self, seconds: float) -> bool:
        """Wait in the queue for so long. True if the call was ended meanwhile: then nobody is rung."""
        if await self._wait_command(seconds) is None:
            return False
        await self._end("canceled", "engine")
        return True

    def _answer(self) -> None:
        self.ledger.answer(datetime.now(UTC))
        person = PersonOnPhone(self._script)
        self.line = Line(person, lambda: self.post(HungUp("person")), is_recorded=self._network.recordings is not None)
        self._network.wheel.join(self.line)
        self._reports.report("answered")
        self.answered.set()
        log.info("simulator_answered", call_sid=self.ledger.sid, to=mask(self.ledger.to))

    # --- instructions -------------------------------------------------------------------------------------------------

    async def live(self, first: Redirected, time_limit: float = LONGEST_CALL) -> None:
        """Carry out instructions, beginning with `first`, until the call ends or has lasted `time_limit` seconds."""
        loop = asyncio.get_running_loop()
        limit = loop.call_later(time_limit, self.post, HungUp("network"))
        step: Redirected | Next | None = first
        by = "engine"
        while step is not None:
            command, step = await self._run_until_command(step)
            if isinstance(command, HungUp):
                by = command.by
                break
            step = command or step
        limit.cancel()
        await self._end_answered(by)

    async def _run_until_command(self, step: Redirected | Next) -> tuple[Command | None, Next | None]:
        """Either the command that interrupted this step, or the step after it."""
        work = asyncio.create_task(self._run_step(step), name=f"verbs {self.ledger.sid}")
        command = asyncio.create_task(self._commands.get(), name=f"commands {self.ledger.sid}")
        try:
            await asyncio.wait({work, command}, return_when=asyncio.FIRST_COMPLETED)
            if not command.done():
                return None, work.result()
            if isinstance(command.result(), HungUp):
                self._leave_line()  # the receiver is down now, however long the engine takes to close its socket
            return command.result(), None
        finally:
            for task in (work, command):
                task.cancel()
            await asyncio.wait({work, command})

    async def _end_answered(self, by: str) -> None:
        if self.ledger.answered_at is None:  # an inbound call that was never picked up
            await self._end("busy" if self._rejection == "busy" else "no-answer", by)
        else:
            await self._end("completed", by)

    async def _run_step(self, step: Redirected | Next) -> Next | None:
        document, base = await self._document(step)
        if document is None:
            return None
        try:
            verbs = twiml.read(document, base)
        except twiml.InstructionFault as fault:
            self.ledger.note(str(fault))
            return None
        for index, verb in enumerate(verbs):
            if isinstance(verb, twiml.Reject) and index == 0 and self.ledger.answered_at is None:
                self._rejection = verb.reason
                return None
            if self.line is None:
                # Any other verb answers an inbound call.
                self._answer()
            if isinstance(verb, twiml.Hangup | twiml.Reject):
                return None
            following = await self._run_verb(verb)
            if following is not None:
                return following
        return None

    async def _document(self, step: Redirected | Next) -> tuple[str | None, str]:
        if isinstance(step, Redirected) and step.document:
            return step.document, ""
        self._documents += 1
        if self._documents > LONGEST_DOCUMENT_CHAIN or "voice" in self._faults.lost:
            self.ledger.note("11205: no instructions")
            return None, ""
        extra = dict(step.extra) if isinstance(step, Next) else {}
        fetched = await self._network.webhooks.instructions(step.url, self.ledger.voice_form() | extra)
        if fetched.error is not None:
            self.ledger.note(f"{fetched.error}: no instructions")
            return None, ""
        return fetched.document, step.url

    async def _run_verb(self, verb: twiml.Verb) -> Next | None:
        match verb:
            case twiml.ConnectStream():
                return await self._connect(verb)
            case twiml.Dial():
                return await self._dial(verb)
            case twiml.Pause(length):
                await asyncio.sleep(length)
            case twiml.Redirect(url):
                return Next(url)
            case twiml.SaySomething(text):
                self.ledger.note("the network has no voice: <Say> and <Play> are silent here")
                await asyncio.sleep(min(5.0, 0.06 * len(text)))
            case twiml.Skipped(tag):
                self.ledger.note(f"12200: <{tag}> is not carried out here")
            case twiml.Hangup() | twiml.Reject():
                pass
            case _:
                assert_never(verb)
        return None

    # --- media --------------------------------------------------------------------------------------------------------

    async def _connect(self, verb: twiml.ConnectStream) -> Next | None:
        assert self.line is not None
        stream_sid = self._network.new_sid("MZ")
        report = self._stream_reporter(verb, stream_sid)
        report("stream-started")
        try:
            await run_stream(verb, stream_sid, self.ledger, self.line, self._network.auth_token, self._faults)
            report("stream-stopped")
        except asyncio.CancelledError:
            report("stream-stopped")
            raise
        except StreamFailed as failure:
            self.ledger.note(str(failure))
            report("stream-error", str(failure))
        return Next(verb.action, (("StreamSid", stream_sid),)) if verb.action else None

    def _stream_reporter(self, verb: twiml.ConnectStream, stream_sid: str) -> Callable[..., None]:
        def report(event: str, error: str = "") -> None:
            if not verb.status_callback:
                return
            form = {
                "AccountSid": self.ledger.account_sid,
                "CallSid": self.ledger.sid,
                "StreamSid": stream_sid,
                "StreamName": verb.name or stream_sid,
                "StreamEvent": event,
                "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            }
            if error:
                form["StreamError"] = error
            self._network.spawn(self._network.webhooks.report_and_forget(verb.status_callback, form))

        return report

    # --- a second person ----------------------------------------------------------------------------------------------

    async def _dial(self, verb: twiml.Dial) -> Next | None:
        assert self.line is not None
        child = self._network.dial_child(self.ledger, verb)
        bridged_at: int | None = None
        self.line.far = Ringback()
        try:
            if await child.ring_and_answer(verb.timeout):
                assert child.line is not None
                bridged_at = self.line.position
                self.line.far, child.line.far = Bridge(child.line), Bridge(self.line)
                await child.stay_bridged(verb.time_limit)
        finally:
            # Also when this call is ended or redirected in the middle: the other leg goes down with the <Dial>.
            self.line.far = Nothing()
            if bridged_at is not None:
                self.line.truth.bridges.append((bridged_at, self.line.position, child.ledger.sid))
            if not child.ledger.has_ended:
                child.post(HungUp("other"))
                await child.end_from_outside()
        return self._after_dial(verb, child)

    def _after_dial(self, verb: twiml.Dial, child: LiveCall) -> Next | None:
        if not verb.action:
            return None
        status = _DIAL_STATUS.get(child.ledger.status, "completed")
        extra = [
            ("DialCallStatus", status),
            ("DialCallSid", child.ledger.sid),
            ("DialBridged", str(status == "completed").lower()),
        ]
        if child.ledger.duration is not None:
            extra.append(("DialCallDuration", str(child.ledger.duration)))
        if child.ledger.to.startswith("sip") and child.ledger.sip_code is not None:
            extra.append(("DialSipResponseCode", str(child.ledger.sip_code)))
        return Next(verb.action, tuple(extra))

    async def stay_bridged(self, limit: float) -> None:
        """As the second person of a bridge: until they hang up, or the bridge's time is over."""
        started = self.line.position if self.line else 0
        command = await self._wait_command(limit)
        by = command.by if isinstance(command, HungUp) else "network"
        if self.line is not None:
            self.line.truth.bridges.append((started, self.line.position, self.ledger.parent_sid))
        await self._end("completed", by)

    async def end_from_outside(self) -> None:
        answered = self.ledger.answered_at is not None
        await self._end("completed" if answered else "canceled", "other", None if answered else 487)

    # --- the end ------------------------------------------------------------------------------------------------------

    async def _wait_command(self, seconds: float) -> Command | None:
        try:
            async with asyncio.timeout(seconds):
                return await self._commands.get()
        except TimeoutError:
            return None

    async def _end(self, status: str, by: str, sip_code: int | None = None) -> None:
        if self.ledger.has_ended:
            return
        self._leave_line()
        self.ended_by = by
        self.ledger.end(status, datetime.now(UTC), sip_code)
        self._reports.report("completed")
        self._network.spawn(self._finish(), is_farewell=True)

    def _leave_line(self) -> None:
        if self.line is not None:
            self._network.wheel.leave(self.line)
            self.line.last_said = SILENT_FRAME

    async def _finish(self) -> None:
        """What needs no hurry: the recording, and the last callbacks."""
        found = truth_of(self.ledger, self.line, self.attempt_outcome.value, self.ended_by)
        if self._network.recordings is not None:
            found = await asyncio.to_thread(keep, self._network.recordings, found, self.line)
        self.found = found
        if self.line is not None:
            self.line.said, self.line.heard = bytearray(), bytearray()
        self.ended.set()
        log.info("simulator_call_ended", call_sid=self.ledger.sid, status=self.ledger.status, by=self.ended_by)
        await self._reports.finish()

    async def break_down(self) -> None:
        """Something in the network itself broke: this call fails, and only this call."""
        self.ledger.note("31000: the network broke down")
        await self._end("failed", "network")

    def drop(self) -> None:
        """The network is going down: nothing more is said or reported."""
        self._leave_line()
        self._reports.abort()
