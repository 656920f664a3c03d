import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, cross_val_score

from voicelstm import make_detector
from voicelstm.datasets import make_voices


def test_it_hears_the_difference_in_voices_it_has_not_heard():
    voices = make_voices(120, random_state=0)
    detector = make_detector(random_state=0)
    scores = cross_val_score(
        detector, voices.recordings, voices.target, groups=voices.groups["speaker"], cv=GroupKFold(3)
    )
    assert scores.mean() > 0.7


def test_both_classes_count_the_same():
    X, y = make_voices(24, random_state=0, return_X_y=True)
    kept = [i for i in range(24) if y[i] == "human" or i < 6]
    detector = make_detector(random_state=0, classifier__max_steps=1, classifier__units=(4,))
    detector.fit([X[i] for i in kept], y[kept])
    assert detector["classifier"].log_prior_odds_ == pytest.approx(0)


def test_changes_go_by_the_names_of_steps():
    detector = make_detector(3, features__n_mfcc=13, classifier__units=(8,))
    assert detector["features"].n_mfcc == 13
    assert (detector["classifier"].units, detector["classifier"].random_state) == ((8,), 3)
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense'"):
        make_detector(classifier__nonsense=1)


def test_neither_loudness_nor_silence_around_changes_the_features():
    samples = np.random.default_rng(0).normal(0, 0.1, 8000)
    silence = np.zeros(4000)
    features = make_detector()["features"]
    plain, other = features.transform([samples, np.concatenate([silence, 0.01 * samples, silence])])
    assert plain.shape[1] == 60
    np.testing.assert_allclose(other, plain, rtol=0, atol=1e-3)
