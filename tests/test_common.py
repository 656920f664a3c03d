import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(("estimator", "least"), [("MFCCTransformer", 45), ("ClipStatistics", 50)])
def test_every_check_of_scikit_learn_passes_and_none_is_skipped(estimator, least):
    script = Path(__file__).with_name("scikit_learn_checks.py")
    done = subprocess.run([sys.executable, script, estimator], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert [outcome for outcome in outcomes if outcome[1] != "passed"] == []
    assert len(outcomes) >= least
