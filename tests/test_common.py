import json
import subprocess
import sys
from pathlib import Path

import pytest


def outcomes_of_checks(*estimators):
    """What became of the checks of each estimator, run in one process of their own."""
    script = Path(__file__).with_name("scikit_learn_checks.py")
    done = subprocess.run([sys.executable, script, *estimators], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "least",
    [{"MFCCTransformer": 45, "ClipStatistics": 50, "CepstralDynamics": 45}, {"LSTMVoiceClassifier": 68}],
    ids=["transformers", "LSTMVoiceClassifier"],
)
def test_every_check_of_scikit_learn_passes_and_none_is_skipped(least):
    outcomes = outcomes_of_checks(*least)
    assert outcomes.keys() == least.keys()
    for name, of_estimator in outcomes.items():
        assert [outcome for outcome in of_estimator if outcome[1] != "passed"] == []
        assert len(of_estimator) >= least[name]


@pytest.mark.nightly
def test_convolutions_fail_only_what_needs_batches_to_be_normalised_by_weights():
    outcomes = outcomes_of_checks("LSTMVoiceClassifier with convolutions")
    (of_classifier,) = outcomes.values()
    assert [outcome[:2] for outcome in of_classifier if outcome[1] != "passed"] == [
        ["check_sample_weight_equivalence_on_dense_data", "failed as expected"]
    ]
    assert len(of_classifier) >= 68


@pytest.mark.nightly
def test_a_pipeline_fails_what_every_pipeline_fails_and_signals_of_two_samples_and_nothing_else():
    outcomes = outcomes_of_checks("Pipeline")["Pipeline"]
    unexpected = [outcome for outcome in outcomes if outcome[1] not in {"passed", "failed as expected"}]
    assert unexpected == []
    expected = sorted(check for check, status, _ in outcomes if status == "failed as expected")
    assert expected == [
        *["check_classifiers_train"] * 3,
        "check_dont_overwrite_parameters",
        "check_estimators_overwrite_params",
    ]
    assert len(outcomes) >= 65
