"""Samples to cepstra as nodes of a graph: framing, spectrum, filterbank, logarithm, cosine transform."""

import math

import numpy as np

from voicelstm.audio import get_window
from voicelstm.detector.onnx._graph import Graph, Value
from voicelstm.detector.onnx._spectrum import Transform
from voicelstm.features import (
    LEAST_ENERGY,
    CepstraSettings,
    cosine_matrix,
    fft_size,
    filterbank,
    frame_sizes,
)

__all__ = ["cepstra", "frame_count"]

_AT_ONCE = 2048  # frames, so that long recordings take no more memory


def frame_count(graph: Graph, n_samples: Value, length: int, step: int) -> Value:
    """Count the frames of a signal whose last frame is filled with zeros."""
    return graph.maximum((n_samples - length + (step - 1)) // step, 0) + 1


def cepstra(
    graph: Graph, samples: Value, sample_rate: int, settings: CepstraSettings, positions: Value
) -> Value:
    """Compute the coefficients of frames, whose positions ascend: (n_positions, n_coefficients)."""
    length, step = frame_sizes(sample_rate, settings.frame_length, settings.frame_step)
    transform = Transform.of(fft_size(length, settings.n_fft), length)
    n_inner, n_rows = transform.n_inner, transform.n_rows
    window = np.zeros(n_rows * n_inner)
    window[:length] = get_window(settings.window, length, periodic=False)
    block = math.gcd(step, n_inner)
    # Each row of a frame is made of whole blocks; zeros behind the samples fill the last frame.
    needed = positions.slice(0, -1).reshape() * step + n_rows * n_inner
    zeros = graph.maximum(needed - samples.size(0), 0) + block
    n_padded = (samples.size(0) + zeros) // block * block
    blocks = _padded(graph, samples, 0, n_padded - samples.size(0)).reshape(-1, block)
    # Of the samples before these; behind the last sample there is nothing to emphasise.
    earlier = samples.slice(0, 0, -1)
    earlier = _padded(graph, earlier, 1, n_padded - samples.size(0)).reshape(-1, block)
    offsets = np.arange(n_rows)[:, None, None] * (n_inner // block) + np.arange(n_inner // block)

    n_positions = positions.size(0)

    def computed(first: Value, n_at_once: Value) -> Value:
        within = graph.minimum(first + graph.arange(n_at_once), n_positions - 1)
        starts = positions.take(within) * (step // block)
        places = starts.reshape(1, -1, 1) + graph.constant(offsets, np.int64)

        def framed(of: Value) -> Value:
            return of.take(places).reshape(n_rows, -1, n_inner).cast(np.float64)

        frames = framed(blocks)
        if settings.preemphasis:
            frames = frames - framed(earlier) * settings.preemphasis
        frames = frames * graph.constant(window.reshape(n_rows, 1, n_inner), np.float64)
        return _coefficients(graph, transform.power(graph, frames), sample_rate, settings, transform)

    return graph.in_groups(n_positions, _AT_ONCE, computed, settings.n_coefficients)


def _padded(graph: Graph, samples: Value, n_before: int, n_behind: Value) -> Value:
    return graph.op(
        "Pad", samples, graph.numbers([n_before, n_behind]), graph.constant(0, samples.dtype), mode="constant"
    )


def _coefficients(
    graph: Graph, power: Value, sample_rate: int, settings: CepstraSettings, transform: Transform
) -> Value:
    """Turn powers of bins (n_frames, n_bins) into coefficients."""
    filters = filterbank(
        sample_rate,
        transform.n_fft,
        settings.n_filters,
        fmin=settings.fmin,
        fmax=settings.fmax,
        scale=settings.scale,
        triangles=settings.triangles,
    )
    has_energy = settings.n_mfcc is not None and settings.energy
    if has_energy:
        filters = np.concatenate([filters, np.ones_like(filters[:1])])
    gain = settings.amplitude * settings.amplitude / transform.n_fft
    weights = (filters[:, transform.bins] * transform.is_first).T * gain
    energies = power @ graph.constant(weights, np.float32)
    logarithms = graph.op("Log", graph.where(graph.op("Equal", energies, 0.0), LEAST_ENERGY, energies))
    if settings.n_mfcc is None:
        return logarithms
    cosines = cosine_matrix(settings.n_filters, settings.n_mfcc, settings.lifter, np.dtype(np.float64))
    if not has_energy:
        return logarithms @ graph.constant(cosines, np.float32)
    found = logarithms.slice(1, 0, settings.n_filters) @ graph.constant(cosines, np.float32)
    return graph.concatenate([logarithms.slice(1, settings.n_filters), found.slice(1, 1)], 1)
