"""Numbers that may give a recording's class away, and how well each of them does."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import welch

from voicelstm.audio import read_recording
from voicelstm.datasets._audit_permutations import ALPHA, permutation_test
from voicelstm.datasets._audit_traces import measure_resolution, measure_traces
from voicelstm.metrics import bootstrap_interval

__all__ = ["CODING_TRACES", "VARIABLES", "Measured", "OneVariable", "measure", "rate_variables"]

#: Names and units, in the order of reports.
VARIABLES = {
    "duration": "s",
    "leading_silence": "s",
    "trailing_silence": "s",
    "level": "dBFS",
    "peak": "dBFS",
    "noise_floor": "dB",
    "dc": "",
    "sample_rate": "Hz",
    "bandwidth": "Hz",
    "upper_edge": "Hz",
    "spectral_holes": "",
    "bit_depth": "bit",
    "effective_bits": "bit",
    "resolution": "bit",
    "zeros": "",
    "clipping": "",
}

#: Those that codecs leave behind.
CODING_TRACES = ("upper_edge", "spectral_holes", "resolution")

_SUSPICIOUS = 0.6
_STRONG = 0.9
_SILENCE = 0.02  # of the peak
_ROLL_OFF = 0.95  # of the energy
_CLIPPED = 1 - 2.0**-15  # the largest value of 16-bit PCM
_WINDOW = 1024
_TRACES_OF_SILENCE = {"noise_floor": -np.inf, "upper_edge": 0.0, "spectral_holes": 0.0}
_MANTISSA = 24  # bits that float32 samples hold exactly

_BITS = {
    "PCM_S8": 8,
    "PCM_U8": 8,
    "PCM_16": 16,
    "PCM_24": 24,
    "PCM_32": 32,
    "FLOAT": 32,
    "DOUBLE": 64,
    "ULAW": 8,
    "ALAW": 8,
    "ALAC_16": 16,
    "ALAC_20": 20,
    "ALAC_24": 24,
    "ALAC_32": 32,
}


@dataclass(frozen=True)
class Measured:
    """The `VARIABLES` of one recording, its fingerprint or None, and what to warn of."""

    values: dict[str, float]
    fingerprint: int | None
    remarks: list[str]


@dataclass(frozen=True)
class OneVariable:
    """How well one number alone tells the classes apart.

    Attributes
    ----------
    name, unit : str
        What was measured.
    human, synthetic : float
        Medians of the two classes.
    auc : float
        Area under the ROC curve: how probable it is that the number of a synthetic clip is greater than that
        of a human clip, equal ones counting half. 0.5 is no signal; 0 tells the classes apart as well as 1.
    low, high : float
        95 % interval of `auc`, for this number alone; NaN where a class has one clip.
    p_value : float
        Probability that one of all the numbers would tell the classes apart as well as this one does, if no
        number had to do with them. Speakers are permuted whole, and labels within speakers of both classes.
    detectable : float
        How large `auc` or ``1 - auc`` has to be for this number alone to be a shortcut, if each speaker
        counts once; 1 if even that may be too little.
    """

    name: str
    unit: str
    human: float
    synthetic: float
    auc: float
    low: float
    high: float
    p_value: float
    detectable: float

    @property
    def is_shortcut(self) -> bool:
        """Whether ``max(auc, 1 - auc)`` exceeds 0.6 and `p_value` is at most 0.05."""
        return max(self.auc, 1 - self.auc) > _SUSPICIOUS and self.p_value <= ALPHA

    @property
    def is_undecided(self) -> bool:
        """Whether there are too few clips, or speakers, to tell: even 0.9 would not have been a shortcut."""
        return self.detectable > _STRONG and not self.is_shortcut


def measure(
    recording: Any,
    sample_rate: int | None = None,
    folder: str | None = None,
    channel: int | str = "mean",
) -> Measured:
    """Measure one recording as it is, one channel or their mean; relative paths start from `folder`."""
    if _is_bare(recording) and sample_rate is not None:
        recording = (recording, sample_rate)
    samples, rate, remarks, fingerprint = read_recording(
        recording, sample_rate=None, max_duration=None, dtype=np.float32, channel=channel, folder=folder
    )
    n_samples = len(samples)
    magnitude = np.abs(samples)
    peak = float(magnitude.max())
    active = magnitude > _SILENCE * peak
    lead, trail = (int(active.argmax()), int(active[::-1].argmax())) if peak else (n_samples, n_samples)
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    # Of samples within ±1, so that their squares neither overflow nor vanish.
    scaled = samples / np.float32(peak or 1)
    traces = measure_traces(scaled, rate) if peak else _TRACES_OF_SILENCE
    values = {
        "duration": n_samples / rate,
        "leading_silence": lead / rate,
        "trailing_silence": trail / rate,
        "level": _decibels(np.sqrt(power)),
        "peak": _decibels(peak),
        "noise_floor": traces["noise_floor"],
        # Its sign is the microphone's; what a class may share is its size.
        "dc": abs(float(samples.mean(dtype=np.float64))),
        "sample_rate": float(rate),
        "bandwidth": _bandwidth(scaled, rate) if peak else 0.0,
        "upper_edge": traces["upper_edge"],
        "spectral_holes": traces["spectral_holes"],
        "bit_depth": float(_bit_depth(recording, folder)),
        "effective_bits": float(_effective_bits(samples)),
        "resolution": measure_resolution(samples),
        "zeros": float(np.mean(samples == 0)),
        "clipping": float(np.mean(magnitude >= _CLIPPED)),
    }
    return Measured(values, fingerprint, remarks)


def rate_variables(
    measurements: dict[str, NDArray[np.float64]],
    human: NDArray[np.bool_],
    speaker: NDArray[Any] | None,
    drawn: NDArray[Any] | None,
    n_resamples: int,
    random: np.random.RandomState,
) -> list[OneVariable]:
    """Rate each number as a detector; minus infinity is allowed. Intervals draw `drawn`, or clips if None."""
    # One seed for all intervals, so that each variable is measured on the same draws.
    seed = int(random.randint(np.iinfo(np.int32).max))
    family = permutation_test(np.array(list(measurements.values())), human, speaker, random)
    found = []
    for (name, values), p_value, detectable in zip(measurements.items(), *family, strict=True):
        distinct, rank = np.unique(values, return_inverse=True)
        auc = _area(human, rank)
        low = high = float("nan")
        if len(distinct) == 1:
            low = high = auc
        elif min(human.sum(), (~human).sum()) > 1:
            low, high = bootstrap_interval(
                _area, human, rank, groups=drawn, n_resamples=n_resamples, random_state=seed
            )
        found.append(
            OneVariable(
                name=name,
                unit=VARIABLES[name],
                human=_median(values[human]),
                synthetic=_median(values[~human]),
                auc=auc,
                low=low,
                high=high,
                p_value=float(p_value),
                detectable=max(float(detectable), _SUSPICIOUS),
            )
        )
    return found


def _is_bare(recording: Any) -> bool:
    return not isinstance(recording, str | os.PathLike | tuple | list)


def _decibels(amplitude: float) -> float:
    with np.errstate(divide="ignore"):
        return float(20 * np.log10(amplitude))


def _bandwidth(samples: NDArray[np.floating], rate: int) -> float:
    """Find the frequency below which 95 % of the energy lies, its mean left out, in Hz."""
    frequency, power = welch(samples, rate, nperseg=min(_WINDOW, len(samples)))
    energy = np.cumsum(power, dtype=np.float64)
    if not energy[-1] > 0:
        return 0.0
    return float(frequency[np.searchsorted(energy, _ROLL_OFF * energy[-1])])


def _bit_depth(recording: Any, folder: str | None) -> int:
    """Bits that each sample is stored in; 0 in formats that store no samples, such as MP3."""
    if isinstance(recording, str | os.PathLike):
        try:
            with (
                Path(folder or "", recording).open("rb") as file,
                soundfile.SoundFile(file.fileno(), closefd=False) as sound,
            ):
                return _BITS.get(sound.subtype, 0)
        except (OSError, soundfile.LibsndfileError, RuntimeError):
            return 0  # decoded by another library, or by none
    if isinstance(recording, tuple | list) and len(recording) == 2:
        recording = max(recording, key=np.ndim)
    return 8 * np.asarray(recording).dtype.itemsize


def _effective_bits(samples: NDArray[np.floating]) -> int:
    """Bits that the samples need as integers; 32 where 24 are too few, as of floating-point samples."""
    scaled = samples * np.float64(2 ** (_MANTISSA - 1))
    if np.abs(scaled).max() >= 2**62 or (scaled != np.rint(scaled)).any():
        return 32
    used = int(np.bitwise_or.reduce(scaled.astype(np.int64)))
    if not used:
        return 0
    trailing_zeros = (used & -used).bit_length() - 1
    return max(_MANTISSA - trailing_zeros, 1)


def _area(human: NDArray[np.bool_], rank: NDArray[np.intp]) -> float:
    """Compute the AUC of synthetic over human of whole numbers, by counting instead of sorting."""
    size = int(rank.max()) + 1
    of_human = np.bincount(rank[human], minlength=size)
    of_synthetic = np.bincount(rank[~human], minlength=size)
    below = np.cumsum(of_human) - 0.5 * of_human
    return float(np.sum(of_synthetic * below) / (of_human.sum() * of_synthetic.sum()))


def _median(values: NDArray[np.float64]) -> float:
    # One of the values, since minus infinity, the level of silence, cannot be averaged.
    return float(np.quantile(values, 0.5, method="lower"))
