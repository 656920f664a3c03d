"""Parameters that have a name, as far as they differ from the defaults."""

from typing import Any, Self

__all__ = ["RECIPE_NETWORK", "NamedFrontEnds"]

_RECIPE_FEATURES: dict[str, Any] = {
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

_ASVSPOOF_LFCC: dict[str, Any] = {
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


class NamedFrontEnds:
    """Give `MFCCTransformer` the front ends that have a name."""

    @classmethod
    def original(cls, **changes: Any) -> Self:
        """Return the front end of the recipe that the library grew out of.

        ``python_speech_features.mfcc(signal, samplerate=fs, nfft=2048)`` on 16-bit integers, the first 5,000
        frames, each coefficient of each file scaled to 0..1.

        Parameters
        ----------
        **changes
            Parameters that shall differ.

        Returns
        -------
        MFCCTransformer
            In double precision, so that the features equal python_speech_features's.

        Examples
        --------
        >>> from voicelstm import MFCCTransformer
        >>> MFCCTransformer.original(max_frames=10_000).n_mfcc
        13
        """
        return cls(**(_RECIPE_FEATURES | changes))

    @classmethod
    def lfcc(cls, **changes: Any) -> Self:
        """Return the front end of the ASVspoof 2021 baseline with linear-frequency cepstra.

        70 linearly spaced filters up to 4 kHz, 19 coefficients and the 0th, Δ and ΔΔ, of frames of 30 ms, a
        frame every 15 ms, without pre-emphasis, lifter or normalisation: what the baseline's README says,
        with the triangles of its ``lfcc_bp.m``. (Its MATLAB script as published keeps one coefficient less;
        its Python port has corners rounded down to bins, ``triangles="bins"``.)

        Parameters
        ----------
        **changes
            Parameters that shall differ.

        Returns
        -------
        MFCCTransformer
            Its static coefficients are those of the baseline but for two constants: logarithms are natural,
            and energies are divided by the transform's length. Its derivatives are regressions over ±2
            frames, where the baseline takes differences over ±1.

        References
        ----------
        ASVspoof 2021 baseline CM, ``LA/Baseline-LFCC-GMM``, https://github.com/asvspoof-challenge/2021.
        M. Sahidullah, T. Kinnunen and C. Hanilçi, "A comparison of features for synthetic speech detection",
        Interspeech, 2015.

        Examples
        --------
        >>> from voicelstm import MFCCTransformer
        >>> MFCCTransformer.lfcc().get_feature_names_out().size
        60
        """
        return cls(**(_ASVSPOOF_LFCC | changes))
