"""From a detector that was trained on others' recordings to one for recordings of one's own."""

import datetime as dt
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from voicelstm._compat import num_samples
from voicelstm.audio import report_remarks
from voicelstm.classifier import LSTMVoiceClassifier, embeddings, last_layer, with_last_layer
from voicelstm.detector._decisions import calibrate
from voicelstm.detector._detection import heard_clips
from voicelstm.detector._held_out_wrappers import CalibratedDetector
from voicelstm.detector._training_recordings import positions_among, warn_of_training_recordings
from voicelstm.exceptions import AudioError
from voicelstm.features import MFCCTransformer, distinct_fingerprints, named_remarks
from voicelstm.metrics import check_labels, cllr, human_label_of
from voicelstm.sequences import stack

__all__ = ["fine_tune"]

_LEAST_GROUPS = 3  # of each class, so that each can be left out while others of its class are there
_MOST_FOLDS = 5
_ADAPTED = ", adapted"  # behind a name
_UNKNOWN_RATES = "Its error rates are not known: those of the original are not its own."
_OTHER_SYSTEMS = (
    "It was adapted to the systems that made its synthetic recordings. On others it may err more often than"
    " the original."
)
_OF_THE_ORIGINAL = "Of the original: "
# How much the last layer is held to what it was: by the first it does not move, and is calibrated only.
_PENALTIES = (np.inf, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1)


def fine_tune(
    detector: Any, recordings: Any, y: ArrayLike, *, groups: ArrayLike | None = None
) -> CalibratedDetector:
    """Adapt a fitted detector to a channel or source of one's own, with some ten recordings of each class.

    The network keeps all its layers but the last one. That one is learnt on from where it is, as far as
    cross-validation on these recordings shows that it helps, and the result is calibrated on the scores of
    that cross-validation. It takes seconds.

    Read more in the :ref:`user guide <fine_tuning>`.

    Parameters
    ----------
    detector : Pipeline or CalibratedDetector
        Fitted detector: the result of :func:`~voicelstm.load_pretrained`, a Pipeline from an
        :class:`~voicelstm.MFCCTransformer` to an :class:`~voicelstm.LSTMVoiceClassifier`, or such a Pipeline
        after :func:`~voicelstm.calibrate`. It is not changed.
    recordings : sequence of recordings
        Recordings of the channel, as the detector takes them, 3 of each class or more.
    y : array-like of shape (n_clips,)
        Labels, of both classes of the detector.
    groups : array-like of shape (n_clips,), default=None
        Group of each recording, such as its speaker: cross-validation leaves out whole groups. If None, each
        recording is a group, and a detector that learns speakers looks better than it is.

    Returns
    -------
    voicelstm.detector.CalibratedDetector
        The adapted detector. Both classes count the same in it, so that its scores are log-likelihood ratios.
        If `detector` has a card, its ``card_["adapted_to"]`` says to how many recordings it was adapted,
        whether its last layer moved, and the Cllr of these recordings before and after. That after is of
        cross-validation, the best of eight penalties, and so a little better than it will be. Rates,
        operating points and the range of the training, by which recordings are marked, are not kept, since
        they were those of the original.

    Raises
    ------
    TypeError
        If the detector is none that can be adapted.
    AudioError
        If recordings cannot be read, or nobody speaks in them; it names them all.
    ValueError
        If `y` does not hold the detector's two classes, 3 clips of each or more and in 3 groups or more, or
        lengths do not fit.

    See Also
    --------
    calibrate : Moves and stretches the scores alone.
    make_detector : Makes a detector to be trained from nothing.

    Notes
    -----
    The synthetic speech of `recordings` is all that is learnt about systems. If others are met later, errors
    may be more frequent than those of the original: the :ref:`user guide <fine_tuning>` has numbers.

    The last layer adds ``u @ (e - mean)`` to the score, `e` being the clip's embedding, divided by its mean
    standard deviation, and `u` the minimum of the mean log-loss, both classes counting the same, plus
    ``penalty / (2 * n_clips) * u @ u``. Of eight penalties that with the least loss in cross-validation of
    at most five folds is taken; the largest, infinite, leaves the layer as it is. It is logistic regression
    with the old score as offset: a maximum a posteriori adaptation of the last layer.

    Examples
    --------
    >>> from voicelstm import fine_tune, load_pretrained
    >>> from voicelstm.datasets import make_voices
    >>> X, y = make_voices(12, random_state=0, return_X_y=True)
    >>> mine = fine_tune(load_pretrained(), X, y)
    >>> mine.card_["name"]
    'general-1, adapted'
    >>> {name: mine.card_["adapted_to"][name] for name in ("n_human", "n_synthetic")}
    {'n_human': 6, 'n_synthetic': 6}
    """
    pipeline, slope, intercept = _parts(detector)
    transformer, classifier = pipeline[0], pipeline[-1]
    labels = check_labels(y)
    folds = folds_of(classifier.classes_.tolist(), labels, num_samples(recordings), groups)
    features, fingerprints = _heard(transformer, recordings)
    if hasattr(transformer, "fingerprints_"):
        known = positions_among(fingerprints, transformer.fingerprints_)
        warn_of_training_recordings(recordings, known, stacklevel=2)
    embedded = embeddings(classifier, features if len(pipeline) == 2 else pipeline[1:-1].transform(features))
    coefficients, bias = last_layer(classifier)
    before = slope * coefficients, slope * bias + intercept
    is_second = labels == classifier.classes_[1]
    coefficients, bias, held_out = learnt_on(embedded, is_second, folds, *before)
    changed = with_last_layer(classifier, coefficients, bias)
    heard = copy(transformer)
    heard.fingerprints_ = distinct_fingerprints([*getattr(transformer, "fingerprints_", []), *fingerprints])
    (first, _), *between, (last, _) = pipeline.steps
    adapted = Pipeline([(first, heard), *between, (last, changed)])
    calibrated = calibrate(adapted, None, labels, scores=held_out)
    if getattr(detector, "card_", None):
        scores = embedded @ before[0] + before[1], held_out
        costs = [round(cllr(labels, each, pos_label=classifier.classes_[1]), 3) for each in scores]
        moved = not np.array_equal(coefficients, before[0])
        is_human = labels == human_label_of(detector)
        calibrated.card_ = _card_of_adapted(detector.card_, is_human, moved, *costs)
    return calibrated


def _heard(transformer: MFCCTransformer, recordings: Any) -> tuple[Any, list[int | None]]:
    """Return features and fingerprints; raise AudioError if recordings cannot be read or nobody speaks."""
    settings = replace(transformer._settings(None), measures_speech=True)
    clips, reasons, remarks = heard_clips(list(recordings), settings, transformer.n_jobs)
    report_remarks(named_remarks(recordings, remarks))
    if reasons:
        raise AudioError(
            f"{len(reasons)} of {len(clips)} recordings cannot be adapted to; leave them out:\n"
            + "\n".join(f"  {reasons[position]}" for position in sorted(reasons))
        )
    return stack([clip.features for clip in clips]), [clip.fingerprint for clip in clips]


def learnt_on(
    embedded: NDArray[np.float64],
    is_second: NDArray[np.bool_],
    folds: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
    coefficients: NDArray[np.float64],
    intercept: float,
) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
    """Learn a last layer on; return its coefficients and intercept, and the scores of cross-validation."""
    scores = embedded @ coefficients + intercept
    centre = embedded.mean(axis=0)
    spread = float(np.sqrt(embedded.var(axis=0).mean())) or 1.0
    places = (embedded - centre) / spread
    held_out = {penalty: np.empty(len(scores)) for penalty in _PENALTIES}
    for training, test in folds:
        for penalty, found in held_out.items():
            u, shift = _moved(places[training], scores[training], is_second[training], penalty)
            found[test] = scores[test] + places[test] @ u + shift
    best = min(_PENALTIES, key=lambda penalty: _loss(held_out[penalty], is_second))
    u, shift = _moved(places, scores, is_second, best)
    return coefficients + u / spread, intercept + shift - float(u @ centre) / spread, held_out[best]


def _parts(detector: Any) -> tuple[Pipeline, float, float]:
    """Return the Pipeline within a detector, and what makes calibrated scores of its scores."""
    slope, intercept, held = 1.0, 0.0, detector
    if isinstance(held, CalibratedDetector):
        check_is_fitted(held)
        pair = held.calibrated_classifiers_[0]
        if len(held.calibrated_classifiers_) == 1 and held.method == "sigmoid":
            held = pair.estimator
            slope, intercept = -float(pair.calibrators[0].a_), -float(pair.calibrators[0].b_)
    if isinstance(held, FrozenEstimator):
        held = held.estimator
    if (
        not isinstance(held, Pipeline)
        or type(held[0]) is not MFCCTransformer
        or type(held[-1]) is not LSTMVoiceClassifier
    ):
        raise TypeError(
            "detector must be a Pipeline from an MFCCTransformer to an LSTMVoiceClassifier, such as that of"
            " make_detector, or what calibrate or load_pretrained makes of one; got a"
            f" {type(detector).__name__}."
        )
    check_is_fitted(held)
    if len(held.classes_) != 2:
        raise ValueError(f"detector must have two classes; these are {held.classes_.tolist()}.")
    return held, slope, intercept


def folds_of(
    classes: list[Any], labels: NDArray[Any], n_recordings: int, groups: ArrayLike | None
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Divide the recordings for cross-validation, each class in each part as evenly as groups allow."""
    if len(labels) != n_recordings:
        raise ValueError(
            f"y has shape {labels.shape}; expected a label for each of {n_recordings} recordings."
        )
    found = set(labels.tolist())
    if found != set(classes):
        raise ValueError(f"y holds the classes {sorted(found, key=repr)}, the detector knows {classes}.")
    # As texts, so that what is missing (NaN) is one group.
    of_clip = np.arange(n_recordings) if groups is None else np.asarray(groups).astype(str)
    if of_clip.shape != (n_recordings,):
        raise ValueError(
            f"groups has shape {of_clip.shape}; expected a group for each of {n_recordings} recordings."
        )
    n_groups = {label: len(set(of_clip[labels == label].tolist())) for label in classes}
    fewest = min(n_groups, key=lambda label: n_groups[label])
    if n_groups[fewest] < _LEAST_GROUPS:
        what = "recordings" if groups is None else "groups"
        raise ValueError(
            f"y has too few {what} of the class {fewest!r}, {n_groups[fewest]}; fine-tuning needs"
            f" {_LEAST_GROUPS} of each class or more."
        )
    splitter = StratifiedGroupKFold(min(_MOST_FOLDS, n_groups[fewest]), shuffle=True, random_state=0)
    folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = [
        (training, test) for training, test in splitter.split(of_clip, labels, of_clip) if len(test)
    ]
    if any(len(set(labels[training].tolist())) < len(classes) for training, _ in folds):
        raise ValueError(
            "groups leaves a class without recordings when one is left out; give smaller groups."
        )
    return folds


def _moved(
    places: NDArray[np.float64], scores: NDArray[np.float64], is_second: NDArray[np.bool_], penalty: float
) -> tuple[NDArray[np.float64], float]:
    """Return what is added to the scores: coefficients of places, held to 0 by a penalty, and a number."""
    n_clips, width = places.shape
    if np.isinf(penalty):
        places = places[:, :0]
    sign, weight = np.where(is_second, 1.0, -1.0), _balanced(is_second)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        u, shift = parameters[:-1], parameters[-1]
        margin = sign * (scores + places @ u + shift)
        slope = -weight * sign * expit(-margin)
        held = 0.0 if np.isinf(penalty) else penalty / n_clips
        value = weight @ np.logaddexp(0, -margin) + held / 2 * (u @ u)
        return value, np.append(places.T @ slope + held * u, slope.sum())

    found = minimize(loss, np.zeros(places.shape[1] + 1), jac=True, method="L-BFGS-B").x
    u = np.zeros(width)
    u[: len(found) - 1] = found[:-1]
    return u, float(found[-1])


def _loss(scores: NDArray[np.float64], is_second: NDArray[np.bool_]) -> float:
    """Return the mean log-loss of log-odds of the second class, both classes counting the same."""
    return float(_balanced(is_second) @ np.logaddexp(0, np.where(is_second, -scores, scores)))


def _balanced(is_second: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return weights of clips that sum to a half for each class."""
    share = is_second.mean()
    return 0.5 / len(is_second) / np.where(is_second, share, 1 - share)


def _card_of_adapted(
    card: dict[str, Any], is_human: NDArray[np.bool_], moved: bool, cllr_before: float, cllr_after: float
) -> dict[str, Any]:
    """Return what is still true of a card after an adaptation."""
    kept = {name: value for name, value in card.items() if name in ("summary", "intended_use", "training")}
    before = card.get("adapted_to", {"n_human": 0, "n_synthetic": 0})
    own = _UNKNOWN_RATES, _OTHER_SYSTEMS
    limits = [each.removeprefix(_OF_THE_ORIGINAL) for each in card.get("limits", []) if each not in own]
    return kept | {
        "name": card.get("name", "a detector").removesuffix(_ADAPTED) + _ADAPTED,
        "date": dt.date.today().isoformat(),
        "limits": [*own, *(_OF_THE_ORIGINAL + each for each in limits)],
        "adapted_to": {
            "n_human": before["n_human"] + int(is_human.sum()),
            "n_synthetic": before["n_synthetic"] + int((~is_human).sum()),
            "last_layer_moved": moved,
            "cllr_before": cllr_before,
            "cllr_in_cross_validation": cllr_after,
        },
    }
