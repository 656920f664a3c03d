import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from voicelstm.metrics import (
    act_dcf,
    bootstrap_interval,
    cllr,
    det_curve,
    detection_cost,
    equal_error_rate,
    equal_error_threshold,
    min_cllr,
    min_dcf,
    min_tdcf,
)

# Accepting from -0.2 upwards misses no human clip and accepts one synthetic of five (0.7); from 0.5 upwards
# it misses -0.2 as well, so that both rates are 0.2.
HUMAN = [2, 1.5, 1, 0.5, -0.2]
SYNTHETIC = [0.7, -0.5, -1, -1.5, -2]
SCORES = np.array(HUMAN + SYNTHETIC)
NAMES = np.repeat(["human", "synthetic"], 5)
ASV = {"asv_miss_rate": 0.05, "asv_false_alarm_rate": 0.05, "asv_synthetic_rate": 0.6}
RANK_METRICS = [
    equal_error_rate,
    lambda *args, **kwargs: equal_error_rate(*args, method="asvspoof", **kwargs),
    min_dcf,
    min_cllr,
    lambda *args, **kwargs: min_tdcf(*args, **ASV, **kwargs),
]
ALL_METRICS = [*RANK_METRICS, act_dcf, cllr]

# Few different scores, so that ties within and across classes are common.
scored = st.lists(st.tuples(st.booleans(), st.integers(-4, 4)), min_size=2, max_size=14).filter(
    lambda clips: len({human for human, _ in clips}) == 2
)


def both(human, synthetic):
    """Labels and scores for which a higher one speaks for human, 1."""
    return np.repeat([1, 0], [len(human), len(synthetic)]), np.array([*human, *synthetic], dtype=float)


def split(clips):
    human = [score for is_human, score in clips if is_human]
    synthetic = [score for is_human, score in clips if not is_human]
    return human, synthetic


def rates_by_counting(human, synthetic):
    """(miss, false alarm) at every threshold that decides differently, counted clip by clip."""
    thresholds = [-np.inf, *sorted({*human, *synthetic}), np.inf]
    return [
        (
            sum(score < threshold for score in human) / len(human),
            sum(score >= threshold for score in synthetic) / len(synthetic),
        )
        for threshold in thresholds
    ]


@pytest.mark.parametrize(
    ("y", "scores", "labels"),
    [
        (NAMES, SCORES, {"pos_label": "human"}),
        (NAMES.tolist(), -SCORES, {"pos_label": "synthetic"}),
        (pd.Series(NAMES, dtype="category"), pd.Series(SCORES), {"pos_label": "human"}),
        ((NAMES == "human").astype(int), SCORES.tolist(), {}),
        (NAMES == "human", SCORES, {}),
        (np.where(NAMES == "human", 1, -1), SCORES, {}),
        (np.where(NAMES == "human", 0, 1), -SCORES, {"human_label": 0}),
        (
            np.where(NAMES == "human", "bona-fide", "spoof"),
            -SCORES,
            {"pos_label": "spoof", "human_label": "bona-fide"},
        ),
    ],
    ids=[
        "names",
        "synthetic speaks",
        "pandas",
        "one is human",
        "booleans",
        "signs",
        "zero is human",
        "corpus names",
    ],
)
def test_hand_calculation_with_labels_of_every_kind(y, scores, labels):
    assert equal_error_rate(y, scores, **labels) == pytest.approx(0.2)
    # (0.95 P_miss + 0.5 P_fa) / 0.5: from -0.2 upwards it is 0.2.
    assert min_dcf(y, scores, **labels) == pytest.approx(0.2)
    # Bayes' threshold log(0.5 / 0.95) = -0.641854 accepts 0.7 and -0.5.
    assert act_dcf(y, scores, **labels) == pytest.approx(0.4)
    assert cllr(y, scores, **labels) == pytest.approx(0.596220, abs=5e-7)
    # Pools: four synthetic; -0.2, 0.5 and 0.7 with 2/5 of the human and 1/5 of the synthetic; three human.
    by_hand = (0.4 * np.log2(1 + 0.2 / 0.4) + 0.2 * np.log2(1 + 0.4 / 0.2)) / 2
    assert min_cllr(y, scores, **labels) == pytest.approx(by_hand)


def test_equal_scores_are_decided_together():
    # Accepting from 0, 1, 2 upwards and nothing: false alarms 1, 1/3, 0, 0 and misses 0, 0, 2/3, 1. The line
    # from (1/3, 0) to (0, 2/3) is where both are 2/9.
    y, scores = both([2, 1, 1], [1, 0, 0])
    assert equal_error_rate(y, scores) == pytest.approx(2 / 9)
    # Human first among the ties: with 0, 0 and one human clip of 1 rejected, both are 1/3.
    assert equal_error_rate(y, scores, method="asvspoof") == pytest.approx(1 / 3)
    y, scores = both([7, 7, 7], [7, 7])
    assert equal_error_rate(y, scores) == 0.5
    assert equal_error_rate(y, scores, method="asvspoof") == 1
    assert min_dcf(y, scores) == min_cllr(y, scores) == 1


def test_perfect_and_reversed_scores():
    y, scores = both([2, 3], [0, 1])
    assert [metric(y, scores) for metric in (equal_error_rate, min_dcf, min_cllr)] == [0, 0, 0]
    assert [metric(y, -scores) for metric in (equal_error_rate, min_dcf, min_cllr)] == [1, 1, 1]


@given(scored)
def test_det_curve_counts_both_errors_at_every_threshold(clips):
    human, synthetic = split(clips)
    false_alarm, miss, thresholds = det_curve(*both(human, synthetic))
    assert thresholds.tolist() == [*sorted({*human, *synthetic}), np.inf]
    np.testing.assert_allclose(np.column_stack([miss, false_alarm]), rates_by_counting(human, synthetic)[1:])
    assert (false_alarm[0], miss[0], false_alarm[-1], miss[-1]) == (1, 0, 0, 1)


@given(scored)
def test_det_curve_holds_all_points_of_scikit_learn(clips):
    y, scores = both(*split(clips))
    mine = {point[2]: point[:2] for point in zip(*det_curve(y, scores), strict=True)}
    for false_alarm, miss, threshold in zip(*sklearn.metrics.det_curve(y, scores), strict=True):
        assert mine[threshold] == pytest.approx((false_alarm, miss))


def test_det_curve_speaks_in_the_units_of_the_scores():
    y = ["human", "human", "synthetic"]
    false_alarm, miss, thresholds = det_curve(y, [-2.0, 1.0, 0.5], pos_label="synthetic")
    # Accepted as human is what lies at or below the threshold.
    assert thresholds.tolist() == [1.0, 0.5, -2.0, -np.inf]
    assert false_alarm.tolist() == [1, 1, 0, 0]
    assert miss.tolist() == [0, 0.5, 0.5, 1]


@given(scored)
def test_the_equal_error_rate_lies_on_the_curve_between_points(clips):
    human, synthetic = split(clips)
    points = rates_by_counting(human, synthetic)
    crossings = []
    for (miss, false_alarm), (next_miss, next_false_alarm) in pairwise(points):
        gap, next_gap = false_alarm - miss, next_false_alarm - next_miss
        if gap >= 0 >= next_gap and gap > next_gap:
            crossings.append((gap * next_miss - next_gap * miss) / (gap - next_gap))
    assert equal_error_rate(*both(human, synthetic)) == pytest.approx(crossings[0])


@given(scored)
def test_the_asvspoof_method_does_what_its_evaluation_package_does(clips):
    # Sorted stably with the human clips first; the rates after each clip; their mean where they differ least.
    human, synthetic = split(clips)
    points = [(0.0, 1.0)]
    n_missed, n_accepted = 0, len(synthetic)
    in_order = [*((score, True) for score in human), *((score, False) for score in synthetic)]
    for _, is_human in sorted(in_order, key=lambda clip: clip[0]):
        n_missed += is_human
        n_accepted -= not is_human
        points.append((n_missed / len(human), n_accepted / len(synthetic)))
    closest = min(points, key=lambda point: abs(point[0] - point[1]))
    assert equal_error_rate(*both(human, synthetic), method="asvspoof") == pytest.approx(sum(closest) / 2)


def test_equal_error_threshold_is_halfway_and_no_side_matters():
    assert equal_error_threshold(*both([3, 1], [0, -1])) == 0.5
    assert equal_error_threshold(NAMES, SCORES, pos_label="human") == pytest.approx((0.5 - 0.2) / 2)
    assert equal_error_threshold(NAMES, -SCORES, pos_label="synthetic") == pytest.approx(-(0.5 - 0.2) / 2)
    assert equal_error_threshold(*both([1, 1], [1])) == 1
    # One human clip and two synthetic: between 1 and 2 the rates are 0 and 1/2, between 2 and 3 1 and 1/2.
    assert equal_error_threshold(*both([2], [1, 3])) == 2.5
    # No number lies between neighbours, and none in the middle of minus infinity and another.
    below = np.nextafter(1.0, 0)
    assert equal_error_threshold(*both([1.0], [below])) == 1.0
    assert equal_error_threshold(*both([1.0], [-np.inf])) == 1.0


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
        assert detection_cost(y, scores >= threshold, **costs) == pytest.approx(by_hand)


def test_a_clip_at_the_threshold_of_bayes_is_accepted_as_human():
    even = {"synthetic_prior": 0.5, "cost_false_alarm": 1.0}  # the threshold is 0
    assert act_dcf(*both([0, 1], [-1]), **even) == 0
    assert act_dcf(*both([1, 1], [0, -1]), **even) == 0.5


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
        ({"asv_miss_rate": np.nan}, "asv_miss_rate"),
        ({"version": "2020"}, "version='2020'"),
        ({"synthetic_prior": 0.5}, "sum to 1"),
        ({"cost_synthetic": 0}, "cost_synthetic=0"),
        ({"asv_miss_rate": 0.99, "asv_false_alarm_rate": 1.0}, "negative weight"),
        ({"asv_synthetic_rate": 0.0, "version": "2019"}, "nothing to normalise by"),
    ]:
        with pytest.raises(ValueError, match=words):
            min_tdcf(y, scores, **{**ASV, **changes})


@given(scored)
def test_a_monotone_transform_changes_no_rank_metric(clips):
    y, scores = both(*split(clips))
    for metric in RANK_METRICS:
        assert metric(y, np.exp(scores) - 100) == metric(y, scores)


@given(scored)
def test_negated_scores_that_speak_for_the_other_class_are_the_same(clips):
    y, scores = both(*split(clips))
    names = np.where(y == 1, "human", "synthetic")
    for metric in ALL_METRICS:
        assert metric(names, -scores, pos_label="synthetic") == metric(y, scores)


@given(scored)
def test_metrics_that_treat_both_classes_alike_mirror(clips):
    y, scores = both(*split(clips))
    for metric in (equal_error_rate, cllr, min_cllr):
        assert metric(1 - y, -scores) == pytest.approx(metric(y, scores), abs=1e-12)


@given(scored, st.floats(0.1, 5), st.floats(-3, 3))
def test_no_order_preserving_calibration_beats_min_cllr(clips, slope, offset):
    y, scores = both(*split(clips))
    least = min_cllr(y, scores)
    assert least <= cllr(y, slope * scores + offset) + 1e-12
    assert least <= 1 + 1e-12
    # It is the Cllr of the log-odds that isotonic regression finds, less the log-odds of the classes.
    isotonic = sklearn.isotonic.IsotonicRegression().fit(scores, y)
    with np.errstate(divide="ignore"):
        share = isotonic.predict(scores)
        ratios = np.log(share) - np.log1p(-share) - np.log(y.mean() / (1 - y.mean()))
    assert least == pytest.approx(cllr(y, ratios))


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


@given(scored, st.data())
def test_a_weight_counts_a_clip_that_often(clips, data):
    y, scores = both(*split(clips))
    weight = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(y), max_size=len(y))))
    assume(weight[y == 1].any() and weight[y == 0].any())
    repeated = np.repeat(y, weight), np.repeat(scores, weight)
    for metric in (equal_error_rate, min_dcf, act_dcf, cllr, min_cllr):
        assert metric(y, scores, sample_weight=weight) == pytest.approx(metric(*repeated), abs=1e-12)
    decided = scores > 0
    assert detection_cost(y, decided, sample_weight=weight) == pytest.approx(
        detection_cost(repeated[0], repeated[1] > 0)
    )


@pytest.mark.parametrize(
    ("y", "scores", "options", "words"),
    [
        ([1, 1], [0, 1], {}, "y_true holds one class only, 1"),
        ([0, 1, 2], [0, 1, 2], {}, r"y_true holds the classes \[0, 1, 2\]"),
        ([], [], {}, "y_true is empty"),
        ([[0], [1]], [0, 1], {}, r"y_true has shape \(2, 1\)"),
        (["human", None], [0, 1], {"pos_label": "human"}, "y_true must hold labels of one kind"),
        (["human", np.nan], [0, 1], {"pos_label": "human"}, "y_true must hold labels of one kind"),
        ([1.0, np.nan], [0, 1], {}, "y_true must hold labels of one kind"),
        (["human", "synthetic"], [0, 1], {}, "pos_label must say"),
        (["human", "synthetic"], [0, 1], {"pos_label": 1}, "pos_label=1 is none of the classes"),
        (["bonafide", "spoof"], [0, 1], {"pos_label": "spoof"}, "human_label must say"),
        ([1, 2], [0, 1], {"human_label": 2}, "pos_label must say"),
        ([0, 1], [0, 1], {"human_label": "human"}, "human_label='human' is none of the classes"),
        ([0, 1], [0, 1, 2], {}, "y_score has 3 values, y_true has 2"),
        ([0, 1], ["human", "synthetic"], {}, "y_score must be numbers"),
        ([0, 1], [[0.5, 0.5], [0.5, 0.5]], {}, r"y_score has shape \(2, 2\).*predict_proba"),
        ([0, 1, 1], [0, np.nan, 2], {}, "y_score is NaN at position 1. "),
        ([0, 1] * 20, [np.nan] * 40, {}, "NaN at positions 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 30 more"),
        ([0, 1], [0, 1], {"sample_weight": [1, -1]}, "sample_weight must be finite and not negative"),
        ([0, 1], [0, 1], {"sample_weight": [1, 0]}, "sample_weight leaves one class"),
        ([0, 1], [0, 1], {"sample_weight": [1]}, "sample_weight has 1 values"),
    ],
)
def test_what_cannot_be_measured_is_named(y, scores, options, words):
    with pytest.raises(ValueError, match=words):
        cllr(y, scores, **options)


def test_parameters_out_of_range_are_named():
    y, scores = both([1, 2], [0, 1])
    for call, words in [
        (lambda: equal_error_rate(y, scores, method="roc"), "method='roc'"),
        (lambda: equal_error_rate(y, scores, method="asvspoof", sample_weight=[1] * 4), "no sample_weight"),
        (lambda: min_dcf(y, scores, synthetic_prior=1), "synthetic_prior=1"),
        (lambda: act_dcf(y, scores, cost_miss=-1), "cost_miss=-1"),
        (lambda: act_dcf(y, scores, cost_false_alarm=np.inf), "cost_false_alarm=inf"),
        (lambda: detection_cost(y, [0, 1, 2, 3]), r"y_pred holds \[2, 3\]"),
        (lambda: detection_cost(y, [0, 1]), r"y_pred has shape \(2,\)"),
    ]:
        with pytest.raises(ValueError, match=words):
            call()


def mean_score(y_true, y_score):
    return float(np.mean(y_score))


def test_the_interval_of_a_mean_is_as_wide_as_theory_says():
    random = np.random.default_rng(0)
    values = random.normal(size=400)
    y = np.tile([0, 1], 200)
    low, high = bootstrap_interval(mean_score, y, values, random_state=0, n_resamples=2000)
    standard_error = values.std() / np.sqrt(400)
    assert (high - low) / standard_error == pytest.approx(2 * 1.96, rel=0.1)
    assert (high + low) / 2 == pytest.approx(values.mean(), abs=0.2 * standard_error)
    # Every clip four times says nothing new about speakers, and an interval by clips is half as wide.
    four_times = np.repeat(y, 4), np.repeat(values, 4)
    groups = np.repeat([f"speaker {number}" for number in range(400)], 4)
    by_group = bootstrap_interval(mean_score, *four_times, groups=groups, random_state=0, n_resamples=2000)
    assert by_group[1] - by_group[0] == pytest.approx(high - low, rel=0.1)
    by_clip = bootstrap_interval(mean_score, *four_times, random_state=0, n_resamples=2000)
    assert by_clip[1] - by_clip[0] == pytest.approx((high - low) / 2, rel=0.1)
    narrow = bootstrap_interval(mean_score, y, values, confidence=0.5, random_state=0, n_resamples=2000)
    assert (narrow[1] - narrow[0]) / standard_error == pytest.approx(2 * 0.674, rel=0.1)


def test_the_interval_covers_the_true_value_about_as_often_as_it_says():
    # Both classes lie one deviation off zero: the equal error rate is that of a normal beyond 1, 15.87 %.
    random = np.random.default_rng(0)
    covered = 0
    for seed in range(60):
        y, scores = both(random.normal(1, 1, 150), random.normal(-1, 1, 150))
        low, high = bootstrap_interval(equal_error_rate, y, scores, n_resamples=200, random_state=seed)
        covered += low <= 0.158655 <= high
    assert 50 <= covered <= 60


def test_groups_are_drawn_whole_and_no_class_is_lost():
    # Two speakers are heard in both classes, one in human clips only, two in synthetic ones only.
    group = np.array(["a", "b", "a", "a", "b", "c", "c", "c", "d", "e"])
    y = np.array([1, 1, 0, 0, 0, 1, 1, 1, 0, 0])
    seen = set()

    def check(y_true, y_score, sample_weight):
        clip = y_score.astype(int)
        assert (y_true == y[clip]).all()
        assert (sample_weight == 10 * clip + 1).all()
        times = np.bincount(clip, minlength=len(y))
        per_group = {name: set(times[group == name]) for name in "abcde"}
        assert all(len(counts) == 1 for counts in per_group.values())
        drawn = {name: counts.pop() for name, counts in per_group.items()}
        assert drawn["a"] + drawn["b"] == 2
        assert drawn["c"] == 1
        assert drawn["d"] + drawn["e"] == 2
        seen.add(tuple(drawn.values()))
        return 0.0

    weight = 10 * np.arange(10) + 1
    bootstrap_interval(
        check, y, np.arange(10.0), groups=group, sample_weight=weight, n_resamples=200, random_state=0
    )
    assert len(seen) == 9


def test_without_groups_each_class_keeps_its_size():
    y = np.array([1, 1, 1, 0, 0])
    sizes = set()
    bootstrap_interval(
        lambda labels, scores: sizes.add((labels == 1).sum()) or 0.0, y, np.arange(5.0), n_resamples=50
    )
    assert sizes == {3}


def test_intervals_repeat_with_the_random_state_alone():
    state = np.random.get_state()[1].copy()
    arguments = equal_error_rate, NAMES, SCORES
    options = {"pos_label": "human", "n_resamples": 50}
    first = bootstrap_interval(*arguments, random_state=3, **options)
    assert first == bootstrap_interval(*arguments, random_state=3, **options)
    assert first == bootstrap_interval(*arguments, random_state=np.random.RandomState(3), **options)
    bootstrap_interval(*arguments, **options)
    assert (np.random.get_state()[1] == state).all()


def test_an_infinite_metric_gives_an_infinite_bound_instead_of_none():
    y, scores = both([np.inf, 1, 1], [np.inf, -1, -1])
    low, high = bootstrap_interval(cllr, y, scores, random_state=0)
    assert 0 < low < high == np.inf


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_resamples": 0}, "n_resamples=0"),
        ({"confidence": 95}, "confidence=95"),
        ({"groups": list("aaaaabcdef")}, "All clips of 'human' are in one group"),
        ({"groups": list("abc")}, "groups has 3 values"),
        ({"groups": [None, *"abcdefghi"]}, "groups must be of one kind"),
    ],
)
def test_intervals_that_cannot_be_had(options, words):
    with pytest.raises(ValueError, match=words):
        bootstrap_interval(equal_error_rate, NAMES, SCORES, pos_label="human", **options)
