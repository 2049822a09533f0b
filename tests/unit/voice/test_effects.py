"""Tools: what each leads to, once."""

from __future__ import annotations

import pytest

from voice.actions import Note, RunTool, ToolUsed
from voice.effects import Effects
from voice.events import CallId, ReplyId, ToolCalled, ToolFinished
from voice.memory import Memory
from voice.reply import LeaveByHangup, LeaveByTransfer, Reply


@pytest.fixture
def memory() -> Memory:
    return Memory(CallId("CA1"))


def called(name: str, arguments: str = "{}", call: str = "c1") -> ToolCalled:
    return ToolCalled(ReplyId(1), call, name, arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "effect"),
    [
        ("save_answer", '{"question":"owner","value":"yes"}', "save_answer:owner:yes"),
        ("book_appointment", '{"when":"Friday"}', "book_appointment:friday"),
        ("remember", '{"fact":"Has a Dog"}', "remember:has a dog"),
        ("opt_out", "{}", "opt_out"),
    ],
)
def test_an_effect_is_asked_for_once(memory: Memory, name: str, arguments: str, effect: str):
    effects, reply = Effects(memory, ""), Reply(ReplyId(1))
    assert effects.called(reply, called(name, arguments))[0] == RunTool("c1", name, arguments, f"CA1:{effect}")
    again = effects.called(reply, called(name, arguments, "c2"))
    assert again == [Note("tool", name, (("arguments", arguments),))]
    assert memory.messages[-1] == ToolUsed("c2", name, arguments, "Already done.")
    assert reply.tools == 2


def test_what_leaves_the_call_is_kept_until_the_reply_is_heard(memory: Memory):
    reply = Reply(ReplyId(1))
    effects = Effects(memory, "+16145550199")
    effects.called(reply, called("end_call"))
    assert reply.leave == LeaveByHangup("done")
    effects.called(reply, called("transfer"))
    assert reply.leave == LeaveByTransfer("c1", "+16145550199")
    effects.called(reply, called("opt_out"))
    assert (reply.leave, reply.is_protected, reply.is_opt_out) == (LeaveByHangup("opted out"), True, True)


@pytest.mark.parametrize(("name", "arguments"), [("fly", "{}"), ("remember", "{"), ("transfer", "{}")])
def test_what_cannot_be_done_is_told_to_the_mind(memory: Memory, name: str, arguments: str):
    reply = Reply(ReplyId(1))
    Effects(memory, "").called(reply, called(name, arguments))
    assert reply.is_tool_failed
    (used,) = memory.messages
    assert isinstance(used, ToolUsed)
    assert not used.ok


def test_a_result_is_taken_once(memory: Memory):
    effects = Effects(memory, "")
    leave, _ = effects.hand_over("sip:desk@example.com")
    used, _ = effects.finished(ToolFinished(leave.call, False, "busy")) or pytest.fail("it runs")
    assert (used.name, used.result) == ("transfer", "busy")
    assert effects.finished(ToolFinished(leave.call, False, "busy")) is None
