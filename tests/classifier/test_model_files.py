import shutil
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

from tests.model_files.rewriting import rewritten
from voicelstm import LSTMVoiceClassifier, SpecAugment
from voicelstm.classifier._model_files import describe_classifier, restore_classifier
from voicelstm.exceptions import ModelFileError
from voicelstm.model_files import StoredTensors

WRITTEN = Path(__file__).parents[1] / "model_files" / "0.1.0" / "classifier.voicelstm"


@pytest.mark.every_backend
@pytest.mark.parametrize(
    ("labels", "changes"),
    [
        (["a", "b", "c", "a", "b", "c"], {"pooling": "attention"}),
        ([0, 1, 0, 1, 0, 1], {"bidirectional": True, "standardize": False, "class_weight": {0: 1.0, 1: 2.0}}),
        ([True, False] * 3, {"dtype": "float64", "pooling": "stats"}),
        (np.array(["x", "yy"] * 3, dtype=object), {"units": [3, np.int64(2)]}),
        (["a", "b"] * 3, {"convolutions": [[2, 3, 2], np.array([3, 1, 1])]}),
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


def test_a_hop_is_kept_and_one_that_leaves_out_frames_is_refused(tmp_path):
    X = np.random.default_rng(0).normal(size=(6, 9, 2))
    settings = {"units": (2,), "max_epochs": 1, "segment_frames": 4}
    classifier = LSTMVoiceClassifier(**settings, segment_hop=np.int64(3)).fit(X, [0, 1] * 3)
    classifier.save(tmp_path / "m")
    loaded = LSTMVoiceClassifier.load(tmp_path / "m")
    assert loaded.predict_segments(X)[0]["start_frame"].tolist() == [0, 3, 5]
    np.testing.assert_array_equal(loaded.decision_function(X), classifier.decision_function(X))
    assert LSTMVoiceClassifier.load(WRITTEN).segment_hop is None  # of a file that was written without
    rewritten(tmp_path / "m", lambda d, t: d["object"]["params"].update(segment_hop=5))
    with pytest.raises(ModelFileError, match="segment_hop=5 must be from 1 to segment_frames=4"):
        LSTMVoiceClassifier.load(tmp_path / "m")
    with pytest.raises(ValueError, match="segment_hop=5 must be from 1 to segment_frames=4"):
        classifier.set_params(segment_hop=5).save(tmp_path / "m")


def test_masks_and_equaliser_are_kept_as_their_parameters(tmp_path):
    augment = SpecAugment(frequency_mask=np.array([1, 2]), time_mask=None, equalization=np.float32(0.5))
    X = np.random.default_rng(0).normal(size=(6, 9, 3))
    classifier = LSTMVoiceClassifier(units=(3,), max_epochs=1, augment=augment).fit(X, [0, 1] * 3)
    classifier.save(tmp_path / "m")
    kept = LSTMVoiceClassifier.load(tmp_path / "m").augment.get_params()
    assert kept == SpecAugment(frequency_mask=(1, 2), time_mask=None, equalization=0.5).get_params()
    with pytest.raises(ValueError, match=r"time_mask=\(9, 1\) of SpecAugment"):
        classifier.set_params(augment__time_mask=(9, 1)).save(tmp_path / "m")


@pytest.mark.parametrize(
    ("augment", "words"),
    [
        ({"spec_augment": {"time_mask": [9, 1]}}, "time_mask"),
        ({"spec_augment": {"time_mask": [True, 1]}}, "time_mask"),
        ({"spec_augment": {"equalization": True}}, "equalization"),
        ({"spec_augment": {"shell": 1}}, "shell"),
        ({"augmenter": {}}, "augment"),
    ],
)
def test_made_up_masks_are_refused(augment, words, tmp_path):
    path = shutil.copy(WRITTEN, tmp_path)
    rewritten(path, lambda d, t: d["object"]["params"].update(augment=augment))
    with pytest.raises(ModelFileError, match=words):
        LSTMVoiceClassifier.load(path)


@pytest.fixture(scope="module")
def description():
    """Description and tensors of a classifier of two classes, which no test may change."""
    tensors = {}
    return describe_classifier(LSTMVoiceClassifier.load(WRITTEN), "a/", tensors), tensors


def test_a_description_uses_each_of_its_tensors(description):
    described, tensors = description
    stored = StoredTensors(tensors)
    restored = restore_classifier(described, "a/", stored)
    stored.check_all_used()
    again = {}
    assert describe_classifier(restored, "a/", again) == described
    assert again.keys() == tensors.keys()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_features_in_": 1000}, "number of features is not that of the network"),
        ({"class_totals": [1.0]}, "one finite number of at least 0 for each label"),
        ({"class_totals": [1.0, -1.0]}, "one finite number of at least 0 for each label"),
        ({"history_": ["accuracy"]}, "history is one of"),
        ({"history_": ["loss", "loss"]}, "history is one of"),
        ({"history_": ["loss", "regret"]}, "history is one of"),
        ({"statistics_total": 0.0}, "not those of any frames"),
        ({"n_iter_": 999}, "has shape"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(changes, words, description):
    described, tensors = description
    with pytest.raises(ModelFileError, match=words):
        restore_classifier(deepcopy(described) | changes, "a/", StoredTensors(tensors))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("n_outputs", 3, "labels does not fit the network's outputs"),
        ("units", [7], "has shape"),
        ("convolutions", [[2, 3, 1]], "convolution_0/kernel"),
        ("convolutions", [[10**9, 10**9, 1]], "convolution_0/kernel"),
        ("depth", 2, "depth"),
    ],
)
def test_an_architecture_that_is_not_that_of_the_weights_is_refused(name, value, words, description):
    described, tensors = description
    changed = described | {"architecture": described["architecture"] | {name: value}}
    with pytest.raises(ModelFileError, match=words):
        restore_classifier(changed, "a/", StoredTensors(tensors))


def test_variances_below_zero_are_refused():
    classifier = LSTMVoiceClassifier(units=(2,), convolutions=[(2, 3, 2)], max_steps=1, random_state=0)
    tensors = {}
    described = describe_classifier(classifier.fit(np.eye(6)[:, :, None], [0, 1] * 3), "a/", tensors)
    tensors["a/weights/normalization_0/moving_variance"] -= 10
    with pytest.raises(ModelFileError, match="normalization_0/moving_variance has variances below 0"):
        restore_classifier(described, "a/", StoredTensors(tensors))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("spread", -1.0, "not those of any frames"), ("mean", 1e300, "beyond float32")],
)
def test_statistics_that_frames_cannot_have_are_refused(name, value, words, description):
    described, tensors = description
    of_name = tensors[f"a/statistics/{name}"]
    with pytest.raises(ModelFileError, match=words):
        restore_classifier(
            described, "a/", StoredTensors(tensors | {f"a/statistics/{name}": np.full_like(of_name, value)})
        )
