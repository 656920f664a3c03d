"""Equal error rates on synthesis systems that training has not heard: this library and simpler detectors.

One family of systems of the shared corpus's `speech` is left out at a time, and a third of the human speakers
with it. Features do not depend on the labels, so each front end runs once; everything else is fitted in each
fold, with the folds and the seeds the same for all sides.
"""

import argparse
import os
import statistics
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from voicelstm import ClipStatistics, LSTMVoiceClassifier, MFCCTransformer, make_detector
from voicelstm.datasets import load_csv
from voicelstm.metrics import equal_error_rate
from voicelstm.splitters import UnseenSystems

SHARED = Path(os.environ.get("VOICELSTM_SHARED", Path(__file__).parents[2] / "shared"))


class MixturePair:
    """A Gaussian mixture for each class; a clip's score is its frames' mean log-likelihood ratio.

    Each mixture learns from at most 60,000 frames, drawn evenly over clips.
    """

    def __init__(self, random_state, n_components=64, n_frames=60_000):
        self.random_state, self.n_components, self.n_frames = random_state, n_components, n_frames

    def fit(self, X, y):
        generator = np.random.default_rng(self.random_state)
        self.mixtures = []
        for label in np.unique(y):
            clips = [clip for clip, its in zip(X, y, strict=True) if its == label]
            share = -(-self.n_frames // len(clips))
            frames = np.concatenate([generator.permutation(clip)[:share] for clip in clips])
            mixture = GaussianMixture(
                self.n_components,
                covariance_type="diag",
                reg_covar=1e-3,
                max_iter=30,
                init_params="random_from_data",
                random_state=self.random_state,
            )
            self.mixtures.append(mixture.fit(frames.astype(np.float64)))
        return self

    def decision_function(self, X):
        first, second = self.mixtures
        return np.array([second.score(clip) - first.score(clip) for clip in X])


def logistic_regression(_):
    return make_pipeline(
        ClipStatistics(), StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=5000)
    )


def recommended(seed):
    return make_detector(random_state=seed).named_steps["classifier"]


def recipe(seed):
    return LSTMVoiceClassifier.original(random_state=seed)


CEPSTRA = make_detector().named_steps["features"]

# The front end of each side, and its classifier given a seed.
SIDES = {
    "make_detector()": (CEPSTRA, recommended),
    "logistic regression on the same cepstra": (CEPSTRA, logistic_regression),
    "the same, clip means kept": (clone(CEPSTRA).set_params(normalize=None), logistic_regression),
    "two mixtures on 60 LFCC": (MFCCTransformer.lfcc(), MixturePair),
    "the original recipe": (MFCCTransformer.original(), recipe),
}


def rates(features, target, groups, make, seeds, unseen_speakers):
    """Equal error rate of each family and seed."""
    found = defaultdict(list)
    for seed in seeds:
        cv = UnseenSystems(random_state=seed, unseen_speakers=unseen_speakers)
        for training, test in cv.split(features, target, groups):
            detector = make(seed).fit([features[i] for i in training], target[training])
            scores = detector.decision_function([features[i] for i in test])
            (family,) = set(groups[test][target[test] == "synthetic", 1])
            found[family].append(equal_error_rate(target[test], scores, pos_label="synthetic"))
            print(".", end="", flush=True)
    print()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--manifest", type=Path, default=SHARED / "corpus" / "manifest.csv")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES), metavar="SIDE")
    parser.add_argument("--unseen-speakers", action="store_true", help="no speaker in both training and test")
    arguments = parser.parse_args()

    corpus = load_csv(arguments.manifest, where={"subset": "speech"})
    groups = np.column_stack([corpus.groups["speaker"], corpus.groups["family"]])
    found, seconds = {}, {}
    for side in arguments.sides:
        front_end, make = SIDES[side]
        start = time.perf_counter()
        features = front_end.set_params(n_jobs=2).fit_transform(corpus.recordings)
        seeds = range(arguments.seeds)
        found[side] = rates(features, corpus.target, groups, make, seeds, arguments.unseen_speakers)
        seconds[side] = time.perf_counter() - start
    table = Table(title=f"Equal error rate in per cent, a family left out, {arguments.seeds} seeds")
    table.add_column("family")
    for side in found:
        table.add_column(side, justify="right")
    for family in sorted(found[arguments.sides[0]]):
        table.add_row(family, *(f"{100 * statistics.mean(found[side][family]):.1f}" for side in found))
    table.add_section()
    means = {side: [statistics.mean(values) for values in found[side].values()] for side in found}
    table.add_row(
        "mean over families", *(f"{100 * statistics.mean(values):.1f}" for values in means.values())
    )
    table.add_row("time, minutes", *(f"{value / 60:.1f}" for value in seconds.values()))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
