"""Logits of fitted networks in NumPy, without a training framework, and when they are not Keras's."""

from voicelstm.network.inference._choice import runs_in_numpy
from voicelstm.network.inference._convolutions import normalized_kernels
from voicelstm.network.inference._inference_network import InferenceNetwork

__all__ = ["InferenceNetwork", "normalized_kernels", "runs_in_numpy"]
