import json
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

from tests.command.runner import SET, run, small_detector_as_trained
from voicelstm import load
from voicelstm.command._exit_codes import ExitCode
from voicelstm.datasets import UnseenSystems, balanced_weights, load_csv


def test_train_measures_on_groups_that_training_has_not_heard(voice_folder, tmp_path):
    out, _ = run(
        "train", voice_folder / "labels.csv", "-o", tmp_path / "d", *SET, "--groups", "speaker",
        "--folds", 3, "--json",
    )  # fmt: skip
    told = json.loads(out)["cross_validation"]
    corpus = load_csv(voice_folder / "labels.csv")
    for name, scoring in {"balanced_accuracy": "balanced_accuracy", "roc_auc": "roc_auc"}.items():
        expected = cross_val_score(
            small_detector_as_trained(),
            corpus.recordings,
            corpus.target,
            groups=corpus.groups["speaker"],
            cv=StratifiedGroupKFold(3),
            scoring=scoring,
        )
        np.testing.assert_allclose(told["folds"][name], expected, rtol=1e-6)
        assert told["mean"][name] == pytest.approx(expected.mean(), rel=1e-6)
    assert 0 <= told["mean"]["equal_error_rate"] <= 1
    assert sum(told["n_test"]) == 24
    assert load(tmp_path / "d").classes_.tolist() == ["human", "synthetic"]


def test_train_shows_its_folds_and_what_they_do_not_say(voice_folder, tmp_path):
    out, _ = run(
        "train", voice_folder / "labels.csv", "-o", tmp_path / "d", *SET, "--groups", "speaker", "--folds", 2
    )
    assert "On recordings whose speaker its training has not heard" in out
    assert re.search(r"(?m)^ *1 +12 +\d+\.\d % +\d\.\d{3} +\d\.\d{3}", out)
    assert "Synthesis systems are in both training and test" in out
    assert "--unseen system measures that" in " ".join(out.split())


def test_train_measures_on_systems_that_training_has_not_heard(voice_folder, tmp_path):
    arguments = ("-o", tmp_path / "d", *SET, "--groups", "speaker", "--unseen", "system")
    told = json.loads(run("train", voice_folder / "labels.csv", *arguments, "--json")[0])["cross_validation"]
    corpus = load_csv(voice_folder / "labels.csv")
    speaker, system = corpus.groups["speaker"], corpus.groups["system"]
    assert told["names"] == [f"synthetic-{i}" for i in range(6)]
    folds = list(UnseenSystems().split(system, corpus.target, np.column_stack([speaker, system])))
    assert told["n_test"] == [len(test) for _, test in folds]
    expected = cross_val_score(
        small_detector_as_trained(), corpus.recordings, corpus.target, cv=folds, scoring="roc_auc"
    )
    np.testing.assert_allclose(told["folds"]["roc_auc"], expected, rtol=1e-6)


def test_train_refuses_groups_that_divide_no_class(voice_folder, tmp_path):
    arguments = ("train", voice_folder / "labels.csv", "-o", tmp_path / "d", "--groups", "system")
    _, err = run(*arguments, code=ExitCode.USAGE)
    assert "all human recordings have the same system" in err
    assert not (tmp_path / "d").exists()


def test_train_balances_a_column_in_training_and_in_every_fold(voice_folder, tmp_path):
    path = tmp_path / "d"
    arguments = ("--groups", "speaker", "--folds", 3, "--balance", "system", *SET, "--json", "-o", path)
    out, _ = run("train", voice_folder / "labels.csv", *arguments)
    corpus = load_csv(voice_folder / "labels.csv")
    X, y, system = corpus.recordings, corpus.target, corpus.groups["system"]
    expected = small_detector_as_trained().set_params(classifier__class_weight=None)
    expected.fit(X, y, classifier__sample_weight=balanced_weights(y, {"system": system}))
    np.testing.assert_array_equal(load(path).decision_function(X), expected.decision_function(X))

    scores = []
    for training, test in StratifiedGroupKFold(3).split(X, y, corpus.groups["speaker"]):
        weight = balanced_weights(y[training], {"system": system[training]})
        fold = clone(expected).fit([X[i] for i in training], y[training], classifier__sample_weight=weight)
        scores.append(balanced_accuracy_score(y[test], fold.predict([X[i] for i in test])))
    assert json.loads(out)["cross_validation"]["folds"]["balanced_accuracy"] == pytest.approx(scores)
