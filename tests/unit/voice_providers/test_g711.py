"""The codec against the standard's own points, and against itself."""

from __future__ import annotations

import numpy as np

from voice.providers import g711


def test_every_code_survives_the_way_there_and_back() -> None:
    codes = bytes(code for code in range(256) if code != 0x7F)  # 0x7F is minus zero: it comes back as plus zero
    assert g711.encode(g711.decode(codes)) == codes


def test_the_ends_of_the_scale() -> None:
    assert g711.decode(bytes([g711.SILENCE, 0x80, 0x00])).tolist() == [0, 32124, -32124]
    assert g711.encode(np.array([0, 32767, -32768], np.int16)) == bytes([0xFF, 0x80, 0x00])


def test_no_sample_is_far_off() -> None:
    samples = np.arange(-32768, 32768, dtype=np.int16)
    back = g711.decode(g711.encode(samples)).astype(np.int32)
    assert int(np.max(np.abs(back - samples) - np.abs(samples.astype(np.int32)) // 16)) <= 644
