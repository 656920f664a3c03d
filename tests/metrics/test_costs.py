import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.clips import both, rates_by_counting, scored, split
from voicelstm.metrics import act_dcf, detection_cost, equal_error_rate, min_dcf


@settings(max_examples=50)
@given(scored, st.floats(0.01, 0.99), st.floats(0.1, 20), st.floats(0.1, 20))
def test_costs_are_those_of_the_best_threshold_by_trial(clips, prior, cost_miss, cost_false_alarm):
    human, synthetic = split(clips)
    y, scores = both(human, synthetic)
    costs = {"synthetic_prior": prior, "cost_miss": cost_miss, "cost_false_alarm": cost_false_alarm}
    scale = min(cost_miss * (1 - prior), cost_false_alarm * prior)
    by_trial = [
        (cost_miss * (1 - prior) * miss + cost_false_alarm * prior * false_alarm) / scale
        for miss, false_alarm in rates_by_counting(human, synthetic)
    ]
    least = min_dcf(y, scores, **costs)
    assert least == pytest.approx(min(by_trial))
    assert least <= act_dcf(y, scores, **costs) + 1e-12
    # Decided by any threshold, the cost is that of the decisions.
    for threshold in (-0.5, 2.5):
        miss = np.mean(np.array(human) < threshold)
        false_alarm = np.mean(np.array(synthetic) >= threshold)
        by_hand = (cost_miss * (1 - prior) * miss + cost_false_alarm * prior * false_alarm) / scale
        assert detection_cost(
            y, np.where(-scores >= threshold, "human", "synthetic"), **costs
        ) == pytest.approx(by_hand)


def test_the_default_costs_are_those_of_asvspoof_5():
    # (0.95 P_miss + 10 * 0.05 P_fa) / 0.5: above 0 half of the human clips are missed, below none is found.
    y, scores = both([1, -1], [0, 0])
    assert min_dcf(y, scores) == pytest.approx(0.95)
    # Bayes' threshold is log(0.5 / 0.95) = -0.64.
    assert act_dcf(*both([1, -0.6], [-0.7, -0.5])) == pytest.approx(0.5)
    assert act_dcf(*both([1, -0.7], [-0.8, -0.9])) == pytest.approx(0.95)
    assert detection_cost(y, ["human", "synthetic", "synthetic", "synthetic"]) == pytest.approx(0.95)
    assert detection_cost(y, ["human", "human", "human", "synthetic"]) == pytest.approx(0.5)


def test_a_clip_at_the_threshold_of_bayes_is_accepted_as_human():
    even = {"synthetic_prior": 0.5, "cost_false_alarm": 1.0}  # the threshold is 0
    assert act_dcf(*both([0, 1], [-1]), **even) == 0
    assert act_dcf(*both([1, 1], [0, -1]), **even) == 0.5


def test_parameters_out_of_range_are_named():
    y, scores = both([1, 2], [0, 1])
    for call, words in [
        (lambda: equal_error_rate(y, scores, method="roc"), "method='roc'"),
        (lambda: equal_error_rate(y, scores, method="asvspoof", sample_weight=[1] * 4), "no sample_weight"),
        (lambda: min_dcf(y, scores, synthetic_prior=1), "synthetic_prior=1"),
        (lambda: min_dcf(y, scores, synthetic_prior=0), "synthetic_prior=0"),
        (lambda: act_dcf(y, scores, cost_miss=-1), "cost_miss=-1"),
        (lambda: act_dcf(y, scores, cost_miss=0), "cost_miss=0"),
        (lambda: act_dcf(y, scores, cost_false_alarm=np.inf), "cost_false_alarm=inf"),
        (
            lambda: detection_cost(y, ["human", "fake", "spoof", "synthetic"]),
            r"y_pred holds \['fake', 'spoof'\]",
        ),
        (lambda: detection_cost(y, [0, 1]), r"y_pred has shape \(2,\)"),
    ]:
        with pytest.raises(ValueError, match=words):
            call()
