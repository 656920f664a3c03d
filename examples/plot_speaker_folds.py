"""
Cross-validation by speaker
===========================

A random split puts recordings of the same speaker on both sides. Here is what that is worth, on a corpus
from which nothing can be learnt.
"""

# %%
# In many corpora each speaker is of one class: the human ones read audio books, the synthetic ones are a
# dozen voices of a vendor. So let a coin decide for each speaker of a simulated corpus which class she is.
# All recordings are in fact human. **There is nothing to learn but who speaks**, and any honest score is
# that of a coin.

import numpy as np

from voicelstm.datasets import make_voices

voices = make_voices(288, n_speakers=12, min_duration=2.0, max_duration=3.0, random_state=0)
human = np.flatnonzero(voices.target == "human")
recordings = [voices.recordings[i] for i in human]
speaker = voices.groups["speaker"][human]

names = np.unique(speaker)
coin = dict(zip(names, np.random.default_rng(0).permutation(len(names)) % 2, strict=True))
labels = np.array([("human", "synthetic")[coin[name]] for name in speaker])
for label in ("human", "synthetic"):
    print(
        f"{label:9} {sum(labels == label)} recordings of",
        len(np.unique(speaker[labels == label])),
        "speakers",
    )

# %%
# Two ways to cross-validate: random folds, and folds that keep each speaker on one side.

from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_score

from voicelstm import LSTMVoiceClassifier, MFCCTransformer

X = MFCCTransformer(deltas=0).transform(recordings)
classifier = LSTMVoiceClassifier(
    units=(32,), segment_frames=100, max_epochs=25, learning_rate=5e-3, random_state=0
)
random = StratifiedKFold(4, shuffle=True, random_state=0)
by_speaker = StratifiedGroupKFold(4, shuffle=True, random_state=0)
scores = {
    "random folds": cross_val_score(classifier, X, labels, cv=random, scoring="balanced_accuracy"),
    "folds by speaker": cross_val_score(
        classifier, X, labels, groups=speaker, cv=by_speaker, scoring="balanced_accuracy"
    ),
}
for name, values in scores.items():
    print(f"{name:17} {values.mean():.2f}, folds {values.round(2).tolist()}")

# %%
# With random folds the network "tells synthetic from human" in a corpus that has no synthetic recording: it
# knows the speakers. By speaker it does worse than a coin, even. That is no fault: the coin gave half of
# the speakers to each class, and those who are held out of a class are the ones whom the rest of it
# resembles least.

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
for row, values in enumerate(scores.values()):
    ax.plot(values, np.full(len(values), row), "o", color="#0072B2", alpha=0.6)
    ax.plot(values.mean(), row, "|", color="black", markersize=28, markeredgewidth=3)
ax.axvline(0.5, color="black", linestyle=":")
ax.text(0.5, 1.35, " all that can be known", va="center")
ax.set_yticks(range(len(scores)), list(scores))
ax.set(xlabel="balanced accuracy of each fold, and their mean", xlim=(0, 1.02), ylim=(-0.5, 1.6))
plt.show()

# %%
# So give `groups` to every cross-validation and every search. Where systems are known too,
# :class:`~voicelstm.datasets.UnseenSystems` also holds these out:
# :ref:`sphx_glr_auto_examples_plot_unseen_systems.py`.
