"""One training step of the recipe's network on the CPU: this library and everything it may be compared with.

The recipe's own graph and plain torch need processes of their own. All sides are run in turn, several rounds,
so that a noisy machine is noisy to all.
"""

import argparse
import importlib.util
import json
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
from voicelstm.network._architecture import Architecture, initial_weights
from voicelstm.network._model import Compilation
from voicelstm.network._network import Network

HERE = Path(__file__).parent
GRAPH = HERE.parent / "tests" / "recipe_graph.py"
OURS, KERAS, TORCH = "voicelstm", "keras.layers.LSTM", "torch.nn.LSTM in plain torch"
RECIPE, LOOPS = "the recipe's TensorFlow 1 graph, one loop", "the same, one loop for each layer"
LOOPS_AND_PREDICTION = "that, and the prediction that the recipe asks for after each step"

PLAIN_TORCH = """
import json, sys, time
import numpy as np
import torch

class Recipe(torch.nn.Module):
    def __init__(self, n_features, units):
        super().__init__()
        widths = [n_features, *units]
        self.lstms = torch.nn.ModuleList(
            torch.nn.LSTM(*pair, batch_first=True) for pair in zip(widths, widths[1:])
        )
        self.head = torch.nn.Linear(units[-1], 1)

    def forward(self, x):
        for lstm in self.lstms:
            x, _ = lstm(x)
        return torch.sigmoid(self.head(x[:, -1]))[:, 0]

n_frames, n_steps = map(int, sys.argv[1:])
torch.set_flush_denormal(True)  # as TensorFlow does; without it a step takes five times as long
model = Recipe(13, (78, 78, 78, 13))
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
x, y = torch.rand(20, n_frames, 13), torch.randint(0, 2, (20,)).float()
seconds = []
for _ in range(n_steps + 1):
    start = time.perf_counter()
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(x), y).backward()
    optimizer.step()
    seconds.append(time.perf_counter() - start)
json.dump(seconds[1:], sys.stdout)
"""


def recipe_graph_seconds(folder, steps, *options):
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    arguments = [sys.executable, GRAPH, folder / "in.npz", folder / "out.npz", "--time", str(steps), *options]
    subprocess.run(arguments, env=environment, check=True, capture_output=True)
    with np.load(folder / "out.npz") as found:
        return found["seconds"], found["prediction_seconds"]


def plain_torch_seconds(n_frames, steps):
    command = [sys.executable, "-c", PLAIN_TORCH, str(n_frames), str(steps)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def plain_keras(units, n_features):
    """The same network of Keras's own layers, as anybody would write it."""
    inputs = x = keras.Input((None, n_features))
    for n in units[:-1]:
        x = keras.layers.LSTM(n, return_sequences=True)(x)
    x = keras.layers.LSTM(units[-1])(x)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile(keras.optimizers.Adam(1e-3, epsilon=1e-8), "mean_squared_error")
    return model


def matrix_product_rate(n=2048, repeats=9):
    """Floating-point operations per second of a matrix product, all cores."""
    a, b = np.random.default_rng(0).random((2, n, n), dtype=np.float32)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - start)
    return 2 * n**3 / statistics.median(seconds)


def step_operations(n_rows, n_frames, n_features, units):
    """Those of the matrix products of a training step, whose backward pass takes two for each one."""
    widths = [n_features, *units]
    a_frame = sum(2 * 4 * n * (width + n) for width, n in zip(widths, units, strict=False))
    return 3 * n_rows * n_frames * a_frame


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
    times = {side: [] for side in (*sides, TORCH, RECIPE, LOOPS, LOOPS_AND_PREDICTION)}
    rates = []
    if importlib.util.find_spec("torch") is None:
        print("torch is not installed, so it is not compared with: make backends installs it.")
        del times[TORCH]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "in.npz", batches=batch[None], targets=target[None], **weights)
        for step in sides.values():
            step()
        for _ in range(arguments.rounds):
            rates.append(matrix_product_rate())
            for side, step in sides.items():
                for _ in range(arguments.steps):
                    start = time.perf_counter()
                    step()
                    times[side].append(time.perf_counter() - start)
            if TORCH in times:
                times[TORCH] += plain_torch_seconds(arguments.frames, arguments.steps)
            times[RECIPE].extend(recipe_graph_seconds(folder, arguments.steps)[0])
            training, prediction = recipe_graph_seconds(folder, arguments.steps, "--loop-per-layer")
            times[LOOPS].extend(training)
            times[LOOPS_AND_PREDICTION].extend(training + prediction)
    seconds = {name: statistics.median(values) for name, values in times.items()}
    title = f"One training step, 20 × {arguments.frames} × 13, LSTM 78/78/78/13, {keras.backend.backend()}"
    show(title, seconds, OURS)
    rate, reached = statistics.median(rates), step_operations(20, arguments.frames, 13, recipe.units)
    reached /= seconds[OURS]
    print(
        f"A matrix product reaches {rate / 1e9:.0f} GFLOP/s here, this step {reached / 1e9:.0f}:"
        f" {reached / rate:.0%} of it."
    )


if __name__ == "__main__":
    main()
