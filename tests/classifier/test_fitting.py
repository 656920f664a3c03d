import pickle
import threading
from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.classifier.fits import clips_of, descent, difference, small
from voicelstm import SpecAugment
from voicelstm.classifier import _fitting
from voicelstm.classifier._fitted import FittedNetwork
from voicelstm.classifier._fitting import _checkpoint_key
from voicelstm.classifier._labelled import LabelledInput
from voicelstm.exceptions import TrainingError
from voicelstm.network._network import Network
from voicelstm.sequences import AugmentedSequences, FrameStatistics


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
    # That the largest of 20 lies in the lower half has a probability of 1e-6.
    assert 2**30 <= max(seeds) < 2**31


@pytest.mark.parametrize(
    ("changes", "shared"),
    [
        ({}, True),
        ({"callbacks": keras.callbacks.TerminateOnNaN}, False),
        ({"optimizer": keras.optimizers.SGD}, False),
        ({"optimizer": keras.optimizers.SGD, "callbacks": keras.callbacks.TerminateOnNaN}, False),
    ],
)
def test_what_a_user_s_code_may_have_changed_is_not_shared_with_other_fits(changes, shared, monkeypatch):
    asked = []

    def stop(architecture, compilation, *, shared):
        asked.append(shared)
        raise InterruptedError

    monkeypatch.setattr("voicelstm.network.acquire_network", stop)
    with pytest.raises(InterruptedError):
        small(**changes).fit(*clips_of(4))
    assert asked == [shared]


def test_another_standardisation_is_another_training():
    X, y = clips_of(4)
    labelled = LabelledInput.checked(X, y, None, None, None, one_pass=False)
    statistics = FrameStatistics(total=8.0, mean=np.zeros(3), spread=np.ones(3))
    changed = [{}, {"total": 9.0}, {"mean": np.full(3, 0.1)}, {"spread": np.full(3, 2.0)}]
    of_each = [None, *(replace(statistics, **change) for change in changed)]
    # Each twice.
    keys = [
        _checkpoint_key(small(), labelled, FittedNetwork(None, {}, one, labelled.class_totals()), {})
        for one in of_each * 2
    ]
    assert len(set(keys)) == 5
    assert keys[:5] == keys[5:]


def test_another_copy_and_another_weight_of_copies_are_other_trainings():
    X, y = clips_of(4)
    other = [X[0] + 1, *X[1:]]
    keys = []
    for copies, copy_weight in [([], 0.6), ([X], 0.6), ([other], 0.6), ([X, X], 0.6), ([X], 0.5)] * 2:
        labelled = LabelledInput.checked(X, y, None, None, None, one_pass=False, copies=copies)
        start = FittedNetwork(None, {}, None, labelled.class_totals())
        keys.append(_checkpoint_key(small(copy_weight=copy_weight), labelled, start, {}))
    assert len(set(keys)) == 5
    assert keys[:5] == keys[5:]


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
def test_what_augments_is_drawn_by_the_random_state_and_changes_no_prediction_and_no_validation():
    X, y = clips_of(24, n_features=6)
    settings = {"early_stopping": True, "max_epochs": 2, "segment_frames": 20}
    # All that there is, where a network that has learnt nothing else gives each clip the same score.
    drown = SpecAugment(frequency_mask=None, time_mask=None, equalization=1e4)
    plain = small(**settings, learning_rate=1e-12).fit(X, y)
    drowned = small(**settings, learning_rate=1e-12, augment=drown).fit(X, y)
    np.testing.assert_allclose(drowned.decision_function(X), plain.decision_function(X), rtol=0, atol=1e-6)
    assert drowned.history_["val_loss"] == pytest.approx(plain.history_["val_loss"], abs=1e-6)
    assert np.abs(np.subtract(drowned.history_["loss"], plain.history_["loss"])).min() > 1e-3

    augment = SpecAugment(frequency_mask=(1, 3))
    scores = [
        small(augment=augment, random_state=seed, max_epochs=2).fit(X, y).decision_function(X)
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert (scores[0] != scores[2]).any()
    one_pass = small(augment=augment).partial_fit(X, y, classes=[0, 1])
    without = small().partial_fit(X, y, classes=[0, 1])
    assert (one_pass.decision_function(X) != without.decision_function(X)).any()


def silence(lengths):
    """Clips that tell nothing of their class: the best log-odds are those of the weights."""
    return [np.zeros((n, 1)) for n in lengths]


def wander(weight, rate, n_rows):
    """Standard deviation of the log-odds by which plain descent wanders around even odds, for ever."""
    # A step adds noise of variance rate² var(gradient) / n_rows, and shrinks the distance by rate / 4.
    weight = np.asarray(weight) / np.mean(weight)
    return np.sqrt(rate * np.mean((weight / 2) ** 2) / n_rows / (2 * 1 / 4))


FEW = np.repeat([0, 1], [594, 6])
HALVES = np.repeat([0, 1], 60)


@pytest.mark.every_backend
@pytest.mark.parametrize(
    ("lengths", "y", "sample_weight", "weight_of_segments", "changes"),
    [
        # 99 clips to one, which count the same.
        ([3] * 600, FEW, None, np.repeat([1, 99], [594, 6]), {"class_weight": "balanced", "max_epochs": 20}),
        ([3] * 600, FEW, np.where(FEW, 99, 1), np.repeat([1, 99], [594, 6]), {"max_epochs": 20}),
        # The same drawn as often as it weighs.
        ([3] * 600, FEW, np.where(FEW, 99, 1), np.ones(600), {"max_epochs": 20, "sampling": "weights"}),
        # Clips of one segment, and of 50.
        ([3] * 60 + [150] * 60, HALVES, None, np.repeat([50, 1], [60, 3000]), {"max_epochs": 4}),
        # As 1 s and 9 s are to segments of 3 s: padding would be most of a batch that holds both.
        ([20] * 60 + [180] * 60, HALVES, None, np.repeat([3, 1], [60, 180]), {"max_epochs": 50}),
    ],
    ids=[
        "balanced classes",
        "weights of clips",
        "drawn by weight",
        "clip lengths",
        "classes of different lengths",
    ],
)
def test_inputs_that_tell_nothing_get_the_log_odds_of_the_weights(
    lengths, y, sample_weight, weight_of_segments, changes
):
    segment_frames = 60 if 20 in lengths else 3
    settings = {"units": (2,), "pooling": "last", "dropout": 0.0, "segment_frames": segment_frames}
    descend = {"optimizer": "sgd", "learning_rate": 0.05, "batch_size": 32}
    classifier = small(**(settings | descend | changes)).fit(silence(lengths), y, sample_weight=sample_weight)
    assert classifier.log_prior_odds_ == pytest.approx(0)
    tolerance = 4 * wander(weight_of_segments, 0.05, 32)
    assert tolerance < 0.7
    ratios = classifier.log_likelihood_ratio(silence([min(lengths), max(lengths)]))
    np.testing.assert_allclose(ratios, 0, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("sampling", "of_segments"),
    [("all", np.repeat([0.4, 0.3, 1.2, 1.8], [90, 180, 30, 30])), ("weights", np.ones(330))],
)
def test_copies_that_tell_nothing_leave_the_log_odds_to_the_weights_of_recordings(sampling, of_segments):
    y = np.repeat([0, 1], [90, 30])
    X = silence([3] * 120)
    # One class has more copies than the other, and nonetheless the same weight.
    X = AugmentedSequences(X, [X, [[] if of else clip for of, clip in zip(y, X, strict=True)]])
    settings = {"units": (2,), "dropout": 0.0, "optimizer": "sgd", "learning_rate": 0.05, "batch_size": 32}
    classifier = small(class_weight="balanced", sampling=sampling, max_epochs=40, **settings).fit(X, y)
    assert classifier.log_prior_odds_ == pytest.approx(0)
    tolerance = 4 * wander(of_segments, 0.05, 32)
    assert tolerance < 0.25  # were copies counted whole, it would be 0.4
    np.testing.assert_allclose(classifier.decision_function(silence([3])), 0, atol=tolerance)


@pytest.mark.every_backend
@pytest.mark.parametrize("batch_size", [8, 256])
def test_each_clip_of_a_stream_counts_as_its_weight_says_whichever_pass_it_comes_in(
    batch_size, double_precision
):
    X, y = clips_of(21)
    weight = np.linspace(0.5, 3, 21)
    settings = {"optimizer": "sgd", "dropout": 0.0, "standardize": False, "dtype": "float64"}

    def passes(rate, *parts):
        classifier = small(batch_size=batch_size, learning_rate=rate, **settings)
        for part, scale in parts:
            of_part = scale * weight[part]
            classifier.partial_fit([X[i] for i in part], y[part], classes=[0, 1], sample_weight=of_part)
        return classifier

    step, clips = 1e-7, np.arange(21)
    mean = descent(X, y, weight, batch_size=256)
    for parts in ([(clips, 1)], [(clips[:3], 1), (clips[3:], 1)], [(clips, 0.25), (clips[::-1], 0.75)]):
        found = difference(passes(step, *parts), passes(2 * step, *parts)) / step
        # Divided by the rows of a full batch, however few there are.
        np.testing.assert_allclose(found, weight.sum() / batch_size * mean, rtol=1e-4, atol=1e-6)


def test_passes_go_on_with_the_optimizers_state_and_add_up_the_weights_of_the_classes(double_precision):
    X, y = clips_of(12)
    settings = {"dropout": 0.0, "standardize": False, "dtype": "float64"}
    classifier = small(optimizer="rmsprop", learning_rate=1e-6, batch_size=12, **settings)
    biases = [0.0]  # where it starts
    for _ in range(3):
        classifier.partial_fit(X, y, classes=[0, 1], sample_weight=np.where(y == 1, 4, 1))
        biases.append(classifier._fitted.weights["head/bias"][0])
    # Of a slope that stays the same, the mean square that divides it is 0.1, then 0.19, then 0.271 of it.
    steps = np.diff(biases)
    np.testing.assert_allclose(steps / steps[0], np.sqrt([1, 0.1 / 0.19, 0.1 / 0.271]), rtol=1e-3)
    more = np.flatnonzero(y == 1)
    classifier.partial_fit([X[i] for i in more], y[more], sample_weight=[3] * 6)
    # By hand: 3 × 6 clips of class 0, 3 × 6 of class 1 that count four times, and 6 that count three times.
    assert classifier.log_prior_odds_ == pytest.approx(np.log((72 + 18) / 18))


@pytest.mark.every_backend
def test_clips_held_out_are_measured_by_weight_and_do_not_standardise(monkeypatch):
    parts = []
    split = LabelledInput.split
    monkeypatch.setattr(LabelledInput, "split", lambda *given: parts.append(split(*given)) or parts[-1])
    X, y = clips_of(24)
    weight = np.linspace(0.5, 4, 24)
    settings = {"early_stopping": True, "validation_fraction": 0.5, "max_epochs": 1, "dropout": 0.0}
    # With such small steps the network that is measured is the one that is returned.
    classifier = small(**settings, learning_rate=1e-12, class_weight={0: 1.0, 1: 5.0}, segment_frames=12)
    classifier.fit(X, y, sample_weight=weight)

    first_values = [clip[0, 0] for clip in X]
    kept, held_out = ([first_values.index(clip[0, 0]) for clip in part.clips] for part in parts[0])
    frames = np.concatenate([X[i] for i in kept])
    of_frame = np.repeat(weight[kept], [len(X[i]) for i in kept])
    np.testing.assert_allclose(
        classifier._fitted.statistics.mean, np.average(frames, axis=0, weights=of_frame)
    )
    probability = classifier.predict_proba([X[i] for i in held_out])[np.arange(12), y[held_out]]
    of_clip = weight[held_out] * np.where(y[held_out] == 1, 5, 1)
    expected = np.average(-np.log(probability), weights=of_clip)
    assert classifier.history_["val_loss"] == pytest.approx([expected], rel=1e-5)
    expected = np.average(probability > 0.5, weights=of_clip)
    assert classifier.history_["val_accuracy"] == pytest.approx([expected], rel=1e-5)


def test_copies_are_held_out_with_their_clip_which_is_validated_on_as_it_is(monkeypatch):
    heard = []
    prepared = _fitting._prepared
    monkeypatch.setattr(_fitting, "_prepared", lambda *given: heard.append(given[2]) or prepared(*given))
    versions = [[np.full((4, 1), 100 * copy + i, dtype="float32") for i in range(20)] for copy in range(3)]
    settings = {"early_stopping": True, "validation_fraction": 0.3, "max_epochs": 2}
    small(**settings).fit(AugmentedSequences(versions[0], versions[1:]), np.arange(20) % 2)
    training, held_out = ([int(clip[0, 0]) for clip in part.clips] for part in heard)
    assert len(held_out) == 6
    assert max(held_out) < 20
    kept = sorted(set(range(20)) - set(held_out))
    assert sorted(training) == [100 * copy + i for copy in range(3) for i in kept]
    np.testing.assert_allclose(heard[0].weight, np.repeat([0.4, 0.3, 0.3], 14))
    np.testing.assert_allclose(heard[1].weight, 1.0)


def test_segments_of_copies_are_drawn_by_their_share_of_the_weight():
    X, y = clips_of(12)
    # Copies tell the opposite of their clips: what has more weight is believed.
    X, opposite = ([np.full((4, 1), sign * (2.0 * of - 1)) for of in y] for sign in (1, -1))
    for copy_weight, right in [(0.1, True), (0.9, False)]:
        classifier = small(sampling="weights", copy_weight=copy_weight, max_epochs=10)
        found = classifier.fit(AugmentedSequences(X, [opposite, opposite]), y).predict(X)
        assert (found == y).all() == right
        assert (found != y).all() != right


@pytest.mark.every_backend
def test_training_goes_on_with_warm_start():
    X, y = clips_of(20)
    once = small(warm_start=True, max_epochs=3).fit(X, y)
    loss = once.history_["loss"][0]
    assert once.fit(X, y).history_["loss"][0] < loss
    # Weights that were learnt with one standardisation keep it.
    mean = once._fitted.statistics.mean
    np.testing.assert_array_equal(once.fit([clip + 1 for clip in X], y)._fitted.statistics.mean, mean)
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
