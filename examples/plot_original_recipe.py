"""
The original recipe
===================

The library grew out of a published recipe. It is kept as a choice of parameters, so that it can be run, and
compared.
"""

# %%
# Labels are 1 for human and 0 for synthetic. :meth:`MFCCTransformer.original
# <voicelstm.MFCCTransformer.original>` has the recipe's features: 13 coefficients, min-max per file. Its
# 5,000 frames and 600 iterations take a while, so that here are recordings of a second, and 100 iterations.
# Files of two channels it read as ``MFCCTransformer.original(channel="interleaved")`` does.

from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from voicelstm import LSTMVoiceClassifier, MFCCTransformer, make_detector
from voicelstm.datasets import make_voices

voices = make_voices(200, random_state=0)
y = (voices.target == "human").astype(int)
recipe = make_pipeline(
    MFCCTransformer.original(), LSTMVoiceClassifier.original(max_steps=100, random_state=0)
)
print("layers:", recipe[-1].units, "batches of", recipe[-1].batch_size, "in file order")

# %%
# The recipe reports accuracy on files that it was trained on. Here stands beside it the accuracy on new
# speakers, and that of the "dynamics" of :func:`~voicelstm.make_detector`, its default taking minutes.

train, test = next(StratifiedGroupKFold(3).split(y, y, voices.groups["speaker"]))


def take(positions):
    """Recordings and labels at some positions."""
    return [voices.recordings[i] for i in positions], y[positions]


scores = {}
fast = make_detector("dynamics", random_state=0)
for name, detector in {"original recipe": recipe, "make_detector": fast}.items():
    detector.fit(*take(train))
    scores[name] = detector.score(*take(train)), detector.score(*take(test))
    print(f"{name:16} training files {scores[name][0]:.2f}, new speakers {scores[name][1]:.2f}")

# %%
# How it learnt: squared error behind a sigmoid falls slowly, since its gradient vanishes where it is most
# wrong.

import matplotlib.pyplot as plt
import numpy as np

from voicelstm.display import TrainingCurveDisplay

display = TrainingCurveDisplay.from_estimator(recipe, name="original recipe")

# %%
# Training files against new speakers:

figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for row, (seen, unseen) in enumerate(scores.values()):
    ax.barh(row + 0.2, seen, 0.36, color="#BBBBBB", hatch="//", edgecolor="white")
    ax.barh(row - 0.2, unseen, 0.36, color="#0072B2", edgecolor="white")
    ax.text(
        0.02, row + 0.2, "training files", va="center", bbox={"facecolor": "white", "alpha": 0.8, "lw": 0}
    )
    ax.text(0.02, row - 0.2, "new speakers", va="center", color="white")
ax.axvline(0.5, color="black", linestyle=":")
ax.set_yticks(np.arange(len(scores)), list(scores))
ax.set(xlabel="accuracy", xlim=(0, 1))
plt.show()

# %%
# Of the two bars, the recipe published the upper. On real recordings it has learnt nothing that holds
# (:ref:`how_good`); :ref:`original_recipe` says what it is step by step, and
# ``examples/original_recipe.py`` runs all of it.
