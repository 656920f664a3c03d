"""Training steps of many shapes: this library's network and plain Keras layers, under one backend.

``recurrent.py`` chooses its kernels by these times. KERAS_BACKEND in the environment says which backend.
"""

import argparse
import itertools

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from measure import medians
from voicelstm.network._architecture import Architecture, initial_weights
from voicelstm.network._model import Compilation
from voicelstm.network._network import Network

ROWS = (4, 20, 32, 64, 128)
UNITS = ((32,), (64, 64), (96, 96), (128, 128), (256,))


def plain_keras(units, n_features):
    """The same network of Keras's own layers, as anybody would write it."""
    inputs = x = keras.Input((None, n_features))
    for n in units:
        x = keras.layers.LSTM(n, return_sequences=True)(x)
    x = keras.layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    return model


def compare(n_rows, n_frames, n_features, units, repeats):
    """Return the median seconds of a training step: ours and plain Keras's."""
    generator = np.random.default_rng(0)
    batch = generator.normal(size=(n_rows, n_frames, n_features)).astype(np.float32)
    lengths, ones = np.full(n_rows, n_frames, dtype=np.int32), np.ones(n_rows, dtype=np.float32)
    target = generator.integers(0, 2, (n_rows, 1)).astype(np.float32)
    architecture = Architecture(n_features, 1, units)
    network = Network(architecture, Compilation().for_rows(n_rows))
    network.reset(initial_weights(architecture, generator), seed=0, learning_rate=1e-3)
    model = plain_keras(units, n_features)
    sides = {
        "ours": lambda: network.train_step(batch, lengths, target, ones),
        "keras": lambda: model.train_on_batch(batch, target),
    }
    seconds = medians(sides, repeats)
    return seconds["ours"], seconds["keras"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--units", type=int, nargs="+", action="append")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--features", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    table = Table(
        title=f"One training step, {arguments.frames} × {arguments.features}, {keras.backend.backend()}"
    )
    for column in ("rows", "units", "voicelstm", "keras.layers.LSTM", "voicelstm is"):
        table.add_column(column, justify="right")
    for units, n_rows in itertools.product(arguments.units or UNITS, arguments.rows):
        ours, theirs = compare(n_rows, arguments.frames, arguments.features, tuple(units), arguments.repeats)
        table.add_row(
            str(n_rows), str(units), f"{ours:.4f} s", f"{theirs:.4f} s", f"{theirs / ours:.2f} times as fast"
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
