"""scikit-learn's wrappers as `calibrate` and `tune_threshold` return them: no label without a score."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.utils.validation import check_is_fitted

from voicelstm.metrics import human_label_of, respond, synthetic_threshold

__all__ = ["CalibratedDetector", "ThresholdDetector"]


class CalibratedDetector(CalibratedClassifierCV):
    """What :func:`~voicelstm.calibrate` returns: scikit-learn's calibration, which labels no failed clip.

    It differs from :class:`sklearn.calibration.CalibratedClassifierCV` in `predict` alone. A clip without a
    score, such as a recording that failed with ``on_error="warn"``, is an error there, and not
    ``classes_[0]``; and even odds are synthetic, if it is known which class that is.
    """

    def predict(self, X: Any) -> NDArray[Any]:
        """Decide for the more probable class; for the synthetic one at even odds, if it is known.

        Parameters
        ----------
        X : sequence of recordings
            Recordings, as the detector takes them.

        Returns
        -------
        ndarray of shape (n_clips,)
            Labels.

        Raises
        ------
        ValueError
            If clips have no score; it names their positions.
        """
        check_is_fitted(self)
        probability = self.predict_proba(X)
        _check_all_scored(probability[:, 0])
        classes = self.classes_.tolist()
        if len(classes) == 2 and _known_human_label(self) == classes[0]:
            return self.classes_[(probability[:, 1] >= probability[:, 0]).astype(int)]
        return self.classes_[np.argmax(probability, axis=1)]


class ThresholdDetector(FixedThresholdClassifier):
    """What :func:`~voicelstm.tune_threshold` returns: scikit-learn's threshold, which labels no failed clip.

    It differs from :class:`sklearn.model_selection.FixedThresholdClassifier` in two ways. In `predict` a clip
    without a score, such as a recording that failed with ``on_error="warn"``, is an error, and not
    ``classes_[0]``. And it says its threshold on the scale of scores: `threshold` is one of what
    `response_method` gives for `pos_label`, the synthetic class, and so perhaps a probability.
    """

    @property
    def human_label_(self) -> Any:
        """Human class: the one that is not `pos_label`."""
        if self.pos_label is None:
            raise AttributeError("human_label_ is not there: pos_label, the synthetic class, is None.")
        classes = self.classes_.tolist()
        others = [label for label in classes if label != self.pos_label]
        if len(others) != 1:
            raise AttributeError(
                f"human_label_ is not there: pos_label={self.pos_label!r}, the synthetic class, must be one"
                f" of two classes, and these are {classes}."
            )
        return others[0]

    @property
    def score_threshold_(self) -> float:
        """Log-odds of synthetic from which a clip is synthetic."""
        return synthetic_threshold(self)

    def predict(self, X: Any) -> NDArray[Any]:
        """Decide by the threshold.

        Parameters
        ----------
        X : sequence of recordings
            Recordings, as the detector takes them.

        Returns
        -------
        ndarray of shape (n_clips,)
            Labels.

        Raises
        ------
        ValueError
            If clips have no score; it names their positions.
        """
        check_is_fitted(self)
        response = respond(self, X)
        _check_all_scored(response.score)
        positive = self.classes_.tolist().index(response.rule.pos_label)
        reached = response.score >= response.rule.threshold
        return self.classes_[np.where(reached, positive, 1 - positive)]


def _known_human_label(detector: Any) -> Any:
    try:
        return human_label_of(detector)
    except ValueError:
        return None


def _check_all_scored(score: NDArray[Any]) -> None:
    missing = np.flatnonzero(np.isnan(score))
    if len(missing):
        raise ValueError(
            f"Clips without a score have no class: positions {missing.tolist()} of X. Leave them out, or ask"
            " predict_proba, which gives NaN for them."
        )
