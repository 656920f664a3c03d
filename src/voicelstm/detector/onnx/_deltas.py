"""What is done to features over time, as nodes of a graph: derivatives, normalisation."""

import numpy as np

from voicelstm.detector.onnx._graph import Graph, Value

__all__ = ["append_deltas", "normalized"]


def append_deltas(graph: Graph, features: Value, order: int) -> Value:
    """Append so many time derivatives of features (n_frames, n_features) as further columns."""
    found = [features]
    n_frames = features.size(0)
    for _ in range(order):
        ends = graph.constant([2, 0, 2, 0], np.int64)
        padded = graph.op("Pad", found[-1], ends, mode="edge")

        def shifted(frames: int, padded: Value = padded) -> Value:
            return padded.slice(0, 2 + frames, n_frames + (2 + frames))

        found.append(((shifted(2) - shifted(-2)) * 2 + shifted(1) - shifted(-1)) / 10)
    return graph.concatenate(found, 1)


def normalized(graph: Graph, features: Value, how: str | None) -> Value:
    """Normalise each column: subtract the mean, divide by the deviation as well, or map the range to 0..1."""
    if how is None:
        return features
    low = features.reduce("Min", 0, keepdims=True)
    high = features.reduce("Max", 0, keepdims=True)
    if how == "minmax":
        shift, scale = low, high - low
    else:
        precise = features.cast(np.float64)
        mean = precise.reduce("Mean", 0, keepdims=True)
        shift, scale = mean.cast(features.dtype), None
        if how == "zscore":
            off = precise - mean
            variance = (off * off).reduce("Mean", 0, keepdims=True)
            scale = graph.op("Sqrt", variance).cast(features.dtype)
    found = features - shift
    is_constant = graph.op("Equal", low, high)
    if scale is not None:
        found = found / graph.where(is_constant, 1.0, scale)
    return graph.where(is_constant, 0.0, found)
