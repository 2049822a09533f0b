"""Does it sound finished? smart-turn v3.2 (Daily, BSD-2; `voice/models/`), by onnxruntime and numpy alone.

The model hears the last seconds as a Whisper log-mel picture and says how likely the turn is complete. It was made for
eight; this one is cut to the last one and a half (`tools/shorten_turn_model.py`), which on telephone audio tells ends from
pauses as well (docs/turn-taking.md) and takes a seventh of the time. It was trained on 16 kHz audio: telephone audio is what
remains of that below 4 kHz, so the picture is computed at 8 kHz and its upper half is the floor, which is what resampling
would give at six times the cost. About 4 ms of one core: never on the media loop.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from hashlib import sha256
from importlib.resources import files
from math import log
from typing import Final, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from voice.detectors.budget import Budget
from voice.errors import ProviderRejected
from voice.events import SAMPLE_RATE

Floats = NDArray[np.float32]

HEARD: Final = 12_000  # samples: the model's one and a half seconds
_FILE: Final = "smart-turn-v3.2-cpu-1.5s.onnx"
_SHA256: Final = "79cca6506d75f3d51bfc83c5d897bce0dc40d368786236daa1159d3cfa76540c"
_FRAME: Final = 200  # samples at 8 kHz: the model's 25 ms
_HOP: Final = 80
_MELS: Final = 80
_AT_ONCE: Final = 30  # frames in one product: from some 2**18 multiplications on, BLAS wakes its threads, which only costs
_TO_16K: Final = 4.0  # power of a spectrum over twice as many samples
SHARE: Final = 0.1  # of a core, at most, over time: fifteen to twenty-five questions a second
_SAVED: Final = 0.2  # seconds of a core that may be spent at once: some forty questions
_NICENESS: Final = 5
_LONGEST_QUEUE: Final = 8  # questions waiting: beyond it the answer would come too late to matter


class Answer(Protocol):
    """A question asked of the model; `Future` fits."""

    def done(self) -> bool: ...

    def result(self) -> float: ...


class TurnJudge(Protocol):
    """Somebody to ask whether a turn sounds complete."""

    def ask(self, samples: Floats) -> Answer | None:
        """Judge these last seconds (8 kHz, full scale 1.0) elsewhere. None when there is no time for it."""


class SmartTurn:
    """The model. Thread-safe. Raises `ProviderRejected` on a wrong file."""

    def __init__(self) -> None:
        model = (files("voice.models") / _FILE).read_bytes()
        if sha256(model).hexdigest() != _SHA256:
            raise ProviderRejected("smart_turn", "wrong_model", f"{_FILE} is not the file it should be")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def judge(self, samples: Floats) -> float:
        """The log-odds that the turn which these samples end is complete, within -6 to 6."""
        return self.judge_picture(log_mel(samples))

    def judge_picture(self, picture: Floats) -> float:
        """The same of their picture, by the model alone: it lets go of Python's lock meanwhile."""
        (answer,) = self._session.run(None, {"input_features": picture[None]})
        chance = min(max(float(np.ravel(answer)[0]), 0.0025), 0.9975)
        return log(chance / (1 - chance))


class SmartTurnThread:
    """The model in a thread of its own, for all calls of a process: one question at a time, none when too many wait.

    The picture is drawn by whoever asks, in a quarter of a millisecond: a thread that needs Python's lock for each step of
    it waits for a busy loop at every one (docs/performance.md).

    Nor when it has had its share of the core: then there are so many calls that every one of them is better served by a
    process that keeps up. Silence, words and the sound of the ending decide without it.
    """

    def __init__(self, model: SmartTurn | None = None, share: float = SHARE) -> None:
        self._model = model or SmartTurn()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="smart-turn", initializer=_stand_back)
        self._waiting = 0
        self._budget = Budget(share, _SAVED)

    def ask(self, samples: Floats) -> Future[float] | None:
        if self._waiting >= _LONGEST_QUEUE or not self._budget.has_some(time.monotonic()):
            return None
        self._waiting += 1
        answer = self._thread.submit(self._judge, log_mel(samples))
        answer.add_done_callback(self._answered)
        return answer

    def close(self) -> None:
        """Stop taking questions; those asked are dropped."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _judge(self, picture: Floats) -> float:
        began = time.thread_time()
        answer = self._model.judge_picture(picture)
        self._budget.spend(time.thread_time() - began)
        return answer

    def _answered(self, _: Future[float]) -> None:
        self._waiting -= 1


def _stand_back() -> None:
    """Where the two want the same core, the thread that carries the calls goes first."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


@cache
def shared_judge() -> SmartTurnThread:
    """The one judge of this process."""
    return SmartTurnThread()


def log_mel(samples: Floats) -> Floats:
    """Whisper's picture of the last one and a half seconds at 8 kHz: 80 mel bands by 150 frames, about -1 to 1.

    Radford et al. 2022: periodic Hann, 10 ms hop, Slaney mel bands, log10 clipped 8 below its maximum.
    """
    padded = np.zeros(HEARD, np.float32)
    last = samples[-HEARD:]
    padded[HEARD - len(last) :] = last
    padded = (padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)
    reflected = np.pad(padded, _FRAME // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(reflected, _FRAME)[::_HOP][: HEARD // _HOP]
    power = np.abs(np.fft.rfft(frames * _hann(), axis=1)) ** 2 * _TO_16K
    bands = (power.reshape(-1, _AT_ONCE, power.shape[1]) @ _mel_bands().T).reshape(-1, _MELS)
    level = np.log10(np.maximum(bands.T, 1e-10))
    picture: Floats = ((np.maximum(level, level.max() - 8) + 4) / 4).astype(np.float32)
    return picture


@cache
def _hann() -> Floats:
    return np.hanning(_FRAME + 1)[:-1].astype(np.float32)


@cache
def _mel_bands() -> Floats:
    """Slaney's 80 triangles up to 8 kHz, of which the bins up to 4 kHz remain (40 Hz apart)."""
    edges = _hertz(np.linspace(0.0, _mel(8000.0), _MELS + 2))
    bins = np.linspace(0.0, SAMPLE_RATE / 2, _FRAME // 2 + 1)
    rising = (bins[None, :] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None, :]) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    bands: Floats = (triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
    return bands


_BEND: Final = 1000.0  # Hz: below it Slaney's scale is linear, 15 mel at the bend
_STEP: Final = 27.0 / log(6.4)


def _mel(hertz: float) -> float:
    return 15.0 + log(hertz / _BEND) * _STEP if hertz >= _BEND else 3.0 * hertz / 200.0


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel >= 15.0, _BEND * np.exp((mel - 15.0) / _STEP), 200.0 * mel / 3.0)
