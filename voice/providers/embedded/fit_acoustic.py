"""Makes `phone_band.npz`, by hand and seldom: `python -m voice.providers.embedded.fit_acoustic FOLDER` (about 15 minutes).

1. Two engines (each in a process of its own) speak some 240 sentences in many voices, at 16 kHz.
2. Each recording is taken twice through pocketsphinx' front ends: wide as it is, and narrow after a telephone's band and
   codec. Least squares between the two kinds of cepstra give `slope`, its residuals `spread`, their mean `average`.
3. The narrow recordings are aligned with their texts by the model so derived, and its Gaussians are moved towards them
   (maximum a posteriori, Gauvain and Lee 1994; tau 10 frames): `shift` of the means, `stretch` of the variances.

Step 3 makes the ears good at synthetic voices, which is what speaks in demos and tests. What it does to people on real
telephones has not been measured: there are no such recordings here.
"""

from __future__ import annotations

import argparse
import pickle
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pocketsphinx
import soxr
from numpy.typing import NDArray

from telephony.audio import decode, encode
from voice.agent_file import AgentFolder
from voice.providers.embedded import acoustic
from voice.providers.embedded.expected import vocabulary_sentences
from voice.providers.embedded.synthesis import Timbre

Floats = NDArray[np.float32]

WIDE: Final = 16000
NARROW: Final = 8000
_TAU: Final = 10.0  # frames the wheel's own means count for
_TAU_VARIANCE: Final = 20.0
_LOUDNESS: Final = 25.0  # frames whose c0 is this far below a recording's loudest are its silence
_TIMBRES: Final = {
    "flite": (
        *(Timbre("slt"), Timbre("rms"), Timbre("awb"), Timbre("kal16"), Timbre("slt", tract=0.93, pace=1.1)),
        *(Timbre("rms", tract=1.06, pace=0.95), Timbre("rms", tract=0.9, pace=1.1), Timbre("slt", tract=1.06)),
        *(Timbre("awb", tract=0.94), Timbre("slt", tract=0.94, pace=1.08), Timbre("slt", tract=0.97, pace=1.0, pitch=1.1)),
        *(Timbre("rms", tract=1.05, pace=0.95), Timbre("rms", pitch=1.1)),
    ),
    "espeak": (
        *(Timbre(f"en-us{variant}") for variant in ("", "+f2", "+f3", "+f4", "+f5", "+m1", "+m3", "+m7")),
        *(Timbre("en-us+m2", pace=1.1), Timbre("en-us", pitch=0.8, pace=1.15), Timbre("en-us+f4", pace=1.1, pitch=0.9)),
        *(Timbre("en-us+f4", pace=1.0, pitch=1.1), Timbre("en-gb-scotland")),
    ),
}  # +m4 and +klatt are left out, to see what an unknown voice makes of it


@dataclass(frozen=True, slots=True)
class Recording:
    text: str
    wide: Floats  # cepstra of the 16 kHz front end, a row a frame
    narrow: Floats
    samples: NDArray[np.int16]  # 8 kHz, as the telephone handed it over


def sentences(agents: Path) -> list[str]:
    """Half what callers of the agents at hand say, half words of the dictionary in no order, for the sounds they lack."""
    chance = random.Random(3)
    spoken: list[str] = []
    for agent in AgentFolder(agents).all().values():
        drawn = [" ".join(words) for words in vocabulary_sentences(agent) if len(words) > 2]
        spoken += chance.sample(drawn, 65)
    with open(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"), encoding="utf-8") as lines:
        common = [word for line in lines if (word := line.split()[0]).isalpha() and 3 <= len(word) <= 8]
    return spoken + [" ".join(chance.choices(common, k=7)) for _ in range(110)]


def speak(name: str, texts: Sequence[str]) -> list[tuple[str, Floats]]:
    """Step 1, in a process of its own: every voice of an engine speaks a third of the sentences, at one loudness."""
    from voice.providers.embedded.mouth_worker import engine

    loaded = engine(name)
    spoken: list[tuple[str, Floats]] = []
    for number, timbre in enumerate(_TIMBRES[name]):
        for text in texts[number % 3 :: 3]:
            pieces: list[NDArray[np.int16]] = []
            loaded.synthesise(text, timbre, lambda samples, words, pieces=pieces: bool(pieces.append(samples)))  # type: ignore[misc]
            sound = np.concatenate(pieces).astype(np.float32) / 32768
            sound = soxr.resample(sound, loaded.rate, WIDE * timbre.tract)
            loud = np.sqrt(np.mean(np.square(sound[np.abs(sound) > 0.01])) + 1e-12)
            spoken.append((text, (sound * (0.1 / loud)).astype(np.float32)))
    return spoken


class FrontEnd:
    """Cepstra as a decoder of this model sees them: it is told to log them, which is the only way to get at them."""

    def __init__(self, model: Path, rate: int, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        tiny = folder / "tiny.dict"
        tiny.write_text("hello HH AH L OW\n")
        self._log = folder / "cepstra"
        shutil.rmtree(self._log, ignore_errors=True)
        self._log.mkdir()
        self._decoder: Any = pocketsphinx.Decoder(
            lm=None, hmm=str(model), dict=str(tiny), mfclogdir=str(self._log), samprate=rate, loglevel="FATAL"
        )
        self._decoder.add_keyphrase("any", "hello")
        self._decoder.activate_search("any")

    def cepstra(self, samples: NDArray[np.int16]) -> Floats:
        self._decoder.start_utt()
        self._decoder.process_raw(samples.astype("<i2").tobytes(), no_search=True)
        self._decoder.end_utt()
        (log,) = self._log.iterdir()
        values = np.fromfile(log, ">f4")[1:]  # big-endian, behind a count
        log.unlink()
        return values.reshape(-1, acoustic.CEPSTRA).astype(np.float32)


def telephone(wide: Floats) -> NDArray[np.int16]:
    """250-3450 Hz at 8 kHz, through mu-law and back."""
    narrow = soxr.resample(wide, WIDE, NARROW)
    frequencies = np.fft.rfftfreq(narrow.size, 1 / NARROW)
    band = 1 / (1 + np.exp(-(frequencies - 270) / 25)) / (1 + np.exp((frequencies - 3450) / 40))
    line = np.fft.irfft(np.fft.rfft(narrow) * band, narrow.size)
    return decode(encode(np.clip(line * 32768, -32768, 32767).astype(np.int16)))


def record(spoken: Sequence[tuple[str, Floats]], folder: Path) -> Iterator[Recording]:
    """Step 2's recordings: each sentence wide and narrow, at some loudness, over some noise."""
    plain = folder / "narrow-front-end"
    shutil.rmtree(plain, ignore_errors=True)
    shutil.copytree(acoustic.wheel_model(), plain)
    (plain / "feat.params").write_text(acoustic.FEATURES)
    wide_end, narrow_end = FrontEnd(acoustic.wheel_model(), WIDE, folder / "w"), FrontEnd(plain, NARROW, folder / "n")
    chance = np.random.default_rng(1)
    for text, sound in spoken:
        padded = np.concatenate([np.zeros(WIDE // 5), sound, np.zeros(WIDE // 5)])
        padded += chance.standard_normal(padded.size) * 10 ** chance.uniform(-4.5, -3.3)
        padded *= 10 ** chance.uniform(-0.3, 0.3)
        samples = telephone(padded.astype(np.float32))
        wide = wide_end.cepstra(np.clip(padded * 32768, -32768, 32767).astype(np.int16))
        narrow = narrow_end.cepstra(samples)
        frames = min(len(wide), len(narrow))
        yield Recording(text, wide[:frames], narrow[:frames], samples)


def differences(cepstra: Floats) -> tuple[Floats, Floats]:
    """The dynamic streams of the feature "1s_c_d_dd": over 2 frames each way, and how that changes over 1 each way."""
    padded = np.pad(cepstra, ((3, 3), (0, 0)), mode="edge")
    return padded[5:-1] - padded[1:-5], (padded[6:] - padded[2:-4]) - (padded[4:-2] - padded[:-6])


def is_speech(cepstra: Floats) -> NDArray[np.bool_]:
    loud: NDArray[np.bool_] = cepstra[:, 0] > cepstra[:, 0].max() - _LOUDNESS
    return loud


def fit_map(recordings: Sequence[Recording]) -> dict[str, Floats]:
    """Step 2: the affine map from wide to narrow cepstra (channel means taken off both sides) and what it leaves over."""
    streams: list[list[tuple[Floats, Floats]]] = [[], [], []]
    for each in recordings:
        speech = is_speech(each.wide)
        wide, narrow = each.wide - each.wide.mean(0), each.narrow - each.narrow.mean(0)
        for number, pair in enumerate(((wide, narrow), *zip(differences(wide), differences(narrow), strict=True))):
            streams[number].append((pair[0][speech], pair[1][speech]))
    joined = [(np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])) for pairs in streams]
    wide, narrow = joined[0]
    solution = np.linalg.lstsq(np.c_[wide, np.ones(len(wide))], narrow, rcond=None)[0]
    slope = solution[: acoustic.CEPSTRA].T
    left = [np.mean((b - a @ slope.T) ** 2, axis=0) for a, b in joined]
    average = np.mean([each.narrow.mean(0) for each in recordings], axis=0)
    return {"slope": slope.astype("f4"), "spread": np.stack(left).astype("f4"), "average": average.astype("f4")}


def phone_names() -> list[str]:
    """The context-independent phones of the wheel's model, in the order of its codebooks."""
    definition = (acoustic.wheel_model() / "mdef").read_bytes()
    codebooks = acoustic.read(acoustic.wheel_model() / "means").shape[0]
    start = definition.index(b"+NSN+")
    return [name.decode() for name in definition[start : start + 1024].split(b"\0")[:codebooks]]


def align(decoder: Any, recording: Recording, names: Sequence[str]) -> NDArray[np.int16] | None:
    """The codebook of every frame, -1 where none; None if the text does not fit the sound."""
    raw = recording.samples.astype("<i2").tobytes()
    try:
        decoder.set_align_text(recording.text)
        for step in ("words", "phones"):
            if step == "phones":
                decoder.set_alignment()
            decoder.start_utt()
            decoder.process_raw(raw, full_utt=True)
            decoder.end_utt()
        phones = [phone for word in decoder.get_alignment() for phone in word]
    except RuntimeError:
        return None
    labels = np.full(len(recording.narrow), -1, np.int16)
    for phone in phones:
        labels[phone.start : phone.start + phone.duration] = names.index(phone.name)
    return labels


def adapt(fit: dict[str, Floats], recordings: Sequence[Recording], folder: Path) -> dict[str, Any]:
    """Step 3: move the derived Gaussians towards the recordings. Two rounds: posteriors, then means and variances."""
    model = folder / "derived"
    shutil.rmtree(model, ignore_errors=True)
    model.mkdir(parents=True)
    acoustic.derive(fit, model)
    frames, labels = _aligned_frames(model, recordings)
    start_means = acoustic.read(model / "means").values
    start_variances = acoustic.read(model / "variances").values
    means, variances = start_means, start_variances
    for _ in range(2):
        fresh_means, fresh_variances = start_means.copy(), start_variances.copy()
        for codebook in range(len(start_means)):
            rows = np.flatnonzero(labels == codebook)
            for stream in range(acoustic.STREAMS if rows.size >= 50 else 0):
                place = (codebook, stream)
                posteriors = _posteriors(frames[stream][rows], means[place], variances[place])
                fresh_means[place], fresh_variances[place] = _map_estimate(
                    frames[stream][rows], posteriors, start_means[place], start_variances[place]
                )
        means, variances = fresh_means, fresh_variances
    wheel = acoustic.read(acoustic.wheel_model() / "means").values
    shift = means - wheel @ fit["slope"].T
    return {**fit, "shift": shift.astype("f2"), "stretch": (variances / start_variances).astype("f2")}


def _aligned_frames(model: Path, recordings: Sequence[Recording]) -> tuple[list[Floats], NDArray[np.int16]]:
    decoder = pocketsphinx.Decoder(
        hmm=str(model), lm=None, samprate=NARROW, loglevel="FATAL", beam=1e-80, pbeam=1e-80, wbeam=1e-60
    )
    names = phone_names()
    kept: list[list[Floats]] = [[], [], []]
    labels: list[NDArray[np.int16]] = []
    for each in recordings:
        found = align(decoder, each, names)
        if found is None:
            continue
        cepstra = each.narrow - each.narrow.mean(0)
        for stream, values in zip(kept, (cepstra, *differences(cepstra)), strict=True):
            stream.append(values[found >= 0])
        labels.append(found[found >= 0])
    print(f"{len(labels)} of {len(recordings)} recordings aligned")
    return [np.concatenate(stream) for stream in kept], np.concatenate(labels)


def _posteriors(frames: Floats, means: Floats, variances: Floats) -> Floats:
    """How much each Gaussian of a codebook accounts for each frame (all weights alike)."""
    scores = -0.5 * (((frames[:, None, :] - means) ** 2 / variances).sum(-1) + np.log(variances).sum(-1))
    likely = np.exp(scores - scores.max(1, keepdims=True))
    shares: Floats = (likely / likely.sum(1, keepdims=True)).astype(np.float32)
    return shares


def _map_estimate(frames: Floats, shares: Floats, means: Floats, variances: Floats) -> tuple[Floats, Floats]:
    count = shares.sum(0)[:, None]
    first, second = shares.T @ frames, shares.T @ (frames * frames)
    moved = (_TAU * means + first) / (_TAU + count)
    scatter = np.maximum(second - 2 * moved * first + count * moved * moved, 0)
    spread = np.maximum((_TAU_VARIANCE * variances + scatter) / (_TAU_VARIANCE + count), 0.3 * variances)
    return moved.astype(np.float32), spread.astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the work is done")
    parser.add_argument("--agents", type=Path, default=Path("agents"))
    parser.add_argument("--engine", choices=tuple(_TIMBRES), help="only speak, with this engine")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("phone_band.npz"))
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    if chosen.engine:
        spoken = speak(chosen.engine, sentences(chosen.agents))
        (chosen.folder / f"{chosen.engine}.pickle").write_bytes(pickle.dumps(spoken))
        return
    recordings: list[Recording] = []
    for name in _TIMBRES:
        arguments = [str(chosen.folder), "--agents", str(chosen.agents), "--engine", name]
        subprocess.run([sys.executable, "-m", "voice.providers.embedded.fit_acoustic", *arguments], check=True)
        spoken = pickle.loads((chosen.folder / f"{name}.pickle").read_bytes())
        recordings += record(spoken, chosen.folder)
        print(f"{name}: {len(spoken)} recordings", flush=True)
    np.savez_compressed(chosen.out, **adapt(fit_map(recordings), recordings, chosen.folder))


if __name__ == "__main__":
    main()
