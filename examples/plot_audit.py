"""
A corpus that gives its labels away
===================================

In many collections the synthetic recordings are louder, shorter, or cut closer than the human ones. A
detector learns that, scores well, and is worthless on the next corpus. :func:`~voicelstm.audit` looks for
it before you train.
"""

# %%
# Build a leak
# ------------
# The voices are simulated, and nothing but the voice tells the classes apart. Then someone exports the
# synthetic ones with another program, which makes them louder and cuts the silence before and after them.

import warnings

import numpy as np

from voicelstm import audit
from voicelstm.audio import active_region, set_level
from voicelstm.datasets import make_voices

voices = make_voices(120, random_state=0)
y, speaker = voices.target, voices.groups["speaker"]


def export(samples, sample_rate):
    """Cut the silence off, and make what is left louder."""
    start, stop = active_region(samples, 30.0)
    return set_level(samples[start:stop], -20.0), sample_rate


leaky = [
    export(*recording) if label == "synthetic" else recording
    for recording, label in zip(voices.recordings, y, strict=True)
]

# %%
# Ask
# ---
# Each number is taken for a detector of its own. An AUC of 0.5 is that of a coin; of 0 or 1, that of a
# number that gives every label away.

from voicelstm.exceptions import AuditWarning

with warnings.catch_warnings():
    warnings.simplefilter("ignore", AuditWarning)  # it says what the report says
    report = audit(leaky, y, voices.groups, random_state=0)
print(report)

# %%
# Is it a shortcut that a network takes?
# --------------------------------------
# Train on the leaky corpus; test on recordings of new speakers, once leaky as well, once as they were.

from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from voicelstm import LSTMVoiceClassifier, MFCCTransformer

train, test = next(StratifiedGroupKFold(3).split(leaky, y, groups=speaker))


def two_scores(transformer):
    """Accuracy on new speakers, of the leaky corpus and without the leak."""
    network = LSTMVoiceClassifier(units=(16,), max_epochs=15, random_state=0)
    detector = make_pipeline(transformer, network).fit([leaky[i] for i in train], y[train])
    return [detector.score([corpus[i] for i in test], y[test]) for corpus in (leaky, voices.recordings)]


as_it_is = two_scores(MFCCTransformer())
closed = two_scores(MFCCTransformer(trim_silence=30.0, level=-26.0))
print("accuracy, leaky and without the leak")
print("transformer as it is:      ", np.round(as_it_is, 2).tolist())
print("with trimming and levelling:", np.round(closed, 2).tolist())

# %%
# The picture: at the left what gives labels away, at the right what the network made of it.

import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained", width_ratios=(3, 2))
for row, variable in enumerate(reversed(report.variables)):
    color = "#D55E00" if variable.is_shortcut else "#555555"
    left.plot([variable.low, variable.high], [row, row], color=color, linewidth=3)
    left.plot(variable.auc, row, "o" if variable.is_shortcut else "s", color=color)
left.set_yticks(range(len(report.variables)), [variable.name for variable in reversed(report.variables)])
left.axvline(0.5, color="black", linestyle=":")
left.set(xlabel="AUC of one number, with 95 % interval", xlim=(-0.02, 1.02), title="what the audit finds")

places = np.arange(2)
for shift, (name, scores, hatch) in enumerate(
    [("as it is", as_it_is, ""), ("trimmed and levelled", closed, "//")]
):
    right.bar(places + 0.4 * shift - 0.2, scores, 0.38, label=name, hatch=hatch, edgecolor="white")
right.set_xticks(places, ["leaky", "without the leak"])
right.axhline(0.5, color="black", linestyle=":")
right.set(ylabel="accuracy on new speakers", ylim=(0, 1.25), title="what a network makes of it")
right.legend(loc="upper right")
plt.show()

# %%
# The nearly perfect score is the one to distrust. :func:`~voicelstm.make_detector` trims and levels by
# default; it cannot repair a corpus whose classes differ in codec, bandwidth or source (:ref:`shortcuts`,
# :ref:`coding_past`).
