"""A matrix product that leaves the other cores alone."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["matrix_product"]

# Multiplications of one call to BLAS. More than these, OpenBLAS shares out to threads on most processors, and
# waiting for one costs more than it computes, many times so if others want the cores. To limit BLAS's
# threads instead would change a number of the whole process under a user's other threads.
_LARGEST_PRODUCT = 2**18


def matrix_product(rows: NDArray, matrix: NDArray, out: NDArray | None = None) -> NDArray:
    """Multiply rows by a matrix, so few at once that BLAS computes in this thread alone."""
    if out is None:
        out = np.empty((len(rows), *matrix.shape[1:]), dtype=np.result_type(rows, matrix))
    at_once = max(_LARGEST_PRODUCT // matrix.size, 1)
    for first in range(0, len(rows), at_once):
        chosen = slice(first, first + at_once)
        if len(rows[chosen]) == 1 and at_once > 1:
            # BLAS shares out the product of one row sooner than that of two.
            out[first] = np.matmul(np.concatenate([rows[chosen], rows[chosen]]), matrix)[0]
        else:
            np.matmul(rows[chosen], matrix, out=out[chosen])
    return out
