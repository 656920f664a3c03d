"""
Systems that training has not heard
===================================

A detector meets a new synthesis system every month. Leave one out at a time, and see what it does then.
"""

# %%
# :func:`~voicelstm.datasets.make_voices` has six "systems", each of which lacks three of six traits of a
# human voice. The same detector is asked twice about recordings of each: once when training had recordings
# of that system, by other speakers, and once when it had none. It is the one that trains in seconds, since
# it is trained eleven times.

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from voicelstm import make_detector
from voicelstm.datasets import UnseenSystems, make_voices
from voicelstm.metrics import equal_error_rate

voices = make_voices(360, random_state=0)
y, speaker, system = voices.target, voices.groups["speaker"], voices.groups["system"]
detector = make_detector("dynamics", random_state=0)
X = detector["features"].transform(voices.recordings)
network = detector[1:]  # what learns: the same features serve every fold


def log_odds(train, test):
    """Scores of the clips in `test`, of a network that has heard those in `train`."""
    fitted = network.fit([X[i] for i in train], y[train])
    return fitted.decision_function([X[i] for i in test])


# %%
# Known systems: folds by speaker. Each system is then judged by its own recordings against all human ones.

scores = np.empty(len(y))
for train, test in StratifiedGroupKFold(5).split(X, y, speaker):
    scores[test] = log_odds(train, test)
names = sorted(set(system) - {"human"})
known = {}
for name in names:
    clips = np.isin(system, ["human", name])
    known[name] = equal_error_rate(y[clips], scores[clips], pos_label="synthetic")

# %%
# Unknown systems: :class:`~voicelstm.datasets.UnseenSystems` leaves out one system and, with
# ``unseen_speakers=True``, every voice that the test hears.

unknown = {}
splitter = UnseenSystems(unseen_speakers=True)
for train, test in splitter.split(X, y, np.column_stack([speaker, system])):
    (name,) = set(system[test]) - {"human"}
    unknown[name] = equal_error_rate(y[test], log_odds(train, test), pos_label="synthetic")

for name in names:
    print(f"{name}: known {known[name]:.0%}, unknown {unknown[name]:.0%}")

# %%
# The picture
# -----------

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
rows = np.arange(len(names))
for row, name in zip(rows, names, strict=True):
    ax.plot([100 * known[name], 100 * unknown[name]], [row, row], color="#999999", zorder=1)
ax.plot([100 * known[name] for name in names], rows, "o", color="#0072B2", label="training had heard it")
ax.plot([100 * unknown[name] for name in names], rows, "s", color="#D55E00", label="training had not")
ax.axvline(50, color="black", linestyle=":", label="a coin")
ax.set_yticks(rows, names)
ax.set(xlabel="equal error rate in %", xlim=(0, 60))
ax.legend(loc="center right")
plt.show()

# %%
# One system of six is hard to guess when training lacks it, and the mean over all hides that: report each,
# and look at the worst. The others lack what systems in training lack as well, and are no harder than
# before. With 30 recordings of a system, differences of a few points mean nothing. Real systems do not
# share their faults so kindly: :ref:`how_good` has families of them that training had not heard.
