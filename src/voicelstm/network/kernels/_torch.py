"""Torch's fused LSTM: its own kernel on the CPU, cuDNN's on a GPU."""

from collections.abc import Callable, Sequence
from typing import Any

from voicelstm._compat import fused_torch_lstm

__all__ = ["is_available", "torch_lstm_stack"]


def is_available() -> bool:
    """Tell whether this torch has the kernel."""
    return fused_torch_lstm() is not None


def torch_lstm_stack(
    sequences: Any,
    weights: Sequence[tuple[Any, Any, Any]],
    between: Sequence[Callable[[Any], Any]],
) -> Any:
    """Run LSTM layers with Keras's weights on top of each other, each followed by a function of `between`."""
    for layer, after in zip(weights, between, strict=True):
        sequences = after(_lstm(sequences, *layer))
    return sequences


def _lstm(sequences: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
    # Not every installation has torch, and this module is imported wherever doctests are looked for.
    import torch

    units = recurrent_kernel.shape[0]
    if sequences.is_meta:  # Keras asks for the shape alone, which torch would work out frame by frame
        return sequences.new_empty((*sequences.shape[:2], units))
    # Torch's gate order is Keras's, its matrices are transposed, and its second bias is one too many.
    parts = (kernel.T, recurrent_kernel.T, bias, torch.zeros_like(bias))
    start = sequences.new_zeros((1, sequences.shape[0], units))
    outputs, _, _ = fused_torch_lstm()(
        sequences,
        (start, start),
        [part.contiguous() for part in parts],
        has_biases=True,
        num_layers=1,
        dropout=0.0,
        # Without it the kernels keep nothing for a gradient.
        train=torch.is_grad_enabled(),
        bidirectional=False,
        batch_first=True,
    )
    return outputs
