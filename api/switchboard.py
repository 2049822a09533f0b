"""Where calls meet conversations: prepares a call while it rings, answers the carrier, runs the session, closes the books.

Knows the carrier's webhooks on one side and `voice.session` on the other; decides nothing about whom to call or what to say.
A call is known here by its `CallId` from before it is dialled until it has been learned from.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol
from urllib.parse import urlencode

import structlog

from api import errands
from api.after_calls import AfterCalls
from api.books import Books
from api.call_tools import CallTools
from api.errands import Errand
from api.house import House
from api.live_call import Leg, LiveCall, Said
from api.measuring import gaps_of, measure_context, measure_gaps, measure_note
from api.outcomes import carrier_event_of, disposition_of, measures_of, unanswered
from compliance.verdict import Clearance
from context.briefing import Briefing
from context.gather import CallAhead, Gathering
from dialer.attempt import Attempt, CarrierEvent, Disposition
from dialer.ports import Placed, PlaceRefused, PlaceUnknown, Placing
from storage.events import AttemptChanged, CallNoted, Recorded
from telephony.number import mask
from telephony.twilio import callbacks, rest, twiml
from telephony.twilio.callbacks import ENDED
from telephony.twilio.stream import TextSocket, TwilioMediaLink, accept
from voice.actions import Note
from voice.agent import AgentDefinition
from voice.conversation import Conversation
from voice.errors import ProviderError
from voice.events import CallId, Direction, Party, PartyDetected
from voice.journal import VERSION, JournalHeader, JournalWriter
from voice.opening import dressed, opening_of
from voice.ports import Prompt, Transcriber
from voice.prepared import EarsAhead, PreparedSpeaker
from voice.pricing.consumption import Account, bill_to
from voice.pricing.thrift import Thrift
from voice.promptness import Lately
from voice.ready import ReadyWords
from voice.report import CallReport
from voice.session import Providers, Session
from voice.wheel import Wheel

BRIEFING_WITHIN: Final = 0.3  # seconds from dialling: what is known by then is what the agent knows
OPENING_WITHIN: Final = 0.5  # seconds from the answer: a caller who hears nothing for longer says hello, or hangs up
LINGER: Final = 60.0  # seconds a call that ended is remembered for late webhooks
NOBODY_THERE: Final = "I am sorry, nobody could take your call. We will call you back. Goodbye."

log = structlog.get_logger()


class Dialler(Protocol):
    """The part of the dialer that wants to hear of calls."""

    async def on_carrier_event(self, event: CarrierEvent) -> Attempt | None: ...
    async def on_party_reported(self, attempt_id: str, answered_by: str) -> Attempt | None: ...
    async def on_conversation_ended(self, attempt_id: str, disposition: Disposition, detail: str = "") -> Attempt | None: ...


class Switchboard:
    """All calls of this process. Fits `dialer.ports.CallPlacer` and the carrier's door by shape."""

    def __init__(self, house: House) -> None:
        self.calls: dict[CallId, LiveCall] = {}
        self.dialler: Dialler | None = None  # set once there is one: the two need each other
        self.is_draining = False  # set when the process is to end: nobody who rings us is let in any more
        self._house = house
        self._books = Books(house)
        self._after = AfterCalls(house.is_full)
        self._wheel = Wheel()
        self._thrift = Thrift(house.settings.speculation_tokens)
        self._ready = ReadyWords(house.engines.voice)
        self._lately = Lately()
        self._chores: set[asyncio.Task[None]] = set()
        self._written = asyncio.Event()

    @property
    def live(self) -> list[LiveCall]:
        """The calls that are going on, the oldest first."""
        return [call for call in self.calls.values() if not call.is_over]

    # --- dialling -----------------------------------------------------------------------------------------------------

    async def place(self, clearance: Clearance, attempt: Attempt) -> Placing:
        """Ring `clearance.number`, once, and get everything ready while it rings."""
        house = self._house
        errand = await errands.outbound(attempt, house.attempts, house.agents, house.settings.twilio_from)
        call = self._prepare(errand)
        await self._books.open(call)
        outcome = await house.carrier.place(
            clearance.number,
            errand.ours,
            self._webhook("voice", errand.call),
            self._webhook("status", errand.call),
            round(attempt.ring_timeout),
            amd_callback=self._webhook("amd", errand.call),
            time_limit=round(attempt.longest_call) + 60,
        )
        match outcome:
            case rest.Placed(call_sid):
                await self._books.note_sid(call, call_sid)
                return Placed(call_sid)
            case rest.PlaceRefused(verdict):
                disposition = Disposition(verdict.disposition.value)
                await self._close_unanswered(call, disposition)
                return PlaceRefused(disposition, verdict.say)
            case rest.PlaceUnknown(why):
                return PlaceUnknown(why)

    async def cancel(self, call_sid: str) -> None:
        """End a call that nobody has answered yet."""
        await self._house.carrier.hang_up(call_sid)

    # --- the carrier's webhooks ---------------------------------------------------------------------------------------

    async def on_voice(self, form: Mapping[str, str]) -> str:
        """A call was answered, or one comes in: connect it to its conversation."""
        request = callbacks.voice_request(form)
        call = self.calls.get(CallId(form.get("call", ""))) or self._by_sid(request.call_sid)
        if call is None and request.is_inbound:
            if self.is_draining or self._house.is_full():
                return twiml.reject("busy")
            call = await self._ring_in(request)
        if call is not None and call.session is not None:  # its stream has ended: because we are done, or it broke
            return self._stream(call) if call.session.may_rejoin else twiml.hangup()
        if call is None or call.is_over:
            self._house.metrics.fault("voice_request_for_no_call")
            log.warning("voice_request_for_no_call", call_sid=request.call_sid)
            return twiml.hangup()
        call.carrier_sid = call.carrier_sid or request.call_sid
        return self._stream(call)

    def _stream(self, call: LiveCall) -> str:
        """Talk on a media stream; when that ends, or breaks, the carrier asks here again."""
        again = self._webhook("voice", call.errand.call)
        return twiml.connect_stream(self._house.settings.media_url, {"call": call.errand.call}, then=again)

    async def on_status(self, form: Mapping[str, str]) -> None:
        changed = callbacks.status_changed(form)
        call = self.calls.get(CallId(form.get("call", "")))
        event = carrier_event_of(changed, errands.attempt_of(form.get("call", "")), self._house.at())
        if self.dialler is not None and event is not None:
            await self.dialler.on_carrier_event(event)
        if call is None or changed.call_status not in ENDED:
            return
        if call.session is None:
            await self._close_unanswered(call, unanswered(event))
        else:
            call.session.leg_gone("hangup")

    async def on_amd(self, form: Mapping[str, str]) -> None:
        said = callbacks.answered_by(form)
        call = self.calls.get(CallId(form.get("call", "")))
        if call is None:
            return
        call.party = Party(said.party)
        if call.session is not None:
            call.session.post(PartyDetected(call.party, "carrier"))
        if self.dialler is not None and call.errand.attempt_id:
            await self.dialler.on_party_reported(call.errand.attempt_id, said.answered_by)

    async def on_dial(self, form: Mapping[str, str]) -> str:
        """The leg we transferred to has ended, or never began: then the caller is told, and not left in silence."""
        ended = callbacks.dial_ended(form)
        log.info("transfer_ended", call=form.get("call", ""), status=ended.status)
        return twiml.hangup() if ended.is_bridged else twiml.say_and_hang_up(NOBODY_THERE)

    async def on_stream(self, form: Mapping[str, str]) -> None:
        changed = callbacks.stream_changed(form)
        if changed.error:
            self._house.metrics.fault("stream_error")
            log.warning("stream_error", call_sid=changed.call_sid, error=changed.error)

    def _webhook(self, kind: str, call: CallId) -> str:
        return self._house.settings.webhook_url(f"/twilio/{kind}") + "?" + urlencode({"call": call})

    def _by_sid(self, call_sid: str) -> LiveCall | None:
        return next((call for call in self.calls.values() if call.carrier_sid == call_sid), None)

    # --- media --------------------------------------------------------------------------------------------------------

    async def media(self, socket: TextSocket) -> None:
        """One call's media, from its socket's first message to the report. Raises `ProtocolViolation` before it starts."""
        link = await accept(socket)
        call = self.calls.get(CallId(link.start.parameters.get("call", "")))
        if call is not None and call.session is not None and call.session.may_rejoin:
            self._house.metrics.fault("media_link_broken")
            log.warning("media_link_again", call=call.errand.call)
            await call.session.rejoin(link)
            return
        if call is None or call.session is not None or call.is_over:
            self._house.metrics.fault("media_for_no_call")
            log.warning("media_for_no_call", call_sid=link.start.call_sid)
            await link.close()
            return
        call.answered_at = self._house.at()
        try:
            await self._converse(call, link)
        finally:
            if not call.is_over:
                await self._close_broken(call)

    async def _converse(self, call: LiveCall, link: TwilioMediaLink) -> None:
        speaker = await self._speaker(call)
        briefing = call.gathering.so_far()
        session, journal = self._session(call, link, speaker, briefing)
        call.session = session
        with bill_to(call.account):
            running = asyncio.create_task(session.run())
        self._do(self._books.note_answer(call))
        if call.party is not None:
            session.post(PartyDetected(call.party, "carrier"))
        report = await running
        self._lately.add(report.mind_took, report.mouth_took)
        gaps = gaps_of(report)
        measure_gaps(self._house.metrics, gaps)
        measure_context(self._house.metrics, briefing.took)
        call.account.waste(report.dropped)
        costs = self._books.costs(call)
        measures = {**measures_of(report, briefing, session.underruns), **gaps.figures(), **costs}
        with self._writing(call):
            await self._close(call, report, measures, str(journal.path))

    def _session(
        self, call: LiveCall, link: TwilioMediaLink, speaker: PreparedSpeaker, briefing: Briefing
    ) -> tuple[Session, JournalWriter]:
        house, errand = self._house, call.errand
        agent = dressed(errand.agent, briefing)
        opening = opening_of(errand.agent, errand.direction, briefing)
        policy = self._lately.told(house.policy)
        conversation = Conversation(errand.call, agent, errand.direction, opening, policy)
        header = JournalHeader(VERSION, errand.call, agent, errand.direction, opening, policy, house.at())
        journal = JournalWriter(house.settings.home / "journals" / f"{errand.call}.jsonl", header)
        session = Session(
            conversation,
            link,
            Providers(
                call.ears, house.engines.activity(), house.engines.mind, house.engines.pace(speaker), self._ready.of(agent)
            ),
            briefing,
            CallTools(house.database, errand, house.opt_outs, house.at),
            Leg(house.carrier, call, self._webhook("dial", errand.call)),
            self._wheel,
            journal,
            Watcher(self, call),
            thrift=self._thrift,
            may_rejoin=True,
        )
        return session, journal

    async def _speaker(self, call: LiveCall) -> PreparedSpeaker:
        """The mouth with its opening spoken; if that is not done yet, a fresh one that speaks as it goes."""
        await asyncio.wait([call.speaker], timeout=OPENING_WITHIN)
        if call.speaker.done() and not call.speaker.cancelled() and call.speaker.exception() is None:
            return call.speaker.result()
        call.speaker.cancel()
        return PreparedSpeaker(await self._house.engines.mouth.open(call.errand.agent))

    # --- before the answer --------------------------------------------------------------------------------------------

    def _prepare(self, errand: Errand) -> LiveCall:
        """From the moment of dialling, in parallel: who is this, open ears, a spoken opening."""
        ahead = CallAhead(errand.person, errand.call, errand.contact_id, errand.campaign_id, errand.agent.goal)
        gathering = Gathering.start(ahead, self._house.sources)
        by = time.monotonic() + BRIEFING_WITHIN
        with bill_to(Account(errand.call, errand.campaign_id, errand.agent.call_budget)) as account:
            ears = EarsAhead(self._open_ears(errand.agent, gathering, by))
            speaker = asyncio.create_task(self._speak_opening(errand, gathering, by))
        speaker.add_done_callback(_seen)
        call = LiveCall(errand, gathering, ears, self._house.at(), speaker, account)
        self.calls[errand.call] = call
        return call

    async def _open_ears(self, agent: AgentDefinition, gathering: Gathering, by: float) -> Transcriber:
        return await self._house.engines.ears.open(agent, await gathering.briefing(by))

    async def _speak_opening(self, errand: Errand, gathering: Gathering, by: float) -> PreparedSpeaker:
        speaker = PreparedSpeaker(await self._house.engines.mouth.open(errand.agent))
        briefing = await gathering.briefing(by)
        speaker.prepare(opening_of(errand.agent, errand.direction, briefing))
        if self._house.policy.acknowledge_after is not None:
            self._do(self._ready.make(errand.agent, self._house.engines.mouth))
        prompt = Prompt(dressed(errand.agent, briefing), briefing, errand.direction, ())
        self._do(self._house.engines.warm(prompt))
        return speaker

    async def _ring_in(self, request: callbacks.VoiceRequest) -> LiveCall | None:
        errand = errands.inbound(request.from_, request.to, self._house.agents)
        if errand is None:
            self._house.metrics.fault("nobody_answers_this_number")
            log.warning("nobody_answers_this_number", to=mask(request.to))
            return None
        call = self._prepare(errand)
        call.carrier_sid = request.call_sid
        await self._books.open(call)
        return call

    # --- the end ------------------------------------------------------------------------------------------------------

    async def _close_unanswered(self, call: LiveCall, disposition: Disposition) -> None:
        """Nobody picked up: what was got ready is put away."""
        if call.is_over:
            return
        self._end(call, disposition)
        with self._writing(call):
            call.speaker.cancel()
            with suppress(asyncio.CancelledError, ProviderError):
                await (await call.speaker).close()
            await call.ears.close()
            await self._books.close_unanswered(call, disposition)

    async def _close(self, call: LiveCall, report: CallReport, measures: Mapping[str, object], journal: str) -> None:
        """The call is over: it is written, the dialer is told, and the lesson is learned."""
        disposition = disposition_of(report)
        self._end(call, disposition)
        async with self._after.turn():
            await self._books.close(call, report, disposition, measures, journal)
        if self.dialler is not None and call.errand.attempt_id:
            await self.dialler.on_conversation_ended(call.errand.attempt_id, disposition, report.detail)
        self._do(self._learn(call))

    async def _learn(self, call: LiveCall) -> None:
        async with self._after.turn():
            await self._books.learn(call)

    async def _close_broken(self, call: LiveCall) -> None:
        """A fault of ours, before there was a conversation: somebody picked up and heard nobody."""
        await self._close_unanswered(call, Disposition.ABANDONED)
        if self.dialler is not None and call.errand.attempt_id:
            await self.dialler.on_conversation_ended(call.errand.attempt_id, Disposition.ABANDONED, "a fault of ours")

    def show(self, call: LiveCall, note: Note) -> None:
        """Let people see what is going on in a call, now. Not kept: the journal and the transcript are."""
        if note.kind == "caller_interim":
            call.interim = note.text
        elif note.kind in ("caller", "agent"):
            began = call.answered_at or self._house.at()
            call.lines.append(Said(note.kind, note.text, (self._house.at() - began).total_seconds()))
            call.interim = "" if note.kind == "caller" else call.interim
        measure_note(self._house.metrics, note)
        event = CallNoted(note=note.kind, text=note.text, detail=note.detail)
        self._house.feed.publish(Recorded(0, self._house.at(), event, call.errand.call, call.errand.attempt_id))

    def _end(self, call: LiveCall, disposition: Disposition) -> None:
        call.is_over = True
        self._house.meter.call_over(call.errand.call)
        self._house.metrics.call_ended(disposition.value)
        log.info("call_ended", call=call.errand.call, disposition=disposition.value)
        call.gathering.close()
        asyncio.get_running_loop().call_later(LINGER, self._forget, call.errand.call)

    def _forget(self, call: CallId) -> None:
        self.calls.pop(call, None)
        self._house.meter.call_ended(call)

    def heed(self, recorded: Recorded) -> None:
        """To be shown everything in the log: an attempt that was given up has a call here that nobody else would end."""
        event = recorded.event
        if not isinstance(event, AttemptChanged) or not event.disposition:
            return
        call = self.calls.get(errands.call_of(recorded.attempt_id))
        if call is not None and call.session is None and not call.is_over:
            ended = Disposition(event.disposition)
            self._do(self._close_unanswered(call, Disposition.ABANDONED if ended is Disposition.ANSWERED else ended))

    # --- chores -------------------------------------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._chore(work))
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            self._house.metrics.fault("chore_failed")
            log.exception("chore_failed")

    async def settle(self) -> None:
        """Wait until everything that follows from ended calls has been written."""
        while self._chores:
            await asyncio.wait(self._chores)

    @contextmanager
    def _writing(self, call: LiveCall) -> Iterator[None]:
        """Around the closing of a call's books: whoever waits for quiet waits for that too, even if it fails."""
        try:
            yield
        finally:
            call.is_written = True
            self._written.set()

    async def quiet(self) -> None:
        """Return once no call is going on and the books of all are closed."""
        while not all(call.is_written for call in self.calls.values()):
            self._written.clear()
            await self._written.wait()

    async def give_up_unanswered(self) -> None:
        """Let no phone ring any more that nobody has picked up."""
        ringing = [call for call in self.live if call.answered_at is None and call.errand.direction is Direction.OUTBOUND]
        for call in ringing:
            if call.carrier_sid:
                await self._house.carrier.hang_up(call.carrier_sid)

    async def close(self) -> None:
        """End every call and finish what is to be written."""
        await self.give_up_unanswered()
        for call in self.live:
            if call.session is not None:
                call.session.hang_up("the server is going down")
            else:
                await self._close_unanswered(call, Disposition.CANCELLED)
        await self.settle()


class Watcher:
    """Shows a session's notes as they come. Fits `voice.session.Observer`."""

    def __init__(self, switchboard: Switchboard, call: LiveCall) -> None:
        self._switchboard = switchboard
        self._call = call

    def note(self, note: Note) -> None:
        self._switchboard.show(self._call, note)


def _seen(task: asyncio.Task[PreparedSpeaker]) -> None:
    """A failure to prepare is not lost: without a prepared opening the call speaks as it goes, and fails there for good."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("opening_not_prepared", error=type(error).__name__, why=str(error)[:200])
