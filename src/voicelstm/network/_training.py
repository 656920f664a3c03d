"""Epochs of training: batches, callbacks, validation, early stopping."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, Self

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax, softmax

from voicelstm.exceptions import TrainingError
from voicelstm.network._architecture import Weights
from voicelstm.network._checkpoint import Checkpoint, Progress
from voicelstm.network._network import Network
from voicelstm.network._one_cycle import one_cycle
from voicelstm.network._prefetching import prefetched
from voicelstm.sequences import SegmentBatches, SpecAugment

__all__ = ["LabelledClips", "Schedule", "Trained", "train"]

_log = logging.getLogger(__name__)


class Rows(NamedTuple):
    """Segments of a batch, and what is drawn for them."""

    positions: NDArray[np.intp]
    starts: NDArray[np.intp] | None = None  # frames of their clips that they begin at; None is their own
    seed: int | None = None  # of what changes them


@dataclass(frozen=True)
class LabelledClips:
    """Segmented clips with a row of labels and a weight each; labels are one-hot, or 0/1 in one column."""

    batches: SegmentBatches
    labels: NDArray[np.floating]
    weights: NDArray[np.floating]

    @property
    def n_steps(self) -> int:
        """Batches of an epoch."""
        return -(-len(self.batches.segments) // self.batches.n_rows)

    def scaled(self, *, only_full_batches: bool) -> Self:
        """Scale the weights so that the segments of a full batch have a mean weight of 1, in expectation."""
        # A step divides by the rows of a full batch. If all segments are fewer, the one batch there is has
        # all of the weight, unless it is filled with segments that come again.
        n_segments = len(self.batches.segments)
        total = n_segments if only_full_batches else max(n_segments, self.batches.n_rows)
        return replace(self, weights=self.weights * (total / self.weights.sum()))

    def weight_of_segments(self, chosen: NDArray[np.intp]) -> NDArray[np.floating]:
        """Return the weights of segments; those of a clip share the clip's."""
        clip = self.batches.segments.clip[chosen]
        return self.weights[clip] / self.batches.segments.per_clip[clip]

    def class_of_segments(self) -> NDArray[np.intp]:
        """Return the class of each segment, numbered from 0."""
        one_column = self.labels.shape[1] == 1
        of_clip = self.labels[:, 0] if one_column else self.labels.argmax(axis=1)
        return of_clip[self.batches.segments.clip].astype(np.intp)


@dataclass(frozen=True)
class Schedule:
    """How long, in what order, and how changed; see :class:`voicelstm.LSTMVoiceClassifier`."""

    max_epochs: int
    max_steps: int | None
    shuffle: bool
    patience: int
    callbacks: Sequence[Callable[[], Any]]
    verbose: int
    by_weight: bool = False  # whether segments are drawn by their weights, which then do not weigh the loss
    random_crops: bool = False
    augment: SpecAugment | None = None
    rates: Sequence[float] | None = None  # step size of each epoch
    one_cycle_to: float | None = None  # largest of the step sizes that go up and down once, step by step

    def n_epochs(self, clips: LabelledClips) -> int:
        """Count the epochs that clips are seen, the last perhaps in part."""
        return self.max_epochs if self.max_steps is None else -(-self.max_steps // clips.n_steps)

    def rate_of_step(self, epoch: int, step: int, clips: LabelledClips) -> float | None:
        """Return the step size of a step of an epoch; None leaves that of the epoch."""
        if self.one_cycle_to is None:
            return None
        n_steps = self.max_epochs * clips.n_steps if self.max_steps is None else self.max_steps
        return one_cycle(self.one_cycle_to, epoch * clips.n_steps + step, n_steps)


@dataclass(frozen=True)
class Trained:
    """Weights and history of a training."""

    weights: Weights
    history: dict[str, list[float]]


def train(
    network: Network,
    clips: LabelledClips,
    schedule: Schedule,
    generator: np.random.Generator,
    validation: LabelledClips | None,
    loss: str,
    checkpoint: Checkpoint | None = None,
    epoch_begins: Callable[[], None] | None = None,
    epoch_ends: Callable[[dict[str, list[float]]], bool] | None = None,
    classifier_so_far: Callable[[dict[str, list[float]]], Any] | None = None,
) -> Trained:
    """Train a network, or go on as the checkpoint says; `epoch_ends` returns whether to stop.

    `classifier_so_far` makes a fitted classifier of a history, for the callbacks that ask for one.
    """
    n_epochs = schedule.n_epochs(clips)
    standing = _resumed(network, checkpoint)
    made = [make() for make in schedule.callbacks]
    if classifier_so_far is not None:
        for callback in made:
            if hasattr(callback, "set_classifier"):
                callback.set_classifier(lambda: classifier_so_far(standing.history_so_far()))
    callbacks = _keras_callbacks(network, made, schedule, clips.n_steps, n_epochs)
    _log_begin(clips, standing.n_epochs)
    first_rows = np.arange(min(len(clips.batches.segments), clips.batches.n_rows))
    first_batch = _labelled_batch(clips, schedule, Rows(first_rows))
    network.check_agreement(clips.batches.lengths, clips.labels, clips.weights, *first_batch)
    logs: dict[str, float] = {}
    callbacks.on_train_begin()
    for epoch, orders in enumerate(_epochs(clips, schedule, clips.n_steps, n_epochs, generator)):
        if epoch < standing.n_epochs:
            continue  # its order had to be drawn, so that the next ones are what they would have been
        if schedule.rates is not None:
            network.set_learning_rate(schedule.rates[epoch])
        if epoch_begins is not None:
            epoch_begins()
        callbacks.on_epoch_begin(epoch)
        logs = _train_epoch(network, clips, schedule, epoch, orders, callbacks, standing)
        _check_loss(logs["loss"], epoch)
        if validation is not None:
            logs |= _validate(network, validation, loss)
            standing.compare(logs["val_loss"], network)
        standing.add(logs)
        _log_epoch(logs, epoch, n_epochs)
        callbacks.on_epoch_end(epoch, logs)
        stops = epoch_ends is not None and epoch_ends(standing.history)
        out_of_patience = validation is not None and standing.n_stale >= schedule.patience
        if stops or network.model.stop_training or out_of_patience:
            break
        if checkpoint is not None:
            checkpoint.write(standing.progress(network))
    callbacks.on_train_end(logs)
    weights = network.weights() if standing.best_weights is None else standing.best_weights
    _check_weights(weights)
    return Trained(weights, standing.history)


@dataclass
class _Standing:
    """How far a training has come, and with validation, the best weights and the epochs since."""

    n_epochs: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)
    best_loss: float | None = None
    best_weights: Weights | None = None
    n_stale: int = 0
    of_steps: dict[str, float] = field(default_factory=dict)  # of an epoch that is not complete

    def history_so_far(self) -> dict[str, list[float]]:
        """Return the history, with the epoch that is not complete; it has not been validated."""
        if not self.of_steps and not self.history:
            raise TrainingError("No step has been taken yet: ask for the classifier after the first.")
        names = self.history or self.of_steps
        last = {name: [self.of_steps.get(name, np.nan)] if self.of_steps else [] for name in names}
        return {name: [*self.history.get(name, []), *last[name]] for name in names}

    def compare(self, loss: float, network: Network) -> None:
        """Keep the network's weights if their validation loss is the lowest so far."""
        if self.best_loss is None or loss < self.best_loss:
            self.best_loss, self.best_weights, self.n_stale = loss, network.weights(), 0
        else:
            self.n_stale += 1

    def add(self, logs: dict[str, float]) -> None:
        """Count an epoch, and add its losses and accuracies to the history."""
        self.n_epochs += 1
        self.of_steps = {}
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)

    def progress(self, network: Network) -> Progress:
        """Return what a checkpoint keeps."""
        return Progress(
            network.state(), self.n_epochs, self.history, self.best_loss, self.best_weights, self.n_stale
        )


def _keras_callbacks(
    network: Network, made: list[Any], schedule: Schedule, n_steps: int, n_epochs: int
) -> keras.callbacks.CallbackList:
    return keras.callbacks.CallbackList(
        made,
        add_progbar=schedule.verbose > 0,
        model=network.model,
        verbose=schedule.verbose,
        epochs=n_epochs,
        steps=n_steps,
    )


def _resumed(network: Network, checkpoint: Checkpoint | None) -> _Standing:
    """Set the network to where an interrupted training was."""
    progress = None if checkpoint is None else checkpoint.read(network.state(), network.weights())
    if progress is None:
        return _Standing()
    network.set_state(progress.variables)
    return _Standing(
        progress.n_epochs, progress.history, progress.best_loss, progress.best_weights, progress.n_stale
    )


def _log_begin(clips: LabelledClips, n_done: int) -> None:
    n_clips, n_segments = len(clips.labels), len(clips.batches.segments)
    _log.info("training on %d clips in %d segments, %d to a batch", n_clips, n_segments, clips.batches.n_rows)
    if n_done:
        _log.info("going on after epoch %d, where a fit was interrupted", n_done)


def _log_epoch(logs: dict[str, float], epoch: int, n_epochs: int) -> None:
    told = ", ".join(f"{name} {value:.4g}" for name, value in logs.items())
    _log.info("epoch %d of %d: %s", epoch + 1, n_epochs, told)


def _train_epoch(
    network: Network,
    clips: LabelledClips,
    schedule: Schedule,
    epoch: int,
    orders: list[Rows],
    callbacks: keras.callbacks.CallbackList,
    standing: "_Standing",
) -> dict[str, float]:
    """Take the steps of one epoch; return the weighted means of loss and accuracy."""
    logs: dict[str, float] = {}
    sums: dict[str, float] = {}
    total = 0.0
    with closing(prefetched(partial(_labelled_batch, clips, schedule), orders)) as batches:
        for step, batch in enumerate(batches):
            rate = schedule.rate_of_step(epoch, step, clips)
            if rate is not None:
                network.set_learning_rate(rate)
            callbacks.on_train_batch_begin(step)
            of_batch = network.train_step(*batch)
            weight = of_batch.pop("weight")
            total += weight
            for name, value in of_batch.items():
                sums[name] = sums.get(name, 0.0) + value * weight
            logs = standing.of_steps = {name: value / total for name, value in sums.items()}
            callbacks.on_train_batch_end(step, logs)
            if network.model.stop_training:
                break
    return logs


def _check_loss(loss: float, epoch: int) -> None:
    if not np.isfinite(loss):
        raise TrainingError(
            f"The loss became {loss} in epoch {epoch + 1}. Lower learning_rate, set clip_norm, or"
            " look for extreme values in X. What was fitted before is kept."
        )


def _check_weights(weights: Weights) -> None:
    """Refuse weights that the last step spoilt: the loss that is reported is the one before it."""
    if not all(np.isfinite(values).all() for values in weights.values()):
        raise TrainingError(
            "The last step made weights that are not finite. Lower learning_rate, or set clip_norm."
            " What was fitted before is kept."
        )


def _epochs(
    clips: LabelledClips, schedule: Schedule, n_steps: int, n_epochs: int, generator: np.random.Generator
) -> Iterator[list[Rows]]:
    """Yield, for each epoch, the rows of each batch."""
    n_segments, n_rows = len(clips.batches.segments), clips.batches.n_rows
    classes = clips.class_of_segments()

    def order() -> NDArray[np.intp]:
        return generator.permutation(n_segments) if schedule.shuffle else np.arange(n_segments)

    stream = np.empty(0, dtype=np.intp)
    for epoch in range(n_epochs):
        n_batches = n_steps
        if schedule.max_steps is not None:
            n_batches = min(n_steps, schedule.max_steps - epoch * n_steps)
        if schedule.by_weight:
            weights = clips.weight_of_segments(np.arange(n_segments))
            positions = _drawn_by_weight(weights, classes, n_batches, n_rows, generator)
        elif schedule.max_steps is None:
            positions = order()
        else:
            while len(stream) < n_batches * n_rows:
                stream = np.concatenate([stream, order()])
            positions, stream = stream[: n_batches * n_rows], stream[n_batches * n_rows :]
        if schedule.shuffle:
            positions = clips.batches.bucket_by_length(positions, classes[positions], generator)
        starts = clips.batches.random_starts(positions, generator) if schedule.random_crops else None
        rows = [slice(first, first + n_rows) for first in range(0, len(positions), n_rows)]
        # One of each batch, which the order in which batches are made, or whether they are, does not change.
        seeds = None if schedule.augment is None else generator.integers(2**63, size=len(rows)).tolist()
        yield [
            Rows(
                positions[each],
                None if starts is None else starts[each],
                None if seeds is None else seeds[batch],
            )
            for batch, each in enumerate(rows)
        ]


def _drawn_by_weight(
    weights: NDArray[np.floating],
    classes: NDArray[np.intp],
    n_batches: int,
    n_rows: int,
    generator: np.random.Generator,
) -> NDArray[np.intp]:
    """Draw segments for full batches by their weights, and deal each class evenly to the batches."""
    # Points in equal distances on the line of all weights, so that no segment comes much more often or rarely
    # than its weight says (systematic sampling).
    order = generator.permutation(len(weights))
    order = order[np.argsort(classes[order], kind="stable")]
    ends = np.cumsum(weights[order], dtype=np.float64)
    n_drawn = n_batches * n_rows
    points = (np.arange(n_drawn) + generator.random()) * (ends[-1] / n_drawn)
    drawn = order[np.minimum(np.searchsorted(ends, points, side="right"), len(order) - 1)]
    # In random order, or those of a segment that comes several times would follow each other.
    return generator.permutation(drawn.reshape(n_rows, n_batches).T).ravel()


def _labelled_batch(clips: LabelledClips, schedule: Schedule, rows: Rows) -> tuple[NDArray, ...]:
    chosen, batches = rows.positions, clips.batches
    batch, lengths = batches.take(chosen, rows.starts)
    if schedule.augment is not None and rows.seed is not None:
        generator = np.random.default_rng(rows.seed)
        batch = schedule.augment(batch, lengths, generator, scale=batches.scale)
    labels = np.zeros((len(batch), clips.labels.shape[1]), dtype=batches.dtype)
    labels[: len(chosen)] = clips.labels[batches.segments.clip[chosen]]
    weight = np.zeros(len(batch), dtype=batches.dtype)
    weight[: len(chosen)] = 1 if schedule.by_weight else clips.weight_of_segments(chosen)
    return batch, lengths, labels, weight


def _validate(network: Network, validation: LabelledClips, loss: str) -> dict[str, float]:
    batches, labels = validation.batches, validation.labels
    scores = batches.clip_scores(network.logits(batches))
    if labels.shape[1] == 1:
        # log(1 + exp(-s)) for the clips of class 1, log(1 + exp(s)) for the others.
        losses = np.logaddexp(0, np.where(labels == 1, -scores, scores))[:, 0]
        probability = expit(scores)
        correct = (scores[:, 0] > 0) == (labels[:, 0] == 1)
    else:
        losses = -(labels * log_softmax(scores, axis=1)).sum(axis=1)
        probability = softmax(scores, axis=1)
        correct = scores.argmax(axis=1) == labels.argmax(axis=1)
    if loss == "squared_error":
        losses = np.square(labels - probability).mean(axis=1)
    return {
        "val_loss": float(np.average(losses, weights=validation.weights)),
        "val_accuracy": float(np.average(correct, weights=validation.weights)),
    }
