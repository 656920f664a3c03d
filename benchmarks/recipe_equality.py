"""The recipe's own graph and this library's network at 20 × 5,000 × 13: same outputs, same losses.

The suite shows it at 200 frames; this is the recipe's full length, and takes a minute. It ends with an error
where the two differ.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from network import GRAPH
from voicelstm import LSTMVoiceClassifier
from voicelstm.network._architecture import Architecture, initial_weights
from voicelstm.network._model import Compilation
from voicelstm.network._network import Network


def main():
    recipe = LSTMVoiceClassifier.original()
    architecture = Architecture(13, 1, recipe.units, pooling=recipe.pooling)
    generator = np.random.default_rng(0)
    weights = initial_weights(architecture, generator, recipe.head_initializer)
    weights["head/kernel"] *= 10  # so that outputs differ between clips
    batches = generator.random((3, 20, 5000, 13), dtype=np.float32)
    targets = generator.integers(0, 2, (3, 20)).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "in.npz", batches=batches, targets=targets, **weights)
        subprocess.run(
            [sys.executable, GRAPH, folder / "in.npz", folder / "out.npz"],
            env={**os.environ, "TF_USE_LEGACY_KERAS": "1"},
            check=True,
            capture_output=True,
        )
        theirs = dict(np.load(folder / "out.npz"))

    network = Network(architecture, Compilation(loss=recipe.loss, optimizer=recipe.optimizer))
    network.reset(weights, seed=0, learning_rate=recipe.learning_rate)
    lengths, ones = np.full(20, 5000, dtype=np.int32), np.ones(20, dtype=np.float32)
    logits = network.model.predict_on_batch({"sequences": batches[0], "lengths": lengths})[:, 0]
    losses = []
    for batch, target in zip(batches, targets, strict=True):
        losses.append(network.train_step(batch, lengths, target[:, None], ones)["loss"])
    after = network.model.predict_on_batch({"sequences": batches[-1], "lengths": lengths})[:, 0]
    losses.append(np.mean((1 / (1 + np.exp(-after)) - targets[-1]) ** 2))
    outputs = np.abs(1 / (1 + np.exp(-logits)) - theirs["outputs"]).max()
    loss = np.abs(np.array(losses) - [*theirs["losses"], theirs["loss_after"]]).max()
    print(f"largest difference of outputs {outputs:.1e} (1e-5 allowed), of losses {loss:.1e} (1e-6 allowed)")
    sys.exit(int(outputs > 1e-5 or loss > 1e-6))


if __name__ == "__main__":
    main()
