"""Write one small file of each kind that `save` takes, and what each says of made-up input.

They are kept, so that later versions can be held to them. Run at each release that changes what is written::

    python tests/model_files/write.py

It makes the folder of this version beside itself, and refuses where there is one: what was released stays.
Kinds that came later go into a folder of their own, until the next release::

    python tests/model_files/write.py --folder after_0.1.0 copies
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline

import voicelstm
from voicelstm import (
    Augmenter,
    CepstralDynamics,
    LSTMVoiceClassifier,
    MFCCTransformer,
    SpecAugment,
    calibrate,
    make_detector,
    save,
    tune_threshold,
)

HERE = Path(__file__).resolve().parent
LABELS = ["human", "synthetic"] * 6


def recordings():
    """Return twelve of half a second, the odd ones steadier; by formula, so that they never change."""
    t = np.arange(8000) / 16000
    return [
        (0.3 * np.sin(2 * np.pi * (90 + 10 * i + 40 * (i % 2 == 0) * np.sin(9 * t)) * t)
         + 0.2 * np.sin(2 * np.pi * (1900 + 70 * i) * t) * np.cos(5 * t + i)).astype(np.float32)
        for i in range(12)
    ]  # fmt: skip


def sequences():
    """Return twelve of 20 frames and 3 features."""
    i, t, k = np.ogrid[:12, :20, :3]
    return np.sin(0.3 * t * (1 + i % 2) + 0.7 * k + i).astype(np.float32) + 0.5 * (i % 3)


def models():
    """Fit one of each kind; by name, with what it is to be asked about."""
    X, y, audio = sequences(), np.array(LABELS), recordings()
    small = {"units": (4,), "max_epochs": 3, "random_state": 0}
    classifier = LSTMVoiceClassifier(**small).fit(X, y)
    detector = make_detector(
        "dynamics", random_state=0, features__n_mfcc=6, classifier__units=(4,), classifier__max_steps=4
    ).fit(audio, y)
    augmenter = Augmenter(noise_snr=(5, 20.5), codecs=("mu-law",), effect_probability={"gain": 0.5})
    made = {
        "transformer": MFCCTransformer(
            n_mfcc=8, window=("kaiser", 6.0), augment=augmenter, level=-26.0, trim_silence=40.0
        ),
        "dynamics": CepstralDynamics(window_frames=6, step_frames=3, lags=(1, 2)).fit(X),
        "classifier": classifier,
        "three_classes": LSTMVoiceClassifier(**small, pooling="attention", bidirectional=True).fit(
            X, [0, 1, 2] * 4
        ),
        "early_stopping": LSTMVoiceClassifier(
            **small, pooling="stats", early_stopping=True, standardize=False, validation_fraction=0.3
        ).fit(X, np.array(LABELS, dtype=object)),
        "columns": LSTMVoiceClassifier(**small, class_weight={1.0: 1.0, 2.0: 2.5}).fit(
            X[:, :, 0], [1.0, 2.0] * 6
        ),
        "detector": detector,
        "threshold": tune_threshold(detector, audio, y),
        "tuned": TunedThresholdClassifierCV(clone(classifier), cv=2).fit(X, y),
        "calibrated": calibrate(classifier, X, y),
        "calibrated_folds": CalibratedClassifierCV(clone(classifier), cv=2).fit(X, y),
        "temperature": CalibratedClassifierCV(clone(classifier), cv=2, method="temperature").fit(X, y),
        "vote": VotingClassifier(
            [("a", clone(classifier)), ("b", FrozenEstimator(classifier))], voting="soft", weights=[2, 1.5]
        ).fit(X, y),
        "threshold_of_calibration": tune_threshold(calibrate(detector, audio, y), audio, y),
        "copies": make_pipeline(
            MFCCTransformer(
                n_mfcc=None, n_filters=10, energy=False, lifter=None, deltas=0, scale="linear",
                augment=[augmenter, Augmenter(codecs=("a-law",), random_state=1)],
            ),
            LSTMVoiceClassifier(
                **small, convolutions=((2, 3, 2), (3, 2, 1)), bidirectional=True, pooling="stats",
                segment_frames=20, segment_hop=8, repeat_short_clips=True, random_crops=True,
                sampling="weights", augment=SpecAugment(frequency_mask=(1, 3), time_mask=(2, 5)),
                learning_rate_schedule="one_cycle", label_smoothing=0.1, weight_decay=1e-4, clip_norm=5.0,
            ),
        ).fit(audio, y),
        "recipe": make_pipeline(
            MFCCTransformer.original(sample_rate=16000, channel="interleaved"),
            LSTMVoiceClassifier.original(units=(4, 2), max_steps=3, human_label="human", random_state=0),
        ).fit(audio, y),
    }  # fmt: skip
    return {name: (model, input_of(name)) for name, model in made.items()}


def input_of(name):
    """What the model of this name is asked about."""
    if name in {"copies", "recipe", "transformer", "detector", "threshold", "threshold_of_calibration"}:
        return recordings()[:4]
    return sequences()[:4, :, 0] if name == "columns" else sequences()[:4]


def answers(model, X):
    """What a model says: probabilities and decisions, or the mean of its features."""
    if not hasattr(model, "predict_proba"):
        return {"features": np.mean(model.transform(X), axis=1, dtype=np.float64).tolist()}
    return {"probabilities": model.predict_proba(X).tolist(), "decisions": model.predict(X).tolist()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="of models; all, if none is given")
    parser.add_argument("--folder", default=voicelstm.__version__)
    options = parser.parse_args()
    folder = HERE / options.folder
    folder.mkdir()
    recorded, made = {}, models()
    for name in options.names or made:
        model, X = made[name]
        save(model, folder / f"{name}.voicelstm")
        recorded[name] = answers(model, X)
    with (folder / "answers.json").open("w", encoding="utf-8") as file:
        json.dump(recorded, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.exit(main())
