import gc
import subprocess
import sys

import keras
import numpy as np
import pytest

from voicelstm import LSTMVoiceClassifier
from voicelstm.network_pool import _MAX_IDLE

_FORK = """
import os
import numpy as np
from voicelstm import LSTMVoiceClassifier

X = np.random.default_rng(0).normal(size=(8, 5, 2))
classifier = LSTMVoiceClassifier(units=(2,), max_epochs=1, random_state=0).fit(X, [0, 1] * 4)
if os.fork() == 0:
    try:
        classifier.predict_proba(X)
    except RuntimeError as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
"""


def test_a_forked_process_says_what_does_not_work_there_and_does_not_hang():
    done = subprocess.run([sys.executable, "-c", _FORK], capture_output=True, text=True, timeout=120)
    assert "forked from one in which tensorflow had run" in done.stdout
    assert "'loky'" in done.stdout


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the others have no graphs")
def test_networks_that_nobody_waits_for_leave_no_graph_behind():
    from tensorflow.python.framework.func_graph import FuncGraph

    def graphs_after_fits(most_units):
        for units in range(1, most_units):
            LSTMVoiceClassifier(units=(units,), max_steps=1, random_state=0).fit(X, [0, 1] * 4)
        gc.collect()
        return sum(isinstance(each, FuncGraph) for each in gc.get_objects())

    X = np.random.default_rng(0).normal(size=(8, 5, 2))
    full = graphs_after_fits(_MAX_IDLE + 1)
    assert graphs_after_fits(_MAX_IDLE + 4) == full
