"""The vendors of a run, as a process of its own: what every engine reaches over sockets, by its own plug-ins.

    python -m benchmarks.engines.vendors --bank bank.json --notes vendors.jsonl --pace published --seed 1

Deepgram's, OpenAI's and ElevenLabs' stand-ins (`benchmarks/vendors`), who know the callers' scripts: they hear what is said
when it is said, answer in turn, and speak in the recorded voice, each after the delays of the pace. ElevenLabs is there
twice: the second one (`elevenlabs_untimed`) sends no word times, as of a voice that has none. Which caller a socket belongs
to is told in the ways these vendors offer: a key term for the ears, the instructions for the mind. Prints where they listen,
and notes for every call what of the caller's speech arrived.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from benchmarks.engines.probe import pin
from benchmarks.engines.script_ears import ScriptEars
from benchmarks.engines.scripted import UNTIMED, Bank, overlapping, tokens
from benchmarks.vendors.deepgram import DeepgramStandIn
from benchmarks.vendors.ears import Listener, Tell
from benchmarks.vendors.elevenlabs import ElevenLabsStandIn
from benchmarks.vendors.mind import Chat, Part
from benchmarks.vendors.openai import OpenAIStandIn
from benchmarks.vendors.presets import PUBLISHED, Delay, Preset
from benchmarks.vendors.wire import Request
from voice.events import Word
from voice.ports import SpokenAudio

_FIXED: Final = Preset(
    "fixed",
    {name: Delay(seconds, seconds) for name, seconds in (("deepgram.interim", 0.15), ("deepgram.final", 0.15))}
    | {"openai.ttft": Delay(0.3, 0.3), "elevenlabs.ttfb": Delay(0.075, 0.075)},
    tokens_per_second=100.0,
)
PRESETS: Final = {"fixed": _FIXED, "published": PUBLISHED}
_SCRIPT: Final = re.compile(r"\b[a-z]+-\d+\b")


class ScriptedDeepgram(DeepgramStandIn):
    """Hears each caller by their own script; the script's name is among the key terms."""

    def __init__(self, preset: Preset, seed: int, bank: Bank, notes: Path) -> None:
        super().__init__(preset, seed)
        self._bank, self._notes = bank, notes
        self._unnamed = 0

    def listener(self, request: Request, tell: Tell) -> Listener:
        named = (term for term in request.query.get("keyterm", []) if term in self._bank.scripts)
        name = next(named, "") or self._next_script()
        return ScriptEars(tell, self._bank.script(name), lambda ears: self._note(name, ears))

    def _next_script(self) -> str:
        """Of an engine that names none: calls come in order, so the next one."""
        names = list(self._bank.scripts)
        self._unnamed += 1
        return names[(self._unnamed - 1) % len(names)]

    def _note(self, script: str, ears: ScriptEars) -> None:
        sounds = [[each.index, each.began, each.lasted] for each in ears.sounds]
        with self._notes.open("a") as file:
            file.write(json.dumps({"script": script, "received": ears.position, "sounds": sounds}) + "\n")


class BankMind:
    """Gives the replies of the script that the instructions name, one for each of the agent's turns so far."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    async def answer(self, chat: Chat) -> AsyncIterator[Part]:
        named = (name for name in _SCRIPT.findall(chat.system) if name in self._bank.scripts)
        replies = self._bank.script(next(named, "")).replies
        said = sum(turn.role == "assistant" and bool(turn.text) for turn in chat.turns)
        for token in tokens(replies[max(0, said - 1) % len(replies)]):
            yield token


class BankMouth:
    """Speaks in the recorded voice."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    async def speak(self, text: str) -> AsyncIterator[SpokenAudio]:
        for piece in overlapping(self._bank.say(text)):
            yield SpokenAudio(piece.audio, tuple(Word(*word) for word in piece.words))


async def serve(bank: Bank, notes: Path, preset: Preset, seed: int, port: int) -> None:
    """Listen until SIGINT or SIGTERM; on four ports from `port` on, or on free ones for 0."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ears = ScriptedDeepgram(preset, seed, bank, notes)
    mind = OpenAIStandIn(preset, seed, mind=BankMind(bank))
    mouth = ElevenLabsStandIn(preset, seed, voice=BankMouth(bank), times_for_all=True)
    untimed = ElevenLabsStandIn(preset, seed, voice=BankMouth(bank), has_times=False)
    async with AsyncExitStack() as stack:
        for place, vendor in enumerate((ears, mind, mouth, untimed)):
            await vendor.start(port=port + place if port else 0)
            stack.push_async_callback(vendor.close)
        told = {"deepgram": ears.ws_url, "openai": f"{mind.url}/v1", "elevenlabs": mouth.url, UNTIMED: untimed.url}
        print(json.dumps(told), flush=True)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="The vendors' stand-ins of a run, with its scripts.")
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--notes", type=Path, required=True)
    parser.add_argument("--pace", choices=sorted(PRESETS), default="published")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=0, help="the first of four; 0: any")
    parser.add_argument("--core", type=int, default=-1)
    order = parser.parse_args()
    pin(order.core)
    asyncio.run(serve(Bank(order.bank), order.notes, PRESETS[order.pace], order.seed, order.port))


if __name__ == "__main__":
    main()
