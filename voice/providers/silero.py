"""Voice activity by Silero VAD v5 at 8 kHz, with onnxruntime and numpy alone (MIT; the model lies in `models/`).

`SileroBatch` is the model: windows of many calls in, probabilities out, nothing remembered. `SileroActivity` is one call's
detector: it cuts windows, carries their state, and measures their level. Both are cheap enough (0.06-0.1 ms a window) to run
on the event loop; a server with many calls gathers the windows of 20 ms and runs them in a thread, as one batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from telephony.audio import decode
from voice.errors import ProviderRejected
from voice.events import SAMPLE_RATE, Samples, VoiceEvidence

WINDOW: Final = 256  # samples at 8 kHz: the size the model was trained with
_CONTEXT: Final = 32  # samples of the window before, which the v5 model wants in front of each
_STATE: Final = (2, 128)
_SHA256: Final = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
_FULL_SCALE: Final = 32768.0
_QUIETEST: Final = -90.0  # dBFS
# The recurrent state drifts when it hears nothing for long: after 2 s of quiet it is begun anew (pipecat every 5 s). Begun
# anew in noise or music it takes them for speech at first: there it is kept (0.44 false turns a minute instead of 0.80).
_FORGET_AFTER: Final = 2 * SAMPLE_RATE // WINDOW  # windows
_NO_SPEECH: Final = 0.15
_QUIET: Final = -55.0  # dBFS

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Window:
    """What the model needs for one window of one call, and what it left behind in `state` for the next."""

    samples: Floats = field(repr=False)  # the window with its context: 288 values, full scale 1.0
    state: Floats = field(repr=False)


@dataclass(frozen=True, slots=True)
class Judged:
    speech: float  # probability
    state: Floats = field(repr=False)


class SileroBatch:
    """The model, shared by all calls. Thread-safe: onnxruntime sessions are. Raises `ProviderRejected` on a wrong file."""

    def __init__(self) -> None:
        model = (files("voice.providers.models") / "silero_vad.onnx").read_bytes()
        if sha256(model).hexdigest() != _SHA256:
            raise ProviderRejected("silero", "wrong_model", "models/silero_vad.onnx is not the file it should be")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._rate = np.array(SAMPLE_RATE, np.int64)

    def run(self, windows: Sequence[Window]) -> list[Judged]:
        """Judge windows of different calls in one go, in their order."""
        if not windows:
            return []
        samples = np.stack([window.samples for window in windows])
        state = np.stack([window.state for window in windows], axis=1)
        speech, after = self._session.run(None, {"input": samples, "state": state, "sr": self._rate})
        return [Judged(float(speech[row, 0]), after[:, row]) for row in range(len(windows))]


@cache
def shared_batch() -> SileroBatch:
    """The one model of this process."""
    return SileroBatch()


class SileroActivity:
    """The voice activity detector of one call (`ports.VoiceActivity`)."""

    def __init__(self, batch: SileroBatch | None = None) -> None:
        self._batch = batch or shared_batch()
        self._pending = b""
        self._position = 0
        self._since_speech = 0  # windows
        self._forget()

    def feed(self, audio: bytes) -> list[VoiceEvidence]:
        """Take caller audio (mu-law, any length, in order); return the evidence of every window it completes."""
        return [self.judge(window) for window in self.cut(audio)]

    def played(self, audio: bytes) -> None:
        """The model alone does not know an echo."""

    def cleared(self) -> None:
        """Nothing was remembered of what was played."""

    def judge(self, window: bytes) -> VoiceEvidence:
        """The evidence of the next window, judged alone."""
        return self.judged(window, self._batch.run([self.prepared(window)])[0])

    def cut(self, audio: bytes) -> list[bytes]:
        """The windows that this audio completes: for a caller that batches."""
        self._pending += audio
        whole = len(self._pending) // WINDOW * WINDOW
        windows = [self._pending[start : start + WINDOW] for start in range(0, whole, WINDOW)]
        self._pending = self._pending[whole:]
        return windows

    def prepared(self, window: bytes) -> Window:
        """The model's input for a window. `judged` must follow before the next window of this call is prepared."""
        samples = decode(window).astype(np.float32) / _FULL_SCALE
        return Window(np.concatenate([self._context, samples]), self._state)

    def judged(self, window: bytes, outcome: Judged) -> VoiceEvidence:
        """Take the model's answer to a window and say what it is evidence of."""
        samples = decode(window).astype(np.float32) / _FULL_SCALE
        self._state, self._context = outcome.state, samples[-_CONTEXT:]
        self._position += WINDOW
        loudness = level(samples)
        is_quiet = outcome.speech < _NO_SPEECH and loudness < _QUIET
        self._since_speech = self._since_speech + 1 if is_quiet else 0
        if self._since_speech >= _FORGET_AFTER:
            self._forget()
        return VoiceEvidence(Samples(self._position), outcome.speech, loudness)

    def _forget(self) -> None:
        self._since_speech = 0
        self._state = np.zeros(_STATE, np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)


def level(samples: Floats) -> float:
    """The RMS level in dBFS, a full-scale square wave being 0; silence is -90."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if samples.size else 0.0
    return max(_QUIETEST, 10 * float(np.log10(power))) if power > 0 else _QUIETEST
