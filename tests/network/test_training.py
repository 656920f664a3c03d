from dataclasses import replace
from itertools import chain

import keras
import numpy as np
import pytest
from sklearn.base import clone

from tests.classifier.fits import clips_of, small
from voicelstm.exceptions import TrainingError
from voicelstm.network._training import LabelledClips, Rows, Schedule, _epochs, _labelled_batch, _validate
from voicelstm.sequences import FrameStatistics, SegmentBatches, SpecAugment


def labelled_clips(lengths, labels, weights, segment_frames=None, n_rows=3):
    clips = [np.full((n, 1), float(position)) for position, n in enumerate(lengths)]
    batches = SegmentBatches(clips, segment_frames, n_rows, None, "float64")
    return LabelledClips(batches, np.array(labels, dtype=float), np.array(weights, dtype=float))


def epochs_of(clips, max_epochs=3, max_steps=None, shuffle=True, **options):
    schedule = replace(schedule_of(**options), max_epochs=max_epochs, max_steps=max_steps, shuffle=shuffle)
    n_epochs = schedule.n_epochs(clips)
    return list(_epochs(clips, schedule, clips.n_steps, n_epochs, np.random.default_rng(0)))


def orders(clips, **options):
    return [[rows.positions.tolist() for rows in epoch] for epoch in epochs_of(clips, **options)]


def schedule_of(**options):
    return Schedule(3, None, True, patience=0, callbacks=(), verbose=0, **options)


def test_an_epoch_sees_each_segment_once_in_an_order_of_its_own():
    clips = labelled_clips([5] * 8, [[0]] * 8, [1] * 8)
    epochs = orders(clips)
    assert [[len(batch) for batch in epoch] for epoch in epochs] == [[3, 3, 2]] * 3
    assert [sorted(chain(*epoch)) for epoch in epochs] == [list(range(8))] * 3
    assert len({str(epoch) for epoch in epochs}) == 3
    assert orders(clips, shuffle=False) == [[[0, 1, 2], [3, 4, 5], [6, 7]]] * 3


def test_steps_take_full_batches_and_every_segment_before_one_comes_again():
    clips = labelled_clips([5] * 8, [[0]] * 8, [1] * 8)
    epochs = orders(clips, max_steps=8)
    assert [len(epoch) for epoch in epochs] == [3, 3, 2]
    batches = list(chain(*epochs))
    assert [len(batch) for batch in batches] == [3] * 8
    seen = list(chain(*batches))
    for first in (0, 8, 16):
        assert sorted(seen[first : first + 8]) == list(range(8))


@pytest.mark.parametrize("labels", [[[0]] * 11 + [[1]] * 11, np.eye(3)[[2] * 11 + [0] * 11]])
@pytest.mark.parametrize("max_steps", [None, 11])
def test_each_full_batch_holds_both_classes_though_one_has_shorter_clips(labels, max_steps):
    clips = labelled_clips([10] * 11 + [100] * 11, labels, [1] * 22, n_rows=4)
    batches = [batch for batch in chain(*orders(clips, max_steps=max_steps)) if len(batch) == 4]
    assert len(batches) >= 11
    # Two of each, and one more or less.
    assert {sum(position < 11 for position in batch) for batch in batches} <= {1, 2, 3}


@pytest.mark.parametrize("max_steps", [None, 40])
def test_segments_come_as_often_as_their_weights_say_and_each_batch_has_the_classes_in_proportion(max_steps):
    # The first two clips weigh half of class 0; the last, of two segments, half of class 1.
    weights = [4, 4, *[1] * 8, *[1] * 8, 8]
    clips = labelled_clips([5] * 18 + [10], [[0]] * 10 + [[1]] * 9, weights, segment_frames=5, n_rows=8)
    epochs = orders(clips, max_epochs=4, max_steps=max_steps, by_weight=True)
    batches = list(chain(*epochs))
    assert len(batches) == (12 if max_steps is None else 40)
    assert {len(batch) for batch in batches} == {8}
    assert {sum(position < 10 for position in batch) for batch in batches} <= {3, 4, 5}
    per_segment = np.array([*weights[:-1], 4, 4]) / 32
    for epoch in epochs:
        drawn = np.bincount(list(chain(*epoch)), minlength=20)
        assert (np.abs(drawn - per_segment * drawn.sum()) < 1).all()
    assert len({str(epoch) for epoch in epochs}) == len(epochs)


def test_a_segment_that_weighs_much_comes_at_most_once_a_batch_and_over_all_of_the_epoch():
    # Alone half of its class, which is half of each batch of 4: in every batch.
    clips = labelled_clips([5] * 80, [[0]] * 40 + [[1]] * 40, [39, *[1] * 39, *[1.95] * 40], n_rows=4)
    assert [sorted(batch).count(0) for batch in chain(*orders(clips, by_weight=True))] == [1] * 60
    # A quarter of its class: in half of the batches, and not 10 after each other.
    clips = labelled_clips([5] * 80, [[0]] * 40 + [[1]] * 40, [13, *[1] * 39, *[1.3] * 40], n_rows=4)
    for epoch in orders(clips, by_weight=True):
        counts = [batch.count(0) for batch in epoch]
        assert sum(counts) == 10
        assert max(counts) == 1
        assert np.count_nonzero(np.diff(counts)) > 3


def test_rows_that_were_drawn_by_their_weights_weigh_the_same():
    clips = labelled_clips([4, 20], [[0], [1]], [3, 5], segment_frames=10, n_rows=4)
    *_, weight = _labelled_batch(clips, schedule_of(by_weight=True), Rows(np.array([1, 0, 2])))
    assert weight.tolist() == [1, 1, 1, 0]


def test_random_crops_begin_anywhere_in_their_clip_and_have_its_frames():
    clips = [np.arange(n, dtype=float)[:, None] for n in (10, 4, 5)]
    batches = SegmentBatches(clips, 4, 8, None, "float64")
    labelled = LabelledClips(batches, np.zeros((3, 1)), np.ones(3))
    seen = {0: set(), 1: set(), 2: set()}
    for rows in chain(*epochs_of(labelled, max_epochs=60, random_crops=True)):
        batch, lengths, *_ = _labelled_batch(labelled, schedule_of(), rows)
        assert (lengths[: len(rows.positions)] == 4).all()
        for row, segment in enumerate(rows.positions):
            assert (np.diff(batch[row, :4, 0]) == 1).all()
            seen[int(batches.segments.clip[segment])].add(int(batch[row, 0, 0]))
    assert seen == {0: set(range(7)), 1: {0}, 2: {0, 1}}


def test_each_batch_is_changed_anew_and_an_equal_training_changes_it_so_again():
    lengths = [9, 6, 9, 6]
    clips = [np.random.default_rng(n).normal(size=(frames, 4)) for n, frames in enumerate(lengths)]
    statistics = FrameStatistics(1.0, np.zeros(4), np.array([1.0, 4.0, 4.0, 16.0]))  # deviations 1, 2, 2, 4
    batches = SegmentBatches(clips, None, 2, statistics, "float64")
    labelled = LabelledClips(batches, np.array([[0.0], [1], [0], [1]]), np.ones(4))
    tint = SpecAugment(frequency_mask=None, time_mask=None, equalization_points=1)
    schedule = schedule_of(augment=tint)

    def added():
        of_each = []
        for rows in chain(*epochs_of(labelled, augment=tint)):
            batch, lengths, *_ = _labelled_batch(labelled, schedule, rows)
            plain, *_ = _labelled_batch(labelled, schedule_of(), rows)
            for row, length in enumerate(lengths):
                assert (batch[row, length:] == 0).all()
                # One number for the whole segment, in the units of the clips.
                difference = (batch - plain)[row, :length] * [1, 2, 2, 4]
                np.testing.assert_allclose(difference, difference[0, 0], atol=1e-12)
                of_each.append(difference[0, 0])
        return of_each

    values = added()
    assert len(values) == 12 == len(set(values))
    assert added() == values
    # The order of the segments is that without.
    assert orders(labelled, augment=tint)[0] == orders(labelled)[0]


@pytest.mark.parametrize(
    ("n_clips", "only_full_batches", "expected"),
    [(6, False, [1, 2, 1, 0.5, 0.5, 1]), (2, False, [1, 2]), (2, True, [2 / 3, 4 / 3])],
)
def test_weights_are_scaled_so_that_a_full_batch_divided_by_its_rows_is_a_mean(
    n_clips, only_full_batches, expected
):
    clips = labelled_clips([5] * n_clips, [[0]] * n_clips, [20, 40, 20, 10, 10, 20][:n_clips], n_rows=3)
    found = clips.scaled(only_full_batches=only_full_batches)
    np.testing.assert_allclose(found.weights, expected)


def test_segments_share_the_weight_of_their_clip_and_added_rows_have_none():
    # Of 10 frames each clip of 4 has one segment, and the clip of 20 two.
    clips = labelled_clips([4, 20], [[0], [1]], [3, 5], segment_frames=10, n_rows=4)
    batch, lengths, labels, weight = _labelled_batch(clips, schedule_of(), Rows(np.array([1, 0, 2])))
    assert lengths[:3].tolist() == [10, 4, 10]
    assert batch[:3, 0, 0].tolist() == [1, 0, 1]
    assert labels[:3, 0].tolist() == [1, 0, 1]
    assert weight.tolist() == [2.5, 3, 2.5, 0]


class Scores:
    """Stands for a network that scores segments so."""

    def __init__(self, scores):
        self.logits = lambda batches: np.array(scores)


# By hand: probabilities of the labels 3/4, 1/4 and 1/2, and clips that weigh 1, 2 and 1.
@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        ([[1], [0], [1]], [[np.log(3)], [np.log(3)], [0.0]]),
        ([[1, 0], [0, 1], [1, 0]], [[np.log(3), 0.0], [np.log(3), 0.0], [0.0, 0.0]]),
    ],
)
def test_validation_is_the_mean_over_clips_by_weight(labels, scores):
    validation = labelled_clips([4, 6, 5], labels, [1, 2, 1])
    found = _validate(Scores(scores), validation, "cross_entropy")
    assert found["val_loss"] == pytest.approx(np.log(4 / 3 * 4**2 * 2) / 4)
    found = _validate(Scores(scores), validation, "squared_error")
    assert found["val_loss"] == pytest.approx((1 / 16 + 2 * 9 / 16 + 1 / 4) / 4)


def test_validation_counts_the_clips_whose_label_scores_highest():
    binary = labelled_clips([4, 6, 5], [[1], [0], [1]], [1, 2, 1])
    assert _validate(Scores([[0.1], [0.1], [0.1]]), binary, "cross_entropy")["val_accuracy"] == 0.5
    three = labelled_clips([4, 6], np.eye(3)[[0, 2]], [1, 3])
    scores = [[1.0, 0.0, 0.9], [1.0, 0.0, 1.1]]
    assert _validate(Scores(scores), three, "cross_entropy")["val_accuracy"] == 1.0
    scores = [[0.0, 0.1, -1.0], [1.0, 0.0, 1.1]]
    assert _validate(Scores(scores), three, "cross_entropy")["val_accuracy"] == 0.75


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
