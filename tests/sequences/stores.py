"""Clips by formula, and folders of them, for the tests of what stores them."""

import numpy as np

from voicelstm import SequenceStore
from voicelstm.sequences import Clip
from voicelstm.sequences._store_writer import SequenceWriter

N_FEATURES = 3
DESCRIPTION = {"n_mfcc": 3, "scale": "mel", "window": ("kaiser", 4.0), "fmax": None}
LENGTHS = [4, 1, 0, 7, 4, 2]

# What subprocesses share with this file.
CLIPS = """
import numpy as np
from voicelstm.sequences import Clip

def clip_of(seed):
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(generator.integers(0, 40), 3)).astype("float32")
    return Clip(features, seed * 0.5, 0.025, 0.01, seed + 0.25)
"""
shared_code = {}
exec(CLIPS, shared_code)
clip_of = shared_code["clip_of"]


def clips_of(lengths, n_features=N_FEATURES):
    starts = np.cumsum([0, *lengths])
    return [
        Clip(
            np.arange(start * n_features, (start + length) * n_features, dtype="float32").reshape(
                -1, n_features
            ),
            offset=0.5 * i,
            frame_length=0.025,
            frame_step=0.01,
            duration=1.0 + i,
        )
        for i, (start, length) in enumerate(zip(starts, lengths, strict=False))
    ]


def writer_of(folder, description=DESCRIPTION, n_features=N_FEATURES, dtype="float32"):
    return SequenceWriter(folder, description, n_features, dtype)


def fill(folder, clips):
    digests = [str(i) for i in range(len(clips))]
    with writer_of(folder) as writer:
        writer.append(list(zip(digests, clips, strict=True)))
        writer.arrange(digests)
    return SequenceStore(folder)


def assert_same(found, expected):
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
