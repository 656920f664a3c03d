"""Parameters that have a name, as far as they differ from the defaults."""

from typing import Any

__all__ = ["ASVSPOOF_LFCC", "RECIPE_FEATURES", "RECIPE_NETWORK"]

RECIPE_FEATURES: dict[str, Any] = {
    "sample_rate": None,
    "n_mfcc": 13,
    "n_filters": 26,
    "n_fft": 2048,
    "deltas": 0,
    "window": "boxcar",
    "amplitude": 32768.0,
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

RECIPE_NETWORK: dict[str, Any] = {
    "units": (78, 78, 78, 13),
    "pooling": "last",
    "dropout": 0.0,
    "segment_frames": None,
    "standardize": False,
    "loss": "squared_error",
    "optimizer": "adam_tf1",
    "batch_size": 20,
    "shuffle": False,
    "max_steps": 600,
    "head_initializer": "truncated_normal",
}
