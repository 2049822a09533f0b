"""What a worker's decoders listen with: language models made from playbooks, kept on disk, and decoders made in advance.

A language model depends on the agent file alone, so it is made once and found again by its hash.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
import pocketsphinx

from voice.agent import AgentDefinition
from voice.providers.embedded.acoustic import average, phone_model
from voice.providers.embedded.expected import vocabulary_sentences
from voice.providers.embedded.ngram import arpa

_FORMAT: Final = "3"  # changes when the same sentences would give another model
_MOST_FILES: Final = 400  # two a model, half a megabyte together
SPARE: Final = 2  # decoders kept ready for the next calls of an agent
_MODEL_WEIGHT: Final = 7.0


@dataclass(frozen=True, slots=True)
class Model:
    """A language model and the dictionary cut to it, as files."""

    name: str
    language: Path
    dictionary: Path

    def forget(self) -> None:
        """Have it made again when it is next wanted."""
        self.language.unlink(missing_ok=True)


class Listening:
    """`home` is the folder for what is made here (shared by all workers)."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._acoustic = phone_model(home)
        self.average = average()
        self._pronunciations: dict[str, list[str]] | None = None

    def model(self, agent: AgentDefinition, hint: Sequence[str] = ()) -> Model:
        """The model for this agent, made now if it was never made before (about 0.3 s)."""
        key = msgspec.json.encode([_FORMAT, agent.questions, agent.objections, agent.keyterms, agent.persona, hint])
        name = sha256(key).hexdigest()[:16]
        model = Model(name, self._home / f"{name}.lm", self._home / f"{name}.dict")
        if not model.language.is_file():
            self._make(model, vocabulary_sentences(agent, hint))
        return model

    def decoder(self, model: Model) -> Any:
        """A new decoder (20-30 ms). Its own language model is `model`; others may be added."""
        return pocketsphinx.Decoder(
            hmm=str(self._acoustic),
            lm=str(model.language),
            dict=str(model.dictionary),
            samprate=8000,
            lw=_MODEL_WEIGHT,
            loglevel="FATAL",
        )

    def _make(self, model: Model, sentences: Sequence[Sequence[str]]) -> None:
        known = self._dictionary()
        spoken = [sentence for sentence in sentences if all(word in known for word in sentence)]
        vocabulary = sorted({word for sentence in spoken for word in sentence})
        _write(model.dictionary, "".join(line for word in vocabulary for line in known[word]))
        _write(model.language, arpa(spoken))
        self._prune()

    def _prune(self) -> None:
        """Every edit of an agent leaves models behind: keep the newest."""
        made = [file for file in self._home.iterdir() if file.suffix in (".lm", ".dict")]
        for file in sorted(made, key=lambda file: file.stat().st_mtime)[:-_MOST_FILES]:
            file.unlink(missing_ok=True)

    def _dictionary(self) -> dict[str, list[str]]:
        """The wheel's dictionary, by word: each line a pronunciation."""
        if self._pronunciations is None:
            self._pronunciations = {}
            with open(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"), encoding="utf-8") as lines:
                for line in lines:
                    self._pronunciations.setdefault(line.split(None, 1)[0].split("(")[0], []).append(line)
        return self._pronunciations


def _write(path: Path, text: str) -> None:
    """Whole or not at all: other workers may be looking."""
    handle, fresh = tempfile.mkstemp(prefix="making-", dir=path.parent)
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(fresh, path)
