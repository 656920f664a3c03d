"""All measures of a report for resampled clips: clips or speakers are counted, and scores sorted once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicelstm.metrics import GroupDraws, RankedScores, error_costs

__all__ = ["resampled_measures"]


def resampled_measures(
    human: NDArray[np.bool_],
    responses: dict[str, NDArray[Any]],
    speaker: NDArray[Any] | None,
    costs: dict[str, float],
    n_resamples: int,
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    """Return the measures of `MEASURES`, by name, of shape (n_resamples,).

    The same speakers, or clips if `speaker` is None, are drawn as by `bootstrap_interval` with this seed.
    """
    group = np.arange(len(human)) if speaker is None else np.unique(speaker, return_inverse=True)[1]
    # The classes are named for an error message only, and both have several groups.
    draws = GroupDraws(group, human, [True, False], np.random.RandomState(seed))
    of_misses, of_false_alarms = _error_costs(costs)
    scale = min(of_misses, of_false_alarms)
    ratio, accepted = responses["ratio"].astype(np.float64), responses["accepted"].astype(bool)
    by_ratio = ratio >= np.log(of_false_alarms) - np.log(of_misses)
    ranked = RankedScores(responses["score"].astype(np.float64), human)
    means = {
        "miss": _ClassMean(~accepted, human, group),
        "false_alarm": _ClassMean(accepted, ~human, group),
        "miss_by_ratio": _ClassMean(~by_ratio, human, group),
        "false_alarm_by_ratio": _ClassMean(by_ratio, ~human, group),
        "nats_of_human": _ClassMean(np.logaddexp(0, -ratio), human, group),
        "nats_of_synthetic": _ClassMean(np.logaddexp(0, ratio), ~human, group),
    }
    rates, least = np.empty(n_resamples), np.empty(n_resamples)
    found = {name: np.empty(n_resamples) for name in means}
    for resample in range(n_resamples):
        counts = draws.counts().astype(np.float64)
        points = ranked.operating_points(counts[group])
        rates[resample] = points.equal_error_rate()
        least[resample] = points.least_cost(of_misses, of_false_alarms) / scale
        for name, mean in means.items():
            found[name][resample] = mean.of(counts)
    by_ratio_cost = of_misses * found["miss_by_ratio"] + of_false_alarms * found["false_alarm_by_ratio"]
    return {
        "eer": rates,
        "min_dcf": least,
        "act_dcf": by_ratio_cost / scale,
        "cllr": (found["nats_of_human"] + found["nats_of_synthetic"]) / (2 * np.log(2)),
        "miss": found["miss"],
        "false_alarm": found["false_alarm"],
    }


class _ClassMean:
    """Mean of a number over the clips of one class, by how often each group counts."""

    def __init__(self, values: NDArray[Any], chosen: NDArray[np.bool_], group: NDArray[np.intp]) -> None:
        finite = np.isfinite(values) & chosen
        self._total = np.bincount(group, weights=np.where(finite, values, 0.0))
        self._number = np.bincount(group, weights=chosen)
        # A count of 0 times infinity would be NaN.
        self._infinite = np.bincount(group, weights=chosen & ~finite)

    def of(self, counts: NDArray[np.float64]) -> float:
        """Return the mean."""
        if counts @ self._infinite > 0:
            return float("inf")
        return float(counts @ self._total / (counts @ self._number))


def _error_costs(costs: dict[str, float]) -> tuple[float, float]:
    """Return the costs of both errors, of which those that are not given are those of `min_dcf`."""
    return error_costs(**{"synthetic_prior": 0.05, "cost_miss": 1.0, "cost_false_alarm": 10.0, **costs})
