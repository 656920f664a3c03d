"""Clips with their classes and scores, checked and turned so that a higher score speaks for human."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voicelstm.metrics._human_class import check_distinct_labels, choose_human_label
from voicelstm.metrics._labels import as_labels

__all__ = ["ScoredClips", "check_human", "check_scored", "check_weights", "two_classes"]


@dataclass(frozen=True)
class ScoredClips:
    """Scores that speak for human, times `direction`; a weight of None counts every clip once."""

    score: NDArray[np.float64]
    human: NDArray[np.bool_]
    weight: NDArray[np.float64] | None
    direction: int

    def mean(self, values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> float:
        """Average over the chosen clips, as weighted."""
        weight = None if self.weight is None else self.weight[chosen]
        return float(np.average(values[chosen], weights=weight))


def check_scored(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    pos_label: Any,
    human_label: Any,
    sample_weight: ArrayLike | None,
) -> ScoredClips:
    """Check labels, scores and weights, as every metric takes them; clips of weight zero are left out."""
    human, human_is, classes = check_human(y_true, human_label)
    if pos_label is not None and pos_label not in classes:
        raise ValueError(f"pos_label={pos_label!r} is none of the classes {classes} of y_true.")
    try:
        score = np.asarray(y_score, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError("y_score must be numbers, one per clip; labels are no scores.") from None
    if score.ndim != 1:
        raise ValueError(
            f"y_score has shape {score.shape}; expected (n_clips,). Of predict_proba give pos_label's column."
        )
    _check_length("y_score", score, human)
    missing = np.flatnonzero(np.isnan(score))
    if len(missing):
        raise ValueError(
            f"y_score is NaN at {_positions(missing)}. A clip without a score (an empty one, say) is neither"
            " right nor wrong: leave such clips out of y_true and y_score, and say how many they were."
        )
    weight = check_weights(sample_weight, human)
    # Scores are log-odds of synthetic, unless pos_label says otherwise.
    direction = 1 if pos_label is not None and pos_label == human_is else -1
    score = direction * score
    if weight is not None:
        counted = weight > 0
        score, human, weight = score[counted], human[counted], weight[counted]
    return ScoredClips(score, human, weight, direction)


def check_human(
    y_true: ArrayLike, human_label: Any, name: str = "y_true"
) -> tuple[NDArray[np.bool_], Any, list[Any]]:
    """Return which clips are human, the human label, and both classes in the order of their first clips."""
    is_first, classes = two_classes(y_true, name)
    human_label = choose_human_label(classes, human_label)
    return (is_first if classes[0] == human_label else ~is_first), human_label, classes


def two_classes(y_true: ArrayLike, name: str = "y_true") -> tuple[NDArray[np.bool_], list[Any]]:
    """Return which clips are of the first class, and both classes in the order of their first clips."""
    labels = as_labels(y_true, name)
    # Comparing takes a tenth of the time that np.unique needs to sort a million strings.
    is_first = labels == labels[0]
    others = labels[~is_first]
    if not len(others):
        raise ValueError(f"{name} holds one class only, {labels[0].item()!r}; a metric compares two.")
    if (others != others[0]).any():
        classes = np.unique(labels).tolist()
        check_distinct_labels(classes, name)
        raise ValueError(f"{name} holds the classes {classes}; a metric compares two.")
    classes = [labels[0].item(), others[0].item()]
    check_distinct_labels(classes, name)
    return is_first, classes


def check_weights(sample_weight: ArrayLike | None, human: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Check weights of clips: finite, not negative, and not all zero in a class."""
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.ndim != 1:
        raise ValueError(f"sample_weight has shape {weight.shape}; expected (n_clips,).")
    _check_length("sample_weight", weight, human)
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError("sample_weight must be finite and not negative.")
    if not weight[human].any() or not weight[~human].any():
        raise ValueError("sample_weight leaves one class only; a metric compares two.")
    return weight


def _check_length(name: str, values: NDArray[Any], human: NDArray[np.bool_]) -> None:
    if len(values) != len(human):
        raise ValueError(f"{name} has {len(values)} values, y_true has {len(human)}: one per clip is needed.")


def _positions(found: NDArray[np.intp], limit: int = 10) -> str:
    text = ", ".join(map(str, found[:limit]))
    text = f"position{'s' if len(found) > 1 else ''} {text}"
    return text if len(found) <= limit else f"{text} and {len(found) - limit} more"
