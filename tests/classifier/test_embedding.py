import numpy as np
import pytest

from voicelstm import LSTMVoiceClassifier
from voicelstm.classifier import embeddings, last_layer, with_last_layer

KINDS = {
    "mean": {},
    "stats, both ways": {"pooling": "stats", "bidirectional": True},
    "convolutions": {"convolutions": ((2, 3, 2),), "pooling": "stats"},
}


@pytest.fixture(scope="module")
def clips():
    random = np.random.default_rng(0)
    return [random.standard_normal((n, 6)).astype(np.float32) for n in (40, 33, 12, 5, 21, 30)]


@pytest.fixture(scope="module", params=KINDS)
def classifier(request, clips):
    settings = {"units": (5,), "segment_frames": 16, "max_steps": 3, "random_state": 0}
    return LSTMVoiceClassifier(**settings | KINDS[request.param]).fit(clips, list("ababab"))


def test_scores_are_the_last_layer_of_embeddings(classifier, clips):
    coefficients, intercept = last_layer(classifier)
    scores = embeddings(classifier, clips) @ coefficients + intercept
    np.testing.assert_allclose(scores, classifier.decision_function(clips), atol=1e-5)


def test_another_last_layer_leaves_the_embeddings_and_the_original(classifier, clips):
    before = classifier.decision_function(clips)
    coefficients, _ = last_layer(classifier)
    changed = with_last_layer(classifier, -2 * coefficients, 0.5)
    np.testing.assert_array_equal(embeddings(changed, clips), embeddings(classifier, clips))
    np.testing.assert_allclose(
        changed.decision_function(clips), embeddings(classifier, clips) @ (-2 * coefficients) + 0.5, atol=1e-5
    )
    np.testing.assert_array_equal(classifier.decision_function(clips), before)


def test_a_clip_without_frames_has_no_embedding(classifier, clips):
    found = embeddings(classifier, [clips[0], clips[0][:0]])
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
