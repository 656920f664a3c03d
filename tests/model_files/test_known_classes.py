import subprocess
import sys

import pytest

from voicelstm import Augmenter, LSTMVoiceClassifier, MFCCTransformer
from voicelstm.model_files._known_classes import ESTIMATORS, PARAMETERS, known_estimator


@pytest.mark.parametrize("known", [*ESTIMATORS.values(), *PARAMETERS.values()], ids=lambda known: known.name)
def test_each_class_stands_beside_what_describes_and_restores_it(known):
    kind = known._find(known.name)
    assert kind.__name__ == known.name
    assert known.is_class_of(kind())
    for name in (known.describe_name, known.restore_name):
        assert known._find(name).__module__ == known.module


def test_a_derived_class_is_not_known_even_under_the_same_name():
    assert known_estimator(MFCCTransformer()) is ESTIMATORS["MFCCTransformer"]
    derived = type("MFCCTransformer", (MFCCTransformer,), {"__module__": MFCCTransformer.__module__})
    assert known_estimator(derived()) is None
    assert known_estimator(type("Detector", (LSTMVoiceClassifier,), {})()) is None


def test_no_class_is_imported_before_a_file_names_it():
    code = "import sys, voicelstm.model_files._persistence; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "voicelstm.model_files._known_classes" in loaded
    beside = {kind.__module__ for kind in map(type, (MFCCTransformer(), LSTMVoiceClassifier(), Augmenter()))}
    assert beside <= set(sys.modules)
    assert loaded.isdisjoint(
        beside | {known.module for known in [*ESTIMATORS.values(), *PARAMETERS.values()]}
    )
