"""How probable speech is, as nodes of a graph: `voicelstm.audio._voice_detector`, step by step."""

import numpy as np
from numpy.typing import NDArray

from voicelstm.audio import VOICE_DETECTOR_SIZES as SIZES
from voicelstm.audio import SpeechState, voice_detector_weights
from voicelstm.detector.onnx._graph import Graph, Value
from voicelstm.detector.onnx._spectrum import Transform

__all__ = ["initial_states", "magnitudes", "speech_probability"]

_LAYERS = (("conv1", 1), ("conv2", 2), ("conv3", 2), ("conv4", 1))  # and their strides


def speech_probability(graph: Graph, heard: Value, hidden: Value, cell: Value) -> tuple[Value, Value, Value]:
    """Return the probabilities of speech in chunks, (n_chunks, n_hearings), and the state behind them.

    Chunks are heard with the samples before them, (n_chunks, context + chunk). Each hearing has a state
    (1, n_hearings, units) of its own.
    """
    weights = voice_detector_weights()
    n_hearings = hidden.size(1)
    encoded = _encoded(graph, heard, weights).reshape(-1, 1, SIZES.units)
    repeated = graph.op("Expand", encoded, graph.numbers([1, n_hearings, 1]))
    outputs, hidden, cell = graph.ops(
        "LSTM",
        repeated,
        *(graph.constant(each, np.float32) for each in _lstm_weights(weights)),
        None,
        hidden,
        cell,
        hidden_size=SIZES.units,
        n_outputs=3,
    )
    last = graph.op(
        "Gemm",
        graph.op("Relu", outputs.reshape(-1, SIZES.units)),
        graph.constant(weights["final_conv.weight"][:, :, 0], np.float32),
        graph.constant(weights["final_conv.bias"], np.float32),
        transB=1,
    )
    return graph.op("Sigmoid", last).reshape(-1, n_hearings), hidden, cell


def initial_states(graph: Graph, n_silent: int) -> list[Value]:
    """Return hidden states and cells (1, 2, units): before all chunks, and behind so many of silence."""
    states = SpeechState.initial(), SpeechState.after_silence(n_silent)
    return [
        graph.constant(np.stack(both)[None], np.float32)
        for both in ([state.hidden for state in states], [state.cell for state in states])
    ]


def magnitudes(graph: Graph, frames: Value, n_fft: int) -> tuple[Value, Transform]:
    """Return the magnitudes of frames (n_frames, n_fft), which Hann's window shapes first, and their bins."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    transform = Transform.of(n_fft, n_fft)
    windowed = frames * graph.constant(window, np.float32)
    rows = windowed.reshape(-1, transform.n_rows, transform.n_inner).transpose(1, 0, 2)
    return graph.op("Sqrt", transform.power(graph, rows)), transform


def _encoded(graph: Graph, heard: Value, weights: dict[str, NDArray[np.float32]]) -> Value:
    """Turn chunks, with context before them, into one vector for each."""
    mirrored = heard.slice(1, -2, -2 - SIZES.reflected, -1)
    hops = graph.concatenate([heard, mirrored], 1).reshape(
        -1, (SIZES.context + SIZES.chunk + SIZES.reflected) // SIZES.hop, SIZES.hop
    )
    n_frames = SIZES.chunk // SIZES.hop
    # A window is two hops long.
    frames = graph.concatenate([hops.slice(1, 0, n_frames), hops.slice(1, 1)], 2)
    values, transform = magnitudes(graph, frames.reshape(-1, SIZES.window), SIZES.window)
    encoded = values.reshape(-1, n_frames * len(transform.bins))
    for layer, stride in _LAYERS:
        kernel = weights[f"{layer}.weight"].transpose(2, 1, 0)
        if layer == "conv1":
            kernel = kernel[:, transform.bins] * transform.is_first[:, None]
        encoded = _convolved(graph, encoded, n_frames, kernel, weights[f"{layer}.bias"], stride)
        n_frames = -(-n_frames // stride)
    return encoded


def _convolved(
    graph: Graph,
    x: Value,
    n_frames: int,
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32],
    stride: int,
) -> Value:
    """Convolve frames, which are beside each other, with a kernel of three between zeros, and rectify."""
    _, width, n_outputs = kernel.shape
    middles = range(0, n_frames, stride)
    # First and last of the frames and of the taps that meet, each; all other taps meet zeros.
    met = [(max(middle - 1, 0), min(middle + 2, n_frames)) for middle in middles]
    taps = [
        (start - middle + 1, stop - middle + 1) for middle, (start, stop) in zip(middles, met, strict=True)
    ]
    fewest, most = min(start for start, _ in taps), max(stop for _, stop in taps)
    used = graph.constant(kernel[fewest:most].reshape(-1, n_outputs), np.float32)
    found = [
        graph.op(
            "Gemm",
            x.slice(1, start * width, stop * width),
            used.slice(0, (first - fewest) * width, (last - fewest) * width),
            graph.constant(bias, np.float32),
        )
        for (start, stop), (first, last) in zip(met, taps, strict=True)
    ]
    return graph.op("Relu", graph.concatenate(found, 1))


def _lstm_weights(weights: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return the recurrent layer's weights as ONNX lays them out: gates i, o, f, g."""

    def ordered(name: str) -> NDArray[np.float32]:
        values = weights[f"lstm_cell.{name}"]
        return values.reshape(4, SIZES.units, -1)[[0, 3, 1, 2]].reshape(1, *values.shape)

    biases = np.concatenate([ordered("bias_ih"), ordered("bias_hh")], axis=1)
    return [ordered("weight_ih"), ordered("weight_hh"), biases]
