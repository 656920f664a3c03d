"""How much each clip counts."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voicelstm.datasets._groups import group_columns
from voicelstm.metrics import check_labels

__all__ = ["balanced_weights"]


def balanced_weights(y: ArrayLike, groups: Any = None) -> NDArray[np.float64]:
    """Weigh clips so that classes count the same, within each its groups, and within those their groups.

    The clips of each class have the same sum of weights; within a class those of each value that the first
    column of `groups` takes there; within these, those of each value of the next column; and so on. Clips
    that agree in all columns share alike. So one system with ten thousand clips weighs no more than one with
    a hundred.

    Read more in the :ref:`user guide <balanced_weights>`.

    Parameters
    ----------
    y : array-like of shape (n_clips,)
        Labels.
    groups : mapping of str to array-like, data frame, array-like of shape (n_clips,) or (n_clips, n), or None
        As the loaders' `groups`; columns count in their order, the coarsest first:
        ``{"family": family, "speaker": speaker}``. One array is the speaker. None balances the classes alone.

    Returns
    -------
    ndarray of shape (n_clips,)
        For `sample_weight`. Their mean is 1. With K classes, G groups in a clip's class, H in its group, and
        m clips that agree with it in all columns, a clip of n weighs ``n / (K * G * H * m)``.

    Raises
    ------
    ValueError
        Where a column has not one value for every clip.

    Examples
    --------
    Both classes sum up to 3; within "synthetic", so do both systems to half of it.

    >>> from voicelstm.datasets import balanced_weights
    >>> y = ["human", "human", "synthetic", "synthetic", "synthetic", "synthetic"]
    >>> balanced_weights(y, {"system": ["", "", "a", "a", "a", "b"]}).tolist()
    [1.5, 1.5, 0.5, 0.5, 0.5, 1.5]
    """
    labels = check_labels(y)
    columns = group_columns(groups, len(labels))
    share, cell = np.ones(1), np.zeros(len(labels), dtype=np.intp)
    for values in (labels, *columns.values()):
        _, value = np.unique(values, return_inverse=True)
        n_values = int(value.max()) + 1
        pairs, finer = np.unique(cell * n_values + value, return_inverse=True)
        parents = pairs // n_values
        share = share[parents] / np.bincount(parents)[parents]
        cell = finer
    return len(labels) * (share / np.bincount(cell))[cell]
