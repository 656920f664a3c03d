"""The metrics as scikit-learn's scorers, for ``scoring=``."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.pipeline import Pipeline

from voicelstm._compat import BaseScorer, check_response_method
from voicelstm.metrics._calibration import cllr
from voicelstm.metrics._costs import act_dcf, detection_cost
from voicelstm.metrics._human_class import human_label_of
from voicelstm.metrics._rates import suppress_sign_warning
from voicelstm.metrics._responses import SCORE_METHODS, held_by
from voicelstm.metrics._synthetic_scores import bounded, log_odds, log_odds_of_logarithms

__all__ = ["log_likelihood_ratios", "make_detection_scorer"]

_READ_RATIOS = (act_dcf, cllr)


def _refuse_decisions(y_true: ArrayLike, y_score: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Stand where scikit-learn's threshold tuning looks for a metric of decisions."""
    raise ValueError(
        "A metric of scores has no value for decisions, and cannot tune a threshold. Give"
        " TunedThresholdClassifierCV detection_cost_scorer."
    )


class _DetectionScorer(BaseScorer):
    def __init__(self, metric: Callable[..., float], parameters: Mapping[str, Any]) -> None:
        super().__init__(_refuse_decisions, -1, dict(parameters), response_method=SCORE_METHODS)
        self._metric = metric
        self._parameters = dict(parameters)

    def __repr__(self) -> str:
        name = getattr(self._metric, "__name__", repr(self._metric))
        named = [f"{key}={value!r}" for key, value in self._parameters.items()]
        return f"make_detection_scorer({', '.join([name, *named])})"

    def _accept_sample_weight(self) -> bool:
        return "sample_weight" in signature(self._metric).parameters

    def _score(
        self, method_caller: Callable[..., Any], estimator: Any, X: Any, y_true: ArrayLike, **metadata: Any
    ) -> float:
        classes = np.asarray(getattr(estimator, "classes_", [])).tolist()
        if len(classes) != 2:
            raise ValueError(f"{self!r} needs a fitted classifier of two classes; its classes are {classes}.")
        if getattr(self._metric, "func", self._metric) in _READ_RATIOS:  # of a partial, too
            scores = log_likelihood_ratios(estimator, X)
        else:
            # Asked for by both names, since scikit-learn's cache knows no pos_label: under one name it might
            # hold what another scorer has had turned round.
            scores = method_caller(estimator, SCORE_METHODS, X, pos_label=classes[1])
        known = self._human_label(estimator)
        with suppress_sign_warning():  # the direction is the estimator's own
            value = self._metric(
                y_true, scores, **{"pos_label": classes[1], **known, **self._parameters, **metadata}
            )
        return -float(value)

    def _human_label(self, estimator: Any) -> dict[str, Any]:
        """Return the estimator's human class for a metric that takes one and has none."""
        takes = "human_label" in signature(self._metric).parameters
        bound = {**getattr(self._metric, "keywords", {}), **self._parameters}
        return {"human_label": human_label_of(estimator)} if takes and "human_label" not in bound else {}


class _DecisionScorer(BaseScorer):
    """A scorer of decisions, with which scikit-learn can tune a threshold."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(detection_cost, -1, dict(parameters), response_method="predict")
        self._parameters = dict(parameters)

    def _score(
        self, method_caller: Callable[..., Any], estimator: Any, X: Any, y_true: ArrayLike, **metadata: Any
    ) -> float:
        known = {}
        if "human_label" not in self._parameters and hasattr(estimator, "classes_"):
            known = {"human_label": human_label_of(estimator)}
        decided = method_caller(estimator, "predict", X)
        return -detection_cost(y_true, decided, **{**known, **self._parameters, **metadata})


def make_detection_scorer(
    metric: Callable[..., float], *, human_label: Any = None, **parameters: Any
) -> Callable[..., float]:
    """Make a scorer of a metric of this module, for ``scoring=``.

    A scorer's value is the metric's *negated*: scikit-learn takes the greater for the better. It works with
    every classifier of two classes that has `decision_function` or `predict_proba`, and sets `pos_label` to
    ``classes_[1]``, for which both speak.

    Parameters
    ----------
    metric : callable
        Such as :func:`min_dcf`, where lower is better. :func:`cllr` and :func:`act_dcf` are given
        log-likelihood ratios, see Notes; :func:`detection_cost` is given decisions, so that its scorer alone
        can tune a threshold; all others are given scores.
    human_label : label, default=None
        Human class. If None, the estimator says (`human_label_`), or it is recognised by its spelling
        ("human", "bonafide", "real", ...); of 0 and 1 it must be given, also to tune a threshold.
    **parameters
        Of the metric, except for `pos_label`.

    Returns
    -------
    callable
        Called as ``scorer(estimator, X, y, *, sample_weight=None)``; it can be pickled. With scikit-learn's
        metadata routing it has `set_score_request`.

    Raises
    ------
    ValueError
        Here, where `pos_label` is given. The scorer, where the metric does (NaN, which this library's
        classifiers give for empty clips, is named by its position), or where the estimator is no classifier
        of two classes.

    Notes
    -----
    Log-likelihood ratios are the method `log_likelihood_ratio` of the estimator, of a Pipeline's last step,
    or of what a search, a tuned threshold or a frozen estimator holds. Of other classifiers they are the
    log-odds, less those of the training classes where the estimator knows them (`class_prior_`,
    `class_log_prior_`, `priors_`: naive Bayes, discriminant analysis). Where it does not, as in logistic
    regression and in calibrated classifiers, the log-odds are taken as they are, which is right if training
    was balanced, by number or by ``class_weight="balanced"``, as it is in :func:`~voicelstm.calibrate`. The
    margin of a classifier without probabilities is read as if it were log-odds.

    Probabilities of 0 and 1, such as those of a calibrated classifier far from its threshold, are clipped at
    the machine epsilon of their type, where scikit-learn's calibration clips: at log-odds of 36.04 in double
    precision and of 15.94 in single. Of a classifier with `predict_log_proba`, log-odds are taken as they
    are, and only infinite ones are replaced, by the largest finite ones of the clips asked about, 36.04 at
    least. Wrong, they cost much, but not infinitely much.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from voicelstm.metrics import make_detection_scorer, min_dcf
    >>> scorer = make_detection_scorer(min_dcf, human_label="bonafide", synthetic_prior=0.5)
    >>> scorer
    make_detection_scorer(min_dcf, human_label='bonafide', synthetic_prior=0.5)
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["bonafide", "bonafide", "spoof", "spoof"]
    >>> abs(scorer(LogisticRegression().fit(X, y), X, y))
    0.0
    """
    if "pos_label" in parameters:
        raise ValueError("pos_label is the estimator's classes_[1], and cannot be given to a scorer.")
    if human_label is not None:
        parameters = {"human_label": human_label, **parameters}
    if metric is detection_cost:
        return _DecisionScorer(parameters)
    return _DetectionScorer(metric, parameters)


def log_likelihood_ratios(estimator: Any, X: Any) -> NDArray[np.float64]:
    """Return ratios of shape (n_clips,) for ``classes_[1]``, as :func:`make_detection_scorer` says."""
    while not hasattr(estimator, "log_likelihood_ratio"):
        if isinstance(estimator, Pipeline):
            if len(estimator) > 1:
                X = estimator[:-1].transform(X)
            estimator = estimator[-1]
        elif (held := held_by(estimator)) is not None:
            estimator = held
        else:
            return _log_odds(estimator, X) - _training_log_odds(estimator)
    return estimator.log_likelihood_ratio(X)


def _log_odds(estimator: Any, X: Any) -> NDArray[np.float64]:
    if not hasattr(estimator, "predict_proba"):
        return np.asarray(check_response_method(estimator, "decision_function")(X), dtype=np.float64)
    if not hasattr(estimator, "predict_log_proba"):
        return log_odds(np.asarray(estimator.predict_proba(X)))
    with np.errstate(divide="ignore"):
        logarithms = np.asarray(estimator.predict_log_proba(X), dtype=np.float64)
    found = log_odds_of_logarithms(logarithms)
    if np.isinf(found).any() and hasattr(estimator, "decision_function"):
        # A probability rounds to 1 from log-odds of 37; the margin, where it is log-odds, goes on.
        margin = np.asarray(estimator.decision_function(X), dtype=np.float64)
        if np.allclose(expit(margin), np.exp(logarithms[:, 1]), rtol=0, atol=1e-6):
            return margin
    return bounded(found)


def _training_log_odds(estimator: Any) -> float:
    for name in ("class_prior_", "priors_"):
        if hasattr(estimator, name):
            first, second = getattr(estimator, name)
            return float(np.log(second) - np.log(first))
    if hasattr(estimator, "class_log_prior_"):
        first, second = estimator.class_log_prior_
        return float(second - first)
    return 0.0
