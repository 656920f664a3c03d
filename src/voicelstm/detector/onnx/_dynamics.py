"""How far and how fast cepstra move, as nodes of a graph."""

from typing import NamedTuple

import numpy as np

from voicelstm.detector.onnx._graph import Graph, Value
from voicelstm.features import LEAST_MOVEMENT, UNRELATED, CepstralDynamics

__all__ = ["Windows", "dynamics_of"]


class Windows(NamedTuple):
    """What is said of windows (n_windows, n_features), first frame of each and the one behind its last."""

    movements: Value
    starts: Value
    stops: Value


def dynamics_of(graph: Graph, clip: Value, dynamics: CepstralDynamics) -> Windows:
    """Describe the movements of a clip (n_frames, n_coefficients), a frame at least, as a fitted one does."""
    lags, window_frames, step_frames = dynamics._checked_settings()
    n_frames = clip.size(0)
    x = clip.cast(np.float64)
    mean = x.reduce("Mean", 0, keepdims=True)
    x = x - mean
    variance = (x * x).reduce("Mean", 0, keepdims=True)
    variance = graph.where(variance <= mean * mean * 1e-12, 1.0, variance)
    window, step = graph.minimum(n_frames, window_frames), graph.minimum(n_frames, step_frames)
    last = n_frames - window
    starts = graph.minimum(graph.arange((last + step + step - 1) // step) * step, last)
    stops = starts + window
    columns = [_means(graph, x * x, starts, stops)]
    frames = graph.arange(n_frames)
    for lag in lags:
        off = x - x.take(graph.maximum(frames - lag, 0))
        # Frames that have none so far before them belong to no mean.
        first, behind = (graph.minimum(graph.maximum(edge, lag), n_frames) for edge in (starts, stops))
        columns.append(_means(graph, off * off / variance, first, behind))
    measured = graph.op("Log", graph.concatenate(columns, 1) + LEAST_MOVEMENT)
    centred = measured - graph.constant(dynamics.centre_, np.float64)
    # ONNX Runtime knows no tanh of double precision in browsers.
    side = graph.op("Tanh", (centred / graph.constant(dynamics.scale_, np.float64)).cast(np.float32))
    return Windows(graph.concatenate([side, side * side], 1), starts, stops)


def _means(graph: Graph, values: Value, first: Value, behind: Value) -> Value:
    """Average rows over ranges; over an empty one the mean is that of unrelated frames."""
    sums = graph.op("CumSum", values, graph.constant(0, np.int64))
    sums = graph.op("Pad", sums, graph.constant([1, 0, 0, 0], np.int64))
    n = (behind - first).reshape(-1, 1)
    means = (sums.take(behind) - sums.take(first)) / graph.maximum(n, 1).cast(np.float64)
    return graph.where(n > 0, means, UNRELATED)
