"""From a fitted network to scores, probabilities and decisions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.utils.validation import check_is_fitted

from voicelstm.learning import Fitted
from voicelstm.sequence_checking import checked_clips
from voicelstm.sequences import SegmentBatches

__all__ = ["PredictionMixin"]


class PredictionMixin:
    """The methods of a classifier of sequences that come after `fit`."""

    classes_: NDArray[Any]
    segment_frames: int | None
    batch_size: int
    distribution: Any
    _fitted: Fitted
    _validate_params: Callable[[], None]

    def decision_function(self, X: Any) -> NDArray[np.floating]:
        """Compute the scores of clips.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.

        Returns
        -------
        ndarray of shape (n_clips,), or (n_clips, n_classes) for more than two classes
            For two classes the log-odds of ``classes_[1]``, else one logit per class; NaN for empty clips.
        """
        batches, logits = self._segment_logits(X)
        scores = batches.clip_scores(logits)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Compute the probabilities of classes.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            In the order of `classes_`; NaN for empty clips.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.column_stack([expit(-scores), expit(scores)])
        return softmax(scores, axis=1)

    def predict_log_proba(self, X: Any) -> NDArray[np.floating]:
        """Compute the logarithms of the probabilities of classes, without going through 0.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            In the order of `classes_`; NaN for empty clips.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.column_stack([log_expit(-scores), log_expit(scores)])
        return log_softmax(scores, axis=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """Decide for a class.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.

        Returns
        -------
        ndarray of shape (n_clips,)
            Labels.

        Raises
        ------
        ValueError
            Where clips are empty; it names them.
        """
        batches, logits = self._segment_logits(X)
        empty = np.flatnonzero(batches.segments.per_clip == 0)
        if len(empty):
            raise ValueError(
                f"Empty clips have no class: positions {empty.tolist()} of X. Leave them out, or ask"
                " predict_proba, which gives NaN for them."
            )
        scores = batches.clip_scores(logits)
        chosen = (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(axis=1)
        return self.classes_[chosen]

    def log_likelihood_ratio(self, X: Any) -> NDArray[np.floating]:
        """Compute log-odds less those of the training classes.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.

        Returns
        -------
        ndarray of shape (n_clips,)
            How much more probable a clip is under ``classes_[1]`` than under ``classes_[0]``, as a natural
            logarithm.

        Raises
        ------
        ValueError
            Where there are more than two classes, or training gave one of them no weight.
        """
        check_is_fitted(self)
        if len(self.classes_) != 2:
            raise ValueError(
                f"A likelihood ratio compares two classes; this classifier has {len(self.classes_)}."
            )
        if not self._fitted.class_totals.all():
            raise ValueError("A likelihood ratio needs clips of both classes in training; one had no weight.")
        return self.decision_function(X) - self.log_prior_odds_

    @property
    def log_prior_odds_(self) -> float:
        """Of two classes, the logarithm of the training weight of the second over that of the first."""
        check_is_fitted(self)
        totals = self._fitted.class_totals
        with np.errstate(divide="ignore"):
            return float(np.log(totals[1]) - np.log(totals[0]))

    def predict_segments(self, X: Any) -> list[NDArray[Any]]:
        """Score each segment of each clip.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.

        Returns
        -------
        list of structured ndarray of shape (n_segments,)
            Per clip, with the fields ``start_frame``, ``stop_frame`` and ``log_odds``, which is the segment's
            `decision_function`.
        """
        batches, logits = self._segment_logits(X)
        segments = batches.segments
        n_scores = logits.shape[1]
        score_type = np.float64 if n_scores == 1 else (np.float64, (n_scores,))
        table = np.empty(
            len(segments),
            dtype=[("start_frame", np.int64), ("stop_frame", np.int64), ("log_odds", score_type)],
        )
        table["start_frame"], table["stop_frame"] = segments.start, segments.stop
        table["log_odds"] = logits[:, 0] if n_scores == 1 else logits
        return np.split(table, np.cumsum(segments.per_clip)[:-1])

    def _segment_logits(self, X: Any) -> tuple[SegmentBatches, NDArray[np.floating]]:
        check_is_fitted(self)
        self._validate_params()
        from voicelstm.network import Compilation
        from voicelstm.network_pool import acquire_network

        fitted = self._fitted
        clips = checked_clips(self, X, expected=fitted.architecture.n_features)
        batches = fitted.batches(clips, self.segment_frames, self.batch_size)
        if self.distribution is None:
            batches.shrink()
        compilation = Compilation.of(self).for_rows(batches.n_rows)
        if callable(compilation.optimizer):
            compilation = replace(compilation, optimizer="adam")  # which prediction does not use
        if compilation.devices.span_processes:
            compilation = replace(compilation, distribution=None)  # the others may not be predicting
        with acquire_network(fitted.architecture, compilation) as network:
            network.set_weights(fitted.weights)
            logits = network.logits(batches)
        if np.isnan(logits).any():
            raise ValueError(
                "The network's scores are NaN: its weights, or the values of X, are so large that its"
                " arithmetic overflows."
            )
        return batches, logits
