"""How much information scores carry when they are read as log-likelihood ratios."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from voicelstm.metrics._rates import distinct_scores
from voicelstm.metrics._scored import check_scored

__all__ = ["cllr", "min_cllr"]


def cllr(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    pos_label: Any = None,
    human_label: Any = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the cost of log-likelihood ratios, over all priors and costs (Cllr).

    Parameters
    ----------
    y_true : array-like of shape (n_clips,)
        Labels of two classes.
    y_score : array-like of shape (n_clips,)
        Natural logarithms of likelihood ratios, such as those of
        :meth:`~voicelstm.LSTMVoiceClassifier.log_likelihood_ratio`: the odds of the training classes must not
        be in them.
    pos_label : label, default=None
        Class for which a higher score speaks. If None, the synthetic one.
    human_label : label, default=None
        Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0 and 1
        it must be given.
    sample_weight : array-like of shape (n_clips,), default=None
        How often each clip counts within its class.

    Returns
    -------
    float
        In bits: 0 for perfect ratios, 1 for ratios that are all 1 and say nothing, more for ratios that
        mislead, infinity if one is infinite and wrong. It is computed in double precision, whatever the
        scores are.

    Raises
    ------
    ValueError
        Where `y_true` does not hold two classes, `y_score` holds NaN, or lengths or labels do not fit.

    See Also
    --------
    min_cllr : What would remain of it after the best calibration.

    Notes
    -----
    Ratios are taken as they are given. The scorers and :func:`~voicelstm.evaluate`, which make them of a
    classifier's probabilities, clip those at the machine epsilon, so that a probability that has been rounded
    to 0 or 1 does not make them infinite (:func:`make_detection_scorer`).

    References
    ----------
    N. Brümmer and J. du Preez, "Application-independent evaluation of speaker detection", Computer Speech and
    Language 20, 2006.

    Examples
    --------
    >>> from voicelstm.metrics import cllr
    >>> y = ["human"] * 5 + ["synthetic"] * 5
    >>> score = [-2, -1.5, -1, -0.5, 0.2, -0.7, 0.5, 1, 1.5, 2]
    >>> round(cllr(y, score), 6)
    0.59622
    """
    clips = check_scored(
        y_true, y_score, pos_label=pos_label, human_label=human_label, sample_weight=sample_weight
    )
    nats = np.logaddexp(0, np.where(clips.human, -clips.score, clips.score))
    return (clips.mean(nats, clips.human) + clips.mean(nats, ~clips.human)) / (2 * float(np.log(2)))


def min_cllr(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    pos_label: Any = None,
    human_label: Any = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the Cllr that scores would have after the best order-preserving calibration.

    The calibration is fitted to the very clips that are measured (pool adjacent violators, equal scores
    together): it measures discrimination alone, and :func:`cllr` less this is what calibration costs.

    Parameters
    ----------
    y_true : array-like of shape (n_clips,)
        Labels of two classes.
    y_score : array-like of shape (n_clips,)
        Scores; only their order counts.
    pos_label : label, default=None
        Class for which a higher score speaks. If None, the synthetic one.
    human_label : label, default=None
        Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0 and 1
        it must be given.
    sample_weight : array-like of shape (n_clips,), default=None
        How often each clip counts within its class.

    Returns
    -------
    float
        From 0 to 1, in bits; at most :func:`cllr`.

    Raises
    ------
    ValueError
        As :func:`cllr`.

    References
    ----------
    N. Brümmer and J. du Preez, "Application-independent evaluation of speaker detection", Computer Speech and
    Language 20, 2006.

    Examples
    --------
    >>> from voicelstm.metrics import min_cllr
    >>> y = ["human"] * 5 + ["synthetic"] * 5
    >>> score = [-2, -1.5, -1, -0.5, 0.2, -0.7, 0.5, 1, 1.5, 2]
    >>> round(min_cllr(y, score), 6)
    0.275489
    """
    clips = check_scored(
        y_true, y_score, pos_label=pos_label, human_label=human_label, sample_weight=sample_weight
    )
    _, human, synthetic = distinct_scores(clips)
    total = human + synthetic
    share = isotonic_regression(human / total, weights=total).x
    pool = np.flatnonzero(np.append(True, share[1:] != share[:-1]))
    human, synthetic = np.add.reduceat(human, pool), np.add.reduceat(synthetic, pool)
    human, synthetic = human / human.sum(), synthetic / synthetic.sum()
    return float(_bits(human, synthetic) + _bits(synthetic, human)) / 2


def _bits(mine: NDArray[np.float64], others: NDArray[np.float64]) -> np.floating:
    """Sum mine * log2(1 + others / mine), the Cllr of one class whose pools have the ratio mine / others."""
    here = mine > 0
    return np.sum(mine[here] * np.log2(1 + others[here] / mine[here]))
