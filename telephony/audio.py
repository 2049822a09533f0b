"""Telephone audio: mu-law to PCM and back, level, WAV files, resampling. Pure but for the two functions that touch a file.

Everything on a phone line here is G.711 mu-law, 8 kHz, mono, one byte a sample; PCM is signed 16 bit.
"""

from __future__ import annotations

import io
import math
import wave
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

Pcm: TypeAlias = NDArray[np.int16]
Floats: TypeAlias = NDArray[np.float32]  # full scale 1.0

SAMPLE_RATE: Final = 8000
FRAME: Final = 160  # samples in 20 ms, which is what carriers send at a time
SILENCE: Final = b"\xff"  # mu-law's positive zero
SILENT_FRAME: Final = SILENCE * FRAME
QUIETEST: Final = -90.0  # dBFS reported for digital silence

_BIAS: Final = 33  # G.711 adds it (in 14-bit units) so that every segment starts at a power of two
_CLIP: Final = 0x1FFF


def _decode_table() -> Pcm:
    codes = np.arange(256, dtype=np.int32) ^ 0xFF
    segment, step = (codes >> 4) & 7, codes & 15
    magnitude = (((step << 3) + 132) << segment) - 132
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int16)


def _encode_table() -> NDArray[np.uint8]:
    """ITU-T G.191 `ulaw_compress`: negative samples are taken as one's complement, so the two halves mirror exactly."""
    pcm = np.arange(65536, dtype=np.int32).astype(np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum((np.where(pcm < 0, ~pcm, pcm) >> 2) + _BIAS, _CLIP)
    segment = np.floor(np.log2(magnitude)).astype(np.int32) - 4  # 1 for 33..63, 8 for 4096..8191
    step = (magnitude >> segment) & 15
    table: NDArray[np.uint8] = (((8 - segment) << 4) | (15 - step) | np.where(pcm < 0, 0, 0x80)).astype(np.uint8)
    return table


_TO_PCM: Final = _decode_table()
_TO_ULAW: Final = _encode_table()
_TO_FLOAT: Final = _TO_PCM.astype(np.float32) / np.float32(32768)
_POWER: Final = (_TO_PCM.astype(np.float64) / 32768.0) ** 2


def decode(ulaw: bytes) -> Pcm:
    """mu-law to 16-bit PCM."""
    return _TO_PCM[np.frombuffer(ulaw, dtype=np.uint8)]


def floats(ulaw: bytes | bytearray) -> Floats:
    """mu-law to samples of full scale 1.0, in one look-up."""
    return _TO_FLOAT.take(np.frombuffer(ulaw, dtype=np.uint8))


def encode(pcm: Pcm) -> bytes:
    """16-bit PCM to mu-law."""
    return _TO_ULAW[np.ascontiguousarray(pcm, dtype=np.int16).view(np.uint16)].tobytes()


def silence(samples: int) -> bytes:
    return SILENCE * samples


def level(ulaw: bytes) -> float:
    """RMS in dBFS (0 is a full-scale square wave); `QUIETEST` for silence or no audio."""
    if not ulaw:
        return QUIETEST
    power = float(_POWER[np.frombuffer(ulaw, dtype=np.uint8)].mean())
    return max(QUIETEST, 10 * math.log10(power)) if power > 0 else QUIETEST


def levels(samples: Floats) -> NDArray[np.float64]:
    """The RMS of each row in dBFS, full scale being 1.0; `QUIETEST` for silence."""
    power = np.einsum("ij,ij->i", samples, samples, dtype=np.float64) / samples.shape[1]
    found: NDArray[np.float64] = np.maximum(QUIETEST, 10 * np.log10(np.maximum(power, 1e-12)))
    return found


def scale(ulaw: bytes, gain_db: float) -> bytes:
    """The same audio louder or softer."""
    return mix((ulaw, gain_db))


def mix(*parts: tuple[bytes, float]) -> bytes:
    """Add up mu-law audio, each part `(audio, gain in dB)`; as long as the longest part, saturating."""
    total = np.zeros(max((len(ulaw) for ulaw, _ in parts), default=0), dtype=np.float32)
    for ulaw, gain_db in parts:
        total[: len(ulaw)] += decode(ulaw) * np.float32(10 ** (gain_db / 20))
    return encode(np.clip(np.rint(total), -32768, 32767).astype(np.int16))


class Resampler:
    """Converts a stream of PCM from one rate to another, keeping its filter state between pieces."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        self._stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="int16", quality="HQ")

    def feed(self, pcm: Pcm) -> Pcm:
        return self._run(pcm, last=False)

    def finish(self) -> Pcm:
        """What the filter still holds; the resampler is of no use afterwards."""
        return self._run(np.zeros(0, dtype=np.int16), last=True)

    def _run(self, pcm: Pcm, *, last: bool) -> Pcm:
        return np.asarray(self._stream.resample_chunk(pcm, last=last), dtype=np.int16)


def stereo_wav(left: bytes, right: bytes) -> bytes:
    """A 16-bit WAV of two mu-law channels; the shorter one is padded with silence."""
    frames = np.zeros((max(len(left), len(right)), 2), dtype="<i2")
    frames[: len(left), 0] = decode(left)
    frames[: len(right), 1] = decode(right)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(frames.tobytes())
    return buffer.getvalue()


def write_stereo(path: Path, left: bytes, right: bytes) -> None:
    """Write two mu-law channels as a WAV file."""
    path.write_bytes(stereo_wav(left, right))


def read_wav(path: Path) -> tuple[int, NDArray[np.int16]]:
    """`(rate, samples)` of a 16-bit WAV file; `samples` has one row per instant and one column per channel.

    Raises ValueError when the file is not 16-bit PCM.
    """
    with wave.open(str(path), "rb") as source:
        if source.getsampwidth() != 2:
            raise ValueError(f"{path.name} is not 16-bit PCM")
        frames = source.readframes(source.getnframes())
        return source.getframerate(), np.frombuffer(frames, dtype="<i2").astype(np.int16).reshape(-1, source.getnchannels())
