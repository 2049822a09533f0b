"""What a call remembers: what the mind is told, the transcript for people, and which effects were asked for. Pure."""

from __future__ import annotations

from voice.actions import AgentSaid, CallerSaid, Happened, Message, ToolUsed
from voice.events import CallId, ToolCalled, ToolFinished
from voice.phrases import is_grave
from voice.report import Line


class Memory:
    """`began` is when the media link opened; until then times are relative to zero."""

    def __init__(self, call: CallId) -> None:
        self.messages: list[Message] = []
        self.transcript: list[Line] = []
        self.began: float | None = None
        self._call = call
        self._running: dict[str, int] = {}  # tool call -> where its ToolUsed stands in `messages`
        self._effects: set[str] = set()

    # --- what was said ------------------------------------------------------------------------------------------------

    def caller_said(self, text: str, started: float, ended: float, confidence: float | None = None) -> None:
        self.messages.append(CallerSaid(text))
        self.line("caller", text, started, ended, confidence=confidence)

    def take_back(self, text: str) -> bool:
        """Forget a caller's turn that was only the first half of one. False if something has followed it."""
        if not self.messages or self.messages[-1] != CallerSaid(text):
            return False
        self.messages.pop()
        self.transcript.pop()
        return True

    def agent_said(self, text: str, started: float, ended: float, *, is_cut: bool) -> None:
        self.messages.append(AgentSaid(text, is_cut))
        self.line("agent", text, started, ended, is_cut=is_cut)

    def take_back_ours(self) -> None:
        """Forget what we said last: it goes on, and is remembered as one. What has been noted since stays."""
        index = max(index for index, message in enumerate(self.messages) if isinstance(message, AgentSaid))
        del self.messages[index]
        self._running = {call: at - (at > index) for call, at in self._running.items()}
        del self.transcript[max(index for index, line in enumerate(self.transcript) if line.speaker == "agent")]

    def happened(self, what: str) -> None:
        self.messages.append(Happened(what))

    def line(
        self,
        speaker: str,
        text: str,
        started: float,
        ended: float,
        *,
        is_cut: bool = False,
        confidence: float | None = None,
    ) -> None:
        """A line for people. Times are `now`; they are kept as seconds since the link opened."""
        began = self.began or 0.0
        self.transcript.append(Line(speaker, text, max(0.0, started - began), max(0.0, ended - began), is_cut, confidence))

    @property
    def is_grave(self) -> bool:
        """Whether what has to be answered is no good news: a tool that failed, a misfortune of the caller's."""
        for message in reversed(self.messages):
            match message:
                case ToolUsed(ok=False):
                    return True
                case CallerSaid(text):
                    return is_grave(text)
        return False

    # --- what was done ------------------------------------------------------------------------------------------------

    def claim(self, effect: str) -> str | None:
        """The key of an intended effect, once: asked for again in this call, None."""
        key = f"{self._call}:{effect}"
        if key in self._effects:
            return None
        self._effects.add(key)
        return key

    def used(self, event: ToolCalled, result: str | None, *, ok: bool = True) -> None:
        """A tool was called; without a result it runs."""
        if result is None:
            self._running[event.call] = len(self.messages)
        self.messages.append(ToolUsed(event.call, event.name, event.arguments, result, ok))

    def finished(self, event: ToolFinished) -> ToolUsed | None:
        """What came of a tool that ran; None for one that did not (or was given up)."""
        index = self._running.pop(event.call, None)
        if index is None:
            return None
        used = self.messages[index]
        assert isinstance(used, ToolUsed)
        done = ToolUsed(used.call, used.name, used.arguments, event.result, event.ok)
        self.messages[index] = done
        return done

    def give_up(self, call: str | None = None) -> None:
        """Wait no more for a tool, or for any."""
        if call is None:
            self._running.clear()
        else:
            self._running.pop(call, None)

    def runs(self, call: str) -> bool:
        """Whether this tool call waits for its result."""
        return call in self._running

    @property
    def is_running(self) -> bool:
        return bool(self._running)

    @property
    def is_effect_running(self) -> bool:
        """Whether a tool runs that writes something; a transfer only begins once we are silent."""
        used = [self.messages[index] for index in self._running.values()]
        return any(not isinstance(tool, ToolUsed) or tool.name != "transfer" for tool in used)
