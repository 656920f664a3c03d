"""
First steps
===========

Train a detector, ask it about recordings of speakers that it has never heard, and keep it in a file.
"""

# %%
# Recordings
# ----------
# :func:`~voicelstm.datasets.make_voices` simulates recordings of "human" and "synthetic" speakers, so that
# you need no data. With recordings of your own, put :func:`~voicelstm.datasets.load_csv` or
# :func:`~voicelstm.datasets.load_folder` in its place: they return the same things.

from voicelstm.datasets import make_voices

voices = make_voices(120, random_state=0)
X, y, speaker = voices.recordings, voices.target, voices.groups["speaker"]
samples, sample_rate = X[0]
print(len(X), "recordings; the first:", y[0], "by", speaker[0], f"{len(samples) / sample_rate:.1f} s")

# %%
# It sounds like this:

from IPython.display import Audio

Audio(samples, rate=sample_rate)

# %%
# And this is what a detector is given of a human and of a synthetic recording: cepstra, the shape of the
# spectrum every 10 ms. Which is which is hard to tell by looking: hence a network.
# :func:`~voicelstm.make_detector` has two; "dynamics" trains in seconds, and is enough for simulated voices.

import matplotlib.pyplot as plt

from voicelstm import make_detector
from voicelstm.display import CepstraDisplay, TrainingCurveDisplay

detector = make_detector("dynamics", random_state=0)
figure, axes = plt.subplots(2, figsize=(7, 5), layout="constrained")
for ax, clip in zip(axes, (0, 1), strict=True):
    CepstraDisplay.from_recording(X[clip], detector["features"], ax=ax)
    ax.set_title(f"{y[clip]}, {speaker[clip]}")

# %%
# Train, and ask about new speakers
# ---------------------------------
# A third of the speakers is kept apart. A detector that has heard a speaker may recognise the speaker
# instead of the synthesis, and would look better than it is.

from sklearn.model_selection import StratifiedGroupKFold

train, test = next(StratifiedGroupKFold(3).split(X, y, groups=speaker))
detector.fit([X[i] for i in train], y[train])
X_test, y_test = [X[i] for i in test], y[test]
print(f"{detector.score(X_test, y_test):.0%} of {len(test)} recordings of new speakers are told right")

# %%
# Half of them a coin would tell right as well. For each recording there is a probability of each class:

for probability, truth in zip(detector.predict_proba(X_test)[:4], y_test, strict=False):
    print(
        ", ".join(f"P({c}) = {p:.2f}" for c, p in zip(detector.classes_, probability, strict=True)),
        "- it is",
        truth,
    )

# %%
# How it learnt: after a few passes over its recordings, it makes no error on them. That says nothing, which
# is why speakers were kept apart; and it is why training is short: a detector that knows its corpus by
# heart does worse on the next one.

curve = TrainingCurveDisplay.from_estimator(detector)

# %%
# Keep it
# -------
# A detector is one file, from which no code runs when it is loaded.

from pathlib import Path
from tempfile import TemporaryDirectory

from voicelstm import load, save

with TemporaryDirectory() as folder:
    path = Path(folder, "detector.voicelstm")
    save(detector, path)
    print(f"{path.stat().st_size / 1024:.0f} KiB")
    again = load(path)
print(again.predict(X_test[:3]).tolist())

# %%
# Where to go on: :ref:`sphx_glr_auto_examples_plot_audit.py`, before you believe a number of your own
# corpus, and :ref:`sphx_glr_auto_examples_plot_threshold.py`, before you act on a decision.
