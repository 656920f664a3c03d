import csv
import io

import numpy as np
import pytest
import soundfile

from tests.command.runner import run
from voicelstm import SequenceStore, make_detector
from voicelstm.command._exit_codes import ExitCode


def test_features_fills_a_folder_in_the_order_that_it_lists(voice_folder, voices, tmp_path):
    asked = (voices[3], voice_folder / "broken" / "page.wav", voices[1])
    arguments = ("features", *asked, "-o", tmp_path / "store", "--set", "n_mfcc=5")
    out, err = run(*arguments, "--csv", code=ExitCode.SOME_FAILED)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["recording"] for row in rows] == [str(path) for path in asked]
    transformer = make_detector(features__n_mfcc=5)["features"]
    expected = [transformer.transform([path])[0] for path in (voices[3], voices[1])]
    store = SequenceStore(tmp_path / "store")
    np.testing.assert_allclose(store[0], expected[0], rtol=1e-5)
    np.testing.assert_allclose(store[2], expected[1], rtol=1e-5)
    assert [int(row["frames"]) for row in rows] == [len(expected[0]), 0, len(expected[1])]
    assert float(rows[0]["seconds"]) == pytest.approx(soundfile.info(voices[3]).duration)
    assert "found an HTML page" in rows[1]["error"]
    assert "found an HTML page" in err


def test_features_of_one_recording_that_fails_says_so_in_plain_english(voice_folder, voices, tmp_path):
    page = voice_folder / "broken" / "page.wav"
    for n_voices, told in (
        (0, "voicelstm: The recording failed and is left out:"),
        (1, "voicelstm: 1 of 2 recordings failed and is left out:"),
    ):
        arguments = ("features", *voices[:n_voices], page, "-o", tmp_path / str(n_voices))
        assert told in run(*arguments, code=ExitCode.SOME_FAILED)[1]


def test_features_lists_what_failed_in_its_place(voices, tmp_path):
    page = tmp_path / "page.wav"
    page.write_text("<html>")
    out, err = run(
        "features", voices[0], page, voices[1], "-o", tmp_path / "store", code=ExitCode.SOME_FAILED
    )
    assert [line.split("\t")[0] for line in out.splitlines()] == [voices[0], str(page), voices[1]]
    assert out.splitlines()[1].split("\t")[1:] == ["0", "0.00"]
    assert len(SequenceStore(tmp_path / "store")[1]) == 0
    assert "page.wav: found an HTML page" in err


def test_features_can_be_those_of_a_detector(detector_file, voices, tmp_path):
    run("features", voices[0], "-o", tmp_path / "store", "--like", detector_file)
    assert SequenceStore(tmp_path / "store").n_features == 8  # as conftest.py fits it
    arguments = ("features", voices[0], "-o", tmp_path / "store", "--set", "n_mfcc=5")
    _, err = run(*arguments, code=ExitCode.REFUSED)
    assert "other parameters" in err or "n_mfcc" in err
