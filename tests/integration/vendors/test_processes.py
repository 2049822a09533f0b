"""The stand-ins as a process of their own, as the demo and the benchmarks run them."""

from __future__ import annotations

import asyncio
import json
import sys

import httpx

from voice.ports import Prompt
from voice.providers.openai import OpenAIModel, OpenAISettings


async def test_they_run_as_a_process_with_faults_and_log_in_reach(prompt: Prompt) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.vendors", "all", "--preset", "instant", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            ready = [json.loads(await process.stdout.readline()) for _ in range(4)]
        assert [line["vendor"] for line in ready] == ["deepgram", "elevenlabs", "anthropic", "openai"]
        settings = ready[3]["settings"]
        model = OpenAIModel(OpenAISettings(settings["OPENAI_API_KEY"], settings["OPENAI_BASE_URL"], model="local"))
        assert [output async for output in model.reply(prompt)]
        await model.close()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ready[3]['port']}") as control:
            kinds = [row["kind"] for row in (await control.get("/__control/log")).json()]
        assert "answered" in kinds
    finally:
        process.terminate()
        assert await process.wait() == 0
