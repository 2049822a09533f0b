"""Voice activity by Silero VAD v5 at 8 kHz, with onnxruntime and numpy alone (MIT; the model lies in `models/`).

`SileroRows` is the model and what it remembers of many calls, a row each: a window of every call in, probabilities out, in
one run. A window judged in company costs a fifth of one judged alone. `SileroActivity` is one call by itself. The weights
are the published ones, laid out for many calls at once (`tools/widen_speech_model.py`).
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from telephony.audio import floats, levels
from voice.errors import ProviderRejected
from voice.events import SAMPLE_RATE, Samples, VoiceEvidence

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
RowIds = NDArray[np.intp]

WINDOW: Final = 256  # samples at 8 kHz: the size the model was trained with
_CONTEXT: Final = 32  # samples of the window before, which the v5 model wants in front of each
_FILE: Final = "silero_vad_8k_wide.onnx"
_SHA256: Final = "9545ce80618ae7a447f27047e697499df40d628907ca58958fcca6e07bd3d051"
# The recurrent state drifts when it hears nothing for long: after 2 s of quiet it is begun anew (pipecat every 5 s). Begun
# anew in noise or music it takes them for speech at first: there it is kept (0.44 false turns a minute instead of 0.80).
_FORGET_AFTER: Final = 2 * SAMPLE_RATE // WINDOW  # windows
_NO_SPEECH: Final = 0.15
_QUIET: Final = -55.0  # dBFS


@cache
def shared_model() -> onnxruntime.InferenceSession:
    """The one model of this process. Thread-safe: onnxruntime sessions are. Raises `ProviderRejected` on a wrong file."""
    return load_model()


def load_model() -> onnxruntime.InferenceSession:
    """Read the model. Raises `ProviderRejected` on a wrong file."""
    model = (files("voice.providers.models") / _FILE).read_bytes()
    if sha256(model).hexdigest() != _SHA256:
        raise ProviderRejected("silero", "wrong_model", f"models/{_FILE} is not the file it should be")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class SileroRows:
    """The model for many calls (`voice.detectors.pool.SpeechModel`). Not thread-safe, but for `run`."""

    def __init__(self, rows: int = 1) -> None:
        self._session = shared_model()
        self._state: Floats = np.zeros((2, rows, 128), np.float32)
        self._context: Floats = np.zeros((rows, _CONTEXT), np.float32)
        self._quiet = np.zeros(rows, np.int32)  # windows since the last speech

    def grow(self, rows: int) -> None:
        """Make room for so many rows altogether."""
        more = rows - len(self._quiet)
        self._state = np.pad(self._state, ((0, 0), (0, more), (0, 0)))
        self._context = np.pad(self._context, ((0, more), (0, 0)))
        self._quiet = np.pad(self._quiet, (0, more))

    def begin(self, row: int) -> None:
        """A new call has this row."""
        self._state[:, row] = 0
        self._context[row] = 0
        self._quiet[row] = 0

    def ask(self, rows: RowIds, samples: Floats, levels: Doubles) -> Question:
        """Whether the next window of each of these rows is speech."""
        heard = np.concatenate([self._context[rows], samples], axis=1)
        return Question(self, rows, levels, {"input": heard, "state": self._state[:, rows]})

    def judge(self, rows: RowIds, samples: Floats, levels: Doubles) -> Doubles:
        """That the next window of each of these rows is speech: a probability each."""
        question = self.ask(rows, samples, levels)
        question.think()
        return question.answer()

    def run(self, heard: dict[str, Floats]) -> tuple[Floats, Floats]:
        """The model itself; any thread may. Probabilities, and what it wants to remember."""
        speech, after = self._session.run(None, heard)
        return speech, after

    def remember(self, question: Question, speech: Floats, after: Floats) -> Doubles:
        """Keep what the next window of these rows needs; return the probabilities."""
        rows, context = question.rows, question.heard["input"][:, -_CONTEXT:]
        found: Doubles = speech[:, 0].astype(np.float64)
        quiet = np.where((found < _NO_SPEECH) & (question.levels < _QUIET), self._quiet[rows] + 1, 0)
        forgotten = quiet >= _FORGET_AFTER
        if forgotten.any():
            after[:, forgotten] = 0
            context = np.where(forgotten[:, None], np.float32(0), context)
            quiet[forgotten] = 0
        self._state[:, rows], self._context[rows], self._quiet[rows] = after, context, quiet
        return found


class Question:
    """Windows put to the model (`voice.detectors.pool.Question`)."""

    def __init__(self, model: SileroRows, rows: RowIds, levels: Doubles, heard: dict[str, Floats]) -> None:
        self.rows, self.levels, self.heard = rows, levels, heard
        self._model = model
        self._thought: tuple[Floats, Floats] | None = None

    def think(self) -> None:
        """Run the model, which lets go of Python's lock meanwhile."""
        self._thought = self._model.run(self.heard)

    def answer(self) -> Doubles:
        """A probability each."""
        assert self._thought is not None, "nobody has thought about it"
        return self._model.remember(self, *self._thought)


class SileroActivity:
    """One call by itself: cuts windows and judges each as it is complete."""

    def __init__(self) -> None:
        self._model = SileroRows()
        self._pending = b""
        self._position = 0

    def feed(self, audio: bytes) -> list[VoiceEvidence]:
        """Take caller audio (mu-law, any length, in order); return the evidence of every window it completes."""
        return [self.judge(window) for window in self.cut(audio)]

    def cut(self, audio: bytes) -> list[bytes]:
        """The windows that this audio completes."""
        self._pending += audio
        whole = len(self._pending) // WINDOW * WINDOW
        windows = [self._pending[start : start + WINDOW] for start in range(0, whole, WINDOW)]
        self._pending = self._pending[whole:]
        return windows

    def judge(self, window: bytes) -> VoiceEvidence:
        """The evidence of the next window."""
        samples = floats(window)[None]
        level = levels(samples)
        self._position += WINDOW
        speech = self._model.judge(_ALONE, samples, level)
        return VoiceEvidence(Samples(self._position), float(speech[0]), float(level[0]))


_ALONE: Final[RowIds] = np.zeros(1, np.intp)
