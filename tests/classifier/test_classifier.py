import pickle
import random

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score

from tests.classifier.fits import clips_of, small
from voicelstm import SpecAugment
from voicelstm.exceptions import SequenceWarning
from voicelstm.sequences import AugmentedSequences


@pytest.mark.every_backend
def test_it_learns_two_classes(binary):
    classifier, X, y = binary
    assert classifier.score(X, y) > 0.9
    assert classifier.classes_.tolist() == ["human", "synthetic"]
    assert classifier.n_features_in_ == 3
    assert classifier.n_iter_ == 12 == len(classifier.history_["loss"])
    assert classifier.history_["loss"][-1] < classifier.history_["loss"][0]


@pytest.mark.every_backend
def test_scores_probabilities_and_decisions_agree(binary):
    classifier, X, _ = binary
    scores, probabilities = classifier.decision_function(X), classifier.predict_proba(X)
    np.testing.assert_allclose(logit(probabilities[:, 1]), scores, atol=1e-9)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(classifier.predict_log_proba(X), np.log(probabilities), atol=1e-9)
    assert (classifier.predict(X) == np.where(scores > 0, "synthetic", "human")).all()


@pytest.mark.every_backend
def test_it_learns_more_classes():
    X, y = clips_of(45, n_classes=3)
    classifier = small(max_epochs=25).fit(X, y)
    assert classifier.score(X, y) > 0.85
    assert classifier.decision_function(X).shape == classifier.predict_proba(X).shape == (45, 3)
    with pytest.raises(ValueError, match="two classes"):
        classifier.log_likelihood_ratio(X)


@pytest.mark.parametrize("pooling", ["max", "stats", "attention", "last"])
@pytest.mark.parametrize("segment_frames", [None, 20])
def test_every_pooling_learns_whole_clips_and_segments(pooling, segment_frames):
    X, y = clips_of(30)
    settings = {"pooling": pooling, "segment_frames": segment_frames, "bidirectional": pooling == "stats"}
    assert small(max_epochs=20, **settings).fit(X, y).score(X, y) > 0.85


def strokes():
    """Rising or falling strokes, anywhere: bands have no other mean in one class than in the other."""
    generator = np.random.default_rng(0)
    X, y = [], np.arange(60) % 2
    for label in y:
        clip = generator.normal(0, 0.3, size=(int(generator.integers(20, 60)), 12))
        for _ in range(6):
            start, band = generator.integers(len(clip) - 4), generator.integers(8)
            stroke = 3 * np.eye(4)
            clip[start : start + 4, band : band + 4] += stroke[::-1] if label else stroke
        X.append(clip)
    return X, y


# One of both under the other backends, where each takes half a minute.
@pytest.mark.parametrize("bidirectional", [False, pytest.param(True, marks=pytest.mark.every_backend)])
def test_convolutions_learn_a_pattern_wherever_it_is_in_time_and_frequency(bidirectional):
    X, y = strokes()
    settings = {"convolutions": [(4, 5, 2), (4, 3, 2)], "bidirectional": bidirectional, "max_epochs": 20}
    classifier = small(**settings).fit(X[:40], y[:40])
    assert classifier.score(X[40:], y[40:]) > 0.85
    together = classifier.decision_function(X[40:])
    alone = np.concatenate([classifier.decision_function([clip]) for clip in X[40:]])
    np.testing.assert_allclose(alone, together, rtol=1e-6, atol=1e-6)
    copy = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(copy.decision_function(X[40:]), together)
    again = clone(classifier).fit(X[:40], y[:40])
    np.testing.assert_array_equal(again.decision_function(X[40:]), together)


@pytest.mark.every_backend
@pytest.mark.parametrize(
    "dtype", ["mixed_bfloat16", pytest.param("mixed_float16", marks=pytest.mark.nightly)]
)
def test_mixed_precision_trains_convolutions_whose_weights_stay_single(dtype):
    X, y = strokes()
    classifier = small(convolutions=[(4, 5, 2), (4, 3, 2)], max_epochs=10, dtype=dtype).fit(X[:40], y[:40])
    assert classifier.score(X[40:], y[40:]) > 0.85
    assert classifier.history_["loss"][-1] < 0.5 * classifier.history_["loss"][0]
    assert {weight.dtype.name for weight in classifier._fitted.weights.values()} == {"float32"}
    pooled = classifier.network_.get_layer("convolutions")
    assert pooled.compute_dtype == dtype.removeprefix("mixed_")


def test_the_form_of_a_batch_does_not_matter():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(12, 15, 2))
    y = np.tile([0, 1], 6)
    ragged = np.empty(12, dtype=object)
    ragged[:] = list(X)
    scores = [small().fit(form, y).decision_function(form) for form in (X, list(X), ragged, X.tolist())]
    for other in scores[1:]:
        np.testing.assert_array_equal(scores[0], other)


def test_a_2d_array_is_a_batch_of_sequences_of_one_feature():
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(10, 20)), np.tile([0, 1], 5)
    flat, deep = small().fit(X, y), small().fit(X[:, :, None], y)
    assert (flat.n_features_in_, deep.n_features_in_) == (20, 1)
    np.testing.assert_array_equal(flat.decision_function(X), deep.decision_function(X[:, :, None]))
    with pytest.raises(ValueError, match="19 features"):
        flat.predict(X[:, :19])


def test_the_same_random_state_gives_the_same_network_and_moves_no_global_state():
    X, y = clips_of(12)

    def draws():
        return random.random(), np.random.rand(), *np.asarray(keras.random.uniform((2,)))

    keras.utils.set_random_seed(1)
    expected = draws()
    keras.utils.set_random_seed(1)
    first = small(dropout=0.4).fit(X, y)
    second = small(dropout=0.4).fit(X, y)
    other = small(dropout=0.4, random_state=1).fit(X, y)
    small(random_state=None, max_epochs=1).fit(X, y)
    assert draws() == expected
    np.testing.assert_array_equal(first.decision_function(X), second.decision_function(X))
    assert (first.decision_function(X) != other.decision_function(X)).all()


def test_empty_clips_are_left_out_and_score_nan(binary):
    classifier, X, y = binary
    gap = [X[0], np.zeros((0, 3)), X[1]]
    scores = classifier.predict_proba(gap)
    assert np.isnan(scores[1]).all()
    np.testing.assert_allclose(scores[[0, 2]], classifier.predict_proba(X[:2]), atol=1e-6)
    with pytest.raises(ValueError, match=r"positions \[1\]"):
        classifier.predict(gap)
    with pytest.warns(SequenceWarning, match=r"1 empty clips.*positions \[1\]"):
        fitted = small().fit([X[0], np.zeros((0, 3)), *X[1:]], [y[0], y[1], *y[1:]])
    np.testing.assert_allclose(fitted.decision_function(X), classifier.decision_function(X), atol=1e-6)


def test_series_and_nested_lists_of_unequal_lengths_are_clips(binary):
    classifier, X, _ = binary
    expected = classifier.decision_function(X)
    for form in (pd.Series(X), [clip.tolist() for clip in X], tuple(X)):
        np.testing.assert_allclose(classifier.decision_function(form), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "X", "y", "words"),
    [
        ({}, np.zeros((4, 5, 2)), [0, 0, 0, 0], "1 class"),
        ({}, np.zeros((4, 5, 2)), [0, 1, 0], "inconsistent numbers of samples"),
        ({}, np.zeros((4, 5, 2)), None, "requires y"),
        ({}, np.zeros((4, 5, 2)), [0.1, 0.2, 0.3, 0.4], "Unknown label type"),
        ({}, np.full((4, 5, 2), np.nan), [0, 1, 0, 1], "NaN"),
        ({"class_weight": {0: -1.0, 1: 1.0}}, np.zeros((4, 5, 2)), [0, 1, 0, 1], "positive, finite weight"),
        ({}, [], [], "X has no clips"),
        ({"units": (0,)}, np.zeros((4, 5, 2)), [0, 1, 0, 1], r"units=\(0,\)"),
        ({"sampling": "weights", "shuffle": False}, np.zeros((4, 5, 2)), [0, 1, 0, 1], "set shuffle=True"),
        ({"random_crops": True, "segment_frames": None}, np.zeros((4, 5, 2)), [0, 1, 0, 1], "is one segment"),
        ({"augment": SpecAugment()}, np.zeros((4, 5, 2)), [0, 1, 0, 1], r"frequency_mask=\(1, 15\) of"),
        ({"augment": 0.5}, np.zeros((4, 5, 2)), [0, 1, 0, 1], "'augment' parameter"),
        ({"convolutions": [(8, 3)]}, np.zeros((4, 5, 2)), [0, 1, 0, 1], r"convolutions=\[\(8, 3\)\] must be"),
        ({"convolutions": (8, 3, 2)}, np.zeros((4, 5, 2)), [0, 1, 0, 1], "blocks of three positive integers"),
        ({"pooling": "median"}, np.zeros((4, 5, 2)), [0, 1, 0, 1], "'pooling' parameter"),
        ({"early_stopping": True}, np.zeros((2, 5, 2)), [0, 1], "least populated class"),
    ],
)
def test_bad_input_is_a_clear_error(changes, X, y, words):
    with pytest.raises(ValueError, match=words):
        small(**changes).fit(X, y)


def test_a_pass_draws_no_clips_by_weights_that_it_takes_as_they_are():
    with pytest.raises(ValueError, match='set sampling="all"'):
        small(sampling="weights").partial_fit(np.zeros((4, 5, 2)), [0, 1, 0, 1], classes=[0, 1])


@pytest.mark.every_backend
def test_all_that_training_for_breadth_needs_goes_together_and_an_int_makes_it_the_same_again():
    X, y = clips_of(40)
    of_copies = AugmentedSequences(X, [[clip + shift for clip in X] for shift in (-0.2, 0.2)])
    settings = {
        "sampling": "weights",
        "random_crops": True,
        "repeat_short_clips": True,
        "segment_frames": 20,
        "augment": SpecAugment(frequency_mask=(1, 1), time_mask=(2, 5), equalization=0.2),
        "learning_rate": 0.05,
        "learning_rate_schedule": "one_cycle",
        "max_steps": 100,
    }
    first, again = (
        small(**settings).fit(of_copies, y, sample_weight=np.linspace(0.5, 2, 40)) for _ in range(2)
    )
    assert first.score(X, y) > 0.9
    np.testing.assert_array_equal(again.decision_function(X), first.decision_function(X))


def test_a_sequence_of_other_features_is_refused(binary):
    classifier, *_ = binary
    with pytest.raises(ValueError, match="X has 4 features, but LSTMVoiceClassifier is expecting 3"):
        classifier.predict([np.zeros((5, 4))])
    with pytest.raises(NotFittedError):
        small().predict([np.zeros((5, 4))])


def test_it_composes_with_model_selection():
    X, y = clips_of(24)
    batch = np.empty(24, dtype=object)
    batch[:] = X
    search = GridSearchCV(small(max_epochs=4), {"units": [(4,), (6,)]}, cv=2).fit(batch, y)
    assert search.best_score_ > 0.5
    assert cross_val_score(small(max_epochs=4), batch, y, cv=3).shape == (3,)


def test_verbose_shows_keras_progress(capsys):
    X, y = clips_of(8)
    small(max_epochs=2, verbose=2).fit(X, y)
    assert "Epoch 2/2" in capsys.readouterr().out
    small(max_epochs=2).fit(X, y)
    assert capsys.readouterr().out == ""
