"""A fitted network in NumPy: segments to logits."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray

from voicelstm.network._architecture import Architecture, Weights, shifts_of
from voicelstm.network.inference._convolutions import ConvolutionBlocks
from voicelstm.network.inference._pooling import Pooled
from voicelstm.network.inference._recurrent import LSTMLayers
from voicelstm.sequences import SegmentBatches

__all__ = ["InferenceNetwork"]

# Numbers that the rows of one group may have, ahead of the LSTM layers.
_MOST_NUMBERS = 2**24


class InferenceNetwork:
    """The network of an architecture and its weights, which threads may ask together: it changes nothing.

    It computes in the type that the weights have, on one core for each of the groups that segments are
    divided into.
    """

    def __init__(self, architecture: Architecture, weights: Weights) -> None:
        self._architecture = architecture
        self._weights = weights
        self._convolutions = None
        if architecture.convolutions:
            self._convolutions = ConvolutionBlocks.of(architecture, weights)
            weights = weights | {
                name: self._convolutions.in_its_order(weights[name])
                for name in (f"lstm_0{direction}/kernel" for direction in architecture.directions)
            }
        self._n_shifts = math.prod(map(len, shifts_of(architecture.convolutions)))
        self._layers = LSTMLayers.of(architecture, weights)

    def logits(self, batches: SegmentBatches) -> NDArray:
        """Score segments: (n_segments, n_outputs), in the order of the segments."""
        scores = np.zeros((len(batches.segments), self._architecture.n_outputs), batches.dtype)
        groups = list(self._groups(batches.lengths))

        def score(group: NDArray[np.intp]) -> None:
            # What overflows ends as NaN, of which the classifier speaks, or in a cell that is full.
            with np.errstate(over="ignore", invalid="ignore"):
                scores[group] = self._score(batches, group)

        n_threads = min(
            len(groups), cpu_count()
        )  # of what joblib, a container and the system leave to this process
        if n_threads < 2:
            for group in groups:
                score(group)
        else:
            with ThreadPoolExecutor(n_threads, thread_name_prefix="voicelstm-inference") as pool:
                list(pool.map(score, groups))
        return scores

    def _groups(self, lengths: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
        """Divide segments into groups of similar lengths, as large as products and memory allow."""
        order = np.argsort(-lengths, kind="stable")
        first = 0
        while first < len(order):
            numbers = int(lengths[order[first]]) * self._architecture.n_features
            most = min(self._layers.most_rows // self._n_shifts, _MOST_NUMBERS // numbers)
            yield order[first : first + max(most, 1)]
            first += max(most, 1)

    def _score(self, batches: SegmentBatches, group: NDArray[np.intp]) -> NDArray:
        sequences = (batches.segment(position) for position in group)
        if self._convolutions is None:
            parts = [(sequence[:, None], np.array([len(sequence)])) for sequence in sequences]
        else:
            parts = [self._convolutions.run(sequence) for sequence in sequences]
        lengths = np.concatenate([of_part for _, of_part in parts])
        order = np.argsort(-lengths, kind="stable")
        frames = _side_by_side([frames for frames, _ in parts], order)
        lengths = lengths[order]
        pooled: Pooled | None = None
        for first, outputs in self._layers.run(frames, lengths):
            if pooled is None:
                pooled = Pooled(self._architecture.pooling, lengths, outputs.shape[2], self._weights)
            pooled.add(first, outputs)
        assert pooled is not None
        found = pooled.vectors(frames.dtype) @ self._weights["head/kernel"] + self._weights["head/bias"]
        in_order = np.empty_like(found)
        in_order[order] = found
        return in_order.reshape(len(group), self._n_shifts, -1).mean(axis=1)


def _side_by_side(parts: list[NDArray], order: NDArray[np.intp]) -> NDArray:
    """Lay parts (n_frames, n_rows, width) into one array, its rows in this order, zeros behind them."""
    if len(parts) == 1 and (order == np.arange(len(order))).all():
        return parts[0]
    n_frames, width = max(map(len, parts)), parts[0].shape[2]
    frames = np.zeros((n_frames, len(order), width), parts[0].dtype)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    first = 0
    for part in parts:
        n_rows = part.shape[1]
        frames[: len(part), place[first : first + n_rows]] = part
        first += n_rows
    return frames
