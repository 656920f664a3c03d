"""Misses and false alarms at every threshold, and where they are equally frequent."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voicelstm.exceptions import ScoreWarning
from voicelstm.metrics._scored import ScoredClips, check_scored

__all__ = [
    "det_curve",
    "equal_error_rate",
    "equal_error_threshold",
    "operating_points",
    "suppress_sign_warning",
    "warn_of_sign",
]

# Of this thread or task alone, unlike Python's filters of warnings.
_warns_of_sign = ContextVar("warns_of_sign", default=True)


@dataclass(frozen=True)
class OperatingPoints:
    """Error rates from accepting every clip to accepting none; point `i` accepts from ``score[i]`` on."""

    score: NDArray[np.float64]
    false_alarm: NDArray[np.float64]
    miss: NDArray[np.float64]

    def least_cost(self, of_misses: float, of_false_alarms: float) -> float:
        """Return the smallest weighted sum of both rates."""
        return float(np.min(of_misses * self.miss + of_false_alarms * self.false_alarm))

    def equal_error_rate(self) -> float:
        """Return the rate at which the lines between the points have equally many errors of both kinds."""
        difference = self.false_alarm - self.miss
        last = int(np.flatnonzero(difference >= 0)[-1])
        share = difference[last] / (difference[last] - difference[last + 1])
        return float(self.false_alarm[last] + share * (self.false_alarm[last + 1] - self.false_alarm[last]))


class RankedScores:
    """Scores that speak for human, sorted once, for the error rates of one weighting after another."""

    def __init__(self, score: NDArray[np.float64], human: NDArray[np.bool_]) -> None:
        self._order = np.argsort(score)
        ranked = score[self._order]
        self._human = human[self._order].astype(np.float64)
        self._first = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
        self.score = ranked[self._first]

    def totals(self, weight: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the weight of human and of synthetic clips at each distinct score."""
        weight = weight[self._order]
        human = weight * self._human
        synthetic = weight - human
        if len(self._first) == len(weight):
            return human, synthetic
        return np.add.reduceat(human, self._first), np.add.reduceat(synthetic, self._first)

    def operating_points(self, weight: NDArray[np.float64]) -> OperatingPoints:
        """Compute both error rates at each distinct score, and where no clip is accepted."""
        human, synthetic = self.totals(weight)
        missed = np.append(0.0, np.cumsum(human))
        rejected = np.append(0.0, np.cumsum(synthetic))
        return OperatingPoints(self.score, (rejected[-1] - rejected) / rejected[-1], missed / missed[-1])


def distinct_scores(
    clips: ScoredClips,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the distinct scores, ascending, and the weight of human and of synthetic clips at each."""
    ranked = RankedScores(clips.score, clips.human)
    return (ranked.score, *ranked.totals(_weight_of(clips)))


def operating_points(clips: ScoredClips) -> OperatingPoints:
    """Compute both error rates at each distinct score, and where no clip is accepted."""
    return RankedScores(clips.score, clips.human).operating_points(_weight_of(clips))


def _weight_of(clips: ScoredClips) -> NDArray[np.float64]:
    return np.ones(len(clips.score)) if clips.weight is None else clips.weight


def det_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    pos_label: Any = None,
    human_label: Any = None,
    sample_weight: ArrayLike | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Compute the rates of false alarms and of misses at every threshold.

    Parameters
    ----------
    y_true : array-like of shape (n_clips,)
        Labels of two classes.
    y_score : array-like of shape (n_clips,)
        Scores, such as those of a `decision_function`.
    pos_label : label, default=None
        Class for which a higher score speaks. If None, the synthetic one. A `decision_function` of
        scikit-learn's form speaks for ``classes_[1]``.
    human_label : label, default=None
        Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0 and 1
        it must be given.
    sample_weight : array-like of shape (n_clips,), default=None
        How often each clip counts.

    Returns
    -------
    false_alarm_rate : ndarray of shape (n_distinct + 1,)
        Share of the synthetic clips that are accepted as human, falling from 1 to 0.
    miss_rate : ndarray of shape (n_distinct + 1,)
        Share of the human clips that are not accepted, rising from 0 to 1.
    thresholds : ndarray of shape (n_distinct + 1,)
        In the units of `y_score`. A clip is taken for synthetic from the threshold upwards; the first is
        infinite, and all clips are accepted as human. If higher scores speak for human, a clip is accepted
        from the threshold upwards; the last is infinite, and no clip is.

    Raises
    ------
    ValueError
        Where `y_true` does not hold two classes, `y_score` holds NaN, or lengths or labels do not fit.

    See Also
    --------
    sklearn.metrics.det_curve : The same without its ends, and false alarms are those of `pos_label`.

    References
    ----------
    A. Martin et al., "The DET curve in assessment of detection task performance", Eurospeech 1997.

    Examples
    --------
    >>> from voicelstm.metrics import det_curve
    >>> y = ["human", "human", "synthetic", "synthetic"]
    >>> false_alarm_rate, miss_rate, thresholds = det_curve(y, [-3.0, -0.2, -0.5, 1.0])
    >>> false_alarm_rate.tolist(), miss_rate.tolist()
    ([1.0, 0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5, 1.0])
    >>> thresholds.tolist()
    [inf, 1.0, -0.2, -0.5, -3.0]
    """
    clips = check_scored(
        y_true, y_score, pos_label=pos_label, human_label=human_label, sample_weight=sample_weight
    )
    points = operating_points(clips)
    # The class of higher scores has the threshold itself.
    thresholds = np.append(points.score, np.inf) if clips.direction == 1 else np.append(np.inf, -points.score)
    return points.false_alarm, points.miss, thresholds


def equal_error_rate(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    pos_label: Any = None,
    human_label: Any = None,
    sample_weight: ArrayLike | None = None,
    method: Literal["interpolated", "asvspoof"] = "interpolated",
) -> float:
    """Compute the rate at which false alarms and misses are equally frequent.

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
        How often each clip counts.
    method : {"interpolated", "asvspoof"}, default="interpolated"
        "interpolated" joins the points of :func:`det_curve` by straight lines and takes the one place where
        both rates are equal. Clips of one score are decided together, so that scores which are all equal
        give 0.5. "asvspoof" is for comparison with published numbers: the mean of both rates where they
        differ least, human clips being rejected first among equal scores; all equal then give 1.

    Returns
    -------
    float
        From 0 to 1. More than 0.5 is worse than guessing.

    Raises
    ------
    ValueError
        Where `y_true` does not hold two classes, `y_score` holds NaN, lengths or labels do not fit, `method`
        is unknown, or "asvspoof" is given weights.

    Warns
    -----
    ScoreWarning
        If the rate is above 0.5: the sign of the scores may be turned round.

    See Also
    --------
    equal_error_threshold : The threshold that comes closest.

    References
    ----------
    For "asvspoof": `compute_eer` in the evaluation packages of ASVspoof 2019, 2021 and 5.

    Examples
    --------
    >>> from voicelstm.metrics import equal_error_rate
    >>> y = ["human"] * 5 + ["synthetic"] * 5
    >>> score = [-2, -1.5, -1, -0.5, 0.2, -0.7, 0.5, 1, 1.5, 2]
    >>> equal_error_rate(y, score)
    0.2
    """
    if method not in ("interpolated", "asvspoof"):
        raise ValueError(f'method={method!r} must be "interpolated" or "asvspoof".')
    clips = check_scored(
        y_true, y_score, pos_label=pos_label, human_label=human_label, sample_weight=sample_weight
    )
    rate = operating_points(clips).equal_error_rate()
    # Not that of "asvspoof", which is 1 if all scores are equal.
    warn_of_sign(rate, stacklevel=3)
    return _asvspoof(clips) if method == "asvspoof" else rate


@contextmanager
def suppress_sign_warning() -> Iterator[None]:
    """Let :func:`equal_error_rate` not warn: of resamples, of parts, or where the direction is known."""
    token = _warns_of_sign.set(False)
    try:
        yield
    finally:
        _warns_of_sign.reset(token)


def warn_of_sign(rate: float, *, stacklevel: int) -> None:
    """Warn that an equal error rate is worse than guessing."""
    if rate > 0.5 and _warns_of_sign.get():
        warnings.warn(
            f"The equal error rate is {rate:.2f}, worse than guessing: the sign of the scores may be turned"
            " round. A higher one is taken to speak for synthetic, or for pos_label where that is given; see"
            " that it does, and that human_label is the human class.",
            ScoreWarning,
            stacklevel=stacklevel,
        )


def _asvspoof(clips: ScoredClips) -> float:
    if clips.weight is not None:
        raise ValueError('method="asvspoof" counts clips: it knows no sample_weight.')
    human = clips.human[np.lexsort((~clips.human, clips.score))]
    miss = np.append(0.0, np.cumsum(human) / human.sum())
    n_synthetic = np.count_nonzero(~human)
    false_alarm = np.append(1.0, (n_synthetic - np.cumsum(~human)) / n_synthetic)
    closest = np.argmin(np.abs(miss - false_alarm))
    return float((miss[closest] + false_alarm[closest]) / 2)


def equal_error_threshold(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    pos_label: Any = None,
    human_label: Any = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Find the threshold at which false alarms and misses are closest to equally frequent.

    Use scores that neither training nor the reported number has seen.

    Parameters
    ----------
    y_true : array-like of shape (n_clips,)
        Labels of two classes.
    y_score : array-like of shape (n_clips,)
        Scores.
    pos_label : label, default=None
        Class for which a higher score speaks. If None, the synthetic one.
    human_label : label, default=None
        Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0 and 1
        it must be given.
    sample_weight : array-like of shape (n_clips,), default=None
        How often each clip counts.

    Returns
    -------
    float
        In the units of `y_score`, halfway between the two scores that it separates, so that it does not
        matter to which side a clip exactly at the threshold goes. Of two thresholds that are equally close
        the one with fewer false alarms. Where all scores are equal, that score.

    Raises
    ------
    ValueError
        As :func:`equal_error_rate`.

    Examples
    --------
    >>> from voicelstm.metrics import equal_error_threshold
    >>> equal_error_threshold(["human", "human", "synthetic", "synthetic"], [-1.0, 0.0, 1.0, 3.0])
    0.5
    """
    clips = check_scored(
        y_true, y_score, pos_label=pos_label, human_label=human_label, sample_weight=sample_weight
    )
    points = operating_points(clips)
    if len(points.score) == 1:
        return float(clips.direction * points.score[0])
    gap = np.abs(points.false_alarm - points.miss)[1:-1]
    chosen = len(gap) - int(np.argmin(gap[::-1]))
    ends = clips.direction * points.score[chosen - 1 : chosen + 1]
    return _between(float(ends.min()), float(ends.max()))


def _between(lower: float, upper: float) -> float:
    """Return a number above `lower` and at most `upper`, in the middle where there is one, and finite."""
    middle = lower / 2 + upper / 2
    if np.isfinite(middle) and lower < middle:
        return middle
    return upper if np.isfinite(upper) else float(np.nextafter(lower, np.inf))
