"""From scores to decisions: thresholds and calibration, found on recordings that were held out."""

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import config_context
from sklearn.frozen import FrozenEstimator

from voicelstm._compat import num_samples
from voicelstm.detector._held_out_wrappers import CalibratedDetector, ThresholdDetector
from voicelstm.detector._training_recordings import TrainingRecordings, warn_of_training_recordings
from voicelstm.metrics import (
    OperatingPoints,
    check_labels,
    check_scored,
    check_weights,
    equal_error_threshold,
    error_costs,
    human_label_of,
    operating_points,
    score_method,
    two_classes,
)

__all__ = ["calibrate", "tune_threshold"]

_METRICS = ("eer", "detection_cost", "miss", "false_alarm")


def tune_threshold(
    detector: Any,
    recordings: Any,
    y: ArrayLike,
    *,
    metric: Literal["eer", "detection_cost", "miss", "false_alarm"] = "eer",
    max_miss: float | None = None,
    max_false_alarm: float | None = None,
    synthetic_prior: float = 0.05,
    cost_miss: float = 1.0,
    cost_false_alarm: float = 10.0,
    human_label: Any = None,
    sample_weight: ArrayLike | None = None,
) -> ThresholdDetector:
    """Find the threshold of a fitted detector on recordings that it has not seen.

    Nothing is trained. A *miss* is a human clip that is taken for synthetic, a *false alarm* a synthetic clip
    that is taken for human.

    Read more in the :ref:`user guide <thresholds>`.

    Parameters
    ----------
    detector : classifier
        Fitted, of two classes, with `decision_function` or `predict_proba`.
    recordings : sequence of recordings
        What the detector takes. They must be held out: on recordings of its training a detector errs less
        than it will in use.
    y : array-like of shape (n_clips,)
        Labels, of both classes of the detector.
    metric : {"eer", "detection_cost", "miss", "false_alarm"}, default="eer"
        What shall be least: "eer" the difference of the two error rates, "detection_cost" the cost of the
        decisions, "miss" and "false_alarm" the one rate, while the other keeps its bound.
    max_miss : float, default=None
        Largest share of human clips that may be missed. "false_alarm" needs it, "detection_cost" may have it.
    max_false_alarm : float, default=None
        Largest share of synthetic clips that may be accepted. "miss" needs it, "detection_cost" may have it.
    synthetic_prior : float, default=0.05
        How probable a synthetic clip is where the detector shall work; for "detection_cost", as the costs.
    cost_miss, cost_false_alarm : float, default=1.0, 10.0
        Cost of rejecting a human clip and of accepting a synthetic one.
    human_label : label, default=None
        Human class. If None, the detector says, or it is recognised by its spelling ("human", "bonafide",
        "real", ...); of 0 and 1 it must be given.
    sample_weight : array-like of shape (n_clips,), default=None
        How often each clip counts within its class.

    Returns
    -------
    voicelstm.detector.ThresholdDetector
        scikit-learn's :class:`~sklearn.model_selection.FixedThresholdClassifier`, fitted, around the detector
        itself; its `predict` raises if a clip has no score. A clip is synthetic from `score_threshold_`
        upwards, in log-odds of synthetic. scikit-learn's `threshold` says the same of `decision_function` or,
        if there is none, of the probability, for the synthetic class (`response_method`, `pos_label`).

    Raises
    ------
    ValueError
        Where `y` does not hold the detector's two classes, lengths do not fit, clips have no score (it names
        their positions), all have the same, no threshold keeps both bounds, or a parameter is out of range or
        does not go with `metric`.

    Warns
    -----
    HeldOutWarning
        If recordings were in the detector's training, by their samples (`MFCCTransformer.fingerprints_`).

    See Also
    --------
    calibrate : Where log-odds shall mean what they say.
    sklearn.model_selection.TunedThresholdClassifierCV : Tunes by cross-validation, and trains.

    Notes
    -----
    The threshold is halfway between the two scores that it separates. Of thresholds that are equally good it
    is that with fewer false alarms; for "false_alarm" that with fewer misses. Where it is best to take every
    clip for one class, the threshold lies at the end of the scores.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from voicelstm import tune_threshold
    >>> detector = LogisticRegression().fit([[-1.0], [1.0]], ["human", "synthetic"])
    >>> clips = np.array([[0.0], [1.0], [2.0], [3.0], [2.5], [4.0], [5.0], [6.0]])
    >>> y = np.repeat(["human", "synthetic"], 4)
    >>> tuned = tune_threshold(detector, clips, y, metric="false_alarm", max_miss=0.0)
    >>> tuned.predict([[2.9], [3.4], [3.6]])
    array(['human', 'human', 'synthetic'], dtype='<U9')
    >>> clip_at_threshold = tuned.score_threshold_ / float(detector.coef_[0, 0])
    >>> round(clip_at_threshold, 2)
    3.5
    """
    _check_bounds(metric, max_miss, max_false_alarm)
    costs = error_costs(synthetic_prior, cost_miss, cost_false_alarm)
    response_method, answer, labels = _held_out_answer(detector, recordings, y)
    human_label = human_label_of(detector, human_label)
    first, second = np.asarray(detector.classes_).tolist()
    synthetic = first if second == human_label else second
    response = _for_class(answer, [first, second].index(synthetic))
    known = {"human_label": human_label, "sample_weight": sample_weight}
    clips = check_scored(labels, response, pos_label=synthetic, **known)
    points = operating_points(clips)
    # In favour of synthetic again, and in the type in which scores will be compared.
    ascending = -points.score[::-1].astype(response.dtype)
    if metric == "eer":
        n_below = int(np.searchsorted(ascending, equal_error_threshold(labels, response, **known)))
    else:
        n_below = len(ascending) - _best_point(points, metric, costs, max_miss, max_false_alarm)
    fixed = ThresholdDetector(
        FrozenEstimator(detector),
        threshold=_separating(ascending, n_below),
        pos_label=synthetic,
        response_method=response_method,
    )
    return fixed.fit(recordings, labels)


def calibrate(
    detector: Any,
    recordings: Any,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    scores: ArrayLike | None = None,
) -> CalibratedDetector:
    """Calibrate a fitted detector by logistic regression on recordings that it has not seen.

    The detector is not trained further. Both classes count the same, however many clips each has, so that
    the log-odds are log-likelihood ratios: what :func:`~voicelstm.metrics.cllr` and
    :func:`~voicelstm.metrics.act_dcf` read.

    Read more in the :ref:`user guide <thresholds>`.

    Parameters
    ----------
    detector : classifier
        Fitted, of two classes, with `decision_function` or `predict_proba`.
    recordings : sequence of recordings
        What the detector takes. They must be held out: on recordings of its training the scores are better
        than they will be in use, and the calibration too sure. None, if `scores` are given.
    y : array-like of shape (n_clips,)
        Labels, of both classes of the detector.
    sample_weight : array-like of shape (n_clips,), default=None
        How often each clip counts within its class.
    scores : array-like of shape (n_clips,), default=None
        `decision_function` of each clip, if it is known already, such as by cross-validation: what a detector
        said that was trained alike, but without the clip's speaker, source and system. The detector itself
        may then be trained on all clips. If None, it is asked about the recordings.

    Returns
    -------
    voicelstm.detector.CalibratedDetector
        scikit-learn's :class:`~sklearn.calibration.CalibratedClassifierCV`, fitted, around the detector
        itself; its `predict` raises where a clip has no score. Its probabilities are those for equally
        probable classes; where synthetic clips have the prior `p`, add ``log(p / (1 - p))`` to the log-odds
        of synthetic.

    Raises
    ------
    ValueError
        If `y` does not hold the detector's two classes, lengths do not fit, clips have no score (it names
        their positions), or all have the same. Also if `scores` are given together with recordings, or of a
        detector without `decision_function`.

    Warns
    -----
    HeldOutWarning
        If recordings were in the detector's training, by their samples (`MFCCTransformer.fingerprints_`).

    See Also
    --------
    tune_threshold : Where only the decision matters.
    sklearn.calibration.CalibratedClassifierCV : Calibrates by cross-validation, and trains.

    Notes
    -----
    The log-odds become ``-(a * score + b)``, with Platt's targets [1]_ for few clips. The score is
    `decision_function`'s; of a detector that has only `predict_proba` it is the probability, which fits this
    form less well: calibrate the members of a vote, not the vote. A threshold that the detector brings along
    is not kept: tune after calibrating.

    References
    ----------
    .. [1] J. Platt, "Probabilistic outputs for support vector machines and comparisons to regularized
       likelihood methods", Advances in Large Margin Classifiers, 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.svm import LinearSVC
    >>> from voicelstm import calibrate
    >>> from voicelstm.metrics import cllr_scorer
    >>> random = np.random.default_rng(0)
    >>> y = np.repeat(["human", "synthetic"], [300, 100])
    >>> clips = random.normal(np.where(y == "human", -1, 1)[:, None], 1)
    >>> detector = LinearSVC().fit(clips[::2], y[::2])
    >>> calibrated = calibrate(detector, clips[1::2], y[1::2])
    >>> bool(cllr_scorer(calibrated, clips, y) > cllr_scorer(detector, clips, y))
    True
    """
    response_method, answer, labels = (
        _held_out_answer(detector, recordings, y)
        if scores is None
        else _known_answer(detector, recordings, y, scores)
    )
    is_first, _ = two_classes(labels)
    weight = check_weights(sample_weight, is_first)
    weight = np.ones(len(answer)) if weight is None else weight
    balanced = np.empty(len(weight))
    for chosen in (is_first, ~is_first):
        balanced[chosen] = weight[chosen] * weight.sum() / (2 * weight[chosen].sum())

    def known(positions: NDArray[np.intp]) -> NDArray[Any]:
        return answer[positions[:, 0]]

    known.__name__ = response_method
    frozen = FrozenEstimator(detector)
    # Reading the recordings takes longest, and has been done: an attribute hides the detector's method.
    setattr(frozen, response_method, known)
    positions = np.arange(len(answer))
    calibrated = CalibratedDetector(frozen, cv=[(positions, positions)])
    with config_context(enable_metadata_routing=False), warnings.catch_warnings():
        # The weights are for the calibration only, as they should be: what is frozen is not trained.
        warnings.filterwarnings("ignore", "Since FrozenEstimator does not appear to accept", UserWarning)
        calibrated.fit(positions[:, None], labels, sample_weight=balanced)
    delattr(frozen, response_method)
    return calibrated.set_params(cv=None)


def _held_out_answer(detector: Any, recordings: Any, y: ArrayLike) -> tuple[str, NDArray[Any], NDArray[Any]]:
    """Return the name of the method that scores, what it says of the clips, which is finite, and labels."""
    if recordings is None:
        raise ValueError("recordings are None, which is for scores that are known: give one or the other.")
    labels = _labels_of(detector, y, num_samples(recordings), "recordings")
    heard = TrainingRecordings(detector)
    method = score_method(heard.detector)
    answer = np.asarray(method(recordings))
    warn_of_training_recordings(recordings, heard.positions(), stacklevel=3)
    _check_answer(answer, "recordings")
    return method.__name__, answer, labels


def _known_answer(
    detector: Any, recordings: Any, y: ArrayLike, scores: ArrayLike
) -> tuple[str, NDArray[Any], NDArray[Any]]:
    """Return the same of scores that were found before."""
    if recordings is not None:
        raise ValueError("scores are those of recordings that need not be read: give None as recordings.")
    if not hasattr(detector, "decision_function"):
        raise ValueError(
            f"scores are those of decision_function, which this {type(detector).__name__} does not have:"
            " calibrate the detector within it."
        )
    answer = np.asarray(scores, dtype=np.float64)
    if answer.ndim != 1:
        raise ValueError(f"scores have shape {answer.shape}; expected one for each clip.")
    labels = _labels_of(detector, y, len(answer), "scores")
    _check_answer(answer, "scores")
    return "decision_function", answer, labels


def _labels_of(detector: Any, y: ArrayLike, n_clips: int, clips: str) -> NDArray[Any]:
    """Return the labels, which must be the detector's two classes, one for each clip."""
    classes = np.asarray(getattr(detector, "classes_", [])).tolist()
    if len(classes) != 2:
        raise ValueError(
            f"detector must be a fitted classifier of two classes; the classes of this"
            f" {type(detector).__name__} are {classes}."
        )
    labels = check_labels(y)
    if len(labels) != n_clips:
        raise ValueError(f"y has shape {labels.shape}; expected one label for each of the {n_clips} {clips}.")
    found = set(labels.tolist())
    if found != set(classes):
        raise ValueError(
            f"y holds the classes {sorted(found, key=repr)}, the detector knows {classes}. Held-out"
            " recordings of both are needed, and of no other."
        )
    return labels


def _check_answer(answer: NDArray[Any], clips: str) -> None:
    """Refuse answers that are not finite, or tell no clip from another."""
    response = _for_class(answer, 1)
    for kind, wrong in (("NaN", np.isnan(response)), ("infinite", np.isinf(response))):
        if wrong.any():
            raise ValueError(
                f"The scores of clips are {kind} at positions {np.flatnonzero(wrong).tolist()} of {clips}."
                " Leave these clips out, or see why they have no score."
            )
    if response.min() == response.max():
        raise ValueError(
            f"The detector gives all {len(response)} clips the score {response[0]:g}: no threshold and no"
            " calibration tells them apart. See what it has learnt, and from which clips."
        )


def _for_class(answer: NDArray[Any], position: int) -> NDArray[np.floating]:
    """Return the scores that speak for one of two classes."""
    response = answer[:, position] if answer.ndim == 2 else answer if position == 1 else 0 - answer
    return response if np.issubdtype(response.dtype, np.floating) else response.astype(np.float64)


def _check_bounds(metric: str, max_miss: float | None, max_false_alarm: float | None) -> None:
    if metric not in _METRICS:
        raise ValueError(f"metric={metric!r} must be one of {_METRICS}.")
    needed = {"miss": ("max_false_alarm",), "false_alarm": ("max_miss",)}.get(metric, ())
    known = ("max_miss", "max_false_alarm") if metric == "detection_cost" else needed
    for name, bound in (("max_miss", max_miss), ("max_false_alarm", max_false_alarm)):
        if bound is None:
            if name in needed:
                raise ValueError(f"metric={metric!r} is least where every clip is of one class: give {name}.")
        elif name not in known:
            raise ValueError(f"{name}={bound!r} does not go with metric={metric!r}; leave it None.")
        elif not 0 <= bound <= 1:
            raise ValueError(f"{name}={bound!r} must be a share, from 0 to 1.")


def _best_point(
    points: OperatingPoints,
    metric: str,
    costs: tuple[float, float],
    max_miss: float | None,
    max_false_alarm: float | None,
) -> int:
    kept = np.ones(len(points.miss), dtype=bool)
    # Rates are sums of weights: what equals the bound on paper may exceed it by a rounding.
    if max_miss is not None:
        kept &= points.miss <= max_miss + 1e-12
    if max_false_alarm is not None:
        kept &= points.false_alarm <= max_false_alarm + 1e-12
    if not kept.any():
        raise ValueError(
            f"No threshold keeps both max_miss={max_miss!r} and max_false_alarm={max_false_alarm!r} on these"
            " recordings. Raise one of them."
        )
    value = {
        "detection_cost": costs[0] * points.miss + costs[1] * points.false_alarm,
        "miss": points.miss,
        "false_alarm": points.false_alarm,
    }[metric]
    best = np.flatnonzero(kept & (value <= value[kept].min() + 1e-12))
    return int(best[0] if metric == "false_alarm" else best[-1])


def _separating(ascending: NDArray[np.floating], below: int) -> float:
    """Return a threshold that so many of these scores do not reach."""
    if below == 0:
        return float(ascending[0])
    lower = ascending[below - 1]
    if below == len(ascending):
        return float(np.nextafter(lower, np.inf, dtype=ascending.dtype))
    upper = ascending[below]
    middle = lower / 2 + upper / 2
    return float(middle if lower < middle else upper)
