import keras
import numpy as np
import pytest
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV

from voicelstm import LSTMVoiceClassifier
from voicelstm.exceptions import ModelFileWarning, TrainingError

GENERATOR = np.random.default_rng(0)
X = [GENERATOR.normal(i % 2, size=(10 + i, 3)) for i in range(12)]
Y = ["human", "synthetic"] * 6


def small(**changes):
    params = {"units": (4,), "max_epochs": 3, "learning_rate": 0.02, "random_state": 0}
    return LSTMVoiceClassifier(**(params | changes))


class Witness:
    """A callback of scikit-learn's protocol that writes down what it is told."""

    def __init__(self, stop_after=None):
        self.told = []
        self.stop_after = stop_after

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.told.append(f"{context.task_name} begins")

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        assert X is self.X
        assert list(y) == Y
        self.told.append((f"{context.task_name} ends", context.task_id, fitted_estimator.predict_proba(X)))
        return context.task_name == "epoch" and context.task_id == self.stop_after

    X = X


class Keeper(keras.callbacks.Callback):
    """A callback of Keras that keeps the classifier as it is after some steps, counted over all epochs."""

    def __init__(self, kept):
        super().__init__()
        self.kept, self.n_steps = kept, 0

    def set_classifier(self, so_far):
        self.so_far = so_far

    def on_train_batch_end(self, batch, logs=None):
        self.n_steps += 1
        self.kept[self.n_steps] = self.so_far()


# What is drawn for an epoch depends on how many batches are left of it.
@pytest.mark.parametrize(
    ("changes", "steps"), [({}, (3, 6)), ({"shuffle": False, "dropout": 0.0}, (1, 4, 6))]
)
def test_the_classifier_after_a_step_is_that_of_a_fit_of_so_many_steps(changes, steps, tmp_path):
    kept = {}
    changes |= {"batch_size": 5, "max_steps": 7}
    whole = small(callbacks=lambda: Keeper(kept), **changes).fit(X, Y)
    assert list(kept) == list(range(1, 8))
    for n_steps in steps:
        alone = small(**changes | {"max_steps": n_steps}).fit(X, Y)
        np.testing.assert_array_equal(kept[n_steps].decision_function(X), alone.decision_function(X))
        # 12 clips are 3 batches of 5, after which an epoch ends.
        assert kept[n_steps].n_iter_ == alone.n_iter_ == len(kept[n_steps].history_["loss"])
        np.testing.assert_allclose(kept[n_steps].history_["loss"], alone.history_["loss"], rtol=1e-6)
        kept[n_steps].save(tmp_path / "m")  # without a warning: it has no callbacks
        loaded = LSTMVoiceClassifier.load(tmp_path / "m")
        np.testing.assert_array_equal(loaded.predict_proba(X), alone.predict_proba(X))
    np.testing.assert_array_equal(kept[7].predict_proba(X), whole.predict_proba(X))
    assert kept[4].classes_.tolist() == ["human", "synthetic"]
    assert kept[4].human_label_ == "human"


def test_a_classifier_within_an_epoch_with_validation_is_saved(tmp_path):
    kept = {}
    small(callbacks=lambda: Keeper(kept), batch_size=4, early_stopping=True, validation_fraction=0.3).fit(
        X, Y
    )
    assert np.isnan(kept[4].history_["val_loss"]).tolist() == [False, True]
    kept[4].save(tmp_path / "m")
    assert LSTMVoiceClassifier.load(tmp_path / "m").n_iter_ == 2


def test_a_callback_is_given_the_classifier_within_a_pass_of_partial_fit(tmp_path):
    kept = {}
    changes = {"batch_size": 5, "shuffle": False, "dropout": 0.0}
    classifier = small(callbacks=lambda: Keeper(kept), **changes)
    for n_passes in (1, 2):
        kept.clear()
        classifier.partial_fit(X, Y, classes=np.unique(Y))
        assert list(kept) == [1, 2, 3]  # 12 clips are 3 batches of 5
        assert [each.n_iter_ for each in kept.values()] == [n_passes] * 3
        np.testing.assert_array_equal(kept[3].predict_proba(X), classifier.predict_proba(X))
        np.testing.assert_allclose(kept[3].history_["loss"], classifier.history_["loss"], rtol=1e-6)
        assert np.abs(kept[2].predict_proba(X) - classifier.predict_proba(X)).max() > 0
    kept[2].save(tmp_path / "m")  # without a warning: it has no callbacks
    loaded = LSTMVoiceClassifier.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict_proba(X), kept[2].predict_proba(X))
    without = small(**changes)
    for _ in range(2):
        without.partial_fit(X, Y, classes=np.unique(Y))
    np.testing.assert_array_equal(classifier.predict_proba(X), without.predict_proba(X))


def test_before_the_first_step_there_is_no_classifier():
    class Early(Keeper):
        def on_train_begin(self, logs=None):
            self.so_far()

    with pytest.raises(TrainingError, match="ask for the classifier after the first"):
        small(callbacks=lambda: Early({})).fit(X, Y)


def test_callbacks_of_scikit_learn_see_a_fit_and_its_epochs_with_the_network_of_each():
    witness = Witness()
    classifier = small().set_callbacks(witness).fit(X, Y)
    names = [told if isinstance(told, str) else told[0] for told in witness.told]
    assert names == ["setup", "fit begins", *["epoch begins", "epoch ends"] * 3, "fit ends", "teardown"]
    ends = [told for told in witness.told if told[0] == "epoch ends"]
    for _, n_before, probabilities in ends:
        shorter = small(max_epochs=n_before + 1).fit(X, Y)
        np.testing.assert_allclose(probabilities, shorter.predict_proba(X), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(witness.told[-2][2], classifier.predict_proba(X))


def test_the_classifier_that_a_callback_is_given_may_learn_on():
    class LearnsOn(Witness):
        def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
            self.told.append(fitted_estimator.partial_fit(X, y).n_iter_)

    learns_on = LearnsOn()
    small(max_epochs=2).set_callbacks(learns_on).fit(X, Y)
    assert [told for told in learns_on.told if isinstance(told, int)] == [2, 3, 3]


def test_a_callback_of_scikit_learn_may_stop_training():
    classifier = small(max_epochs=10).set_callbacks(Witness(stop_after=1)).fit(X, Y)
    assert classifier.n_iter_ == 2
    np.testing.assert_array_equal(classifier.predict_proba(X), small(max_epochs=2).fit(X, Y).predict_proba(X))


@pytest.mark.parametrize("moment", ["epoch begins", "epoch ends", "fit ends"])
def test_a_callback_that_raises_ends_the_fit_which_changes_nothing(moment):
    class Faulty(Witness):
        def on_fit_task_begin(self, estimator, context):
            super().on_fit_task_begin(estimator, context)
            if self.told[-1] == moment:
                raise RuntimeError(moment)

        def on_fit_task_end(self, estimator, context):
            if f"{context.task_name} ends" == moment:
                raise RuntimeError(moment)

    classifier = small(max_epochs=1).fit(X, Y)
    before = classifier.predict_proba(X)
    faulty = Faulty()
    with pytest.raises(RuntimeError, match=moment):
        classifier.set_params(units=(5,)).set_callbacks(faulty).fit(X, Y)
    assert faulty.told[-1] == "teardown"
    np.testing.assert_array_equal(classifier.predict_proba(X), before)
    assert classifier.n_iter_ == 1


def test_a_scoring_monitor_scores_each_epoch():
    monitor = ScoringMonitor(scoring="neg_log_loss")
    small().set_callbacks(monitor).fit(np.stack([clip[:10] for clip in X]), Y)
    log = monitor.get_logs()
    scores = [row["neg_log_loss"] for row in log.data if row["task_name"] == "epoch"]
    assert len(scores) == 3
    assert scores[0] < scores[-1]


def test_callbacks_of_a_search_reach_the_epochs_of_its_fits():
    begun = []

    class Propagated(Witness):
        max_propagation_depth = None

        def on_fit_task_begin(self, estimator, context):
            begun.append((type(estimator).__name__, context.task_name))

        def on_fit_task_end(self, estimator, context): ...

    search = GridSearchCV(small(), {"units": [(2,), (3,)]}, cv=2, scoring="accuracy")
    search.set_callbacks(Propagated()).fit(X, Y)
    # Two settings, two folds, three epochs, and those of the refit.
    assert begun.count(("LSTMVoiceClassifier", "epoch")) == 2 * 2 * 3 + 3


def test_a_progress_bar_is_shown(capsys):
    small().set_callbacks(ProgressBar()).fit(X, Y)
    shown = capsys.readouterr()
    assert "LSTMVoiceClassifier" in shown.out + shown.err


def test_weights_of_clips_reach_a_callback():
    class Weighed(Witness):
        def on_fit_task_end(self, estimator, context, *, metadata):
            self.told.append(metadata)

    weights = np.arange(1.0, 13)
    weighed = Weighed()
    small(max_epochs=1).set_callbacks(weighed).fit(X, Y, sample_weight=weights)
    assert weighed.told[-2]["sample_weight"] is weights


def test_a_learning_rate_may_follow_the_epochs():
    # Plain gradient descent remembers nothing: its epochs may as well be passes of a constant rate each.
    plain = {"optimizer": "sgd", "shuffle": False, "standardize": False, "dropout": 0.0, "batch_size": 12}
    scheduled = small(learning_rate=lambda epoch: 0.5 / 2**epoch, **plain).fit(X, Y)
    passes = small(**plain)
    for rate in (0.5, 0.25, 0.125):
        passes.set_params(learning_rate=rate).partial_fit(X, Y, classes=np.unique(Y))
    np.testing.assert_allclose(passes.predict_proba(X), scheduled.predict_proba(X), rtol=0, atol=1e-6)
    constant = small(learning_rate=0.5, **plain).fit(X, Y)
    assert np.abs(constant.predict_proba(X) - scheduled.predict_proba(X)).max() > 1e-3


def test_a_schedule_is_asked_once_for_each_epoch():
    asked = []

    def rate(epoch):
        asked.append(epoch)
        return 0.01

    classifier = small(learning_rate=rate, max_epochs=2)
    for _ in range(3):
        classifier.partial_fit(X, Y, classes=np.unique(Y))
    assert asked == [0, 1, 2]
    classifier.fit(X, Y)
    assert asked[3:] == [0, 1]
    classifier.partial_fit(X, Y)
    assert asked[5:] == [2]
    # Twelve segments in batches of five are three steps.
    classifier.set_params(max_steps=7, batch_size=5).fit(X, Y)
    assert asked[6:] == [0, 1, 2]
    classifier.set_params(optimizer=lambda: keras.optimizers.SGD(0.1)).fit(X, Y)
    assert len(asked) == 9


@pytest.mark.every_backend
@pytest.mark.parametrize("length", [{"max_epochs": 4}, {"max_steps": 10}])
def test_the_step_size_goes_up_and_down_once_step_by_step(length):
    class Note(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            rates.append(float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))

    rates = []
    options = {"learning_rate": 0.05, "learning_rate_schedule": "one_cycle", "batch_size": 5, **length}
    classifier = small(callbacks=Note, **options).fit(X, Y)
    # By hand: half cosines from 1/25 up over 30 % of the steps less one, and then down to 1/250,000.
    if "max_steps" in length:
        down = [(1 + np.cos(np.pi * step / 7)) / 2 for step in range(7)]
        expected = [0.04, 0.52, *down, 4e-6]
    else:
        up = [0.52 - 0.48 * np.cos(np.pi * step / 2.6) for step in range(3)]
        down = [(1 + np.cos(np.pi * (step - 2.6) / 8.4)) / 2 for step in range(3, 11)]
        expected = [*up, *down, 4e-6]
    np.testing.assert_allclose(rates, 0.05 * np.array(expected), rtol=0, atol=0.05 * 5e-6)
    assert rates[-1] == pytest.approx(0.05 * 4e-6)
    # The same trained without a callback, and nothing more in the history.
    again = small(**options).fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))
    assert set(classifier.history_) == {"loss", "accuracy"}
    constant = small(**(options | {"learning_rate_schedule": "constant"})).fit(X, Y)
    assert np.abs(constant.predict_proba(X) - classifier.predict_proba(X)).max() > 1e-3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"learning_rate": lambda epoch: 0.1}, "needs the largest step size as learning_rate"),
        ({"optimizer": keras.optimizers.SGD}, "does not apply to an optimizer that a callable makes"),
    ],
)
def test_a_cycle_of_the_step_size_that_something_contradicts_is_an_error(changes, words):
    with pytest.raises(ValueError, match=words):
        small(learning_rate_schedule="one_cycle", **changes).fit(X, Y)
    with pytest.raises(ValueError, match="partial_fit does not know how many steps"):
        small(learning_rate_schedule="one_cycle").partial_fit(X, Y, classes=np.unique(Y))


def test_a_schedule_gives_the_same_with_a_checkpoint(tmp_path):
    class Halving:
        rate = 0.02

        def __call__(self, epoch):
            self.rate /= 2
            return self.rate

    expected = small(learning_rate=Halving()).fit(X, Y)
    found = small(learning_rate=Halving(), checkpoint=tmp_path).fit(X, Y)
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))


def test_a_saved_classifier_has_the_default_step_size_and_says_so(tmp_path):
    classifier = small(learning_rate=lambda epoch: 0.01).fit(X, Y)
    with pytest.warns(ModelFileWarning, match="learning_rate"):
        classifier.save(tmp_path / "model")
    loaded = LSTMVoiceClassifier.load(tmp_path / "model")
    assert loaded.learning_rate == 1e-3
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), None, 1e39, 1e-60, "fast"])
def test_a_schedule_that_gives_no_step_size_is_named(rate):
    with pytest.raises(ValueError, match=r"learning_rate\(0\) gave"):
        small(learning_rate=lambda epoch: rate).fit(X, Y)
