"""
Choosing a threshold
====================

A detector calls a recording synthetic from log-odds of 0 upwards. Whoever must not turn away human callers,
or must not let synthetic ones in, wants another threshold, and can have it without training again.
"""

# %%
# Three parts
# -----------
# One to train on, one to choose the threshold on, one to report. They share no speaker: a detector is surer
# of what it was trained on, and a threshold that was chosen there is wrong elsewhere. The detector is the one
# that trains in seconds; nothing below depends on which.

import numpy as np

from voicelstm import calibrate, make_detector, tune_threshold
from voicelstm.datasets import make_voices

voices = make_voices(480, n_speakers=40, random_state=0)
names = np.unique(voices.groups["speaker"])


def part(which):
    """Recordings and labels of a third of the speakers."""
    chosen = np.flatnonzero(np.isin(voices.groups["speaker"], names[which::3]))
    return [voices.recordings[i] for i in chosen], voices.target[chosen]


(X_train, y_train), (X_held_out, y_held_out), (X_test, y_test) = part(0), part(1), part(2)
detector = make_detector("dynamics", random_state=0).fit(X_train, y_train)

# %%
# At most one human caller in twenty
# ----------------------------------
# :func:`~voicelstm.tune_threshold` returns the detector with another threshold. Here: as few synthetic
# recordings as possible are taken for human, while at most 5 % of the human ones are turned away.

tuned = tune_threshold(detector, X_held_out, y_held_out, metric="false_alarm", max_miss=0.05)
print(f"threshold {tuned.score_threshold_:.2f}, in log-odds of synthetic")
for name, model in {"threshold 0": detector, "tuned": tuned}.items():
    called = model.predict(X_test)
    missed = np.mean(called[y_test == "human"] == "synthetic")
    accepted = np.mean(called[y_test == "synthetic"] == "human")
    print(f"{name:12} human turned away {missed:.1%}, synthetic let in {accepted:.1%}")

# %%
# What that costs shows where the two hills overlap. The bound was kept on the held-out part; on the test
# part it holds as nearly as some 80 human recordings can tell.

import matplotlib.pyplot as plt

from voicelstm.display import DetectionErrorDisplay, ReliabilityDisplay, ScoreDistributionDisplay

display = ScoreDistributionDisplay.from_estimator(tuned, X_test, y_test)

# %%
# All thresholds at once
# ----------------------
# The curve is the same detector at every threshold: choosing one moves along it. Only a better detector
# moves it to the lower left.

display = DetectionErrorDisplay.from_estimator(detector, X_test, y_test, name="detector")

# %%
# Probabilities that mean what they say
# -------------------------------------
# :func:`~voicelstm.calibrate` bends the scores so that of the recordings called synthetic with 80 %, 80 %
# are. Cllr measures it, and is less where probabilities fit better; 1 is what knowing nothing costs.

from voicelstm.metrics import cllr_scorer

calibrated = calibrate(detector, X_held_out, y_held_out)
figure, axes = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained")
for ax, (name, model) in zip(axes, {"as trained": detector, "calibrated": calibrated}.items(), strict=True):
    print(f"Cllr {name}: {-cllr_scorer(model, X_test, y_test):.2f}")
    ReliabilityDisplay.from_estimator(model, X_test, y_test, n_bins=5, name=name, ax=ax)

# %%
# :ref:`thresholds` has more: costs, cross-validated thresholds, and what the file of a tuned detector
# keeps.
