"""
A corpus larger than memory
===========================

Features go into a folder as they are computed, and training reads them from there, a batch at a time. What
is in memory does not grow with the corpus.
"""

# %%
# Fill a folder
# -------------
# With ``out=...``, :meth:`MFCCTransformer.transform <voicelstm.MFCCTransformer.transform>` returns a
# :class:`~voicelstm.SequenceStore`: to scikit-learn an array of sequences, each of which is read when it is
# asked for.

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from voicelstm import LSTMVoiceClassifier, MFCCTransformer, SequenceStore
from voicelstm.datasets import make_voices

voices = make_voices(300, random_state=0)
y, speaker = voices.target, voices.groups["speaker"]
folder = TemporaryDirectory()
features = Path(folder.name, "features")

start = perf_counter()
store = MFCCTransformer().transform(voices.recordings, out=features)
first = perf_counter() - start
size = sum(file.stat().st_size for file in features.rglob("*") if file.is_file())
print(f"{len(store)} sequences, {size / 2**20:.1f} MiB on disk; the first: {store[0].shape}")

# %%
# A second call computes nothing again. So a run that a power cut has ended goes on where it stopped: call
# it again.

start = perf_counter()
store = MFCCTransformer().transform(voices.recordings, out=features)
second = perf_counter() - start
print(f"first {first:.2f} s, again {second:.2f} s")

# %%
# Train from it
# -------------
# A part of a store is a store again, for which nothing is read: what splitters, searches and
# cross-validation need.

from sklearn.model_selection import StratifiedGroupKFold

train, test = next(StratifiedGroupKFold(3).split(store, y, speaker))
classifier = LSTMVoiceClassifier(units=(32,), max_epochs=5, random_state=0)
classifier.fit(store[train], y[train])
print(type(store[train]).__name__, f"accuracy on new speakers {classifier.score(store[test], y[test]):.2f}")

# %%
# What is in memory
# -----------------
# The corpus ten times over, as a list of sequences and as a store: what NumPy and Python hold of each.

import tracemalloc

import matplotlib.pyplot as plt

times = np.arange(1, 11)
held = {"list of arrays": [], "SequenceStore": []}
for n in times:
    rows = np.tile(np.arange(len(store)), n)
    for name, load in (
        ("list of arrays", lambda rows=rows: [np.array(store[int(i)]) for i in rows]),
        ("SequenceStore", lambda rows=rows: SequenceStore(features)[rows]),
    ):
        tracemalloc.start()
        kept = load()
        held[name].append(tracemalloc.get_traced_memory()[0] / 2**20)
        tracemalloc.stop()
        del kept

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for (name, values), style in zip(held.items(), ("s--", "o-"), strict=True):
    ax.plot(times * len(store), values, style, label=name)
ax.set(xlabel="recordings of about a second", ylabel="MiB in memory", ylim=(0, None))
ax.legend()
plt.show()
folder.cleanup()

# %%
# Inside a Pipeline or a search, where there is no place for `out`, the transformer's `cache_dir` does the
# same. See :ref:`stores`; :doc:`/performance` has 10 GB. Where time is short, not memory: :ref:`clusters`.
