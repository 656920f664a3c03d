import numpy as np
import pytest

from voicelstm import LSTMVoiceClassifier


@pytest.mark.every_backend
@pytest.mark.parametrize(
    ("labels", "changes"),
    [
        (["a", "b", "c", "a", "b", "c"], {"pooling": "attention"}),
        ([0, 1, 0, 1, 0, 1], {"bidirectional": True, "standardize": False, "class_weight": {0: 1.0, 1: 2.0}}),
        ([True, False] * 3, {"dtype": "float64", "pooling": "stats"}),
        (np.array(["x", "yy"] * 3, dtype=object), {"units": [3, np.int64(2)]}),
    ],
)
def test_every_kind_of_classifier_survives(labels, changes, tmp_path, request):
    if changes.get("dtype") == "float64":
        request.getfixturevalue("double_precision")
    X = np.random.default_rng(0).normal(size=(6, 9, 2))
    classifier = LSTMVoiceClassifier(**({"units": (3,), "max_epochs": 1} | changes)).fit(X, labels)
    classifier.save(tmp_path / "m")
    loaded = LSTMVoiceClassifier.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.decision_function(X), classifier.decision_function(X))
    assert loaded.predict(X).dtype == classifier.predict(X).dtype
    loaded.partial_fit(X, labels)
