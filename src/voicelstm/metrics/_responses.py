"""What a fitted detector decides from, in scikit-learn's terms: scores, and the rule that reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from voicelstm._compat import check_response_method, get_response_values_binary, tuned_pos_label

__all__ = [
    "SCORE_METHODS",
    "DecisionRule",
    "Response",
    "held_by",
    "of_second_class",
    "respond",
    "score_method",
]

SCORE_METHODS = ("decision_function", "predict_proba")


@dataclass(frozen=True)
class DecisionRule:
    """How `predict` decides: a clip is taken for `pos_label` if `method` gives `threshold` or more for it."""

    method: str
    pos_label: Any
    threshold: float

    @classmethod
    def of(cls, detector: Any) -> "DecisionRule":
        """Read the rule of a fitted classifier of two classes."""
        check_is_fitted(detector)
        classes = np.asarray(detector.classes_).tolist()
        if len(classes) != 2:
            raise ValueError(
                f"The detector knows the classes {classes}; expected two, human and synthetic. Train it with"
                " recordings of these two."
            )
        while not _sets_threshold(detector) and (deciding := _decided_by(detector)) is not None:
            detector = deciding
        methods = list(SCORE_METHODS)
        threshold: float | str = "auto"
        pos_label = None
        if _sets_threshold(detector):
            methods = methods[::-1] if detector.response_method == "auto" else [detector.response_method]
            if isinstance(detector, FixedThresholdClassifier):
                threshold, pos_label = detector.threshold, detector.pos_label
            else:
                threshold, pos_label = detector.best_threshold_, tuned_pos_label(detector)
        method = str(check_response_method(detector, methods).__name__)
        if isinstance(threshold, str):  # "auto", even odds
            threshold = 0.0 if method == "decision_function" else 0.5
        if pos_label is None:
            pos_label = classes[1]
        return cls(method, pos_label, float(threshold))


@dataclass(frozen=True)
class Response:
    """Scores of clips, and the rule by which the detector decides from them."""

    score: NDArray[np.floating]
    rule: DecisionRule


def respond(detector: Any, recordings: Any) -> Response:
    """Ask a fitted detector of two classes for the scores from which it decides."""
    rule = DecisionRule.of(detector)
    score, _ = get_response_values_binary(detector, recordings, rule.method, pos_label=rule.pos_label)
    return Response(score, rule)


def score_method(detector: Any) -> Callable[[Any], NDArray[Any]]:
    """Return the method that gives the scores: `decision_function` if there is one, else `predict_proba`."""
    method: Callable[[Any], NDArray[Any]] = check_response_method(detector, list(SCORE_METHODS))
    return method


def of_second_class(answer: NDArray[Any]) -> NDArray[Any]:
    """Return the scores that speak for ``classes_[1]``, of the answer of a detector of two classes."""
    return answer[:, 1] if answer.ndim == 2 else answer


def held_by(wrapper: Any) -> Any:
    """Return the fitted estimator whose scores a wrapper of scikit-learn passes on unchanged, or None."""
    if _sets_threshold(wrapper):
        # A fixed threshold may stand around what was fitted before, and need no fit itself.
        return getattr(wrapper, "estimator_", wrapper.estimator)
    if isinstance(wrapper, FrozenEstimator):
        return wrapper.estimator
    return getattr(wrapper, "best_estimator_", None)


def _decided_by(detector: Any) -> Any:
    """Return the fitted estimator whose decisions are those of a Pipeline or a wrapper, or None."""
    return detector[-1] if isinstance(detector, Pipeline) else held_by(detector)


def _sets_threshold(detector: Any) -> bool:
    return isinstance(detector, FixedThresholdClassifier | TunedThresholdClassifierCV)
