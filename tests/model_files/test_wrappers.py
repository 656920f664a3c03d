import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import FixedThresholdClassifier, StratifiedKFold, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline

from tests.model_files.rewriting import rewritten
from voicelstm import (
    LSTMVoiceClassifier,
    MFCCTransformer,
    calibrate,
    load,
    save,
    score_timeline,
    tune_threshold,
)
from voicelstm.exceptions import ModelFileError, ModelFileWarning
from voicelstm.metrics import cllr_scorer, detection_cost_scorer


def human_recall(truth, decided, pos_label):
    return np.mean(decided[truth == pos_label] == pos_label) + np.mean(decided != pos_label) / 2


# Each from a fitted detector, the recordings and labels of its training, and others.
MADE = {
    "frozen": lambda detector, train, held_out: FrozenEstimator(detector),
    "a threshold": lambda detector, train, held_out: tune_threshold(
        detector, *held_out, metric="miss", max_false_alarm=0.1
    ),
    "a threshold for human": lambda detector, train, held_out: FixedThresholdClassifier(
        detector, threshold=0.55, pos_label="human", response_method="predict_proba"
    ),
    "a tuned threshold": lambda detector, train, held_out: TunedThresholdClassifierCV(
        clone(detector), scoring=detection_cost_scorer, cv=2
    ).fit(*train),
    "a threshold tuned for human": lambda detector, train, held_out: TunedThresholdClassifierCV(
        detector, scoring=make_scorer(human_recall, pos_label="human"), cv="prefit", refit=False
    ).fit(*held_out),
    "a calibration": lambda detector, train, held_out: calibrate(detector, *held_out),
    "a threshold of a calibration": lambda detector, train, held_out: tune_threshold(
        calibrate(detector, *held_out), *held_out
    ),
    "calibrated in folds": lambda detector, train, held_out: CalibratedClassifierCV(
        clone(detector), cv=2
    ).fit(*train),
    "temperatures": lambda detector, train, held_out: CalibratedClassifierCV(
        clone(detector), cv=2, method="temperature", ensemble=False
    ).fit(*train),
    "a vote": lambda detector, train, held_out: VotingClassifier(
        [
            ("seed 0", detector),
            ("none", "drop"),
            ("seed 1", clone(detector).set_params(classifier__random_state=1)),
        ],
        voting="soft",
        weights=[3, 1, 2.5],
    ).fit(*train),
    "a vote of calibrated": lambda detector, train, held_out: VotingClassifier(
        [("a", FrozenEstimator(calibrate(detector, *held_out))), ("b", FrozenEstimator(detector))],
        voting="soft",
        flatten_transform=False,
    ).fit(*train),
    "a step": lambda detector, train, held_out: Pipeline(
        [
            ("features", clone(detector[0])),
            ("dynamics", clone(detector[1])),
            ("classifier", FixedThresholdClassifier(FrozenEstimator(detector[-1]), threshold=0.52)),
        ]
    ).fit(*train),
}


@pytest.fixture(scope="module")
def wrapped(small_detector, small_voices):
    return {name: make(small_detector, *small_voices) for name, make in MADE.items()}


@pytest.fixture(scope="module")
def asked(small_voices):
    """Recordings to ask about, three of each class, and their labels."""
    _, (X, y) = small_voices
    chosen = [np.flatnonzero(y == label)[:3] for label in ("human", "synthetic")]
    chosen = np.concatenate(chosen)
    return [X[clip] for clip in chosen], y[chosen]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "wrapped.voicelstm"


@pytest.mark.parametrize("name", MADE)
def test_a_loaded_wrapper_says_what_the_saved_one_says(name, wrapped, asked, path):
    X, y = asked
    before = wrapped[name]
    save(before, path)
    after = load(path)
    expected = FixedThresholdClassifier if "tuned" in name else type(before)
    assert type(after) is expected
    assert after.classes_.tolist() == before.classes_.tolist()
    np.testing.assert_array_equal(after.predict(X), before.predict(X))
    assert after.predict(X).dtype == before.predict(X).dtype
    np.testing.assert_array_equal(after.predict_proba(X), before.predict_proba(X))
    if hasattr(before, "decision_function"):
        np.testing.assert_array_equal(after.decision_function(X), before.decision_function(X))
    assert cllr_scorer(after, X, y) == cllr_scorer(before, X, y)
    again = path.with_name("again")
    save(after, again)
    np.testing.assert_array_equal(load(again).predict_proba(X), before.predict_proba(X))


def test_wrappers_decide_differently_from_what_they_wrap(wrapped, small_detector, small_voices):
    _, (X, _) = small_voices
    plain = small_detector.predict(X)
    different = {name for name, each in wrapped.items() if (each.predict(X) != plain).any()}
    assert {"a threshold", "a threshold for human", "a tuned threshold", "a step"} <= different


def test_a_threshold_tuned_by_cost_is_one_of_probabilities(wrapped, small_voices):
    _, (X, _) = small_voices
    tuned = wrapped["a tuned threshold"]
    expected = np.where(tuned.predict_proba(X)[:, 1] >= tuned.best_threshold_, "synthetic", "human")
    np.testing.assert_array_equal(tuned.predict(X), expected)


def test_the_pipeline_within_scores_over_time(wrapped, small_detector, small_voices, path):
    _, (X, _) = small_voices
    save(wrapped["a threshold of a calibration"], path)
    for found, expected in zip(
        score_timeline(load(path), X[:2]), score_timeline(small_detector, X[:2]), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(TypeError, match="a CalibratedClassifierCV of 2"):
        score_timeline(wrapped["calibrated in folds"], X[:2])


def test_a_loaded_wrapper_can_be_fitted_again(wrapped, small_voices, path):
    train, (X, _) = small_voices
    save(wrapped["calibrated in folds"], path)
    again = clone(load(path)).fit(*train)
    expected = clone(wrapped["calibrated in folds"]).fit(*train)
    np.testing.assert_allclose(again.predict_proba(X), expected.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("labels", [["a", "b", "c"], [0, 1, 2], [1.0, 2.0]])
def test_other_classes_are_kept(labels, path):
    y = np.array(labels * 8)[:16]
    X = np.random.default_rng(0).normal(size=(16, 9, 2)) + np.searchsorted(labels, y)[:, None, None]
    small = LSTMVoiceClassifier(units=(3,), max_epochs=1, random_state=0)
    for method in ("sigmoid", "temperature"):
        before = CalibratedClassifierCV(small, cv=2, method=method).fit(X, y)
        save(before, path)
        after = load(path)
        np.testing.assert_array_equal(after.predict_proba(X), before.predict_proba(X))
        np.testing.assert_array_equal(after.predict(X), before.predict(X))
        assert after.n_features_in_ == 2


def test_what_cannot_be_kept_is_refused_when_saving(small_detector, small_voices, path):
    _, held_out = small_voices
    frozen = FrozenEstimator(small_detector)
    hard = VotingClassifier([("a", frozen)]).fit(*held_out)
    isotonic = CalibratedClassifierCV(frozen, method="isotonic").fit(*held_out)
    deep = small_detector
    for _ in range(16):
        deep = FrozenEstimator(deep)
    unlike = calibrate(small_detector, *held_out)
    unlike.classes_ = np.array(["bonafide", "spoof"])
    for wrong, error, words in [
        (
            FrozenEstimator(LogisticRegression().fit([[0], [1]], [0, 1])),
            TypeError,
            "not a LogisticRegression",
        ),
        (FrozenEstimator(MFCCTransformer()), TypeError, "MFCCTransformer without classes"),
        (FixedThresholdClassifier(clone(small_detector)), NotFittedError, "not fitted"),
        (CalibratedClassifierCV(small_detector), NotFittedError, "not fitted"),
        (FixedThresholdClassifier(small_detector, threshold=np.inf), ValueError, "threshold=inf of Fixed"),
        (hard, TypeError, "voting='hard'"),
        (isotonic, TypeError, "method='isotonic'"),
        (deep, TypeError, "at most 16"),
        (
            unlike,
            ValueError,
            r"\['bonafide', 'spoof'\], those of its FrozenEstimator \['human', 'synthetic'\]",
        ),
    ]:
        with pytest.raises(error, match=words):
            save(wrong, path)
    assert not path.exists()


def test_a_splitter_is_not_kept_and_that_is_said(small_detector, small_voices, path):
    calibrated = calibrate(small_detector, *small_voices[1]).set_params(cv=StratifiedKFold(2))
    with pytest.warns(ModelFileWarning, match="cv of CalibratedClassifierCV"):
        save(calibrated, path)
    assert load(path).cv is None


def threshold(document):
    return document["object"]


def calibration(document):
    return threshold(document)["estimator"]["estimator"]


def pair(document):
    return calibration(document)["pairs"][0]


def voting(document):
    return document["object"]


def frozen_within(document, depth):
    for _ in range(depth):
        document["object"] = {"class": "FrozenEstimator", "estimator": document["object"]}


NUMBERS = [float("nan"), float("inf"), "0.5", True, None, [0.5]]

MADE_UP = {
    "an unknown key": (lambda d: threshold(d).update(shell="rm"), r"unknown \['shell'\]"),
    "a missing key": (lambda d: threshold(d).pop("pos_label"), r"lacks \['pos_label'\]"),
    "a wrapper that is not on the list": (
        lambda d: threshold(d).update({"class": "TunedThresholdClassifierCV"}),
        "does not know",
    ),
    "a class with no threshold": (lambda d: threshold(d).update(pos_label="bonafide"), "none of"),
    "a method that is none": (lambda d: threshold(d).update(response_method="__class__"), "does not have"),
    "a method that the detector lacks": (
        lambda d: threshold(d).update(response_method="decision_function"),
        "does not have",
    ),
    "something that is no description": (lambda d: threshold(d).update(estimator=[]), "not valid"),
    "a front end as detector": (
        lambda d: threshold(d).update(estimator={"class": "MFCCTransformer", "params": {}}),
        "MFCCTransformer, which is no classifier",
    ),
    "a Pipeline without steps": (
        lambda d: threshold(d).update(estimator={"class": "Pipeline", "steps": []}),
        "without steps",
    ),
    "frozen without end": (lambda d: frozen_within(d, 20), "More than 16"),
    "frozen for ever": (lambda d: frozen_within(d, 300), "More than 16|not valid|cannot be read"),
    "calibration by code": (lambda d: calibration(d).update(method="isotonic"), "'isotonic' is not known"),
    "calibration by a list": (lambda d: calibration(d).update(method=[]), "not valid"),
    "other classes": (lambda d: calibration(d)["classes"].update(values=["a", "b"]), "those of its detector"),
    "more classes": (
        lambda d: calibration(d)["classes"].update(values=["human", "robot", "synthetic"]),
        "those of its detector",
    ),
    "no pairs": (lambda d: calibration(d).update(pairs=[]), "calibrated classifiers are not a list"),
    "pairs that are none": (lambda d: calibration(d).update(pairs={"0": 1}), "not a list of one or more"),
    "one network for two pairs": (lambda d: calibration(d)["pairs"].append(pair(d)), "is missing"),
    "two calibrators": (lambda d: pair(d)["calibrators"].append({"a": 1.0, "b": 0.0}), "not a list of 1"),
    "a calibrator of another kind": (lambda d: pair(d).update(calibrators=[{"beta": 1.0}]), "lacks"),
    "folds that are none": (lambda d: calibration(d).update(cv=True), "number of folds"),
    "an ensemble that is none": (lambda d: calibration(d).update(ensemble=1), "ensemble"),
} | {
    f"{name} {value!r}": (change, "not a finite number|no finite number")
    for value in NUMBERS
    for name, change in {
        "a threshold": lambda d, value=value: threshold(d).update(threshold=value),
        "a slope": lambda d, value=value: pair(d)["calibrators"][0].update(a=value),
    }.items()
}


@pytest.mark.parametrize("case", MADE_UP)
def test_a_made_up_threshold_or_calibration_is_refused(case, wrapped, path):
    change, words = MADE_UP[case]
    save(wrapped["a threshold of a calibration"], path)
    rewritten(path, lambda document, tensors: change(document))
    with pytest.raises(ModelFileError, match=words):
        load(path)


MADE_UP_VOTES = {
    "weights of others": (lambda d: voting(d).update(weights=[1.0]), "not a list of 2"),
    "weights of nothing": (lambda d: voting(d).update(weights=[0.0, 0.0]), "nor all zero"),
    "weights without a finite sum": (lambda d: voting(d).update(weights=[1e308, 1e308]), "overflow"),
    "a weight below 0": (lambda d: voting(d).update(weights=[-1.0, 2.0]), "negative"),
    "a weight that is none": (lambda d: voting(d).update(weights=["1", 2.0]), "not a finite number"),
    "two of one name": (lambda d: voting(d)["estimators"][1].__setitem__(0, "seed 0"), "that of two"),
    "no voters": (lambda d: voting(d).update(estimators=[], weights=None), "voters are not a list"),
    "voters without names": (lambda d: voting(d).update(estimators=[["a"], ["b"]]), "a name and a voter"),
    "voters for others": (
        lambda d: voting(d)["classes"].update(values=["a", "b", "c"]),
        "voter 'seed 0' are not those of the vote",
    ),
    "hard votes": (lambda d: voting(d).update(voting="hard"), "unknown"),
    "no bool": (lambda d: voting(d).update(flatten_transform="yes"), "flatten_transform"),
}


@pytest.mark.parametrize("case", MADE_UP_VOTES)
def test_a_made_up_vote_is_refused(case, wrapped, path):
    change, words = MADE_UP_VOTES[case]
    save(wrapped["a vote"], path)
    rewritten(path, lambda document, tensors: change(document))
    with pytest.raises(ModelFileError, match=words):
        load(path)


@pytest.mark.parametrize("beta", [0.0, -1.0, 1e300])
def test_a_temperature_that_no_fit_finds_is_refused(beta, wrapped, path):
    save(wrapped["temperatures"], path)
    rewritten(path, lambda d, t: d["object"]["pairs"][0]["calibrators"][0].update(beta=beta))
    with pytest.raises(ModelFileError, match="inverse temperature"):
        load(path)


def test_a_threshold_needs_two_classes(path):
    X = np.random.default_rng(0).normal(size=(6, 9, 2))
    save(FrozenEstimator(LSTMVoiceClassifier(units=(3,), max_epochs=1).fit(X, [0, 1, 2] * 2)), path)

    def given_a_threshold(document, tensors):
        document["object"] |= {
            "class": "FixedThresholdClassifier",
            "threshold": 0.5,
            "pos_label": None,
            "response_method": "auto",
        }

    rewritten(path, given_a_threshold)
    with pytest.raises(ModelFileError, match=r"between two classes; those of the file are \[0, 1, 2\]"):
        load(path)
