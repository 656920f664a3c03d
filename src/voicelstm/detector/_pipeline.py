"""The recommended detector: from recordings to a decision."""

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from voicelstm.classifier import LSTMVoiceClassifier
from voicelstm.features import CepstralDynamics, MFCCTransformer

__all__ = ["make_detector"]


def make_detector(random_state: int | np.random.RandomState | None = None, **changes: Any) -> Pipeline:
    """Make the Pipeline that this library recommends.

    Three steps. ``"features"``: linear-frequency cepstra of high resolution, since what gives synthesis away
    is finer than what the ear needs, of recordings that are trimmed and brought to one level, so that neither
    silence nor loudness gives a class away. ``"dynamics"``: how far and how fast each coefficient moves,
    second by second, rather than where it is, which channel and speaker decide. ``"classifier"``: an LSTM
    that is trained briefly, for which both classes count the same however many clips each has. Trained
    longer, it knows the systems of its training better, and new ones worse.

    Read more in the :ref:`user guide <how_good>`.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Of the classifier.
    **changes
        Parameters that shall differ, by their names in the Pipeline: ``features__n_jobs=2``,
        ``classifier__units=(128, 128)``.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``"features"`` (:class:`MFCCTransformer`), ``"dynamics"``
        (:class:`CepstralDynamics`) and ``"classifier"`` (:class:`LSTMVoiceClassifier`), not fitted.

    Notes
    -----
    The settings are the best of those that :ref:`how_good` lists, on systems and speakers that training has
    not heard. They were chosen on the folds whose error rates it gives, so expect less elsewhere.
    ``classifier__max_steps`` is the number of batches in all; a corpus of tens of thousands of clips deserves
    more than the 60 that suit one of a thousand.

    Where it is known which system made a clip, let the systems count the same, which errs less on new ones
    (17 instead of 20 % there): set ``classifier__class_weight=None`` and give `fit`
    ``classifier__sample_weight=balanced_weights(y, system)``
    (:func:`~voicelstm.datasets.balanced_weights`).

    Examples
    --------
    >>> from voicelstm import make_detector
    >>> make_detector(random_state=0, classifier__units=(128,)).named_steps["classifier"].units
    (128,)
    """
    features = MFCCTransformer(
        n_mfcc=60,
        n_filters=120,
        n_fft=1024,
        scale="linear",
        triangles="exact",
        lifter=None,
        energy=False,
        deltas=0,
        level=-26.0,
        speech_only=True,
    )
    classifier = LSTMVoiceClassifier(
        units=(64,),
        dropout=0.5,
        segment_frames=6,
        batch_size=64,
        max_steps=60,
        class_weight="balanced",
        random_state=random_state,
    )
    detector = Pipeline(
        [("features", features), ("dynamics", CepstralDynamics()), ("classifier", classifier)]
    )
    return detector.set_params(**changes)
