"""Whether numbers tell the classes apart better than chance: one permutation test of all of them together."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = ["ALPHA", "Family", "permutation_test"]

#: Probability that at least one of the numbers is taken for a shortcut where none is.
ALPHA = 0.05
_N_PERMUTATIONS = 2000
_CLIPS_AT_ONCE = 2**20
_ROUNDING = 1e-9
_LEAST = 1.96  # deviations that a single number would need


class Family(NamedTuple):
    """Arrays of shape (n_variables,), of numbers that were tested together.

    `p_value` is corrected for all numbers of the family. `detectable` is the area, in which each speaker
    counts once, from which on a number would have been significant; or one minus it down.
    """

    p_value: NDArray[np.float64]
    detectable: NDArray[np.float64]


def permutation_test(
    values: NDArray[np.float64],
    human: NDArray[np.bool_],
    speaker: NDArray[np.generic] | None,
    random: np.random.RandomState,
) -> Family:
    """Test numbers of shape (n_variables, n_clips) by maximum statistics, step by step from the greatest.

    Clips of one speaker are alike, so that speakers are permuted and not clips: each is given the share of
    human clips that another has. This exchanges the labels of speakers of one class, and where all shares are
    equal shuffles labels within speakers. Statistics are areas less 0.5, over their own standard deviations.
    """
    group = np.arange(len(human)) if speaker is None else np.unique(speaker, return_inverse=True)[1]
    order = np.argsort(group, kind="stable")
    group, human = group[order], human[order]
    rank = rankdata(values[:, order], axis=1) / len(human)  # minus infinity has a rank, too
    share = np.bincount(group, weights=human) / np.bincount(group)
    if np.isin(share, (0, 1)).all():  # a speaker of one class is one mean rank
        rank = np.add.reduceat(rank, np.flatnonzero(np.diff(group, prepend=-1)), axis=1) / np.bincount(group)
        human, group = share == 1, np.arange(len(share))
    drawn = [_distances(rank, labels, group) for labels in _permuted(share, group, random)]
    distance: NDArray[np.float64] = np.concatenate(drawn, axis=1)
    spread = np.sqrt(np.mean(distance**2, axis=1))
    # Of a number that is the same everywhere, as if it were not and speakers had one clip each.
    n_human, n_synthetic = np.count_nonzero(share > 0), np.count_nonzero(share < 1)
    expected = np.sqrt((n_human + n_synthetic + 1) / (12 * n_human * n_synthetic))
    scale = spread.copy()
    scale[spread == 0] = expected
    by_chance = distance / scale[:, None]
    observed = _distances(rank, human[None], group)[:, 0] / scale
    critical = max(_LEAST, np.quantile(by_chance.max(axis=0), 1 - ALPHA, method="higher"))
    return Family(_step_down(observed, by_chance), np.minimum(0.5 + critical * scale, 1.0))


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


def _permuted(
    share: NDArray[np.float64], group: NDArray[np.intp], random: np.random.RandomState
) -> Iterator[NDArray[np.bool_]]:
    """Yield labels, of shape (n_labellings, n_clips), that exchange the groups' shares of human clips."""
    draw = np.random.default_rng(random.randint(2**32, size=4, dtype=np.uint32))
    at_once = max(1, _CLIPS_AT_ONCE // len(group))
    for first in range(0, _N_PERMUTATIONS, at_once):
        shares = np.tile(share, (min(at_once, _N_PERMUTATIONS - first), 1))
        of_clips = draw.permuted(shares, axis=1)[:, group]
        yield draw.uniform(size=of_clips.shape) < of_clips


def _distances(
    rank: NDArray[np.float64], human: NDArray[np.bool_], group: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Compute how far areas are from 0.5, (n_variables, n_labellings), in which each group counts once.

    Of ranks over the number of clips and labels (n_labellings, n_clips), clips in the order of their groups.
    Groups of one clip give the AUC.
    """
    start = np.flatnonzero(np.diff(group, prepend=-1))
    means = []
    for chosen in (~human, human):
        count = np.add.reduceat(chosen, start, axis=1, dtype=np.intp)
        weight = chosen / np.maximum(count, 1)[:, group]
        n_groups = np.count_nonzero(count, axis=1)
        # Labels of one class only tell nothing: they count against each finding.
        means.append(np.where(n_groups > 0, rank @ weight.T / np.maximum(n_groups, 1), np.inf))
    distance = np.minimum(np.abs(means[0] - means[1]), 0.5)
    return np.where(distance < _ROUNDING, 0.0, distance)
