"""The recommended detectors: from recordings to a decision."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from voicelstm.audio import Augmenter
from voicelstm.classifier import LSTMVoiceClassifier
from voicelstm.features import CepstralDynamics, MFCCTransformer
from voicelstm.sequences import SpecAugment

__all__ = ["make_detector"]

# Of both models: linear frequencies, and one level of what is speech.
_FRONT_END: dict[str, Any] = {
    "scale": "linear",
    "triangles": "exact",
    "lifter": None,
    "energy": False,
    "deltas": 0,
    "level": -26.0,
    "speech_only": True,
}


def make_detector(
    model: str = "convolutions", *, random_state: int | np.random.RandomState | None = None, **changes: Any
) -> Pipeline:
    """Make the Pipeline that this library recommends, or the one that trains in seconds.

    Both read recordings of which only speech is kept, brought to one level, so that neither silence nor
    loudness gives a class away, and let both classes count the same however many clips each has.

    "convolutions" looks at short patterns in time and frequency, in recordings as they are and in copies of
    them that are coded, telephoned, noisy and in rooms, and an LSTM reads what was found over three seconds.
    Use it to decide about recordings. Training takes minutes to an hour, however few clips there are.

    "dynamics" sees how far and how fast each cepstral coefficient moves, second by second, and an LSTM reads
    three and a half seconds of that. It trains in seconds, on recordings as they are: for a first look, tests
    and a baseline. It hears the coding, line and noise of its training as much as the voices.

    Read more in the :ref:`user guide <make_detector>`.

    Parameters
    ----------
    model : {"convolutions", "dynamics"}, default="convolutions"
        "convolutions": two steps, ``"features"`` and ``"classifier"``. "dynamics": three, ``"features"``,
        ``"dynamics"`` and ``"classifier"``.
    random_state : int, RandomState instance or None, default=None
        Of the classifier, and, if it is an int, of the copies. Otherwise the copies are those of seed 0,
        which is all that an :class:`Augmenter` can take: only first weights, order and the like then differ
        from fit to fit.
    **changes
        Parameters that shall differ, by their names in the Pipeline: ``features__n_jobs=2``,
        ``classifier__units=(128, 128)``.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``"features"`` (:class:`MFCCTransformer`), of "dynamics" ``"dynamics"``
        (:class:`CepstralDynamics`), and ``"classifier"`` (:class:`LSTMVoiceClassifier`), not fitted.

    Raises
    ------
    ValueError
        If there is no such `model`, a step has no such parameter, or, of "convolutions", `random_state` is a
        negative int; `fit` says so of "dynamics".

    Notes
    -----
    The settings were chosen on the folds whose error rates :ref:`how_good` gives, so expect less elsewhere.
    ``classifier__max_steps`` is the number of batches in all, whatever the number of clips; a corpus of tens
    of thousands deserves more. To train "convolutions" faster, lower it, take fewer copies
    (``features__augment=None`` takes none), keep features in ``features__cache_dir``, and read recordings
    with ``features__n_jobs=-1``.

    If the source of each clip is known, give `fit` weights for which all sources count the same:
    ``classifier__sample_weight=balanced_weights(y, {"source": source, "speaker": speaker})``, where `source`
    is the collection of a human clip and the family of systems of a synthetic one, and `speaker` the speaker
    and the system (:func:`~voicelstm.datasets.balanced_weights`). The weights go together with
    ``class_weight="balanced"``, which finds both classes equal already. "convolutions" draws the segments of
    each batch by them, so that a source of few clips comes as often as one of many;
    "dynamics" weighs the loss.

    Examples
    --------
    >>> from voicelstm import make_detector
    >>> make_detector(random_state=0, classifier__units=(128,)).named_steps["classifier"].units
    (128,)
    >>> list(make_detector("dynamics").named_steps)
    ['features', 'dynamics', 'classifier']
    """
    if not isinstance(model, str) or model not in _MODELS:
        raise ValueError(f"model={model!r}: expected one of {', '.join(map(repr, _MODELS))}.")
    return _MODELS[model](random_state).set_params(**changes)


def _convolutions(random_state: Any) -> Pipeline:
    """Make the detector of energies, copies and convolutions."""
    seed = int(random_state) if isinstance(random_state, Integral) else 0
    features = MFCCTransformer(
        n_mfcc=None,
        n_filters=80,
        n_fft=512,
        normalize="mean",
        augment=Augmenter.channels(random_state=seed),
        **_FRONT_END,
    )
    classifier = LSTMVoiceClassifier(
        convolutions=((12, 5, 2), (12, 3, 1), (12, 3, 2), (24, 3, 1), (24, 3, 2), (12, 3, 1)),
        units=(64,),
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
        max_steps=1200,
        class_weight="balanced",
        random_state=random_state,
    )
    return Pipeline([("features", features), ("classifier", classifier)])


def _dynamics(random_state: Any) -> Pipeline:
    """Make the detector of movements of cepstra, which trains in seconds."""
    features = MFCCTransformer(
        n_mfcc=60,
        n_filters=120,
        n_fft=1024,
        **_FRONT_END,
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
    return Pipeline([("features", features), ("dynamics", CepstralDynamics()), ("classifier", classifier)])


_MODELS = {"convolutions": _convolutions, "dynamics": _dynamics}
