"""The detectors that `detection.py` compares, each a front end and what is fitted in each fold.

All learn from the same recordings, coded copies and weights; but `make_detector()` is as it comes, once with
the copies and once without, and the original recipe knows neither weights nor copies.
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
    SpecAugment,
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


def _as_it_comes(seed, max_steps):
    changes = {} if max_steps is None else {"classifier__max_steps": max_steps}
    return as_it_comes(seed, **changes)


def _on_recordings_alone(seed, max_steps):
    return WithoutCopies(_as_it_comes(seed, max_steps).estimator)


BLOCKS = ((12, 5, 2), (12, 3, 1), (12, 3, 2), (24, 3, 1), (24, 3, 2), (12, 3, 1))


def _prototype(seed, max_steps):
    """Return the recipe of the prototype, with this library's front end and its windows that tile a clip."""
    return Weighted(
        LSTMVoiceClassifier(
            units=(64,),
            convolutions=BLOCKS,
            bidirectional=True,
            pooling="stats",
            dropout=0.3,
            segment_frames=300,
            repeat_short_clips=True,
            random_crops=True,
            sampling="weights",
            augment=SpecAugment(equalization=0.6),
            learning_rate=2e-3,
            learning_rate_schedule="one_cycle",
            weight_decay=1e-4,
            clip_norm=5.0,
            label_smoothing=0.1,
            batch_size=32,
            max_steps=max_steps or 1200,
            random_state=seed,
        )
    )


def _support_vectors(seed, max_steps):
    steps = CepstralDynamics(), ClipStatistics(statistics=("mean",)), StandardScaler(), SVC(C=1)
    return OnCopies(make_pipeline(*steps), "svc__sample_weight")


def _mixtures(seed, max_steps):
    return OnCopies(MixturePair(seed))


def _original_recipe(seed, max_steps):
    changes = {} if max_steps is None else {"max_steps": max_steps}
    return WithoutCopies(LSTMVoiceClassifier.original(human_label="human", random_state=seed, **changes))


_CEPSTRA = make_detector()[0]
_ENERGIES = MFCCTransformer(
    n_mfcc=None,
    n_filters=80,
    n_fft=512,
    scale="linear",
    triangles="exact",
    lifter=None,
    energy=False,
    deltas=0,
    normalize="mean",
    level=-26.0,
    speech_only=True,
)
OURS, PROTOTYPE = "make_detector()", "prototype"
SIDES = {
    OURS: Side(_CEPSTRA, _as_it_comes),
    "the same, without copies": Side(_CEPSTRA, _on_recordings_alone),
    PROTOTYPE: Side(_ENERGIES, _prototype),
    "SVM on mean dynamics": Side(_CEPSTRA, _support_vectors),
    "two mixtures": Side(MFCCTransformer.lfcc(), _mixtures),
    "original recipe": Side(MFCCTransformer.original(), _original_recipe),
}
