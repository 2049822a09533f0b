"""What the mind's tools may do, decided from their typed arguments: each intended effect once, a refusal as a value.

Pure."""

from __future__ import annotations

import json
from typing import assert_never

from voice.actions import Action, Note, RunTool, ToolUsed
from voice.events import ReplyId, ToolCalled, ToolFinished
from voice.memory import Memory
from voice.reply import LeaveByHangup, LeaveByTransfer, Reply
from voice.tools import BookAppointment, EndCall, OptOut, Remember, SaveAnswer, TransferCall, parse_arguments


class Effects:
    """The tools of one call. `transfer_to` is where the agent's callers are connected when the mind names nobody."""

    def __init__(self, memory: Memory, transfer_to: str) -> None:
        self._memory = memory
        self._transfer_to = transfer_to

    def called(self, reply: Reply, event: ToolCalled) -> list[Action]:
        """The mind asks for a tool in this reply. What leaves the call leaves it once the reply has been heard."""
        reply.tools += 1
        arguments = parse_arguments(event.name, event.arguments)
        match arguments:
            case str():
                return self._refuse(reply, event, arguments)
            case EndCall(outcome=outcome):
                reply.leave = LeaveByHangup(outcome or "done")
                return self._use(event, "The call ends after these words.")
            case TransferCall(to=to):
                target = to or self._transfer_to
                if not target:
                    return self._refuse(reply, event, "There is nobody to transfer to.")
                reply.leave = LeaveByTransfer(event.call, target)
                return self._use(event, None)
            case OptOut():
                reply.is_protected = reply.is_opt_out = True
                reply.leave = LeaveByHangup("opted out")
                return self._run(event, "opt_out")
            case SaveAnswer(question=question, value=value):
                return self._run(event, f"save_answer:{question}:{value}")
            case BookAppointment(when=when):
                return self._run(event, f"book_appointment:{when.lower()}")
            case Remember(fact=fact):
                return self._run(event, f"remember:{fact.lower()}")
            case _:
                assert_never(arguments)

    def opt_out(self, words: str) -> list[Action]:
        """The person said no: written whatever the mind makes of it."""
        event = ToolCalled(ReplyId(0), f"guard-{len(self._memory.messages)}", "opt_out", json.dumps({"words": words}))
        return self._run(event, "opt_out")

    def hand_over(self, to: str) -> tuple[LeaveByTransfer, list[Action]]:
        """A supervisor connects the caller to `to`: remembered like a transfer of the mind's."""
        call = f"supervisor-{len(self._memory.messages)}"
        event = ToolCalled(ReplyId(0), call, "transfer", json.dumps({"to": to}))
        return LeaveByTransfer(call, to), self._use(event, None)

    def finished(self, event: ToolFinished) -> tuple[ToolUsed, list[Action]] | None:
        """What came of a tool; None for one that does not run."""
        used = self._memory.finished(event)
        if used is None:
            return None
        return used, [Note("tool", f"{used.name} {'done' if event.ok else 'failed'}", (("result", event.result),))]

    def _use(self, event: ToolCalled, result: str | None, *, ok: bool = True) -> list[Action]:
        self._memory.used(event, result, ok=ok)
        return [Note("tool", event.name, (("arguments", event.arguments),))]

    def _refuse(self, reply: Reply, event: ToolCalled, problem: str) -> list[Action]:
        reply.is_tool_failed = True
        self._use(event, problem, ok=False)
        return [Note("tool", f"{event.name} refused", (("why", problem),))]

    def _run(self, event: ToolCalled, effect: str) -> list[Action]:
        """One intended effect has one key; asked for again in this call, it is not run again."""
        key = self._memory.claim(effect)
        if key is None:
            return self._use(event, "Already done.")
        return [RunTool(event.call, event.name, event.arguments, key), *self._use(event, None)]
