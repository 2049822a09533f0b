"""The network itself: who is on it, the calls it carries, the queue in front of it. What is asked of it comes from `rest`.

Twilio starts one call a second for an account and queues the rest (error 22005's page); so does this.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
import zlib
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from telephony.audio import silence
from telephony.number import mask
from telephony.simulator.faults import Faults
from telephony.simulator.instructions import Dial
from telephony.simulator.ledger import CallLedger, Detection, Wanted
from telephony.simulator.live import LiveCall, Redirected
from telephony.simulator.people import Line, Outcome, People, Person
from telephony.simulator.person import Script, cue, voicemail
from telephony.simulator.webhooks import Webhooks
from telephony.simulator.wheel import Wheel

log = structlog.get_logger()

DEFAULT_RING_TIMEOUT: Final = 60.0
LONGEST_FAREWELL: Final = 3.0  # seconds that stopping waits for what ended calls still have to write and report


class Mouth(Protocol):
    """Gives people their voices. Asked for everything they may say before the first call."""

    async def say(self, text: str, voice: str) -> bytes:
        """The whole text as mu-law, 8 kHz."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How this network is to be run. `voice_url` and `status_url`: where calls to the engine's own numbers are reported."""

    account_sid: str
    auth_token: str
    voice_url: str = ""
    status_url: str = ""
    recordings: Path | None = None
    calls_per_second: float = 1.0
    amd_delay: float = 3.8  # seconds after the answer; Twilio's default settings take about 4
    own_numbers: tuple[str, ...] = ()  # caller ids the account owns; empty: any


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """A call the account wants made."""

    to: str
    from_: str
    first: Redirected
    wanted: Wanted = field(default_factory=Wanted)
    detection: Detection | None = None
    timeout: float = DEFAULT_RING_TIMEOUT
    time_limit: float = 14400.0


class PhoneNetwork:
    """Carries calls between the engine and the people."""

    def __init__(self, people: People, setup: Setup, mouth: Mouth) -> None:
        self.people = people
        self.setup = setup
        self.webhooks = Webhooks(setup.auth_token)
        self.wheel = Wheel()
        self.calls: dict[str, LiveCall] = {}
        self._mouth = mouth
        self._speech: dict[tuple[str, str], bytes] = {}  # (voice, text)
        self._rung: Counter[str] = Counter()
        self._next_start = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._farewells: set[asyncio.Task[None]] = set()  # of calls that have ended: recordings, last callbacks

    @property
    def auth_token(self) -> str:
        return self.setup.auth_token

    @property
    def recordings(self) -> Path | None:
        return self.setup.recordings

    def new_sid(self, kind: str) -> str:
        """A name as Twilio gives them: two letters (CA call, MZ stream) and 32 hexadecimal digits."""
        return kind + uuid.uuid4().hex

    async def open(self) -> None:
        """Let everybody's lines be spoken in advance, and start the calls that people make by themselves."""
        for person in self.people.people:
            for text in person.all_texts():
                if (person.voice, text) not in self._speech:
                    self._speech[person.voice, text] = await self._mouth.say(text, person.voice)
        for person in self.people.people:
            for own in person.calls:
                if own.at is not None:
                    self.spawn(self._call_in_later(own.at, person.number, own.to))

    async def close(self) -> None:
        """Drop everything. Calls still up get no farewell, as when a network fails; those that have ended are told about."""
        self.wheel.stop()
        if self._farewells:
            await asyncio.wait(self._farewells, timeout=LONGEST_FAREWELL)
        for call in self.calls.values():
            call.drop()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.webhooks.close()

    async def written(self) -> None:
        """Wait a little for the recordings of calls that have just ended, so that what is listed is complete."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_FAREWELL):
                for call in tuple(self.calls.values()):
                    if call.ledger.has_ended:
                        await call.ended.wait()

    # --- calls of the engine's ----------------------------------------------------------------------------------------

    def faults_of(self, number: str) -> Faults:
        person = self.people.find(number)
        return self.people.faults if person is None else person.faults.over(self.people.faults)

    def is_invalid(self, number: str) -> bool:
        """Will the next call to this number be refused as invalid when it is placed? Counts as an attempt if so."""
        person = self.people.find(number)
        if person is None or person.outcome(self._rung[number] + 1) is not Outcome.INVALID:
            return False
        self._rung[number] += 1
        return True

    def place(self, request: PlaceRequest) -> LiveCall:
        """Take a call on. It rings when its turn in the queue comes."""
        wait = self._take_turn()
        ledger = self._new_ledger(request.to, request.from_, "outbound-api")
        ledger.wanted, ledger.queue_ms = request.wanted, round(wait * 1000)
        call = self._new_call(ledger)
        self.spawn(self._carry(call, self._run_outbound(call, request, wait)))
        return call

    def dial_child(self, parent: CallLedger, verb: Dial) -> LiveCall:
        """The second leg of a `<Dial>`; `<Dial>` does not wait in the queue."""
        caller_id = verb.caller_id or (parent.to if parent.direction == "inbound" else parent.from_)
        ledger = self._new_ledger(verb.to, caller_id, "outbound-dial")
        ledger.parent_sid, ledger.wanted = parent.sid, Wanted(verb.status_callback, verb.status_events)
        return self._new_call(ledger)

    async def _run_outbound(self, call: LiveCall, request: PlaceRequest, wait: float) -> None:
        if await call.is_called_off(wait) or not await call.ring_and_answer(request.timeout):
            return
        if request.detection is not None:
            self.spawn(self._detect(call, request.detection))
        await call.live(request.first, request.time_limit)

    async def _carry(self, call: LiveCall, life: Coroutine[Any, Any, None]) -> None:
        try:
            await life
        except Exception:
            log.exception("simulator_call_broke", call_sid=call.ledger.sid)
            await call.break_down()

    async def _detect(self, call: LiveCall, detection: Detection) -> None:
        await asyncio.sleep(self.setup.amd_delay)
        if call.ledger.has_ended:
            return
        answered_by = "machine_start" if call.attempt_outcome is Outcome.VOICEMAIL else "human"
        call.ledger.answered_by = answered_by
        if detection.callback and "amd" not in self.faults_of(call.ledger.to).lost:
            form = {
                "CallSid": call.ledger.sid,
                "AccountSid": call.ledger.account_sid,
                "AnsweredBy": answered_by,
                "MachineDetectionDuration": str(round(self.setup.amd_delay * 1000)),
            }
            await self.webhooks.report(detection.callback, form)

    # --- calls of the people's ----------------------------------------------------------------------------------------

    def call_in(self, from_: str, to: str) -> LiveCall:
        """Let a person ring one of the engine's numbers, now. Raises LookupError if there is no such person."""
        person = self.people.find(from_)
        if person is None:
            raise LookupError(f"nobody here has the number {mask(from_)}")
        own = next((each for each in person.calls if each.to == to), None)
        lines = own.lines if own is not None and own.lines else person.lines_of(1)
        ledger = self._new_ledger(to, from_, "inbound")
        ledger.status, ledger.wanted = "ringing", Wanted(self.setup.status_url)
        call = LiveCall(self, ledger, self._script(person, lines), Outcome.ANSWERS, 0.0, self.faults_of(from_))
        self.calls[ledger.sid] = call
        self.spawn(self._carry(call, call.live(Redirected(url=self.setup.voice_url))))
        return call

    async def _call_in_later(self, seconds: float, from_: str, to: str) -> None:
        await asyncio.sleep(seconds)
        self.call_in(from_, to)

    # --- making calls -------------------------------------------------------------------------------------------------

    def _take_turn(self) -> float:
        """Seconds until this call may start."""
        now = asyncio.get_running_loop().time()
        start = max(now, self._next_start)
        self._next_start = start + (1 / self.setup.calls_per_second if self.setup.calls_per_second > 0 else 0.0)
        return start - now

    def _new_ledger(self, to: str, from_: str, direction: str) -> CallLedger:
        return CallLedger(self.new_sid("CA"), self.setup.account_sid, to, from_, direction, datetime.now(UTC))

    def _new_call(self, ledger: CallLedger) -> LiveCall:
        """A call to a person, what comes of it decided by their file and by how often they were rung."""
        person = self.people.find(ledger.to)
        if person is None:
            call = LiveCall(self, ledger, Script(), Outcome.UNREACHABLE, 0.0, self.people.faults)
        else:
            self._rung[person.number] += 1
            attempt = self._rung[person.number]
            outcome = person.outcome(attempt)
            script = (
                self._voicemail(person) if outcome is Outcome.VOICEMAIL else self._script(person, person.lines_of(attempt))
            )
            call = LiveCall(self, ledger, script, outcome, person.ring, self.faults_of(ledger.to))
        self.calls[ledger.sid] = call
        return call

    def _script(self, person: Person, lines: tuple[Line, ...]) -> Script:
        seed = zlib.crc32(person.number.encode())
        speech = {text: audio for (voice, text), audio in self._speech.items() if voice == person.voice}
        return Script(
            cues=tuple(cue(line, speech, seed + index) for index, line in enumerate(lines)),
            hang_up_after=person.hang_up_after,
            patience=person.patience,
            noise=person.noise,
            echo=person.echo,
            seed=seed,
        )

    def _voicemail(self, person: Person) -> Script:
        greeting = self._speech[person.voice, person.greeting] if person.greeting else silence(160)
        return voicemail(greeting, person.greeting, person.beep, person.message_limit)

    # --- tasks --------------------------------------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, None], *, is_farewell: bool = False) -> None:
        """Do something without waiting for it; what breaks in it is logged and ends nothing else."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        if is_farewell:
            self._farewells.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._farewells.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("simulator_call_broke", exc_info=error)
