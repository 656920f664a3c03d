"""Fit a classifier's network to labelled clips: all epochs of `fit`, or the one pass of `partial_fit`."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from voicelstm._base import checked_convolutions, checked_units, restored_on_failure
from voicelstm.classifier._callback_descriptions import describe_callbacks
from voicelstm.classifier._callbacks import EpochTasks, checked_callbacks
from voicelstm.classifier._fitted import FittedNetwork, check_segments
from voicelstm.classifier._labelled import LabelledInput, known_human_label, new_generator
from voicelstm.exceptions import ModelFileWarning
from voicelstm.network import Architecture, Checkpoint, Weights, fingerprint, initial_weights
from voicelstm.sequences import FrameStatistics, checked_clips, named_version, versions_of

if TYPE_CHECKING:
    from voicelstm.network import LabelledClips, Network, Schedule

__all__ = ["FitResult", "PartialFitState", "check_training", "fit_classifier", "partial_fit_classifier"]

History = dict[str, list[float]]


@dataclass(frozen=True)
class PartialFitState:
    """State that the next `partial_fit` goes on from, beside the weights."""

    generator: np.random.Generator
    optimizer_state: list[NDArray[Any]]


@dataclass(frozen=True)
class FitResult:
    """Network and history of a fit; after `fit`, which is complete, there is no state to go on from."""

    fitted: FittedNetwork
    history: History
    partial_fit_state: PartialFitState | None = None


def fit_classifier(
    classifier: Any, X: Any, y: Any, sample_weight: Any, tasks: EpochTasks, *, goes_on: bool
) -> None:
    """Fit a classifier, from its weights if it goes on; if that fails, it is as it was before."""
    before = classifier._fitted if goes_on else None
    classes = classifier.classes_ if goes_on else None
    with restored_on_failure(classifier), _restored_draws(classifier.random_state):
        clips, *copies = _clips(classifier, X, before)
        labelled = LabelledInput.checked(
            clips, y, sample_weight, classes, classifier.class_weight, one_pass=False, copies=copies
        )
        known_human_label(labelled.classes, classifier.human_label)  # before anything is trained
        result = _fit(classifier, labelled, before, tasks)
        _set_attributes(classifier, result, labelled.classes)
        tasks.fit_ends()


def partial_fit_classifier(
    classifier: Any, X: Any, y: Any, sample_weight: Any, classes: NDArray[Any], *, goes_on: bool
) -> None:
    """Make one pass over a batch of clips; if that fails, the classifier is as it was before."""
    before = classifier._fitted if goes_on else None
    state = classifier._partial_fit_state if goes_on else None
    with restored_on_failure(classifier), _restored_draws(classifier.random_state):
        clips, *copies = _clips(classifier, X, before)
        labelled = LabelledInput.checked(
            clips, y, sample_weight, classes, classifier.class_weight, one_pass=True, copies=copies
        )
        known_human_label(labelled.classes, classifier.human_label)  # before anything is trained
        result = _partial_fit(classifier, labelled, before, state)
        _set_attributes(classifier, result, labelled.classes)


@contextmanager
def _restored_draws(random_state: Any) -> Iterator[None]:
    """Set a user's RandomState back if a fit fails or is interrupted, so that the next one draws the same."""
    if not isinstance(random_state, np.random.RandomState):
        yield
        return
    before = random_state.get_state()
    try:
        yield
    except BaseException:
        random_state.set_state(before)
        raise


def _clips(classifier: Any, X: Any, before: FittedNetwork | None) -> list[list[NDArray[Any]]]:
    """Return the frames of each clip, and then those of each copy of the clips, if there are copies."""
    expected = None if before is None else before.architecture.n_features
    versions: list[list[NDArray[Any]]] = []
    for number, version in enumerate(versions_of(X)):
        with named_version(number):
            versions.append(checked_clips(classifier, version, expected=expected))
        expected = versions[0][0].shape[1]
    return versions


def _set_attributes(classifier: Any, result: FitResult, classes: NDArray[Any]) -> None:
    for name, value in _attributes(classifier, result, classes).items():
        setattr(classifier, name, value)


def _attributes(classifier: Any, result: FitResult, classes: NDArray[Any]) -> dict[str, Any]:
    """Return the attributes of a classifier with this network and history."""
    return {
        "_fitted": result.fitted,
        "_human_label": known_human_label(classes, classifier.human_label),
        "_partial_fit_state": result.partial_fit_state,
        "classes_": classes,
        "history_": {name: list(values) for name, values in result.history.items()},
        "n_iter_": len(result.history["loss"]),
    }


def _fitted_copy(classifier: Any, attributes: dict[str, Any]) -> Any:
    """Return a classifier of these attributes, without what watched and kept the training of this one."""
    copy = clone(classifier).set_params(callbacks=None, checkpoint=None)
    for name in ("_reads_columns", "feature_names_in_", "n_features_in_"):
        if hasattr(classifier, name):
            setattr(copy, name, getattr(classifier, name))
    for name, value in attributes.items():
        setattr(copy, name, value)
    return copy


def _fit(
    classifier: Any, labelled: LabelledInput, before: FittedNetwork | None, tasks: EpochTasks
) -> FitResult:
    """Train a network for all epochs; the classifier is read, and not changed."""
    from voicelstm.network import train

    check_training(classifier, labelled.n_features)
    architecture = _architecture(classifier, labelled, before)
    generator = new_generator(classifier.random_state)
    weights = _first_weights(classifier, architecture, before, generator)
    training, held_out = _split(classifier, labelled, generator)
    totals = training.class_totals()
    training = training.expanded(classifier.copy_weight)
    statistics = None if before is None or not classifier.standardize else before.statistics
    if statistics is None:  # else the weights were learnt with them, and keep them
        statistics = _statistics(classifier, training)
    start = FittedNetwork(architecture, weights, statistics, totals)
    only_full_batches = classifier.max_steps is not None
    clips = _prepared(classifier, start, training).scaled(only_full_batches=only_full_batches)
    schedule = _schedule(classifier, clips, classifier.max_epochs, classifier.max_steps)
    seed = int(generator.integers(2**31))
    with _network(classifier, start, schedule, seed) as network:
        drawn = {"seed": seed, "generator": generator.bit_generator.state}
        checkpoint = _checkpoint(classifier, labelled, start, network, drawn | {"rates": schedule.rates})

        def attributes_so_far(history: History) -> dict[str, Any]:
            fitted = replace(start, weights=network.weights())
            return _attributes(classifier, FitResult(fitted, history), labelled.classes)

        def epoch_ends(history: History) -> bool:
            return tasks.epoch_ends(lambda: attributes_so_far(history))

        def classifier_so_far(history: History) -> Any:
            return _fitted_copy(classifier, attributes_so_far(history))

        trained = train(
            network,
            clips,
            schedule,
            generator,
            validation=None if held_out is None else _prepared(classifier, start, held_out),
            loss=classifier.loss,
            checkpoint=checkpoint,
            epoch_begins=tasks.epoch_begins,
            epoch_ends=epoch_ends,
            classifier_so_far=classifier_so_far,
        )
        if checkpoint is not None:
            checkpoint.remove()
    return FitResult(replace(start, weights=trained.weights), trained.history)


def _partial_fit(
    classifier: Any, labelled: LabelledInput, before: FittedNetwork | None, state: PartialFitState | None
) -> FitResult:
    """Train a network for one epoch, going on from the last pass; the classifier is read, and not changed."""
    from voicelstm.network import train

    if classifier.sampling == "weights":
        raise ValueError(
            'partial_fit takes weights as they are, which sampling="weights" cannot: set sampling="all".'
        )
    if classifier.learning_rate_schedule == "one_cycle":
        raise ValueError(
            "partial_fit does not know how many steps will come, which a cycle of the step size needs: set"
            ' learning_rate_schedule="constant".'
        )

    check_training(classifier, labelled.n_features)
    architecture = _architecture(classifier, labelled, before)
    # A copy, since a pass that fails must not have drawn from it.
    generator = new_generator(classifier.random_state) if state is None else deepcopy(state.generator)
    weights = _first_weights(classifier, architecture, before, generator)
    totals = labelled.class_totals() + (0 if before is None else before.class_totals)
    labelled = labelled.expanded(classifier.copy_weight)
    statistics = _statistics(classifier, labelled, None if before is None else before.statistics)
    start = FittedNetwork(architecture, weights, statistics, totals)
    clips = _prepared(classifier, start, labelled)
    n_before = 0 if before is None else classifier.n_iter_
    schedule = _schedule(classifier, clips, max_epochs=1, max_steps=None, first_epoch=n_before)
    seed = int(generator.integers(2**31))
    optimizer_state = None if state is None else state.optimizer_state
    earlier: History = {} if before is None else classifier.history_

    def joined(history: History) -> History:
        return {name: earlier.get(name, []) + values for name, values in history.items()}

    with _network(classifier, start, schedule, seed, optimizer_state) as network:

        def classifier_so_far(history: History) -> Any:
            result = FitResult(replace(start, weights=network.weights()), joined(history))
            return _fitted_copy(classifier, _attributes(classifier, result, labelled.classes))

        trained = train(
            network,
            clips,
            schedule,
            generator,
            validation=None,
            loss=classifier.loss,
            classifier_so_far=classifier_so_far,
        )
        state = PartialFitState(generator, network.optimizer_state())
    return FitResult(replace(start, weights=trained.weights), joined(trained.history), state)


def check_training(classifier: Any, n_features: int | None = None) -> None:
    """Refuse parameters that contradict each other, or the features, if their number is known."""
    checked_units(classifier.units)
    checked_convolutions(classifier.convolutions)
    check_segments(classifier)
    if classifier.sampling == "weights" and not classifier.shuffle:
        raise ValueError('sampling="weights" draws segments at random; set shuffle=True, or sampling="all".')
    if classifier.random_crops and classifier.segment_frames is None:
        raise ValueError(
            "random_crops=True begins segments at random frames, and with segment_frames=None a clip is one"
            " segment: give a number of frames, or set random_crops=False."
        )
    one_cycle = classifier.learning_rate_schedule == "one_cycle"
    if one_cycle and callable(classifier.learning_rate):
        raise ValueError(
            'learning_rate_schedule="one_cycle" needs the largest step size as learning_rate, which is a'
            ' callable: give a number, or set learning_rate_schedule="constant".'
        )
    if one_cycle and callable(classifier.optimizer):
        raise ValueError(
            'learning_rate_schedule="one_cycle" does not apply to an optimizer that a callable makes: name'
            ' the optimizer, give its maker a schedule of Keras, or set learning_rate_schedule="constant".'
        )
    if classifier.augment is not None:
        classifier.augment.check(n_features)


def _architecture(classifier: Any, labelled: LabelledInput, before: FittedNetwork | None) -> Architecture:
    """Return the architecture that the parameters describe, which must be that of the network before."""
    architecture = Architecture(
        n_features=labelled.n_features,
        n_outputs=1 if len(labelled.classes) == 2 else len(labelled.classes),
        units=checked_units(classifier.units),
        bidirectional=bool(classifier.bidirectional),
        pooling=classifier.pooling,
        dropout=float(classifier.dropout),
        dtype=classifier.dtype,
        convolutions=checked_convolutions(classifier.convolutions),
    )
    if before is not None and before.architecture != architecture:
        raise ValueError(
            f"The network cannot change while training goes on: it was {before.architecture}, now it would be"
            f" {architecture}. Call fit with warm_start=False to begin anew."
        )
    return architecture


def _first_weights(
    classifier: Any, architecture: Architecture, before: FittedNetwork | None, generator: np.random.Generator
) -> Weights:
    if before is not None:
        return before.weights
    return initial_weights(architecture, generator, classifier.head_initializer)


def _split(
    classifier: Any, labelled: LabelledInput, generator: np.random.Generator
) -> tuple[LabelledInput, LabelledInput | None]:
    """Hold out clips for early stopping, which are heard as they are; what is trained on has copies."""
    if not classifier.early_stopping:
        return labelled, None
    return labelled.split(classifier.validation_fraction, generator)


def _statistics(
    classifier: Any, labelled: LabelledInput, earlier: FrameStatistics | None = None
) -> FrameStatistics | None:
    """Return the statistics of the frames, added to those of earlier passes."""
    if not classifier.standardize:
        return None
    if earlier is None:
        earlier = FrameStatistics.nothing_yet(labelled.n_features)
    return earlier.updated(labelled.clips, labelled.sample_weight)


def _prepared(classifier: Any, start: FittedNetwork, part: LabelledInput) -> "LabelledClips":
    """Cut clips into batches, and encode their labels."""
    from voicelstm.network import LabelledClips

    batches = start.batches(part.clips, classifier)
    return LabelledClips(batches, part.encoded(start.architecture.weight_dtype), part.weight)


def _schedule(
    classifier: Any, clips: "LabelledClips", max_epochs: int, max_steps: int | None, first_epoch: int = 0
) -> "Schedule":
    from voicelstm.network import Schedule

    one_cycle = classifier.learning_rate_schedule == "one_cycle"
    schedule = Schedule(
        max_epochs=max_epochs,
        max_steps=max_steps,
        shuffle=classifier.shuffle,
        patience=classifier.patience,
        callbacks=checked_callbacks(classifier.callbacks),
        verbose=int(classifier.verbose),
        by_weight=classifier.sampling == "weights",
        random_crops=classifier.random_crops,
        augment=classifier.augment,
        one_cycle_to=float(classifier.learning_rate) if one_cycle else None,
    )
    if callable(classifier.learning_rate) and not callable(classifier.optimizer):
        epochs = range(first_epoch, first_epoch + schedule.n_epochs(clips))
        schedule = replace(schedule, rates=_rates(classifier.learning_rate, epochs))
    return schedule


@contextmanager
def _network(
    classifier: Any,
    start: FittedNetwork,
    schedule: "Schedule",
    seed: int,
    optimizer_state: Sequence[NDArray[Any]] | None = None,
) -> "Iterator[Network]":
    """Hold a network that is ready to be trained."""
    from voicelstm.network import Compilation, acquire_network

    own_optimizer = callable(classifier.optimizer)
    shared = not schedule.callbacks and not own_optimizer
    with acquire_network(start.architecture, Compilation.of(classifier), shared=shared) as network:
        network.reset(
            start.weights,
            seed=seed,
            learning_rate=None if own_optimizer or schedule.rates is not None else classifier.learning_rate,
            optimizer_state=optimizer_state,
        )
        yield network


def _checkpoint(
    classifier: Any,
    labelled: LabelledInput,
    start: FittedNetwork,
    network: "Network",
    decided: dict[str, Any],
) -> Checkpoint | None:
    if classifier.checkpoint is None:
        return None
    try:
        callbacks = describe_callbacks(checked_callbacks(classifier.callbacks))
    except TypeError as error:
        warnings.warn(
            f"This fit writes no checkpoint, and goes on from none: a callable of callbacks holds {error},"
            " which cannot be compared with that of another process. Make the callable, or a class, of values"
            " such as numbers and text.",
            ModelFileWarning,
            stacklevel=7,
        )
        return None
    described = network.describe_backend() | decided | {"callbacks": callbacks}
    key = _checkpoint_key(classifier, labelled, start, described)
    return Checkpoint(classifier.checkpoint, key)


def _checkpoint_key(
    classifier: Any, labelled: LabelledInput, start: FittedNetwork, described: dict[str, Any]
) -> str:
    """Hash all that decides the result of a training."""
    params = classifier.get_params(deep=False)
    for name in ("checkpoint", "human_label", "inference", "segment_hop", "verbose"):
        del params[name]
    # Of these, what counts is hashed besides, in a form that is the same in every process: numbers drawn,
    # weights of clips, step sizes, settings of optimizer and devices, code and values of callbacks.
    for name in ("callbacks", "class_weight", "distribution", "learning_rate", "optimizer", "random_state"):
        del params[name]
    if classifier.augment is not None:
        params["augment"] = classifier.augment.get_params()
    statistics = [] if start.statistics is None else [start.statistics.mean, start.statistics.spread]
    arrays = [*start.weights.values(), *statistics, labelled.target, labelled.weight, *labelled.clips]
    arrays += [clip for copy in labelled.copies for clip in copy]
    total = None if start.statistics is None else start.statistics.total
    described = described | {"params": params, "classes": labelled.classes.tolist(), "total": total}
    return fingerprint(described, arrays)


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
