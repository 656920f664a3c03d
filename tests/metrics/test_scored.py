import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.metrics.clips import ALL_METRICS, NAMES, RANK_METRICS, SCORES, both, scored, split
from voicelstm.metrics import act_dcf, cllr, detection_cost, equal_error_rate, min_cllr, min_dcf

# Clips by chance are often worse than guessing.
pytestmark = pytest.mark.filterwarnings("ignore::voicelstm.exceptions.ScoreWarning")


@pytest.mark.parametrize(
    ("y", "scores", "labels"),
    [
        (NAMES, SCORES, {"pos_label": "human"}),
        (NAMES.tolist(), -SCORES, {"pos_label": "synthetic"}),
        (pd.Series(NAMES, dtype="category"), pd.Series(SCORES), {"pos_label": "human"}),
        (NAMES, -SCORES, {}),
        ((NAMES == "human").astype(int), (-SCORES).tolist(), {"human_label": 1}),
        (NAMES == "human", -SCORES, {"human_label": True}),
        (np.where(NAMES == "human", 1, -1), SCORES, {"human_label": 1, "pos_label": 1}),
        (np.where(NAMES == "human", 0, 1), -SCORES, {"human_label": 0}),
        (np.where(NAMES == "human", "bona-fide", "spoof"), -SCORES, {}),
        (np.where(NAMES == "human", "Real", "Fake"), SCORES, {"pos_label": "Real"}),
    ],
    ids=[
        "names",
        "synthetic speaks",
        "pandas",
        "synthetic speaks by itself",
        "one is human",
        "booleans",
        "signs",
        "zero is human",
        "corpus names",
        "names of the web",
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


def test_perfect_and_reversed_scores():
    y, scores = both([2, 3], [0, 1])
    assert [metric(y, scores) for metric in (equal_error_rate, min_dcf, min_cllr)] == [0, 0, 0]
    assert [metric(y, -scores) for metric in (equal_error_rate, min_dcf, min_cllr)] == [1, 1, 1]


@given(scored)
def test_a_monotone_transform_changes_no_rank_metric(clips):
    y, scores = both(*split(clips))
    for metric in RANK_METRICS:
        assert metric(y, np.exp(scores) - 100) == metric(y, scores)


@given(scored)
def test_negated_scores_that_speak_for_the_other_class_are_the_same(clips):
    y, scores = both(*split(clips))
    for metric in ALL_METRICS:
        assert metric(y, scores, pos_label="synthetic") == metric(y, scores)
        assert metric(y, -scores, pos_label="human") == metric(y, scores)


@given(scored)
def test_metrics_that_treat_both_classes_alike_mirror(clips):
    y, scores = both(*split(clips))
    for metric in (equal_error_rate, cllr, min_cllr):
        turned = np.where(y == "human", "synthetic", "human")
        assert metric(turned, -scores) == pytest.approx(metric(y, scores), abs=1e-12)


@given(scored, st.data())
def test_a_weight_counts_a_clip_that_often(clips, data):
    y, scores = both(*split(clips))
    weight = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(y), max_size=len(y))))
    assume(weight[y == "human"].any() and weight[y == "synthetic"].any())
    repeated = np.repeat(y, weight), np.repeat(scores, weight)
    for metric in (equal_error_rate, min_dcf, act_dcf, cllr, min_cllr):
        assert metric(y, scores, sample_weight=weight) == pytest.approx(metric(*repeated), abs=1e-12)
    decided = np.where(scores > 0, "synthetic", "human")
    assert detection_cost(y, decided, sample_weight=weight) == pytest.approx(
        detection_cost(repeated[0], np.repeat(decided, weight))
    )


TWO = ["human", "synthetic"]


@pytest.mark.parametrize(
    ("y", "scores", "options", "words"),
    [
        ([1, 1], [0, 1], {}, "y_true holds one class only, 1"),
        ([0, 1, 2], [0, 1, 2], {}, r"y_true holds the classes \[0, 1, 2\]"),
        ([], [], {}, "y_true is empty"),
        (["human", None], [0, 1], {}, "y_true must hold labels of one kind"),
        (["human", np.nan], [0, 1], {}, "y_true must hold labels of one kind"),
        ([1.0, np.nan], [0, 1], {}, "Input y_true contains NaN"),
        (["human", "nan"], [0, 1], {}, "y_true holds 'nan', which is no label"),
        (
            ["human", "Human"],
            [0, 1],
            {},
            "y_true holds labels that differ only in spelling: 'human' and 'Human'",
        ),
        (
            ["fake", "human", "Human"],
            [0, 1, 2],
            {},
            "labels that differ only in spelling: 'Human' and 'human'",
        ),
        (TWO, [0, 1], {"pos_label": 1}, "pos_label=1 is none of the classes"),
        ([0, 1], [0, 1], {}, "human_label must say which of the classes"),
        ([-1, 1], [0, 1], {"pos_label": 1}, "human_label must say which of the classes"),
        ([False, True], [0, 1], {}, "human_label must say which of the classes"),
        ([0, 1], [0, 1], {"human_label": "human"}, "human_label='human' is none of the classes"),
        (TWO, [0, 1, 2], {}, "y_score has 3 values, y_true has 2"),
        (TWO, TWO, {}, "y_score must be numbers"),
        (TWO, [[0.5, 0.5], [0.5, 0.5]], {}, r"y_score has shape \(2, 2\).*predict_proba"),
        ([*TWO, "human"], [0, np.nan, 2], {}, "y_score is NaN at position 1. "),
        (TWO, [np.nan] * 2, {}, "y_score is NaN at positions 0, 1. "),
        (TWO * 5, [np.nan] * 10, {}, "NaN at positions 0, 1, 2, 3, 4, 5, 6, 7, 8, 9. "),
        (TWO * 20, [np.nan] * 40, {}, "NaN at positions 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 30 more"),
        (TWO, [0, 1], {"sample_weight": [1, -1]}, "sample_weight must be finite and not negative"),
        (TWO, [0, 1], {"sample_weight": [1, 0]}, "sample_weight leaves one class"),
        (TWO, [0, 1], {"sample_weight": [1]}, "sample_weight has 1 values"),
    ],
)
def test_what_cannot_be_measured_is_named(y, scores, options, words):
    with pytest.raises(ValueError, match=words):
        cllr(y, scores, **options)
