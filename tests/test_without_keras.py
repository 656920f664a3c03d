"""What was fitted answers where Keras and every backend are missing or broken."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from voicelstm import LSTMVoiceClassifier

# As a broken library fails: with an error of its own, at the first import.
WITHOUT = """
import sys

class Broken:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"keras", "tensorflow", "jax", "jaxlib", "torch"}:
            raise RuntimeError("broken")

sys.meta_path.insert(0, Broken())
"""
ASK = """
import json
import numpy as np
import voicelstm
from voicelstm.datasets import make_voices

folder = sys.argv[1]
X, y = make_voices(6, random_state=0, return_X_y=True)
detector = voicelstm.load_pretrained()
found = list(voicelstm.detect(detector, X, timeline=True))
assert all(len(each.timeline) and np.isfinite(each.score) for each in found)
assert len(voicelstm.score_timeline(detector, X[:2])) == 2
voicelstm.evaluate(detector, X, y, n_resamples=10)
voicelstm.export_onnx(detector, folder + "/detector.onnx")
voicelstm.save(detector, folder + "/again.voicelstm")
found = voicelstm.load(folder + "/again.voicelstm").predict_proba(X)
np.testing.assert_array_equal(found, detector.predict_proba(X))

answers = {}
for name in ("convolutions", "dynamics"):
    classifier = voicelstm.LSTMVoiceClassifier.load(f"{folder}/{name}.voicelstm")
    clips = list(np.load(folder + "/clips.npy"))
    classifier.predict(clips), classifier.predict_proba(clips), classifier.predict_segments(clips)
    answers[name] = classifier.decision_function(clips).tolist()
    try:
        classifier.set_params(inference="keras").predict(clips)
    except RuntimeError as error:
        assert str(error) == "broken"
    else:
        raise AssertionError("Keras is not broken")
assert not {"keras", "tensorflow", "jax", "torch"} & set(sys.modules)
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A folder of two classifiers in files, and the scores that Keras gives to the clips there."""
    folder = tmp_path_factory.mktemp("without")
    clips = np.random.default_rng(0).normal(size=(6, 30, 6)).astype("float32")
    np.save(folder / "clips.npy", clips)
    expected = {}
    for name, settings in [
        ("convolutions", {"convolutions": [(2, 3, 2)], "bidirectional": True, "pooling": "stats"}),
        ("dynamics", {"units": (6, 5), "segment_frames": 12}),
    ]:
        classifier = LSTMVoiceClassifier(max_steps=1, random_state=0, **{"units": (4,)} | settings)
        classifier.fit(list(clips), [0, 1] * 3).save(folder / f"{name}.voicelstm")
        expected[name] = classifier.set_params(inference="keras").decision_function(list(clips))
    return folder, expected


def test_what_was_fitted_answers_without_a_training_framework(fitted):
    folder, expected = fitted
    command = [sys.executable, "-c", WITHOUT + ASK, str(folder)]
    process = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"KERAS_BACKEND": "none"}
    )
    assert process.returncode == 0, process.stderr
    answers = json.loads(process.stdout.splitlines()[-1])
    for name, scores in expected.items():
        np.testing.assert_allclose(answers[name], scores, rtol=0, atol=1e-5)
