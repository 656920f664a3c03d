"""
Which part of a recording is synthetic?
=======================================

A recording may be human for the most part, with a few words put in. One score for all of it hides that;
scores over time show it.
"""

# %%
# A detector is trained on half of the speakers of a simulated corpus. Voices out of a formula, one after the
# other, are no speech to the voice activity detector that :func:`~voicelstm.make_detector` asks; so of these
# recordings, only the silence at both ends is cut. The fast detector is enough for such voices.

import numpy as np

from voicelstm import detect, make_detector, score_timeline
from voicelstm.datasets import make_voices

voices = make_voices(240, random_state=0)
y, speaker = voices.target, voices.groups["speaker"]
is_heard = np.isin(speaker, np.unique(speaker)[::2])
detector = make_detector("dynamics", random_state=0, features__speech_only=False, features__trim_silence=40.0)
detector.fit([voices.recordings[i] for i in np.flatnonzero(is_heard)], y[is_heard])

# %%
# Of other speakers, a recording is put together: human, then synthetic, then human again, some 5 s each.

from voicelstm.audio import set_level

RATE, SECONDS = 16000, 5


def stretch(label, first):
    """Join recordings of a class, brought to one level, until there are enough."""
    positions = np.flatnonzero((y == label) & ~is_heard)[first:]
    pieces = [set_level(voices.recordings[i][0], -26.0) for i in positions[:12]]
    return np.concatenate(pieces)[: SECONDS * RATE]


spliced = np.concatenate([stretch("human", 0), stretch("synthetic", 0), stretch("human", 12)])

# %%
# As a whole, it is one score, here below zero, and so "human", which is two thirds of the truth.
# :func:`~voicelstm.score_timeline` gives a score for every segment. Segments are six windows long by
# default; two give a score every second, each of which is less certain. That is set after training, and
# changes nothing that was learnt.

print(f"the whole: {next(detect(detector, [spliced])).score:+.2f}")
detector.set_params(classifier__segment_frames=2)
timeline = score_timeline(detector, [spliced])[0]
print(timeline[:3])

# %%
# The picture
# -----------
# A score is the log-odds of synthetic: above zero a segment speaks for synthetic speech.

from voicelstm.display import ScoreTimelineDisplay

display = ScoreTimelineDisplay.from_timeline(timeline, recording=(spliced, RATE))
wave = display.wave_ax_
wave.set_ylim(top=1.6 * wave.get_ylim()[1])
for start, truth in ((0, "human"), (SECONDS, "synthetic"), (2 * SECONDS, "human")):
    wave.axvline(start, color="black", linewidth=0.8)
    wave.text(start, 0.98, f" {truth}", va="top", transform=wave.get_xaxis_transform())

# %%
# The part in the middle shows. Its edges are off by a second, since a window is a second and a half long
# and one that lies across an edge hears both. Do not read single segments: in any recording some go astray,
# and a threshold for segments would have to be tuned on segments.
