"""One recording in, one clip's features out: the front end's chain from end to end."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import soundfile
from numpy.typing import NDArray

from voicelstm._base import __version__, python_value
from voicelstm.audio import (
    Augmenter,
    active_region,
    name_of,
    read_recording,
    set_level,
    speech_frames,
    speech_level,
)
from voicelstm.exceptions import AudioError
from voicelstm.features._backends import BACKENDS, check_backend
from voicelstm.features._cepstra import CepstraSettings, cepstra, check_settings, frame_count, frame_sizes
from voicelstm.features._deltas import append_deltas, normalize_clip
from voicelstm.sequences import FORMAT, Clip

__all__ = [
    "LEAST_SPEECH",
    "ExtractionSettings",
    "check_extraction",
    "digest_of_file",
    "extract",
    "library_versions",
]

LEAST_SPEECH = 0.15  # in s; a recording with less has no voice to judge, and keeps all its frames


_LIBRARIES = ("audioread", "librosa", "numpy", "python_speech_features", "scipy", "soundfile", "soxr")


@dataclass(frozen=True)
class ExtractionSettings:
    """Parameters of :func:`extract`; see :class:`voicelstm.MFCCTransformer` for what each means."""

    cepstra: CepstraSettings
    sample_rate: int | None
    deltas: int
    normalize: str | None
    level: float | None
    trim_silence: float | None
    max_frames: int | None
    max_duration: float | None
    backend: str
    speech_only: bool = False
    augment: Augmenter | None = None
    measures_speech: bool = False  # where features do not need it

    @classmethod
    def of(cls, params: dict[str, Any]) -> Self:
        """Take what concerns one recording from a transformer's parameters."""
        params = {name: python_value(value) for name, value in params.items()}
        params["lifter"] = params["lifter"] or 0
        own = CepstraSettings(**{field.name: params[field.name] for field in fields(CepstraSettings)})
        return cls(own, **{field.name: params[field.name] for field in fields(cls) if field.name in params})

    @property
    def n_features(self) -> int:
        """Columns of a sequence."""
        return self.cepstra.n_coefficients * (self.deltas + 1)

    def described(self) -> dict[str, Any]:
        """Return what features depend on besides the recording, as one flat dict that JSON can say."""
        values = asdict(self)
        del values["measures_speech"]
        if values.pop("augment") is not None:
            values["augment"] = python_value(cast(Augmenter, self.augment).get_params(deep=False))
        return values.pop("cepstra") | values | {"voicelstm": __version__} | library_versions()

    def folder_in(self, cache_dir: str | os.PathLike[str]) -> Path:
        """Return the cache's folder for features of these settings; one of another format is left alone."""
        key = json.dumps(self.described() | {"format": FORMAT}, sort_keys=True).encode()
        return Path(cache_dir, hashlib.sha256(key).hexdigest()[:16])


def check_extraction(settings: ExtractionSettings) -> None:
    """Raise ValueError where the settings contradict each other, before any recording is opened."""
    check_backend(settings.backend, settings.cepstra)
    check_settings(settings.sample_rate, settings.cepstra)


def extract(
    recording: Any, settings: ExtractionSettings, folder: str | None = None
) -> tuple[Clip, list[str]]:
    """Turn one recording into a cepstral sequence of a frame at least; return what there is to warn of, too.

    Warnings do not name the recording, since a folder keeps them for whatever has the same content.
    Relative paths start from `folder`. A recording that cannot be read, whose sample rate the settings do not
    fit, or whose samples are so large that the arithmetic overflows, is an AudioError.
    """
    own = settings.cepstra
    name = name_of(recording)
    samples, rate, remarks, fingerprint = read_recording(
        recording,
        sample_rate=settings.sample_rate,
        max_duration=settings.max_duration,
        dtype=own.dtype,
        folder=folder,
    )
    try:
        check_settings(rate, own)
    except ValueError as error:
        raise AudioError(
            f"{name}: found a sample rate of {rate} Hz, which the parameters do not fit: {error}"
        ) from None
    if settings.augment is not None:
        is_file = isinstance(recording, str | os.PathLike)
        # By the file's content, since a resampler's last bits are not the same on every machine.
        key = digest_of_file(Path(folder or "", recording)) if is_file else None
        samples = settings.augment(samples, rate, key=key)
    n_samples, silent = len(samples), not samples.any()
    length, step = frame_sizes(rate, own.frame_length, own.frame_step)
    # librosa centres frames: its first begins half a frame before the samples do.
    first = -length // 2 if settings.backend == "librosa" else 0
    start, speech, positions = 0, None, None
    if settings.speech_only or settings.measures_speech:
        # librosa's last frame may begin where the recording ends.
        n_frames = 1 + n_samples // step if first else frame_count(n_samples, length, step)
        starts = first + step * np.arange(n_frames)
        spoken = np.flatnonzero(speech_frames(samples, rate, starts, length))
        speech = len(spoken) * step / rate
        if settings.speech_only and speech >= LEAST_SPEECH:
            positions = spoken
        elif not settings.measures_speech:  # who measures it says so
            remarks = [*remarks, f"no speech: {speech:.2g} s found; all its frames are kept."]
    if settings.trim_silence is not None and positions is None:
        start, stop = active_region(samples, settings.trim_silence)
        samples = samples[start:stop] if stop > start else samples[:length]
    if settings.level is not None:
        if positions is None:
            samples = set_level(samples, settings.level)
        else:
            gain = 10 ** (settings.level / 20) / speech_level(samples, starts[positions], length)
            samples = samples * samples.dtype.type(gain)
    with np.errstate(over="ignore", invalid="ignore"):
        features = _coefficients(samples, rate, settings)
    if positions is not None:
        features = features[positions]
    if not np.isfinite(features).all():
        peak = float(np.abs(samples).max())
        raise AudioError(
            f"{name}: found samples as large as {peak:.2g}, whose spectrum is beyond"
            f" {own.dtype}; scale them to ±1, or set level."
        )
    features = append_deltas(features, settings.deltas)[: settings.max_frames]
    clip = Clip(
        features=normalize_clip(features, settings.normalize),
        offset=(start + first) / rate,
        frame_length=length / rate,
        frame_step=step / rate,
        duration=n_samples / rate,
        silent=silent,
        fingerprint=fingerprint,
        speech=speech,
        positions=positions,
    )
    return clip, remarks


@cache
def library_versions() -> dict[str, str]:
    """Return the versions of what else reads recordings and computes features."""
    return {"libsndfile": soundfile.__libsndfile_version__} | {name: version(name) for name in _LIBRARIES}


def digest_of_file(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of what a file holds."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _coefficients(samples: NDArray, rate: int, settings: ExtractionSettings) -> NDArray:
    own = settings.cepstra
    if settings.backend != "native":
        return BACKENDS[settings.backend](samples, rate, own).astype(own.dtype, copy=False)
    # The last deltas that are kept look two frames ahead per order.
    max_frames = None if settings.max_frames is None else settings.max_frames + 2 * settings.deltas
    if settings.speech_only:
        max_frames = None  # of what is speech
    return cepstra(samples, rate, own, max_frames)
