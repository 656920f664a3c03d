"""LSTM layers by their equations (F. Gers et al., 2000), and what the kernels' tests ask of all of them."""

import numpy as np

BETWEEN = [lambda x: x * 2, lambda x: x]  # what stands between layers: no layer's outputs may pass it by


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def layer(sequences, kernel, recurrent_kernel, bias):
    """Outputs of one layer, whose gates stand in Keras's order: input, forget, cell, output."""
    n, n_frames, _ = sequences.shape
    hidden = cell = np.zeros((n, len(recurrent_kernel)))
    outputs = np.empty((n, n_frames, len(recurrent_kernel)))
    for frame in range(n_frames):
        gates = sequences[:, frame] @ kernel + hidden @ recurrent_kernel + bias
        i, f, c, o = np.split(gates, 4, axis=1)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(c)
        hidden = outputs[:, frame] = sigmoid(o) * np.tanh(cell)
    return outputs


def case(n=5, n_frames=9, n_features=3, units=(4, 2)):
    """Sequences, the layers' weights, and what comes out of the last."""
    generator = np.random.default_rng(0)
    sequences = generator.normal(size=(n, n_frames, n_features))
    weights, width = [], n_features
    for n_units in units:
        shapes = ((width, 4 * n_units), (n_units, 4 * n_units), (4 * n_units,))
        weights.append([generator.normal(0, 0.5, shape) for shape in shapes])
        width = n_units
    expected = sequences
    for parts, after in zip(weights, BETWEEN, strict=True):
        expected = after(layer(expected, *parts))
    return sequences, weights, expected
