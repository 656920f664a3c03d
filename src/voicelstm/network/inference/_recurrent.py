"""The LSTM layers of a fitted network, over rows that are sorted by length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from voicelstm.network._architecture import Architecture, Weights
from voicelstm.network.inference._products import multiply_rows, rows_at_once

__all__ = ["LSTMLayers"]

# Numbers that the gates of a chunk of frames have, so that they stay in the cache.
_CHUNK = 2**16
_FEWEST_FRAMES, _MOST_FRAMES = 8, 128
# Numbers of a matrix beyond which OpenBLAS shares out its product with one row.
_LARGEST_FOR_ONE_ROW = 9216
# Numbers of the states of all layers together up to which steps take as long as calls of NumPy do, so that
# layers are read together.
_FEW_STATES = 1024


@dataclass(frozen=True)
class _Layer:
    """The LSTMs of one layer, one for each direction; gates are i, f, o, c, and those of three are halved.

    The logistic function is (1 + tanh(x / 2)) / 2.
    """

    kernel: NDArray  # (4 * n_directions, width, units)
    bias: NDArray  # (4, n_directions, 1, 1, units)
    recurrent: NDArray  # (4, n_directions, units, units), halved once more: see `_Cells`

    @classmethod
    def of(cls, weights: Weights, names: Sequence[str]) -> Self:
        """Take the weights of LSTMs of these names."""
        kernel, recurrent, bias = (
            np.stack([_by_gate(weights[f"{name}/{kind}"]) for name in names], axis=1)
            for kind in ("kernel", "recurrent_kernel", "bias")
        )
        return cls(
            np.ascontiguousarray(kernel).reshape(-1, *kernel.shape[2:]),
            bias[:, :, None, None, :],
            np.ascontiguousarray(recurrent * recurrent.dtype.type(0.5)),
        )

    @property
    def units(self) -> int:
        return self.recurrent.shape[-1]

    def project(self, frames: NDArray, direction: int, out: NDArray) -> None:
        """Write the gates (4, n_frames, n_rows, units) that frames (n_frames, n_rows, width) open."""
        width = frames.shape[2]
        kernel = self.kernel.reshape(4, -1, width, self.units)[:, direction]
        flat = np.ascontiguousarray(frames).reshape(-1, width)
        multiply_rows(flat, kernel, out.reshape(4, -1, self.units))
        out += self.bias[:, direction]


def _by_gate(values: NDArray) -> NDArray:
    """Bring Keras's gates i, f, c, o, which are columns, to the front in the order i, f, o, c."""
    gates = np.stack(np.split(values, 4, axis=-1))[[0, 1, 3, 2]]
    gates[:3] *= gates.dtype.type(0.5)
    return gates


class _Cells:
    """Cells of LSTMs that take their steps together, `n_lanes` of them over `n_rows` rows each."""

    def __init__(self, recurrent: NDArray, n_rows: int) -> None:
        n_lanes, units = recurrent.shape[1:3]
        dtype = recurrent.dtype
        self._recurrent = recurrent
        self._one, self._half = np.ones((), dtype), np.full((), 0.5, dtype)
        # i, f, o, the cell's input, the cell's state: what is multiplied is then in two halves.
        self._values = np.zeros((5, n_lanes, n_rows, units), dtype)
        self._twice_output = np.zeros((n_lanes, n_rows, units), dtype)

    def keep(self, n_rows: int) -> None:
        """Go on with the first rows only."""
        if n_rows < self._twice_output.shape[1]:
            self._values = np.ascontiguousarray(self._values[:, :, :n_rows])
            self._twice_output = np.ascontiguousarray(self._twice_output[:, :n_rows])

    def forget(self, lane: int) -> None:
        """Begin a lane anew."""
        self._values[4, lane] = 0
        self._twice_output[lane] = 0

    def step_through(self, gates: NDArray) -> NDArray:
        """Read gates (4, n_lanes, n_frames, n_rows, units); return (n_frames, n_lanes, n_rows, units)."""
        n_lanes, n_frames, n_rows, units = gates.shape[1:]
        outputs = np.empty((n_frames, n_lanes, n_rows, units), gates.dtype)
        values = self._values
        found, through, both, others = values[:4], values[:3], values[:2], values[3:]
        opened, cell = values[2], values[4]
        products, squashed = np.empty_like(both), np.empty_like(cell)
        one_product, other_product = products
        one, half = self._one, self._half
        n_parts = _n_parts(units) if n_rows == 1 else 1
        weights = self._recurrent.reshape(4, n_lanes, units, n_parts, -1).transpose(0, 1, 3, 2, 4)
        into = found.reshape(4, n_lanes, n_rows, n_parts, -1).transpose(0, 1, 3, 2, 4)
        output = self._twice_output
        for of_frame, following in zip(np.moveaxis(gates, 2, 0), outputs, strict=True):
            np.matmul(output[:, None], weights, out=into)
            np.add(found, of_frame, out=found)
            np.tanh(found, out=found)
            np.add(through, one, out=through)  # twice the gates
            np.multiply(both, others, out=products)
            np.add(one_product, other_product, out=cell)
            np.multiply(cell, half, out=cell)
            np.tanh(cell, out=squashed)
            np.multiply(opened, squashed, out=following)
            output = following
        self._twice_output = output.copy()
        outputs *= half
        return outputs


def _n_parts(units: int) -> int:
    """Return how many parts to divide the product of one row by a gate's weights into."""
    n_parts = 1
    while units * units // n_parts > _LARGEST_FOR_ONE_ROW and units % (2 * n_parts) == 0:
        n_parts *= 2
    return n_parts


class LSTMLayers:
    """Layers on top of each other."""

    def __init__(self, layers: Sequence[_Layer], bidirectional: bool) -> None:
        self._layers = layers
        self._bidirectional = bidirectional
        self._widest = max(layer.units for layer in layers)

    @classmethod
    def of(cls, architecture: Architecture, weights: Weights) -> Self:
        """Take the weights of a network."""
        names = [
            [f"lstm_{layer}{direction}" for direction in architecture.directions]
            for layer in range(len(architecture.units))
        ]
        return cls([_Layer.of(weights, of_layer) for of_layer in names], architecture.bidirectional)

    @property
    def most_rows(self) -> int:
        """Rows that the recurrent weights are multiplied by in one call to BLAS."""
        return rows_at_once(self._widest**2)

    def run(self, frames: NDArray, lengths: NDArray[np.intp]) -> Iterator[tuple[int, NDArray]]:
        """Read (n_frames, n_rows, width), the longest rows first; yield first frames and chunks of outputs.

        A chunk has no rows that ended before it; what it has beyond the end of a row is of no use.
        """
        if self._bidirectional:
            return self._both_ways(frames, lengths)
        n_rows = frames.shape[1]
        states = len(self._layers) * n_rows * self._widest
        if len(self._layers) > 1 and states <= _FEW_STATES and lengths[0] == lengths[-1]:
            return self._together(frames)
        return self._in_turn(frames, lengths)

    def _in_turn(self, frames: NDArray, lengths: NDArray[np.intp]) -> Iterator[tuple[int, NDArray]]:
        """Read each chunk with one layer after the other."""
        cells = [_Cells(layer.recurrent, len(lengths)) for layer in self._layers]
        for first, n_rows, chunk in self._chunks(frames, lengths, 1):
            outputs = chunk
            for layer, of_layer in zip(self._layers, cells, strict=True):
                of_layer.keep(n_rows)
                gates = np.empty((4, 1, *outputs.shape[:2], layer.units), frames.dtype)
                layer.project(outputs, 0, gates[:, 0])
                outputs = of_layer.step_through(gates)[:, 0]
            yield first, outputs

    def _together(self, frames: NDArray) -> Iterator[tuple[int, NDArray]]:
        """Read a chunk with each layer while the one above reads the chunk before; all rows are as long."""
        n_layers, units = len(self._layers), self._widest
        n_rows = frames.shape[1]
        recurrent = np.zeros((4, n_layers, units, units), frames.dtype)
        for number, layer in enumerate(self._layers):
            recurrent[:, number, : layer.units, : layer.units] = layer.recurrent[:, 0]
        cells = _Cells(recurrent, n_rows)
        lengths = np.full(n_rows, len(frames))
        chunks = [(first, chunk) for first, _, chunk in self._chunks(frames, lengths, n_layers)]
        gates = np.zeros((4, n_layers, len(chunks[0][1]), n_rows, units), frames.dtype)
        inputs: list[NDArray] = [frames] * n_layers
        for turn in range(len(chunks) + n_layers - 1):
            reading = range(max(0, turn - len(chunks) + 1), min(n_layers, turn + 1))
            if 0 in reading:
                inputs[0] = chunks[turn][1]
            for number in reading:
                layer, given = self._layers[number], inputs[number]
                of_layer = np.empty((4, *given.shape[:2], layer.units), frames.dtype)
                layer.project(given, 0, of_layer)
                gates[:, number, : len(given), :, : layer.units] = of_layer
            if turn in reading:
                cells.forget(turn)
            outputs = cells.step_through(gates)
            for number in reading:
                n_frames = len(chunks[turn - number][1])
                found = outputs[:n_frames, number, :, : self._layers[number].units]
                if number + 1 < n_layers:
                    inputs[number + 1] = found
                else:
                    yield chunks[turn - number][0], found

    def _both_ways(self, frames: NDArray, lengths: NDArray[np.intp]) -> Iterator[tuple[int, NDArray]]:
        """Read all frames forwards and backwards with each layer."""
        for layer in self._layers:
            units = layer.units
            backwards = _reversed_within(frames, lengths)
            cells = _Cells(layer.recurrent, len(lengths))
            found = np.zeros((*frames.shape[:2], 2 * units), frames.dtype)
            of_backwards = np.zeros((*frames.shape[:2], units), frames.dtype)
            for first, n_rows, chunk in self._chunks(frames, lengths, 2):
                cells.keep(n_rows)
                place = slice(first, first + len(chunk)), slice(0, n_rows)
                gates = np.empty((4, 2, *chunk.shape[:2], units), frames.dtype)
                layer.project(chunk, 0, gates[:, 0])
                layer.project(backwards[place], 1, gates[:, 1])
                outputs = cells.step_through(gates)
                found[place][..., :units], of_backwards[place] = outputs[:, 0], outputs[:, 1]
            found[..., units:] = _reversed_within(of_backwards, lengths)
            frames = found
        for first, _, chunk in self._chunks(frames, lengths, 2):
            yield first, chunk

    def _chunks(
        self, frames: NDArray, lengths: NDArray[np.intp], n_lanes: int
    ) -> Iterator[tuple[int, int, NDArray]]:
        """Yield the first frame of each chunk, the rows that are not at their end, and their frames."""
        size = min(max(_CHUNK // (4 * n_lanes * len(lengths) * self._widest), _FEWEST_FRAMES), _MOST_FRAMES)
        for first in range(0, len(frames), size):
            n_rows = int(np.count_nonzero(lengths > first))
            yield first, n_rows, frames[first : first + size, :n_rows]


def _reversed_within(frames: NDArray, lengths: NDArray[np.intp]) -> NDArray:
    """Reverse each row within its own length; what is behind it is zero."""
    if lengths[0] == lengths[-1]:
        return frames[: lengths[0]][::-1]
    found = np.zeros_like(frames)
    for row, length in enumerate(lengths):
        found[:length, row] = frames[:length, row][::-1]
    return found
