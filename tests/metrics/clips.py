"""Clips by hand and by chance, and their error rates by counting, for the tests of several metrics."""

import numpy as np
from hypothesis import strategies as st

from voicelstm.metrics import act_dcf, cllr, equal_error_rate, min_cllr, min_dcf, min_tdcf

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
    """Labels, and log-odds of synthetic, of clips whose scores in favour of human are these."""
    names = np.repeat(["human", "synthetic"], [len(human), len(synthetic)])
    return names, -np.array([*human, *synthetic], dtype=float)


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
