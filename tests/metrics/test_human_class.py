"""Which class is human, and labels that may be taken for each other."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from voicelstm.metrics import equal_error_rate
from voicelstm.metrics._human_class import (
    check_distinct_labels,
    choose_human_label,
    human_label_of,
    recognised_human_label,
)


@pytest.mark.parametrize(
    ("classes", "human"),
    [
        (["human", "synthetic"], "human"),
        (["Fake", "REAL"], "REAL"),
        (["bona-fide", "spoof"], "bona-fide"),
        (["bona fide", "A07"], "bona fide"),
        (["tts", "live"], "live"),
        (["Genuine", "vc"], "Genuine"),
        (["human", "studio"], "human"),
        (["voice-clone", "natural"], "natural"),
    ],
)
def test_the_field_s_spellings_are_recognised_in_any_case(classes, human):
    assert recognised_human_label(classes) == human
    assert recognised_human_label(classes[::-1]) == human


@pytest.mark.parametrize(
    "classes",
    [
        *([0, 1], [-1, 1], ["0", "1"], [False, True], ["yes", "no"], ["real", "live"], ["music", "fake"]),
        # One word of the field may be of another: of how it was recorded, or spoken.
        *(["live", "studio"], ["natural", "whispered"], ["real", "A07"], ["human", "bona fide"]),
    ],
)
def test_other_classes_are_not_guessed_at(classes):
    assert recognised_human_label(classes) is None
    with pytest.raises(ValueError, match="human_label must say which"):
        choose_human_label(classes)
    assert choose_human_label(classes, classes[0]) == classes[0]


def test_only_classes_spelt_as_what_they_are_contradict_a_given_one():
    assert choose_human_label(["human", "A07"], "A07") == "A07"
    for classes in (["human", "synthetic"], ["fake", "REAL"], ["bona fide", "spoof"]):
        human = recognised_human_label(classes)
        (other,) = {*classes} - {human}
        assert choose_human_label(classes, human) == human
        with pytest.raises(ValueError, match=f"human_label='{other}' contradicts .* of which '{human}' is"):
            choose_human_label(classes, other)
        with pytest.raises(ValueError, match=f"human_label='{other}' contradicts"):
            equal_error_rate(classes, [0.0, 1.0], human_label=other)


def test_three_classes_are_not_human_and_synthetic():
    assert recognised_human_label(["human", "tts", "vc"]) is None


def test_a_label_is_not_taken_for_a_number_that_is_written_alike():
    with pytest.raises(ValueError, match="none of the classes"):
        choose_human_label([0, 1], "1")


class _Detector(DummyClassifier):
    """A classifier that knows its human class."""

    def __init__(self, human=1):
        super().__init__()
        self.human = human

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.human_label_ = self.human
        return self


def test_a_detector_s_own_knowledge_is_found_within_wrappers():
    X, y = np.zeros((10, 1)), [0, 1] * 5
    fitted = make_pipeline(_Detector()).fit(X, y)
    wrapped = [
        fitted,
        make_pipeline(FunctionTransformer(), _Detector()).fit(X, y),
        FixedThresholdClassifier(FrozenEstimator(fitted), threshold=0.3).fit(X, y),
        CalibratedClassifierCV(FrozenEstimator(fitted)).fit(X, y),
        FixedThresholdClassifier(
            FrozenEstimator(CalibratedClassifierCV(FrozenEstimator(fitted)).fit(X, y))
        ).fit(X, y),
    ]
    assert [human_label_of(each) for each in wrapped] == [1] * 5
    for each in wrapped:
        assert human_label_of(each, 1) == 1
        with pytest.raises(ValueError, match="human_label=0 contradicts the detector, which knows 1 as"):
            human_label_of(each, 0)


@pytest.mark.parametrize("order", [1, -1])
def test_every_member_of_a_vote_is_asked(order):
    X, y = np.zeros((10, 1)), [0, 1] * 5
    members = [("knows", make_pipeline(_Detector())), ("does not", DummyClassifier())][::order]
    vote = VotingClassifier(members, voting="soft").fit(X, y)
    assert human_label_of(vote) == human_label_of(vote, 1) == 1
    with pytest.raises(ValueError, match="human_label=0 contradicts the detector, which knows 1 as"):
        human_label_of(vote, 0)

    at_odds = VotingClassifier([*members, ("other", _Detector(0))][::order], voting="soft").fit(X, y)
    for given in (None, 0, 1):
        with pytest.raises(ValueError, match=r"contradict each other: .* some know 0 and others 1 as the"):
            human_label_of(at_odds, given)


def test_what_a_member_of_a_vote_knows_of_its_own_numbers_is_not_taken_for_a_class():
    X, y = np.zeros((10, 1)), [1, 2] * 5
    vote = VotingClassifier([("a", _Detector())], voting="soft").fit(X, y)  # its member learns 0 and 1
    with pytest.raises(ValueError, match="human_label must say which"):
        human_label_of(vote)
    assert [human_label_of(vote, label) for label in (1, 2)] == [1, 2]


def test_a_detector_s_spelling_is_not_contradicted_unless_it_was_trained_so():
    fitted = DummyClassifier().fit(np.zeros((4, 1)), ["human", "A07"] * 2)
    assert human_label_of(fitted, "human") == human_label_of(fitted) == "human"
    with pytest.raises(ValueError, match="human_label='A07' contradicts the detector, which knows 'human'"):
        human_label_of(fitted, "A07")
    fitted.human_label_ = "A07"
    assert human_label_of(fitted, "A07") == human_label_of(fitted) == "A07"
    with pytest.raises(ValueError, match="human_label='human' contradicts the detector, which knows 'A07'"):
        human_label_of(fitted, "human")


def test_a_detector_that_does_not_know_is_asked_about_by_name():
    fitted = DummyClassifier().fit(np.zeros((4, 1)), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="human_label must say which of the classes"):
        human_label_of(fitted)


@pytest.mark.parametrize(
    "labels",
    [
        ["human", "Human", "synthetic"],
        ["bonafide", "bona-fide", "spoof"],
        ["1", "1.0", "0"],
        ["1", "01"],
        ["-1", " -1.", "+1"],
        ["1e1", "10"],
        ["fake", "fake ", "real"],
    ],
)
def test_labels_that_differ_only_in_spelling_are_refused(labels):
    with pytest.raises(ValueError, match="differ only in spelling"):
        check_distinct_labels(labels)


@pytest.mark.parametrize(
    "missing", [None, float("nan"), "nan", "NaN", "", " ", "N/A", "NULL", "None", "<NA>"]
)
def test_a_missing_label_is_no_class(missing):
    with pytest.raises(ValueError, match="is no label"):
        check_distinct_labels(["human", missing])


def test_labels_that_differ_in_more_are_accepted():
    check_distinct_labels(["human", "synthetic"])
    check_distinct_labels([0, 1, 2])
    check_distinct_labels(["A01", "A1", "human"])
    # Of these only the last is the number ten.
    check_distinct_labels(["1_0", "\N{ARABIC-INDIC DIGIT ONE}\N{ARABIC-INDIC DIGIT ZERO}", "1e0001", "10"])
    check_distinct_labels(["-", "_", "human"])
    check_distinct_labels(["9007199254740993", "9007199254740992"])  # one as float
