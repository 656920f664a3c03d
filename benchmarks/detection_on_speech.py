"""Equal error rates on voices that training has not heard: this library and simpler detectors.

Three questions, with the same folds and seeds for all sides. *Unseen systems*: one family of systems of the
shared corpus's `speech` is left out at a time, and a third of the human speakers with it, once with all the
copies that vocoders made of their voices (unseen voices) and once without that. *Unseen speakers*: five folds
by speaker, where all systems but those that have one speaker only are known. *Digits*: the same of `digits`.

Features do not depend on the labels, so each front end runs once; everything else is fitted in each fold.
`make_detector("dynamics")` is as it comes, so that classes count the same; all other sides but the original
recipe, which knows no weights, and the row "families weighed" let families count the same within each class.
The recipe takes minutes a fold; leave it out with ``--sides`` for a quick look.
"""

import argparse
import os
import statistics
import time
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from voicelstm import (
    CepstralDynamics,
    ClipStatistics,
    LSTMVoiceClassifier,
    MFCCTransformer,
    audit,
    make_detector,
)
from voicelstm.datasets import UnseenSystems, balanced_weights, load_csv
from voicelstm.metrics import equal_error_rate

SHARED = Path(os.environ.get("VOICELSTM_SHARED", Path(__file__).parents[2] / "shared"))


class MixturePair:
    """A Gaussian mixture for each class; a clip's score is its frames' mean log-likelihood ratio.

    Each mixture learns from 30,000 frames, drawn with replacement: a clip as often as its weight says.
    """

    def __init__(self, random_state, n_components=64, n_frames=30_000):
        self.random_state, self.n_components, self.n_frames = random_state, n_components, n_frames

    def fit(self, X, y, sample_weight):
        generator = np.random.default_rng(self.random_state)
        self.mixtures = []
        for label in np.unique(y):
            clips = [clip for clip, its in zip(X, y, strict=True) if its == label]
            weights = sample_weight[y == label]
            drawn = generator.multinomial(self.n_frames, weights / weights.sum())
            frames = np.concatenate(
                [clip[generator.integers(len(clip), size=n)] for clip, n in zip(clips, drawn, strict=True)]
            )
            mixture = GaussianMixture(
                self.n_components,
                covariance_type="diag",
                reg_covar=1e-3,
                max_iter=20,
                init_params="random_from_data",
                random_state=self.random_state,
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # 20 iterations are what is asked for
                self.mixtures.append(mixture.fit(frames.astype(np.float64)))
        return self

    def decision_function(self, X):
        first, second = self.mixtures
        return np.array([second.score(clip) - first.score(clip) for clip in X])


class Scalar:
    """One number of `audit`, which speaks for the class that it speaks for in training."""

    def fit(self, X, y, sample_weight):
        self.sign = np.sign(roc_auc_score(y == "synthetic", X, sample_weight=sample_weight) - 0.5)
        return self

    def decision_function(self, X):
        return self.sign * np.asarray(X)


class Weighted:
    """A Pipeline or classifier whose last step is given the weights."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y, sample_weight):
        name = "sample_weight"
        if isinstance(self.estimator, Pipeline):
            name = f"{self.estimator.steps[-1][0]}__{name}"
        self.estimator.fit(X, y, **{name: sample_weight})
        return self

    def decision_function(self, X):
        return self.estimator.decision_function(X)


class Unweighted(Weighted):
    """One that is not given them."""

    def fit(self, X, y, sample_weight):
        self.estimator.fit(X, y)
        return self


def as_it_comes(seed, **changes):
    return Unweighted(make_detector("dynamics", random_state=seed, **changes)[1:])


def families_weighed(seed):
    return Weighted(make_detector("dynamics", random_state=seed, classifier__class_weight=None)[1:])


def logistic_regression(*steps):
    return Weighted(make_pipeline(*steps, StandardScaler(), LogisticRegression(max_iter=5000)))


def original_recipe(seed):
    return Unweighted(LSTMVoiceClassifier.original(human_label="human", random_state=seed))


# The front end of each side, and what is fitted in each fold, given a seed.
OURS = 'make_detector("dynamics")'
SIDES = {
    OURS: (make_detector("dynamics")[0], as_it_comes),
    "families weighed": (make_detector("dynamics")[0], families_weighed),
    "its dynamics, logistic regression": (
        make_detector("dynamics")[0],
        lambda _: logistic_regression(CepstralDynamics(), ClipStatistics(statistics=("mean",))),
    ),
    "logistic regression": (make_detector("dynamics")[0], lambda _: logistic_regression(ClipStatistics())),
    "two mixtures": (MFCCTransformer.lfcc(), MixturePair),
    "original recipe": (MFCCTransformer.original(), original_recipe),
}
SCALAR = "best single scalar"


def rate(target, scores):
    return 100 * equal_error_rate(target, scores, pos_label="synthetic")


def scores_of(detector, features, target, weights, training, test):
    detector.fit([features[i] for i in training], target[training], weights(training))
    return detector.decision_function([features[i] for i in test])


class Corpus:
    """One subset of the manifest, and what the folds need of it."""

    def __init__(self, manifest, subset):
        corpus = load_csv(manifest, where={"subset": subset})
        self.recordings, self.target = corpus.recordings, corpus.target
        self.speaker, self.family = corpus.groups["speaker"], corpus.groups["family"]

    def weights(self, chosen):
        return balanced_weights(self.target[chosen], self.family[chosen])

    def unseen_systems(self, features, make, seeds, unseen_speakers):
        """Equal error rates by family, one per seed."""
        found = defaultdict(list)
        groups = np.column_stack([self.speaker, self.family])
        for seed in seeds:
            cv = UnseenSystems(random_state=seed, unseen_speakers=unseen_speakers)
            for training, test in cv.split(self.target, self.target, groups):
                scores = scores_of(make(seed), features, self.target, self.weights, training, test)
                (family,) = set(self.family[test][self.target[test] == "synthetic"])
                found[family].append(rate(self.target[test], scores))
        return found

    def unseen_speakers(self, features, make, seeds):
        """Equal error rates, one per seed: of all clips together, and the mean over the folds."""
        together, by_fold = [], []
        for seed in seeds:
            scores, rates = np.empty(len(self.target)), []
            folds = GroupKFold(5, shuffle=True, random_state=seed)
            for training, test in folds.split(self.target, self.target, self.speaker):
                scores[test] = scores_of(make(seed), features, self.target, self.weights, training, test)
                if len(set(self.target[test])) == 2:  # digits have six human speakers for five folds
                    rates.append(rate(self.target[test], scores[test]))
            together.append(rate(self.target, scores))
            by_fold.append(statistics.mean(rates))
        return together, by_fold

    def scalars(self):
        """The numbers of `audit` for each clip, by name."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return audit(self.recordings, self.target, n_resamples=2, n_jobs=2).measurements


def mean_over_families(found):
    return statistics.mean(statistics.mean(values) for values in found.values())


def with_spread(values):
    return f"{statistics.mean(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def of_seeds(found):
    """Mean over families for each seed."""
    return [statistics.mean(values) for values in zip(*found.values(), strict=True)]


def unseen_systems_table(speech, features, scalars, sides, seeds, unseen_speakers):
    found = {
        side: speech.unseen_systems(features[side], SIDES[side][1], seeds, unseen_speakers) for side in sides
    }
    of_scalars = {
        name: speech.unseen_systems(values, lambda _: Scalar(), seeds, unseen_speakers)
        for name, values in scalars.items()
    }
    best = min(of_scalars, key=lambda name: mean_over_families(of_scalars[name]))
    found[SCALAR] = of_scalars[best]
    what = "systems and voices" if unseen_speakers else "systems"
    table = Table(
        title=f"Unseen {what}: equal error rate in per cent, {len(seeds)} seeds", title_justify="left"
    )
    table.add_column("family")
    for side in found:
        table.add_column(side + (f" ({best})" if side == SCALAR else ""), justify="right")
    for family in sorted(found[SCALAR]):
        table.add_row(family, *(f"{statistics.mean(rates[family]):.1f}" for rates in found.values()))
    table.add_section()
    table.add_row("mean", *(f"{mean_over_families(rates):.1f}" for rates in found.values()))
    table.add_row("seeds", *(f"{min(r):.1f} to {max(r):.1f}" for r in map(of_seeds, found.values())))
    if OURS in found:
        ours = mean_over_families(found[OURS])
        table.add_row(
            "ours over it", *(f"{ours / mean_over_families(rates):.2f}" for rates in found.values())
        )
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--manifest", type=Path, default=SHARED / "corpus" / "manifest.csv")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES), metavar="SIDE")
    arguments = parser.parse_args()
    console, seeds = Console(width=170), range(arguments.seeds)

    speech, digits = Corpus(arguments.manifest, "speech"), Corpus(arguments.manifest, "digits")
    start = time.perf_counter()
    make_detector("dynamics", random_state=0, features__n_jobs=2).fit(speech.recordings, speech.target)
    console.print(f"{OURS} fits speech from files in {time.perf_counter() - start:.0f} s")
    features = {}
    for side in arguments.sides:
        features[side] = SIDES[side][0].set_params(n_jobs=2).fit_transform(speech.recordings)

    table = Table(
        title=f"Unseen speakers: equal error rate in per cent, {len(seeds)} seeds", title_justify="left"
    )
    for column in ("side", "speech", "mean over folds", "digits", "mean over folds"):
        table.add_column(column, justify="left" if column == "side" else "right")
    for side in arguments.sides:
        if side == "original recipe":
            continue  # ten clips in a row are of one class in digits, and hours for speech
        front_end, make = SIDES[side]
        of_digits = front_end.fit_transform(digits.recordings)
        table.add_row(
            side,
            *map(with_spread, speech.unseen_speakers(features[side], make, seeds)),
            *map(with_spread, digits.unseen_speakers(of_digits, make, seeds)),
        )
    console.print(table)
    scalars = speech.scalars()
    for unseen_speakers in (True, False):
        console.print(
            unseen_systems_table(speech, features, scalars, arguments.sides, seeds, unseen_speakers)
        )


if __name__ == "__main__":
    main()
