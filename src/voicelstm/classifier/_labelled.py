"""Clips with their labels and weights, checked."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    assert_all_finite,
    check_consistent_length,
    column_or_1d,
)

from voicelstm._compat import check_sample_weight
from voicelstm.exceptions import SequenceWarning
from voicelstm.metrics import check_labels, choose_human_label, recognised_human_label

__all__ = ["LabelledInput", "known_human_label", "new_generator"]


@dataclass(frozen=True)
class LabelledInput:
    """Clips that are neither empty nor of weight 0, with their labels and weights, and their copies."""

    clips: list[NDArray[Any]]  # each of shape (n_frames, n_features)
    target: NDArray[np.intp]  # of each clip, the position of its label in `classes`
    classes: NDArray[Any]  # sorted
    sample_weight: NDArray[np.float64]  # as given
    weight: NDArray[np.float64]  # multiplied by the weight of the class
    copies: Sequence[list[NDArray[Any]]] = ()  # for each copy, that of each clip; it may be empty

    @classmethod
    def checked(
        cls,
        clips: list[NDArray[Any]],
        y: Any,
        sample_weight: Any,
        classes: NDArray[Any] | None,
        class_weight: Any,
        one_pass: bool,
        copies: Sequence[list[NDArray[Any]]] = (),
    ) -> Self:
        """Check labels and weights, and leave out clips that are empty or of weight 0, with their copies."""
        # With `one_pass` the clips are one batch of many, which need not hold every class. `classes` are the
        # labels allowed; None allows those of `y`.
        if y is None:
            raise ValueError("LSTMVoiceClassifier requires y to be passed, but the target y is None.")
        check_labels(y)
        labels = column_or_1d(y)
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        check_consistent_length(clips, labels)
        weight = check_sample_weight(sample_weight, clips, dtype=np.float64, ensure_non_negative=True)
        classes = np.unique(labels) if classes is None else classes
        unknown = np.setdiff1d(labels, classes)
        if len(unknown):
            raise ValueError(
                f"y has labels that are not among the classes {classes.tolist()}: {unknown.tolist()}."
            )
        empty = [position for position, clip in enumerate(clips) if not len(clip)]
        chosen = [position for position, clip in enumerate(clips) if len(clip) and weight[position] > 0]
        if empty:
            warnings.warn(
                f"{len(empty)} empty clips are left out of training, positions {empty}.",
                SequenceWarning,
                stacklevel=5 if one_pass else 6,  # fit is decorated once more
            )
        labels, weight = labels[chosen], weight[chosen]
        present = np.unique(labels)
        if not chosen or len(classes) < 2 or (not one_pass and len(present) < 2):
            raise ValueError(
                "LSTMVoiceClassifier needs clips of at least 2 classes that are not empty and have a positive"
                f" weight; the data has {len(present)} class."
            )
        _check_range_of_weights(weight, "sample_weight")
        if one_pass and class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all clips at once, and partial_fit has not: pass a dict, or"
                " call fit."
            )
        of_class = compute_class_weight(class_weight, classes=present, y=labels, sample_weight=weight)
        if not (np.isfinite(of_class).all() and (of_class > 0).all()):
            raise ValueError(f"class_weight={class_weight!r} must give each class a positive, finite weight.")
        of_clip = weight * of_class[np.searchsorted(present, labels)]
        _check_range_of_weights(of_clip, "sample_weight times class_weight")
        return cls(
            clips=[clips[position] for position in chosen],
            target=np.searchsorted(classes, labels),
            classes=classes,
            sample_weight=weight,
            weight=of_clip,
            copies=[[copy[position] for position in chosen] for copy in copies],
        )

    @property
    def n_features(self) -> int:
        """Columns of each clip."""
        return next(iter(self.clips)).shape[1]

    def encoded(self, dtype: np.dtype) -> NDArray[np.floating]:
        """Return the labels as the loss expects them: 0/1 in one column, or one-hot."""
        if len(self.classes) == 2:
            return self.target[:, None].astype(dtype)
        return np.eye(len(self.classes), dtype=dtype)[self.target]

    def class_totals(self) -> NDArray[Any]:
        """Sum the weights of each class."""
        return np.bincount(self.target, weights=self.weight, minlength=len(self.classes))

    def split(self, fraction: float, generator: np.random.Generator) -> tuple[Self, Self]:
        """Hold out a part of the clips, in equal shares of each class; copies go with their clip."""
        kept, held_out = train_test_split(
            np.arange(len(self.clips)),
            test_size=fraction,
            stratify=self.target,
            random_state=int(generator.integers(2**31)),
        )
        return self._part(kept), self._part(held_out)

    def expanded(self, copy_weight: float) -> Self:
        """Make the copies clips of their own, which have this share of their clip's weight together."""
        if not self.copies:
            return self
        is_there = np.array([[len(clip) > 0 for clip in copy] for copy in self.copies])
        n_there = is_there.sum(axis=0)
        of_copy = is_there * (copy_weight / np.maximum(n_there, 1))
        share = np.vstack([np.where(n_there, 1 - copy_weight, 1.0), of_copy])
        version, clip = np.nonzero(share)
        versions = [self.clips, *self.copies]
        share = share[version, clip]
        weight = self.weight[clip] * share
        _check_range_of_weights(weight, "sample_weight times class_weight, divided by copy_weight,")
        return replace(
            self,
            clips=[versions[of][position] for of, position in zip(version, clip, strict=True)],
            target=self.target[clip],
            sample_weight=self.sample_weight[clip] * share,
            weight=weight,
            copies=(),
        )

    def _part(self, positions: NDArray[np.intp]) -> Self:
        return type(self)(
            clips=[self.clips[position] for position in positions],
            target=self.target[positions],
            classes=self.classes,
            sample_weight=self.sample_weight[positions],
            weight=self.weight[positions],
            copies=[[copy[position] for position in positions] for copy in self.copies],
        )


def _check_range_of_weights(weight: NDArray[np.float64], name: str) -> None:
    """Refuse positive weights, or shares of their sum, that float32, in which networks learn, cannot hold."""
    limits = np.finfo(np.float32)
    least, most = float(limits.tiny), float(limits.max)
    outside = weight[(weight < least) | (weight > most)]
    if len(outside):
        raise ValueError(
            f"{name} has the value {outside[0]:.3g}, which is out of the range of float32: positive weights"
            f" must be from {least:.2g} to {most:.2g}. Scale all of them by one number, and give 0 to clips"
            " that shall not count."
        )
    if weight.min() < least * weight.sum():
        raise ValueError(
            f"{name} has values from {weight.min():.3g} to {weight.max():.3g}: the smallest is less than"
            f" {least:.2g} of the sum, which float32 cannot hold. Give 0 to clips that shall not count."
        )


def known_human_label(classes: NDArray[Any], human_label: Any) -> Any:
    """Return the human one of two classes, as given or recognised; None if it is not known."""
    labels = classes.tolist()
    if human_label is None:
        return recognised_human_label(labels)
    if len(labels) != 2:
        raise ValueError(
            f"human_label={human_label!r} is for two classes, and these are {len(labels)}: {labels}. Leave it"
            " None."
        )
    return choose_human_label(labels, human_label)


def new_generator(random_state: Any) -> np.random.Generator:
    """Make a generator from an int, a RandomState or None, leaving the global one alone."""
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**32, size=4, dtype=np.uint64))
    return np.random.default_rng(random_state)
