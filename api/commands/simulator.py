"""`offhook simulator`: the built-in phone network as a process of its own, for an engine that runs beside it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from telephony.simulator.server import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_PORT, Options, main_async
from voice.providers.embedded.mouth import EmbeddedMouth


class PeoplesMouth:
    """Gives simulated people their voices with the embedded text to speech; a voice it does not have is `caller`."""

    def __init__(self, mouth: EmbeddedMouth) -> None:
        self._mouth = mouth

    async def say(self, text: str, voice: str) -> bytes:
        """The whole text as mu-law, 8 kHz. Raises `ProviderError`."""
        return await self._mouth.say(text, voice if voice in self._mouth.voices else "caller")


def simulator(
    people: Annotated[Path, typer.Argument(help="A file of simulated people.", metavar="PEOPLE")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = DEFAULT_PORT,
    voice_url: Annotated[str, typer.Option(help="Where calls to our own numbers ask for instructions.")] = "",
    status_url: Annotated[str, typer.Option(help="Where their status is reported.")] = "",
    own_number: Annotated[
        list[str] | None, typer.Option(help="A number of ours that people may ring; may be repeated.")
    ] = None,
    recordings: Annotated[Path | None, typer.Option(help="Folder for two-channel recordings of every call.")] = None,
    account_sid: Annotated[str, typer.Option(help="The engine's TWILIO_ACCOUNT_SID.")] = DEFAULT_ACCOUNT_SID,
    auth_token: Annotated[str, typer.Option(help="The engine's TWILIO_AUTH_TOKEN.")] = DEFAULT_AUTH_TOKEN,
    calls_per_second: Annotated[float, typer.Option(min=0.1, max=1000, help="How fast calls leave its queue.")] = 1.0,
) -> None:
    """Speaks Twilio's protocol and rings the people of a file. Point TWILIO_API_URL at it; stop it with Ctrl-C.

    Example: offhook simulator people.toml --own-number +12025550100 --voice-url http://127.0.0.1:8080/twilio/voice
    """
    options = Options(
        people=people,
        host=host,
        port=port,
        account_sid=account_sid,
        auth_token=auth_token,
        voice_url=voice_url,
        status_url=status_url,
        recordings=recordings,
        calls_per_second=calls_per_second,
        own_numbers=tuple(own_number or ()),
    )
    asyncio.run(_run(options))


async def _run(options: Options) -> None:
    mouth = EmbeddedMouth()
    try:
        await main_async(options, PeoplesMouth(mouth), lambda: _introduce(options))
    finally:
        await mouth.close()


def _introduce(options: Options) -> None:
    """How to reach it, in settings to be copied; told when it can be."""
    where = f"TWILIO_API_URL=http://{options.host}:{options.port}"
    account = f"TWILIO_ACCOUNT_SID={options.account_sid} TWILIO_AUTH_TOKEN={options.auth_token}"
    typer.echo(f"{where} {account}", err=True)
