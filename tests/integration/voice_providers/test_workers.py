"""Worker processes: that they start when needed, die alone, come back, and are gone when the engine is."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from context.briefing import Briefing
from voice.agent import AgentDefinition
from voice.errors import ProviderRejected, ProviderUnavailable
from voice.providers.embedded.ears import EmbeddedEars
from voice.providers.embedded.expected import hint_for
from voice.providers.embedded.mouth import EmbeddedMouth
from voice.providers.embedded.wire import LENGTH, Ready, Say, pack
from voice.providers.embedded.worker import Worker

ROOT = Path(__file__).parents[3]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_mouth_that_dies_takes_its_texts_with_it_and_comes_back(mouth: EmbeddedMouth) -> None:
    await mouth.start()
    pid = mouth.pid
    assert pid is not None
    speech = mouth.stream("This sentence is long enough to be cut off by an accident in the middle of it.", "male")
    os.kill(pid, signal.SIGSTOP)
    first = asyncio.ensure_future(anext(speech))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ProviderUnavailable, match="worker_died"):
        await first
    assert len(await mouth.say("Here again.", "male")) > 2000
    assert mouth.pid not in (None, pid)
    assert not is_running(pid)


async def test_ears_that_die_fail_their_calls_and_come_back(ears: EmbeddedEars, agent: AgentDefinition) -> None:
    transcriber = await ears.open(agent, Briefing())
    (pid,) = ears.pids
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ProviderUnavailable, match="worker_died"):
        await anext(transcriber.events())
    transcriber.hear(b"\xff" * 160)
    await transcriber.close()
    again = await ears.open(agent, Briefing())
    again.finish_utterance()
    assert (await anext(again.events())).is_final
    await again.close()


async def test_a_model_spoilt_on_the_disk_is_made_again(tmp_path: Path, agent: AgentDefinition) -> None:
    ears = EmbeddedEars(tmp_path, processes=1)
    await (await ears.open(agent, Briefing())).close()
    await ears.close()
    for model in (tmp_path / "ears").glob("*.lm"):
        model.write_text("nothing of use")
    ears = EmbeddedEars(tmp_path, processes=1)
    with pytest.raises(ProviderUnavailable, match="no_decoder"):
        await ears.open(agent, Briefing())
    transcriber = await ears.open(agent, Briefing())
    transcriber.expect(hint_for(agent.questions[0]))
    transcriber.finish_utterance()
    assert (await anext(transcriber.events())).is_final
    await transcriber.close()
    await ears.close()


async def test_nothing_is_left_after_closing(models: Path, agent: AgentDefinition) -> None:
    before = set(os.listdir("/proc/self/fd"))
    ears, mouth = EmbeddedEars(models, processes=1), EmbeddedMouth("espeak")
    transcriber = await ears.open(agent, Briefing())
    await mouth.start()
    pids = [*ears.pids, mouth.pid]
    await transcriber.close()
    await ears.close()
    await mouth.close()
    await mouth.close()
    assert not any(is_running(pid) for pid in pids if pid)
    assert len(set(os.listdir("/proc/self/fd")) - before) <= 1  # the loop's own child watcher may stay
    with pytest.raises(ProviderUnavailable, match="closed"):
        await mouth.say("Nobody hears this.")


async def test_a_worker_leaves_when_the_engine_is_gone() -> None:
    command = [sys.executable, "-m", "voice.providers.embedded.mouth_worker", "espeak"]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    assert await process.stdout.readexactly(length) == pack(Ready(0))[LENGTH.size :]
    process.stdin.write(pack(Say(1, "A sentence that nobody waits for.", "female")))
    process.stdin.close()
    assert await process.wait() == 0


async def test_an_engine_that_is_not_there_is_told() -> None:
    worker = Worker("voice.providers.embedded.ears_worker", ("/proc/no/such/folder",))
    with pytest.raises(ProviderRejected, match="no_engine"):
        await worker.start()
    await worker.close()


async def test_a_process_that_does_not_speak_our_language_is_not_waited_for() -> None:
    for module in ("this", "voice.no_such_module"):
        worker = Worker(module)
        with pytest.raises(ProviderUnavailable, match="worker_died"):
            await worker.start()
        await worker.close()


async def test_a_voice_that_is_not_there_is_told(mouth: EmbeddedMouth) -> None:
    with pytest.raises(ProviderRejected, match="no_voice"):
        await mouth.say("Hello.", "nobody")
    assert await mouth.say("Hello.", "male")
