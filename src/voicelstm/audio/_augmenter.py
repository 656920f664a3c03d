"""Recordings as other rooms, devices and lines would have made them, drawn by their content and a seed."""

import hashlib
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from voicelstm._base import DocumentationLink
from voicelstm._compat import Interval, validate_params
from voicelstm.audio._codecs import CODECS, band_limited, check_codec, coded
from voicelstm.audio._distortions import add_impulses, add_noise, convolve_nonlinearly, cut_band, reverberate

__all__ = ["Augmenter"]

_CHANCE = 0.3
_DECIBELS = (-100.0, 100.0)
_POSITIVE = (np.nextafter(0, 1), np.inf)
# What each pair (low, high) is measured in, and what it must lie in.
_RANGES = {
    "reverberation_time": ("s", (0.01, 10.0)),
    "direct_to_reverberant": ("dB", _DECIBELS),
    "noise_snr": ("dB", _DECIBELS),
    "noise_color": ("powers of 1/f", (-4.0, 4.0)),
    "nonlinearity": ("dB", (0.0, 100.0)),
    "impulses": ("the share of samples", (0.0, 1.0)),
    "highpass": ("Hz", _POSITIVE),
    "lowpass": ("Hz", _POSITIVE),
    "compression": ("the codec's scale", (0.0, 1.0)),
    "gain": ("dB", _DECIBELS),
}
_OF_OTHERS = {"direct_to_reverberant", "noise_color", "compression"}  # effects they belong to may be off


class Augmenter(DocumentationLink, BaseEstimator):
    """Change recordings as other rooms, devices and lines would, so that a detector learns to look past them.

    A changed recording has the rate and the number of samples it had. What is drawn for it depends on
    `random_state` and on its content alone, and for each effect apart: neither other recordings, nor their
    order, nor the number of workers, nor switching another effect on or off changes it.

    Effects follow each other as on a recording's way: room (reverberation), surroundings (noise), device
    (convolution, impulses, band), line (resampling, codec, gain).

    Read more in the :ref:`user guide <augmentation>`.

    Parameters
    ----------
    probability : float, default=0.8
        That a recording is changed at all.
    effect_probability : float or dict of str to float, default=0.3
        That one that is changed has an effect. A dict gives the probability by the effect's parameter, such
        as ``{"noise_snr": 0.8, "codecs": 0.5}``; those that it does not name keep the default.
    reverberation_time : (float, float) or None, default=(0.1, 0.8)
        Time in which the tail of a made-up room falls by 60 dB, in s. None is no reverberation.
    direct_to_reverberant : (float, float), default=(0.0, 20.0)
        Energy of the direct sound over that of the tail, in dB.
    noise_snr : (float, float) or None, default=(5.0, 40.0)
        Power of the whole recording over that of the noise that is added to it, in dB. The noise begins at
        20 Hz. None is no noise.
    noise_color : (float, float), default=(0.0, 2.0)
        Exponent by which the noise's power falls with frequency: 0 is white, 1 pink, 2 brown.
    nonlinearity : (float, float) or None, default=(5.0, 20.0)
        RawBoost's convolutive noise: how far each higher power of the signal lies below the linear part, in
        dB. All go through filters with random notches. None is neither powers nor filters.
    impulses : (float, float) or None, default=(0.0, 0.1)
        RawBoost's impulsive noise: the share of samples that are hit. None is no impulses.
    highpass : (float, float) or None, default=(50.0, 400.0)
        Cutoff of a Butterworth filter, in Hz. None is no filter.
    lowpass : (float, float) or None, default=(3000.0, 7500.0)
        Cutoff of a Butterworth filter, in Hz. One above half the sample rate changes nothing. None is no
        filter.
    resample_rates : tuple of int or None, default=(8000,)
        Rates of which one is drawn, in Hz; the recording is resampled to it and back. One that is not below
        the recording's changes nothing. None is no resampling.
    codecs : tuple of str or None, default=("mu-law", "a-law", "g726", "gsm", "mp3", "vorbis", "opus")
        Codecs of which one is drawn. The first four run at 8 kHz, as on telephone lines, the others at the
        recording's rate, or the next that they know. None is no codec.
    compression : (float, float), default=(0.0, 1.0)
        How strongly MP3, Vorbis and Opus compress: soundfile's ``compression_level``, from 0 (best) to 1
        (smallest).
    gain : (float, float) or None, default=(-12.0, 6.0)
        In dB. Nothing is clipped. None is no gain.
    random_state : int, default=0
        Seed, 0 or more. An int only: what a generator gives would depend on what was drawn before.

    See Also
    --------
    MFCCTransformer : Its `augment` applies an augmenter to what is trained on.

    Notes
    -----
    Effects do not depend on how loud a recording is. Silence stays as it is. Draws are those of NumPy's
    default generator, which another version of NumPy may change.

    A recording is drawn for once: if it is twice in a training set, it is changed in the same way both times.
    For several copies of each, give :class:`~voicelstm.MFCCTransformer` several augmenters, such as those of
    :meth:`channels`.

    References
    ----------
    Tak, H., Kamble, M., Patino, J., Todisco, M., and Evans, N., "RawBoost: A raw data boosting and
    augmentation method applied to automatic speaker verification anti-spoofing", ICASSP, 2022.

    Polack, J. D., "La transmission de l'énergie sonore dans les salles", Université du Maine, 1988 (noise
    that decays exponentially, as a room's response).

    Ko, T., Peddinti, V., Povey, D., Seltzer, M. L., and Khudanpur, S., "A study on data augmentation of
    reverberant speech for robust speech recognition", ICASSP, 2017 (made-up rooms do as well as real ones).

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm import Augmenter
    >>> second = 0.1 * np.sin(np.arange(16000))
    >>> noisy = Augmenter(probability=1.0, effect_probability={"noise_snr": 1.0}, noise_snr=(10.0, 10.0))
    >>> noisy.set_params(gain=None, nonlinearity=None).gain is None
    True
    >>> changed = noisy(second, 16000)
    >>> changed.shape, bool((changed == noisy(second, 16000)).all())
    ((16000,), True)
    >>> bool((changed == noisy.set_params(random_state=1)(second, 16000)).all())
    False
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "probability": [Interval(Real, 0, 1, closed="both")],
        "effect_probability": [Interval(Real, 0, 1, closed="both"), dict],
        **{name: [tuple, list, np.ndarray, *([] if name in _OF_OTHERS else [None])] for name in _RANGES},
        "resample_rates": [tuple, list, np.ndarray, None],
        "codecs": [tuple, list, np.ndarray, None],
        "random_state": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        probability: float = 0.8,
        effect_probability: float | dict[str, float] = _CHANCE,
        reverberation_time: tuple[float, float] | None = (0.1, 0.8),
        direct_to_reverberant: tuple[float, float] = (0.0, 20.0),
        noise_snr: tuple[float, float] | None = (5.0, 40.0),
        noise_color: tuple[float, float] = (0.0, 2.0),
        nonlinearity: tuple[float, float] | None = (5.0, 20.0),
        impulses: tuple[float, float] | None = (0.0, 0.1),
        highpass: tuple[float, float] | None = (50.0, 400.0),
        lowpass: tuple[float, float] | None = (3000.0, 7500.0),
        resample_rates: tuple[int, ...] | None = (8000,),
        codecs: tuple[str, ...] | None = ("mu-law", "a-law", "g726", "gsm", "mp3", "vorbis", "opus"),
        compression: tuple[float, float] = (0.0, 1.0),
        gain: tuple[float, float] | None = (-12.0, 6.0),
        random_state: int = 0,
    ) -> None:
        self.probability = probability
        self.effect_probability = effect_probability
        self.reverberation_time = reverberation_time
        self.direct_to_reverberant = direct_to_reverberant
        self.noise_snr = noise_snr
        self.noise_color = noise_color
        self.nonlinearity = nonlinearity
        self.impulses = impulses
        self.highpass = highpass
        self.lowpass = lowpass
        self.resample_rates = resample_rates
        self.codecs = codecs
        self.compression = compression
        self.gain = gain
        self.random_state = random_state

    @classmethod
    def channels(cls, *, vorbis: bool = False, random_state: int = 0) -> list[Self]:
        """Return augmenters for six copies of each recording, as four kinds of codec and two rooms make them.

        Of recordings at 16 kHz: MP3 of some 31 to 64 kbit/s; MP3 of 22 to 28 kbit/s; Opus of 10 to 60 kbit/s;
        μ-law, A-law or GSM at 8 kHz; and twice noise 10 to 40 dB below the recording, of which every second
        has reverberation, every second a high-pass filter, and every second a low-pass filter.

        Parameters
        ----------
        vorbis : bool, default=False
            Whether every second copy in Opus is in Vorbis instead. The library's benchmark keeps Vorbis as
            the codec that no training has heard.
        random_state : int, default=0
            Seed, 0 or more; each gives other copies.

        Returns
        -------
        list of Augmenter
            In the order above, for `augment` of :class:`~voicelstm.MFCCTransformer`.

        Raises
        ------
        ValueError
            If `random_state` is no integer of 0 or more.

        Examples
        --------
        >>> from voicelstm import Augmenter
        >>> [augmenter.codecs for augmenter in Augmenter.channels()]
        [('mp3',), ('mp3',), ('opus',), ('mu-law', 'a-law', 'gsm'), None, None]
        """
        validate_params(cls(random_state=random_state))  # else the error would name another number, and later
        none = dict.fromkeys(_EFFECTS)
        opus = ("opus", "vorbis") if vorbis else ("opus",)
        chances = {"noise_snr": 1.0, "reverberation_time": 0.5, "highpass": 0.5, "lowpass": 0.5}
        noisy = {
            "effect_probability": chances,
            "noise_snr": (10.0, 40.0),
            "reverberation_time": (0.1, 0.8),
            "highpass": (50.0, 400.0),
            "lowpass": (3000.0, 7500.0),
        }
        settings: list[dict[str, Any]] = [
            {"codecs": ("mp3",), "compression": (0.0, 0.5)},
            {"codecs": ("mp3",), "compression": (0.6, 0.99)},
            {"codecs": opus, "compression": (0.8, 0.99)},
            {"codecs": ("mu-law", "a-law", "gsm")},
            noisy,
            noisy,
        ]
        always = {"probability": 1.0, "effect_probability": 1.0}
        return [
            cls(**{**none, **always, **changes, "random_state": len(settings) * random_state + number})
            for number, changes in enumerate(settings)
        ]

    def __call__(
        self, samples: NDArray[np.floating], sample_rate: int, *, key: str | None = None
    ) -> NDArray[np.floating]:
        """Change one recording, or not, as is drawn for it.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,)
            Floating-point and finite, as :func:`voicelstm.audio.read_audio` returns them.
        sample_rate : int
            In Hz.
        key : str or None, default=None
            What the recording's draws depend on besides `random_state`. None is its samples, in single
            precision.

        Returns
        -------
        ndarray of shape (n_samples,)
            Of the same type. `samples` themselves are left alone.

        Raises
        ------
        ValueError
            Where a parameter is not what it must be, or libsndfile lacks a codec.
        """
        self.check()
        samples = np.asarray(samples)
        if samples.ndim != 1 or samples.dtype.kind != "f":
            raise ValueError(
                f"Expected floating-point samples of shape (n_samples,), got {samples.dtype} of shape"
                f" {samples.shape}; voicelstm.audio.read_audio gives them."
            )
        peak = np.abs(samples).max(initial=0)
        if key is None:
            with np.errstate(over="ignore"):
                key = hashlib.sha256(samples.astype(np.float32).tobytes()).hexdigest()
        if peak == 0 or self._generator(key, "probability").random() >= self.probability:
            return samples.copy()
        # By a power of two, which rounds nothing.
        exponent = int(np.frexp(peak)[1])
        changed = np.ldexp(samples, -exponent)
        for effect, apply in _EFFECTS.items():
            # A generator for each effect, so that no effect's draws depend on which others there are.
            rng = self._generator(key, effect)
            if getattr(self, effect) is not None and rng.random() < self._chance(effect):
                changed = apply(self, changed, int(sample_rate), rng)
        return np.ldexp(changed, exponent)

    def check(self, *, codecs: bool = True) -> None:
        """Raise ValueError where a parameter is not what it must be.

        Parameters
        ----------
        codecs : bool, default=True
            Whether the installed libsndfile must have the codecs as well.
        """
        validate_params(self)
        for name, (unit, (least, most)) in _RANGES.items():
            pair = getattr(self, name)
            if pair is not None and not (_are_numbers(pair, 2) and least <= pair[0] <= pair[1] <= most):
                none = "" if name in _OF_OTHERS else ", or None for none"
                raise ValueError(
                    f"{name}={pair!r}: expected a pair (low, high) of numbers in {unit}, within"
                    f" {least:.3g} to {most:.3g}{none}."
                )
        rates = self.resample_rates
        if rates is not None and not (len(rates) and _are_numbers(rates, len(rates), Integral, least=1)):
            raise ValueError(
                f"resample_rates={rates!r}: expected one or more rates in whole Hz, or None for none."
            )
        names = self.codecs
        if names is not None and not (len(names) and all(str(name) in CODECS for name in names)):
            raise ValueError(
                f"codecs={names!r}: expected one or more of {', '.join(CODECS)}, or None for none."
            )
        if isinstance(self.effect_probability, Mapping):
            for effect, chance in self.effect_probability.items():
                if effect not in _EFFECTS or not (_are_numbers([chance], 1) and 0 <= chance <= 1):
                    raise ValueError(
                        f"effect_probability={self.effect_probability!r}: expected probabilities, 0 to 1, of"
                        f" {', '.join(_EFFECTS)}; {effect!r} is not so."
                    )
        if codecs and names is not None:
            for name in names:
                check_codec(str(name))

    def _generator(self, key: str, effect: str) -> np.random.Generator:
        digest = hashlib.sha256(f"{int(self.random_state)}/{effect}/{key}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest[:16], "little"))

    def _chance(self, effect: str) -> float:
        if isinstance(self.effect_probability, Mapping):
            return self.effect_probability.get(effect, _CHANCE)
        return self.effect_probability

    def _reverberate(self, samples: NDArray, sample_rate: int, rng: np.random.Generator) -> NDArray:
        time, ratio = _drawn(self.reverberation_time, rng), _drawn(self.direct_to_reverberant, rng)
        return reverberate(samples, sample_rate, time, ratio, rng)

    def _add_noise(self, samples: NDArray, sample_rate: int, rng: np.random.Generator) -> NDArray:
        return add_noise(
            samples, sample_rate, _drawn(self.noise_snr, rng), _drawn(self.noise_color, rng), rng
        )

    def _convolve(self, samples: NDArray, sample_rate: int, rng: np.random.Generator) -> NDArray:
        # Effects before may have raised the peak, of which powers make too much.
        peak = np.abs(samples).max() or 1
        below = cast(tuple[float, float], self.nonlinearity)
        return convolve_nonlinearly(samples / peak, sample_rate, below, rng) * peak

    def _add_impulses(self, samples: NDArray, sample_rate: int, rng: np.random.Generator) -> NDArray:
        return add_impulses(samples, _drawn(self.impulses, rng), rng)

    def _cut_low(self, samples: NDArray, sample_rate: int, rng: np.random.Generator) -> NDArray:
        return cut_band(samples, sample_rate, _drawn(self.highpass, rng), "highpass")

    def _cut_high(self, samples: NDArray, sample_rate: int, rng: np.random.Generator) -> NDArray:
        return cut_band(samples, sample_rate, _drawn(self.lowpass, rng), "lowpass")

    def _resample(self, samples: NDArray, sample_rate: int, rng: np.random.Generator) -> NDArray:
        return band_limited(samples, sample_rate, int(_one_of(self.resample_rates, rng)))

    def _code(self, samples: NDArray, sample_rate: int, rng: np.random.Generator) -> NDArray:
        codec = str(_one_of(self.codecs, rng))
        return coded(samples, sample_rate, codec, _drawn(self.compression, rng))

    def _amplify(self, samples: NDArray, sample_rate: int, rng: np.random.Generator) -> NDArray:
        return samples * samples.dtype.type(10 ** (_drawn(self.gain, rng) / 20))


# In the order in which they are applied, by the parameter that switches each off.
_EFFECTS: dict[str, Callable[[Augmenter, NDArray, int, np.random.Generator], NDArray]] = {
    "reverberation_time": Augmenter._reverberate,
    "noise_snr": Augmenter._add_noise,
    "nonlinearity": Augmenter._convolve,
    "impulses": Augmenter._add_impulses,
    "highpass": Augmenter._cut_low,
    "lowpass": Augmenter._cut_high,
    "resample_rates": Augmenter._resample,
    "codecs": Augmenter._code,
    "gain": Augmenter._amplify,
}


def _drawn(pair: Any, rng: np.random.Generator) -> float:
    return float(rng.uniform(*pair))


def _one_of(values: Any, rng: np.random.Generator) -> Any:
    return values[int(rng.integers(len(values)))]


def _are_numbers(values: Any, n_values: int, kind: type = Real, least: float = -np.inf) -> bool:
    return len(values) == n_values and all(
        isinstance(value, kind) and not isinstance(value, bool) and least <= value < np.inf  # type: ignore[operator]
        for value in values
    )
