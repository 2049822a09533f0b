"""The vendors' parts by name, from what the operator set: `deepgram`, `deepgram:flux-general-en`, `openai:llama3`, ...

After the colon stands the model. `livekit:NAME` and `pipecat:NAME` are other people's plug-ins. `keep_talking` puts an
ordered list of parts behind the port of one, with one `Health` for the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from voice.errors import ProviderRejected
from voice.ports import LanguageModel, SpeechToText, TextToSpeech
from voice.providers.resilience.ears import FallbackEars
from voice.providers.resilience.health import Health
from voice.providers.resilience.mind import FallbackMind
from voice.providers.resilience.mouth import FallbackMouth

EMBEDDED: Final = "embedded"
EARS: Final = ("deepgram", "livekit", "pipecat")
MINDS: Final = ("anthropic", "openai", "livekit", "pipecat")
MOUTHS: Final = ("elevenlabs", "livekit", "pipecat")


@dataclass(frozen=True, slots=True)
class Access:
    """Keys and addresses, under the vendors' own names; an empty address is the vendor's own."""

    deepgram_api_key: str = ""
    deepgram_url: str = ""
    elevenlabs_api_key: str = ""
    elevenlabs_url: str = ""
    anthropic_api_key: str = ""
    anthropic_base_url: str = ""
    openai_api_key: str = ""
    openai_base_url: str = ""


def make_ears(name: str, access: Access) -> SpeechToText:
    """Speech to text of a vendor. Raises `ProviderRejected`: unknown name, or its extra is not installed."""
    vendor, _, model = name.partition(":")
    match vendor:
        case "deepgram":
            from voice.providers.deepgram import DeepgramEars, DeepgramSettings

            usual, (model, language) = DeepgramSettings(""), _spoken(name, model)
            address = access.deepgram_url or usual.url
            return DeepgramEars(DeepgramSettings(access.deepgram_api_key, address, model or usual.model, language=language))
        case "livekit":
            from voice.providers.livekit import LiveKitEars

            return LiveKitEars.named(model)
        case "pipecat":
            from voice.providers.pipecat import PipecatEars

            return PipecatEars.named(model)
        case _:
            raise _unknown("ears", name, EARS)


def _spoken(name: str, model: str) -> tuple[str, str]:
    """The model of a name, and the language that it asks for: `nova-3?language=multi`. Raises `ProviderRejected`."""
    model, _, query = model.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    language = options.pop("language", "")
    if options:
        raise ProviderRejected(name, "bad_request", f"no option {', '.join(options)}; there is: language")
    return model, language


def make_mind(name: str, access: Access) -> LanguageModel:
    """A language model of a vendor. Raises `ProviderRejected`: unknown name, or its extra is not installed."""
    vendor, _, model = name.partition(":")
    match vendor:
        case "anthropic":
            from voice.providers.anthropic import DEFAULT_MODEL, AnthropicModel, AnthropicSettings

            base = access.anthropic_base_url or None
            return AnthropicModel(AnthropicSettings(access.anthropic_api_key, base, model or DEFAULT_MODEL))
        case "openai":
            from voice.providers.openai import DEFAULT_MODEL as OPENAI_MODEL
            from voice.providers.openai import OpenAIModel, OpenAISettings

            return OpenAIModel(
                OpenAISettings(access.openai_api_key or "local", access.openai_base_url or None, model or OPENAI_MODEL)
            )
        case "livekit":
            from voice.providers.livekit import LiveKitMind

            return LiveKitMind.named(model)
        case "pipecat":
            from voice.providers.pipecat import PipecatMind

            return PipecatMind.named(model)
        case _:
            raise _unknown("mind", name, MINDS)


def make_mouth(name: str, access: Access) -> TextToSpeech:
    """Text to speech of a vendor. Raises `ProviderRejected`: unknown name, or its extra is not installed."""
    vendor, _, model = name.partition(":")
    match vendor:
        case "elevenlabs":
            from voice.providers.elevenlabs import ElevenLabsSettings, ElevenLabsVoice

            usual = ElevenLabsSettings("")
            return ElevenLabsVoice(
                ElevenLabsSettings(access.elevenlabs_api_key, access.elevenlabs_url or usual.url, model or usual.model)
            )
        case "livekit":
            from voice.providers.livekit import LiveKitMouth

            return LiveKitMouth.named(model)
        case "pipecat":
            from voice.providers.pipecat import PipecatMouth

            return PipecatMouth.named(model)
        case _:
            raise _unknown("mouth", name, MOUTHS)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every provider the operator named, behind three ports, and what is known of their health."""

    ears: FallbackEars
    mind: FallbackMind
    mouth: FallbackMouth
    health: Health

    async def close(self) -> None:
        await self.ears.close()
        await self.mind.close()
        await self.mouth.close()


@dataclass(frozen=True, slots=True)
class Embedded:
    """The parts that need no account, made (and started, if they are named) by whoever puts the house together."""

    ears: SpeechToText
    mind: LanguageModel
    mouth: TextToSpeech


def fleet_of(
    stt: Sequence[str],
    llm: Sequence[str],
    tts: Sequence[str],
    access: Access,
    embedded: Embedded,
    health: Health | None = None,
) -> Fleet:
    """Everything the operator named, in order, behind three ports; the embedded mouth is the voice of the last resort.

    Raises `ProviderRejected` for an unknown name or a missing extra.
    """
    return keep_talking(
        [embedded.ears if name == EMBEDDED else make_ears(name, access) for name in stt],
        [embedded.mind if name == EMBEDDED else make_mind(name, access) for name in llm],
        [embedded.mouth if name == EMBEDDED else make_mouth(name, access) for name in tts],
        health,
        embedded.mouth,
        embedded.mind,
    )


def keep_talking(
    ears: Sequence[SpeechToText],
    minds: Sequence[LanguageModel],
    mouths: Sequence[TextToSpeech],
    health: Health | None = None,
    last_resort: TextToSpeech | None = None,
    playbook: LanguageModel | None = None,
) -> Fleet:
    """Ordered parts, each list not empty, behind the ports of one. `last_resort` is the voice of the apology, `playbook`
    what answers for a mind that cannot use its tools."""
    shared = health or Health()
    mouth = FallbackMouth(mouths, shared, last_resort)
    return Fleet(FallbackEars(ears, shared), FallbackMind(minds, shared, playbook), mouth, shared)


def _unknown(part: str, name: str, known: tuple[str, ...]) -> ProviderRejected:
    return ProviderRejected(name, "unknown_provider", f"no such {part}; there are: {', '.join(known)}")
