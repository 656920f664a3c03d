"""Fit and predict for hours in one process, and see whether anything grows.

Shapes, labels, parameters and lengths are drawn anew each time. After a warm-up, resident memory may not grow
by more than `--most` MiB, and no thread, file or process may be left.

With `--rounds 2` there are few fits, and each comes twice, the first time to warm up. Where they are more than
the networks that wait to be used again, each is compiled anew the second time: what it leaves shows after minutes
and it has to answer as it did before, bit by bit.
"""

import argparse
import ctypes
import gc
import sys
import threading
import time

import numpy as np
import psutil

from voicelstm import LSTMVoiceClassifier, SpecAugment, make_detector
from voicelstm.sequences import AugmentedSequences


def drawn_clips(generator, n_features):
    n_clips = int(generator.integers(6, 30))  # two of each class, for a validation share
    target = np.arange(n_clips) % int(generator.integers(2, 4))
    lengths = generator.integers(1, 300, size=n_clips)
    return [generator.normal(size=(n, n_features)) for n in lengths], target


def drawn_classifier(generator):
    choose = generator.choice
    return LSTMVoiceClassifier(
        units=tuple(int(n) for n in generator.integers(1, 40, size=generator.integers(1, 4))),
        bidirectional=bool(choose([False, True])),
        pooling=str(choose(["mean", "max", "stats", "attention", "last"])),
        segment_frames=None if generator.random() < 0.2 else int(generator.integers(10, 200)),
        batch_size=int(generator.integers(2, 33)),
        early_stopping=bool(generator.random() < 0.2),
        validation_fraction=0.5,
        max_epochs=int(generator.integers(1, 4)),
        random_state=int(generator.integers(2**31)),
    )


def with_convolutions(classifier, X, generator):
    """Set all that training for breadth needs, and return clips with copies; every fifth fit."""
    blocks = generator.integers(1, 6, size=(int(generator.integers(1, 4)), 3))
    size = int(generator.integers(10, 200))
    classifier.set_params(
        convolutions=[tuple(int(n) for n in block) for block in blocks],
        segment_frames=size,
        segment_hop=int(generator.integers(5, size + 1)),
        random_crops=True,
        repeat_short_clips=True,
        sampling="weights",
        augment=SpecAugment(frequency_mask=None, time_mask=(1, 5), equalization=0.3),
        learning_rate_schedule="one_cycle",
    )
    copies = [[clip + generator.normal(0, 0.1, clip.shape) for clip in X] for _ in range(2)]
    return AugmentedSequences(X, copies)


def drawn_detector(generator):
    """The whole, from samples; every tenth fit."""
    detector = make_detector("dynamics", random_state=0, classifier__max_steps=3, features__n_jobs=2)
    n = int(generator.integers(4, 12))
    samples = [
        (generator.normal(0, 0.1, int(generator.integers(4000, 20000))), int(generator.choice([8000, 16000])))
        for _ in range(n)
    ]
    return detector, samples, np.arange(n) % 2


def state():
    gc.collect()
    if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)  # what is free is not held
    process = psutil.Process()
    return {
        "memory in MiB": process.memory_info().rss / 2**20,
        "threads of Python": threading.active_count(),
        "threads": process.num_threads(),
        "files": process.num_fds(),
        "processes": len(process.children(recursive=True)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fits", type=int, default=500)
    parser.add_argument("--predictions", type=int, default=5000)
    parser.add_argument("--warm-up", type=int, default=50, help="fits before the first look")
    parser.add_argument(
        "--rounds", type=int, default=1, help="how often the same fits come, to warm up and after"
    )
    parser.add_argument("--most", type=int, default=50, help="MiB that memory may grow by")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    again = arguments.rounds > 1
    warm_up = arguments.fits if again else arguments.warm_up
    order = [*range(arguments.fits)] * arguments.rounds if again else range(warm_up + arguments.fits)
    per_fit = -(-arguments.predictions // arguments.fits)
    before, begin, answers = None, time.perf_counter(), {}
    for i, drawn in enumerate(order):
        if i == warm_up:
            before = state()
            print(f"after {i} fits: {said(before)}", flush=True)
        generator = np.random.default_rng([arguments.seed, drawn])
        if drawn % 10 == 9:
            model, X, y = drawn_detector(generator)
        else:
            model, (X, y) = (
                drawn_classifier(generator),
                drawn_clips(generator, int(generator.integers(1, 61))),
            )
        heard = with_convolutions(model, X, generator) if drawn % 5 == 3 else X
        model.fit(heard, y)
        for _ in range(per_fit):
            asked = [X[j] for j in generator.integers(len(X), size=int(generator.integers(1, 5)))]
            answer = model.predict_proba(asked)
            assert np.isfinite(answer).all()
        if again:
            assert np.array_equal(answers.setdefault(drawn, answer), answer), f"fit {i} answers otherwise"
        if i % 50 == 49:
            print(f"after {i + 1} fits, {time.perf_counter() - begin:.0f} s: {said(state())}", flush=True)
    after = state()
    grown = {name: after[name] - before[name] for name in after}
    n_fits = len(order) - warm_up
    print(f"grown over {n_fits} fits, {n_fits * per_fit} predictions: {said(grown)}")
    sys.exit(grown.pop("memory in MiB") > arguments.most or any(n > 0 for n in grown.values()))


def said(numbers):
    return ", ".join(f"{name} {value:.0f}" for name, value in numbers.items())


if __name__ == "__main__":
    main()
