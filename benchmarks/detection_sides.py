"""The detectors that `detection.py` compares, each a front end and what is fitted in each fold.

All learn from the same recordings, coded copies and weights; but `make_detector("dynamics")` is as it comes,
which is without weights, once with the copies and once without, and the original recipe knows neither.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from detection_on_speech import MixturePair, Weighted, as_it_comes
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


class WithoutCopies:
    """A classifier of the recordings as they are."""

    def __init__(self, classifier):
        self.classifier = classifier

    def fit(self, X, y, sample_weight):
        self.classifier.fit(X.plain, y)
        return self

    def decision_function(self, X):
        return self.classifier.decision_function(X)


def _steps(max_steps):
    return {} if max_steps is None else {"classifier__max_steps": max_steps}


def _ours(seed, max_steps):
    return Weighted(make_detector(random_state=seed, **_steps(max_steps))[1:])


def _dynamics(seed, max_steps):
    return as_it_comes(seed, **_steps(max_steps))


def _dynamics_alone(seed, max_steps):
    return WithoutCopies(_dynamics(seed, max_steps).estimator)


def _support_vectors(seed, max_steps):
    steps = CepstralDynamics(), ClipStatistics(statistics=("mean",)), StandardScaler(), SVC(C=1)
    return OnCopies(make_pipeline(*steps), "svc__sample_weight")


def _mixtures(seed, max_steps):
    return OnCopies(MixturePair(seed))


def _original_recipe(seed, max_steps):
    changes = {} if max_steps is None else {"max_steps": max_steps}
    return WithoutCopies(LSTMVoiceClassifier.original(human_label="human", random_state=seed, **changes))


OURS, DYNAMICS = "make_detector()", 'make_detector("dynamics")'
_ENERGIES, _CEPSTRA = make_detector()[0], make_detector("dynamics")[0]
SIDES = {
    OURS: Side(_ENERGIES, _ours),
    DYNAMICS: Side(_CEPSTRA, _dynamics),
    "the same, without copies": Side(_CEPSTRA, _dynamics_alone),
    "SVM on mean dynamics": Side(_CEPSTRA, _support_vectors),
    "two mixtures": Side(MFCCTransformer.lfcc(), _mixtures),
    "original recipe": Side(MFCCTransformer.original(), _original_recipe),
}
