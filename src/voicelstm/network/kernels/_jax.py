"""An LSTM for JAX on the CPU, with a gradient of its own."""

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
    """Run LSTM layers with Keras's weights on top of each other, each followed by a function of `between`."""
    layer = _layer()
    by_frame = sequences.transpose(1, 0, 2)
    for parts, after in zip(weights, between, strict=True):
        by_frame = after(layer(by_frame, *parts))
    return by_frame.transpose(1, 0, 2)


@cache
def _layer() -> Callable[..., Any]:
    """Make the function from inputs (n_frames, n, width) and weights to hidden states, with its gradient.

    JAX's own gradient of a scan adds to the weights' gradients frame by frame and keeps all gates; here these
    gradients are one matrix product each, and gates are computed again from the states. To project the inputs
    of all frames at once, or to differentiate all gates at once, is slower: those arrays leave the cache.
    """
    import jax
    import jax.numpy as jnp

    def gates_of(x: Any, hidden: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> tuple[Any, ...]:
        i, f, g, o = jnp.split(x @ kernel + hidden @ recurrent_kernel + bias, 4, axis=-1)
        return jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)

    def read(xs: Any, *weights: Any) -> tuple[Any, Any]:
        def step(carry: Any, x: Any) -> tuple[Any, Any]:
            hidden, cell = carry
            i, f, g, o = gates_of(x, hidden, *weights)
            cell = f * cell + i * g
            hidden = o * jnp.tanh(cell)
            return (hidden, cell), (hidden, cell)

        start = jnp.zeros((xs.shape[1], weights[1].shape[0]), xs.dtype)
        return jax.lax.scan(step, (start, start), xs)[1]

    @jax.custom_vjp
    def layer(xs: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
        return read(xs, kernel, recurrent_kernel, bias)[0]

    def forward(xs: Any, *weights: Any) -> tuple[Any, Any]:
        hidden, cell = read(xs, *weights)
        return hidden, (xs, weights, hidden, cell)

    def backward(kept: Any, d_hidden: Any) -> tuple[Any, ...]:
        xs, weights, hidden, cell = kept
        hidden_before, cell_before = _delayed(hidden), _delayed(cell)
        transposed = weights[1].T

        def step(carry: Any, frame: Any) -> tuple[Any, Any]:
            from_later, d_cell = carry
            d_hidden, x, hidden_before, cell, cell_before = frame
            i, f, g, o = gates_of(x, hidden_before, *weights)
            squashed = jnp.tanh(cell)
            d_hidden += from_later
            d_cell += d_hidden * o * (1 - squashed * squashed)
            by_gate = [
                d_cell * g * i * (1 - i),
                d_cell * cell_before * f * (1 - f),
                d_cell * i * (1 - g * g),
                d_hidden * squashed * o * (1 - o),
            ]
            d_gates = jnp.concatenate(by_gate, axis=-1)
            return (d_gates @ transposed, d_cell * f), d_gates

        end = jnp.zeros_like(hidden[0])
        frames = (d_hidden, xs, hidden_before, cell, cell_before)
        d_gates = jax.lax.scan(step, (end, end), frames, reverse=True)[1]
        of_all = d_gates.reshape(-1, d_gates.shape[-1])
        return (
            d_gates @ weights[0].T,
            xs.reshape(len(of_all), -1).T @ of_all,
            hidden_before.reshape(len(of_all), -1).T @ of_all,
            of_all.sum(axis=0),
        )

    def _delayed(states: Any) -> Any:
        return jnp.concatenate([jnp.zeros_like(states[:1]), states[:-1]])

    layer.defvjp(forward, backward)
    return layer
