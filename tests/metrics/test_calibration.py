import warnings

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.clips import ALL_METRICS, both, scored, split
from voicelstm.metrics import cllr, equal_error_rate, min_cllr


@given(scored, st.floats(0.1, 5), st.floats(-3, 3))
def test_no_order_preserving_calibration_beats_min_cllr(clips, slope, offset):
    y, scores = both(*split(clips))
    least = min_cllr(y, scores)
    assert least <= cllr(y, slope * scores + offset) + 1e-12
    assert least <= 1 + 1e-12
    # It is the Cllr of the log-odds that isotonic regression finds, less the log-odds of the classes.
    synthetic = y == "synthetic"
    isotonic = sklearn.isotonic.IsotonicRegression().fit(scores, synthetic)
    with np.errstate(divide="ignore"):
        share = isotonic.predict(scores)
        ratios = np.log(share) - np.log1p(-share) - np.log(synthetic.mean() / (1 - synthetic.mean()))
    assert least == pytest.approx(cllr(y, ratios))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_scores_of_less_than_double_precision_are_computed_with_in_double(dtype):
    # Log-odds of 20 that are right cost exp(-20) / ln 2 bits, which half and single precision lose beside 1.
    y, scores = both([20] * 3, [-20] * 5)
    assert cllr(y, scores.astype(dtype)) == pytest.approx(np.log1p(np.exp(-20.0)) / np.log(2), rel=1e-12)
    random = np.random.default_rng(0)
    y, scores = both(random.normal(1, 2, 300), random.normal(-1, 2, 300))
    for metric in ALL_METRICS:
        assert metric(y, scores.astype(dtype)) == metric(y, scores.astype(dtype).astype(np.float64))


def test_extreme_log_odds_stay_finite_without_warnings():
    y, scores = both([800, -800], [-800, 800])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Half of either class costs 800 / ln 2 bits, the other half nothing.
        assert cllr(y, scores) == pytest.approx(400 / np.log(2))
        assert all(np.isfinite(metric(y, scores)) for metric in ALL_METRICS)
        assert cllr(*both([np.inf], [-np.inf])) == 0
        assert cllr(*both([np.inf], [np.inf])) == np.inf
        assert equal_error_rate(*both([np.inf, 0], [-np.inf, -np.inf])) == 0
