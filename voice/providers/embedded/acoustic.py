"""The acoustic model for the telephone band, made from the one in the pocketsphinx wheel at first use.

That model was trained on 16 kHz speech. A telephone hands over 8 kHz, 300-3400 Hz: another front end, so other cepstra.
Since cepstra are linear in the log mel spectrum, the one kind is nearly an affine map of the other; `phone_band.npz` holds
that map (and what adaptation to more voices added), fitted by `fit_acoustic.py`. It is applied to the wheel's Gaussians,
which takes some 60 ms, needs no audio, and ships no copy of the model.
"""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
import pocketsphinx
from numpy.typing import NDArray

CEPSTRA: Final = 13
STREAMS: Final = 3  # cepstra, their differences, and the differences of those: the s3 feature "1s_c_d_dd"
# 250-3450 Hz in 20 mel bands at 8 kHz; the rest as the wheel's model has it.
FEATURES: Final = """-lowerf 200
-upperf 3500
-nfilt 20
-transform dct
-lifter 22
-feat 1s_c_d_dd
-svspec 0-12/13-25/26-38
-agc none
-cmn live
-varnorm no
-model ptm
-remove_noise yes
-samprate 8000
"""
_COPIED: Final = ("mdef", "noisedict", "sendump", "transition_matrices")

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Gaussians:
    """A parameter file of sphinx3's format: its text header, its dimensions, its values."""

    header: bytes
    shape: tuple[int, int, int]  # codebooks, streams, densities
    values: Floats  # codebook, stream, density, coefficient


def read(path: Path) -> Gaussians:
    """Read `means` or `variances` of a model whose streams are `CEPSTRA` wide each."""
    raw = path.read_bytes()
    end = raw.index(b"endhdr\n") + len(b"endhdr\n") + 4  # the byte-order mark follows the header
    codebooks, streams, densities = struct.unpack_from("<3i", raw, end)
    body = end + 4 * (3 + streams + 1)
    count = codebooks * streams * densities * CEPSTRA
    values = np.frombuffer(raw, "<f4", count, body).reshape(codebooks, streams, densities, CEPSTRA)
    return Gaussians(raw[:end], (codebooks, streams, densities), values)


def write(path: Path, gaussians: Gaussians) -> None:
    """Write a parameter file, without a checksum."""
    _, streams, _ = gaussians.shape
    sizes = struct.pack(f"<3i{streams + 1}i", *gaussians.shape, *[CEPSTRA] * streams, gaussians.values.size)
    header = gaussians.header.replace(b"chksum0 yes\n", b"")  # its mere mention asks for a checksum
    path.write_bytes(header + sizes + gaussians.values.astype("<f4").tobytes())


def wheel_model() -> Path:
    return Path(pocketsphinx.get_model_path("en-us/en-us"))


def fitted() -> dict[str, Floats]:
    """The arrays of `phone_band.npz` (see `fit_acoustic.py` for what each is)."""
    with (files(__package__) / "phone_band.npz").open("rb") as file, np.load(file) as arrays:
        return {name: arrays[name] for name in arrays.files}


def phone_model(home: Path) -> Path:
    """The folder of the telephone-band model under `home`, made if it is not there. Safe for several processes at once."""
    fit = fitted()
    digest = sha256(FEATURES.encode() + b"".join(fit[name].tobytes() for name in sorted(fit))).hexdigest()[:12]
    folder = home / f"phone-{digest}"
    if not folder.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="making-", dir=home))
        derive(fit, fresh)
        try:
            os.replace(fresh, folder)
        except OSError:  # another process was faster: a folder that is not empty is not replaced
            shutil.rmtree(fresh, ignore_errors=True)
    return folder


def derive(fit: dict[str, Floats], folder: Path) -> None:
    """Write the model that `fit` makes of the wheel's: mapped means and variances, the rest copied."""
    source = wheel_model()
    for name in _COPIED:
        shutil.copyfile(source / name, folder / name)
    means, variances = read(source / "means"), read(source / "variances")
    slope, spread = fit["slope"], fit["spread"]
    moved = means.values @ slope.T
    wider = variances.values @ (slope.T**2) + spread[None, :, None, :]
    if "shift" in fit:
        moved = moved + fit["shift"].astype(np.float32)
    if "stretch" in fit:
        wider = wider * fit["stretch"].astype(np.float32)
    write(folder / "means", Gaussians(means.header, means.shape, moved.astype(np.float32)))
    write(folder / "variances", Gaussians(variances.header, variances.shape, wider.astype(np.float32)))
    (folder / "feat.params").write_text(f"{FEATURES}-cmninit {_listed(fit['average'])}\n")


def average() -> str:
    """The cepstra a telephone call has on average, as the decoder wants them told: where channel adaptation begins."""
    return _listed(fitted()["average"])


def _listed(values: Floats) -> str:
    return ",".join(f"{value:.3f}" for value in values)
