"""What a detector's errors cost where it guards a speaker verification system."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from voicelstm.metrics._costs import check_cost
from voicelstm.metrics._rates import operating_points
from voicelstm.metrics._scored import check_scored

__all__ = ["min_tdcf"]


def min_tdcf(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    asv_miss_rate: float,
    asv_false_alarm_rate: float,
    asv_synthetic_rate: float,
    pos_label: Any = None,
    human_label: Any = None,
    sample_weight: ArrayLike | None = None,
    version: Literal["2021", "2019"] = "2021",
    target_prior: float = 0.9405,
    nontarget_prior: float = 0.0095,
    synthetic_prior: float = 0.05,
    cost_miss: float = 1.0,
    cost_false_alarm: float = 10.0,
    cost_synthetic: float = 10.0,
) -> float:
    """Compute the smallest normalised tandem detection cost (t-DCF).

    A clip passes if both the detector and, behind it, a system of automatic speaker verification (ASV) accept
    it. What the detector is worth depends on that system, whose three rates are therefore required.

    Parameters
    ----------
    y_true : array-like of shape (n_clips,)
        Labels of two classes.
    y_score : array-like of shape (n_clips,)
        The detector's scores; only their order counts.
    asv_miss_rate : float
        Share of the target speakers' clips that the ASV system rejects, 0 to 1.
    asv_false_alarm_rate : float
        Share of other human speakers' clips that it accepts, 0 to 1.
    asv_synthetic_rate : float
        Share of synthetic clips that it accepts, 0 to 1; 1 less the "Pmiss_spoof_asv" of ASVspoof 2019.
    pos_label : label, default=None
        Class for which a higher score speaks. If None, the synthetic one.
    human_label : label, default=None
        Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0 and 1
        it must be given.
    sample_weight : array-like of shape (n_clips,), default=None
        How often each clip counts within its class.
    version : {"2021", "2019"}, default="2021"
        "2021" counts what the ASV system costs without any attack, "2019" leaves that out.
    target_prior, nontarget_prior, synthetic_prior : float, default=0.9405, 0.0095, 0.05
        How probable the target speaker, another human speaker and a synthetic clip are; they sum to 1.
    cost_miss : float, default=1.0
        Cost of rejecting the target speaker, whichever of both systems does so.
    cost_false_alarm, cost_synthetic : float, default=10.0, 10.0
        Cost of accepting another human speaker and of accepting a synthetic clip.

    Returns
    -------
    float
        From 0 to 1, which a detector costs that is not there or lets nothing pass; in the 2021 form never
        less than what the ASV system alone costs.

    Raises
    ------
    ValueError
        Where `y_true` does not hold two classes, `y_score` holds NaN, lengths or labels do not fit, a rate,
        prior or cost is out of range, or the ASV system costs more than rejecting everyone, so that the
        t-DCF has a negative weight.

    Notes
    -----
    With the ASV system's rates P and the detector's misses p and false alarms q, the smallest over thresholds
    of ``(C0 + C1 p + C2 q) / (C0 + min(C1, C2))``, where ``C1 = target_prior cost_miss - C``,
    ``C2 = synthetic_prior cost_synthetic P_synthetic``,
    ``C = target_prior cost_miss P_miss + nontarget_prior cost_false_alarm P_false_alarm``, and ``C0 = C`` in
    the 2021 form, 0 in the 2019 form. The latter is that of the evaluation plan with one cost for the misses
    of both systems, as there.

    References
    ----------
    T. Kinnunen et al., "Tandem assessment of spoofing countermeasures and automatic speaker verification:
    fundamentals", IEEE/ACM TASLP 28, 2020 (2021 form); "ASVspoof 2019: automatic speaker verification
    spoofing and countermeasures challenge evaluation plan" (2019 form).

    Examples
    --------
    >>> from voicelstm.metrics import min_tdcf
    >>> asv = {"asv_miss_rate": 0.05, "asv_false_alarm_rate": 0.05, "asv_synthetic_rate": 0.6}
    >>> y = ["human"] * 5 + ["synthetic"] * 5
    >>> score = [-2, -1.5, -1, -0.5, 0.2, -0.7, 0.5, 1, 1.5, 2]
    >>> round(min_tdcf(y, score, version="2019", **asv), 6)  # C2 / C2 * 0.2
    0.2
    """
    if version not in ("2021", "2019"):
        raise ValueError(f'version={version!r} must be "2021" or "2019".')
    shares = {
        "asv_miss_rate": asv_miss_rate,
        "asv_false_alarm_rate": asv_false_alarm_rate,
        "asv_synthetic_rate": asv_synthetic_rate,
        "target_prior": target_prior,
        "nontarget_prior": nontarget_prior,
        "synthetic_prior": synthetic_prior,
    }
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name}={value!r} must be from 0 to 1: a share, not a percentage.")
    if not np.isclose(target_prior + nontarget_prior + synthetic_prior, 1, rtol=0, atol=1e-9):
        raise ValueError("target_prior, nontarget_prior and synthetic_prior must sum to 1.")
    check_cost("cost_miss", cost_miss)
    check_cost("cost_false_alarm", cost_false_alarm)
    check_cost("cost_synthetic", cost_synthetic)
    clips = check_scored(
        y_true, y_score, pos_label=pos_label, human_label=human_label, sample_weight=sample_weight
    )

    of_asv = (
        target_prior * cost_miss * asv_miss_rate + nontarget_prior * cost_false_alarm * asv_false_alarm_rate
    )
    of_misses = target_prior * cost_miss - of_asv
    of_false_alarms = synthetic_prior * cost_synthetic * asv_synthetic_rate
    if of_misses < 0:
        raise ValueError(
            f"asv_miss_rate={asv_miss_rate!r} and asv_false_alarm_rate={asv_false_alarm_rate!r} cost more"
            " than rejecting everyone: with such a system the t-DCF has a negative weight."
        )
    always = of_asv if version == "2021" else 0.0
    scale = always + min(of_misses, of_false_alarms)
    if scale == 0:
        raise ValueError(
            "With these asv_... rates, priors and costs the detector cannot change the cost, and there is"
            " nothing to normalise by."
        )
    return (always + operating_points(clips).least_cost(of_misses, of_false_alarms)) / scale
