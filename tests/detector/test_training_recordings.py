import warnings

import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import FeatureUnion, make_pipeline

from voicelstm import ClipStatistics, MFCCTransformer, calibrate, evaluate, load, save, tune_threshold
from voicelstm.detector._training_recordings import warn_of_training_recordings
from voicelstm.exceptions import HeldOutWarning


@pytest.fixture
def mixed(small_voices, tmp_path):
    """Twelve recordings, the second and the fifth a copy of one of the training, and their labels."""
    (train, labels), (held_out, y) = small_voices
    recordings, y = list(held_out[:12]), y[:12].copy()
    for position, of_training in ((1, 3), (4, 8)):
        samples, rate = train[of_training]
        recordings[position] = tmp_path / f"{position}.wav"
        soundfile.write(recordings[position], samples, rate, subtype="FLOAT")
        y[position] = labels[of_training]
    return recordings, y


# What warns, and what a detector of recordings may stand in.
ASKED = {
    "evaluate": lambda detector, X, y: evaluate(detector, X, y, n_resamples=0),
    "calibrate": calibrate,
    "tune_threshold": tune_threshold,
}
WRAPPED = {
    "plain": lambda detector, X, y: detector,
    "tuned": tune_threshold,
    "calibrated": calibrate,
    "a vote": lambda detector, X, y: VotingClassifier(
        [("a", FrozenEstimator(detector)), ("b", FrozenEstimator(detector))], voting="soft"
    ).fit(X, y),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("wrapped", WRAPPED)
def test_recordings_of_the_training_are_named(asked, wrapped, small_detector, small_voices, mixed, tmp_path):
    detector = WRAPPED[wrapped](small_detector, *small_voices[1])
    save(detector, tmp_path / "detector")
    for each in (detector, load(tmp_path / "detector")):
        with pytest.warns(
            HeldOutWarning, match=r"2 of 12 recordings were in .*: .*1\.wav, .*4\.wav\."
        ) as caught:
            ASKED[asked](each, *mixed)
        assert [one.filename for one in caught if one.category is HeldOutWarning] == [__file__]


@pytest.mark.parametrize(
    ("n_recordings", "was"), [(1, "The recording was in"), (3, "1 of 3 recordings was in")]
)
def test_one_recording_is_said_as_one(n_recordings, was):
    recordings = [f"{number}.wav" for number in range(n_recordings)]
    with pytest.warns(HeldOutWarning, match=rf"^{was} the detector's training: 0\.wav\. .* leave it out\.$"):
        warn_of_training_recordings(recordings, np.array([0]), stacklevel=1)


def test_the_report_has_their_number(small_detector, mixed):
    with pytest.warns(HeldOutWarning):
        report = evaluate(small_detector, *mixed, n_resamples=0)
    assert report.n_in_training == report.to_dict()["n_in_training"] == 2
    assert "2 recordings were in the detector's training" in str(report)


@pytest.mark.parametrize("asked", ASKED)
def test_of_others_and_of_a_detector_that_keeps_none_nothing_is_said(
    asked, small_detector, small_voices, mixed
):
    ASKED[asked](small_detector, *small_voices[1])
    forgetful = make_pipeline(clone(small_detector[0]), *small_detector[1:])
    report = ASKED[asked](forgetful, *mixed)
    if asked == "evaluate":
        assert report.n_in_training is None
        assert evaluate(small_detector, *small_voices[1], n_resamples=0).n_in_training == 0


def test_members_of_a_union_tell_what_they_read(small_voices, mixed):
    def member(n_mfcc):
        return make_pipeline(MFCCTransformer(n_mfcc=n_mfcc), ClipStatistics())

    union = FeatureUnion([("few", member(5)), ("many", member(8))])
    detector = make_pipeline(union, LogisticRegression(max_iter=1000)).fit(*small_voices[0])
    with pytest.warns(HeldOutWarning, match="2 of 12"):
        assert evaluate(detector, *mixed, n_resamples=0).n_in_training == 2


def test_folds_of_a_cross_validation_have_their_own(small_voices):
    X, y = small_voices[0]
    seen = []

    class Noting(LogisticRegression):
        def fit(self, X, y):
            seen.append(len(X))
            return super().fit(X, y)

    detector = make_pipeline(MFCCTransformer(n_mfcc=5), ClipStatistics(), Noting(max_iter=1000))
    cross_val_predict(detector, X, y, cv=2)
    assert seen == [10, 10]
    assert not hasattr(detector[0], "fingerprints_")
    first, second = (clone(detector).fit(X[part], y[part]) for part in (slice(0, 10), slice(10, 20)))
    assert not set(first[0].fingerprints_) & set(second[0].fingerprints_)
    assert evaluate(first, X[10:], y[10:], n_resamples=0).n_in_training == 0


def test_arrays_are_named_by_their_positions(small_detector, small_voices):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HeldOutWarning)
        evaluate(small_detector, *small_voices[0], n_resamples=0)
    (one,) = caught
    assert "20 of 20 recordings" in str(one.message)
    assert "[0], [1], [2]" in str(one.message)
    assert np.shape(small_detector[0].fingerprints_) == (20,)
