"""Active region and level of a recording as nodes of a graph."""

import numpy as np

from voicelstm.detector.onnx._graph import Graph, Value

__all__ = ["active_samples", "at_level", "at_level_of", "peak_of"]


def peak_of(graph: Graph, samples: Value) -> Value:
    """Return the largest magnitude of samples, one at least."""
    return graph.op("Abs", samples).reduce("Max")


def active_samples(
    graph: Graph, samples: Value, peak: Value, trim_silence: float, fewest: int
) -> tuple[Value, Value]:
    """Return where the active region begins and its samples, or the first `fewest` if all are zero."""
    threshold = peak * 10 ** (-trim_silence / 20)
    active = (graph.op("Abs", samples) >= threshold).cast(np.float32)
    first = graph.op("ArgMax", active, axis=0, keepdims=0)
    last = graph.op("ArgMax", active, axis=0, keepdims=0, select_last_index=1)
    is_silent = graph.op("Equal", peak, 0.0)
    start = graph.where(is_silent, 0, first)
    return start, samples.slice(0, start, graph.where(is_silent, fewest, last + 1))


def at_level(graph: Graph, samples: Value, peak: Value, level: float) -> Value:
    """Scale samples to a root mean square, in dB; silence stays as it is."""
    scaled = samples / graph.where(graph.op("Equal", peak, 0.0), 1.0, peak)
    power = (scaled * scaled).cast(np.float64).reduce("Mean")
    return at_level_of(graph, scaled, graph.op("Sqrt", power), level)


def at_level_of(graph: Graph, samples: Value, loudness: Value, level: float) -> Value:
    """Scale samples, of which some have this root mean square, to one in dB; that of silence stays."""
    gain = graph.constant(10 ** (level / 20), np.float64) / loudness
    return samples * graph.where(loudness > 0.0, gain, 1.0).cast(samples.dtype)
