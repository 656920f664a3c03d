"""One recording in, mono samples in ±1 and their rate out."""

import os
import stat
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from voicelstm.audio._channels import ChannelMixer, check_channel
from voicelstm.audio._decoded import check_duration
from voicelstm.audio._decoding import decode_file
from voicelstm.audio._samples import Samples
from voicelstm.audio._scale import note_unscaled_file, note_unscaled_floats, note_unscaled_integers
from voicelstm.audio._scipy_values import ScipyValues, values_of_array, values_of_file
from voicelstm.exceptions import AudioError, AudioWarning

__all__ = ["checked_block", "count_channels", "name_of", "read_audio", "read_recording", "scipy_values"]

_PATHS = (str, os.PathLike)


def read_audio(
    recording: Any,
    *,
    sample_rate: int | None = None,
    max_duration: float | None = None,
    channel: int | str = "mean",
    dtype: DTypeLike = np.float32,
) -> tuple[NDArray[np.floating], int]:
    """Read one recording as mono samples, or as those of each channel.

    Files are decoded by soundfile; by FFmpeg, within PyAV, if soundfile refuses one or reads less than there
    is; and else by audioread. All that is there is read, of several audio tracks the first one. If that is
    not as long as was announced, it is an :class:`~voicelstm.exceptions.AudioWarning`. Integer PCM is divided
    by its full range, and another sample rate is reached by soxr's high-quality resampler. Samples of
    floating-point files stay as they are, also where they exceed ±1.

    Parameters
    ----------
    recording : str, os.PathLike, ndarray of shape (n_samples,), or pair
        A path; an array of samples at `sample_rate`, integer PCM or floating-point in ±1; or a pair
        ``(samples, sample_rate)``, also in scipy's order ``(sample_rate, samples)``.
    sample_rate : int, default=None
        The rate to resample to, in Hz. None keeps the recording's own.
    max_duration : float, default=None
        Longer recordings are refused before they are decoded, in s.
    channel : int, "mean", "left", "right" or "each", default="mean"
        Channel to read, counted from 0; "left" and "right" are 0 and 1. "mean" is the mean of all that are
        not silent, more than 50 dB below the loudest one. "each" reads all of them, one beside the other.
        An array is a channel already, whatever this says.
    dtype : {float32, float64}, default=float32
        Type of the samples.

    Returns
    -------
    samples : ndarray of shape (n_samples,), or (n_channels, n_samples)
        At least one sample, all finite. The second shape with ``channel="each"``.
    sample_rate : int
        In Hz.

    Raises
    ------
    AudioError
        If the recording cannot be read; the text names the file, what was found in it and what to do. Also
        if there is no such channel, or if the mean of channels is asked for that cancel each other: where
        they do, less than an eighth of their power is left, and that holds a tenth of the recording's energy
        or more.
    ValueError
        If `channel` is none of these.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.audio import read_audio
    >>> samples, rate = read_audio((np.array([0, 16384, -32768], dtype=np.int16), 8000))
    >>> samples.tolist(), rate
    ([0.0, 0.5, -1.0], 8000)
    """
    check_channel(channel, each=True)
    found = read_recording(
        recording,
        sample_rate=sample_rate,
        max_duration=max_duration,
        channel=channel,
        dtype=dtype,
        takes_fingerprint=False,
    )
    for remark in found.remarks:
        warnings.warn(f"{name_of(recording)}: {remark}", AudioWarning, stacklevel=2)
    return np.ascontiguousarray(found.samples.T), found.sample_rate


class ReadRecording(NamedTuple):
    """Samples and their rate; what there is to warn of; a hash of the samples before resampling, or None.

    With ``channel="each"``, samples are of shape (n_samples, n_channels), and the hash is of them in turn.
    """

    samples: Any  # SampleSource; an array unless samples may be stored
    sample_rate: int
    remarks: list[str]
    fingerprint: int | None


def read_recording(
    recording: Any,
    *,
    sample_rate: int | None,
    max_duration: float | None,
    dtype: DTypeLike,
    channel: int | str = "mean",
    folder: str | None = None,
    takes_fingerprint: bool = True,
    stores: bool = False,
) -> ReadRecording:
    """Read as :func:`read_audio` does; return its warnings. Relative paths start from `folder`.

    With `stores`, the samples of a long recording are in a temporary file.
    """
    dtype, name = np.dtype(dtype), name_of(recording)
    remarks: list[str] = []
    mixer = ChannelMixer(
        name, channel, dtype, sample_rate=sample_rate, takes_fingerprint=takes_fingerprint, stores=stores
    )
    path = None
    if isinstance(recording, _PATHS):
        path = Path(folder or "", recording)
        samples, rate = _read_file(name, path, max_duration, mixer, remarks)
    else:
        found, rate = _from_memory(recording, sample_rate, dtype, channel, remarks)
        check_duration(name, len(found), rate, max_duration)
        samples = Samples(mixer)
        samples.add(found[:, None] if channel == "each" else found, rate)
    if not len(samples):
        raise AudioError(f"{name}: found 0 samples; leave it out, or record it again.")
    if bad := samples.n_not_finite:
        raise AudioError(f"{name}: found {bad} samples that are NaN or infinite; repair or leave it out.")
    note_unscaled_floats(samples.peak, remarks)
    if path is not None:
        note_unscaled_file(path, samples.peak, remarks)
    values, fingerprint = samples.finish()
    return ReadRecording(values, rate if sample_rate is None else sample_rate, remarks, fingerprint)


def count_channels(recording: Any, max_duration: float | None = None) -> int:
    """Return the number of channels of a recording, 1 of one that cannot be read, without its samples."""
    name = name_of(recording)
    counter = _ChannelCounter(name, "mean", np.dtype(np.float32))
    if isinstance(recording, _PATHS):
        with suppress(AudioError):
            _read_file(name, Path(recording), max_duration, counter, [])
    return counter.n_channels


class _ChannelCounter(ChannelMixer):
    """Ends reading where the first decoder begins."""

    def begin(self, n_channels: int) -> None:
        """Count."""
        super().begin(n_channels)
        raise AudioError(f"{n_channels} channels are all that is asked for.")


def name_of(recording: Any) -> str:
    """Return what messages call a recording: its path, where it has one."""
    return os.fspath(recording) if isinstance(recording, _PATHS) else "the recording"


def _read_file(
    name: str, path: Path, max_duration: float | None, mixer: ChannelMixer, remarks: list[str]
) -> tuple[Samples, int]:
    _check_regular(name, path)
    try:
        with path.open("rb", buffering=0) as file:
            decoded = decode_file(name, path, file, max_duration, mixer)
    except OSError as error:
        raise AudioError(f"{name}: cannot be opened ({error.strerror}).") from error
    remarks.extend(decoded.remarks)
    return decoded.samples, decoded.sample_rate


def _check_regular(name: str, path: Path) -> None:
    """Refuse what is no file before it is opened: opening a pipe waits for somebody to write to it."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise AudioError(f"{name}: no such file; check the path, and the folder it is relative to.") from None
    except OSError as error:
        raise AudioError(f"{name}: cannot be opened ({error.strerror}).") from error
    except ValueError as error:  # a null character
        raise AudioError(f"{name!r}: cannot be opened ({error}).") from error
    if stat.S_ISDIR(mode):
        raise AudioError(f"{name}: found a folder; pass the files in it, or use load_folder.")
    if not stat.S_ISREG(mode):
        raise AudioError(f"{name}: found something that is not a regular file; pass a file's path.")


def scipy_values(recording: Any, folder: str | None = None) -> ScipyValues:
    """Return how scipy's values of a recording follow from samples in ±1; paths start from `folder`."""
    if isinstance(recording, _PATHS):
        return values_of_file(Path(folder or "", recording))
    return values_of_array(_array_and_rate(recording, None)[0])


def _from_memory(
    recording: Any, sample_rate: int | None, dtype: np.dtype, channel: int | str, remarks: list[str]
) -> tuple[NDArray, int]:
    samples, rate = _array_and_rate(recording, sample_rate)
    if samples.dtype.kind not in "iuf":
        raise AudioError(
            f"expected a path, samples or a pair (samples, sample_rate), got {type(recording).__name__}"
            f" of type {samples.dtype}."
        )
    _check_is_one_channel(
        samples, "write them to a WAV file and pass its path" if channel == "each" else "average them"
    )
    if rate is None:
        raise AudioError("samples without a rate: pass the pair (samples, sample_rate), or set sample_rate.")
    return _scale_integers(samples, dtype, remarks), int(rate)


def checked_block(block: Any) -> NDArray:
    """Return a block of a stream's samples as an array of the type they have; all are finite."""
    samples, rate = _array_and_rate(block, None)
    if rate is not None:
        raise AudioError("expected samples, got a pair (samples, sample_rate): a stream has one rate.")
    if samples.dtype.kind not in "iuf" and samples.size:
        raise AudioError(f"expected samples, got {type(block).__name__} of type {samples.dtype}.")
    _check_is_one_channel(samples, "average them, or make a stream of each")
    if samples.dtype.kind == "f" and (bad := int(np.count_nonzero(~np.isfinite(samples)))):
        raise AudioError(
            f"found {bad} samples that are NaN or infinite; repair them, or put 0 in their place."
        )
    return samples


def _check_is_one_channel(samples: NDArray, remedy: str) -> None:
    if samples.ndim != 1:
        raise AudioError(
            f"expected samples of shape (n_samples,), got {samples.shape}: if these are channels, {remedy}."
        )


def _array_and_rate(recording: Any, rate: int | None) -> tuple[NDArray, int | None]:
    """Return the samples of a recording in memory, and its own rate, if it has one, or the one given."""
    if isinstance(recording, tuple | list) and len(recording) == 2:
        first, second = recording
        if np.ndim(first) == 0 and np.ndim(second) > 0:
            first, second = second, first
        if np.ndim(first) > 0 and np.ndim(second) == 0:
            recording, rate = first, _checked_rate(second)
    try:
        samples = np.asarray(recording)
    except ValueError:
        samples = np.asarray(recording, dtype=object)
    return samples, rate


def _checked_rate(rate: Any) -> int:
    try:
        whole = int(rate)
    except (TypeError, ValueError, OverflowError):
        whole = 0
    if whole <= 0 or whole != rate:
        raise AudioError(f"expected a sample rate in whole Hz, got {rate!r}.")
    return whole


def _scale_integers(samples: NDArray, dtype: np.dtype, remarks: list[str]) -> NDArray:
    if samples.dtype.kind == "f":
        return samples.astype(dtype)
    info = np.iinfo(samples.dtype)
    full_scale = 2.0 ** (info.bits - 1)
    scaled = samples.astype(np.float64)
    if info.min == 0:
        scaled -= full_scale
    note_unscaled_integers(samples, remarks)
    return (scaled / full_scale).astype(dtype)
