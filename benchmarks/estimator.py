"""The classifier as an estimator: refits, memory, a grid search, the latency of one clip."""

import argparse
import contextlib
import gc
import io
import os
import statistics
import time
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras.wrappers import SKLearnClassifier
from rich.console import Console
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

from voicelstm import LSTMVoiceClassifier, MFCCTransformer
from voicelstm.datasets import load_csv
from voicelstm.network import _pool as network_pool

SHARED = Path(os.environ.get("VOICELSTM_SHARED", Path(__file__).resolve().parents[2] / "shared"))
console = Console(width=110)


def timed(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def quiet(run):
    """Without the bars of Keras's `predict`, which its wrapper cannot be told to leave out."""

    def without_bars():
        with contextlib.redirect_stdout(io.StringIO()):
            run()

    return without_bars


def private_memory():
    """Of this process, in MiB."""
    gc.collect()
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]) / 1024


def second_fit(repeats):
    """A fit of an architecture that was fitted before, against its first; other widths are other ones."""
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(64, 200, 13)).astype(np.float32), np.arange(64) % 2
    LSTMVoiceClassifier(units=(8,), max_epochs=1).fit(X, y)  # what TensorFlow does only once
    ratios = []
    for repeat in range(repeats):
        classifier = LSTMVoiceClassifier(units=(32 + repeat,), max_epochs=1, random_state=0)
        first, second = (timed(partial(classifier.fit, X, y)) for _ in range(2))
        ratios.append(first / second)
        last = f"{first:.2f} s, then {second:.3f} s"
    console.print(
        f"second fit of 64 x 200 x 13, one epoch: {statistics.median(ratios):.0f} times as fast ({last})"
    )


def memory_of_refits(n_fits):
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(64, 200, 13)).astype(np.float32), np.arange(64) % 2
    classifier = LSTMVoiceClassifier(units=(32,), max_epochs=1, random_state=0)
    for _ in range(10):
        classifier.fit(X, y).predict(X)
    before = private_memory()
    for _ in range(n_fits):
        classifier.fit(X, y).predict(X)
    growth = (private_memory() - before) / n_fits
    console.print(f"memory over {n_fits} fits and predicts: {growth:+.3f} MiB per fit")


def grid_search(max_epochs):
    """2 x 3 settings, 3 folds by speaker, digits: networks kept, built anew, and Keras's own wrapper."""
    corpus = load_csv(SHARED / "corpus" / "manifest.csv", where={"subset": "digits"})
    frames = MFCCTransformer(sample_rate=8000, deltas=0, n_jobs=2).transform(corpus.recordings)
    X = np.zeros((len(frames), 60, 20), dtype=np.float32)  # the wrapper takes no sequences of other lengths
    for row, clip in enumerate(frames):
        X[row, : len(clip[:60])] = clip[:60]
    X -= X.mean(axis=(0, 1))
    X /= X.std(axis=(0, 1))
    y, groups = (corpus.target == "human").astype(int), corpus.groups["speaker"]
    folds = list(StratifiedGroupKFold(3).split(X, y, groups))

    def ours():
        classifier = LSTMVoiceClassifier(
            dropout=0.0, segment_frames=None, standardize=False, max_epochs=max_epochs, random_state=0
        )
        grid = {"units": [(16,), (32,)], "learning_rate": [1e-3, 3e-3, 1e-2]}
        GridSearchCV(classifier, grid, cv=folds, scoring="accuracy", refit=False).fit(X, y)

    def kept():
        network_pool._idle.clear()
        ours()

    def anew():
        most, network_pool._MAX_IDLE = network_pool._MAX_IDLE, 0
        try:
            kept()
        finally:
            network_pool._MAX_IDLE = most

    def network(X, y, units, learning_rate):
        model = keras.Sequential(
            [
                keras.Input(X.shape[1:]),
                keras.layers.Reshape((60, 20)),  # the wrapper takes tables only
                keras.layers.LSTM(units, return_sequences=True),
                keras.layers.GlobalAveragePooling1D(),
                keras.layers.Dense(2, activation="softmax"),
            ]
        )
        model.compile(keras.optimizers.Adam(learning_rate), "categorical_crossentropy")
        return model

    def wrapper():
        classifier = SKLearnClassifier(
            network,
            model_kwargs={"units": 16, "learning_rate": 1e-3},
            fit_kwargs={"epochs": max_epochs, "batch_size": 32, "verbose": 0},
        )
        grid = {
            "model_kwargs": [
                {"units": units, "learning_rate": rate} for units in (16, 32) for rate in (1e-3, 3e-3, 1e-2)
            ]
        }
        GridSearchCV(classifier, grid, cv=folds, scoring="accuracy", refit=False).fit(
            X.reshape(len(X), -1), y
        )

    ours()  # what TensorFlow does only once
    seconds = {
        "networks kept": timed(kept),
        "networks built anew": timed(anew),
        "keras.wrappers": timed(quiet(wrapper)),
    }
    for name, value in seconds.items():
        ratio = value / seconds["networks kept"]
        console.print(
            f"grid search, 18 fits of {max_epochs} epochs, {name}: {value:.1f} s, {ratio:.1f} times"
        )


def latency(repeats):
    """One clip of 4 s, of which the features are given; then clips of other lengths."""
    generator = np.random.default_rng(0)
    clips = [generator.normal(size=(400, 60)).astype(np.float32) for _ in range(32)]
    classifier = LSTMVoiceClassifier(max_epochs=1, random_state=0).fit(clips, np.arange(32) % 2)

    def ask(n_frames):
        clip = generator.normal(size=(n_frames, 60)).astype(np.float32)
        return timed(lambda: classifier.predict_proba([clip]))

    for n_frames in (398, 150):
        ask(n_frames)
    median = statistics.median(ask(398) for _ in range(repeats))
    (idle,) = (idle[0] for idle in network_pool._idle.values() if idle[0].model.predict_function)
    traces = idle.model.predict_function.experimental_get_tracing_count
    before = traces()
    varied = [ask(n_frames) for n_frames in generator.integers(20, 1200, size=60)]
    console.print(f"predict_proba of one 4 s clip, 64 x 2 units: median {1000 * median:.1f} ms")
    longest = 1000 * max(varied)
    console.print(f"60 clips of 0.2 to 12 s: {traces() - before} retracings, the slowest {longest:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()
    latency(repeats=101)
    second_fit(repeats=5)
    memory_of_refits(n_fits=50)
    grid_search(arguments.epochs)


if __name__ == "__main__":
    main()
