import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.clips import ASV, NAMES, SCORES, both, rates_by_counting, scored, split
from voicelstm.metrics import min_tdcf


def test_tandem_cost_by_hand():
    # C = 0.9405 * 0.05 + 0.0095 * 10 * 0.05 = 0.051775, C1 = 0.9405 - C = 0.888725,
    # C2 = 0.05 * 10 * 0.6 = 0.3.
    # No misses and false alarms of 0.2 cost 0.06, misses of 0.4 and no false alarms 0.35549.
    assert min_tdcf(NAMES, SCORES, pos_label="human", version="2019", **ASV) == pytest.approx(0.06 / 0.3)
    assert min_tdcf(NAMES, SCORES, pos_label="human", version="2021", **ASV) == pytest.approx(
        (0.051775 + 0.06) / (0.051775 + 0.3)
    )
    # C = 0.5 * 0.5, C1 = 0.5 - C = 0.25, C2 = 0.5: both ends of the same vector cost 0.1, and C1 normalises.
    other = {
        "asv_miss_rate": 0.5,
        "asv_false_alarm_rate": 0.3,
        "asv_synthetic_rate": 1.0,
        "target_prior": 0.5,
        "nontarget_prior": 0.0,
        "synthetic_prior": 0.5,
        "cost_synthetic": 1.0,
    }
    assert min_tdcf(NAMES, SCORES, pos_label="human", version="2019", **other) == pytest.approx(0.1 / 0.25)
    assert min_tdcf(NAMES, SCORES, pos_label="human", version="2021", **other) == pytest.approx(0.35 / 0.5)


def test_costs_and_priors_of_the_asv_system_weigh_its_errors():
    # Priors sum to 1 but for rounding. C = 0.7 * 2 * 0.1 + 0.2 * 10 * 0.1 = 0.34, C1 = 0.7 * 2 - C = 1.06,
    # C2 = 0.1 * 10 * 0.6 = 0.6. No misses and false alarms of 0.2 cost 0.12, misses of 0.4 cost 0.424.
    other = {
        "asv_miss_rate": 0.1,
        "asv_false_alarm_rate": 0.1,
        "asv_synthetic_rate": 0.6,
        "target_prior": 0.7,
        "nontarget_prior": 0.2,
        "synthetic_prior": 0.1,
        "cost_miss": 2.0,
    }
    cost = min_tdcf(NAMES, SCORES, pos_label="human", version="2021", **other)
    assert cost == pytest.approx((0.34 + 0.12) / (0.34 + 0.6))
    # An ASV system that misses everyone costs what rejecting everyone costs, whatever the detector does.
    misses_all = {"asv_miss_rate": 1.0, "asv_false_alarm_rate": 0.0, "asv_synthetic_rate": 0.6}
    assert min_tdcf(NAMES, SCORES, pos_label="human", version="2021", **misses_all) == 1


@settings(max_examples=50)
@given(scored, st.floats(0, 0.4), st.floats(0, 0.4), st.floats(0.01, 1))
def test_tandem_cost_is_that_of_the_best_threshold_by_trial(clips, asv_miss, asv_false_alarm, asv_spoof):
    human, synthetic = split(clips)
    rates = {
        "asv_miss_rate": asv_miss,
        "asv_false_alarm_rate": asv_false_alarm,
        "asv_synthetic_rate": asv_spoof,
    }
    # As the evaluation plan of 2019 has it, with the rate of synthetic clips that the ASV system rejects.
    c1 = 0.9405 * (1 - 1 * asv_miss) - 0.0095 * 10 * asv_false_alarm
    c2 = 10 * 0.05 * (1 - (1 - asv_spoof))
    points = rates_by_counting(human, synthetic)
    trials = [(c1 * miss + c2 * false_alarm) / min(c1, c2) for miss, false_alarm in points]
    assert min_tdcf(*both(human, synthetic), version="2019", **rates) == pytest.approx(min(trials))
    c0 = 0.9405 * 1 * asv_miss + 0.0095 * 10 * asv_false_alarm
    c1 = 0.9405 * 1 - c0
    trials = [(c0 + c1 * miss + c2 * false_alarm) / (c0 + min(c1, c2)) for miss, false_alarm in points]
    assert min_tdcf(*both(human, synthetic), version="2021", **rates) == pytest.approx(min(trials))


def test_the_asv_rates_are_required_and_have_to_make_sense():
    y, scores = both([1], [0])
    with pytest.raises(TypeError, match="asv_miss_rate"):
        min_tdcf(y, scores)
    for changes, words in [
        ({"asv_miss_rate": 5.0}, "asv_miss_rate=5.0 must be from 0 to 1: a share, not a percentage"),
        ({"asv_miss_rate": 1.5}, "asv_miss_rate=1.5 must be from 0 to 1"),
        ({"asv_miss_rate": -0.1}, "asv_miss_rate=-0.1 must be from 0 to 1"),
        ({"asv_miss_rate": np.nan}, "asv_miss_rate"),
        ({"version": "2020"}, "version='2020'"),
        ({"synthetic_prior": 0.5}, "sum to 1"),
        ({"synthetic_prior": 0.05 + 1e-6}, "sum to 1"),
        ({"cost_synthetic": 0}, "cost_synthetic=0"),
        ({"asv_miss_rate": 0.99, "asv_false_alarm_rate": 1.0}, "negative weight"),
        ({"asv_synthetic_rate": 0.0, "version": "2019"}, "nothing to normalise by"),
    ]:
        with pytest.raises(ValueError, match=words):
            min_tdcf(y, scores, **{**ASV, **changes})
