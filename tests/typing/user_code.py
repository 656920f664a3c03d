"""A program as a user would write it, for type checkers only; see `make lint`."""

from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from voicelstm import (
    Augmenter,
    CepstralDynamics,
    ClipStatistics,
    LSTMVoiceClassifier,
    MFCCTransformer,
    SequenceStore,
    SpecAugment,
    calibrate,
    detector_stream,
    evaluate,
    load,
    make_detector,
    save,
    score_timeline,
    tune_threshold,
)
from voicelstm.audio import read_audio
from voicelstm.datasets import load_csv, make_voices
from voicelstm.detector import StreamEvent
from voicelstm.exceptions import AudioError, ModelFileError
from voicelstm.metrics import eer_scorer, equal_error_rate
from voicelstm.sequences import AugmentedSequences


def train(manifest: Path, model: Path) -> NDArray[Any]:
    corpus = load_csv(manifest)
    detector = make_detector(random_state=0, classifier__units=(8,))
    detector.fit(corpus.recordings, corpus.target)
    save(detector, model)
    for spans in score_timeline(detector, ["call.wav"]):
        assert_type(spans, NDArray[Any])
    threshold = tune_threshold(detector, corpus.recordings, corpus.target, metric="miss")
    calibrated = calibrate(detector, corpus.recordings, corpus.target)
    stream = detector_stream(calibrated, 16000, hop_s=1.0)
    for event in stream.push(np.zeros(16000, np.int16)) + stream.flush():
        assert_type(event, StreamEvent)
    print(eer_scorer(calibrated, corpus.recordings, corpus.target), threshold.predict(["call.wav"]))
    print(evaluate(detector, corpus.recordings, corpus.target))
    probabilities: NDArray[Any] = detector.predict_proba(["call.wav"])
    return probabilities


def parts(path: str) -> LSTMVoiceClassifier:
    samples, rate = read_audio(path, sample_rate=16000, max_duration=60.0)
    assert_type(samples, NDArray[np.floating[Any]])
    assert_type(rate, int)
    front = MFCCTransformer(n_mfcc=13, augment=Augmenter(noise_snr=(5.0, 20.0)), n_jobs=2)
    assert_type(MFCCTransformer.original(n_mfcc=13), MFCCTransformer)
    front.set_params(augment=Augmenter.channels(vorbis=True)[:2])
    copied = MFCCTransformer(augment=Augmenter.channels()).fit_transform([path])
    assert_type(copied, NDArray[Any] | SequenceStore | AugmentedSequences)
    X = front.fit_transform([path, (samples, rate)])
    print(ClipStatistics().fit(X).transform(X), CepstralDynamics().fit(X).transform(X))
    augment = SpecAugment(time_mask=None)
    classifier = LSTMVoiceClassifier(units=(8,), max_epochs=1, augment=augment).fit(X, ["human", "synthetic"])
    assert_type(classifier, LSTMVoiceClassifier)
    assert_type(classifier.history_, dict[str, list[float]])
    assert_type(classifier.classes_, NDArray[Any])
    assert_type(classifier.predict(X), NDArray[Any])
    scores = classifier.decision_function(X)
    print(equal_error_rate(np.array([0, 1]), scores, human_label=1))
    return classifier


def careful(path: str) -> Any:
    try:
        return load(path)
    except ModelFileError as error:
        raise SystemExit(str(error)) from error
    except AudioError as error:
        assert_type(error.failures, list[tuple[int, str]])
        raise


X, y = make_voices(8, random_state=0, return_X_y=True)
