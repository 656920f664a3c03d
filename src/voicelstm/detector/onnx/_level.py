"""Active region and level of a recording as nodes of a graph."""

import math

import numpy as np

from voicelstm.detector.onnx._graph import Graph, Value

__all__ = ["active_samples", "at_level", "at_level_of_frames", "peak_of"]


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
    peak = graph.where(graph.op("Equal", peak, 0.0), 1.0, peak)
    scaled = samples / peak
    power = (scaled * scaled).cast(np.float64).reduce("Mean")
    return scaled * _gain(graph, power, level).cast(samples.dtype)


def at_level_of_frames(
    graph: Graph, samples: Value, level: float, starts: Value, n_samples: Value, frame_length: int, step: int
) -> Value:
    """Scale samples so that frames which begin at these places have a root mean square, in dB."""
    block = math.gcd(frame_length, step)
    # Beyond the last sample of a frame there may be none; one block more, so that there is one at all.
    behind = starts.slice(0, -1).reshape() + frame_length - samples.size(0)
    behind = graph.maximum(behind, 0) + block
    padded = graph.op("Pad", samples, graph.numbers([0, behind]), graph.constant(0, samples.dtype))
    n_blocks = padded.size(0) // block
    blocks = padded.slice(0, 0, n_blocks * block).reshape(-1, block).cast(np.float64)
    energies = graph.op("ReduceSumSquare", blocks, graph.constant([1], np.int64), keepdims=0)
    places = (starts // block).reshape(-1, 1) + np.arange(frame_length // block)
    n_there = graph.minimum(starts + frame_length, n_samples) - starts
    powers = energies.take(places).reduce("Sum", 1) / graph.maximum(n_there, 1).cast(np.float64)
    return samples * _gain(graph, powers.reduce("Mean"), level).cast(samples.dtype)


def _gain(graph: Graph, power: Value, level: float) -> Value:
    """Return what brings a power to a level, 1 if there is none."""
    gain = graph.constant(10 ** (level / 20), power.dtype) / graph.op("Sqrt", power)
    return graph.where(power > 0.0, gain, 1.0)
