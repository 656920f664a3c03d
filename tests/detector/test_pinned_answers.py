"""What a packaged detector answers does not change: not with a version, a backend or a machine."""

import pytest

from tests.detector.pinned_answers import N_OF_CORPUS, N_SIMULATED, of_corpus, pinned, scores, simulated
from voicelstm.detector import PRETRAINED

pytestmark = pytest.mark.every_backend
TOLERANCE = 1e-3


@pytest.mark.parametrize("name", PRETRAINED)
def test_simulated_voices_have_the_scores_that_they_had(name):
    expected = {key: score for key, score in pinned(name).items() if key.startswith("simulated")}
    assert len(expected) == N_SIMULATED
    assert scores(name, simulated()) == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("name", PRETRAINED)
def test_clips_of_the_corpus_have_the_scores_that_they_had(name, shared):
    expected = {key: score for key, score in pinned(name).items() if not key.startswith("simulated")}
    assert len(expected) == N_OF_CORPUS
    assert scores(name, of_corpus(shared / "corpus")) == pytest.approx(expected, abs=TOLERANCE)
