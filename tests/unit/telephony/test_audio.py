import math

import numpy as np
import pytest

from telephony import audio

# ITU-T G.711, table 2a/2b: the quantised value (16-bit scale) of some codes, and 0xFF for silence.
G711 = {0x80: 32124, 0x8F: 16764, 0x90: 15996, 0x9F: 8316, 0xF0: 120, 0xFE: 8, 0xFF: 0, 0x7F: 0, 0x7E: -8, 0x00: -32124}


def test_decoding_follows_the_table():
    for code, value in G711.items():
        assert audio.decode(bytes([code]))[0] == value


def test_every_code_survives_the_round_trip_but_negative_zero():
    codes = bytes(range(256))
    again = audio.encode(audio.decode(codes))
    assert [code for code in range(256) if again[code] != code] == [0x7F]


def test_encoding_is_the_reference_algorithm():
    def reference(sample: int) -> int:
        """ITU-T G.191, ulaw_compress, line by line."""
        magnitude = min(((~sample if sample < 0 else sample) >> 2) + 33, 0x1FFF)
        segment = 1
        rest = magnitude >> 6
        while rest:
            segment += 1
            rest >>= 1
        code = ((8 - segment) << 4) | (15 - ((magnitude >> segment) & 15))
        return code if sample < 0 else code | 0x80

    samples = np.arange(-32768, 32768).astype(np.int16)
    assert audio.encode(samples) == bytes(reference(int(sample)) for sample in samples)


def test_encoding_takes_views():
    stereo = np.zeros((4, 2), dtype=np.int16)
    stereo[:, 1] = 1000
    assert len(audio.encode(stereo[:, 1])) == 4


def test_silence():
    assert audio.silence(3) == b"\xff\xff\xff"
    assert not audio.decode(audio.SILENT_FRAME).any()


def test_level_in_dbfs():
    instants = np.arange(8000) / 8000
    sine = (0.5 * 32767 * np.sin(2 * np.pi * 400 * instants)).astype(np.int16)
    assert audio.level(audio.encode(sine)) == pytest.approx(20 * math.log10(0.5 / math.sqrt(2)), abs=0.1)
    assert audio.level(b"") == audio.QUIETEST
    assert audio.level(audio.SILENT_FRAME) == audio.QUIETEST
    assert audio.level(b"\x80" * 160) == pytest.approx(-0.17, abs=0.02)


def test_levels_of_many_at_once_are_those_of_each():
    codes = bytes(range(160)), audio.SILENT_FRAME, b"\x80" * 160
    together = audio.levels(np.stack([audio.floats(each) for each in codes]))
    assert together.tolist() == pytest.approx([audio.level(each) for each in codes])


def test_scaling_and_mixing():
    loud = audio.encode(np.full(160, 8000, dtype=np.int16))
    assert audio.level(audio.scale(loud, -20)) == pytest.approx(audio.level(loud) - 20, abs=0.3)
    both = audio.mix((loud, 0.0), (loud[:80], 0.0))
    assert len(both) == 160
    assert audio.decode(both)[0] == pytest.approx(16000, rel=0.03)
    assert audio.decode(audio.mix((b"\x80" * 4, 6.0)))[0] == 32124
    assert audio.mix() == b""


def test_resampling_a_stream_equals_its_length_and_tone():
    up = audio.Resampler(8000, 16000)
    sine = (8000 * np.sin(2 * np.pi * 400 * np.arange(8000) / 8000)).astype(np.int16)
    pieces = [up.feed(sine[start : start + 160]) for start in range(0, 8000, 160)]
    whole = np.concatenate([*pieces, up.finish()])
    assert len(whole) == 16000
    assert whole.dtype == np.int16
    assert np.abs(np.fft.rfft(whole.astype(float))).argmax() == 400


def test_stereo_files_align_both_voices(tmp_path):
    left, right = b"\x80" * 100, b"\x00" * 60
    path = tmp_path / "call.wav"
    audio.write_stereo(path, left, right)
    rate, samples = audio.read_wav(path)
    assert (rate, samples.shape) == (8000, (100, 2))
    assert (samples[:, 0] == 32124).all()
    assert (samples[:60, 1] == -32124).all()
    assert not samples[60:, 1].any()


def test_a_file_that_is_not_16_bit(tmp_path):
    path = tmp_path / "bad.wav"
    path.write_bytes(audio.stereo_wav(b"", b"").replace(b"\x10\x00data", b"\x08\x00data"))
    with pytest.raises(ValueError, match="16-bit"):
        audio.read_wav(path)
