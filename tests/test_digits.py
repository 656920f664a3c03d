import numpy as np
import pytest

from digits import accuracy_on_unseen_speakers


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_unseen_speakers_are_told_apart(corpus_dir):
    scores = [accuracy_on_unseen_speakers(corpus_dir / "manifest.csv", seed) for seed in range(3)]
    assert np.mean(scores) >= 0.78
