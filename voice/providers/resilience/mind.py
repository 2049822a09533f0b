"""Several minds behind the port of one: hedged until the first word, replaced when one fails, told where to go on.

What a caller has heard cannot be taken back, so a reply that breaks off in the middle is continued by the next mind from the
very next word. Tool arguments that are not valid go back to the model once, then the playbook answers: it makes none up.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from voice.actions import AgentSaid, Happened, Message, ToolUsed
from voice.errors import ProviderError, ProviderRejected
from voice.ports import LanguageModel, ModelOutput, Prompt, TextDelta, ToolRequest, Usage
from voice.pricing.consumption import Stage
from voice.providers.resilience.attempt import Attempt, Candidate, race
from voice.providers.resilience.breaker import Admission
from voice.providers.resilience.health import Health, Record
from voice.providers.resilience.latency import stall_within
from voice.tools import parse_arguments

_LOCAL: Final = ("embedded",)  # asking them twice only makes both slower

log = structlog.get_logger()


@dataclass(slots=True)
class _Reply:
    """How far a reply has come."""

    prompt: Prompt
    said: str = ""
    has_called: bool = False
    complaints: list[Message] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    is_for_playbook: bool = False

    @property
    def has_spoken(self) -> bool:
        """Whether whole sentences were said, after which nothing need be said in addition."""
        return self.said.rstrip().endswith((".", "?", "!"))

    def next_prompt(self) -> Prompt:
        """What the next mind is asked: the same, or to go on from the last word. The playbook is asked what the caller said
        to us, because the tools that were to be used for that are what is missing."""
        if self.is_for_playbook:
            return self.prompt
        heard: list[Message] = [AgentSaid(self.said)] if self.said.strip() else []
        if heard and not self.complaints:
            heard.append(Happened("cut_off"))
        return replace(self.prompt, messages=(*self.prompt.messages, *heard, *self.complaints))


class FallbackMind:
    """An ordered list of minds. One `Health` is shared by all calls of the process."""

    def __init__(self, minds: Sequence[LanguageModel], health: Health, playbook: LanguageModel | None = None) -> None:
        """`minds` in order of preference; with a single one, a hedge asks that one again. `playbook` answers in place of one
        that cannot use its tools; it does not count as being up."""
        self.name = "+".join(mind.name for mind in minds)
        self._minds = tuple(minds)
        self._health = health
        self._records = {mind.name: health.record(Stage.MIND, mind.name) for mind in minds}
        self._playbook = playbook
        if playbook is not None and playbook.name not in self._records:
            self._records[playbook.name] = health.record(Stage.MIND, playbook.name, is_spare=True)

    async def reply(self, prompt: Prompt) -> AsyncGenerator[ModelOutput, None]:
        """Stream one reply. Raises `ProviderError` when no mind is left."""
        state = _Reply(prompt)
        while True:
            candidates, together = self._candidates(state)
            attempt = await race(candidates, self._health, self._health.hedges[Stage.MIND], together)
            try:
                async for output in self._outputs(attempt, state):
                    yield output
                return
            except ProviderError as error:
                attempt.record.failed(error, self._health.clock())
                state.failed.add(attempt.record.provider)
                log.warning("mind_replaced", provider=attempt.record.provider, error=str(error), said=len(state.said))
                if state.has_called:
                    return  # the tool's result will bring the next reply
                if not self._others(state):
                    raise
            except _NotValid as refused:
                self._complain(state, attempt, refused)
            finally:
                attempt.call_off()

    async def warm(self, prompt: Prompt) -> None:
        """While it rings: let every mind that can prepare itself do so. Never raises."""
        for mind in self._minds:
            if (warm := getattr(mind, "warm", None)) is not None:
                await warm(prompt)

    async def close(self) -> None:
        for mind in self._minds:
            if (close := getattr(mind, "close", None)) is not None:
                await close()

    # --- who is asked ---

    def _others(self, state: _Reply) -> list[LanguageModel]:
        if state.is_for_playbook and self._playbook is not None:
            return [self._playbook] if self._playbook.name not in state.failed else []
        return [mind for mind in self._minds if mind.name not in state.failed]

    def _candidates(self, state: _Reply) -> tuple[list[Candidate[ModelOutput]], int]:
        """Whom to ask, in order, and how many of the first at once."""
        prompt = state.next_prompt()
        minds = {mind.name: mind for mind in self._others(state)}
        askable = self._health.askable([self._records[name] for name in minds])
        candidates = [_candidate(record, admission, minds[record.provider], prompt) for record, admission in askable]
        if not candidates or candidates[0].record.provider in _LOCAL:
            return candidates, 1
        first, others = candidates[0], candidates[1:]
        together = self._health.minds_at_once if first.record.breaker.is_steady else 1
        spare = 1 if len(self._minds) == 1 else 0  # nobody else can be asked when it is late
        return [first] * (together + spare) + others, together

    # --- what it says ---

    async def _outputs(self, attempt: Attempt[ModelOutput], state: _Reply) -> AsyncIterator[ModelOutput]:
        deadlines, record = self._health.deadlines, attempt.record
        has_others = any(mind.name != record.provider for mind in self._others(state))
        within = stall_within(record.pauses, deadlines) if has_others else deadlines.give_up_bounds[1]
        is_mute = state.is_for_playbook and state.has_spoken
        while (output := await attempt.next(within)) is not None:
            if is_mute and isinstance(output, TextDelta):
                continue
            match output:
                case TextDelta(text):
                    state.said += text
                case ToolRequest(_, name, arguments):
                    if isinstance(complaint := parse_arguments(name, arguments), str):
                        raise _NotValid(output, complaint)
                    state.has_called = True
                case Usage():
                    pass
            yield output

    def _complain(self, state: _Reply, attempt: Attempt[ModelOutput], refused: _NotValid) -> None:
        """Arguments that are not valid go back to the model once, then to the playbook, or to the next mind without one."""
        request, provider = refused.request, attempt.record.provider
        log.warning("tool_arguments_refused", provider=provider, tool=request.name, complaint=refused.complaint)
        if state.complaints:
            state.failed.add(provider)
            state.complaints.clear()
            state.is_for_playbook = True
            if not self._others(state):
                raise ProviderRejected(provider, "bad_tool_arguments", refused.complaint)
            return
        state.complaints.append(ToolUsed(request.call, request.name, request.arguments, refused.complaint, ok=False))


class _NotValid(Exception):
    """A tool was called with arguments that its schema refuses."""

    def __init__(self, request: ToolRequest, complaint: str) -> None:
        super().__init__(complaint)
        self.request = request
        self.complaint = complaint


def _candidate(record: Record, admission: Admission, mind: LanguageModel, prompt: Prompt) -> Candidate[ModelOutput]:
    return Candidate(record, admission, lambda: mind.reply(prompt))
