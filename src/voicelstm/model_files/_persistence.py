"""Save and load: one file of tensors and JSON, from which no code runs."""

import logging
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline

from voicelstm._compat import validate_steps
from voicelstm.exceptions import ModelFileError
from voicelstm.model_files._card import describe_card, restore_card
from voicelstm.model_files._container import (
    StoredTensors,
    Tensors,
    read_model_file,
    write_model_file,
    written_by,
)
from voicelstm.model_files._descriptions import check_fields
from voicelstm.model_files._known_classes import ESTIMATORS, known_estimator
from voicelstm.model_files._wrappers import DEEPEST, WRAPPERS, describe_wrapper, is_wrapper, restore_wrapper

__all__ = ["load", "load_as", "save"]

_log = logging.getLogger(__name__)

_MOST_STEPS = 16


def save(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to a file.

    Read more in the :ref:`user guide <model_files>`.

    Parameters
    ----------
    estimator : MFCCTransformer, CepstralDynamics, LSTMVoiceClassifier, Pipeline of them, or a wrapper
        The fitted estimator. The wrappers are scikit-learn's FixedThresholdClassifier,
        TunedThresholdClassifierCV, CalibratedClassifierCV (by "sigmoid" or "temperature"), VotingClassifier
        (``voting="soft"``) and FrozenEstimator, and what :func:`~voicelstm.tune_threshold` and
        :func:`~voicelstm.calibrate` return, around these or one another, or as a step of the Pipeline.
    path : str or os.PathLike
        Path of the file. An existing file is replaced only when the new one is complete.

    Raises
    ------
    TypeError
        If the estimator, what it wraps, or a step of the Pipeline is none of these. Also if a parameter that
        decides what it computes cannot be kept; the text names it.
    ValueError
        If a wrapper's threshold or calibration is not finite, or its classes are not those of the estimator
        that it wraps, or if ``card_`` is no card. Also if parameters of `CepstralDynamics` have changed
        since its fit, if those of
        `MFCCTransformer` contradict each other, or if labels are longer than a file may hold.
    sklearn.exceptions.NotFittedError
        If the classifier is not fitted.

    Warns
    -----
    ModelFileWarning
        If a parameter of training cannot be kept: a callable, a random state or a splitter. The loaded
        estimator has the default.

    Notes
    -----
    ``cache_dir``, ``checkpoint``, ``n_jobs`` and ``verbose`` are not kept. What `partial_fit` remembers of
    the optimizer is not either: after loading it begins with a fresh one.

    The attribute ``card_`` of the estimator, if there is one, is kept: a dict of what its maker says of it,
    such as where it was measured and its operating points (:ref:`the format <model_format>` has its keys).

    A TunedThresholdClassifierCV comes back as a FixedThresholdClassifier with the threshold that it found. A
    wrapper's parameter `estimator`, which scikit-learn leaves unfitted, is the fitted one, or the first of
    several.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm import MFCCTransformer, load, save
    >>> with TemporaryDirectory() as folder:
    ...     save(MFCCTransformer(n_mfcc=13), Path(folder, "front_end.voicelstm"))
    ...     load(Path(folder, "front_end.voicelstm"))
    MFCCTransformer(n_mfcc=13)
    """
    tensors: Tensors = {}
    described = _describe(estimator, "", tensors)
    write_model_file(Path(path), described, tensors, describe_card(estimator))
    _log.info("wrote %s", path)


def load(path: str | os.PathLike[str]) -> Any:
    """Read an estimator from a file.

    Read more in the :ref:`user guide <model_files>`.

    Parameters
    ----------
    path : str or os.PathLike
        A file that :func:`save` wrote.

    Returns
    -------
    MFCCTransformer, CepstralDynamics, LSTMVoiceClassifier, Pipeline, or a wrapper of scikit-learn
        The estimator, fitted as it was saved, with its ``card_`` if it had one.

    Raises
    ------
    ModelFileError
        If the file is damaged, is something else, or was written in a later version of the format.
    """
    document, tensors = read_model_file(path)
    try:
        estimator = _restore(document["object"], "", tensors)
        tensors.check_all_used()
        if "card" in document:
            estimator.card_ = restore_card(document["card"])
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error} {written_by(document)}") from error
    # A made-up document raises these: a missing key, a wrong type, a value out of range.
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{path}: the description of the model is not valid ({type(error).__name__}: {error})."
            f" {written_by(document)}"
        ) from error
    return estimator


def load_as(kind: type[Any], path: str | os.PathLike[str]) -> Any:
    """Read an estimator of one class; raise ModelFileError if the file holds another."""
    estimator = load(path)
    if not isinstance(estimator, kind):
        raise ModelFileError(
            f"{path}: found a {type(estimator).__name__}, not a {kind.__name__}; use voicelstm.load."
        )
    return estimator


def _describe(estimator: Any, prefix: str, tensors: Tensors, depth: int = 1) -> dict[str, Any]:
    def within(held: Any, name: str) -> dict[str, Any]:
        return _describe(held, f"{prefix}{name}/", tensors, depth + 1)

    if depth > DEEPEST:
        raise TypeError(f"A model file holds at most {DEEPEST} estimators one inside the other.")
    if is_wrapper(estimator):
        return describe_wrapper(estimator, within)
    if type(estimator) is Pipeline:
        steps = []
        for name, step in estimator.steps:
            if known_estimator(step) is None and not is_wrapper(step):
                raise TypeError(
                    f"Step {name!r} is a {type(step).__name__}; a model file holds {', '.join(ESTIMATORS)},"
                    " alone or in a Pipeline, and wrappers of scikit-learn around them."
                )
            steps.append([name, within(step, name)])
        return {"class": "Pipeline", "steps": steps}
    known = known_estimator(estimator)
    if known is not None:
        return known.describe(estimator, prefix, tensors)
    raise TypeError(
        f"A model file holds {', '.join(ESTIMATORS)}, a Pipeline of them or a wrapper"
        f" around them ({', '.join(WRAPPERS)} or TunedThresholdClassifierCV), not a"
        f" {type(estimator).__name__}."
    )


def _restore(described: dict[str, Any], prefix: str, tensors: StoredTensors, depth: int = 1) -> Any:
    def within(held: dict[str, Any], name: str) -> Any:
        return _restore(held, f"{prefix}{name}/", tensors, depth + 1)

    if depth > DEEPEST:
        raise ModelFileError(f"More than {DEEPEST} estimators one inside the other are no model.")
    kind = described["class"]
    if kind in WRAPPERS:
        return restore_wrapper(described, within)
    if kind == "Pipeline":
        return _restore_pipeline(described, within)
    if kind not in ESTIMATORS:
        raise ModelFileError(f"The file holds a {kind!r}, which this version of voicelstm does not know.")
    return ESTIMATORS[kind].restore(described, prefix, tensors)


def _restore_pipeline(described: dict[str, Any], within: Callable[[dict[str, Any], str], Any]) -> Pipeline:
    check_fields(described, {"class", "steps"})
    named = described["steps"]
    if not named or len(named) > _MOST_STEPS or any(step["class"] == "Pipeline" for _, step in named):
        raise ModelFileError("A Pipeline within a Pipeline, or one without steps, is not a model.")
    for _, step in named[1:]:
        if step["class"] in ESTIMATORS and ESTIMATORS[step["class"]].takes_recordings:
            raise ModelFileError(f"{step['class']}, which takes recordings, is not the first step.")
    validate_steps(
        Pipeline([(name, "passthrough") for name, _ in named])
    )  # before tensors are sought by names
    pipeline = Pipeline([(name, within(step, name)) for name, step in named])
    validate_steps(pipeline)  # a classifier only at the end
    for (name, before), (_, after) in pairwise(pipeline.steps):
        width = getattr(before, "_n_output_features", None)
        if width is not None and after.n_features_in_ != width:
            raise ModelFileError(
                f"The outputs of {name!r} give {width} numbers, the step after them takes"
                f" {after.n_features_in_}."
            )
    return pipeline
