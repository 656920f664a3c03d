"""Which of its classes a classifier knows to be human, and labels that it refuses."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import DataConversionWarning, NotFittedError

from tests.model_files.rewriting import rewritten
from voicelstm import LSTMVoiceClassifier, evaluate, load, save
from voicelstm.exceptions import ModelFileError
from voicelstm.metrics import eer_scorer, human_label_of

X = np.random.default_rng(0).normal(size=(6, 4, 2))
WORDS = ["spoof", "Bona fide"] * 3


def tiny(human_label=None):
    return LSTMVoiceClassifier(units=(2,), max_epochs=1, random_state=0, human_label=human_label)


@pytest.mark.parametrize(
    ("labels", "human_label", "known"),
    [
        (WORDS, None, "Bona fide"),
        (["human", "A07"] * 3, "A07", "A07"),  # as asked, where the spelling says one class only
        ([0, 1] * 3, 1, 1),
        ([0, 1] * 3, np.int64(0), 0),
        ([1.0, 2.0] * 3, 1, 1.0),
        ([False, True] * 3, True, True),
    ],
)
def test_a_fit_knows_the_human_class_and_its_file_does(labels, human_label, known, tmp_path):
    fitted = tiny(human_label).fit(X, labels)
    fitted.save(tmp_path / "m")
    passed = tiny(human_label).partial_fit(X[:1], labels[:1], classes=sorted(set(labels)))
    for each in (fitted, passed, load(tmp_path / "m")):
        assert each.human_label_ == known
        assert type(each.human_label_) is type(known)
        assert human_label_of(each) == known


@pytest.mark.filterwarnings("ignore::voicelstm.exceptions.ScoreWarning")  # as below
def test_numbers_without_one_are_not_guessed_at_and_functions_can_be_told():
    fitted = tiny().fit(X, [0, 1] * 3)
    assert not hasattr(fitted, "human_label_")
    with pytest.raises(AttributeError, match=r"which of the classes \[0, 1\] is human.*Fit with human_label"):
        _ = fitted.human_label_
    for ask in (eer_scorer, lambda *given: evaluate(*given, n_resamples=0)):
        with pytest.raises(ValueError, match="human_label must say which of the classes"):
            ask(fitted, X, [0, 1] * 3)
    assert evaluate(fitted, X, [0, 1] * 3, human_label=0, n_resamples=0).overall.n_human == 3
    with pytest.raises(NotFittedError):
        _ = tiny(1).human_label_


# One epoch on noise may be worse than guessing.
@pytest.mark.filterwarnings("ignore::voicelstm.exceptions.ScoreWarning")
def test_what_a_detector_knows_reaches_scorers_and_evaluation():
    y = np.array([0, 0, 1, 0, 1, 1])
    for human_label in (0, 1):
        fitted = tiny(human_label).fit(X, y)
        told = evaluate(tiny().fit(X, y), X, y, human_label=human_label, n_resamples=0)
        known = evaluate(fitted, X, y, n_resamples=0)
        assert known.to_dict() == told.to_dict()
        assert eer_scorer(fitted, X, y) == -told.overall.eer.value


def test_a_vote_of_those_that_know_knows():
    vote = VotingClassifier([("a", tiny(1)), ("b", tiny())], voting="soft").fit(X, [0, 1] * 3)
    assert human_label_of(vote) == 1


def test_a_human_label_that_is_no_class_is_refused_before_training(monkeypatch):
    for name in ("_fit", "_partial_fit"):
        monkeypatch.setattr(f"voicelstm.classifier._fitting.{name}", None)
    for labels, words in [
        (WORDS, r"human_label=1 is none of the classes \['Bona fide', 'spoof'\]"),
        ([0, 1, 2] * 2, r"human_label=1 is for two classes, and these are 3"),
        (WORDS, "human_label='spoof' contradicts the spelling of the classes"),
    ]:
        classifier = tiny("spoof" if "contradicts" in words else 1)
        with pytest.raises(ValueError, match=words):
            classifier.fit(X, labels)
        assert not hasattr(classifier, "classes_")
        with pytest.raises(ValueError, match=words):
            classifier.partial_fit(X, labels, classes=sorted(set(labels)))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            ["human", "Human", "synthetic"] * 2,
            "y holds labels that differ only in spelling: 'Human' and 'human'",
        ),
        (["fake", "fake ", "real"] * 2, "differ only in spelling"),
        (["1", "1.0", "0"] * 2, "differ only in spelling"),
        (["human", "nan", "synthetic"] * 2, "y holds 'nan', which is no label"),
        (["human", None, "synthetic"] * 2, "y must hold labels of one kind"),
        (["human", np.nan, "synthetic"] * 2, "y must hold labels of one kind"),
        (["human", 1] * 3, "y must hold labels of one kind"),
        (np.eye(2, dtype=int)[[0, 1] * 3], "These are one-hot"),
        ([["human", "a"], ["synthetic", "b"]] * 3, r"y has shape \(6, 2\)"),
    ],
)
def test_labels_that_would_be_taken_for_others_are_refused(labels, words):
    with pytest.raises(ValueError, match=words):
        tiny().fit(X, labels)
    with pytest.raises(ValueError, match=words.removeprefix("y ")):
        tiny().partial_fit(X, labels, classes=labels)


def test_classes_of_passes_are_checked_as_a_whole():
    with pytest.raises(ValueError, match="classes holds labels that differ only in spelling"):
        tiny().partial_fit(X, ["human"] * 6, classes=["human", "HUMAN", "synthetic"])


def test_a_column_of_labels_is_taken_with_one_warning():
    with pytest.warns(DataConversionWarning) as caught:
        fitted = tiny().fit(X, np.array([[0], [1]] * 3))
    assert [each.category for each in caught].count(DataConversionWarning) == 1
    np.testing.assert_array_equal(fitted.predict_proba(X), tiny().fit(X, [0, 1] * 3).predict_proba(X))


def test_a_file_whose_human_label_is_no_class_is_refused(tmp_path):
    save(tiny("Bona fide").fit(X, WORDS), tmp_path / "m")
    rewritten(tmp_path / "m", lambda document, _: document["object"]["params"].update(human_label="fake"))
    with pytest.raises(ModelFileError, match="human_label='fake' is none of the classes"):
        load(tmp_path / "m")


@pytest.mark.parametrize(
    ("name", "known"),
    [("classifier", "human"), ("detector", "human"), ("early_stopping", "human"), ("columns", None)],
)
def test_files_of_the_first_version_know_words_and_no_numbers(name, known):
    loaded = load(Path(__file__).parents[1] / "model_files" / "0.1.0" / f"{name}.voicelstm")
    if known is None:
        with pytest.raises(ValueError, match=r"human_label must say which of the classes \[1.0, 2.0\]"):
            human_label_of(loaded)
        assert human_label_of(loaded, 2) == 2.0
    else:
        assert human_label_of(loaded) == known


@pytest.mark.parametrize(
    ("labels", "human_label", "expected"),
    [
        (["human", "synthetic"], None, "synthetic"),
        (["real", "fake"], None, "fake"),
        ([0, 1], 0, 1),
        ([0, 1], 1, 0),
        ([0, 1], None, 0),  # not known: as in scikit-learn
    ],
)
def test_even_odds_are_synthetic(labels, human_label, expected):
    fitted = tiny(human_label).fit(X, labels * 3)
    for name, values in fitted._fitted.weights.items():
        fitted._fitted.weights[name] = np.zeros_like(values)
    np.testing.assert_array_equal(fitted.decision_function(X), 0)
    assert set(fitted.predict(X).tolist()) == {expected}
    if human_label is not None or isinstance(labels[0], str):
        y = labels * 3
        decided, asked = (evaluate(fitted, X, y, threshold=each, n_resamples=0) for each in (None, 0.0))
        assert decided.overall.miss.value == asked.overall.miss.value == 1.0
        assert decided.overall.false_alarm.value == asked.overall.false_alarm.value == 0.0
