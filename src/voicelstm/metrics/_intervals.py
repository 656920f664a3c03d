"""How far a metric would move with other clips, or other speakers."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from voicelstm.metrics._labels import as_labels
from voicelstm.metrics._rates import suppress_sign_warning
from voicelstm.metrics._scored import check_weights, two_classes

__all__ = ["GroupDraws", "bootstrap_interval", "percentile_interval"]


def bootstrap_interval(
    metric: Callable[..., float],
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
    **parameters: Any,
) -> tuple[float, float]:
    """Compute a confidence interval of a metric by drawing clips, or groups of them, with replacement.

    Clips of one speaker, or of one system, are alike, and an interval that treats them as independent is too
    narrow. Give the speaker as `groups`, and speakers are drawn whole.

    Parameters
    ----------
    metric : callable
        Called as ``metric(y_true, y_score, **parameters)``, such as :func:`equal_error_rate`.
    y_true : array-like of shape (n_clips,)
        Labels of two classes.
    y_score : array-like of shape (n_clips,)
        Scores, or what else the metric takes.
    groups : array-like of shape (n_clips,), default=None
        What the clips of a group share, such as the speaker; None takes each clip for itself.
    sample_weight : array-like of shape (n_clips,), default=None
        Drawn with the clips and given to the metric. Clips of weight 0 are left out.
    n_resamples : int, default=1000
        How often clips are drawn.
    confidence : float, default=0.95
        Share of the resamples that the interval covers, between 0 and 1.
    random_state : int, RandomState instance or None, default=None
        What is drawn; None differs from call to call.
    **parameters
        Of the metric, such as `pos_label`.

    Returns
    -------
    low, high : float
        Percentiles of the metric's values, both of them values that occurred.

    Raises
    ------
    ValueError
        Where `y_true` does not hold two classes, one class is in a single group, lengths do not fit, or a
        parameter is out of range; and what the metric raises.

    Notes
    -----
    With groups it is the cluster bootstrap [2]_: groups are drawn with replacement, each with all its clips,
    and nothing is drawn within them. It is stratified: groups are drawn from among those that hold the same
    classes, as many with human clips only as there are, as many with synthetic clips only, and as many with
    both. So no resample loses a class, and none has to be thrown away. Few groups give intervals that are too
    narrow: below ten or so, read them as a lower bound. The interval is that of percentiles [1]_.

    References
    ----------
    .. [1] B. Efron and R. J. Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.
    .. [2] C. A. Field and A. H. Welsh, "Bootstrapping clustered data", Journal of the Royal Statistical
       Society B 69, 2007. (Stratified by class only here.)

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.metrics import bootstrap_interval, equal_error_rate
    >>> score = np.random.default_rng(0).normal(size=400)
    >>> y = np.repeat(["human", "synthetic"], 200)
    >>> low, high = bootstrap_interval(equal_error_rate, y, score, pos_label="human", random_state=0)
    >>> bool(low < 0.5 < high)
    True
    """
    if n_resamples < 1:
        raise ValueError(f"n_resamples={n_resamples!r} must be at least 1.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence!r} must be between 0 and 1.")
    labels, scores = as_labels(y_true, "y_true"), np.asarray(y_score)
    is_first, classes = two_classes(labels)
    if len(scores) != len(labels):
        raise ValueError(
            f"y_score has {len(scores)} values, y_true has {len(labels)}: one per clip is needed."
        )
    weight = check_weights(sample_weight, is_first)
    if groups is None:
        group = np.arange(len(labels))
    else:
        try:
            group = np.unique(np.asarray(groups), return_inverse=True)[1]
        except TypeError:
            raise ValueError("groups must be of one kind, and say one for every clip.") from None
        if group.shape != labels.shape:
            raise ValueError(f"groups has {len(group)} values, y_true has {len(labels)}.")
    if weight is not None:
        counted = weight > 0
        labels, scores, weight = labels[counted], scores[counted], weight[counted]
        is_first, group = is_first[counted], np.unique(group[counted], return_inverse=True)[1]

    # scikit-learn would draw from NumPy's global state.
    random = np.random.RandomState() if random_state is None else check_random_state(random_state)
    draw = GroupDraws(group, is_first, classes, random)
    values = np.empty(n_resamples)
    with suppress_sign_warning():
        for resample in range(n_resamples):
            chosen = draw.positions()
            weights = {} if weight is None else {"sample_weight": weight[chosen]}
            values[resample] = metric(labels[chosen], scores[chosen], **weights, **parameters)
    return percentile_interval(values, confidence)


def percentile_interval(values: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Return the interval of values of resamples, between two that occurred."""
    outside = (1 - confidence) / 2
    # Since infinity (a Cllr may have it) cannot be interpolated.
    low = np.quantile(values, outside, method="lower")
    high = np.quantile(values, 1 - outside, method="higher")
    return float(low), float(high)


class GroupDraws:
    """Draws groups with replacement, from among those that hold the same classes."""

    def __init__(
        self,
        group: NDArray[np.intp],
        is_first: NDArray[np.bool_],
        classes: list[Any],
        random: np.random.RandomState,
    ) -> None:
        self.clips = np.argsort(group, kind="stable")
        self.size = np.bincount(group)
        self.start = np.cumsum(self.size) - self.size
        n_first = np.bincount(group, weights=is_first)
        holds_first, holds_second = n_first > 0, n_first < self.size
        for label, holds in zip(classes, (holds_first, holds_second), strict=True):
            if holds.sum() < 2:
                raise ValueError(
                    f"All clips of {label!r} are in one group: what another group would give is unknown."
                )
        kind = holds_first + 2 * holds_second
        self.strata = [np.flatnonzero(kind == value) for value in (1, 2, 3)]
        self.random = random

    def counts(self) -> NDArray[np.intp]:
        """Return how often each group is drawn, of shape (n_groups,)."""
        return np.bincount(self._drawn(), minlength=len(self.size))

    def positions(self) -> NDArray[np.intp]:
        """Return the positions of the drawn groups' clips."""
        drawn = self._drawn()
        size = self.size[drawn]
        within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        return self.clips[np.repeat(self.start[drawn], size) + within]

    def _drawn(self) -> NDArray[np.intp]:
        return np.concatenate(
            [
                stratum[self.random.randint(len(stratum), size=len(stratum))]
                for stratum in self.strata
                if len(stratum)
            ]
        )
