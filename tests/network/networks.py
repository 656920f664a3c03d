import numpy as np

from voicelstm.network._architecture import initial_weights

POOLINGS = ("mean", "max", "stats", "attention", "last")


def random_weights(architecture, seed=0):
    """Weights whose gates all differ, biases included."""
    generator = np.random.default_rng(seed)
    weights = initial_weights(architecture, generator)
    return {name: w + generator.normal(0, 0.1, w.shape).astype(w.dtype) for name, w in weights.items()}
