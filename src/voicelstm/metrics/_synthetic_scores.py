"""Scores and thresholds as users read them, in log-odds of synthetic, of detectors of two classes."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit

from voicelstm.metrics._human_class import human_label_of
from voicelstm.metrics._responses import DecisionRule, of_second_class, score_method

__all__ = [
    "bounded",
    "check_threshold",
    "log_odds",
    "log_odds_of_logarithms",
    "segment_threshold",
    "synthetic_log_odds",
    "synthetic_threshold",
]


def synthetic_log_odds(detector: Any, X: Any, human_label: Any = None) -> NDArray[np.float64]:
    """Return the scores of clips, of shape (n_clips,): log-odds of synthetic, NaN for a clip without a score.

    They are those of `decision_function`, if there is one, whose margin is taken for log-odds if it is none;
    else those of the probabilities.
    """
    second_is_human = _second_is_human(detector, human_label)
    if hasattr(detector, "decision_function"):
        # score_method, since it says what is wrong with a detector that has neither method.
        score = np.asarray(of_second_class(np.asarray(score_method(detector)(X))), dtype=np.float64)
    elif hasattr(detector, "predict_log_proba"):
        with np.errstate(divide="ignore"):
            score = bounded(log_odds_of_logarithms(detector.predict_log_proba(X)))
    else:
        score = log_odds(np.asarray(score_method(detector)(X)))
    # Not -score, which would make -0.0 of 0.0.
    return 0.0 - score if second_is_human else score


def synthetic_threshold(detector: Any, human_label: Any = None) -> float:
    """Return the threshold of a detector's decisions, in log-odds of synthetic."""
    rule = DecisionRule.of(detector)
    threshold = rule.threshold
    if rule.method == "predict_proba":
        if 0 < threshold < 1 and (
            hasattr(detector, "decision_function") or hasattr(detector, "predict_log_proba")
        ):
            threshold = float(logit(threshold))  # such scores are not clipped
        elif 0 < threshold <= 1:
            threshold = float(log_odds(np.array([[1 - threshold, threshold]]))[0])
        else:
            threshold = float(np.copysign(np.inf, threshold - 0.5))
    second_is_human = _second_is_human(detector, human_label)
    speaks_for_second = rule.pos_label == np.asarray(detector.classes_).tolist()[1]
    return 0.0 - threshold if speaks_for_second == second_is_human else threshold


def segment_threshold(detector: Any, threshold: float | None = None, human_label: Any = None) -> float | None:
    """Return the log-odds from which a segment is taken for synthetic.

    `threshold` is what :func:`voicelstm.detect` was given. If the detector is calibrated, the answer is None:
    its thresholds are for whole recordings after calibration, and segments have log-odds from before it.
    """
    if not hasattr(detector, "decision_function"):
        return None
    return synthetic_threshold(detector, human_label) if threshold is None else threshold


def check_threshold(threshold: float | None) -> None:
    """Refuse what is no threshold of scores; None is that of the detector."""
    if threshold is None:
        return
    if not isinstance(threshold, Real) or isinstance(threshold, bool):
        raise TypeError(
            f"threshold must be a number, log-odds of synthetic, or None; got {threshold!r}, of type"
            f" {type(threshold).__name__}."
        )
    if np.isnan(threshold):
        raise ValueError("threshold is NaN, which decides nothing.")


def log_odds(probabilities: NDArray[Any]) -> NDArray[np.float64]:
    """Return the log-odds of the second of two classes, of probabilities of shape (n_clips, 2).

    Probabilities are clipped at the machine epsilon of their type, as scikit-learn's calibration clips them:
    at 36.04 either way in double precision, 15.94 in single.
    """
    kind = probabilities.dtype if np.issubdtype(probabilities.dtype, np.floating) else np.dtype(np.float64)
    clipped = np.maximum(probabilities.astype(np.float64), np.finfo(kind).eps)
    return np.log(clipped[:, 1]) - np.log(clipped[:, 0])


def log_odds_of_logarithms(logarithms: ArrayLike) -> NDArray[np.float64]:
    """Return the log-odds of the second of two classes, of logarithms of shape (n_clips, 2), unclipped."""
    # Subtracted first: clipped, very sure answers would all be the same.
    logarithms = np.asarray(logarithms, dtype=np.float64)
    return logarithms[:, 1] - logarithms[:, 0]


def bounded(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make infinite log-odds as large as the largest finite ones, and 36.04 at least, either way."""
    infinite = np.isinf(log_odds)
    if not infinite.any():
        return log_odds
    least = -np.log(np.finfo(np.float64).eps)
    largest = np.abs(log_odds[np.isfinite(log_odds)]).max(initial=least)
    return np.where(infinite, np.copysign(largest, log_odds), log_odds)


def _second_is_human(detector: Any, human_label: Any) -> bool:
    classes = np.asarray(detector.classes_).tolist()
    return bool(human_label_of(detector, human_label) == classes[1])
