import keras
import numpy as np
import pytest
from sklearn.base import clone

from tests.classifier.fits import clips_of, small
from voicelstm.exceptions import TrainingError


@pytest.mark.every_backend
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


@pytest.mark.every_backend
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


def test_weights_that_the_last_step_ruins_are_an_error():
    X, y = clips_of(8)
    with pytest.raises(TrainingError, match="weights that are not finite"):
        small(optimizer="sgd", learning_rate=1e39, max_steps=1).fit(X, y)
