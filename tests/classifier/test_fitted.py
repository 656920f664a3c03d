import pickle
from dataclasses import replace

import numpy as np
import pytest

from tests.classifier.fits import clips_of, small

pytestmark = pytest.mark.every_backend


def changed_copy(classifier, **changes):
    """Copy what is fitted, and change parameters of the copy."""
    return pickle.loads(pickle.dumps(classifier)).set_params(**changes)


def test_a_clip_scores_the_same_alone_and_among_others(binary):
    classifier, X, _ = binary
    together = classifier.decision_function(X)
    longer = [*X, np.zeros((900, 3))]
    np.testing.assert_allclose(classifier.decision_function(longer)[: len(X)], together, atol=1e-6)
    for position in (0, 5, 29):
        alone = classifier.decision_function([X[position]])
        np.testing.assert_allclose(alone, together[position : position + 1], atol=1e-6)


def test_a_clips_score_is_the_mean_of_its_segments_by_frames(binary):
    classifier, X, _ = binary
    classifier = changed_copy(classifier, segment_frames=20)
    for clip, segments, score in zip(
        X, classifier.predict_segments(X), classifier.decision_function(X), strict=True
    ):
        assert segments["stop_frame"][-1] == len(clip)
        added = np.diff(np.concatenate([[0], segments["stop_frame"]]))
        assert score == pytest.approx(np.average(segments["log_odds"], weights=added), abs=1e-6)
        first = classifier.decision_function([clip[:20]])
        assert segments["log_odds"][0] == pytest.approx(float(first[0]), abs=1e-5)


def test_a_clips_score_is_the_plain_mean_of_its_overlapping_segments(binary):
    classifier, X, _ = binary
    tiling = changed_copy(classifier, segment_frames=20)
    hopping = changed_copy(classifier, segment_frames=20, segment_hop=10)
    scores = hopping.decision_function(X)
    for clip, segments, score in zip(X, hopping.predict_segments(X), scores, strict=True):
        last = max(len(clip) - 20, 0)
        assert segments["start_frame"].tolist() == sorted({*range(0, last + 1, 10), last})
        assert score == pytest.approx(segments["log_odds"].mean(), abs=1e-6)
        alone = [tiling.decision_function([clip[start : start + 20]])[0] for start in segments["start_frame"]]
        np.testing.assert_allclose(segments["log_odds"], alone, rtol=0, atol=1e-6)
    assert np.abs(scores - tiling.decision_function(X)).max() > 1e-3
    together = hopping.decision_function([*X, np.zeros((900, 3))])
    np.testing.assert_allclose(together[:-1], scores, rtol=0, atol=1e-6)
    whole = [np.resize(clip, (60, 3)) for clip in X]
    adjoining = changed_copy(tiling, segment_hop=20)
    np.testing.assert_allclose(
        adjoining.decision_function(whole), tiling.decision_function(whole), rtol=0, atol=1e-6
    )


def test_overlapping_segments_of_clips_that_are_repeated(binary):
    classifier, X, _ = binary
    hopping = changed_copy(classifier, segment_frames=20, segment_hop=8, repeat_short_clips=True)
    short, long = np.resize(X[0], (7, 3)), np.resize(X[1], (30, 3))
    expected = changed_copy(classifier).decision_function(
        [np.resize(short, (20, 3)), long[:20], long[8:28], long[10:]]
    )
    np.testing.assert_allclose(
        hopping.decision_function([short, long]), [expected[0], expected[1:].mean()], rtol=0, atol=1e-6
    )


def test_a_hop_changes_no_training_and_is_checked_before_it():
    X, y = clips_of(12)
    settings = {"segment_frames": 12, "max_epochs": 2, "early_stopping": True, "validation_fraction": 0.25}
    plain, hopping = small(**settings).fit(X, y), small(segment_hop=5, **settings).fit(X, y)
    assert hopping.history_ == plain.history_
    np.testing.assert_array_equal(
        changed_copy(plain, segment_hop=5).decision_function(X), hopping.decision_function(X)
    )
    for changes, words in [
        ({"segment_hop": 13}, "from 1 to segment_frames=12"),
        ({"segment_hop": 5, "segment_frames": None}, "with segment_frames=None a clip is one segment"),
        ({"segment_hop": 0}, "'segment_hop' parameter"),
    ]:
        with pytest.raises(ValueError, match=words):
            small(**settings | changes).fit(X, y)
        with pytest.raises(ValueError, match=words):
            changed_copy(plain, **changes).predict(X)


def test_short_clips_are_repeated_in_training_and_in_predictions():
    X, y = clips_of(24)
    tiled = [np.resize(clip, (40, 3)) if len(clip) < 40 else clip for clip in X]
    settings = {"segment_frames": 40, "standardize": False, "bidirectional": True, "pooling": "stats"}
    expected = small(**settings).fit(tiled, y)
    found = small(repeat_short_clips=True, **settings).fit(X, y)
    scores = found.decision_function(X)
    np.testing.assert_array_equal(scores, expected.decision_function(tiled))
    assert np.abs(scores - expected.decision_function(X)).max() > 1e-3
    np.testing.assert_allclose(
        [found.decision_function([clip])[0] for clip in X[:3]], scores[:3], rtol=0, atol=1e-6
    )
    assert [len(X[0]), len(X[1])] == [table["stop_frame"][-1] for table in found.predict_segments(X[:2])]
    with pytest.raises(ValueError, match="up to segment_frames, which is None"):
        found.set_params(segment_frames=None).decision_function(X)


SETTINGS = [
    {"bidirectional": True, "pooling": "attention", "units": (6, 5)},
    {"convolutions": [(3, 3, 2), (2, 3, 1)], "pooling": "stats", "repeat_short_clips": True},
    {"segment_hop": 9, "pooling": "last"},
]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("settings", SETTINGS)
def test_numpy_and_keras_give_the_same_answers(settings, n_classes):
    X, y = clips_of(12, n_classes, n_features=6)
    X[0], X[1] = X[0][:1], X[1][:3]
    in_numpy = small(segment_frames=20, max_epochs=2, inference="numpy", **settings).fit(X, y)
    of_keras = changed_copy(in_numpy, inference="keras")
    for answer in ("decision_function", "predict_proba", "predict_log_proba"):
        found, expected = (getattr(each, answer)(X) for each in (in_numpy, of_keras))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    for found, expected in zip(in_numpy.predict_segments(X), of_keras.predict_segments(X), strict=True):
        assert found["stop_frame"].tolist() == expected["stop_frame"].tolist()
        np.testing.assert_allclose(found["log_odds"], expected["log_odds"], rtol=0, atol=1e-5)


def test_keras_is_asked_only_where_the_parameter_or_mixed_precision_says_so(binary, monkeypatch):
    classifier, X, _ = binary
    expected = classifier.predict(X).tolist()

    def stop(architecture, compilation):
        raise InterruptedError

    monkeypatch.setattr("voicelstm.network.acquire_network", stop)
    for inference in ("auto", "numpy"):
        assert changed_copy(classifier, inference=inference).predict(X).tolist() == expected
    with pytest.raises(InterruptedError):
        changed_copy(classifier, inference="keras").predict(X)
    with pytest.raises(ValueError, match="'inference' parameter"):
        changed_copy(classifier, inference="onnx").predict(X)
    mixed = changed_copy(classifier)
    mixed._fitted = replace(
        mixed._fitted, architecture=replace(mixed._fitted.architecture, dtype="mixed_float16")
    )
    with pytest.raises(InterruptedError):
        mixed.predict(X)
    assert mixed.set_params(inference="numpy").predict(X).tolist() == expected


def test_what_is_made_of_the_weights_is_in_no_pickle_and_follows_them(binary):
    classifier, X, _ = binary
    never_asked = changed_copy(classifier)
    size = len(pickle.dumps(never_asked))
    never_asked.predict(X)
    assert len(pickle.dumps(never_asked)) == size
    without_head = {
        name: w * (0 if name == "head/kernel" else 1) for name, w in classifier._fitted.weights.items()
    }
    changed = changed_copy(classifier)
    changed._fitted = replace(classifier._fitted, weights=without_head)
    np.testing.assert_allclose(changed.decision_function(X), without_head["head/bias"][0], rtol=0, atol=1e-6)


def test_a_few_clips_are_no_large_batch(binary):
    classifier, X, _ = binary
    wide = changed_copy(classifier, batch_size=128, inference="keras")
    batches, _ = classifier._fitted.segment_logits(X[:3], wide)
    assert batches.n_rows < 64


@pytest.mark.parametrize("spans_processes", [True, False])
def test_the_devices_of_a_distribution_predict_unless_other_processes_have_some(
    binary, spans_processes, monkeypatch
):
    classifier, X, _ = binary
    asked = []

    def stop(architecture, compilation):
        asked.append(compilation)
        raise InterruptedError

    monkeypatch.setattr("voicelstm.network.acquire_network", stop)
    monkeypatch.setattr("voicelstm.network._model.check_distribution", lambda distribution: None)
    monkeypatch.setattr(
        "voicelstm.network._devices.Devices.span_processes", property(lambda devices: spans_processes)
    )
    shared = changed_copy(classifier, distribution="devices", batch_size=128)
    with pytest.raises(InterruptedError):
        classifier._fitted.segment_logits(X[:3], shared)
    assert asked[0].distribution == (None if spans_processes else "devices")
    assert asked[0].n_rows == 128  # for all of them to share


def test_parameters_that_are_changed_after_a_fit_are_checked_before_prediction(binary):
    classifier, X, _ = binary
    changed = changed_copy(classifier, segment_frames=0)
    with pytest.raises(ValueError, match="'segment_frames' parameter"):
        changed.predict_proba(X)


def test_the_network_is_a_keras_model_that_gives_the_same_scores(binary):
    classifier, X, _ = binary
    clip = X[0].astype("float32")
    statistics = classifier._fitted.statistics
    standardised = ((clip - statistics.mean) / statistics.deviation()).astype("float32")
    logits = classifier.network_({"sequences": standardised[None], "lengths": np.array([len(clip)])})
    assert float(logits[0, 0]) == pytest.approx(float(classifier.decision_function([clip])[0]), abs=1e-5)
