"""A matrix product that leaves the other cores alone."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["matrix_product"]

# Multiplications of one call to BLAS. More than these, OpenBLAS shares out to threads on most processors, and
# waiting for one costs more than it computes, many times so if others want the cores. To limit BLAS's
# threads instead would change a number of the whole process under a user's other threads.
_LARGEST_PRODUCT = 2**18
# Some columns of many rows are multiplied up to twice as fast as all columns of few.
_COLUMNS = 64


def matrix_product(rows: NDArray, matrix: NDArray, out: NDArray | None = None) -> NDArray:
    """Multiply rows by a matrix, so few numbers at once that BLAS computes in this thread alone."""
    n_columns = matrix.shape[1]
    if out is None:
        out = np.empty((len(rows), n_columns), dtype=np.result_type(rows, matrix))
    for first in range(0, n_columns, _COLUMNS):
        columns = slice(first, first + _COLUMNS)
        _multiply_into(out[:, columns], rows, matrix[:, columns])
    return out


def _multiply_into(out: NDArray, rows: NDArray, matrix: NDArray) -> None:
    at_once = max(_LARGEST_PRODUCT // matrix.size, 1)
    whole = len(rows) // at_once * at_once
    # NumPy makes one call to BLAS for each matrix of a stack.
    stacked = rows[:whole].reshape(-1, at_once, len(matrix))
    np.matmul(stacked, matrix, out=out[:whole].reshape(-1, at_once, matrix.shape[1]))
    remaining = rows[whole:]
    if len(remaining) == 1:
        # BLAS shares out the product of one row sooner than that of two.
        out[whole] = np.matmul(np.concatenate([remaining, remaining]), matrix)[0]
    elif len(remaining):
        np.matmul(remaining, matrix, out=out[whole:])
