"""From the score of a calibrated detector and a prior to the posterior."""

from numbers import Real
from typing import Any

from scipy.special import expit, logit
from sklearn.pipeline import Pipeline

from voicelstm.detector._held_out_wrappers import CalibratedDetector

__all__ = ["check_prior", "posterior_of"]


def check_prior(prior: float | None, detector: Any) -> None:
    """Refuse what is no prior, and detectors whose scores are no likelihood ratios; None asks for nothing."""
    if prior is None:
        return
    if not isinstance(prior, Real) or isinstance(prior, bool):
        raise TypeError(
            f"prior must be a number, the share of synthetic recordings, or None; got {prior!r}, of type"
            f" {type(prior).__name__}."
        )
    if not 0 < prior < 1:
        raise ValueError(f"prior={prior}: expected a share of recordings, above 0 and below 1.")
    if len(detector.classes_) != 2:
        raise ValueError(f"prior is that of one of two classes; this detector has {len(detector.classes_)}.")
    if not _is_calibrated(detector):
        raise ValueError(
            "prior is for a calibrated detector: scores of others are no log-likelihood ratios. Calibrate it"
            " on recordings that were not in its training (voicelstm.calibrate)."
        )


def posterior_of(score: float, prior: float) -> float:
    """Return the probability of synthetic after a log-likelihood ratio, where it was `prior` before."""
    return float(expit(score + logit(prior)))


def _is_calibrated(detector: Any) -> bool:
    """Tell whether `calibrate` has made what gives a detector's scores."""
    while not isinstance(detector, CalibratedDetector):
        if isinstance(detector, Pipeline):
            detector = detector[-1]
        elif hasattr(detector, "estimator"):
            detector = getattr(detector, "estimator_", detector.estimator)
        else:
            return False
    return True
