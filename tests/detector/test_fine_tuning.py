from copy import copy

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from voicelstm import calibrate, fine_tune, load, make_detector, save, tune_threshold
from voicelstm.classifier import last_layer, with_last_layer
from voicelstm.datasets import make_voices
from voicelstm.detector._fine_tuning import _moved, folds_of
from voicelstm.exceptions import AudioError, HeldOutWarning
from voicelstm.metrics import cllr

pytestmark = pytest.mark.filterwarnings("ignore:.*no speech")  # which some simulated voices have little of


@pytest.fixture(scope="module")
def mine():
    """Recordings of one's own: some to adapt to, and others."""
    X, y = make_voices(70, random_state=7, return_X_y=True)
    return (X[:30], y[:30]), (X[30:], y[30:])


@pytest.fixture(scope="module")
def detector():
    X, y = make_voices(60, random_state=1, return_X_y=True)
    small = {"classifier__units": (16,), "classifier__max_steps": 60, "classifier__learning_rate": 0.02}
    return make_detector("dynamics", random_state=0, **small).fit(X, y)


def with_head(detector, change):
    """The detector with another last layer: what `change` makes of coefficients and intercept."""
    name, classifier = detector.steps[-1]
    return Pipeline(
        [*detector.steps[:-1], (name, with_last_layer(classifier, *change(*last_layer(classifier))))]
    )


def accuracy(detector, recordings, y):
    return float(np.mean(detector.predict(recordings) == y))


def test_a_detector_that_a_channel_has_shifted_is_shifted_back(detector, mine):
    (X, y), others = mine
    shifted = with_head(detector, lambda coefficients, intercept: (coefficients, intercept + 6))
    assert accuracy(shifted, *others) < 0.6 < 0.8 < accuracy(detector, *others)
    assert accuracy(fine_tune(shifted, X, y), *others) >= accuracy(detector, *others) - 0.05


def test_a_last_layer_that_knows_nothing_learns(detector, mine):
    (X, y), others = mine
    empty = with_head(detector, lambda coefficients, intercept: (1e-3 * coefficients, 0.0))
    assert accuracy(fine_tune(empty, X, y), *others) > 0.8


def test_labels_without_meaning_give_no_confidence(detector, mine):
    (X, y), (others, _) = mine
    empty = with_head(detector, lambda coefficients, intercept: (1e-3 * coefficients, 0.0))
    random = np.random.default_rng(0)
    sizes = [np.abs(ratios(fine_tune(empty, X, random.permutation(y)), others)).mean() for _ in range(5)]
    assert np.median(sizes) < 0.5


def ratios(detector, recordings):
    probabilities = detector.predict_proba(recordings)
    return np.log(probabilities[:, 1] / probabilities[:, 0])


def test_the_scores_are_log_likelihood_ratios(detector, mine):
    (X, y), (others, of_others) = mine
    before = cllr(of_others, detector.decision_function(others))
    assert cllr(of_others, ratios(fine_tune(detector, X, y), others)) < min(before, 0.7)


def test_adapting_twice_the_same_way_is_the_same_and_changes_no_original(detector, mine):
    (X, y), (others, _) = mine
    before = detector.decision_function(others)
    first, second = (fine_tune(detector, X, y).predict_proba(others) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(detector.decision_function(others), before)


def test_a_calibrated_detector_is_adapted_from_its_calibrated_scores(detector, mine):
    (X, y), (others, _) = mine
    flat = with_head(detector, lambda coefficients, intercept: (coefficients / 50, intercept / 50))
    calibrated = calibrate(flat, *make_voices(40, random_state=2, return_X_y=True))
    first = ratios(fine_tune(calibrated, X, y), others)
    again = ratios(fine_tune(detector, X, y), others)
    assert np.corrcoef(first, again)[0, 1] > 0.9


def test_it_is_saved_and_loaded_and_knows_what_it_was_adapted_to(detector, mine, tmp_path):
    (X, y), (others, _) = mine
    carded = copy(detector)
    carded.card_ = {"name": "base", "rates": [], "limits": ["It is small."], "operating_points": []}
    adapted = fine_tune(carded, X, y)
    save(adapted, tmp_path / "mine")
    again = load(tmp_path / "mine")
    np.testing.assert_allclose(again.predict_proba(others), adapted.predict_proba(others), rtol=1e-5)
    assert again.card_["name"] == "base, adapted"
    adapted_to = again.card_["adapted_to"]
    assert adapted_to["n_human"] == (y == "human").sum()
    assert adapted_to["n_synthetic"] == (y != "human").sum()
    assert adapted_to["cllr_before"] == pytest.approx(cllr(y, detector.decision_function(X)), abs=1e-3)
    assert "rates" not in again.card_
    assert again.card_["limits"][-1] == "Of the original: It is small."
    with pytest.warns(HeldOutWarning):
        tune_threshold(again, X, y)
    with pytest.warns(HeldOutWarning):
        twice = fine_tune(again, X, y).card_
    assert twice["name"] == again.card_["name"]
    assert twice["limits"] == again.card_["limits"]
    assert twice["adapted_to"]["n_human"] == 2 * again.card_["adapted_to"]["n_human"]


def test_the_card_says_whether_the_last_layer_moved(detector, mine):
    (X, y), _ = mine
    found = []
    for labels in (y, np.random.default_rng(0).permutation(y)):
        empty = with_head(detector, lambda coefficients, intercept: (1e-3 * coefficients, 0.0))
        empty.card_ = {"name": "empty"}
        found.append(fine_tune(empty, X, labels).card_["adapted_to"])
    learnt, learnt_nothing = found
    assert learnt["last_layer_moved"]
    assert learnt["cllr_in_cross_validation"] < 0.9 < learnt["cllr_before"]
    assert not learnt_nothing["last_layer_moved"]
    assert learnt_nothing["cllr_in_cross_validation"] == pytest.approx(1, abs=0.1)


def test_the_move_is_logistic_regression_with_an_offset():
    random = np.random.default_rng(0)
    places, is_second = random.standard_normal((40, 3)), random.random(40) < 0.3
    u, shift = _moved(places, np.zeros(40), is_second, 2.0)
    weight = np.where(is_second, 0.5 / is_second.mean(), 0.5 / (~is_second).mean())
    reference = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000).fit(places, is_second, weight)
    np.testing.assert_allclose(u, reference.coef_[0], atol=1e-4)
    np.testing.assert_allclose(shift, reference.intercept_[0], atol=1e-4)
    # An offset that is already right leaves nothing to be moved.
    right = 30.0 * np.where(is_second, 1, -1)
    u, shift = _moved(places, right, is_second, 1.0)
    assert np.abs(u).max() < 1e-6
    assert abs(shift) < 1e-6


def test_no_group_is_on_both_sides_and_all_recordings_are_tested():
    labels = np.array(["human", "synthetic"] * 20)
    groups = np.random.default_rng(0).integers(0, 12, size=40)
    folds = folds_of(["human", "synthetic"], labels, 40, groups)
    for training, test in folds:
        assert not set(groups[training]) & set(groups[test])
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(40))


def test_what_says_nothing_is_no_voice_to_adapt_to(detector, mine):
    (X, y), _ = mine
    silence = (np.zeros(32000, dtype=np.float32), 16000)
    with pytest.raises(
        AudioError, match=r"2 of 32 recordings cannot(.|\n)*every sample being 0(.|\n)*missing.wav"
    ):
        fine_tune(detector, [*X, silence, "missing.wav"], [*y, "human", "synthetic"])


def test_what_cannot_be_adapted_is_said(detector, mine):
    (X, y), _ = mine
    few = np.r_[np.flatnonzero(y == "human")[:2], np.flatnonzero(y != "human")[:9]]
    alone = np.where(y == "human", "anna", np.arange(len(y)).astype(str))
    for arguments, words in (
        (
            (detector, [X[i] for i in few], y[few], None),
            "too few recordings of the class 'human', 2; fine-tuning needs 3",
        ),
        ((detector, X, y, alone), "too few groups of the class 'human', 1"),
        ((detector, X, y[:-1], None), "a label for each of 30 recordings"),
        ((detector, X, np.where(y == "human", "real", "fake"), None), "the detector knows"),
        ((detector, X, y, [1, 2]), "a group for each of 30"),
    ):
        of, recordings, labels, groups = arguments
        with pytest.raises(ValueError, match=words):
            fine_tune(of, recordings, labels, groups=groups)
    with pytest.raises(TypeError, match="detector must be a Pipeline from an MFCCTransformer"):
        fine_tune(LogisticRegression(), X, y)
