"""The detectors that `detection.py` compares, each a front end and what is fitted in each fold.

All learn from the same recordings, coded copies and weights; but `make_detector("dynamics")` is as it comes,
which is without weights, once with the copies and once without, and the original recipe knows neither.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from voicelstm import (
    CepstralDynamics,
    ClipStatistics,
    LSTMVoiceClassifier,
    MFCCTransformer,
    make_detector,
)


@dataclass(frozen=True)
class Side:
    """A front end, and what makes a detector of a seed and a number of steps, None for its own."""

    front_end: MFCCTransformer
    make: Callable[[int, int | None], Any]
    copies: bool = True  # whether it, or another of the same front end, learns from them


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


class OnCopies:
    """A classifier that knows nothing of copies: each is one more clip, with its share of the weight."""

    copy_weight = 0.6

    def __init__(self, classifier, weight_name="sample_weight"):
        self.classifier, self.weight_name = classifier, weight_name

    def fit(self, X, y, sample_weight):
        clips, recording = X.expanded()
        n_plain, n_copies = len(X), len(X.copies)
        share = np.repeat([1 - self.copy_weight, self.copy_weight / n_copies], [n_plain, n_plain * n_copies])
        heard = [position for position, clip in enumerate(clips) if len(clip)]
        weights = (sample_weight[recording] * share)[heard]
        self.classifier.fit(
            [clips[position] for position in heard], y[recording[heard]], **{self.weight_name: weights}
        )
        return self

    def decision_function(self, X):
        return self.classifier.decision_function(X)


class Unweighted:
    """One that is not given the weights."""

    def __init__(self, classifier):
        self.classifier = classifier

    def fit(self, X, y, sample_weight):
        self.classifier.fit(X, y)
        return self

    def decision_function(self, X):
        return self.classifier.decision_function(X)


class WithoutCopies(Unweighted):
    """One that is given neither weights nor copies."""

    def fit(self, X, y, sample_weight):
        return super().fit(X.plain, y, sample_weight)


def _classifier_of(detector, max_steps):
    """Return what learns from features, in at most so many batches."""
    steps = detector.named_steps["classifier"].max_steps
    least = steps if max_steps is None else min(steps, max_steps)
    return detector.set_params(classifier__max_steps=least)[1:]


def _ours(seed, max_steps):
    return Weighted(_classifier_of(make_detector(random_state=seed), max_steps))


def _dynamics(seed, max_steps):
    return Unweighted(_classifier_of(make_detector("dynamics", random_state=seed), max_steps))


def _dynamics_alone(seed, max_steps):
    return WithoutCopies(_dynamics(seed, max_steps).classifier)


def _support_vectors(seed, max_steps):
    steps = CepstralDynamics(), ClipStatistics(statistics=("mean",)), StandardScaler(), SVC(C=1)
    return OnCopies(make_pipeline(*steps), "svc__sample_weight")


def _mixtures(seed, max_steps):
    return OnCopies(MixturePair(seed))


def _original_recipe(seed, max_steps):
    changes = {} if max_steps is None else {"max_steps": max_steps}
    return Unweighted(LSTMVoiceClassifier.original(human_label="human", random_state=seed, **changes))


OURS, DYNAMICS = "make_detector()", 'make_detector("dynamics")'
_ENERGIES, _CEPSTRA = make_detector()[0], make_detector("dynamics")[0]
SIDES = {
    OURS: Side(_ENERGIES, _ours),
    DYNAMICS: Side(_CEPSTRA, _dynamics),
    "the same, without copies": Side(_CEPSTRA, _dynamics_alone),
    "SVM on mean dynamics": Side(_CEPSTRA, _support_vectors),
    "two mixtures": Side(MFCCTransformer.lfcc(), _mixtures),
    "the same, of speech alone": Side(MFCCTransformer.lfcc(speech_only=True, level=-26.0), _mixtures),
    "original recipe": Side(MFCCTransformer.original(), _original_recipe, copies=False),
}
