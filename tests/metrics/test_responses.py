"""Every expectation is what `predict` of scikit-learn's own wrapper decides."""

import re
from functools import cache

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from voicelstm.metrics._responses import held_by, of_second_class, respond

AROUND = {
    "bare": lambda fitted: fitted,
    "frozen": FrozenEstimator,
    "last step": lambda fitted: make_pipeline(FunctionTransformer(), FunctionTransformer(), fitted),
}
LABELS = {
    "words": ["human", "synthetic"],
    "words, human last": ["fake", "real"],
    "human is 1": [0, 1],
    "signs": [-1, 1],
}


def clips(classes, n=60):
    generator = np.random.default_rng(0)
    target = np.repeat([0, 1], n // 2)
    return generator.normal(target[:, None], 1.5, size=(n, 2)), np.asarray(classes)[target]


def plain():
    return make_pipeline(StandardScaler(), LogisticRegression())


def tuned(pos_label, method):
    scoring = make_scorer(f1_score, pos_label=pos_label)
    return TunedThresholdClassifierCV(
        plain(), scoring=scoring, thresholds=20, response_method=method, cv=2, random_state=0
    )


def fixed(pos_label, method):
    threshold = {"decision_function": 0.7, "predict_proba": 0.6, "auto": 0.6}[method]
    return FixedThresholdClassifier(plain(), threshold=threshold, pos_label=pos_label, response_method=method)


@cache
def fitted_on(labels, wrapper, position, method):
    X, y = clips(LABELS[labels])
    return wrapper(LABELS[labels][position], method).fit(X, y)


@pytest.mark.parametrize("method", ["auto", "decision_function", "predict_proba"])
@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("wrapper", [tuned, fixed])
@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_a_threshold_divides_the_clips_as_predict_does(around, wrapper, labels, position, method):
    classes = LABELS[labels]
    X, _ = clips(classes)
    detector = around(fitted_on(labels, wrapper, position, method))
    decided = detector.predict(X)
    assert 0 < np.count_nonzero(decided == classes[1]) < len(X)

    response = respond(detector, X)
    np.testing.assert_array_equal(
        response.score >= response.rule.threshold, decided == response.rule.pos_label
    )


@pytest.mark.parametrize("classes", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize(
    "detector",
    [
        plain(),
        CalibratedClassifierCV(plain(), cv=2),
        VotingClassifier([("a", plain()), ("b", plain())], voting="soft"),
        GridSearchCV(plain(), {"logisticregression__C": [0.1, 1]}, cv=2),
        FixedThresholdClassifier(plain()),
        FixedThresholdClassifier(CalibratedClassifierCV(plain(), cv=2), threshold=0.6),
        FixedThresholdClassifier(FixedThresholdClassifier(plain(), threshold=0.3), threshold=0.6),
        CalibratedClassifierCV(FixedThresholdClassifier(plain(), threshold=0.6), cv=2),
        make_pipeline(StandardScaler(), CalibratedClassifierCV(LogisticRegression(), cv=2)),
        FixedThresholdClassifier(LinearSVC(), threshold=0.2),
    ],
    ids=[
        "plain",
        "calibrated",
        "vote",
        "search",
        "threshold at even odds",
        "threshold of calibration",
        "threshold of threshold",
        "calibration of threshold",
        "calibration as last step",
        "threshold of what has no probabilities",
    ],
)
def test_every_other_detector_divides_the_clips_as_predict_does(detector, classes):
    X, y = clips(classes)
    detector.fit(X, y)
    response = respond(detector, X)
    decided = detector.predict(X)
    np.testing.assert_array_equal(
        response.score >= response.rule.threshold, decided == response.rule.pos_label
    )


def test_a_search_around_a_tuned_threshold_decides_by_that():
    X, y = clips(["human", "synthetic"])
    search = GridSearchCV(tuned("human", "auto"), {"estimator__logisticregression__C": [0.1, 1]}, cv=2)
    response = respond(search.fit(X, y), X)
    assert response.rule.pos_label == "human"
    np.testing.assert_array_equal(response.score >= response.rule.threshold, search.predict(X) == "human")


@pytest.mark.parametrize("classes", [["human"], [0, 1, 2]])
def test_a_classifier_of_other_than_two_classes_is_told_so(classes):
    X = np.zeros((6, 1))
    detector = DummyClassifier().fit(X, np.resize(classes, 6))
    with pytest.raises(ValueError, match=re.escape(f"knows the classes {classes}; expected two")):
        respond(detector, X)


def test_the_second_class_has_the_second_column_of_probabilities_and_all_of_the_margins():
    assert of_second_class(np.array([[0.9, 0.1], [0.2, 0.8]])).tolist() == [0.1, 0.8]
    assert of_second_class(np.array([-2.0, 3.0])).tolist() == [-2, 3]


def test_a_wrapper_is_looked_through_and_nothing_else_is():
    X, y = clips(["human", "synthetic"])
    fitted = plain().fit(X, y)
    assert held_by(FrozenEstimator(fitted)) is fitted
    prefit = FixedThresholdClassifier(FrozenEstimator(fitted), threshold=0.3)
    assert held_by(held_by(prefit)) is fitted
    for other in (fitted, CalibratedClassifierCV(fitted), BaseEstimator()):
        assert held_by(other) is None
