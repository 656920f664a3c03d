"""What inference is compared with: networks of Keras, and the equations one frame after the other."""

import numpy as np

from tests.network.networks import random_weights
from tests.network.stacks import array
from voicelstm.network._model import build
from voicelstm.sequences import SegmentBatches


def weights_of(architecture, seed=0):
    """Random weights, variances positive and some scales of maps negative."""
    weights = random_weights(architecture, seed)
    for name, values in weights.items():
        if name.endswith("variance"):
            weights[name] = np.abs(values) + values.dtype.type(0.1)
        if name.endswith("gamma"):
            weights[name] = values * np.resize(np.array([1, -1, 1], values.dtype), values.shape)
    return weights


def clips_of(lengths, n_features, seed=0, dtype="float32"):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=(n, n_features)).astype(dtype) for n in lengths]


def whole(clips, dtype="float32"):
    return SegmentBatches(clips, None, 1, None, dtype)


def keras_logits(architecture, weights, clips):
    """Logits of clips that are padded to the longest."""
    batch = np.zeros((len(clips), max(map(len, clips)), architecture.n_features), architecture.weight_dtype)
    for row, clip in enumerate(clips):
        batch[row, : len(clip)] = clip
    lengths = np.array([len(clip) for clip in clips], "int32")
    outputs = build(architecture, weights)({"sequences": batch, "lengths": lengths}, training=False)
    return array(outputs)


def lstm(frames, kernel, recurrent_kernel, bias):
    """Outputs of an LSTM in double precision, by its equations (Gers et al., 2000)."""
    kernel, recurrent_kernel, bias = (values.astype(float) for values in (kernel, recurrent_kernel, bias))
    cell = hidden = np.zeros(len(recurrent_kernel))
    outputs = []
    for frame in frames.astype(float):
        i, f, c, o = np.split(frame @ kernel + hidden @ recurrent_kernel + bias, 4)
        i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
        cell = f * cell + i * np.tanh(c)
        hidden = o * np.tanh(cell)
        outputs.append(hidden)
    return np.array(outputs)
