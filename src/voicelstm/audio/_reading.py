"""One recording in, mono samples in ±1 and their rate out."""

import io
import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
import soxr
from numpy.typing import DTypeLike, NDArray

from voicelstm.audio._file_types import FETCH_AGAIN, REMEDIES, recognise
from voicelstm.audio._fingerprint import fingerprint_of
from voicelstm.audio._level import peak_of
from voicelstm.exceptions import AudioError, AudioWarning

__all__ = ["name_of", "read_audio", "read_recording"]

_BLOCK = 2**22  # samples of all channels read at once, so that a header's claim alone reserves little
_FIRST_BLOCK = 2**20
_UNKNOWN = 2**62  # libsndfile's number of frames is no less where it knows none
_MAX_RESAMPLING_RATIO = 100
_CONVERT = "convert it to WAV or FLAC, for example with 'ffmpeg -i IN OUT.wav'"


def read_audio(
    recording: Any,
    *,
    sample_rate: int | None = None,
    max_duration: float | None = None,
    dtype: DTypeLike = np.float32,
) -> tuple[NDArray[np.floating], int]:
    """Read one recording as mono samples.

    Files are decoded by soundfile, what it cannot decode by audioread. Integer PCM is divided by its
    full range, channels are averaged, and another sample rate is reached by soxr's high-quality resampler.
    Samples of floating-point files stay as they are, also where they exceed ±1.

    Parameters
    ----------
    recording : str, os.PathLike, ndarray of shape (n_samples,), or pair
        A path; an array of samples at `sample_rate`, integer PCM or floating-point in ±1; or a pair
        ``(samples, sample_rate)``, also in scipy's order ``(sample_rate, samples)``.
    sample_rate : int, default=None
        The rate to resample to, in Hz. None keeps the recording's own.
    max_duration : float, default=None
        Longer recordings are refused before they are decoded, in s.
    dtype : {float32, float64}, default=float32
        Type of the samples.

    Returns
    -------
    samples : ndarray of shape (n_samples,)
        At least one sample, all finite.
    sample_rate : int
        In Hz.

    Raises
    ------
    AudioError
        Where the recording cannot be read; the text names the file, what was found in it and what to do.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.audio import read_audio
    >>> samples, rate = read_audio((np.array([0, 16384, -32768], dtype=np.int16), 8000))
    >>> samples.tolist(), rate
    ([0.0, 0.5, -1.0], 8000)
    """
    samples, rate, remarks, _ = read_recording(
        recording, sample_rate=sample_rate, max_duration=max_duration, dtype=dtype
    )
    for remark in remarks:
        warnings.warn(remark, AudioWarning, stacklevel=2)
    return samples, rate


class ReadRecording(NamedTuple):
    """Samples in mono and their rate; what there is to warn of; a hash of the samples before resampling."""

    samples: NDArray[np.floating]
    sample_rate: int
    remarks: list[str]
    fingerprint: int | None


def read_recording(
    recording: Any,
    *,
    sample_rate: int | None,
    max_duration: float | None,
    dtype: DTypeLike,
    folder: str | None = None,
) -> ReadRecording:
    """Read as :func:`read_audio` does; return its warnings. Relative paths start from `folder`."""
    dtype, name = np.dtype(dtype), name_of(recording)
    remarks: list[str] = []
    if isinstance(recording, str | os.PathLike):
        named = Path(recording)
        samples, rate = _read_file(named, named if folder is None else folder / named, max_duration, dtype)
    else:
        samples, rate = _from_memory(recording, sample_rate, dtype, remarks)
        _check_duration(name, len(samples), rate, max_duration)
    if not len(samples):
        raise AudioError(f"{name}: found 0 samples; leave it out, or record it again.")
    if not np.isfinite(samples).all():
        bad = int(np.count_nonzero(~np.isfinite(samples)))
        raise AudioError(f"{name}: found {bad} samples that are NaN or infinite; repair or leave it out.")
    fingerprint = fingerprint_of(samples)
    if sample_rate is not None and rate != sample_rate:
        samples = _resample(name, samples, rate, sample_rate)
        rate = sample_rate
    return ReadRecording(samples, rate, remarks, fingerprint)


def name_of(recording: Any) -> str:
    """Return what messages call a recording: its path, where it has one."""
    return os.fspath(recording) if isinstance(recording, str | os.PathLike) else "the recording"


def _read_file(name: Path, path: Path, max_duration: float | None, dtype: np.dtype) -> tuple[NDArray, int]:
    _check_regular(name, path)
    try:
        with path.open("rb") as file:
            try:
                # By descriptor, so that the file's content and not its name decides the format.
                with soundfile.SoundFile(file.fileno(), closefd=False) as sound:
                    samples, rate = _decode(name, sound, max_duration, dtype)
                if not len(samples):
                    file.seek(0)
                    repaired = _with_unknown_sizes(file.read())
                    if repaired is not None:
                        with soundfile.SoundFile(io.BytesIO(repaired)) as sound:
                            samples, rate = _decode(name, sound, max_duration, dtype)
                return samples, rate
            except (soundfile.LibsndfileError, RuntimeError) as error:
                reason = str(error).removeprefix(f"Error opening {file.fileno()}: ")
            file.seek(0)
            found, media = recognise(file.read(512))
    except OSError as error:
        raise AudioError(f"{name}: cannot be opened ({error.strerror}).") from error
    if media:
        return _read_with_audioread(name, path, found, reason, max_duration, dtype)
    raise AudioError(f"{name}: found {found}, not audio; {REMEDIES.get(found, FETCH_AGAIN)}.")


def _check_regular(name: Path, path: Path) -> None:
    """Refuse what is no file before it is opened: opening a pipe waits for somebody to write to it."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise AudioError(f"{name}: no such file; check the path, and the folder it is relative to.") from None
    except OSError as error:
        raise AudioError(f"{name}: cannot be opened ({error.strerror}).") from error
    except ValueError as error:  # a null character
        raise AudioError(f"{str(name)!r}: cannot be opened ({error}).") from error
    if stat.S_ISDIR(mode):
        raise AudioError(f"{name}: found a folder; pass the files in it, or use load_folder.")
    if not stat.S_ISREG(mode):
        raise AudioError(f"{name}: found something that is not a regular file; pass a file's path.")


def _with_unknown_sizes(content: bytes) -> bytes | None:
    """Mark the sizes in a WAV header as unknown where its data chunk says 0 and samples follow it.

    So a writer leaves them that never came back to the header. None where that is not the matter.
    """
    if content[:4] != b"RIFF":
        return None
    for chunk, name, size in _chunks(content, 12):
        if name == b"data":
            others = [name.decode("latin-1") for _, name, _ in _chunks(content, chunk + 8)]
            are_chunks = bool(others) and all(name.isascii() and name.isprintable() for name in others)
            if size or len(content) == chunk + 8 or are_chunks:
                return None
            unknown = b"\xff\xff\xff\xff"
            return b"RIFF" + unknown + content[8 : chunk + 4] + unknown + content[chunk + 8 :]
    return None


def _chunks(content: bytes, position: int) -> Iterator[tuple[int, bytes, int]]:
    """Yield position, name and size of a RIFF file's chunks; samples taken for chunks have odd names."""
    while position + 8 <= len(content):
        size = int.from_bytes(content[position + 4 : position + 8], "little")
        yield position, content[position : position + 4], size
        position += 8 + size + size % 2


def _decode(
    name: Path, sound: soundfile.SoundFile, max_duration: float | None, dtype: np.dtype
) -> tuple[NDArray, int]:
    rate = int(sound.samplerate)
    if sound.frames < _UNKNOWN:
        _check_duration(name, sound.frames, rate, max_duration)
    # Reading int16 and scaling it here is several times faster than soundfile's own conversion.
    pcm16 = sound.subtype == "PCM_16"
    samples = np.empty(0, dtype)
    n_frames = 0
    while True:
        at_once = (_BLOCK if n_frames else _FIRST_BLOCK) // sound.channels
        size = min(at_once, sound.frames - n_frames)
        block = sound.read(size, dtype="int16" if pcm16 else dtype.name, always_2d=True)
        mean = _mean_of_channels(block, dtype, full_scale=2**15 if pcm16 else 1)
        if n_frames:
            samples.resize(n_frames + len(mean), refcheck=False)  # in place, where joining would hold both
            samples[n_frames:] = mean
        else:
            samples = mean
        n_frames += len(mean)
        _check_duration(name, n_frames, rate, max_duration)
        if len(mean) < size or n_frames >= sound.frames:
            return samples, rate


def _mean_of_channels(block: NDArray, dtype: np.dtype, full_scale: float) -> NDArray:
    total = block[:, 0].astype(dtype)
    for channel in range(1, block.shape[1]):
        total += block[:, channel]
    divisor = full_scale * block.shape[1]
    if divisor != 1:
        total *= dtype.type(1 / divisor)
    return total


def _read_with_audioread(
    name: Path, path: Path, found: str, reason: str, max_duration: float | None, dtype: np.dtype
) -> tuple[NDArray, int]:
    # As librosa's loader does it, whose own warnings could only be silenced in all threads at once.
    import audioread

    blocks, n_frames, rest = [], 0, b""
    try:
        # As text, which some of its decoders ask of a path.
        with audioread.audio_open(str(path), _decoders()) as source:
            rate, n_channels = source.samplerate, source.channels
            for buffer in source:
                # A buffer may end within a frame.
                found_bytes = rest + bytes(buffer)
                whole = len(found_bytes) - len(found_bytes) % (2 * n_channels)
                rest = found_bytes[whole:]
                block = np.frombuffer(found_bytes[:whole], dtype="<i2").reshape(-1, n_channels)
                blocks.append(_mean_of_channels(block, dtype, full_scale=2**15))
                n_frames += len(block)
                if rate > 0:
                    _check_duration(name, n_frames, rate, max_duration)
    except AudioError:
        raise
    # It tries several decoders, each with exceptions of its own.
    except Exception as error:
        raise AudioError(f"{name}: found {found} that cannot be decoded ({reason}); {_CONVERT}.") from error
    if rate <= 0:
        raise AudioError(f"{name}: found {found} with a sample rate of {rate} Hz; repair its header.")
    return np.concatenate(blocks) if blocks else np.empty(0, dtype), int(rate)


def _decoders() -> list[Any]:
    """List what audioread decodes with."""
    import audioread
    from audioread import ffdec

    try:
        return audioread.available_backends()
    except DeprecationWarning:
        # An "error" filter meets the deprecated modules with which it reads WAV and AIFF files.
        return [ffdec.FFmpegAudioFile] if ffdec.available() else []


def _from_memory(
    recording: Any, sample_rate: int | None, dtype: np.dtype, remarks: list[str]
) -> tuple[NDArray, int]:
    rate = sample_rate
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
    if samples.dtype.kind not in "iuf":
        raise AudioError(
            f"expected a path, samples or a pair (samples, sample_rate), got {type(recording).__name__}"
            f" of type {samples.dtype}."
        )
    if samples.ndim != 1:
        raise AudioError(
            f"expected samples of shape (n_samples,), got {samples.shape}: if these are channels,"
            " average them."
        )
    if rate is None:
        raise AudioError("samples without a rate: pass the pair (samples, sample_rate), or set sample_rate.")
    return _scale_integers(samples, dtype, remarks), int(rate)


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
    if info.bits == 64 and 1 < np.abs(scaled).max(initial=0) < 2**31:
        remarks.append(
            f"samples of type {samples.dtype} are divided by its full range, 2**63, and become near silence;"
            " cast them to the PCM type they are, for example samples.astype(numpy.int16)."
        )
    return (scaled / full_scale).astype(dtype)


def _check_duration(name: object, n_samples: int, rate: int, max_duration: float | None) -> None:
    if max_duration is not None and n_samples > max_duration * rate:
        raise AudioError(
            f"{name}: found {n_samples / rate:.1f} s, more than max_duration={max_duration} s;"
            " cut it, or raise max_duration."
        )


def _resample(name: object, samples: NDArray, rate: int, new_rate: int) -> NDArray:
    if max(rate, new_rate) > _MAX_RESAMPLING_RATIO * min(rate, new_rate):
        raise AudioError(
            f"{name}: found a sample rate of {rate} Hz; it cannot be resampled to {new_rate} Hz."
        )
    resampled = soxr.resample(samples, rate, new_rate)
    if not np.isfinite(resampled).all():
        raise AudioError(
            f"{name}: found samples as large as {peak_of(samples):.2g}, which overflow when they are"
            " resampled; scale them to ±1."
        )
    # A clip too short for the filter comes back empty.
    return resampled if len(resampled) else samples[:1]
