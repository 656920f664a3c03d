"""The blocks of convolution of a fitted network, over one sequence that comes in blocks of frames."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from voicelstm.network._architecture import LEAST_VARIANCE, Architecture, Weights, shifts_of
from voicelstm.network.inference._products import LARGEST_PRODUCT

__all__ = ["ConvolutionBlocks", "normalized_kernels"]

# Frames of a sequence that are read at once; of longer ones, a block keeps what its kernel reads again.
_FRAMES = 100
# Numbers that a product of a few frames reads and writes, so that they stay in the cache.
_CACHED = 75_000
# Rows of a kernel below which a product is divided no further.
_FEWEST_MAPS = 4


class Maps(NamedTuple):
    """Some frames of maps: values (n_frames, n_maps, n_rows, n_bands + gap), and all numbers around them.

    Rows are the shifts that pooling begins with. After the bands of each row, and ahead of the first, are
    zeros, as many as a kernel reaches beyond a band: bands that are shifted are then a slice of the whole.
    """

    values: NDArray
    flat: NDArray
    is_last: bool

    @classmethod
    def zeros(cls, shape: tuple[int, int, int, int], gap: int, dtype: np.dtype) -> Self:
        """Make maps of this shape, gaps included."""
        flat = np.zeros(math.prod(shape) + 2 * gap, dtype)
        return cls(flat[gap : len(flat) - gap].reshape(shape), flat, is_last=False)

    def first(self, n_frames: int, gap: int, *, is_last: bool) -> "Maps":
        """Return so many first frames."""
        values = self.values[:n_frames]
        return Maps(values, self.flat[: values.size + 2 * gap], is_last)


@dataclass(frozen=True)
class _Block:
    """One block; normalisation is part of its kernel, but for signs, which are part of the next one's."""

    kernel: NDArray  # (n_parts, 2 * n_maps / n_parts, size * (size * n_channels + 1))
    size: int
    pool: int
    shifts: range
    n_maps: int
    n_bands: int  # of its input
    gap: int  # bands that its kernel reaches beyond one
    next_gap: int

    @property
    def n_pooled_bands(self) -> int:
        return -(-self.n_bands // self.pool)

    def run(self, chunks: Iterator[Maps], lengths: NDArray[np.intp]) -> Iterator[Maps]:
        """Read maps in chunks of frames; yield what pooling makes of them, each only until the next."""
        larger = self._larger_halves(chunks, lengths)
        return larger if self.pool == 1 else self._pooled(larger, lengths)

    def _larger_halves(self, chunks: Iterator[Maps], lengths: NDArray[np.intp]) -> Iterator[Maps]:
        """Convolve, keep the larger of two halves, and of `pool` bands; frames beyond lengths are zero."""
        size, n_maps = self.size, self.n_maps
        n_columns = len(lengths) * (self.n_bands + self.gap)
        n_inputs = self.kernel.shape[-1] // size
        step = max(_CACHED // ((n_inputs + 2 * n_maps) * n_columns), size)
        # Of a frame, its channels under each band of the kernel, and ones, which the bias is multiplied by.
        columns = np.zeros((step + size - 1, n_inputs, n_columns), self.kernel.dtype)
        columns[:, -1] = 1
        halves = np.empty((step, 2, n_maps, len(lengths), self.n_bands + self.gap), self.kernel.dtype)
        outputs = halves.reshape(step, *self.kernel.shape[:2], n_columns)
        # Frames that follow each other in memory are the rows of one matrix.
        shape, (of_frame, *others) = (step, 1, size * n_inputs, n_columns), columns.strides
        taken = as_strided(columns, shape, (of_frame, 0, *others), writeable=False)
        kept, first = (size - 1) // 2, 0
        found: Maps | None = None
        for maps in chunks:
            n_new = len(maps.values)
            if found is None or len(found.values) < n_new + size:
                shape_found = (n_new + size, n_maps, len(lengths), self.n_pooled_bands + self.next_gap)
                found = Maps.zeros(shape_found, self.next_gap, columns.dtype)
            begun = first
            for start, stop in self._steps(n_new, step, is_last=maps.is_last):
                n_read = stop - start
                self._lay_out(maps, start, columns[kept : kept + n_read])
                n = kept + n_read - size + 1
                if n > 0:
                    np.matmul(self.kernel, taken[:n], out=outputs[:n])
                    into = found.values[first - begun : first - begun + n]
                    self._keep_larger(halves[:n], into)
                    first += n
                    columns[: size - 1] = columns[n : n + size - 1]
                kept = min(kept + n_read, size - 1)
            _fill_beyond(found.values[: first - begun], begun, lengths, 0)
            yield found.first(first - begun, self.next_gap, is_last=maps.is_last)

    def _steps(self, n_frames: int, step: int, *, is_last: bool) -> Iterator[tuple[int, int]]:
        """Divide frames, and behind the last the zeros that the kernel reaches."""
        n_frames += self.size // 2 if is_last else 0
        for start in range(0, n_frames, step):
            yield start, min(start + step, n_frames)

    def _lay_out(self, maps: Maps, start: int, columns: NDArray) -> None:
        """Write frames as a product reads them; there are zeros behind the last."""
        chosen = maps.values[start : start + len(columns)]
        n, n_channels = len(chosen), maps.values.shape[1]
        first = start * maps.values[0].size + self.gap - (self.size - 1) // 2
        for band in range(self.size):
            shifted = maps.flat[first + band : first + band + chosen.size].reshape(
                n, n_channels, columns.shape[2]
            )
            columns[:n, band * n_channels : (band + 1) * n_channels] = shifted
        columns[n:, :-1] = 0

    def _keep_larger(self, halves: NDArray, out: NDArray) -> None:
        """Keep the larger of two halves of the maps, and the largest of every `pool` bands."""
        if self.pool == 1 and self.gap == self.next_gap:
            np.maximum(halves[:, 0], halves[:, 1], out=out)
            out[..., self.n_bands :] = 0
        else:
            larger = np.maximum(halves[:, 0], halves[:, 1], out=halves[:, 0])
            _keep_larger_bands(larger[..., : self.n_bands], self.pool, out[..., : self.n_pooled_bands])

    def _pooled(self, chunks: Iterator[Maps], lengths: NDArray[np.intp]) -> Iterator[Maps]:
        """Keep the largest of `pool` frames, from the first frame on and from those of the other shifts."""
        pool, shifts, pooled_lengths = self.pool, self.shifts, self.pooled_lengths(lengths)
        n_rows, shortest = len(lengths), int(lengths.min())
        pending = np.empty((0, self.n_maps, n_rows, self.n_pooled_bands + self.next_gap), self.kernel.dtype)
        first = n_out = 0
        for maps in chunks:
            n_pending, behind = len(pending) + len(maps.values), 0
            n = max(n_pending - shifts[-1], 0) // pool
            if maps.is_last:  # the last windows need not be whole
                n = int(pooled_lengths.max()) - n_out
                behind = max(n * pool + shifts[-1] - n_pending, 0)
            before, pending = pending, np.empty((n_pending + behind, *pending.shape[1:]), pending.dtype)
            pending[: len(before)] = before
            pending[len(before) : n_pending] = maps.values
            pending[n_pending:] = -np.inf
            _fill_beyond(pending, first, lengths, -np.inf)
            found = Maps.zeros(
                (n, self.n_maps, len(shifts) * n_rows, pending.shape[3]), self.next_gap, pending.dtype
            )
            for number, shift in enumerate(shifts):
                into = found.values[:, :, number * n_rows : (number + 1) * n_rows]
                _keep_larger_frames(pending, shift, pool, into)
                if shortest <= shift:
                    for short in np.flatnonzero(lengths <= shift):
                        _keep_larger_frames(pending[:, :, short], 0, pool, into[:, :, short])
            _fill_beyond(found.values, n_out, pooled_lengths, 0)
            if maps.is_last and self.next_gap:
                found.values[..., self.n_pooled_bands :] = 0
            yield found._replace(is_last=maps.is_last)
            pending = pending[n * pool :]
            first, n_out = first + n * pool, n_out + n

    def pooled_lengths(self, lengths: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the lengths of rows after pooling, those of one shift below the other."""
        shifted = [np.where(lengths > shift, lengths - shift, lengths) for shift in self.shifts]
        return -(-np.concatenate(shifted) // self.pool)


class ConvolutionBlocks:
    """All blocks of a network, which make of one sequence as many rows as pooling has shifts."""

    def __init__(self, blocks: tuple[_Block, ...], signs: NDArray) -> None:
        self._blocks = blocks
        self._signs = signs  # by which the maps that come out are to be multiplied
        self._n_bands, self._n_maps = blocks[-1].n_pooled_bands, blocks[-1].n_maps

    @classmethod
    def of(cls, architecture: Architecture, weights: Weights) -> Self:
        """Take the weights of a network, and make normalisation a part of the kernels."""
        blocks = []
        kernels, signs = normalized_kernels(architecture, weights)
        n_bands = architecture.n_features
        gaps = [size // 2 for _, size, _ in architecture.convolutions]
        for number, ((n_maps, size, pool), shifts, (kernel, bias)) in enumerate(
            zip(architecture.convolutions, shifts_of(architecture.convolutions), kernels, strict=True)
        ):
            n_channels = kernel.shape[2]
            # Frames first, then bands, then channels; behind each frame's the bias, of the middle one only.
            rows = np.zeros((2 * n_maps, size, size * n_channels + 1))
            rows[..., :-1] = kernel.transpose(3, 0, 1, 2).reshape(2 * n_maps, size, -1)
            rows[:, (size - 1) // 2, -1] = bias
            n_rows = int(np.prod([len(each) for each in shifts_of(architecture.convolutions)[:number]]))
            n_columns = n_rows * (n_bands + gaps[number])
            n_parts = _n_parts(2 * n_maps, rows[0].size * n_columns)
            blocks.append(
                _Block(
                    kernel=rows.reshape(n_parts, 2 * n_maps // n_parts, -1).astype(architecture.weight_dtype),
                    size=size,
                    pool=pool,
                    shifts=shifts,
                    n_maps=n_maps,
                    n_bands=n_bands,
                    gap=gaps[number],
                    next_gap=gaps[number + 1] if number + 1 < len(gaps) else 0,
                )
            )
            n_bands = blocks[-1].n_pooled_bands
        return cls(tuple(blocks), signs)

    def in_its_order(self, kernel: NDArray) -> NDArray:
        """Bring the rows of a kernel that reads Keras's maps into the order of those that come out here."""
        rows = kernel.reshape(self._n_bands, self._n_maps, -1).transpose(1, 0, 2)
        return np.asarray(rows * self._signs[:, None, None], kernel.dtype).reshape(kernel.shape)

    def run(self, sequence: NDArray) -> tuple[NDArray, NDArray[np.intp]]:
        """Read (n_frames, n_features); return (n_pooled_frames, n_rows, n_maps * n_bands), and lengths."""
        lengths = np.array([len(sequence)])
        chunks = self._chunks(sequence)
        for block in self._blocks:
            chunks, lengths = block.run(chunks, lengths), block.pooled_lengths(lengths)
        found = np.empty((int(lengths.max()), len(lengths), self._n_maps, self._n_bands), sequence.dtype)
        first = 0
        for maps in chunks:
            found[first : first + len(maps.values)] = maps.values.transpose(0, 2, 1, 3)
            first += len(maps.values)
        return found.reshape(*found.shape[:2], -1), lengths

    def _chunks(self, sequence: NDArray) -> Iterator[Maps]:
        n_bands, gap = sequence.shape[1], self._blocks[0].gap
        for first in range(0, len(sequence), _FRAMES):
            chosen = sequence[first : first + _FRAMES]
            maps = Maps.zeros((len(chosen), 1, 1, n_bands + gap), gap, sequence.dtype)
            maps.values[:, 0, 0, :n_bands] = chosen
            yield maps._replace(is_last=first + _FRAMES >= len(sequence))


def normalized_kernels(
    architecture: Architecture, weights: Weights
) -> tuple[list[tuple[NDArray[np.float64], NDArray[np.float64]]], NDArray[np.float64]]:
    """Return each block's kernel, of Keras's shape, and bias, of which normalisation is a part.

    The maps that come out of the last block are to be multiplied by the signs, which are returned as well.
    """
    found, signs = [], np.ones(1)
    for number in range(len(architecture.convolutions)):
        kernel, bias, gamma, beta, mean, variance = (
            weights[f"{part}_{number}/{name}"].astype(np.float64)
            for part, name in (
                ("convolution", "kernel"),
                ("convolution", "bias"),
                ("normalization", "gamma"),
                ("normalization", "beta"),
                ("normalization", "moving_mean"),
                ("normalization", "moving_variance"),
            )
        )
        scale = gamma / np.sqrt(variance + LEAST_VARIANCE)
        shift = beta - mean * scale
        kernel = kernel * signs[:, None]
        # The larger half, times a scale below 0, is the larger half times its size, with another sign.
        signs = np.where(scale < 0, -1.0, 1.0)
        kernel = kernel * np.tile(np.abs(scale), 2)
        bias = bias * np.tile(np.abs(scale), 2) + np.tile(signs * shift, 2)
        found.append((kernel, bias))
    return found, signs


def _n_parts(n_maps: int, n_multiplications: int) -> int:
    """Return how many products to divide that of a kernel into, given the multiplications for one map."""
    for n_parts in range(1, n_maps + 1):
        if n_maps % n_parts == 0 and n_maps // n_parts * n_multiplications <= LARGEST_PRODUCT:
            return n_parts
    return max(1, n_maps // _FEWEST_MAPS) if n_maps % _FEWEST_MAPS == 0 else 1


def _keep_larger_bands(maps: NDArray, pool: int, out: NDArray) -> None:
    """Write the largest of every `pool` bands, the last of which may be fewer."""
    if pool == 1:
        out[...] = maps
        return
    n_bands = maps.shape[-1]
    whole = n_bands // pool
    into = out[..., :whole]
    np.maximum(maps[..., 0 : whole * pool : pool], maps[..., 1 : whole * pool : pool], out=into)
    for band in range(2, pool):
        np.maximum(into, maps[..., band : whole * pool : pool], out=into)
    if whole * pool < n_bands:
        maps[..., whole * pool :].max(axis=-1, out=out[..., whole])


def _keep_larger_frames(maps: NDArray, shift: int, pool: int, out: NDArray) -> None:
    """Write the largest of every `pool` frames, from a frame on."""
    stop = shift + len(out) * pool
    np.maximum(maps[shift:stop:pool], maps[shift + 1 : stop : pool], out=out)
    for frame in range(2, pool):
        np.maximum(out, maps[shift + frame : stop : pool], out=out)


def _fill_beyond(maps: NDArray, first: int, lengths: NDArray[np.intp], value: float) -> None:
    """Set the frames of each row that are beyond its length; `first` is the number of the first frame."""
    for row, length in enumerate(lengths.tolist()):
        if length < first + len(maps):
            maps[max(length - first, 0) :, :, row] = value
