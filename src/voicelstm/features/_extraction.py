"""One recording in, one clip's features out: the front end's chain from end to end."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
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
    ScipyValues,
    active_samples,
    at_level,
    changed_samples,
    channel_statistics,
    name_of,
    peak_of,
    read_recording,
    scipy_values,
    speech_frames,
    speech_level,
)
from voicelstm.exceptions import AudioError
from voicelstm.features._backends import BACKENDS, check_backend
from voicelstm.features._cepstra import (
    CepstraSettings,
    cepstra_of_frames,
    check_settings,
    frame_count,
    frame_sizes,
)
from voicelstm.features._deltas import append_deltas, normalize_in_place
from voicelstm.sequences import FORMAT, Clip

__all__ = [
    "LEAST_SPEECH",
    "ExtractionSettings",
    "check_extraction",
    "digest_of_file",
    "extract",
    "library_versions",
]

_INTERLEAVED = "interleaved"
LEAST_SPEECH = 0.15  # in s; a recording with less has no voice to judge, and keeps all its frames


_LIBRARIES = ("audioread", "av", "librosa", "numpy", "python_speech_features", "scipy", "soundfile", "soxr")


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
    speech_as_recorded: bool = False  # of a copy: whether speech is looked for before `augment` changes it
    channel: int | str = "mean"
    as_scipy: bool = False  # whether samples are those that scipy reads; the cepstra's amplitude is then 1
    measures_speech: bool = False  # where features do not need it
    measures_channel: bool = False

    @classmethod
    def of(cls, params: dict[str, Any]) -> Self:
        """Take what concerns one recording from a transformer's parameters."""
        params = {name: python_value(value) for name, value in params.items()}
        params["lifter"] = params["lifter"] or 0
        if params["amplitude"] == "scipy":
            params |= {"amplitude": 1.0, "as_scipy": True}
        own = CepstraSettings(**{field.name: params[field.name] for field in fields(CepstraSettings)})
        return cls(own, **{field.name: params[field.name] for field in fields(cls) if field.name in params})

    def of_copies(self, augmenters: Sequence[Augmenter]) -> "list[ExtractionSettings]":
        """Return these settings, of recordings as they are, and then those of their copies."""
        plain = replace(self, augment=None)
        return [plain, *(replace(plain, augment=each, speech_as_recorded=True) for each in augmenters)]

    @property
    def n_features(self) -> int:
        """Columns of a sequence."""
        return self.cepstra.n_coefficients * (self.deltas + 1)

    @property
    def reads_blocks(self) -> bool:
        """Whether features need no more of a recording at once than some frames."""
        in_blocks = self.backend == "native" and self.augment is None and not self.as_scipy
        return in_blocks and self.channel not in (_INTERLEAVED, "each")

    def described(self) -> dict[str, Any]:
        """Return what features depend on besides the recording, as one flat dict that JSON can say."""
        values = asdict(self)
        del values["measures_speech"], values["measures_channel"]
        as_recorded = values.pop("speech_as_recorded")
        if values.pop("augment") is not None:
            values["augment"] = python_value(cast(Augmenter, self.augment).get_params(deep=False))
            if self.speech_only and as_recorded:
                values["speech_as_recorded"] = True
        as_scipy = {"amplitude": "scipy"} if values.pop("as_scipy") else {}
        return values.pop("cepstra") | as_scipy | values | {"voicelstm": __version__} | library_versions()

    def folder_in(self, cache_dir: str | os.PathLike[str]) -> Path:
        """Return the cache's folder for features of these settings; one of another format is left alone."""
        key = json.dumps(self.described() | {"format": FORMAT}, sort_keys=True).encode()
        return Path(cache_dir, hashlib.sha256(key).hexdigest()[:16])


def check_extraction(settings: ExtractionSettings) -> None:
    """Raise ValueError where the settings contradict each other, before any recording is opened."""
    check_backend(settings.backend, settings.cepstra)
    check_settings(settings.sample_rate, settings.cepstra)
    if settings.channel == _INTERLEAVED:
        needs_a_channel = {
            "augment": settings.augment is not None,
            'backend="librosa"': settings.backend == "librosa",
            "level": settings.level is not None,
            "speech_only": settings.speech_only,
            "trim_silence": settings.trim_silence is not None,
        }
        if any(needs_a_channel.values()):
            found = ", ".join(name for name, is_set in needs_a_channel.items() if is_set)
            raise ValueError(
                f'channel="interleaved" takes samples of channels in turn, which is no sound for {found}:'
                ' leave that out, or choose channel="mean".'
            )


def extract(
    recording: Any,
    versions: Sequence[ExtractionSettings],
    folder: str | None = None,
    *,
    takes_fingerprint: bool = True,
) -> tuple[list[Clip], list[str]]:
    """Turn one recording into a cepstral sequence of a frame at least for each version, and into warnings.

    It is read once; the settings of versions differ in `augment` and `speech_as_recorded` alone. Warnings do
    not name the recording, since a folder keeps them for whatever has the same content. Relative paths start
    from `folder`. A recording that cannot be read, whose sample rate the settings do not fit, or whose
    samples are so large that the arithmetic overflows, is an AudioError.
    """
    own = versions[0].cepstra
    name = name_of(recording)
    samples, rate, remarks, fingerprint = read_recording(
        recording,
        sample_rate=versions[0].sample_rate,
        max_duration=versions[0].max_duration,
        channel="each" if versions[0].channel == _INTERLEAVED else versions[0].channel,
        dtype=own.dtype,
        folder=folder,
        takes_fingerprint=takes_fingerprint,
        stores=len(versions) == 1 and versions[0].reads_blocks,
    )
    try:
        check_settings(rate, own)
    except ValueError as error:
        raise AudioError(
            f"{name}: found a sample rate of {rate} Hz, which the parameters do not fit: {error}"
        ) from None
    if samples.ndim == 2 and samples.shape[1] == 1:
        samples = samples[:, 0]
    values = scipy_values(recording, folder) if versions[0].as_scipy else None
    key = None
    if isinstance(recording, str | os.PathLike) and any(each.augment is not None for each in versions):
        # By the file's content, since a resampler's last bits are not the same on every machine.
        key = digest_of_file(Path(folder or "", recording))
    clips, as_recorded = [], None
    for position, settings in enumerate(versions):
        changed = samples if settings.augment is None else settings.augment(samples, rate, key=key)
        speech = None
        if settings.speech_only or settings.measures_speech:
            # To look for speech takes longer than all else together.
            if settings.augment is not None and not settings.speech_as_recorded:
                speech = _Speech.found_in(changed, rate, settings, remarks)
            else:
                speech = as_recorded = as_recorded or _Speech.found_in(samples, rate, settings, remarks)
        is_last = position == len(versions) - 1
        clips.append(_clip(name, changed, rate, speech, fingerprint, values, settings, may_change=is_last))
    return clips, remarks


@dataclass(frozen=True)
class _Speech:
    """Speech of a recording, in s, and its frames; None if all frames are kept."""

    duration: float
    positions: NDArray[np.intp] | None

    @classmethod
    def found_in(cls, samples: Any, rate: int, settings: ExtractionSettings, remarks: list[str]) -> Self:
        """Look for speech; that there is too little is added to `remarks`, if it is not measured."""
        if samples.ndim == 2:
            samples = samples[:, np.einsum("ij,ij->j", samples, samples).argmax()]
        first, length, step = _frames(rate, settings)
        # librosa's last frame may begin where the recording ends.
        n_frames = 1 + len(samples) // step if first else frame_count(len(samples), length, step)
        spoken = np.flatnonzero(speech_frames(samples, rate, first + step * np.arange(n_frames), length))
        duration = len(spoken) * step / rate
        if settings.speech_only and duration >= LEAST_SPEECH:
            return cls(duration, spoken)
        if not settings.measures_speech:  # who measures it says so
            remarks.append(f"no speech: {duration:.2g} s found; all its frames are kept.")
        return cls(duration, None)


def _frames(rate: int, settings: ExtractionSettings) -> tuple[int, int, int]:
    """Return where the first frame begins, the length of frames and the step between them, in samples."""
    length, step = frame_sizes(rate, settings.cepstra.frame_length, settings.cepstra.frame_step)
    # librosa centres frames: its first begins half a frame before the samples do.
    return -length // 2 if settings.backend == "librosa" else 0, length, step


def _clip(
    name: str,
    samples: Any,
    rate: int,
    speech: _Speech | None,
    fingerprint: int | None,
    values: ScipyValues | None,
    settings: ExtractionSettings,
    *,
    may_change: bool,
) -> Clip:
    """Trim samples, scale them, in place if they may change, and compute features of the frames kept."""
    n_samples, silent = len(samples), peak_of(samples) == 0
    of_channel = None
    if settings.measures_channel and samples.ndim == 1 and not silent:
        of_channel = channel_statistics(samples, rate)  # before anything is trimmed
    n_channels = 1 if samples.ndim == 1 else samples.shape[1]  # whose samples take turns in a frame
    first, length, step = _frames(rate, settings)
    start, positions = 0, None if speech is None else speech.positions
    if settings.trim_silence is not None and positions is None:
        start, samples = active_samples(samples, settings.trim_silence, length)
    if settings.level is not None:
        if positions is None:
            samples = at_level(samples, settings.level)
        else:
            loudness = speech_level(samples, first + step * positions, length)
            # What augments a recording may leave nothing where there was speech.
            gain = 10 ** (settings.level / 20) / loudness if loudness else 1.0
            gain = samples.dtype.type(gain)
            samples = changed_samples(samples, lambda block: block * gain, in_place=may_change)
    if values is not None:
        samples = values.of(samples)
        if values.is_single and settings.backend != "librosa":
            # python_speech_features emphasises single-precision samples in single precision.
            preemphasis = settings.cepstra.preemphasis
            samples = np.concatenate([samples[:1], samples[1:] - preemphasis * samples[:-1]])
            settings = replace(settings, cepstra=replace(settings.cepstra, preemphasis=0.0))
    with np.errstate(over="ignore", invalid="ignore"):
        features = _coefficients(samples, rate, settings, positions)
        # Both are NaN if a number is; to ask each number takes memory.
        extremes = features.min(initial=0), features.max(initial=0)
    if not np.isfinite(extremes).all():
        peak = float(peak_of(samples))
        raise AudioError(
            f"{name}: found samples as large as {peak:.2g}, whose spectrum is beyond"
            f" {settings.cepstra.dtype}; scale them to ±1, or set level."
        )
    if settings.deltas:
        features = append_deltas(features, settings.deltas)
    features = features[: settings.max_frames]
    return Clip(
        features=normalize_in_place(features, settings.normalize),
        offset=(start + first) / rate,
        frame_length=length / rate / n_channels,
        frame_step=step / rate / n_channels,
        duration=n_samples / rate,
        silent=silent,
        fingerprint=fingerprint,
        speech=None if speech is None else speech.duration,
        positions=positions,
        channel_statistics=of_channel,
    )


@cache
def library_versions() -> dict[str, str]:
    """Return the versions of what else reads recordings and computes features."""
    return {"libsndfile": soundfile.__libsndfile_version__} | {name: version(name) for name in _LIBRARIES}


def digest_of_file(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of what a file holds."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _coefficients(
    samples: Any, rate: int, settings: ExtractionSettings, positions: NDArray[np.intp] | None
) -> NDArray:
    """Return the coefficients of the frames at some positions, None for all."""
    own = settings.cepstra
    if settings.backend != "native":
        found = BACKENDS[settings.backend](samples, rate, own).astype(own.dtype, copy=False)
        return found if positions is None else found[positions]
    # The last deltas that are kept look two frames ahead per order.
    max_frames = None if settings.max_frames is None else settings.max_frames + 2 * settings.deltas
    if settings.speech_only:
        max_frames = None  # of what is speech
    return cepstra_of_frames(samples, rate, own, max_frames, positions)
