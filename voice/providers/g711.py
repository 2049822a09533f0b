"""G.711 mu-law to and from 16-bit linear samples, by table (ITU-T G.711, table 2a/2b; bit-inverted as on the wire)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

SILENCE: Final = 0xFF  # mu-law for a sample of 0
_BIAS: Final = 0x84
_CLIP: Final = 32635


def _expansion() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + _BIAS << ((code & 0x70) >> 4)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _compression() -> NDArray[np.uint8]:
    sample = np.arange(-32768, 32768, dtype=np.int32)
    biased = np.minimum(np.abs(sample), _CLIP) + _BIAS
    exponent = np.maximum(np.floor(np.log2(biased)).astype(np.int32) - 7, 0)
    mantissa = (biased >> (exponent + 3)) & 0x0F
    sign = np.where(sample < 0, 0x80, 0)
    code: NDArray[np.uint8] = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return code


_EXPAND: Final = _expansion()
_COMPRESS: Final = _compression()


def decode(mulaw: bytes) -> NDArray[np.int16]:
    """Samples of mu-law bytes, one each."""
    return np.asarray(_EXPAND[np.frombuffer(mulaw, np.uint8)], np.int16)


def encode(samples: NDArray[np.int16]) -> bytes:
    """Mu-law bytes of samples, one each."""
    return _COMPRESS[samples.astype(np.int32) + 32768].tobytes()
