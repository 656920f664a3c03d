"""A fitted network as nodes of a graph: batches of segments to logits."""

import math

import numpy as np
from numpy.typing import NDArray

from voicelstm.detector.onnx._graph import Graph, Value
from voicelstm.network import (
    LEAST_STATS_VARIANCE,
    Architecture,
    Weights,
    normalized_kernels,
    shifts_of,
)

__all__ = ["logits"]


class _Lengths:
    """Frames of the rows of each shift, in a graph; they may be known before it runs.

    The rows of one shift are together. The longest have as many frames as there are, others one less.
    """

    def __init__(self, graph: Graph, n_frames: Value | int) -> None:
        self._graph = graph
        self._n_frames = n_frames
        self._known = [n_frames] if isinstance(n_frames, int) else None
        self._values = graph.numbers([n_frames])

    def of_rows(self, n_rows: Value) -> Value:
        """Return the length of each row."""
        return self._over_rows(self._values, n_rows)

    def lowest_beyond(self, maps: Value) -> Value:
        """Let frames beyond the lengths of maps, (n_rows, n_maps, n_frames, n_bands), be no maximum."""
        if self._are_equal:
            return maps
        return self._graph.where(self._are_within(maps), maps, float(np.finfo(np.float32).min))

    def zero_beyond(self, maps: Value) -> Value:
        """Let frames beyond the lengths of maps be zero."""
        # A product takes a third of the time of a choice.
        return maps if self._are_equal else maps * self._are_within(maps).cast(np.float32)

    @property
    def _are_equal(self) -> bool:
        return self._known is not None and len(set(self._known)) == 1

    def _are_within(self, maps: Value) -> Value:
        lengths = self.of_rows(maps.size(0)).reshape(-1, 1, 1, 1)
        return self._graph.arange(self._n_frames).reshape(1, 1, -1, 1) < lengths

    def from_each_shift(self, maps: Value, pool: int, shifts: range) -> Value:
        """Choose every `pool`-th frame, from each shift on, and go on with the lengths of these."""
        graph, n_rows = self._graph, maps.size(0)
        n_pooled = (self._n_frames + (pool - 1)) // pool
        starts = graph.arange(n_pooled) * pool
        found: list[Value] = []
        remaining: list[Value] = []
        for shift in shifts:
            # There is no such frame only beyond the length of a row.
            places = graph.minimum(starts + shift, graph.numbers([self._n_frames]) - 1)
            chosen, left = maps.take(places, axis=2), self._values - shift
            if shift and (self._known is None or min(self._known) <= shift):
                is_longer = self._values > shift
                left = graph.where(is_longer, left, self._values)
                of_rows = self._over_rows(is_longer, n_rows).reshape(-1, 1, 1, 1)
                chosen = graph.where(of_rows, chosen, found[0])
            found.append(chosen)
            remaining.append(left)
        self._n_frames = n_pooled
        self._values = (graph.concatenate(remaining, 0) + (pool - 1)) // pool
        if self._known is not None:
            known = [each - shift if each > shift else each for shift in shifts for each in self._known]
            self._known = [-(-each // pool) for each in known]
        return graph.concatenate(found, 0)

    def _over_rows(self, of_shifts: Value, n_rows: Value) -> Value:
        """Repeat what there is for each shift over the segments of this shift."""
        n_shifts = of_shifts.size(0)
        shape = self._graph.numbers([n_shifts, n_rows // n_shifts])
        return self._graph.op("Expand", of_shifts.reshape(-1, 1), shape).reshape(-1)


def logits(
    graph: Graph, segments: Value, n_frames: int | None, architecture: Architecture, weights: Weights
) -> Value:
    """Score segments (n_segments, n_frames, n_features), which are standardised: (n_segments, n_outputs).

    If `n_frames` is known, the graph is faster.
    """
    lengths = _Lengths(graph, segments.size(1) if n_frames is None else n_frames)
    weights = dict(weights)
    if architecture.convolutions:
        frames = _convolutions(graph, segments, lengths, architecture, weights)
    else:
        frames = segments.transpose(1, 0, 2)
    n_shifts = math.prod(map(len, shifts_of(architecture.convolutions)))
    of_rows = lengths.of_rows(frames.size(1))
    for layer in range(len(architecture.units)):
        frames = _lstm(graph, frames, of_rows, layer, architecture, weights)
    pooled = _pooled(graph, frames.transpose(1, 0, 2), of_rows, architecture.pooling, weights)
    scores = pooled @ _single(graph, weights["head/kernel"]) + _single(graph, weights["head/bias"])
    return scores.reshape(n_shifts, -1, architecture.n_outputs).reduce("Mean", 0)


def _convolutions(
    graph: Graph, segments: Value, lengths: _Lengths, architecture: Architecture, weights: Weights
) -> Value:
    """Return pooled frames (n_frames, n_rows, width), rows of one shift together, and change the lengths.

    The kernel in `weights` that reads them is changed, too: to the signs of the maps.
    """
    n_bands = architecture.n_features
    maps = segments.reshape(segments.size(0), 1, -1, n_bands)
    kernels, signs = normalized_kernels(architecture, weights)
    blocks = zip(kernels, architecture.convolutions, shifts_of(architecture.convolutions), strict=True)
    for number, ((kernel, bias), (_, size, pool), shifts) in enumerate(blocks):
        before, behind = (size - 1) // 2, size // 2
        maps = graph.op(
            "Conv",
            maps,
            _single(graph, kernel.transpose(3, 2, 0, 1)),
            _single(graph, bias),
            pads=[before, before, behind, behind],
        )
        if pool > 1:
            # Pooled before the larger of two halves is taken, there is less to move.
            maps = lengths.lowest_beyond(maps)
            maps = graph.op(
                "MaxPool",
                maps,
                kernel_shape=[pool, pool],
                strides=[1, pool],
                pads=[0, 0, pool - 1, -n_bands % pool],
            )
            n_bands = -(-n_bands // pool)
        one, other = graph.ops("Split", maps, n_outputs=2, axis=1, num_outputs=2)
        maps = graph.maximum(one, other)
        if pool > 1:
            maps = lengths.from_each_shift(maps, pool, shifts)
        if number + 1 < len(kernels):
            maps = lengths.zero_beyond(maps)
    for direction in architecture.directions:
        name = f"lstm_0{direction}/kernel"
        rows = weights[name].reshape(n_bands, len(signs), -1) * signs[:, None]
        weights[name] = rows.reshape(weights[name].shape)
    frames = maps.transpose(2, 0, 3, 1)
    return frames.reshape(frames.size(0), frames.size(1), n_bands * len(signs))


def _lstm(
    graph: Graph, frames: Value, lengths: Value, layer: int, architecture: Architecture, weights: Weights
) -> Value:
    """Read frames (n_frames, n_rows, width) with a layer; return (n_frames, n_rows, width of outputs)."""
    units = architecture.units[layer]
    names = [f"lstm_{layer}{direction}" for direction in architecture.directions]
    kernel, recurrent, bias = (
        np.stack([_in_onnx_order(weights[f"{name}/{kind}"]) for name in names])
        for kind in ("kernel", "recurrent_kernel", "bias")
    )
    outputs = graph.op(
        "LSTM",
        frames,
        _single(graph, kernel),
        _single(graph, recurrent),
        _single(graph, np.concatenate([bias, np.zeros_like(bias)], axis=1)),  # ONNX has two
        lengths.cast(np.int32),
        hidden_size=units,
        direction="bidirectional" if architecture.bidirectional else "forward",
    )
    n_frames, n_rows = frames.size(0), frames.size(1)
    return outputs.transpose(0, 2, 1, 3).reshape(n_frames, n_rows, units * len(names))


def _in_onnx_order(values: NDArray) -> NDArray:
    """Bring the gates i, f, c, o, which are columns, into the order i, o, f, c, as rows."""
    gates = np.split(values.T, 4)
    return np.concatenate([gates[at] for at in (0, 3, 1, 2)])


def _pooled(graph: Graph, outputs: Value, lengths: Value, how: str, weights: Weights) -> Value:
    """Pool (n_rows, n_frames, width) over the frames within the lengths."""
    frames, lengths = graph.arange(outputs.size(1)).reshape(1, -1), lengths.reshape(-1, 1)
    valid = frames < lengths
    if how == "max":
        return graph.where(valid.reshape(*_like(valid), 1), outputs, -1.0).reduce("Max", 1)
    if how == "attention":
        hidden = graph.op(
            "Tanh",
            outputs @ _single(graph, weights["pooling/kernel"]) + _single(graph, weights["pooling/bias"]),
        )
        scores = (hidden @ _single(graph, weights["pooling/context"])).reshape(*_like(valid))
        share = graph.op("Softmax", graph.where(valid, scores, -1e4), axis=1)
    elif how == "last":
        share = graph.op("Equal", frames, lengths - 1).cast(np.float32)
    else:
        share = valid.cast(np.float32) / lengths.cast(np.float32)
    share = share.reshape(valid.size(0), 1, valid.size(1))
    mean = share @ outputs
    width = outputs.size(2)
    if how != "stats":
        return mean.reshape(-1, width)
    off = outputs - mean
    variance = share @ (off * off)
    deviation = graph.op("Sqrt", variance + LEAST_STATS_VARIANCE)
    return graph.concatenate([mean.reshape(-1, width), deviation.reshape(-1, width)], 1)


def _like(values: Value) -> tuple[Value, Value]:
    return values.size(0), values.size(1)


def _single(graph: Graph, values: NDArray) -> Value:
    """Return a constant of single precision, of whatever precision the network is."""
    return graph.constant(values, np.float32)
