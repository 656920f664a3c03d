"""Kill fits at random moments, call them again, and compare what they end with, bit by bit.

Each trial starts a process that fits with a checkpoint, kills it (SIGKILL) at a random moment between the
start of the fit and its usual end, up to three times, and then lets the same end. Weights and history have to
be those of a process that nobody disturbed. Trials go through networks and ways to train. Where a fit has ended
before it was to be killed for the first time, it is made again, to be killed earlier. A fit that ends otherwise,
unasked, is a failure.
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from voicelstm import LSTMVoiceClassifier

SETTINGS = {
    "plain": {},
    "early stopping": {
        "early_stopping": True,
        "validation_fraction": 0.3,
        "patience": 30,
        "learning_rate": 0.02,
    },
    "steps, two ways, attention": {"max_steps": 240, "bidirectional": True, "pooling": "attention"},
    "the recipe's network": {
        "units": (78, 78, 78, 13),
        "pooling": "last",
        "loss": "squared_error",
        "optimizer": "adam_tf1",
        "dropout": 0.0,
        "shuffle": False,
        "standardize": False,
    },
}


def data():
    generator = np.random.default_rng(0)
    target = np.arange(48) % 2
    return [generator.normal(label, 3.0, size=(20 + 5 * i % 60, 4)) for i, label in enumerate(target)], target


def fit(setting, folder):
    """What a process does: fit, and print a hash of all that the fit left."""
    changes = {"units": (16, 8), "max_epochs": 60, "batch_size": 8, "dropout": 0.3, "random_state": 0}
    classifier = LSTMVoiceClassifier(**(changes | SETTINGS[setting]), checkpoint=folder)
    X, y = data()
    LSTMVoiceClassifier(units=(2,), max_epochs=1).fit(X, y)  # so that imports are not what is killed
    print("begins", flush=True)
    classifier.fit(X, y)
    if classifier.early_stopping and classifier.n_iter_ == classifier.max_epochs:
        sys.exit("nothing stopped it early")
    digest = hashlib.sha256(repr(sorted(classifier.history_.items())).encode())
    for name, values in sorted(classifier._fitted.weights.items()):
        digest.update(name.encode() + values.tobytes())
    print(digest.hexdigest(), flush=True)


def started(setting, folder):
    process = subprocess.Popen(
        [sys.executable, __file__, "--fit", setting, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if (line := process.stdout.readline()) != "begins\n":
        said, errors = process.communicate()
        sys.exit(
            f"{setting}: instead of its fit a process said {line + said!r}, {process.returncode}\n{errors}"
        )
    return process, time.perf_counter()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", nargs=2, metavar=("SETTING", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.fit:
        fit(*arguments.fit)
        return
    moments = random.Random(arguments.seed)
    wanted, usual, n_failed, n_kills = {}, {}, 0, 0
    for trial in range(arguments.trials):
        setting = list(SETTINGS)[trial % len(SETTINGS)]
        with tempfile.TemporaryDirectory() as folder:
            if setting not in wanted:
                process, begin = started(setting, Path(folder, "undisturbed"))
                wanted[setting], errors = process.communicate()
                usual[setting] = time.perf_counter() - begin
                if process.returncode:
                    sys.exit(f"{setting}: the undisturbed fit failed with {process.returncode}\n{errors}")
            killed, found, checkpoints = [], None, Path(folder, "killed")
            while not (killed and found):
                process, begin = started(setting, checkpoints)
                moment = None
                if len(killed) < 1 + trial % 3:
                    moment = moments.uniform(0, usual[setting])
                    time.sleep(max(0.0, begin + moment - time.perf_counter()))
                    os.kill(process.pid, signal.SIGKILL)
                found, errors = process.communicate()
                if moment is not None and process.returncode == -signal.SIGKILL and not found:
                    killed.append(moment)
                elif found != wanted[setting]:
                    print(errors, file=sys.stderr)
                    break
                elif not killed:
                    usual[setting] = moment
            left = [path.name for path in checkpoints.iterdir() if not path.name.endswith(".part")]
        equal = found == wanted[setting] and not left
        n_failed += not equal
        n_kills += len(killed)
        print(
            f"{trial + 1:2d} {setting:28s} killed after {', '.join(f'{s:.2f}' for s in killed)} s of"
            f" {usual[setting]:.2f}: {'equal' if equal else f'DIFFERENT: {found!r}, left {left}'}",
            flush=True,
        )
    print(f"{arguments.trials - n_failed} of {arguments.trials} ended bit-equal to an undisturbed fit")
    print(f"{n_kills} times a fit was killed before its end")
    sys.exit(n_failed > 0)


if __name__ == "__main__":
    main()
