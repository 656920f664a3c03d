"""
A detector of MP3
=================

Human speech from the web often was MP3 once. Synthetic speech comes straight from its program. What learns
from such recordings may learn to hear MP3 instead of voices, and each test on such recordings calls it
excellent. It happened to this library (:ref:`how_good`).
"""

# %%
# Two classes with two pasts
# --------------------------
# The voices are simulated. Human ones went through MP3 once, and are samples like the others again: no file
# name and no format shows it.

from voicelstm import Augmenter
from voicelstm.datasets import make_voices

voices = make_voices(160, min_duration=1.0, max_duration=2.0, random_state=0)
y, speaker = voices.target, voices.groups["speaker"]
mp3, strong_mp3 = Augmenter.channels(random_state=1)[:2]

corpus = [
    (mp3(samples, rate), rate) if label == "human" else (samples, rate)
    for (samples, rate), label in zip(voices.recordings, y, strict=True)
]

# %%
# An excellent detector
# ---------------------
# An LSTM hears the energies of 80 filters up to 8 kHz. It is tested on speakers that it has not heard, as
# every guide asks for.

from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from voicelstm import LSTMVoiceClassifier, MFCCTransformer

train, test = next(StratifiedGroupKFold(3).split(corpus, y, groups=speaker))


def trained(augment=None):
    """A detector that knows the training speakers, with or without coded copies."""
    energies = MFCCTransformer(
        n_mfcc=None,
        n_filters=80,
        scale="linear",
        deltas=0,
        normalize="mean",
        trim_silence=40.0,
        level=-26.0,
        augment=augment,
    )
    network = LSTMVoiceClassifier(units=(32,), max_epochs=16, random_state=0)
    return make_pipeline(energies, network).fit([corpus[i] for i in train], y[train])


detector = trained()
accuracy = detector.score([corpus[i] for i in test], y[test])
print(f"accuracy on new speakers: {accuracy:.0%}")

# %%
# The same clips, through MP3
# ---------------------------
# A voice that goes through MP3 is the same voice. So the clips of the test all go through MP3, those of both
# classes; and, since we can here, they are also heard as they were before any MP3.

tests = {
    "as they are": corpus,
    "all through MP3": [(strong_mp3(samples, rate), rate) for samples, rate in corpus],
    "none ever MP3": voices.recordings,
}


def scores(detector):
    """Log-odds of synthetic, of the test's clips, in each of the three ways."""
    return {
        name: detector.decision_function([recordings[i] for i in test]) for name, recordings in tests.items()
    }


human = y[test] == "human"


def print_errors(of_tests):
    for name, score in of_tests.items():
        wrong = (score >= 0) == human
        print(
            f"{name}: {1 - wrong.mean():.0%} right;"
            f" wrong: {wrong[human].mean():.0%} of human, {wrong[~human].mean():.0%} of synthetic clips"
        )


fooled = scores(detector)
print_errors(fooled)

# %%
# It has learnt MP3, not voices. After MP3 all are human to it, and without MP3 most are synthetic.
#
# What would have said so before
# ------------------------------
# :func:`~voicelstm.audit` looks for what a codec leaves: among other numbers, holes in the spectrum.

import warnings

from voicelstm import audit
from voicelstm.exceptions import AuditWarning

with warnings.catch_warnings():
    warnings.simplefilter("ignore", AuditWarning)  # it says what the report says
    report = audit(corpus, y, voices.groups, random_state=0)
print(*report.findings, sep="\n")

# %%
# What mends it
# -------------
# The best is a corpus whose classes have the same past. The next best is to make the past useless: train on
# copies of all clips of both classes that went through codecs. :meth:`Augmenter.channels
# <voicelstm.Augmenter.channels>` makes six of each, and those of a test stay as they are.

mended = scores(trained(Augmenter.channels()))
print_errors(mended)

# %%
# The picture
# -----------
# Each mark is a clip of the test; at the dotted line the verdict changes.

import matplotlib.pyplot as plt
import numpy as np

figure, axes = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained", sharey=True)
titles = ("trained on clips as they are", "trained on coded copies as well")
spread = np.random.default_rng(0).uniform(-0.1, 0.1, len(test))
for ax, title, of_tests in zip(axes, titles, (fooled, mended), strict=True):
    for row, score in enumerate(of_tests.values()):
        ax.plot(score[human], row - 0.15 + spread[human], "o", color="#0072B2", alpha=0.6)
        ax.plot(score[~human], row + 0.15 + spread[~human], "^", color="#D55E00", alpha=0.6)
        right = np.mean((score < 0) == human)
        of_row = {"ha": "center", "va": "center", "backgroundcolor": "white"}
        ax.text(0, row - 0.41, f"{right:.0%} right", **of_row)
    ax.axvline(0, color="black", linestyle=":", zorder=0)
    ax.set(xlabel="human  ←  log-odds of synthetic  →  synthetic", title=title)
axes[0].set_yticks(range(len(tests)), list(tests))
axes[0].set_ylim(len(tests) - 0.6, -0.6)
names = ("human clip", "synthetic clip")
figure.legend(axes[0].lines[:2], names, loc="outside lower center", ncols=2)
plt.show()

# %%
# Copies do not repair all of it: training still has no human clip that never was MP3, and more of those are
# called synthetic. And a lower accuracy that survives MP3 is worth more than a perfect one that does not.
# Before you believe a high figure, send all clips of your test through the same codec.
# :ref:`coding_past` says how to ask a corpus, and :ref:`how_good` has the lesson on real speech.
