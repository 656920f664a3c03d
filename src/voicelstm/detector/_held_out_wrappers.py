"""scikit-learn's wrappers as `calibrate` and `tune_threshold` return them: no label without a score."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.utils.validation import check_is_fitted

from voicelstm.metrics import respond

__all__ = ["CalibratedDetector", "ThresholdDetector"]


class CalibratedDetector(CalibratedClassifierCV):
    """What :func:`~voicelstm.calibrate` returns: scikit-learn's calibration, which labels no failed clip.

    It differs from :class:`sklearn.calibration.CalibratedClassifierCV` in `predict` alone: a clip without a
    score, such as a recording that failed with ``on_error="warn"``, is an error there, and not
    ``classes_[0]``.
    """

    def predict(self, X: Any) -> NDArray[Any]:
        """Decide for the more probable class.

        Parameters
        ----------
        X : sequence of recordings
            What the detector takes.

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
        return self.classes_[np.argmax(probability, axis=1)]


class ThresholdDetector(FixedThresholdClassifier):
    """What :func:`~voicelstm.tune_threshold` returns: scikit-learn's threshold, which labels no failed clip.

    It differs from :class:`sklearn.model_selection.FixedThresholdClassifier` in `predict` alone: a clip
    without a score, such as a recording that failed with ``on_error="warn"``, is an error there, and not
    ``classes_[0]``.
    """

    def predict(self, X: Any) -> NDArray[Any]:
        """Decide by the threshold.

        Parameters
        ----------
        X : sequence of recordings
            What the detector takes.

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


def _check_all_scored(score: NDArray[Any]) -> None:
    missing = np.flatnonzero(np.isnan(score))
    if len(missing):
        raise ValueError(
            f"Clips without a score have no class: positions {missing.tolist()} of X. Leave them out, or ask"
            " predict_proba, which gives NaN for them."
        )
