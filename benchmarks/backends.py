"""A classifier pickled under each Keras backend, and asked under all others: how far probabilities differ."""

import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

MODULES = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}
_FIT = """
import pickle, sys
import numpy as np
from voicelstm import LSTMVoiceClassifier
generator = np.random.default_rng(0)
X = [generator.normal(i % 2, size=(40 + i, 6)).astype(np.float32) for i in range(24)]
classifier = LSTMVoiceClassifier(units=(8, 8), max_epochs=3, random_state=0).fit(X, [0, 1] * 12)
pickle.dump((classifier, X, classifier.predict_proba(X)), open(sys.argv[1], "wb"))
"""
_ASK = """
import pickle, sys
import numpy as np
classifier, X, expected = pickle.load(open(sys.argv[1], "rb"))
print(np.abs(classifier.predict_proba(X) - expected).max())
"""


def under(backend, code, *arguments):
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def installed(module):
    return (
        subprocess.run(
            [sys.executable, "-c", f"import {module}"], capture_output=True, check=False
        ).returncode
        == 0
    )


def main():
    here = [backend for backend, module in MODULES.items() if installed(module)]
    print("not installed:", ", ".join(sorted(set(MODULES) - set(here))) or "none")
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for backend in here:
            under(backend, _FIT, Path(folder, backend))
        for made, asked in itertools.permutations(here, 2):
            difference = float(under(asked, _ASK, Path(folder, made)))
            worst = np.maximum(worst, difference)
            print(f"fitted under {made}, asked under {asked}: probabilities differ by {difference:.1e}")
    sys.exit(not worst <= 1e-5)


if __name__ == "__main__":
    main()
