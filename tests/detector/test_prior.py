from copy import deepcopy

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from voicelstm import calibrate, detect, load, save, tune_threshold
from voicelstm.detector._prior import posterior_of


@pytest.fixture(scope="module")
def calibrated(small_detector, small_voices):
    return calibrate(small_detector, *small_voices[1])


@pytest.mark.parametrize(
    ("ratio", "prior", "expected"),
    [(1, 0.01, 0.01), (99, 0.01, 0.5), (1, 0.5, 0.5), (19, 0.05, 0.5), (10, 1 / 11, 0.5), (4, 0.5, 0.8)],
)
def test_odds_after_listening_are_odds_before_times_the_ratio(ratio, prior, expected):
    assert posterior_of(np.log(ratio), prior) == pytest.approx(expected)


def test_a_calibrated_detector_has_a_posterior_at_each_prior(calibrated, small_voices, tmp_path):
    X = small_voices[1][0][:4]
    save(calibrated, tmp_path / "calibrated")
    for detector in (calibrated, tune_threshold(calibrated, *small_voices[1]), load(tmp_path / "calibrated")):
        found = list(detect(detector, [*X, "missing.wav"], prior=0.02))
        odds = np.exp([each.score for each in found[:-1]]) * 0.02 / 0.98
        np.testing.assert_allclose([each.posterior for each in found[:-1]], odds / (1 + odds), rtol=1e-6)
        assert np.isnan(found[-1].posterior)
        assert [each.label for each in found[:-1]] == detector.predict(X).tolist()  # which no prior changes
    assert np.isnan(next(detect(calibrated, X)).posterior)


def test_scores_that_are_no_likelihood_ratios_have_no_posterior(small_detector, small_voices):
    X, y = small_voices[1]
    by_frequency = CalibratedClassifierCV(FrozenEstimator(small_detector)).fit(X, y)
    for detector in (small_detector, tune_threshold(small_detector, X, y), by_frequency):
        with pytest.raises(ValueError, match="Calibrate it on recordings that were not in its training"):
            detect(detector, X, prior=0.5)


def test_what_is_no_prior_is_refused(calibrated, small_voices):
    X = small_voices[1][0]
    for prior in (0, 1, -0.1, 30, np.nan):
        with pytest.raises(ValueError, match="expected a share of recordings, above 0 and below 1"):
            detect(calibrated, X, prior=prior)
    for prior in ("0.1", True):
        with pytest.raises(TypeError, match="prior must be a number"):
            detect(calibrated, X, prior=prior)
    several = deepcopy(calibrated)
    several.classes_ = np.array(["a", "b", "c"])
    with pytest.raises(ValueError, match="of two classes; this detector has 3"):
        detect(several, X, prior=0.1)
