"""One training step of the recipe's network: this library, plain Keras, and the recipe's own graph.

The graph needs a process of its own (``tests/recipe_graph.py``). The three are run in turn, several rounds,
so that a noisy machine is noisy to all.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from measure import show
from voicelstm import LSTMVoiceClassifier
from voicelstm.architecture import Architecture, initial_weights
from voicelstm.network import Compilation, Network

GRAPH = Path(__file__).parents[1] / "tests" / "recipe_graph.py"
OURS, KERAS, RECIPE = "voicelstm", "keras.layers.LSTM", "the recipe's TensorFlow 1 graph"


def recipe_graph_seconds(folder, steps):
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    arguments = [sys.executable, GRAPH, folder / "in.npz", folder / "out.npz", "--time", str(steps)]
    subprocess.run(arguments, env=environment, check=True, capture_output=True)
    return np.load(folder / "out.npz")["seconds"].tolist()


def plain_keras(units, n_features):
    """The same network of Keras's own layers, as anybody would write it."""
    inputs = x = keras.Input((None, n_features))
    for n in units[:-1]:
        x = keras.layers.LSTM(n, return_sequences=True)(x)
    x = keras.layers.LSTM(units[-1])(x)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile(keras.optimizers.Adam(1e-3, epsilon=1e-8), "mean_squared_error")
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3, help="of each side in each round")
    arguments = parser.parse_args()

    recipe = LSTMVoiceClassifier.original()
    architecture = Architecture(13, 1, recipe.units, pooling=recipe.pooling)
    generator = np.random.default_rng(0)
    weights = initial_weights(architecture, generator, recipe.head_initializer)
    batch = generator.random((20, arguments.frames, 13), dtype=np.float32)
    target = generator.integers(0, 2, 20).astype(np.float32)
    lengths, ones = np.full(20, arguments.frames, dtype=np.int32), np.ones(20, dtype=np.float32)

    network = Network(architecture, Compilation(loss=recipe.loss, optimizer=recipe.optimizer))
    network.reset(weights, seed=0, learning_rate=1e-3)
    model = plain_keras(recipe.units, 13)
    sides = {
        OURS: lambda: network.train_step(batch, lengths, target[:, None], ones),
        KERAS: lambda: model.train_on_batch(batch, target[:, None]),
    }
    times = {OURS: [], KERAS: [], RECIPE: []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "in.npz", batches=batch[None], targets=target[None], **weights)
        for step in sides.values():
            step()
        for _ in range(arguments.rounds):
            for side, step in sides.items():
                for _ in range(arguments.steps):
                    start = time.perf_counter()
                    step()
                    times[side].append(time.perf_counter() - start)
            times[RECIPE] += recipe_graph_seconds(folder, arguments.steps)
    seconds = {name: statistics.median(values) for name, values in times.items()}
    show(f"One training step, 20 × {arguments.frames} × 13, LSTM 78/78/78/13", seconds, OURS)


if __name__ == "__main__":
    main()
