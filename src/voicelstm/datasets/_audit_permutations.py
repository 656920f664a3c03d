"""Whether numbers tell the classes apart better than chance: one permutation test of all of them together."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = ["ALPHA", "Family", "permutation_test"]

#: Probability that at least one of the numbers is taken for a shortcut where none is.
ALPHA = 0.05
_N_PERMUTATIONS = 2000
_LABELS_AT_ONCE = 2**20
_ROUNDING = 1e-9
_LEAST = 1.96  # deviations that a single number would need


class Family(NamedTuple):
    """Arrays of shape (n_variables,), of numbers that were tested together.

    `p_value` is corrected for all numbers of the family. `detectable` is the area, in which each speaker
    counts once, from which on a number would have been significant; or one minus it down.
    """

    p_value: NDArray[np.float64]
    detectable: NDArray[np.float64]


class _Slopes(NamedTuple):
    """Magnitudes of slopes of ranks over labels: (n_variables,), by chance (n_variables, n_permutations).

    `scale` is the deviation by chance, (n_variables,), `information` the sum of squares of the labels.
    """

    observed: NDArray[np.float64]
    by_chance: NDArray[np.float64]
    scale: NDArray[np.float64]
    information: float


def permutation_test(
    values: NDArray[np.float64],
    human: NDArray[np.bool_],
    speaker: NDArray[np.generic] | None,
    random: np.random.RandomState,
) -> Family:
    """Test numbers of shape (n_variables, n_clips) by maximum statistics, step by step from the greatest.

    Clips of one speaker are alike. So what differs between speakers is tested by permuting speakers whole,
    each with the share of human clips that another has, and what differs within those of both classes by
    shuffling the labels of each. Speakers can be permuted only if they are alike, and a mean over many clips
    varies less than one clip: between speakers, both classes have as many clips of each. Either is the slope
    of ranks over labels, an area less 0.5, over its own standard deviation; the greater of the two counts, in
    the data as in each permutation.
    """
    group = np.arange(len(human)) if speaker is None else np.unique(speaker, return_inverse=True)[1]
    order = np.argsort(group, kind="stable")
    group, human = group[order], human[order]
    # The last number is the class itself: none could be found more surely.
    values = np.vstack([values[:, order], human])
    size = np.bincount(group)
    share = np.bincount(group, weights=human) / size
    draw = np.random.default_rng(random.randint(2**32, size=4, dtype=np.uint32))
    some = _as_many_of_each_class(group, share, draw)
    mean_rank = _means(_ranks(values[:, some]), group[some])
    between = _slopes(
        mean_rank - mean_rank.mean(axis=1, keepdims=True),
        share,
        np.sum((share - share.mean()) ** 2),
        lambda shares: draw.permuted(shares, axis=1),
    )
    rank = _ranks(values)
    mixed = ((share > 0) & (share < 1))[group]
    of_group = group[mixed].astype(np.uint64) << np.uint64(32)
    within = _slopes(
        (rank - _means(rank, group)[:, group])[:, mixed] / size[group[mixed]],
        human[mixed],
        np.sum(share * (1 - share)),
        lambda labels: _shuffled(labels, of_group, draw),
    )
    # What has no deviation by chance has no slope, either: it never is the greater.
    observed = np.maximum(between.observed / between.scale, within.observed / within.scale)
    by_chance = np.maximum(
        between.by_chance / between.scale[:, None], within.by_chance / within.scale[:, None]
    )
    critical = max(_LEAST, np.quantile(by_chance[:-1].max(axis=0), 1 - ALPHA, method="higher"))
    # An area is the mean of both slopes by their information; above this one, either is significant.
    scale = np.average(
        [between.scale, within.scale], axis=0, weights=[between.information, within.information]
    )
    if _step_down(observed, by_chance)[-1] > ALPHA:
        critical = np.inf
    return Family(_step_down(observed[:-1], by_chance[:-1]), np.minimum(0.5 + critical * scale[:-1], 1.0))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks between 0 and 1 within each row; minus infinity has one, too."""
    return rankdata(values, axis=1) / values.shape[1]


def _means(rank: NDArray[np.float64], group: NDArray[np.intp]) -> NDArray[np.float64]:
    """Average the ranks of clips, in ascending order of their groups, over each group."""
    first = np.flatnonzero(np.diff(group, prepend=-1))
    return np.add.reduceat(rank, first, axis=1) / np.diff(first, append=len(group))


def _as_many_of_each_class(
    group: NDArray[np.intp], share: NDArray[np.float64], draw: np.random.Generator
) -> NDArray[np.intp]:
    """Draw clips of each group, at most as many as half of the groups of either class have."""
    size = np.bincount(group)
    most = min(np.median(size[share > 0]), np.median(size[share < 1]))
    chance = np.lexsort((draw.random(len(group)), group))  # each group's clips in random order
    place = np.arange(len(group)) - np.repeat(np.cumsum(size) - size, size)
    return np.sort(chance[place < most])


def _step_down(observed: NDArray[np.float64], by_chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correct for the numbers that are no greater: of shape (n_variables,), and with (n_permutations,)."""
    ascending = np.argsort(observed)
    greatest = np.maximum.accumulate(by_chance[ascending], axis=0)
    # What equals the maximum on paper may differ from it by a rounding.
    reached = np.count_nonzero(greatest >= observed[ascending, None] * (1 - _ROUNDING), axis=1)
    found = (1 + reached) / (1 + by_chance.shape[1])
    p_value = np.empty(len(observed))
    p_value[ascending] = np.maximum.accumulate(found[::-1])[::-1]
    return p_value


def _slopes(
    deviation: NDArray[np.float64],
    label: NDArray[Any],
    information: float,
    permuted: Callable[[NDArray[Any]], NDArray[Any]],
) -> _Slopes:
    """Compute slopes of deviations of ranks, (n_variables, n_labels), over labels and their permutations."""
    n_variables, n_labels = deviation.shape
    by_chance = np.zeros((n_variables, _N_PERMUTATIONS))
    if information < _ROUNDING:  # one class or one share only: it tells nothing
        return _Slopes(np.zeros(n_variables), by_chance, np.ones(n_variables), 0.0)
    at_once = max(1, _LABELS_AT_ONCE // n_labels)
    for first in range(0, _N_PERMUTATIONS, at_once):
        labels = permuted(np.tile(label, (min(at_once, _N_PERMUTATIONS - first), 1)))
        by_chance[:, first : first + len(labels)] = deviation @ labels.T
    by_chance, observed = (
        np.where(slope < _ROUNDING, 0.0, slope)
        for slope in (np.abs(by_chance) / information, np.abs(deviation @ label) / information)
    )
    scale = np.sqrt(np.mean(by_chance**2, axis=1))
    # Of a number that is the same everywhere, as if it were not.
    scale[scale == 0] = np.sqrt((1 + 1 / n_labels) / (12 * information))
    return _Slopes(observed, by_chance, scale, float(information))


def _shuffled(
    labels: NDArray[np.bool_], of_group: NDArray[np.uint64], draw: np.random.Generator
) -> NDArray[np.bool_]:
    """Shuffle labels, (n_labellings, n_clips), within groups: their numbers, in order, times 2 ** 32."""
    # Sorts by group and then by chance, each label being the last bit of its key.
    keys = draw.integers(2**32, size=labels.shape, dtype=np.uint32) & ~np.uint32(1) | labels
    return np.sort(of_group + keys, axis=1) % 2 == 1
