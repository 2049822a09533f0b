from __future__ import annotations

import numpy as np
import pytest

from telephony.audio import decode
from voice.errors import ProviderRejected
from voice.events import Transcribed, Word
from voice.providers.plugin import LastInterim, ToMulaw, parse_name


def test_a_name_is_a_plugin_and_its_options() -> None:
    plugin = parse_name("livekit", "openai?model=gpt-5.4-mini&temperature=0.2&store=false&base_url=http://h:1/v1")
    assert (plugin.name, plugin.module) == ("livekit:openai", "openai")
    assert plugin.options == {"model": "gpt-5.4-mini", "temperature": 0.2, "store": False, "base_url": "http://h:1/v1"}
    assert parse_name("pipecat", "deepgram.flux").options == {}


@pytest.mark.parametrize("name", ["", "?a=b", "../etc", "a b"])
def test_a_name_without_a_plugin_is_refused(name: str) -> None:
    with pytest.raises(ProviderRejected, match="needs the name"):
        parse_name("livekit", name)


def test_linear_audio_of_any_rate_becomes_mulaw() -> None:
    tone = (8000 * np.sin(2 * np.pi * 400 * np.arange(16000) / 16000)).astype(np.int16)
    to_mulaw = ToMulaw(16000)
    audio = (
        to_mulaw.convert(tone[:7000].tobytes())
        + to_mulaw.convert(tone[7000:].tobytes())
        + to_mulaw.convert(b"", is_last=True)
    )
    assert len(audio) == pytest.approx(8000, abs=2)
    assert np.abs(decode(audio).astype(int)).max() == pytest.approx(8000, rel=0.05)
    assert ToMulaw(8000).convert(b"\0\0\0") == b"\xff"
    assert ToMulaw(8000).convert(b"") == b""


def test_the_last_interim_stands_in_for_a_final_that_does_not_come() -> None:
    last = LastInterim()
    last.heard(Transcribed("call me", False, 0.8, None, (Word("call", 0.0, 0.2),)))
    final = last.close()
    assert (final.text, final.is_final, final.words[0].text) == ("call me", True, "call")
    assert last.close().text == ""
    last.heard(Transcribed("x", is_final=False))
    last.heard(Transcribed("x y", is_final=True))
    assert last.close().text == ""
