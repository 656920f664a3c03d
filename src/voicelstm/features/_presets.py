"""Named sets of the front end's parameters; what they leave out has its default."""

from typing import Any

__all__ = ["ASVSPOOF_LFCC", "RECIPE_FEATURES"]

RECIPE_FEATURES: dict[str, Any] = {
    "sample_rate": None,
    "n_mfcc": 13,
    "n_filters": 26,
    "n_fft": 2048,
    "deltas": 0,
    "window": "boxcar",
    "amplitude": "scipy",
    "normalize": "minmax",
    "max_frames": 5000,
    "dtype": "float64",
}

ASVSPOOF_LFCC: dict[str, Any] = {
    "scale": "linear",
    "triangles": "exact",
    "n_filters": 70,
    "n_mfcc": 20,
    "n_fft": 1024,
    "frame_length": 0.03,
    "frame_step": 0.015,
    "fmax": 4000.0,
    "preemphasis": 0.0,
    "lifter": None,
    "energy": False,
    "deltas": 2,
}
