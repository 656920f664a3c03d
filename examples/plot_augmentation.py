"""
Training for telephones and kitchens
====================================

A detector that was trained on clean recordings has never met a telephone line. An
:class:`~voicelstm.Augmenter` changes what it is trained on, and nothing else.
"""

# %%
# One recording, four ways
# ------------------------
# Each picture shows the energies of a recording's filters over time. What a detector has learnt of the
# upper half of the spectrum is of no use after a telephone.

import matplotlib.pyplot as plt

from voicelstm import Augmenter, MFCCTransformer
from voicelstm.datasets import make_voices
from voicelstm.display import CepstraDisplay

voices = make_voices(240, random_state=0)
samples, rate = voices.recordings[0]


EFFECTS = (
    "reverberation_time",
    "noise_snr",
    "nonlinearity",
    "impulses",
    "highpass",
    "lowpass",
    "resample_rates",
    "codecs",
    "gain",
)


def always(**effects):
    """An augmenter that has these effects each time, and no others."""
    chosen = dict.fromkeys(EFFECTS) | effects
    return Augmenter(probability=1.0, effect_probability=1.0, random_state=5, **chosen)


telephone = always(highpass=(200.0, 300.0), codecs=("gsm",))
noise = always(noise_snr=(10.0, 20.0))
versions = {
    "as it was": samples,
    "in a room": always(reverberation_time=(0.5, 0.6))(samples, rate),
    "by telephone (GSM)": telephone(samples, rate),
    "in noise": noise(samples, rate),
}
figure, axes = plt.subplots(2, 2, figsize=(9, 6), layout="constrained")
for ax, (name, heard) in zip(axes.flat, versions.items(), strict=True):
    CepstraDisplay.from_recording((heard, rate), MFCCTransformer(), kind="filterbank", ax=ax)
    ax.set_title(name)

# %%
# Train with and without
# ----------------------
# `fit_transform` augments, and `transform` never does. Three versions of each recording to train on: as it
# is, and changed twice, by most of what an augmenter can do.

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from voicelstm import LSTMVoiceClassifier

train, test = next(StratifiedGroupKFold(3).split(voices.recordings, voices.target, voices.groups["speaker"]))
recordings, y = [voices.recordings[i] for i in train], voices.target[train]
front_end = {"trim_silence": 40.0, "level": -26.0}

plain = list(MFCCTransformer(**front_end).transform(recordings))
varied = list(plain)
for seed in (0, 1):
    augmenter = Augmenter(codecs=("mu-law", "gsm"), highpass=(100.0, 400.0), random_state=seed)
    varied += list(MFCCTransformer(augment=augmenter, **front_end).fit_transform(recordings))

settings = {"units": (32,), "max_epochs": 20, "random_state": 0}
classifiers = {
    "recordings as they are": LSTMVoiceClassifier(**settings).fit(plain, y),
    "and two changed copies": LSTMVoiceClassifier(**settings).fit(varied, np.tile(y, 3)),
}

# %%
# Test on new speakers, whose recordings all went the same way:

channels = {"clean": lambda samples, rate: samples, "telephone": telephone, "noise": noise}
accuracy = {name: [] for name in classifiers}
for channel in channels.values():
    heard = [(channel(*voices.recordings[i]), rate) for i in test]
    X_test = MFCCTransformer(**front_end).transform(heard)
    for name, classifier in classifiers.items():
        accuracy[name].append(classifier.score(X_test, voices.target[test]))

figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
places = np.arange(len(channels))
for shift, (name, scores) in enumerate(accuracy.items()):
    bars = ax.bar(
        places + 0.4 * shift - 0.2, scores, 0.38, label=name, hatch=("", "//")[shift], edgecolor="white"
    )
    ax.bar_label(bars, fmt="%.2f")
ax.axhline(0.5, color="black", linestyle=":")
ax.set_xticks(places, list(channels))
ax.set(ylabel="accuracy on new speakers", ylim=(0, 1.3))
ax.legend(loc="upper right", title="trained on")
plt.show()

# %%
# What was gained on other channels was paid for on clean recordings: the same network has more to learn. So
# augment by what your recordings will meet, not by all there is, and test on recordings that really went
# through it. :ref:`how_good` says what coded copies are worth on real recordings.
