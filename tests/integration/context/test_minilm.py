"""The sentence encoder: the files' guard always, the arithmetic on a model made up here, the real one when installed."""

import asyncio
import json
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from context.errors import EmbedderError
from context.knowledge import minilm
from context.knowledge.minilm import LAYERS, SIZE, MiniLm, MiniLmEmbedder, find_weights


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A model of the right shape with random weights, and a vocabulary of seven words."""
    random = np.random.default_rng(1)
    shapes = {
        "embeddings.word_embeddings.weight": (8, SIZE),
        "embeddings.position_embeddings.weight": (512, SIZE),
        "embeddings.token_type_embeddings.weight": (2, SIZE),
        "embeddings.LayerNorm.weight": (SIZE,),
        "embeddings.LayerNorm.bias": (SIZE,),
    }
    linear = {"attention.self.query": (SIZE, SIZE), "attention.self.key": (SIZE, SIZE), "attention.self.value": (SIZE, SIZE)}
    linear |= {"attention.output.dense": (SIZE, SIZE), "intermediate.dense": (1536, SIZE), "output.dense": (SIZE, 1536)}
    for layer in range(LAYERS):
        for name, shape in linear.items():
            shapes[f"encoder.layer.{layer}.{name}.weight"] = shape
            shapes[f"encoder.layer.{layer}.{name}.bias"] = shape[:1]
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"encoder.layer.{layer}.{name}.weight"] = (SIZE,)
            shapes[f"encoder.layer.{layer}.{name}.bias"] = (SIZE,)
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, shape in shapes.items():
        tensor = random.normal(0, 0.05, shape).astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(tensor)]}
        body += tensor
    header["embeddings.position_ids"] = {"dtype": "I64", "shape": [1, 0], "data_offsets": [len(body), len(body)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)
    words = ["[PAD]", "[UNK]", "roof", "dog", "tea", "the", "old", "new"]
    tokenizer = Tokenizer(WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    monkeypatch.setattr(minilm, "HASHES", {})
    return tmp_path


def test_vectors_have_length_one_and_do_not_depend_on_their_neighbours(folder):
    model = MiniLm(folder)
    together = model.embed(["the old roof", "dog", "tea " * 400])
    assert together.shape == (3, SIZE)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.allclose(together[1], model.embed(["dog"])[0], atol=1e-5)


async def test_the_embedder_keeps_order_and_remembers(folder, monkeypatch):
    monkeypatch.setattr(minilm, "REMEMBERED", 8)
    embedder = await MiniLmEmbedder.open(folder)
    assert embedder is not None
    vectors = await embedder.embed(["roof", "dog", "roof"])
    assert vectors[0] == vectors[2] != vectors[1]
    assert await embedder.embed([]) == []
    await embedder.embed([f"roof {number}" for number in range(minilm.REMEMBERED + 4)])
    assert len(embedder._remembered) == 8
    await embedder.close()
    with pytest.raises(EmbedderError, match="closed"):
        await embedder.embed(["unseen"])


async def test_what_is_asked_at_once_shares_a_pass_and_queries_go_first(folder):
    passes = []

    class Watched(MiniLm):
        def embed(self, texts):
            passes.append(list(texts))
            return super().embed(texts)

    embedder = MiniLmEmbedder(Watched(folder), ThreadPoolExecutor(1))
    bulk = asyncio.create_task(embedder.embed([f"old {number}" for number in range(minilm.AT_ONCE + 2)]))
    queries = [asyncio.create_task(embedder.embed([word])) for word in ("roof", "dog", "roof", "tea")]
    await asyncio.gather(bulk, *queries)
    asked = [text for texts in passes for text in texts]
    assert len(asked) == len(set(asked)) == minilm.AT_ONCE + 5
    assert len(passes) == 2
    assert {"roof", "dog", "tea"} <= set(passes[0])
    await embedder.close()


async def test_giving_up_takes_nothing_from_others(folder):
    embedder = await MiniLmEmbedder.open(folder)
    assert embedder is not None
    impatient = asyncio.create_task(embedder.embed(["roof"]))
    patient = asyncio.create_task(embedder.embed(["roof"]))
    await asyncio.sleep(0)
    impatient.cancel()
    assert len((await patient)[0]) == SIZE
    await embedder.close()


async def test_closing_fails_those_who_wait_and_a_failed_pass_only_its_own(folder):
    class Moody(MiniLm):
        def embed(self, texts):
            if "dog" in texts:
                raise MemoryError("for the test")
            return super().embed(texts)

    embedder = MiniLmEmbedder(Moody(folder), ThreadPoolExecutor(1))
    with pytest.raises(EmbedderError, match="for the test"):
        await embedder.embed(["dog"])
    assert len(await embedder.embed(["roof"])) == 1
    waiting = asyncio.create_task(embedder.embed([f"new {number}" for number in range(3 * minilm.AT_ONCE)]))
    await asyncio.sleep(0)
    await embedder.close()
    with pytest.raises(EmbedderError):
        await waiting


async def test_files_that_are_not_the_known_ones_are_refused(tmp_path):
    with pytest.raises(EmbedderError, match="cannot be read"):
        await MiniLmEmbedder.open(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(EmbedderError, match="not the file"):
        await MiniLmEmbedder.open(tmp_path)


async def test_without_the_distribution_there_is_no_encoder(monkeypatch):
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package_anywhere")
    assert find_weights() is None
    assert await MiniLmEmbedder.open() is None


def test_the_real_model_when_installed_knows_what_is_alike():
    folder = find_weights()
    if folder is None:
        return  # not a dependency: its absence is a mode, tested above
    price, cost, stop = MiniLm(folder).embed(["how much does it cost", "what is the price", "stop calling me"])
    assert price @ cost > 0.6 > 0.3 > price @ stop


def test_gelu_is_x_times_the_normal_distribution():
    from math import erf, sqrt

    x = np.linspace(-6, 6, 301, dtype=np.float32)
    exact = np.array([0.5 * v * (1 + erf(v / sqrt(2))) for v in x.tolist()])
    assert np.abs(minilm._gelu(x) - exact).max() < 2e-6
