"""What a network is made of, before any framework builds it: shapes and first weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LEAST_STATS_VARIANCE",
    "LEAST_VARIANCE",
    "Architecture",
    "Weights",
    "initial_weights",
    "pooled_width",
    "shifts_of",
]

LEAST_VARIANCE = 1e-3  # that variances are raised by where maps are normalised
LEAST_STATS_VARIANCE = 1e-6  # and where "stats" pool
_MOST_SHIFTS = 16  # of a sequence, however many frames pooling joins

Weights = dict[str, NDArray[np.floating]]


@dataclass(frozen=True)
class Architecture:
    """The shape of a network; `units` are per direction, `n_outputs` is 1 for two classes.

    A block of `convolutions` is ``(n_maps, kernel_size, pool_size)``.
    """

    n_features: int
    n_outputs: int
    units: tuple[int, ...]
    bidirectional: bool = False
    pooling: str = "mean"
    dropout: float = 0.0
    dtype: str = "float32"
    convolutions: tuple[tuple[int, int, int], ...] = ()

    @property
    def weight_dtype(self) -> np.dtype:
        """The type weights and inputs have."""
        return np.dtype("float64" if self.dtype == "float64" else "float32")

    @property
    def directions(self) -> tuple[str, ...]:
        """Suffixes of the names of a layer's LSTMs."""
        return ("", "_backward") if self.bidirectional else ("",)

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every weight by name, in a fixed order, in Keras's layout: gates i, f, c, o.

        >>> Architecture(n_features=13, n_outputs=1, units=(78,)).weight_shapes()["lstm_0/kernel"]
        (13, 312)
        """
        shapes: dict[str, tuple[int, ...]] = {}
        width, channels = self.n_features, 1
        for block, (maps, size, pool) in enumerate(self.convolutions):
            shapes[f"convolution_{block}/kernel"] = (size, size, channels, 2 * maps)
            shapes[f"convolution_{block}/bias"] = (2 * maps,)
            for name in ("gamma", "beta", "moving_mean", "moving_variance"):
                shapes[f"normalization_{block}/{name}"] = (maps,)
            width, channels = -(-width // pool), maps
        width *= channels
        for layer, units in enumerate(self.units):
            for direction in self.directions:
                name = f"lstm_{layer}{direction}"
                shapes[f"{name}/kernel"] = (width, 4 * units)
                shapes[f"{name}/recurrent_kernel"] = (units, 4 * units)
                shapes[f"{name}/bias"] = (4 * units,)
            width = units * len(self.directions)
        if self.pooling == "attention":
            shapes["pooling/kernel"] = (width, width)
            shapes["pooling/bias"] = (width,)
            shapes["pooling/context"] = (width, 1)
        shapes["head/kernel"] = (pooled_width(self.pooling, width), self.n_outputs)
        shapes["head/bias"] = (self.n_outputs,)
        return shapes


def pooled_width(pooling: str, width: int) -> int:
    """Return the length of the pooled vector: "stats" are the mean and the standard deviation."""
    return 2 * width if pooling == "stats" else width


def shifts_of(blocks: Sequence[Sequence[int]]) -> list[range]:
    """Return, for each block, the frames that its pooling begins with, one after the other.

    They are the first frames of as many as it joins; of 16 ways in all to choose them, no more.

    >>> shifts_of([(12, 5, 2), (12, 3, 1), (12, 3, 2)])
    [range(0, 2), range(0, 1), range(0, 2)]
    """
    found, left = [], _MOST_SHIFTS
    for _, _, pool in blocks:
        found.append(range(0, pool, -(-pool // left)))
        left //= len(found[-1])
    return found


def initial_weights(
    architecture: Architecture, generator: np.random.Generator, head_initializer: str = "glorot_uniform"
) -> Weights:
    """Draw the weights that training starts from, the same under every backend."""
    # Keras's defaults (X. Glorot and Y. Bengio, AISTATS 2010; A. M. Saxe et al., ICLR 2014), unless the head
    # has the original recipe's: standard deviation 0.1 before truncation at two, and a bias of 0.1.
    from scipy.stats import truncnorm  # which is slow to import, and which nothing else here needs

    weights: Weights = {}
    for name, shape in architecture.weight_shapes().items():
        layer, kind = name.split("/")
        if layer == "head" and head_initializer == "truncated_normal":
            values = (
                np.full(shape, 0.1)
                if kind == "bias"
                else 0.1 * truncnorm.rvs(-2, 2, size=shape, random_state=generator)
            )
        elif kind in ("gamma", "moving_variance"):
            values = np.ones(shape)
        elif kind in ("bias", "beta", "moving_mean"):
            values = np.zeros(shape)
            if layer.startswith("lstm"):
                values[shape[0] // 4 : shape[0] // 2] = 1.0
        elif kind == "recurrent_kernel":
            values = _orthogonal(shape, generator)
        else:
            field = math.prod(shape[:-2])  # of a convolution, which reads each channel at so many places
            limit = np.sqrt(6 / (field * sum(shape[-2:])))
            values = generator.uniform(-limit, limit, size=shape)
        weights[name] = values.astype(architecture.weight_dtype)
    return weights


def _orthogonal(shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
    """Orthonormal rows; the signs of R make the distribution uniform (F. Mezzadri, 2007)."""
    q, r = np.linalg.qr(generator.standard_normal(shape[::-1]))
    return (q * np.sign(np.diag(r))).T
