"""Run scikit-learn's checks of an estimator and print what became of each, as JSON.

A script of its own, since scipy reads SCIPY_ARRAY_API when it is imported, and without it a check is skipped.
"""

import json
import os
import sys
import warnings

os.environ["SCIPY_ARRAY_API"] = "1"

import sklearn.utils.estimator_checks as checks

from voicelstm import ClipStatistics, MFCCTransformer

# Defined by scikit-learn, but not among those of check_estimator.
_TRANSFORMER = ("check_param_validation", "check_dataframe_column_names_consistency")
_OF_TABLES = (
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
)
ESTIMATORS = {
    "MFCCTransformer": (MFCCTransformer(n_filters=20, n_fft=512), _TRANSFORMER),
    "ClipStatistics": (ClipStatistics(), _TRANSFORMER + _OF_TABLES),
}


def main():
    name = sys.argv[1]
    estimator, more = ESTIMATORS[name]
    warnings.simplefilter("ignore")
    outcomes = [
        (result["check_name"], result["status"], repr(result["exception"]))
        for result in checks.check_estimator(estimator, on_fail=None, on_skip=None)
    ]
    for check in more:
        try:
            getattr(checks, check)(name, estimator)
            outcomes.append((check, "passed", ""))
        except Exception as error:
            outcomes.append((check, "failed", repr(error)))
    json.dump(outcomes, sys.stdout)


if __name__ == "__main__":
    main()
