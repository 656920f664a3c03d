"""What a network is made of, before any framework builds it: shapes and first weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import truncnorm

__all__ = ["Architecture", "Weights", "initial_weights"]

Weights = dict[str, NDArray[np.floating]]


@dataclass(frozen=True)
class Architecture:
    """The shape of a network.

    Attributes
    ----------
    n_features, n_outputs : int
        Columns of a frame; scores per clip, 1 for two classes.
    units : tuple of int
        Width of each LSTM layer, per direction.
    bidirectional : bool
        Whether each layer also reads the sequence backwards.
    pooling : {"mean", "max", "stats", "attention", "last"}
        How the last layer's outputs become one vector.
    dropout : float
        Share of each layer's outputs that training drops.
    dtype : str
        Keras's dtype policy.
    """

    n_features: int
    n_outputs: int
    units: tuple[int, ...]
    bidirectional: bool = False
    pooling: str = "mean"
    dropout: float = 0.0
    dtype: str = "float32"

    @property
    def weight_dtype(self) -> np.dtype:
        """The type weights and inputs have."""
        return np.dtype("float64" if self.dtype == "float64" else "float32")

    @property
    def directions(self) -> tuple[str, ...]:
        """Suffixes of the names of a layer's LSTMs."""
        return ("", "_backward") if self.bidirectional else ("",)

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, in a fixed order.

        Returns
        -------
        dict of str to tuple of int
            Keras's layout; gates are in the order i, f, c, o.

        Examples
        --------
        >>> from voicelstm.architecture import Architecture
        >>> Architecture(n_features=13, n_outputs=1, units=(78,)).weight_shapes()["lstm_0/kernel"]
        (13, 312)
        """
        shapes: dict[str, tuple[int, ...]] = {}
        width = self.n_features
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
        elif self.pooling == "stats":
            width *= 2
        shapes["head/kernel"] = (width, self.n_outputs)
        shapes["head/bias"] = (self.n_outputs,)
        return shapes


def initial_weights(
    architecture: Architecture, generator: np.random.Generator, head_initializer: str = "glorot_uniform"
) -> Weights:
    """Draw the weights that training starts from.

    Keras's defaults for LSTM layers: Glorot-uniform kernels, orthogonal recurrent kernels, zero biases but
    for the forget gate's 1. Drawn here, so that they are the same under every backend and touch no global
    random state.

    Parameters
    ----------
    architecture : Architecture
        The network.
    generator : numpy.random.Generator
        Where the numbers come from.
    head_initializer : {"glorot_uniform", "truncated_normal"}, default="glorot_uniform"
        Of the last layer. The second is the original recipe's: standard deviation 0.1 before truncation at
        two, and a bias of 0.1.

    Returns
    -------
    dict of str to ndarray
        By the names of :meth:`Architecture.weight_shapes`.

    References
    ----------
    Glorot, X. and Bengio, Y., "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010. Saxe, A. M. et al., "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks", ICLR 2014.
    """
    weights: Weights = {}
    for name, shape in architecture.weight_shapes().items():
        layer, kind = name.split("/")
        if layer == "head" and head_initializer == "truncated_normal":
            values = (
                np.full(shape, 0.1)
                if kind == "bias"
                else 0.1 * truncnorm.rvs(-2, 2, size=shape, random_state=generator)
            )
        elif kind == "bias":
            values = np.zeros(shape)
            if layer.startswith("lstm"):
                values[shape[0] // 4 : shape[0] // 2] = 1.0
        elif kind == "recurrent_kernel":
            values = _orthogonal(shape, generator)
        else:
            limit = np.sqrt(6 / sum(shape))
            values = generator.uniform(-limit, limit, size=shape)
        weights[name] = values.astype(architecture.weight_dtype)
    return weights


def _orthogonal(shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
    """Orthonormal rows; the signs of R make the distribution uniform (F. Mezzadri, 2007)."""
    q, r = np.linalg.qr(generator.standard_normal(shape[::-1]))
    return (q * np.sign(np.diag(r))).T
