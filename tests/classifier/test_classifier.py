import pickle
import random
import threading

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score

from voicelstm import LSTMVoiceClassifier
from voicelstm.exceptions import SequenceWarning, TrainingError


def clips_of(n_clips, n_classes=2, seed=0, n_features=3):
    """Noise whose mean tells the class; lengths differ."""
    generator = np.random.default_rng(seed)
    target = np.arange(n_clips) % n_classes
    clips = [generator.normal(c, 1.0, size=(10 + 7 * i % 40, n_features)) for i, c in enumerate(target)]
    return clips, target


def small(**changes):
    settings = {"units": (6,), "max_epochs": 12, "batch_size": 8, "learning_rate": 0.02, "random_state": 0}
    return LSTMVoiceClassifier(**(settings | changes))


@pytest.fixture(scope="module")
def binary():
    X, y = clips_of(30)
    labels = np.array(["human", "synthetic"])[y]
    return small().fit(X, labels), X, labels


def test_it_learns_two_classes(binary):
    classifier, X, y = binary
    assert classifier.score(X, y) > 0.9
    assert classifier.classes_.tolist() == ["human", "synthetic"]
    assert classifier.n_features_in_ == 3
    assert classifier.n_iter_ == 12 == len(classifier.history_["loss"])
    assert classifier.history_["loss"][-1] < classifier.history_["loss"][0]


def test_scores_probabilities_and_decisions_agree(binary):
    classifier, X, _ = binary
    scores, probabilities = classifier.decision_function(X), classifier.predict_proba(X)
    np.testing.assert_allclose(logit(probabilities[:, 1]), scores, atol=1e-9)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(classifier.predict_log_proba(X), np.log(probabilities), atol=1e-9)
    assert (classifier.predict(X) == np.where(scores > 0, "synthetic", "human")).all()


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


def test_a_clip_scores_the_same_alone_and_among_others(binary):
    classifier, X, _ = binary
    together = classifier.decision_function(X)
    longer = [*X, np.zeros((900, 3))]
    np.testing.assert_allclose(classifier.decision_function(longer)[: len(X)], together, atol=1e-6)
    for position in (0, 5, 29):
        alone = classifier.decision_function([X[position]])
        np.testing.assert_allclose(alone, together[position : position + 1], atol=1e-6)


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


def test_a_clips_score_is_the_mean_of_its_segments_by_frames(binary):
    classifier, X, _ = binary
    classifier = pickle.loads(pickle.dumps(classifier)).set_params(segment_frames=20)
    for clip, segments, score in zip(
        X, classifier.predict_segments(X), classifier.decision_function(X), strict=True
    ):
        assert segments["stop_frame"][-1] == len(clip)
        added = np.diff(np.concatenate([[0], segments["stop_frame"]]))
        assert score == pytest.approx(np.average(segments["log_odds"], weights=added), abs=1e-6)
        first = classifier.decision_function([clip[:20]])
        assert segments["log_odds"][0] == pytest.approx(float(first[0]), abs=1e-5)


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


def test_two_fits_in_two_threads_do_not_disturb_each_other():
    X, y = clips_of(16)
    alone = [small(random_state=seed).fit(X, y).decision_function(X) for seed in (0, 1)]
    together = [small(random_state=seed) for seed in (0, 1)]
    threads = [threading.Thread(target=classifier.fit, args=(X, y)) for classifier in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for expected, classifier in zip(alone, together, strict=True):
        np.testing.assert_array_equal(classifier.decision_function(X), expected)


def test_weight_zero_is_absence_and_integer_weights_are_repetition(double_precision):
    X, y = clips_of(16)
    weight = np.ones(16)
    weight[3] = 0
    kept = np.flatnonzero(weight)
    exact = {"dtype": "float64", "batch_size": 64, "shuffle": False, "dropout": 0.0}
    without = small(**exact).fit([X[i] for i in kept], y[kept])
    weighted = small(**exact).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(weighted.decision_function(X), without.decision_function(X), rtol=1e-7)
    weight[3], weight[5] = 1, 2
    repeated = small(**exact).fit([*X, X[5]], [*y, y[5]])
    weighted = small(**exact).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(weighted.decision_function(X), repeated.decision_function(X), rtol=1e-6)


def test_class_weights_multiply_sample_weights(double_precision):
    X, y = clips_of(20)
    X, y = X[:13], y[:13]
    exact = {"dtype": "float64", "batch_size": 64, "shuffle": False, "dropout": 0.0}
    by_class = small(**exact, class_weight={0: 1.0, 1: 3.0}).fit(X, y)
    by_clip = small(**exact).fit(X, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    # Standardisation is of the clips as they are, so the two may differ in it and in nothing else.
    unscaled = [c.set_params(standardize=False) for c in (clone(by_class), clone(by_clip))]
    unscaled[0].fit(X, y)
    unscaled[1].fit(X, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    np.testing.assert_allclose(*(c.decision_function(X) for c in unscaled), rtol=1e-9)
    balanced = small(class_weight="balanced").fit(X, y)
    assert balanced.log_prior_odds_ == pytest.approx(0)
    assert small().fit(X, y).log_prior_odds_ == pytest.approx(np.log(6 / 7))
    np.testing.assert_allclose(
        by_clip.log_likelihood_ratio(X), by_clip.decision_function(X) - np.log(6 * 3 / 7)
    )


def test_early_stopping_keeps_the_best_weights():
    X, y = clips_of(40)
    y = np.random.default_rng(0).permutation(y)  # what is learnt by heart does not hold for other clips
    settings = {"early_stopping": True, "validation_fraction": 0.25, "max_epochs": 40, "learning_rate": 0.2}
    classifier = small(patience=3, **settings).fit(X, y)
    losses = classifier.history_["val_loss"]
    best = int(np.argmin(losses))
    assert classifier.n_iter_ == len(losses) == best + 4 < 40
    # Stopped at the best epoch, the same training has the same weights.
    short = small(patience=100, **(settings | {"max_epochs": best + 1})).fit(X, y)
    np.testing.assert_array_equal(short.decision_function(X), classifier.decision_function(X))


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_history_holds_the_means_over_all_clips_of_an_epoch(loss):
    X, y = clips_of(21)
    weight = np.linspace(1, 3, 21)
    # A learning rate so small that all batches of the epoch see the same network.
    classifier = small(max_epochs=1, learning_rate=1e-12, dropout=0.0, loss=loss)
    classifier.fit(X, y, sample_weight=weight)
    probability = classifier.predict_proba(X)[:, 1]
    losses = {
        "cross_entropy": -np.log(np.where(y == 1, probability, 1 - probability)),
        "squared_error": (y - probability) ** 2,
    }[loss]
    assert classifier.history_["loss"] == pytest.approx([np.average(losses, weights=weight)], rel=1e-5)
    correct = (probability > 0.5) == y
    assert classifier.history_["accuracy"] == pytest.approx([np.average(correct, weights=weight)])


def test_max_steps_wraps_batches_around_the_end_of_the_data(monkeypatch):
    from voicelstm.network._network import Network

    seen = []
    step = Network.train_step
    monkeypatch.setattr(
        Network,
        "train_step",
        lambda self, batch, *rest: seen.append(np.asarray(batch)[:, 0, 0]) or step(self, batch, *rest),
    )
    X = np.arange(5.0)[:, None, None] * np.ones((5, 3, 1))
    small(max_steps=4, batch_size=2, shuffle=False, standardize=False).fit(X, [0, 1, 0, 1, 0])
    assert [batch.tolist() for batch in seen] == [[0, 1], [2, 3], [4, 0], [1, 2]]


def test_callbacks_are_made_anew_for_each_fit():
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    made = []

    def make():
        made.append(Stop())
        return made[-1]

    X, y = clips_of(8)
    classifier = small(callbacks=[make])
    for _ in range(2):
        assert clone(classifier).fit(X, y).n_iter_ == 2
    assert len(made) == 2
    with pytest.raises(ValueError, match=r"callbacks\[0\] is a Stop"):
        small(callbacks=[Stop()]).fit(X, y)


def test_what_a_callback_does_to_its_network_stays_with_it():
    class Freeze(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.model.get_layer("lstms").trainable = False
            self.model.compile(keras.optimizers.SGD(), "binary_crossentropy", weighted_metrics=["accuracy"])

    X, y = clips_of(12)
    before = small().fit(X, y).decision_function(X)
    small(callbacks=Freeze).fit(X, y)
    np.testing.assert_array_equal(small().fit(X, y).decision_function(X), before)


def test_an_optimizers_factory_is_asked_at_each_fit():
    rates = [0.05, 0.2]
    classifier = small(optimizer=lambda: keras.optimizers.SGD(rates.pop(0)))
    X, y = clips_of(12)
    scores = [classifier.fit(X, y).decision_function(X) for _ in range(2)]
    assert rates == []
    assert (scores[0] != scores[1]).any()


def test_optimizers_go_by_name_or_by_factory():
    X, y = clips_of(12)
    named = small(optimizer="sgd", learning_rate=0.05).fit(X, y)
    made = small(optimizer=lambda: keras.optimizers.SGD(0.05)).fit(X, y)
    np.testing.assert_array_equal(named.decision_function(X), made.decision_function(X))


def test_training_goes_on_with_warm_start():
    X, y = clips_of(20)
    once = small(warm_start=True, max_epochs=3).fit(X, y)
    loss = once.history_["loss"][0]
    assert once.fit(X, y).history_["loss"][0] < loss
    with pytest.raises(ValueError, match="cannot change while training goes on"):
        once.set_params(units=(5,)).fit(X, y)


def test_partial_fit_learns_from_a_stream_of_batches():
    X, y = clips_of(60)
    classifier = small(batch_size=4)
    with pytest.raises(ValueError, match="classes must be passed"):
        classifier.partial_fit(X[:10], y[:10])
    for _ in range(4):
        for first in range(0, 60, 10):
            classifier.partial_fit(X[first : first + 10], y[first : first + 10], classes=[0, 1])
    assert classifier.score(X, y) > 0.9
    assert classifier.n_iter_ == 24 == len(classifier.history_["loss"])
    only_one_class = [i for i in range(20) if y[i] == 1]
    classifier.partial_fit([X[i] for i in only_one_class], y[only_one_class])
    with pytest.raises(ValueError, match="not the same"):
        classifier.partial_fit(X, y, classes=[0, 1, 2])


def test_a_pass_that_fails_leaves_no_trace_in_the_passes_after_it():
    X, y = clips_of(12)
    undisturbed, disturbed = (small().partial_fit(X, y, classes=[0, 1]) for _ in range(2))
    with pytest.raises(TrainingError):
        disturbed.set_params(learning_rate=1e39).partial_fit(X, y)
    disturbed.set_params(learning_rate=undisturbed.learning_rate).partial_fit(X, y)
    undisturbed.partial_fit(X, y)
    np.testing.assert_array_equal(disturbed.decision_function(X), undisturbed.decision_function(X))


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


def test_a_fit_that_fails_leaves_what_was_fitted_before(binary):
    class Poison(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.get_layer("head").bias.assign([float("nan")])

    classifier, X, y = binary
    survivor = pickle.loads(pickle.dumps(classifier))
    before = survivor.predict_proba(X)
    survivor.set_params(callbacks=[Poison])
    with pytest.raises(TrainingError, match="nan in epoch 1"):
        survivor.fit([np.hstack([x, x]) for x in X], y)
    assert survivor.n_features_in_ == 3
    np.testing.assert_array_equal(survivor.predict_proba(X), before)


def test_weights_that_the_last_step_ruins_are_an_error():
    X, y = clips_of(8)
    with pytest.raises(TrainingError, match="weights that are not finite"):
        small(optimizer="sgd", learning_rate=1e39, max_steps=1).fit(X, y)


def test_parameters_that_are_changed_after_a_fit_are_checked_before_prediction(binary):
    classifier, X, _ = binary
    changed = pickle.loads(pickle.dumps(classifier)).set_params(segment_frames=0)
    with pytest.raises(ValueError, match="'segment_frames' parameter"):
        changed.predict_proba(X)


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
        ({"pooling": "median"}, np.zeros((4, 5, 2)), [0, 1, 0, 1], "'pooling' parameter"),
        ({"early_stopping": True}, np.zeros((2, 5, 2)), [0, 1], "least populated class"),
    ],
)
def test_bad_input_is_a_clear_error(changes, X, y, words):
    with pytest.raises(ValueError, match=words):
        small(**changes).fit(X, y)


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


def test_the_network_is_a_keras_model_that_gives_the_same_scores(binary):
    classifier, X, _ = binary
    clip = X[0].astype("float32")
    statistics = classifier._fitted.statistics
    standardised = ((clip - statistics.mean) / statistics.deviation()).astype("float32")
    logits = classifier.network_({"sequences": standardised[None], "lengths": np.array([len(clip)])})
    assert float(logits[0, 0]) == pytest.approx(float(classifier.decision_function([clip])[0]), abs=1e-5)


def test_verbose_shows_keras_progress(capsys):
    X, y = clips_of(8)
    small(max_epochs=2, verbose=2).fit(X, y)
    assert "Epoch 2/2" in capsys.readouterr().out
    small(max_epochs=2).fit(X, y)
    assert capsys.readouterr().out == ""
