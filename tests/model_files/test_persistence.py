import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from tests.model_files.rewriting import rewritten
from voicelstm import LSTMVoiceClassifier, MFCCTransformer, load, make_detector, save
from voicelstm.exceptions import ModelFileError
from voicelstm.model_files import read_model_file

ASK = """
import sys, numpy as np
from voicelstm import load
recordings = [row for row in np.load(sys.argv[2])]
np.save(sys.argv[3], load(sys.argv[1]).predict_proba(recordings))
"""


# By day, test_earlier_versions loads what other processes have written.
@pytest.mark.nightly
def test_another_process_gives_the_same_probabilities(small_detector, model_file, small_voices, tmp_path):
    (X, _), _ = small_voices
    recordings = np.stack([samples[:8000] for samples, _ in X])
    np.save(tmp_path / "recordings.npy", recordings)
    arguments = [str(tmp_path / name) for name in ("detector.voicelstm", "recordings.npy", "out.npy")]
    subprocess.run([sys.executable, "-c", ASK, *arguments], check=True, capture_output=True)
    np.testing.assert_allclose(
        np.load(tmp_path / "out.npy"), small_detector.predict_proba(list(recordings)), atol=1e-7
    )


def test_a_loaded_pipeline_is_what_was_saved(small_detector, model_file, small_voices):
    (X, _), _ = small_voices
    loaded = load(model_file)
    assert [name for name, _ in loaded.steps] == ["features", "dynamics", "classifier"]
    for name in ("features", "classifier"):
        assert loaded[name].get_params() == small_detector[name].get_params()
    classifier, before = loaded["classifier"], small_detector["classifier"]
    assert classifier.classes_.tolist() == before.classes_.tolist()
    assert classifier.history_ == before.history_
    assert (classifier.n_iter_, classifier.n_features_in_) == (before.n_iter_, before.n_features_in_)
    assert classifier.log_prior_odds_ == before.log_prior_odds_
    np.testing.assert_array_equal(loaded.predict(X), small_detector.predict(X))


def test_a_classifier_does_not_load_a_pipeline_but_names_what_does(model_file):
    with pytest.raises(ModelFileError, match=r"found a Pipeline.*use voicelstm\.load"):
        LSTMVoiceClassifier.load(model_file)


def test_other_estimators_are_refused_by_the_name_of_their_step(tmp_path):
    with pytest.raises(TypeError, match="Step 'logisticregression' is a LogisticRegression"):
        save(make_pipeline(MFCCTransformer(), LogisticRegression()), tmp_path / "m")
    with pytest.raises(TypeError, match="not a LogisticRegression"):
        save(LogisticRegression(), tmp_path / "m")
    with pytest.raises(NotFittedError):
        save(make_detector(), tmp_path / "m")
    with pytest.raises(FileNotFoundError, match="folder"):
        save(MFCCTransformer(), tmp_path / "nowhere" / "m")
    assert list(tmp_path.iterdir()) == []


def classifier_of(document):
    return document["object"]["steps"][2][1]


def dynamics_of(document):
    return document["object"]["steps"][1][1]


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


MADE_UP = {
    "another class": (lambda d, t: classifier_of(d).update({"class": "os.system"}), "os.system"),
    "an unknown parameter": (lambda d, t: classifier_of(d)["params"].update(shell=1), "shell"),
    "a parameter out of range": (lambda d, t: classifier_of(d)["params"].update(dropout=7), "dropout"),
    "units that the weights do not have": (
        lambda d, t: classifier_of(d)["architecture"].update(units=[10**9]),
        "has shape",
    ),
    "units that are no numbers": (lambda d, t: classifier_of(d)["architecture"].update(units=["9"]), "units"),
    "convolutions that are no blocks": (
        lambda d, t: classifier_of(d)["architecture"].update(convolutions=[[2, 3, 0]]),
        "blocks of three",
    ),
    "convolutions with a pool that fills the memory": (
        lambda d, t: classifier_of(d)["architecture"].update(convolutions=[[2, 3, 10**9]]),
        "up to 64",
    ),
    "convolutions that are pairs": (
        lambda d, t: classifier_of(d)["params"].update(convolutions={"pairs": []}),
        "convolutions",
    ),
    "more labels than outputs": (
        lambda d, t: classifier_of(d)["classes"]["values"].append("x"),
        "number of labels",
    ),
    "labels of a type with a size": (
        lambda d, t: classifier_of(d)["classes"].update(dtype="<U99999999"),
        "Labels",
    ),
    "the same label twice": (lambda d, t: classifier_of(d)["classes"].update(values=["x", "x"]), "ascending"),
    "totals that are no numbers": (
        lambda d, t: classifier_of(d).update(class_totals=["1.0", 1.0]),
        "total of a class",
    ),
    "totals below 0": (lambda d, t: classifier_of(d).update(class_totals=[-1.0, 1.0]), "class totals"),
    "statistics of nothing": (lambda d, t: classifier_of(d).update(statistics_total=-1.0), "statistics"),
    "features that the network has not": (lambda d, t: classifier_of(d).update(n_features_in_=7), "features"),
    "callbacks": (lambda d, t: classifier_of(d)["params"].update(callbacks=["x"]), "Callbacks"),
    "deep nesting": (lambda d, t: classifier_of(d)["params"].update(units=nested(900)), "nested deeper"),
    "a Pipeline in a Pipeline": (
        lambda d, t: d["object"]["steps"].append(["p", {"class": "Pipeline", "steps": []}]),
        "within a Pipeline",
    ),
    "two steps of one name": (lambda d, t: d["object"]["steps"][0].__setitem__(0, "dynamics"), "not valid"),
    "a name of two": (lambda d, t: d["object"]["steps"][0].__setitem__(0, "a__b"), "not valid"),
    "a classifier before the end": (
        lambda d, t: d["object"]["steps"].insert(1, d["object"]["steps"].pop()),
        "not valid",
    ),
    "a front end that comes last": (lambda d, t: d["object"]["steps"].reverse(), "not the first step"),
    "more of a Pipeline": (lambda d, t: d["object"].update(memory="/tmp"), r"unknown \['memory'\]"),
    "more of the dynamics": (lambda d, t: dynamics_of(d).update(x=1), r"unknown \['x'\]"),
    "dynamics of columns": (lambda d, t: dynamics_of(d).update(reads_columns=0), "reads_columns"),
    "dynamics of True": (lambda d, t: dynamics_of(d).update(n_features_in_=True), "positive integers"),
    "lags that were not fitted": (lambda d, t: dynamics_of(d)["params"].update(lags=[1]), "has shape"),
    "dynamics of fewer coefficients": (
        lambda d, t: (
            dynamics_of(d).update(n_features_in_=2),
            t.update({f"dynamics/{name}": np.ones(10) for name in ("centre", "scale")}),
        ),
        "give 20 numbers, the step after them takes 80",
    ),
    "a scale that overflows": (
        lambda d, t: t.update({"dynamics/scale": np.full(40, 1e-310)}),
        "not those of any sequences",
    ),
}


@pytest.mark.parametrize("case", MADE_UP)
def test_a_made_up_file_is_refused(case, model_file):
    change, words = MADE_UP[case]
    rewritten(model_file, change)
    with pytest.raises(ModelFileError, match=words):
        load(model_file)


@pytest.mark.parametrize("channel", ["mean", "right", 3])
def test_the_channel_is_kept_and_that_of_a_file_without_it_is_the_mean(channel, tmp_path):
    path = tmp_path / "front_end.voicelstm"
    save(MFCCTransformer(channel=channel), path)
    assert load(path).channel == channel
    earlier = Path(__file__).parent / "0.1.0" / "detector.voicelstm"
    assert "channel" not in read_model_file(earlier)[0]["object"]["steps"][0][1]["params"]
    assert load(earlier)[0].channel == "mean"
