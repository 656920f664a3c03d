"""scikit-learn's wrappers as `calibrate` and `tune_threshold` return them: no label without a score."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.utils.validation import check_is_fitted

from voicelstm.metrics import human_label_of, respond, synthetic_threshold

__all__ = ["CalibratedDetector", "ThresholdDetector"]


class _LabelsNoFailedClip:
    """The `predict` of both: what a subclass decides for each clip, if each has a score."""

    classes_: NDArray[Any]

    def _decide(self, X: Any) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """Return the score of each clip, NaN for none, and the position of its label in `classes_`."""
        raise NotImplementedError

    def predict(self, X: Any) -> NDArray[Any]:
        """Label recordings, each of which must have a score.

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
        score, decided = self._decide(X)
        missing = np.flatnonzero(np.isnan(score))
        if len(missing):
            raise ValueError(
                f"Clips without a score have no class: positions {missing.tolist()} of X. Leave them out, or"
                " ask predict_proba, which gives NaN for them."
            )
        return self.classes_[decided]


class CalibratedDetector(_LabelsNoFailedClip, CalibratedClassifierCV):
    """What :func:`~voicelstm.calibrate` returns: scikit-learn's calibration, which labels no failed clip.

    It differs from :class:`sklearn.calibration.CalibratedClassifierCV` in `predict` alone. A clip without a
    score, such as a recording that failed with ``on_error="warn"``, is an error there, and not
    ``classes_[0]``; and even odds are synthetic, if it is known which class that is.

    A detector of :func:`~voicelstm.load_pretrained` has a card, ``card_``, which a new `fit` takes away.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> "CalibratedDetector":
        """Fit detector and calibration by cross-validation, as scikit-learn does; what a card said is over.

        Parameters
        ----------
        X : sequence of recordings
            Recordings, as the detector takes them.
        y : array-like of shape (n_clips,)
            Labels.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips.
        **fit_params : dict
            Parameters of the `fit` of the detector.

        Returns
        -------
        CalibratedDetector
            Itself.
        """
        self.__dict__.pop("card_", None)
        super().fit(X, y, sample_weight, **fit_params)
        return self

    def _decide(self, X: Any) -> tuple[NDArray[Any], NDArray[np.intp]]:
        probability = self.predict_proba(X)
        classes = self.classes_.tolist()
        if len(classes) == 2 and _known_human_label(self) == classes[0]:
            return probability[:, 0], (probability[:, 1] >= probability[:, 0]).astype(np.intp)
        return probability[:, 0], np.argmax(probability, axis=1)


class ThresholdDetector(_LabelsNoFailedClip, FixedThresholdClassifier):
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

    def _decide(self, X: Any) -> tuple[NDArray[Any], NDArray[np.intp]]:
        response = respond(self, X)
        positive = self.classes_.tolist().index(response.rule.pos_label)
        reached = response.score >= response.rule.threshold
        return response.score, np.where(reached, positive, 1 - positive)


def _known_human_label(detector: Any) -> Any:
    try:
        return human_label_of(detector)
    except ValueError:
        return None
