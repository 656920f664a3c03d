"""The step size of a training that goes up and down once."""

import math

__all__ = ["one_cycle"]

# As in Smith and Topin (2018), and by default in PyTorch's OneCycleLR.
_FIRST, _LAST = 1 / 25, 1 / 25 / 1e4
_WARM_UP = 0.3


def one_cycle(largest: float, step: int, n_steps: int) -> float:
    """Return the step size of a step, counted from 0: half a cosine up to the largest, and another down."""
    peak = max(_WARM_UP * n_steps - 1, 0)
    last = n_steps - 1
    if step < peak:
        return largest * _between(_FIRST, 1, step / peak)
    return largest * _between(1, _LAST, (step - peak) / (last - peak) if last > peak else 0)


def _between(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
