"""What errors cost: detection costs at the best threshold, at Bayes' threshold, and of decisions."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from voicelstm.metrics._rates import operating_points
from voicelstm.metrics._scored import ScoredClips, check_human, check_scored, check_weights

__all__ = ["act_dcf", "check_cost", "detection_cost", "error_costs", "min_dcf"]


def min_dcf(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    pos_label: Any = None,
    human_label: Any = None,
    sample_weight: ArrayLike | None = None,
    synthetic_prior: float = 0.05,
    cost_miss: float = 1.0,
    cost_false_alarm: float = 10.0,
) -> float:
    """Compute the detection cost at the threshold that suits these clips best.

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
    synthetic_prior : float, default=0.05
        How probable a synthetic clip is where the detector shall work, between 0 and 1. The defaults are
        those of ASVspoof 5.
    cost_miss, cost_false_alarm : float, default=1.0, 10.0
        Cost of rejecting a human clip and of accepting a synthetic one.

    Returns
    -------
    float
        From 0 to 1, which the better of accepting everything and accepting nothing costs.

    Raises
    ------
    ValueError
        Where `y_true` does not hold two classes, `y_score` holds NaN, lengths or labels do not fit, or the
        prior or a cost is out of range.

    See Also
    --------
    act_dcf : With the threshold that follows from the costs.

    References
    ----------
    X. Wang et al., "ASVspoof 5: crowdsourced speech data, deepfakes, and adversarial attacks at scale",
    ASVspoof workshop 2024.

    Examples
    --------
    >>> from voicelstm.metrics import min_dcf
    >>> y = ["human"] * 5 + ["synthetic"] * 5
    >>> score = [-2, -1.5, -1, -0.5, 0.2, -0.7, 0.5, 1, 1.5, 2]
    >>> round(min_dcf(y, score), 6)
    0.2
    """
    of_misses, of_false_alarms = error_costs(synthetic_prior, cost_miss, cost_false_alarm)
    clips = check_scored(
        y_true, y_score, pos_label=pos_label, human_label=human_label, sample_weight=sample_weight
    )
    least = operating_points(clips).least_cost(of_misses, of_false_alarms)
    return least / min(of_misses, of_false_alarms)


def act_dcf(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    pos_label: Any = None,
    human_label: Any = None,
    sample_weight: ArrayLike | None = None,
    synthetic_prior: float = 0.05,
    cost_miss: float = 1.0,
    cost_false_alarm: float = 10.0,
) -> float:
    """Compute the detection cost at Bayes' threshold, for scores that are log-likelihood ratios.

    A clip is accepted as human where its log-likelihood ratio in favour of human reaches
    ``log(cost_false_alarm * synthetic_prior / (cost_miss * (1 - synthetic_prior)))``, -0.641854 by default.

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
    synthetic_prior : float, default=0.05
        How probable a synthetic clip is where the detector shall work, between 0 and 1. The defaults are
        those of ASVspoof 5.
    cost_miss, cost_false_alarm : float, default=1.0, 10.0
        Cost of rejecting a human clip and of accepting a synthetic one.

    Returns
    -------
    float
        At least :func:`min_dcf`; above 1 the detector costs more than none.

    Raises
    ------
    ValueError
        As :func:`min_dcf`.

    References
    ----------
    X. Wang et al., "ASVspoof 5: crowdsourced speech data, deepfakes, and adversarial attacks at scale",
    ASVspoof workshop 2024.

    Examples
    --------
    >>> from voicelstm.metrics import act_dcf
    >>> y = ["human"] * 5 + ["synthetic"] * 5
    >>> score = [-2, -1.5, -1, -0.5, 0.2, -0.7, 0.5, 1, 1.5, 2]
    >>> round(act_dcf(y, score), 6)
    0.4
    """
    of_misses, of_false_alarms = error_costs(synthetic_prior, cost_miss, cost_false_alarm)
    clips = check_scored(
        y_true, y_score, pos_label=pos_label, human_label=human_label, sample_weight=sample_weight
    )
    return _cost_of(clips, np.log(of_false_alarms) - np.log(of_misses), of_misses, of_false_alarms)


def detection_cost(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    human_label: Any = None,
    sample_weight: ArrayLike | None = None,
    synthetic_prior: float = 0.05,
    cost_miss: float = 1.0,
    cost_false_alarm: float = 10.0,
) -> float:
    """Compute the detection cost of decisions.

    It is what a detector costs as it decides, its own threshold included, and what
    :class:`~sklearn.model_selection.TunedThresholdClassifierCV` can minimise.

    Parameters
    ----------
    y_true : array-like of shape (n_clips,)
        Labels of two classes.
    y_pred : array-like of shape (n_clips,)
        The labels decided for, as `predict` returns them.
    human_label : label, default=None
        Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0 and 1
        it must be given.
    sample_weight : array-like of shape (n_clips,), default=None
        How often each clip counts within its class.
    synthetic_prior : float, default=0.05
        How probable a synthetic clip is where the detector shall work, between 0 and 1.
    cost_miss, cost_false_alarm : float, default=1.0, 10.0
        Cost of rejecting a human clip and of accepting a synthetic one.

    Returns
    -------
    float
        On the scale of :func:`min_dcf`.

    Raises
    ------
    ValueError
        Where `y_true` does not hold two classes, `y_pred` holds others, lengths do not fit, or the prior or a
        cost is out of range.

    Examples
    --------
    >>> from voicelstm.metrics import detection_cost
    >>> y = ["human", "human", "synthetic", "synthetic"]
    >>> round(detection_cost(y, ["human", "synthetic", "synthetic", "synthetic"]), 6)  # 0.95 * 0.5 / 0.5
    0.95
    """
    of_misses, of_false_alarms = error_costs(synthetic_prior, cost_miss, cost_false_alarm)
    human, human_label, classes = check_human(y_true, human_label)
    decided = np.asarray(y_pred)
    if decided.shape != human.shape:
        raise ValueError(
            f"y_pred has shape {decided.shape}, y_true {human.shape}: one label per clip is needed."
        )
    if not ((decided == classes[0]) | (decided == classes[1])).all():
        others = sorted(set(decided.tolist()) - set(classes), key=repr)
        raise ValueError(f"y_pred holds {others[:5]}; the classes of y_true are {classes}.")
    weight = check_weights(sample_weight, human)
    clips = ScoredClips((decided == human_label).astype(np.float64), human, weight, 1)
    return _cost_of(clips, 0.5, of_misses, of_false_alarms)


def check_cost(name: str, value: float) -> None:
    """Refuse a cost that is not a positive, finite number."""
    if not 0 < value < np.inf:
        raise ValueError(f"{name}={value!r} must be a positive number.")


def error_costs(synthetic_prior: float, cost_miss: float, cost_false_alarm: float) -> tuple[float, float]:
    """Return the costs of missing every human clip, and of accepting every synthetic one."""
    if not 0 < synthetic_prior < 1:
        raise ValueError(f"synthetic_prior={synthetic_prior!r} must be between 0 and 1.")
    check_cost("cost_miss", cost_miss)
    check_cost("cost_false_alarm", cost_false_alarm)
    return cost_miss * (1 - synthetic_prior), cost_false_alarm * synthetic_prior


def _cost_of(clips: ScoredClips, threshold: float, of_misses: float, of_false_alarms: float) -> float:
    accepted = (clips.score >= threshold).astype(np.float64)
    miss = clips.mean(1 - accepted, clips.human)
    false_alarm = clips.mean(accepted, ~clips.human)
    return (of_misses * miss + of_false_alarms * false_alarm) / min(of_misses, of_false_alarms)
