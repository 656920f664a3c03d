"""
Your own Keras callback
=======================

What Keras can do while it trains, the classifier can do: here, watch the error rate on new speakers after
each epoch.
"""

# %%
# `callbacks` takes callables that *make* callbacks. Each fit makes its own, so that clones, folds and
# searches share no state. This one scores held-out clips after each epoch. The network reads segments that
# are padded to one length, with their true lengths, and returns log-odds.

import keras
import numpy as np

from voicelstm.metrics import equal_error_rate


class HeldOutError(keras.callbacks.Callback):
    """Equal error rate of clips that training does not see, after each epoch."""

    def __init__(self, clips, y):
        super().__init__()
        self.y = y
        self.lengths = np.array([len(clip) for clip in clips], dtype="int32")
        self.batch = np.zeros((len(clips), self.lengths.max(), clips[0].shape[1]), dtype="float32")
        for row, clip in enumerate(clips):
            self.batch[row, : len(clip)] = clip
        self.rates = []

    def on_epoch_end(self, epoch, logs=None):
        inputs = {"sequences": self.batch, "lengths": self.lengths}
        log_odds = self.model.predict_on_batch(inputs)[:, 0]
        self.rates.append(equal_error_rate(self.y, log_odds, pos_label="synthetic"))


# %%
# Features that have zero mean and unit deviation already need no standardising by the classifier, so that
# the callback can hand them to the network as they are.

from sklearn.model_selection import StratifiedGroupKFold

from voicelstm import LSTMVoiceClassifier, MFCCTransformer
from voicelstm.datasets import make_voices

voices = make_voices(240, random_state=0)
X, y = MFCCTransformer(normalize="zscore", deltas=1).transform(voices.recordings), voices.target
train, test = next(StratifiedGroupKFold(3).split(X, y, voices.groups["speaker"]))

watchers = []


def watch():
    """Make a callback for a fit, and keep it, to read it afterwards."""
    watchers.append(HeldOutError([X[i] for i in test], y[test]))
    return watchers[-1]


classifier = LSTMVoiceClassifier(
    units=(32,), max_epochs=40, standardize=False, callbacks=watch, random_state=0
)
classifier.fit([X[i] for i in train], y[train])
rates = np.array(watchers[-1].rates)

# %%
# On what it has heard the network gets better to the end. On new speakers, most is won in the first ten
# epochs.

import matplotlib.pyplot as plt

from voicelstm.display import TrainingCurveDisplay

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
TrainingCurveDisplay.from_estimator(classifier, ax=left)
right.plot(np.arange(1, len(rates) + 1), 100 * rates, color="#D55E00")
right.set(xlabel="epoch", ylabel="equal error rate of new speakers, %", ylim=(0, 60))
plt.show()
print(f"after 10 epochs {rates[9]:.0%}, after {len(rates)} {rates[-1]:.0%}")

# %%
# Two things to know. The lowest point of such a curve is not a result: whoever picks the epoch by these
# speakers needs others to report. And a callback is code, which a model file does not keep:
# ``set_params(callbacks=None)`` before :func:`~voicelstm.save`, or the file is written with a warning.
#
# For stopping early there is no need of a callback: ``early_stopping=True``.
