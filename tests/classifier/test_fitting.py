import pickle
import threading

import keras
import numpy as np
import pytest

from tests.classifier.fits import clips_of, small
from voicelstm.exceptions import TrainingError
from voicelstm.network._network import Network


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


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_seed_of_dropout_is_another_for_each_random_state_and_one_of_two_to_the_31(method, monkeypatch):
    seeds = []

    def stop(classifier, start, schedule, seed, *optimizer_state):
        seeds.append(seed)
        raise InterruptedError

    monkeypatch.setattr("voicelstm.classifier._fitting._network", stop)
    X, y = clips_of(4)
    for random_state in range(20):
        classifier = small(random_state=random_state)
        with pytest.raises(InterruptedError):
            classifier.fit(X, y) if method == "fit" else classifier.partial_fit(X, y, classes=[0, 1])
    assert len(set(seeds)) == 20
    # That the largest of 20 lies in the lower quarter has a probability of 1e-12.
    assert 2**29 < max(seeds) < 2**31


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


@pytest.mark.every_backend
def test_training_goes_on_with_warm_start():
    X, y = clips_of(20)
    once = small(warm_start=True, max_epochs=3).fit(X, y)
    loss = once.history_["loss"][0]
    assert once.fit(X, y).history_["loss"][0] < loss
    with pytest.raises(ValueError, match="cannot change while training goes on"):
        once.set_params(units=(5,)).fit(X, y)


@pytest.mark.every_backend
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


@pytest.fixture
def interrupted(monkeypatch):
    """Call a method, whose third step raises."""

    def call(error, method, *args, **named):
        def step(*args):
            if len(steps) == 2:
                raise error
            steps.append(train_step(*args))
            return steps[-1]

        steps, train_step = [], Network.train_step
        with monkeypatch.context() as patches:
            patches.setattr(Network, "train_step", step)
            with pytest.raises(error):
                method(*args, **named)
        assert len(steps) == 2

    return call


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("n_before", [0, 1])
@pytest.mark.parametrize("given", [lambda: 0, lambda: np.random.RandomState(0)], ids=["int", "RandomState"])
def test_a_pass_that_is_interrupted_leaves_the_random_numbers_where_they_were(
    given, n_before, error, interrupted
):
    X, y = clips_of(20)
    undisturbed, disturbed = (small(dropout=0.3, random_state=given()) for _ in range(2))
    for classifier in [undisturbed, disturbed] * n_before:
        classifier.partial_fit(X, y, classes=[0, 1])
    interrupted(error, disturbed.partial_fit, X, y, classes=[0, 1])
    for classifier in [undisturbed, disturbed] * 2:
        classifier.partial_fit(X, y, classes=[0, 1])
    for name, values in undisturbed._fitted.weights.items():
        np.testing.assert_array_equal(disturbed._fitted.weights[name], values)


def test_a_fit_that_is_interrupted_leaves_the_random_numbers_where_they_were(interrupted):
    X, y = clips_of(20)
    undisturbed, disturbed = (small(max_epochs=1, random_state=np.random.RandomState(0)) for _ in range(2))
    interrupted(KeyboardInterrupt, disturbed.fit, X, y)
    for classifier in (undisturbed, disturbed):
        classifier.fit(X, y)
    np.testing.assert_array_equal(disturbed.decision_function(X), undisturbed.decision_function(X))
