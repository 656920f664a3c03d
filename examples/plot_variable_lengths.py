"""
Recordings of any length
========================

Nothing has to be cut or padded. But a longer recording is easier to judge, and this page measures by how
much.
"""

# %%
# Three recordings of 1, 2 and 4 seconds become three sequences of different lengths, in one object array.
# There is no padding in it. scikit-learn's splitters, and the classifier, take it as it is.

from voicelstm import MFCCTransformer
from voicelstm.datasets import make_voices

lengths = [1.0, 2.0, 4.0]
clips = [make_voices(2, min_duration=s, max_duration=s, random_state=0).recordings[0] for s in lengths]
sequences = MFCCTransformer().transform(clips)
print(sequences.shape, [sequence.shape for sequence in sequences])

# %%
# A classifier cuts each sequence into segments of at most 300 frames, 3 s, which tile it; the last is
# aligned to the end. The score of a recording is the mean of its segments' scores.

from voicelstm import LSTMVoiceClassifier

voices = make_voices(160, min_duration=0.3, max_duration=2.0, random_state=1)
X = MFCCTransformer().transform(voices.recordings)
classifier = LSTMVoiceClassifier(units=(32,), max_epochs=25, random_state=0).fit(X, voices.target)
for sequence, segments in zip(sequences, classifier.predict_segments(sequences), strict=True):
    spans = list(zip(segments["start_frame"].tolist(), segments["stop_frame"].tolist(), strict=True))
    print(f"{len(sequence)} frames: segments {spans}")

# %%
# How long is long enough?
# ------------------------
# Recordings of 4 s by other speakers, of which the classifier hears only the first part. The band is the
# interval in which 95 % of repetitions with as many recordings would lie, if recordings were all that
# differs.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import balanced_accuracy_score

others = make_voices(120, min_duration=4.0, max_duration=4.0, random_state=2)
durations = [0.25, 0.5, 1.0, 2.0, 4.0]
accuracy = []
for duration in durations:
    heard = [(samples[: int(duration * rate)], rate) for samples, rate in others.recordings]
    told = classifier.predict(MFCCTransformer().transform(heard))
    accuracy.append(balanced_accuracy_score(others.target, told))
accuracy = np.array(accuracy)
error = 1.96 * np.sqrt(accuracy * (1 - accuracy) / len(others.target))

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.fill_between(durations, accuracy - error, np.minimum(accuracy + error, 1), alpha=0.25)
ax.plot(durations, accuracy, "o-")
ax.axhline(0.5, color="black", linestyle=":", label="a coin")
ax.set(xscale="log", xlabel="seconds that are heard", ylabel="balanced accuracy", ylim=(0.4, 1))
ax.set_xticks(durations, [f"{duration:g}" for duration in durations])
ax.minorticks_off()
ax.legend()
plt.show()

# %%
# The first fifth of a second is mostly the silence before the voice. So test a detector on recordings as
# long as those that it will hear, or its error rate is somebody else's.
