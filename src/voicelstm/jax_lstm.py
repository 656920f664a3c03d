"""An LSTM for JAX on the CPU, everything but the recursion outside of its loops."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

__all__ = ["is_available", "jax_lstm_stack"]


def is_available() -> bool:
    """Tell whether this serves the device that JAX computes on: a GPU has cuDNN's kernel."""
    # Not every installation has JAX, and this module is imported wherever doctests are looked for.
    import jax

    return jax.default_backend() == "cpu"


def jax_lstm_stack(
    sequences: Any,
    weights: Sequence[tuple[Any, Any, Any]],
    between: Sequence[Callable[[Any], Any]],
) -> Any:
    """Run LSTM layers on top of each other.

    Parameters
    ----------
    sequences : array of shape (n, n_frames, n_features)
        The input.
    weights : sequence of (kernel, recurrent kernel, bias)
        Of each layer, Keras's layout.
    between : sequence of callable
        What each layer's outputs go through, frame by frame.

    Returns
    -------
    array of shape (n, n_frames, units)
        All outputs of the last layer.
    """
    recursion = _recursion()
    by_frame = sequences.transpose(1, 0, 2)
    for (kernel, recurrent_kernel, bias), after in zip(weights, between, strict=True):
        by_frame = after(recursion(by_frame @ kernel + bias, recurrent_kernel))
    return by_frame.transpose(1, 0, 2)


@cache
def _recursion() -> Callable[[Any, Any], Any]:
    """Make the function from projected inputs (n_frames, n, 4 * units) to hidden states, with its gradient.

    JAX's own gradient of a scan forms the recurrent kernel's gradient frame by frame; here it is one matrix
    product over all frames, and the derivatives of the gates are taken of all frames at once.
    """
    import jax
    import jax.numpy as jnp

    def read(projected: Any, recurrent_kernel: Any) -> tuple[Any, Any, Any]:
        def step(carry: Any, frame: Any) -> tuple[Any, Any]:
            hidden, cell = carry
            i, f, g, o = jnp.split(frame + hidden @ recurrent_kernel, 4, axis=-1)
            i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
            cell = f * cell + i * g
            hidden = o * jnp.tanh(cell)
            return (hidden, cell), (hidden, cell, jnp.concatenate([i, f, g, o], axis=-1))

        start = jnp.zeros((projected.shape[1], recurrent_kernel.shape[0]), projected.dtype)
        return jax.lax.scan(step, (start, start), projected)[1]

    @jax.custom_vjp
    def recursion(projected: Any, recurrent_kernel: Any) -> Any:
        return read(projected, recurrent_kernel)[0]

    def forward(projected: Any, recurrent_kernel: Any) -> tuple[Any, Any]:
        hidden, cell, gates = read(projected, recurrent_kernel)
        return hidden, (recurrent_kernel, hidden, cell, gates)

    def backward(kept: Any, d_hidden: Any) -> tuple[Any, Any]:
        recurrent_kernel, hidden, cell, gates = kept
        i, f, g, o = jnp.split(gates, 4, axis=-1)
        squashed = jnp.tanh(cell)
        by_cell = [g * i * (1 - i), _delayed(cell) * f * (1 - f), i * (1 - g * g)]
        by_hidden, through = squashed * o * (1 - o), o * (1 - squashed * squashed)
        transposed = recurrent_kernel.T

        def step(carry: Any, frame: Any) -> tuple[Any, Any]:
            from_later, d_cell = carry
            d_hidden, through, by_cell, by_hidden, f = frame
            d_hidden += from_later
            d_cell += d_hidden * through
            d_gates = jnp.concatenate([d_cell * part for part in by_cell] + [d_hidden * by_hidden], axis=-1)
            return (d_gates @ transposed, d_cell * f), d_gates

        end = jnp.zeros_like(hidden[0])
        frames = (d_hidden, through, by_cell, by_hidden, f)
        d_gates = jax.lax.scan(step, (end, end), frames, reverse=True)[1]
        return d_gates, jnp.einsum("tbn,tbm->nm", _delayed(hidden), d_gates)

    def _delayed(states: Any) -> Any:
        return jnp.concatenate([jnp.zeros_like(states[:1]), states[:-1]])

    recursion.defvjp(forward, backward)
    return recursion
