"""The same cepstra from the libraries that people know, for parity and for the sceptical."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicelstm.audio import get_window
from voicelstm.features._cepstra import CepstraSettings, fft_size, frame_sizes

__all__ = ["BACKENDS", "check_backend"]


def _by_psf(samples: NDArray, sample_rate: int, settings: CepstraSettings) -> NDArray:
    """Coefficients from ``python_speech_features.mfcc``, or the logarithms of its ``fbank``."""
    from python_speech_features import fbank, mfcc

    length, _ = frame_sizes(sample_rate, settings.frame_length, settings.frame_step)
    samples = samples.astype(np.float64) * settings.amplitude
    of_both: dict[str, Any] = {
        "winlen": settings.frame_length,
        "winstep": settings.frame_step,
        "nfilt": settings.n_filters,
        "nfft": fft_size(length, settings.n_fft),
        "lowfreq": settings.fmin,
        "highfreq": settings.fmax,
        "preemph": settings.preemphasis,
        "winfunc": lambda n: get_window(settings.window, n, periodic=False),
    }
    if settings.n_mfcc is None:
        return np.log(fbank(samples, sample_rate, **of_both)[0])
    return mfcc(
        samples,
        sample_rate,
        numcep=settings.n_mfcc,
        ceplifter=settings.lifter or 0,
        appendEnergy=settings.energy,
        **of_both,
    )


def _by_librosa(samples: NDArray, sample_rate: int, settings: CepstraSettings) -> NDArray:
    """Coefficients from ``librosa.feature.mfcc``, or what it transforms, in its own conventions."""
    import librosa

    length, step = frame_sizes(sample_rate, settings.frame_length, settings.frame_step)
    of_both: dict[str, Any] = {
        "y": samples * samples.dtype.type(settings.amplitude),
        "sr": sample_rate,
        "n_fft": fft_size(length, settings.n_fft),
        "hop_length": step,
        "win_length": length,
        "window": settings.window,
        "n_mels": settings.n_filters,
        "fmin": settings.fmin,
        "fmax": settings.fmax,
        "htk": settings.scale == "mel",
    }
    if settings.n_mfcc is None:
        return librosa.power_to_db(librosa.feature.melspectrogram(**of_both)).T
    return librosa.feature.mfcc(n_mfcc=settings.n_mfcc, lifter=settings.lifter or 0, **of_both).T


BACKENDS = {"python_speech_features": _by_psf, "librosa": _by_librosa}

# What each library can do, and so what a request must say.
_DEMANDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "python_speech_features": {"scale": ("mel",), "triangles": ("bins",)},
    "librosa": {
        "scale": ("mel", "slaney"),
        "triangles": ("exact",),
        "energy": (False,),
        "preemphasis": (0,),
    },
}


def check_backend(backend: str, settings: CepstraSettings) -> None:
    """Raise ValueError where a library cannot do what is asked of it, naming the parameters."""
    faults = [
        f"{name}={getattr(settings, name)!r} (it can do {' or '.join(map(repr, allowed))})"
        for name, allowed in _DEMANDS.get(backend, {}).items()
        if getattr(settings, name) not in allowed
    ]
    if faults:
        raise ValueError(f"backend={backend!r} cannot do {', '.join(faults)}.")
