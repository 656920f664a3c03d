"""How well human and synthetic voices are told apart: error rates, costs, calibration, intervals, scorers.

A *miss* is a human clip that is taken for synthetic, a *false alarm* a synthetic clip that is taken for
human. All functions share two parameters. `human_label` is the human class; words such as "human", "bonafide"
and "real" are recognised, of 0 and 1 it must be given. `pos_label` is the class for which a higher score
speaks; scores of this library are log-odds of synthetic, which is the default. Lower is better everywhere,
except in the scorers, which scikit-learn wants the other way round and which are therefore negated.
"""

from voicelstm.metrics._calibration import cllr, min_cllr
from voicelstm.metrics._costs import act_dcf, detection_cost, min_dcf
from voicelstm.metrics._costs import error_costs as error_costs
from voicelstm.metrics._human_class import choose_human_label as choose_human_label
from voicelstm.metrics._human_class import confusable_labels as confusable_labels
from voicelstm.metrics._human_class import human_label_of as human_label_of
from voicelstm.metrics._human_class import recognised_human_label as recognised_human_label
from voicelstm.metrics._intervals import GroupDraws as GroupDraws
from voicelstm.metrics._intervals import bootstrap_interval
from voicelstm.metrics._intervals import percentile_interval as percentile_interval
from voicelstm.metrics._labels import as_labels as as_labels
from voicelstm.metrics._labels import check_labels as check_labels
from voicelstm.metrics._rates import OperatingPoints as OperatingPoints
from voicelstm.metrics._rates import RankedScores as RankedScores
from voicelstm.metrics._rates import det_curve, equal_error_rate, equal_error_threshold
from voicelstm.metrics._rates import operating_points as operating_points
from voicelstm.metrics._rates import suppress_sign_warning as suppress_sign_warning
from voicelstm.metrics._rates import warn_of_sign as warn_of_sign
from voicelstm.metrics._responses import held_by as held_by
from voicelstm.metrics._responses import respond as respond
from voicelstm.metrics._responses import score_method as score_method
from voicelstm.metrics._scored import check_human as check_human
from voicelstm.metrics._scored import check_scored as check_scored
from voicelstm.metrics._scored import check_weights as check_weights
from voicelstm.metrics._scored import two_classes as two_classes
from voicelstm.metrics._scorers import log_likelihood_ratios as log_likelihood_ratios
from voicelstm.metrics._scorers import make_detection_scorer
from voicelstm.metrics._synthetic_scores import check_threshold as check_threshold
from voicelstm.metrics._synthetic_scores import log_odds as log_odds
from voicelstm.metrics._synthetic_scores import segment_threshold as segment_threshold
from voicelstm.metrics._synthetic_scores import synthetic_log_odds as synthetic_log_odds
from voicelstm.metrics._synthetic_scores import synthetic_threshold as synthetic_threshold
from voicelstm.metrics._tandem import min_tdcf

__all__ = [
    "act_dcf",
    "bootstrap_interval",
    "cllr",
    "cllr_scorer",
    "det_curve",
    "detection_cost",
    "detection_cost_scorer",
    "eer_scorer",
    "equal_error_rate",
    "equal_error_threshold",
    "make_detection_scorer",
    "min_cllr",
    "min_dcf",
    "min_dcf_scorer",
    "min_tdcf",
]

# Sphinx reads what follows "#:" where a name is assigned; beside their class the scorers would have no pages.

#: For ``scoring=``: the equal error rate, negated, so that greater is better. How the direction of the scores
#: is found is described at :func:`make_detection_scorer`.
eer_scorer = make_detection_scorer(equal_error_rate)

#: For ``scoring=``: the smallest detection cost with the prior and the costs of ASVspoof 5, negated, so that
#: greater is better. :func:`make_detection_scorer` makes one with others.
min_dcf_scorer = make_detection_scorer(min_dcf)

#: For ``scoring=``: the cost of log-likelihood ratios, negated, so that greater is better. Where they come
#: from is described at :func:`make_detection_scorer`.
cllr_scorer = make_detection_scorer(cllr)

#: For ``scoring=``, of `TunedThresholdClassifierCV` above all: the detection cost of decisions with the prior
#: and the costs of ASVspoof 5, negated, so that greater is better. :func:`make_detection_scorer` makes one
#: with others.
detection_cost_scorer = make_detection_scorer(detection_cost)
