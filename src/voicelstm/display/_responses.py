"""What a detector says of recordings, and from where on it decides."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from voicelstm._compat import check_response_method, get_response_values_binary

__all__ = ["Response", "check_finite", "own_threshold", "respond", "response_method", "thawed"]

_WRAPPERS = (FixedThresholdClassifier, TunedThresholdClassifierCV)


@dataclass(frozen=True)
class Response:
    """Scores, and how they are read.

    Attributes
    ----------
    score : ndarray of shape (n_clips,)
        Higher speaks for `pos_label`.
    pos_label : label
        The class that is taken from the threshold upwards.
    threshold : float
        Of the detector's own decisions.
    """

    score: NDArray[np.floating]
    pos_label: Any
    threshold: float


def respond(detector: Any, recordings: Any) -> Response:
    """Ask a detector for the scores from which it decides.

    Parameters
    ----------
    detector : classifier
        Fitted, of two classes. Of scikit-learn's threshold wrappers, the method and the threshold are theirs.
    recordings : sequence of recordings
        What it takes.

    Returns
    -------
    Response
        Of `decision_function`, or `predict_proba` where there is none.
    """
    detector = thawed(detector)
    method = response_method(detector)
    pos_label = getattr(detector, "pos_label", None)
    score, pos_label = get_response_values_binary(detector, recordings, method, pos_label=pos_label)
    threshold = own_threshold(detector)
    if threshold is None:
        threshold = 0.0 if method == "decision_function" else 0.5
    return Response(score, pos_label, threshold)


def thawed(detector: Any) -> Any:
    """Return what is frozen: a threshold in there is one as well.

    Parameters
    ----------
    detector : classifier
        Perhaps a FrozenEstimator.

    Returns
    -------
    classifier
        No FrozenEstimator.
    """
    while isinstance(detector, FrozenEstimator):
        detector = detector.estimator
    return detector


def response_method(detector: Any) -> str:
    """Return the method from whose answers a detector decides.

    Parameters
    ----------
    detector : classifier
        Fitted.

    Returns
    -------
    {"decision_function", "predict_proba"}
        Of scikit-learn's threshold wrappers what they say, else the first that there is.
    """
    methods = ["decision_function", "predict_proba"]
    if isinstance(detector, _WRAPPERS):
        chosen = detector.response_method
        methods = methods[::-1] if chosen == "auto" else [chosen]
    return str(check_response_method(detector, methods).__name__)


def own_threshold(detector: Any) -> float | None:
    """Return the threshold that a wrapper sets.

    Parameters
    ----------
    detector : classifier
        Fitted.

    Returns
    -------
    float or None
        None where the detector decides at even odds.
    """
    if not isinstance(detector, _WRAPPERS):
        return None
    threshold = getattr(detector, "best_threshold_", getattr(detector, "threshold", "auto"))
    return None if isinstance(threshold, str) else float(threshold)


def check_finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Refuse numbers that cannot be drawn.

    Parameters
    ----------
    name : str
        The parameter's.
    values : array-like
        Numbers.

    Returns
    -------
    ndarray
        As doubles.

    Raises
    ------
    ValueError
        Where one is NaN or infinite; it says how many.
    """
    numbers = np.asarray(values, dtype=np.float64)
    wrong = int(np.count_nonzero(~np.isfinite(numbers)))
    if wrong:
        raise ValueError(
            f"{name} holds {wrong} values that are NaN or infinite, of {numbers.size}; expected finite"
            " numbers, which have a place in a picture. Leave these out, and say how many they were."
        )
    return numbers
