"""The published recipe's own TensorFlow 1 graph, the witness that our networks are compared with.

The recipe that `voicelstm` grew out of stacks ``tf.keras.layers.LSTMCell`` under ``dynamic_rnn`` in graph
mode: three LSTMs of 78 units and one of 13, whose last hidden state goes through a dense unit and a sigmoid;
mean squared error, Adam. Here the sizes follow from the weights given.

It is a script of its own because its settings hold for a whole process: ``dynamic_rnn`` needs TensorFlow 2's
behaviour switched off, and ``tf.keras`` is the Keras 2 whose cells it takes only if ``TF_USE_LEGACY_KERAS=1``
is in the environment before TensorFlow is imported. The tests run it as a subprocess::

    TF_USE_LEGACY_KERAS=1 python recipe_graph.py INPUT.npz OUTPUT.npz [--time N] [--loop-per-layer]

INPUT holds ``batches`` (n_steps, batch, frames, features), ``targets`` (n_steps, batch) and the weights
``lstm_0/kernel``, ``lstm_0/recurrent_kernel``, ``lstm_0/bias``, ``lstm_1/...``, ``head/kernel`` and
``head/bias``, gates in the order i, f, c, o, the forget bias of 1 already in the bias. OUTPUT gets

- ``outputs`` (batch,): the probabilities for ``batches[0]`` before any training;
- ``losses`` (n_steps,): the loss of each step, on its own batch and before its update;
- ``loss_after`` (): the loss on the last batch after the last update;
- the weights after the last update, under the names they came with;
- ``seconds`` and ``prediction_seconds`` (N,), with ``--time N``: the wall times of N further steps on
  ``batches[0]``, and of the prediction that the recipe asks for after each.

With ``--loop-per-layer`` each layer has a ``dynamic_rnn`` of its own. What it computes is the same, and it
takes longer.
"""

import argparse
import os
import time
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1

LSTM_WEIGHTS = ("kernel", "recurrent_kernel", "bias")


class Graph(NamedTuple):
    """What is fed to the recipe's graph and what is fetched from it."""

    frames: tf.Tensor
    targets: tf.Tensor
    probabilities: tf.Tensor
    loss: tf.Tensor
    train: tf.Operation
    weights: dict[str, tf.Variable]


def lstm_cell(kernel, recurrent_kernel, bias):
    """Return a Keras cell that starts from these weights."""
    return tf.keras.layers.LSTMCell(
        len(recurrent_kernel),
        kernel_initializer=tf.constant_initializer(kernel),
        recurrent_initializer=tf.constant_initializer(recurrent_kernel),
        bias_initializer=tf.constant_initializer(bias),
        unit_forget_bias=False,  # the bias given contains it
    )


def last_hidden_state(cells, frames, *, loop_per_layer):
    """Run the cells on top of each other."""
    if loop_per_layer:
        for k, cell in enumerate(cells):
            frames, (hidden, _) = v1.nn.dynamic_rnn(cell, frames, dtype=tf.float32, scope=f"loop_{k}")
        return hidden
    # MultiRNNCell asks its cells for zero_state, which Keras's cells do not have.
    _, states = v1.nn.dynamic_rnn(tf.keras.layers.StackedRNNCells(cells), frames, dtype=tf.float32)
    return states[-1][0]


def build_graph(weights, n_frames, *, loop_per_layer):
    """Build network, loss and optimiser into the default graph."""
    n_layers = sum(name.startswith("lstm_") and name.endswith("/kernel") for name in weights)
    cells = [lstm_cell(*(weights[f"lstm_{k}/{part}"] for part in LSTM_WEIGHTS)) for k in range(n_layers)]
    head_kernel = v1.Variable(weights["head/kernel"], name="head/kernel")
    head_bias = v1.Variable(weights["head/bias"], name="head/bias")

    frames = v1.placeholder(tf.float32, (None, n_frames, len(weights["lstm_0/kernel"])), name="frames")
    targets = v1.placeholder(tf.float32, (None,), name="targets")
    last_h = last_hidden_state(cells, frames, loop_per_layer=loop_per_layer)
    probabilities = tf.sigmoid(tf.matmul(last_h, head_kernel) + head_bias)[:, 0]
    loss = tf.reduce_mean(tf.square(probabilities - targets))
    train = v1.train.AdamOptimizer(1e-3).minimize(loss)

    variables = {"head/kernel": head_kernel, "head/bias": head_bias}
    for k, cell in enumerate(cells):
        variables |= {f"lstm_{k}/{part}": getattr(cell, part) for part in LSTM_WEIGHTS}
    return Graph(frames, targets, probabilities, loss, train, variables)


def run_recipe(batches, targets, weights, n_timed, *, loop_per_layer):
    """Predict, train a step on each batch, time further steps; return the arrays of the output file."""
    graph = build_graph(weights, n_frames=batches.shape[2], loop_per_layer=loop_per_layer)
    feeds = [{graph.frames: x, graph.targets: y} for x, y in zip(batches, targets, strict=True)]
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        results = {"outputs": session.run(graph.probabilities, feeds[0])}
        results["losses"] = np.array([session.run([graph.loss, graph.train], feed)[0] for feed in feeds])
        results["loss_after"] = session.run(graph.loss, feeds[-1])
        results |= session.run(graph.weights)
        if n_timed:
            results["seconds"] = seconds_of(session, graph.train, feeds[0], n_timed)
            results["prediction_seconds"] = seconds_of(session, graph.probabilities, feeds[0], n_timed)
    return results


def seconds_of(session, fetched, feed, n_timed):
    """Return the wall times of `n_timed` runs, in seconds, after one that is not counted."""
    seconds = []
    for _ in range(n_timed + 1):
        start = time.perf_counter()
        session.run(fetched, feed)
        seconds.append(time.perf_counter() - start)
    return np.array(seconds[1:])


def main():
    parser = argparse.ArgumentParser(description="Run the published recipe's graph.")
    parser.add_argument("input", type=Path, help="npz file with batches, targets and weights")
    parser.add_argument("output", type=Path, help="npz file to write")
    parser.add_argument("--time", type=int, default=0, metavar="N", help="time N further train steps")
    parser.add_argument("--loop-per-layer", action="store_true", help="one dynamic_rnn for each layer")
    arguments = parser.parse_args()
    if os.environ.get("TF_USE_LEGACY_KERAS") != "1":
        parser.error("set TF_USE_LEGACY_KERAS=1 in the environment: the graph needs the cells of tf_keras")

    v1.logging.set_verbosity(v1.logging.ERROR)
    v1.disable_v2_behavior()
    with np.load(arguments.input) as archive:
        weights = dict(archive)
    batches, targets = weights.pop("batches"), weights.pop("targets")
    results = run_recipe(batches, targets, weights, arguments.time, loop_per_layer=arguments.loop_per_layer)
    np.savez(arguments.output, **results)


if __name__ == "__main__":
    main()
