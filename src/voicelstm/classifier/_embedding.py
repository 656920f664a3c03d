"""The embedding of a clip, which is what the last layer of a fitted network reads, and another last layer."""

from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voicelstm.classifier._classifier import LSTMVoiceClassifier
from voicelstm.network import Weights
from voicelstm.sequences import checked_clips

__all__ = ["embeddings", "last_layer", "with_last_layer"]


def embeddings(classifier: LSTMVoiceClassifier, X: Any) -> NDArray[np.float64]:
    """Return what the last layer reads, (n_clips, width), averaged over segments; NaN for empty clips.

    The last layer of it is `decision_function`, since a layer of a mean is the mean of the layer.
    """
    fitted = classifier._fitted
    clips = checked_clips(classifier, X, expected=fitted.architecture.n_features)
    width = len(fitted.weights["head/kernel"])
    # A last layer that passes on what it reads.
    architecture = replace(fitted.architecture, n_outputs=width)
    weights = _with(fitted.weights, np.eye(width), np.zeros(width))
    passing_on = replace(fitted, architecture=architecture, weights=weights)
    batches, found = passing_on.segment_logits(clips, classifier)
    return batches.clip_scores(found)


def last_layer(classifier: LSTMVoiceClassifier) -> tuple[NDArray[np.float64], float]:
    """Return coefficients, (width,), and intercept of the log-odds of the second of two classes."""
    weights = classifier._fitted.weights
    return weights["head/kernel"][:, 0].astype(np.float64), float(weights["head/bias"][0])


def with_last_layer(
    classifier: LSTMVoiceClassifier, coefficients: NDArray[np.float64], intercept: float
) -> LSTMVoiceClassifier:
    """Copy a fitted classifier of two classes, with another last layer."""
    changed = copy(classifier)
    weights = _with(classifier._fitted.weights, coefficients[:, None], [intercept])
    changed._fitted = replace(classifier._fitted, weights=weights)
    return changed


def _with(weights: Weights, kernel: NDArray[np.float64], bias: ArrayLike) -> Weights:
    dtype = weights["head/kernel"].dtype
    return weights | {"head/kernel": kernel.astype(dtype), "head/bias": np.asarray(bias, dtype)}
