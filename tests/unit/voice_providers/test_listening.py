"""Language models from playbooks, and the acoustic model from the wheel's."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voice.agent import AgentDefinition
from voice.providers.embedded import acoustic
from voice.providers.embedded.expected import SENTENCES, hint_for, hints, vocabulary_sentences
from voice.providers.embedded.listening import Listening
from voice.providers.embedded.ngram import arpa


def probabilities(model: str, order: int) -> dict[tuple[str, ...], tuple[float, float]]:
    section = model.split(f"\\{order}-grams:\n")[1].split("\n\n")[0]
    table = {}
    for line in section.splitlines():
        chance, gram, *rest = line.split("\t")
        table[tuple(gram.split())] = (float(chance), float(rest[0]) if rest else 0.0)
    return table


def test_probabilities_sum_to_one_after_every_context() -> None:
    model = arpa([["yes"], ["yes", "i", "do"], ["no"], ["no", "i", "rent"], ["i", "do"]])
    ones, twos = probabilities(model, 1), probabilities(model, 2)
    assert sum(10**chance for gram, (chance, _) in ones.items() if gram != ("<s>",)) == pytest.approx(1.0, abs=0.2)
    for context in ("i", "yes", "<s>"):
        seen = {gram[1]: 10**chance for gram, (chance, _) in twos.items() if gram[0] == context}
        backoff = 10 ** ones[(context,)][1]
        unseen = sum(10**chance for (word,), (chance, _) in ones.items() if word not in seen)
        assert sum(seen.values()) + backoff * unseen == pytest.approx(1.0, abs=0.01)
    assert ones[("<s>",)][0] == -99
    assert math.isclose(10 ** twos[("no", "i")][0], 2 / 4, abs_tol=0.2)


def test_the_same_agent_gives_the_same_sentences(agent: AgentDefinition) -> None:
    sentences = vocabulary_sentences(agent)
    assert sentences == vocabulary_sentences(agent)
    assert 0.95 * SENTENCES < len(sentences) <= SENTENCES
    said = {" ".join(sentence) for sentence in sentences}
    assert {"yes", "how much does it cost", "tomorrow"} <= said
    assert all(word == word.lower() for sentence in sentences[:200] for word in sentence)


def test_a_hint_makes_what_was_asked_likelier(agent: AgentDefinition) -> None:
    roof = agent.questions[2]
    plain = sum("metal" in sentence for sentence in vocabulary_sentences(agent))
    hinted = sum("metal" in sentence for sentence in vocabulary_sentences(agent, hint_for(roof)))
    assert hinted > 3 * plain
    bill = sum("hundred" in sentence for sentence in vocabulary_sentences(agent, hint_for(agent.questions[1])))
    assert bill > 1500
    visit = sum("friday" in sentence for sentence in vocabulary_sentences(agent, hint_for(agent.questions[3])))
    assert visit > 250
    foreign = vocabulary_sentences(agent, ("the blue one",))
    assert sum("blue" in sentence for sentence in foreign) > 1000
    assert sum("friday" in s for s in vocabulary_sentences(agent, ("ask my wife to choose", "hello"))) > 250
    assert len(hints(agent)) == len(agent.questions)
    assert hints(replace(agent, questions=(replace(agent.questions[0], answers=()),))) == []


def test_an_agent_without_numbers_or_terms_has_fewer_words(agent: AgentDefinition) -> None:
    bare = replace(agent, questions=agent.questions[:1], keyterms=())
    words = {word for sentence in vocabulary_sentences(bare) for word in sentence}
    assert "hundred" not in words
    assert "panels" not in words


def test_models_are_made_once_and_cut_to_their_words(agent: AgentDefinition, tmp_path: Path) -> None:
    listening = Listening(tmp_path)
    odd = replace(agent, keyterms=("xyzzyq",))
    model = listening.model(odd)
    assert "xyzzyq" not in model.language.read_text()
    stamp = model.language.stat().st_mtime_ns
    assert Listening(tmp_path).model(odd) == model
    assert model.language.stat().st_mtime_ns == stamp
    listed = {line.split()[0].split("(")[0] for line in model.dictionary.read_text().splitlines()}
    assert {"yes", "metal", "friday"} <= listed
    assert len(listed) < 1000
    assert listening.model(odd, ("metal",)) != model
    assert listening.decoder(model).lookup_word("metal") == "M EH T AH L"
    model.forget()
    assert listening.model(odd).language.is_file()


def test_old_models_make_room(agent: AgentDefinition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voice.providers.embedded.listening._MOST_FILES", 2)
    listening = Listening(tmp_path)
    first, second = listening.model(agent), listening.model(replace(agent, persona="Ben"))
    assert not first.language.exists()
    assert second.language.exists()


def test_the_phone_model_is_the_wheels_model_moved(tmp_path: Path) -> None:
    folder = acoustic.phone_model(tmp_path)
    assert acoustic.phone_model(tmp_path) == folder
    wheel, phone = acoustic.read(acoustic.wheel_model() / "means"), acoustic.read(folder / "means")
    assert wheel.shape == phone.shape
    assert not np.allclose(wheel.values, phone.values)
    assert (acoustic.read(folder / "variances").values > 0).all()
    assert (folder / "feat.params").read_text().startswith("-lowerf 200")
    assert len(acoustic.average().split(",")) == acoustic.CEPSTRA
    assert [file.name for file in tmp_path.iterdir()] == [folder.name]


def test_a_map_alone_makes_a_model_too(tmp_path: Path) -> None:
    fit = {name: values for name, values in acoustic.fitted().items() if name in ("slope", "spread", "average")}
    acoustic.derive(fit, tmp_path)
    assert acoustic.read(tmp_path / "means").shape == acoustic.read(acoustic.wheel_model() / "means").shape


def test_losing_the_race_for_the_model_is_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = acoustic.derive

    def slow(fit: dict[str, acoustic.Floats], folder: Path) -> None:
        real(fit, folder)
        monkeypatch.setattr(acoustic, "derive", real)
        acoustic.phone_model(tmp_path)  # somebody else was faster

    monkeypatch.setattr(acoustic, "derive", slow)
    folder = acoustic.phone_model(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [folder.name]
