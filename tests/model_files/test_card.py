import json
from copy import copy

import numpy as np
import pytest

from tests.model_files.rewriting import rewritten
from voicelstm import load, save
from voicelstm.exceptions import ModelFileError

POINT = {"name": "1 in 20", "threshold": 1.5, "human_called_synthetic": 0.05, "synthetic_called_human": 0.6}
RATE = {"group": "channel", "value": "telephone", "n_human": 30, "n_synthetic": 40, "equal_error_rate": None}
CARD = {
    "name": "mine",
    "limits": ["It was never outdoors."],
    "operating_points": [POINT],
    "rates": [RATE | {"human_called_synthetic": 0.2, "human_called_synthetic_interval": [0.1, 0.3]}],
    "training": [{"source": "a phone", "licence": "CC0", "n_human": 3, "n_synthetic": 4}],
    "anything else": {"a": [1, None, "é"]},
}
WRONG = {
    "a card that is a text": ("none", "is a str, not a dict"),
    "a name that is a number": ({"name": 3}, "name is 3, not a text"),
    "limits that are a text": ({"limits": "none"}, "limits is no list of texts"),
    "an operating point without a rate": (
        {"operating_points": [{"name": "a", "threshold": 1.0, "human_called_synthetic": 0.1}]},
        "operating_points is no list",
    ),
    "a rate above 1": (
        {"operating_points": [POINT | {"synthetic_called_human": 1.1}]},
        "operating_points is",
    ),
    "a threshold that is a bool": (
        {"operating_points": [POINT | {"threshold": True}]},
        "operating_points is",
    ),
    "a point whose channel has no rate": (
        {"operating_points": [POINT | {"of_channels": [{"value": "telephone"}]}]},
        "operating_points is",
    ),
    "a point of two channels of one name": (
        {"operating_points": [POINT | {"of_channels": 2 * [POINT | {"value": "telephone"}]}]},
        "operating_points is",
    ),
    "two points of one name": ({"operating_points": [POINT, POINT]}, "two operating points have one name"),
    "a rate of nothing": ({"rates": [{"group": "channel"}]}, "rates is no list"),
    "a rate that is a text": ({"rates": [RATE | {"equal_error_rate": "0.2"}]}, "rates is no list"),
    "a training that is a text": ({"training": ["LibriVox"]}, "training is no list"),
}


def with_card(detector, card):
    carded = copy(detector)
    carded.card_ = card
    return carded


def test_a_card_is_saved_and_loaded_with_its_detector(small_detector, tmp_path):
    save(with_card(small_detector, CARD), tmp_path / "with")
    again = load(tmp_path / "with")
    save(again, tmp_path / "again")
    save(small_detector, tmp_path / "without")
    assert again.card_ == CARD
    assert load(tmp_path / "again").card_ == CARD
    assert not hasattr(load(tmp_path / "without"), "card_")


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_card_is_neither_saved_nor_loaded(case, small_detector, model_file):
    card, words = WRONG[case]
    before = model_file.read_bytes()
    with pytest.raises(ValueError, match=words):
        save(with_card(small_detector, card), model_file)
    assert model_file.read_bytes() == before
    rewritten(model_file, lambda document, tensors: document.update(card=card))
    with pytest.raises(ModelFileError, match=words):
        load(model_file)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "JSON has no value for"),
        (np.float64("inf"), "JSON has no value for"),
        ({1, 2}, "JSON has no value for"),
        ((1, 2), "would come back changed"),
        ({1: 2}, "would come back changed"),
    ],
    ids=["NaN", "infinity", "set", "tuple", "number as key"],
)
def test_a_card_of_what_json_would_change_is_not_saved(value, words, small_detector, tmp_path):
    with pytest.raises(ValueError, match=words):
        save(with_card(small_detector, {"x": value}), tmp_path / "card")
    assert list(tmp_path.iterdir()) == []


def test_a_card_changes_no_answer(small_detector, small_voices, model_file):
    X = small_voices[1][0][:4]
    before = load(model_file).predict_proba(X)
    rewritten(model_file, lambda document, tensors: document.update(card=json.loads(json.dumps(CARD))))
    np.testing.assert_array_equal(load(model_file).predict_proba(X), before)
