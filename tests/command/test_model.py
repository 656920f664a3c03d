import inspect
import os
import re

import click
import numpy as np
import pytest

from tests.command.runner import run
from voicelstm import MFCCTransformer, SequenceStore, calibrate, load_pretrained, save
from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._model import DEFAULT, Model, ModelName, front_end_and_rest
from voicelstm.detector import transformers_of


def test_both_parts_of_a_file_score_as_the_detector_does(small_detector, small_voices, tmp_path):
    X, y = small_voices[1]
    wrapped = calibrate(small_detector, X, y)
    for position, detector in enumerate((small_detector, wrapped)):
        path = tmp_path / f"{position}.voicelstm"
        save(detector, path)
        transformer, rest = front_end_and_rest(Model(str(path), path))
        assert transformer.get_params() == small_detector["features"].get_params()
        np.testing.assert_allclose(
            rest.predict_proba(transformer.transform(X)), detector.predict_proba(X), rtol=1e-6
        )


def test_a_file_without_a_detector_is_named(tmp_path):
    path = tmp_path / "front_end.voicelstm"
    save(MFCCTransformer().fit(["a.wav"]), path)
    with pytest.raises(
        ValueError, match=r"front_end\.voicelstm: A detector of recordings was expected.*MFCCTransformer"
    ):
        front_end_and_rest(Model(str(path), path))


def test_the_default_is_that_of_the_library():
    assert inspect.signature(load_pretrained).parameters["name"].default == DEFAULT
    assert Model(DEFAULT).load().card_["name"] == DEFAULT


def named(text):
    return ModelName().convert(text, None, None)


def test_a_name_of_the_package_goes_before_a_file_whose_path_names_it(detector_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert named(DEFAULT) == Model(DEFAULT)
    for name in (DEFAULT, "d", "d.voicelstm"):
        os.link(detector_file, name)
        assert named(f"./{name}").path.samefile(detector_file)
    assert named("d").path.samefile(detector_file)
    assert named(DEFAULT).path is None
    # Which of the two was asked is said, if it was named.
    out, err = run("info", "-m", DEFAULT)
    assert (
        err == f"voicelstm: {DEFAULT} is the detector of the package; the file of that name is ./{DEFAULT}\n"
    )
    assert run("info") == (out, "")
    out, err = run("info", "-m", f"./{DEFAULT}")
    assert out.splitlines()[0].split() == ["file", f"./{DEFAULT}"]
    assert err == ""


@pytest.mark.parametrize("name", ["general-0", "missing.voicelstm", "folder/d"])
def test_what_is_neither_a_file_nor_a_name_is_refused_with_the_names_that_are(name):
    with pytest.raises(
        click.BadParameter, match=f"'{name}' is neither a file nor .* of the package: general-1"
    ):
        named(name)


def test_a_folder_is_no_detector(tmp_path):
    with pytest.raises(click.BadParameter, match="is a directory"):
        named(str(tmp_path))


@pytest.mark.parametrize("command", ["detect", "evaluate", "info"])
def test_each_sub_command_that_asks_a_detector_names_it_in_one_way(command):
    out, _ = run(command, "--help")
    assert re.search(rf"-m, --model FILE\|NAME +Detector: .*\[default:\s+{DEFAULT}\]", " ".join(out.split()))


def test_features_are_also_those_of_the_packages_detector(voices, tmp_path):
    run("features", "--like", DEFAULT, voices[0], "-o", tmp_path / "store")
    transformer, *_ = transformers_of(load_pretrained())
    assert SequenceStore(tmp_path / "store").n_features == transformer.n_filters
    _, err = run("features", "--like", "general-0", voices[0], "-o", tmp_path / "x", code=ExitCode.USAGE)
    assert "neither a file nor" in err
