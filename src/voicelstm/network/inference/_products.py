"""Matrix products that leave the other cores alone."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["LARGEST_PRODUCT", "multiply_rows", "rows_at_once"]

# Multiplications of one call to BLAS. More than these, OpenBLAS shares out to threads on most processors, and
# waiting for one costs more than it computes, many times so if others want the cores. NumPy makes one call
# for each matrix of a stack.
LARGEST_PRODUCT = 2**18


def rows_at_once(matrix_size: int) -> int:
    """Return how many rows a matrix of so many numbers multiplies in one call."""
    return max(LARGEST_PRODUCT // matrix_size, 2)


def multiply_rows(rows: NDArray, matrices: NDArray, out: NDArray) -> None:
    """Multiply rows (n, width) by matrices (n_matrices, width, n_columns) into (n_matrices, n, n_columns)."""
    n, width = rows.shape
    n_matrices, _, n_columns = matrices.shape
    at_once = min(rows_at_once(matrices[0].size), max(n, 1))
    whole = n // at_once * at_once
    stacked = rows[:whole].reshape(-1, at_once, width)
    into = out[:, :whole].reshape(n_matrices, -1, at_once, n_columns)
    np.matmul(stacked, matrices[:, None], out=into)
    if whole < n:
        np.matmul(rows[whole:], matrices, out=out[:, whole:])
