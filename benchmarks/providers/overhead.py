"""What an adapter adds to what its vendor took: last audio byte in to final text out, prompt in to first words, text in to
first audio.

Each stand-in is a process of its own, so that its work is not ours, and tells from its log when it was asked and when it
answered (one monotonic clock for the whole machine). What is left is the adapter, two hops over the loopback and whatever
the machine's scheduler makes of them; what that alone is, on this machine and in this minute, is told by a bare client,
which asks the same over a plain connection, takes turns with the adapter, and decodes nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx
from websockets.asyncio.client import connect

from benchmarks.providers.turns import AGENT, LINE, PAUSE, REPLY, prompt, quantile, speech
from context.briefing import Briefing
from voice.collector import settle
from voice.ports import TextDelta
from voice.providers.anthropic import AnthropicModel, AnthropicSettings
from voice.providers.deepgram import DeepgramEars, DeepgramSettings
from voice.providers.elevenlabs import ElevenLabsSettings, ElevenLabsVoice
from voice.providers.openai import OpenAIModel, OpenAISettings

_PROJECT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Took:
    """One exchange: when it began and ended on the clock, and the CPU this process spent meanwhile, in seconds."""

    began: float
    ended: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Apart:
    """A stand-in in a process of its own."""

    url: str

    async def times(self, kind: str, **fields: str) -> list[float]:
        """When entries of a kind were logged."""
        async with httpx.AsyncClient() as client:
            rows = (await client.get(f"{self.url}/__control/log")).json()
        return [
            row["at"]
            for row in rows
            if row["kind"] == kind and all(row.get(name) == value for name, value in fields.items())
        ]


async def overhead(count: int, seed: int, preset: str) -> dict[str, object]:
    """Milliseconds, one exchange at a time so that nothing queues: `p50` and `p95` on the clock, `cpu_p95` of our own
    process, `bare_p95` what a client that does nothing needs in the same minute."""
    return {
        "ears_ms": await _ears(count, seed, preset),
        "mind_ms": await _mind(count, seed, preset, "anthropic"),
        "openai_ms": await _mind(count, seed, preset, "openai"),
        "mouth_ms": await _mouth(count, seed, preset),
    }


# --- ears -------------------------------------------------------------------------------------------------------------


async def _ears(count: int, seed: int, preset: str) -> dict[str, float]:
    async with _apart("deepgram", seed, preset, [LINE] * (2 * count)) as vendor:
        socket_url = vendor.url.replace("http", "ws")
        provider = DeepgramEars(DeepgramSettings("k", socket_url, endpointing=10.0, final_after=5.0))
        ears = await provider.open(AGENT, Briefing())
        events = ears.events()
        caller = await speech(LINE)

        async def ours() -> Took:
            ears.hear(caller)
            async for heard in events:  # the interims first, so that only the last bytes are on the clock
                if heard.text.split()[-1:] == ["is"]:
                    break
            ears.hear(PAUSE)

            async def asked() -> None:
                ears.finish_utterance()
                async for heard in events:
                    if heard.is_final:
                        return

            return await _timed(asked)

        query = "model=nova-3&encoding=mulaw&sample_rate=8000&interim_results=true&endpointing=10000"
        async with connect(f"{socket_url}/v1/listen?{query}", compression=None) as plain:

            async def bare() -> Took:
                await plain.send(caller)
                while '"transcript": "yes that is"' not in str(await plain.recv()):
                    pass
                await plain.send(PAUSE)

                async def asked() -> None:
                    await plain.send('{"type": "Finalize"}')
                    while '"is_final": true' not in str(await plain.recv()):
                        pass

                return await _timed(asked)

            took = await _in_turn(count, ours, bare)
        await ears.close()
        await provider.close()
        return _figures(took, await vendor.times("Finalize"), await vendor.times("final"))


# --- mind -------------------------------------------------------------------------------------------------------------


async def _mind(count: int, seed: int, preset: str, name: str) -> dict[str, float]:
    async with _apart(name, seed, preset, [REPLY]) as vendor:
        model, path = _model(name, vendor.url)
        await model.warm(prompt())
        body = json.dumps(
            {"model": "bench", "max_tokens": 300, "stream": True, "messages": [{"role": "user", "content": "x"}]}
        )
        request = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-length: {len(body)}\r\n\r\n{body}"
        reader, writer = await asyncio.open_connection("127.0.0.1", int(vendor.url.rpartition(":")[2]))

        async def ours() -> Took:
            outputs = model.reply(prompt())

            async def first() -> None:
                async for output in outputs:
                    if isinstance(output, TextDelta):
                        return

            took = await _timed(first)
            async for _ in outputs:
                pass
            return took

        async def bare() -> Took:
            async def first() -> None:
                writer.write(request.encode())
                while REPLY.split()[0].encode() not in await reader.readline():
                    pass

            took = await _timed(first)
            while await reader.readline() != b"0\r\n":
                pass
            await reader.readline()
            return took

        took = await _in_turn(count, ours, bare)
        writer.close()
        await model.close()
        asked = await vendor.times("request", path=path)
        return _figures(took, asked[-2 * count :], await vendor.times("first_token"))


def _model(name: str, url: str) -> tuple[AnthropicModel | OpenAIModel, str]:
    if name == "anthropic":
        return AnthropicModel(AnthropicSettings("k", url)), "/v1/messages"
    return OpenAIModel(OpenAISettings("k", f"{url}/v1", "bench")), "/v1/chat/completions"


# --- mouth ------------------------------------------------------------------------------------------------------------


async def _mouth(count: int, seed: int, preset: str) -> dict[str, float]:
    async with _apart("elevenlabs", seed, preset, []) as vendor:
        provider = ElevenLabsVoice(ElevenLabsSettings("k", vendor.url))
        mouth = await provider.open(AGENT)

        async def ours() -> Took:
            pieces = mouth.speak(REPLY)

            async def first() -> None:
                await anext(pieces)

            took = await _timed(first)
            async for _ in pieces:
                pass
            return took

        path = "/v1/text-to-speech/x/multi-stream-input?output_format=ulaw_8000&auto_mode=true"
        async with connect(vendor.url.replace("http", "ws") + path, compression=None) as plain:

            async def bare() -> Took:
                async def first() -> None:
                    for message in ({"text": " "}, {"text": f"{REPLY} ", "flush": True}, {"close_context": True}):
                        await plain.send(json.dumps({**message, "context_id": "c"}))
                    await plain.recv()

                took = await _timed(first)
                while "isFinal" not in str(await plain.recv()):
                    pass
                return took

            took = await _in_turn(count, ours, bare)
        await mouth.close()
        await provider.close()
        return _figures(took, await vendor.times("billed"), await vendor.times("first_audio"))


# --- how it is measured -----------------------------------------------------------------------------------------------


@asynccontextmanager
async def _apart(name: str, seed: int, preset: str, script: Sequence[str]) -> AsyncIterator[Apart]:
    with TemporaryDirectory() as folder:
        lines = Path(folder) / "script.txt"
        lines.write_text("\n".join(script))
        command = [sys.executable, "-m", "benchmarks.vendors", name, "--seed", str(seed), "--preset", preset]
        command += ["--script", str(lines)]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=_PROJECT)
        try:
            assert process.stdout is not None
            told = json.loads(await process.stdout.readline())
            yield Apart(f"http://127.0.0.1:{told['port']}")
        finally:
            process.terminate()
            await process.wait()


async def _timed(work: Callable[[], Awaitable[None]]) -> Took:
    began, worked = time.monotonic(), time.process_time()
    await work()
    return Took(began, time.monotonic(), time.process_time() - worked)


async def _in_turn(count: int, ours: Callable[[], Awaitable[Took]], bare: Callable[[], Awaitable[Took]]) -> list[Took]:
    """The adapter and the bare client by turns: one of ours, one bare, and so on."""
    settle()  # as a server does before its first call: a full collection is the process's, not an adapter's
    took: list[Took] = []
    for _ in range(count):
        took += [await ours(), await bare()]
    return took


def _figures(took: Sequence[Took], asked: Sequence[float], answered: Sequence[float]) -> dict[str, float]:
    """`asked` and `answered`: when the vendor was, exchange by exchange."""
    vendor = [end - begin for begin, end in zip(asked, answered, strict=True)]
    added = [1000 * (each.ended - each.began - own) for each, own in zip(took, vendor, strict=True)]
    ours, bare = added[::2], added[1::2]
    return {
        "p50": quantile(ours, 0.5),
        "p95": quantile(ours, 0.95),
        "cpu_p95": quantile([1000 * each.cpu for each in took[::2]], 0.95),
        "bare_p50": quantile(bare, 0.5),
        "bare_p95": quantile(bare, 0.95),
    }
