"""LSTM kernels, one for each backend, and the choice among them."""

from voicelstm.network.kernels._choice import fastest_stack

__all__ = ["fastest_stack"]
