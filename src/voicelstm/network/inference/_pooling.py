"""From outputs that come in chunks of frames to one vector for each row."""

import numpy as np
from numpy.typing import NDArray

from voicelstm.network._architecture import LEAST_STATS_VARIANCE, Weights
from voicelstm.network.inference._products import multiply_rows

__all__ = ["Pooled"]


class Pooled:
    """What pooling makes of rows of these lengths, the longest first; sums are of double precision."""

    def __init__(self, how: str, lengths: NDArray[np.intp], width: int, weights: Weights) -> None:
        self._how, self._lengths, self._weights = how, lengths, weights
        self._values = np.zeros((len(lengths), width))
        self._squares = np.zeros((len(lengths), width if how == "stats" else 0))
        # Of attention: the sum of all weights, and the score that all are relative to.
        self._total, self._largest = np.zeros((len(lengths), 1)), np.full((len(lengths), 1), -np.inf)
        if how == "max":
            self._values[:] = -np.inf

    def add(self, first: int, outputs: NDArray) -> None:
        """Take outputs (n_frames, n_rows, width) of the first rows, from a frame on."""
        n_frames, n_rows, _ = outputs.shape
        lengths, values = self._lengths[:n_rows], self._values[:n_rows]
        if self._how == "last":
            ended = np.flatnonzero(lengths <= first + n_frames)
            values[ended] = outputs[lengths[ended] - 1 - first, ended]
            return
        valid = None
        if lengths[-1] < first + n_frames:
            valid = (np.arange(first, first + n_frames)[:, None] < lengths)[:, :, None]
        if self._how == "max":
            counted = outputs if valid is None else np.where(valid, outputs, -np.inf)
            np.maximum(values, counted.max(axis=0), out=values)
        elif self._how == "attention":
            self._attend(outputs, valid)
        else:
            counted = outputs.astype(np.float64)
            if valid is not None:
                counted *= valid
            values += counted.sum(axis=0)
            if self._how == "stats":
                self._squares[:n_rows] += np.einsum("trw,trw->rw", counted, counted)

    def _attend(self, outputs: NDArray, valid: NDArray | None) -> None:
        n_rows = outputs.shape[1]
        kernel = self._weights["pooling/kernel"]
        flat = outputs.reshape(-1, outputs.shape[2])
        hidden = np.empty((1, *flat.shape), flat.dtype)
        multiply_rows(flat, kernel[None], hidden)
        hidden = np.tanh(hidden + self._weights["pooling/bias"])
        scores = (hidden @ self._weights["pooling/context"]).reshape(*outputs.shape[:2], 1).astype(np.float64)
        if valid is not None:
            scores[~valid] = -np.inf
        total, largest, values = self._total[:n_rows], self._largest[:n_rows], self._values[:n_rows]
        before = largest.copy()
        np.maximum(largest, scores.max(axis=0), out=largest)
        share = np.exp(scores - largest)
        shrunk = np.exp(before - largest)
        total *= shrunk
        total += share.sum(axis=0)
        values *= shrunk
        values += np.einsum("tr,trw->rw", share[..., 0], outputs)

    def vectors(self, dtype: np.dtype) -> NDArray:
        """Return the vectors, (n_rows, pooled width)."""
        values = self._values
        if self._how in ("mean", "stats"):
            values = values / self._lengths[:, None]
        if self._how == "stats":
            variance = np.maximum(self._squares / self._lengths[:, None] - np.square(values), 0)
            values = np.concatenate([values, np.sqrt(variance + LEAST_STATS_VARIANCE)], axis=1)
        if self._how == "attention":
            values = values / self._total
        return values.astype(dtype)
