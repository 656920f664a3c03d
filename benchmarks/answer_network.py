"""Scores of fitted networks, in NumPy and by warm Keras: time, and what threads that ask together gain.

``voicelstm.network.inference._choice`` follows these times. KERAS_BACKEND in the environment says which
backend.
"""

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from voicelstm import load_pretrained
from voicelstm.classifier import LSTMVoiceClassifier
from voicelstm.network._architecture import Architecture, initial_weights
from voicelstm.network._model import Compilation
from voicelstm.network._pool import acquire_network
from voicelstm.network.inference import InferenceNetwork
from voicelstm.sequences import SegmentBatches

RECIPE = LSTMVoiceClassifier.original()
PACKAGED = Architecture(
    80,
    1,
    (64,),
    True,
    "stats",
    convolutions=((12, 5, 2), (12, 3, 1), (12, 3, 2), (24, 3, 1), (24, 3, 2), (12, 3, 1)),
)
DYNAMICS = Architecture(60, 1, (64, 64))
# Name, architecture, segments, frames of each.
SHAPES = [
    ("packaged detector, 4 s", PACKAGED, 2, 300),
    ("packaged detector", PACKAGED, 1, 300),
    ("packaged detector", PACKAGED, 32, 300),
    ("dynamics", DYNAMICS, 1, 300),
    ("dynamics", DYNAMICS, 32, 300),
    ("original recipe", Architecture(13, 1, RECIPE.units, pooling=RECIPE.pooling), 1, 5000),
    ("original recipe", Architecture(13, 1, RECIPE.units, pooling=RECIPE.pooling), 20, 5000),
    *(
        (f"{n} units, twice", Architecture(60, 1, (n, n)), n_segments, 300)
        for n in (128, 256)
        for n_segments in (1, 16, 128)
    ),
]


def compare(architecture, n_segments, n_frames, repeats):
    """Return seconds of each side's calls, which take turns."""
    generator = np.random.default_rng(0)
    weights = initial_weights(architecture, generator)
    clips = [
        generator.normal(size=(n_frames, architecture.n_features)).astype(np.float32)
        for _ in range(n_segments)
    ]
    in_numpy = InferenceNetwork(architecture, weights)
    batches = SegmentBatches(clips, None, 32, None, np.float32)
    for_keras = SegmentBatches(clips, None, 32, None, np.float32, 16)
    for_keras.shrink()
    times = {"NumPy": [], "Keras": []}
    with acquire_network(architecture, Compilation().for_rows(for_keras.n_rows)) as network:
        network.set_weights(weights)
        sides = {"NumPy": lambda: in_numpy.logits(batches), "Keras": lambda: network.logits(for_keras)}
        found = [run() for run in sides.values()]
        for _ in range(repeats):
            for name, run in sides.items():
                start = time.perf_counter()
                run()
                times[name].append(time.perf_counter() - start)
    return times, float(np.abs(found[0] - found[1]).max())


def threads_gain(n_threads, n_calls):
    """Return how many times as many answers of the packaged detector's network as one thread they give."""
    classifier = load_pretrained().calibrated_classifiers_[0].estimator.estimator[-1]
    generator = np.random.default_rng(0)
    clips = [generator.normal(size=(400, 80)).astype(np.float32) for _ in range(n_calls)]
    alone = [classifier.decision_function([clip])[0] for clip in clips]
    start = time.perf_counter()
    for clip in clips:
        classifier.decision_function([clip])
    of_one = time.perf_counter() - start
    with ThreadPoolExecutor(n_threads) as pool:
        start = time.perf_counter()
        together = list(pool.map(lambda clip: classifier.decision_function([clip])[0], clips))
        of_all = time.perf_counter() - start
    assert together == alone
    return of_one / of_all


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--calls", type=int, default=80)
    parser.add_argument("--only", help="part of the names of networks")
    arguments = parser.parse_args()
    table = Table(
        title=f"Scores of segments, {keras.backend.backend()}, medians (least)", title_justify="left"
    )
    for column in ("network", "segments", "frames", "NumPy", "Keras", "NumPy is", "difference"):
        table.add_column(column, justify="right")
    for name, architecture, n_segments, n_frames in SHAPES:
        if arguments.only and arguments.only not in name:
            continue
        times, difference = compare(architecture, n_segments, n_frames, arguments.repeats)
        medians = {side: statistics.median(values) for side, values in times.items()}
        told = [f"{1000 * medians[side]:.1f} ({1000 * min(times[side]):.1f}) ms" for side in times]
        ratio = f"{medians['Keras'] / medians['NumPy']:.2f} times as fast"
        table.add_row(name, str(n_segments), str(n_frames), *told, ratio, f"{difference:.1g}")
    Console(width=130).print(table)
    gain = threads_gain(arguments.threads, arguments.calls)
    print(f"{arguments.threads} threads that ask one detector give {gain:.2f} times the answers of one.")


if __name__ == "__main__":
    main()
