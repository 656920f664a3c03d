"""From labelled clips and a classifier's parameters to a fitted network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicelstm.architecture import Architecture, Weights, initial_weights
from voicelstm.base_checks import checked_units, restored_on_failure
from voicelstm.checkpoint import Checkpoint, fingerprint
from voicelstm.fit_callbacks import EpochTasks, checked_callbacks
from voicelstm.labelled import LabelledInput, new_generator
from voicelstm.sequence_checking import checked_clips
from voicelstm.sequences import FrameStatistics, SegmentBatches

__all__ = ["Fitted", "Learned", "Ongoing", "fit_classifier", "learn"]


@dataclass(frozen=True)
class Fitted:
    """What prediction needs.

    Attributes
    ----------
    architecture : Architecture
        The network's shape.
    weights : dict of str to ndarray
        Its weights.
    statistics : FrameStatistics or None
        What frames are standardised by.
    class_totals : ndarray of shape (n_classes,)
        Weight of each class in training.
    """

    architecture: Architecture
    weights: Weights
    statistics: FrameStatistics | None
    class_totals: NDArray[np.float64]

    def batches(
        self, clips: Sequence[NDArray[Any]], segment_frames: int | None, n_rows: int
    ) -> SegmentBatches:
        """Cut clips into batches as this network reads them."""
        from voicelstm.network import frames_step

        dtype = self.architecture.weight_dtype
        return SegmentBatches(clips, segment_frames, n_rows, self.statistics, dtype, frames_step())


@dataclass(frozen=True)
class Ongoing:
    """What the next `partial_fit` goes on from."""

    generator: np.random.Generator
    optimizer_state: list[NDArray[Any]]


@dataclass(frozen=True)
class Learned:
    """What a fit leaves; `ongoing` only where it was one pass of many."""

    fitted: Fitted
    history: dict[str, list[float]]
    ongoing: Ongoing | None


def fit_classifier(
    classifier: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    classes: NDArray[Any] | None,
    *,
    goes_on: bool,
    tasks: EpochTasks | None = None,
) -> None:
    """Fit a classifier; where that fails, it is as it was before.

    Parameters
    ----------
    classifier : LSTMVoiceClassifier
        What learns.
    X, y, sample_weight
        As `fit` and `partial_fit` take them.
    classes : ndarray or None
        Labels that may come; None takes those of `y`.
    goes_on : bool
        Whether what was fitted before is where this begins.
    tasks : EpochTasks or None
        Who is told of each epoch; None where this is one pass of many, over one batch of clips.
    """
    one_pass = tasks is None
    before = classifier._fitted if goes_on else None
    ongoing = classifier._ongoing if goes_on and one_pass else None
    with restored_on_failure(classifier):
        expected = None if before is None else before.architecture.n_features
        clips = checked_clips(classifier, X, expected=expected)
        labelled = LabelledInput.checked(clips, y, sample_weight, classes, classifier.class_weight, one_pass)
        learned = learn(classifier, labelled, before, ongoing, tasks)
        classifier._fitted, classifier._ongoing = learned.fitted, learned.ongoing
        classifier.classes_ = labelled.classes
        earlier: dict[str, list[float]] = classifier.history_ if goes_on and one_pass else {}
        classifier.history_ = {
            name: earlier.get(name, []) + values for name, values in learned.history.items()
        }
        classifier.n_iter_ = len(classifier.history_["loss"])
        if tasks is not None:
            tasks.fit_ends()


def learn(
    classifier: Any,
    labelled: LabelledInput,
    before: Fitted | None,
    ongoing: Ongoing | None,
    tasks: EpochTasks | None,
) -> Learned:
    """Train a network on labelled clips; the classifier is read, and not changed.

    Parameters
    ----------
    classifier : LSTMVoiceClassifier
        Its parameters say how.
    labelled : LabelledInput
        The clips.
    before : Fitted or None
        Where training goes on from.
    ongoing : Ongoing or None
        What the last pass left.
    tasks : EpochTasks or None
        Who is told of each epoch; None where this is one pass of many, over one batch of clips.

    Returns
    -------
    Learned
        The network and its history.
    """
    one_pass = tasks is None
    from voicelstm.network import Compilation
    from voicelstm.network_pool import acquire_network
    from voicelstm.training import LabelledClips, Schedule, train

    architecture = _architecture(classifier, labelled)
    if before is not None and before.architecture != architecture:
        raise ValueError(
            f"The network cannot change while training goes on: it was {before.architecture}, now it would be"
            f" {architecture}. Call fit with warm_start=False to begin anew."
        )
    generator = new_generator(classifier.random_state) if ongoing is None else ongoing.generator
    weights = (
        initial_weights(architecture, generator, classifier.head_initializer)
        if before is None
        else before.weights
    )
    training, held_out = labelled, None
    if classifier.early_stopping and not one_pass:
        training, held_out = labelled.split(classifier.validation_fraction, generator)
    start = Fitted(
        architecture,
        weights,
        _statistics(classifier, training, before, one_pass=one_pass),
        training.class_totals() + (before.class_totals if before is not None and one_pass else 0),
    )
    own_optimizer = callable(classifier.optimizer)
    scheduled = callable(classifier.learning_rate) and not own_optimizer
    schedule = Schedule(
        max_epochs=1 if one_pass else classifier.max_epochs,
        max_steps=None if one_pass else classifier.max_steps,
        shuffle=classifier.shuffle,
        patience=classifier.patience,
        callbacks=checked_callbacks(classifier.callbacks),
        verbose=int(classifier.verbose),
    )

    def prepared(part: LabelledInput) -> LabelledClips:
        batches = start.batches(part.clips, classifier.segment_frames, classifier.batch_size)
        return LabelledClips(batches, part.encoded(architecture.weight_dtype), part.weight)

    clips = prepared(training)
    if scheduled:
        n_before = classifier.n_iter_ if before is not None and one_pass else 0
        rates = _rates(classifier.learning_rate, range(n_before, n_before + schedule.n_epochs(clips)))
        schedule = replace(schedule, rates=rates)
    seed = int(generator.integers(2**31))
    shared = not schedule.callbacks and not own_optimizer
    with acquire_network(architecture, Compilation.of(classifier), shared=shared) as network:
        network.reset(
            weights,
            seed=seed,
            learning_rate=None if own_optimizer or scheduled else classifier.learning_rate,
            optimizer_state=None if ongoing is None else ongoing.optimizer_state,
        )
        checkpoint = None
        if classifier.checkpoint is not None and not one_pass:
            drawn = {"seed": seed, "generator": generator.bit_generator.state}
            decided = network.describe_backend() | drawn | {"rates": schedule.rates}
            key = _key(classifier, labelled, start, decided)
            checkpoint = Checkpoint(classifier.checkpoint, key)

        def epoch_ends(history: dict[str, list[float]]) -> bool:
            return tasks is not None and tasks.epoch_ends(
                lambda: {
                    "_fitted": Fitted(architecture, network.weights(), start.statistics, start.class_totals),
                    "classes_": labelled.classes,
                    "history_": {name: list(values) for name, values in history.items()},
                    "n_iter_": len(history["loss"]),
                }
            )

        trained = train(
            network,
            clips,
            schedule,
            generator,
            validation=None if held_out is None else prepared(held_out),
            loss=classifier.loss,
            checkpoint=checkpoint,
            epoch_begins=None if tasks is None else tasks.epoch_begins,
            epoch_ends=epoch_ends,
        )
        if checkpoint is not None:
            checkpoint.remove()
        left = Ongoing(generator, network.optimizer_state()) if one_pass else None
    fitted = Fitted(architecture, trained.weights, start.statistics, start.class_totals)
    return Learned(fitted, trained.history, left)


def _architecture(classifier: Any, labelled: LabelledInput) -> Architecture:
    return Architecture(
        n_features=labelled.clips[0].shape[1],
        n_outputs=1 if len(labelled.classes) == 2 else len(labelled.classes),
        units=checked_units(classifier.units),
        bidirectional=bool(classifier.bidirectional),
        pooling=classifier.pooling,
        dropout=float(classifier.dropout),
        dtype=classifier.dtype,
    )


def _key(classifier: Any, labelled: LabelledInput, start: Fitted, described: dict[str, Any]) -> str:
    """Name a training by all that decides its result."""
    params = classifier.get_params(deep=False)
    # Callbacks may be added to show progress; of the others, what counts is hashed besides, in a form that
    # is the same in every process: numbers drawn, weights of clips, settings of optimizer and devices.
    for name in ("callbacks", "checkpoint", "verbose"):
        del params[name]
    if callable(classifier.learning_rate):
        del params["learning_rate"]
    for name in ("class_weight", "distribution", "optimizer", "random_state"):
        del params[name]
    statistics = [] if start.statistics is None else [start.statistics.mean, start.statistics.spread]
    arrays = [*start.weights.values(), *statistics, labelled.target, labelled.weight, *labelled.clips]
    total = None if start.statistics is None else start.statistics.total
    described = described | {"params": params, "classes": labelled.classes.tolist(), "total": total}
    return fingerprint(described, arrays)


def _statistics(
    classifier: Any, labelled: LabelledInput, before: Fitted | None, *, one_pass: bool
) -> FrameStatistics | None:
    """Statistics of the frames; weights learnt with some keep them, but for passes, which add theirs."""
    if not classifier.standardize:
        return None
    if before is None or before.statistics is None:
        statistics = FrameStatistics.nothing_yet(labelled.clips[0].shape[1])
    elif one_pass:
        statistics = before.statistics
    else:
        return before.statistics
    return statistics.updated(labelled.clips, labelled.sample_weight)


def _rates(learning_rate: Callable[[int], float], epochs: range) -> list[float]:
    """Ask a schedule for the step size of each epoch."""
    rates = []
    for epoch in epochs:
        answer = learning_rate(epoch)
        try:
            with np.errstate(over="ignore"):
                rate = float(np.float32(answer))  # as optimizers keep it
        except (TypeError, ValueError):
            rate = np.nan
        if not (np.isfinite(rate) and rate > 0):
            raise ValueError(
                f"learning_rate({epoch}) gave {answer!r}; expected a positive, finite step size."
            )
        rates.append(float(answer))
    return rates
