import pickle
import warnings
from functools import partial

import numpy as np
import pytest
from scipy.special import expit
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, make_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_score,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from voicelstm.metrics import (
    act_dcf,
    cllr,
    cllr_scorer,
    detection_cost,
    detection_cost_scorer,
    eer_scorer,
    equal_error_rate,
    make_detection_scorer,
    min_dcf,
    min_dcf_scorer,
)

# The vector of clips.py: EER and minDCF 0.2, Cllr 0.596220, higher speaking for human.
HUMAN_RATIOS = np.array([2, 1.5, 1, 0.5, -0.2, 0.7, -0.5, -1, -1.5, -2])
IS_HUMAN = np.arange(10) < 5
NAMES = {
    "synthetic is classes_[1]": np.where(IS_HUMAN, "human", "synthetic"),
    "human is classes_[1]": np.where(IS_HUMAN, "human", "ai"),
    "1 is human": IS_HUMAN.astype(int),
    "0 is human": 1 - IS_HUMAN.astype(int),
    "booleans": IS_HUMAN,
}
HUMAN_LABELS = [None, None, 1, 0, True]
every_labelling = pytest.mark.parametrize(
    ("y", "human_label"), list(zip(NAMES.values(), HUMAN_LABELS, strict=True)), ids=NAMES.keys()
)


class Stated(ClassifierMixin, BaseEstimator):
    """Scores in favour of `classes_[1]`, of which X is the ratio in favour of human."""

    def __init__(self, human_label=None, factor=1.0):
        self.human_label = human_label
        self.factor = factor

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if self.human_label is not None:
            self.human_label_ = self.human_label
        return self

    def decision_function(self, X):
        human = "human" if self.human_label is None else self.human_label
        return self.factor * np.asarray(X)[:, 0] * (1 if self.classes_[1] == human else -1)

    def predict(self, X):
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


class WithProbabilities(Stated):
    decision_function = property()

    def predict_proba(self, X):
        second = expit(Stated.decision_function(self, X))
        return np.column_stack([1 - second, second])


class WithRatios(Stated):
    """As LSTMVoiceClassifier: its log-odds hold those of the training classes, and a method removes them."""

    def decision_function(self, X):
        return super().decision_function(X) + 1.25

    def log_likelihood_ratio(self, X):
        return self.decision_function(X) - 1.25


class Decided(BaseEstimator):
    def __init__(self, decisions):
        self.decisions = decisions

    def predict(self, X):
        return self.decisions


def column(values):
    return np.array(values, dtype=float)[:, None]


@every_labelling
@pytest.mark.parametrize("classifier", [Stated(), WithProbabilities(), WithRatios()])
def test_scorers_are_the_negated_metrics_whichever_way_the_classes_lie(classifier, y, human_label):
    X = column(HUMAN_RATIOS)
    fitted = clone(classifier).set_params(human_label=human_label).fit(X, y)
    assert eer_scorer(fitted, X, y) == pytest.approx(-0.2)
    assert min_dcf_scorer(fitted, X, y) == pytest.approx(-0.2)
    assert cllr_scorer(fitted, X, y) == pytest.approx(-0.596220, abs=5e-7)
    assert make_detection_scorer(act_dcf)(fitted, X, y) == pytest.approx(-0.4)


@every_labelling
def test_cross_validation_with_logistic_regression(y, human_label):
    # The human clips' values are apart from the synthetic ones', so that held-out clips are ordered rightly.
    X = column(np.where(IS_HUMAN, 5, -5) + HUMAN_RATIOS / 10)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    scores = cross_validate(
        model,
        X,
        y,
        cv=StratifiedKFold(5),
        scoring={
            name: make_detection_scorer(metric, human_label=human_label)
            for name, metric in {"eer": equal_error_rate, "min_dcf": min_dcf, "cllr": cllr}.items()
        },
        error_score="raise",
    )
    assert scores["test_eer"].tolist() == scores["test_min_dcf"].tolist() == [0] * 5
    assert (scores["test_cllr"] < 0).all()
    assert (scores["test_cllr"] > -0.5).all()


@every_labelling
def test_a_search_finds_the_direction_and_the_scale(y, human_label):
    X = column(HUMAN_RATIOS)
    split = [(np.arange(10), np.arange(10))]
    stated = Stated(human_label)
    search = GridSearchCV(stated, {"factor": [-1, 1]}, scoring=eer_scorer, cv=split, error_score="raise")
    search.fit(X, y)
    assert search.best_params_ == {"factor": 1}
    assert search.cv_results_["mean_test_score"] == pytest.approx([-0.8, -0.2])
    # Ratios ten times too large or too small mislead or say little, and their order is the same.
    search = GridSearchCV(
        make_pipeline(stated),
        {"stated__factor": [0.01, 1, 10]},
        scoring={"eer": eer_scorer, "cllr": cllr_scorer},
        refit="cllr",
        cv=split,
        error_score="raise",
    )
    search.fit(X, y)
    assert search.best_params_ == {"stated__factor": 1}
    assert search.cv_results_["mean_test_eer"] == pytest.approx([-0.2] * 3)


@every_labelling
def test_ratios_are_found_inside_pipelines_searches_and_tuned_thresholds(y, human_label):
    halved = make_pipeline(
        FunctionTransformer(lambda X: X / 4), FunctionTransformer(lambda X: 2 * X), WithRatios(human_label)
    )
    split = [(np.arange(10), np.arange(10))]
    search = GridSearchCV(halved, {"withratios__factor": [1.0]}, cv=split)
    fixed = FixedThresholdClassifier(search, threshold=0.5, response_method="decision_function")
    X = column(2 * HUMAN_RATIOS)
    frozen = FrozenEstimator(clone(halved).fit(X, y))
    for model in (
        halved,
        make_pipeline(WithRatios(human_label, factor=0.5)),
        make_pipeline(FunctionTransformer(lambda X: X / 2), WithRatios(human_label)),
        search,
        fixed,
        make_pipeline(fixed),
        frozen,
    ):
        fitted = clone(model).fit(X, y)
        assert cllr_scorer(fitted, X, y) == pytest.approx(-0.596220, abs=5e-7)


def test_the_odds_of_training_are_removed_where_the_estimator_knows_them():
    random = np.random.default_rng(0)
    y = np.repeat(["human", "synthetic"], [150, 50])
    X = np.where(y[:, None] == "human", 3, 4) + random.poisson(3, size=(200, 2))
    for unbalanced, balanced in [
        (GaussianNB(), GaussianNB(priors=[0.5, 0.5])),
        (MultinomialNB(), MultinomialNB(fit_prior=False)),
    ]:
        of_both = [cllr_scorer(model.fit(X, y), X, y) for model in (unbalanced, balanced)]
        assert of_both[0] == pytest.approx(of_both[1])
        # What has no odds in it any more is a ratio.
        ratios = np.diff(balanced.predict_log_proba(X))[:, 0]
        assert of_both[0] == pytest.approx(-cllr(y, ratios, pos_label="synthetic"))


def test_probabilities_that_round_to_one_are_read_from_the_margin():
    model = LogisticRegression(C=1e12).fit([[-1.0], [1.0]], ["human", "synthetic"])
    model.coef_, model.intercept_ = np.array([[1.0]]), np.array([0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Half of either class is wrong by 800, which costs 800 / ln 2 bits.
        score = cllr_scorer(model, column([800, -800, -800, 800]), ["synthetic"] * 2 + ["human"] * 2)
    assert score == pytest.approx(-400 / np.log(2))
    # Probabilities alone that are certain and wrong are clipped at 2 ** -52, and cost 52 bits.
    certain = WithProbabilities().fit(None, ["human", "synthetic"])
    assert cllr_scorer(certain, column([800, -800]), ["synthetic", "human"]) == pytest.approx(-52)


class Sure(WithProbabilities):
    """Log-odds of `factor` for `classes_[1]`, whatever X holds, and a margin that is something else."""

    margin = 0.0

    def decision_function(self, X):
        return np.full(len(X), self.margin)

    def predict_log_proba(self, X):
        return np.repeat([[-self.factor, 0.0]], len(X), axis=0)


@pytest.mark.parametrize(
    ("log_odds", "margin", "bits"),
    [(20, 25, 20 / np.log(2)), (np.inf, 5, 52), (np.inf, 20, 20 / np.log(2)), (np.inf, 50, 50 / np.log(2))],
)
def test_a_margin_is_read_only_where_log_odds_are_infinite_and_it_may_be_them(log_odds, margin, bits):
    fitted = Sure(factor=log_odds).fit(None, ["human", "synthetic"])
    fitted.margin = margin
    # Right for the one clip, and wrong for the other.
    assert cllr_scorer(fitted, column([0, 0]), ["human", "synthetic"]) == pytest.approx(-bits / 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_probability_that_has_been_rounded_to_one_costs_a_finite_number_of_bits(dtype):
    X, y = column(np.linspace(-2, 2, 40)).astype(dtype), np.repeat(["human", "synthetic"], 20)
    far = column([1e6, -1e6]).astype(dtype)
    calibrated = CalibratedClassifierCV(FrozenEstimator(LinearSVC().fit(X, y))).fit(X, y)
    assert set(calibrated.predict_proba(far)[:, 1]) == {0, 1}
    bits = -np.log2(np.finfo(calibrated.predict_proba(far).dtype).eps)
    for wrapped in (calibrated, DecisionTreeClassifier().fit(X, y)):
        assert cllr_scorer(wrapped, far, ["synthetic", "human"]) == pytest.approx(0, abs=1e-4)
        expected = bits if wrapped is calibrated else 52
        assert -cllr_scorer(wrapped, far, ["human", "synthetic"]) == pytest.approx(expected, rel=1e-3)


def test_a_margin_is_read_as_it_is_where_there_is_nothing_else():
    X = column(HUMAN_RATIOS)
    model = LinearSVC().fit(X, IS_HUMAN)
    model.coef_, model.intercept_ = np.array([[1.0]]), np.array([0.0])
    scorer = make_detection_scorer(cllr, human_label=True)
    assert scorer(model, X, IS_HUMAN) == pytest.approx(-0.596220, abs=5e-7)


@every_labelling
def test_a_threshold_is_tuned_by_the_cost_of_decisions(y, human_label):
    X = column(HUMAN_RATIOS)
    fitted = Stated(human_label).fit(X, y)
    # At 0 a human clip of five is missed, and a synthetic one of five accepted: (0.95 + 0.5) * 0.2 / 0.5.
    assert detection_cost_scorer(fitted, X, y) == pytest.approx(-0.58)
    told = make_detection_scorer(detection_cost, human_label=human_label)
    tuned = TunedThresholdClassifierCV(
        fitted, scoring=told, cv="prefit", refit=False, response_method="decision_function"
    ).fit(X, y)
    assert detection_cost_scorer(tuned, X, y) == pytest.approx(-0.2)  # minDCF
    assert 0.2 <= abs(tuned.best_threshold_) <= 0.5
    with pytest.raises(ValueError, match="Give TunedThresholdClassifierCV detection_cost_scorer"):
        tuned.set_params(scoring=eer_scorer).fit(X, y)


def test_a_scorer_of_decisions_takes_other_labels_and_costs():
    X = column(HUMAN_RATIOS)
    # One clip of five is wrong in both classes: 0.5 * 0.2 + 0.5 * 0.2, of 0.5.
    y = np.where(IS_HUMAN, "bonafide", "spoof")
    even = make_detection_scorer(
        detection_cost, human_label="bonafide", synthetic_prior=0.5, cost_false_alarm=1
    )
    assert even(Decided(decisions=np.where(HUMAN_RATIOS > 0, "bonafide", "spoof")), X, y) == pytest.approx(
        -0.4
    )


def test_several_metrics_ask_once_and_are_not_misled_by_others():
    X, y = column(HUMAN_RATIOS), NAMES["synthetic is classes_[1]"]
    asked = []

    class Counted(Stated):
        def decision_function(self, X):
            asked.append(len(X))
            return super().decision_function(X)

    split = [(np.arange(10), np.arange(10))]
    cross_validate(Counted(), X, y, cv=split, scoring={"eer": eer_scorer, "min_dcf": min_dcf_scorer})
    assert asked == [10]
    # This one has the scores turned round, and scikit-learn keeps them so for the next that asks for them.
    turned = make_scorer(average_precision_score, response_method="decision_function", pos_label="human")
    scores = cross_validate(Stated(), X, y, cv=split, scoring={"human": turned, "eer": eer_scorer})
    assert scores["test_eer"] == pytest.approx([-0.2])


def test_clips_without_a_score_are_named():
    X, y = column(HUMAN_RATIOS), IS_HUMAN.astype(int)
    fitted = Stated(human_label=1).fit(X, y)
    X[[3, 7]] = np.nan
    for scorer in (eer_scorer, min_dcf_scorer, cllr_scorer):
        with pytest.raises(ValueError, match="NaN at positions 3, 7"):
            scorer(fitted, X, y)


def test_other_estimators_are_refused():
    X, y = column(np.arange(9)), np.arange(9) % 3
    with pytest.raises(ValueError, match=r"two classes; its classes are \[0, 1, 2\]"):
        eer_scorer(LogisticRegression().fit(X, y), X, y)
    with pytest.raises(ValueError, match="pos_label is the estimator's"):
        make_detection_scorer(equal_error_rate, pos_label=1)


def test_scorers_are_copied_pickled_and_shown_as_they_were_made():
    scorer = make_detection_scorer(act_dcf, human_label="bonafide", synthetic_prior=0.5)
    assert repr(scorer) == "make_detection_scorer(act_dcf, human_label='bonafide', synthetic_prior=0.5)"
    assert repr(eer_scorer) == "make_detection_scorer(equal_error_rate)"
    X, y = column(HUMAN_RATIOS), np.where(IS_HUMAN, "bonafide", "spoof")
    fitted = WithRatios().fit(X, np.where(IS_HUMAN, "human", "synthetic"))
    fitted.classes_ = np.array(["bonafide", "spoof"])
    expected = scorer(fitted, X, y)
    for copy in (pickle.loads(pickle.dumps(scorer)), clone(scorer, safe=False)):
        assert repr(copy) == repr(scorer)
        assert copy(fitted, X, y) == expected
    search = clone(GridSearchCV(Stated(), {"factor": [1]}, scoring=cllr_scorer))
    assert repr(search.scoring) == repr(cllr_scorer)


def test_a_partial_metric_is_given_ratios_too():
    X, y = column(HUMAN_RATIOS), IS_HUMAN
    scorer = make_detection_scorer(partial(cllr, human_label=True))
    assert scorer(WithRatios(human_label=True).fit(X, y), X, y) == pytest.approx(-0.596220, abs=5e-7)


def test_weights_reach_the_metric():
    X, y = column([0, 1, 2, 1.5]), np.array([0, 0, 1, 1])
    weight = np.array([1.0, 1.0, 1.0, 0.0])
    fitted = Stated(human_label=1).fit(X, y)
    X[3] = -1  # wrong, and of no weight
    assert eer_scorer(fitted, X, y) == pytest.approx(-0.5)
    assert eer_scorer(fitted, X, y, sample_weight=weight) == 0
    with config_context(enable_metadata_routing=True):
        routed = make_detection_scorer(equal_error_rate).set_score_request(sample_weight=True)
        split = [(np.arange(4), np.arange(4))]
        scores = cross_val_score(
            Stated(human_label=1),
            X,
            y,
            cv=split,
            scoring=routed,
            params={"sample_weight": weight},
            error_score="raise",
        )
    assert scores.tolist() == [0]


def test_an_estimator_that_does_not_know_its_human_class_is_refused_and_one_can_be_told():
    X, y = column(HUMAN_RATIOS), IS_HUMAN.astype(int)
    model = LogisticRegression().fit(X, y)
    for scorer in (eer_scorer, min_dcf_scorer, cllr_scorer, detection_cost_scorer):
        with pytest.raises(ValueError, match="human_label must say which of the classes"):
            scorer(model, X, y)
    costs = {
        human_label: make_detection_scorer(detection_cost, human_label=human_label, cost_miss=2)
        for human_label in (0, 1)
    }
    # What was told is enough, for a classifier that does not know as for one without classes.
    at_0 = (HUMAN_RATIOS > 0).astype(int)
    model.coef_, model.intercept_ = np.array([[1.0]]), np.array([0.0])
    for human_label, expected in ((1, -(2 * 0.95 + 0.5) * 0.4), (0, -(2 * 0.95 + 0.5) * 0.4)):
        assert costs[human_label](model, X, y) == pytest.approx(expected)
    named = [np.where(values, "human", "synthetic") for values in (at_0, IS_HUMAN)]
    assert detection_cost_scorer(Decided(decisions=named[0]), X, named[1]) == pytest.approx(-0.58)
    y = np.array([1, 1, 1, 0])
    decided = Decided(decisions=np.array([1, 1, 1, 1]))
    # All taken for 1: every 0 is a false alarm if 1 is human, 0.5 / 0.5; else missed, 2 * 0.95 / 0.5.
    assert costs[1](decided, X[:4], y) == pytest.approx(-1)
    assert costs[0](decided, X[:4], y) == pytest.approx(-3.8)
