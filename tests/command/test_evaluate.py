import csv
import io
import json
import re
import shutil

import pytest
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from tests.command.runner import run
from voicelstm import Augmenter, calibrate, evaluate, load_pretrained, save, tune_threshold
from voicelstm.command._exit_codes import ExitCode
from voicelstm.datasets import load_csv


def test_evaluate_reports_what_the_library_does(detector_file, small_detector, voice_folder):
    corpus = load_csv(voice_folder / "labels.csv")
    expected = evaluate(
        small_detector, corpus.recordings, corpus.target, corpus.groups, by=["system"], random_state=0
    )
    arguments = ("evaluate", "-m", detector_file, voice_folder / "labels.csv", "--by", "system")
    found = json.loads(run(*arguments, "--json")[0])
    assert [row["value"] for row in found["rows"]] == [row.value for row in expected.rows]
    for row, other in zip(found["rows"], expected.rows, strict=True):
        assert row["eer"]["value"] == pytest.approx(other.eer.value, rel=1e-5)
        assert row["cllr"]["high"] == pytest.approx(other.cllr.high, rel=1e-4)
    table, _ = run(*arguments)
    for row in expected.rows:
        assert re.search(rf"(?m)^ +{row.value} +12 +{row.n_synthetic} +{100 * row.eer.value:.1f} ", table)
    assert table.count("against all human") == len(expected.rows) - 1
    rows = list(csv.DictReader(io.StringIO(run(*arguments[:4], "--csv")[0])))
    assert [row["value"] for row in rows] == ["all"]
    assert float(rows[0]["eer_low"]) == pytest.approx(expected.overall.eer.low, rel=1e-5)


def test_evaluate_without_a_model_measures_the_detector_of_the_package(voice_folder):
    labels = voice_folder / "labels.csv"
    corpus = load_csv(labels)
    expected = evaluate(load_pretrained(), corpus.recordings, corpus.target, by=[], n_resamples=0).overall
    (found,) = json.loads(run("evaluate", labels, "--json")[0])["rows"]
    for name in ("eer", "cllr", "miss", "false_alarm"):
        assert found[name]["value"] == pytest.approx(getattr(expected, name).value, rel=1e-4)
    assert "general-1 on recordings with labels" in run("evaluate", labels)[0]


def test_evaluate_takes_wrapped_detectors_apart(small_detector, small_voices, voice_folder, tmp_path):
    tuned = tune_threshold(calibrate(small_detector, *small_voices[1]), *small_voices[1])
    save(tuned, tmp_path / "tuned")
    corpus = load_csv(voice_folder / "labels.csv")
    expected = evaluate(tuned, corpus.recordings, corpus.target, by=[], n_resamples=0).overall
    out, _ = run("evaluate", "-m", tmp_path / "tuned", voice_folder / "labels.csv", "--json")
    (found,) = json.loads(out)["rows"]
    for name in ("eer", "act_dcf", "cllr", "miss", "false_alarm"):
        assert found[name]["value"] == pytest.approx(getattr(expected, name).value, rel=1e-4)


def test_evaluate_does_not_augment_what_it_measures_on(small_detector, voice_folder, tmp_path):
    loud = clone(small_detector[0]).set_params(augment=Augmenter(noise_snr=(-20, -10)))
    detector = Pipeline([("features", loud), *small_detector.steps[1:]])
    save(detector, tmp_path / "loud")
    corpus = load_csv(voice_folder / "labels.csv")
    # Not of the detector in the file: that of the same weights, which never augments.
    expected = evaluate(small_detector, corpus.recordings, corpus.target, by=[], n_resamples=0).overall
    (found,) = json.loads(run("evaluate", "-m", tmp_path / "loud", voice_folder / "labels.csv", "--json")[0])[
        "rows"
    ]
    for name in ("eer", "cllr"):
        assert found[name]["value"] == pytest.approx(getattr(expected, name).value, rel=1e-4)


def test_evaluate_leaves_out_what_it_cannot_read(detector_file, voice_folder):
    arguments = ("evaluate", "-m", detector_file, voice_folder / "broken.csv", "--json")
    out, err = run(*arguments, code=ExitCode.SOME_FAILED)
    assert (
        json.loads(out)["rows"]
        == json.loads(run("evaluate", "-m", detector_file, voice_folder / "labels.csv", "--json")[0])["rows"]
    )
    assert "2 of 26 recordings failed" in err


def test_evaluate_refuses_labels_that_are_not_the_detectors(detector_file, voice_folder, tmp_path):
    text = (voice_folder / "labels.csv").read_text().replace(",human,", ",anna,")
    (tmp_path / "labels.csv").write_text(text.replace("label", "class", 1))
    where = ("--audio-dir", voice_folder, "--label-column", "class")
    _, err = run("evaluate", "-m", detector_file, tmp_path / "labels.csv", *where, code=ExitCode.REFUSED)
    assert "labels.csv has the labels anna and synthetic in the column class; those of" in err
    assert f"{detector_file.name} are human and synthetic" in err


@pytest.mark.parametrize("command", ["evaluate", "audit"])
def test_labels_that_are_not_of_two_classes_are_refused_by_file_and_column(
    command, detector_file, voice_folder, tmp_path
):
    def refused(corpus, *arguments):
        detector = ["-m", detector_file] if command == "evaluate" else []
        _, err = run(command, *detector, corpus, *arguments, code=ExitCode.REFUSED)
        return " ".join(err.split())

    text = (voice_folder / "labels.csv").read_text()
    (tmp_path / "three.csv").write_text(text.replace(",human,", ",real,", 1))
    told = refused(tmp_path / "three.csv", "--audio-dir", voice_folder)
    assert "three.csv has the labels human, real, synthetic in the column label: two are needed" in told
    lines = [line for line in (voice_folder / "labels.csv").read_text().splitlines() if ",human," in line]
    broken = ["path,label,speaker,system", *lines, "broken/page.wav,synthetic,speaker-1,synthetic-0"]
    (tmp_path / "broken.csv").write_text("\n".join(broken))
    told = refused(tmp_path / "broken.csv", "--audio-dir", voice_folder)
    assert "all recordings that could be read have the label human in the column label" in told
    for position, label in enumerate(("human", "real", "synthetic")):
        (tmp_path / "folder" / label).mkdir(parents=True)
        shutil.copy(voice_folder / "voices" / f"{position}.wav", tmp_path / "folder" / label)
    told = refused(tmp_path / "folder")
    assert "folder has the labels human, real, synthetic: two are needed" in told
    assert "--where" not in told


def test_evaluate_names_recordings_of_the_training(voice_folder, tmp_path):
    lines = (voice_folder / "labels.csv").read_text().splitlines()
    (tmp_path / "train.csv").write_text("\n".join(lines[:13]))
    of_voices = ("--audio-dir", voice_folder)
    small = (
        "--kind",
        "dynamics",
        "--set",
        "classifier.units=4",
        "--set",
        "classifier.max_steps=2",
        "--set",
        "features.n_mfcc=6",
    )
    run("train", tmp_path / "train.csv", *of_voices, "-o", tmp_path / "detector", *small)
    (tmp_path / "test.csv").write_text("\n".join([lines[0], *lines[11:]]))
    for _ in range(2):  # features are computed, and then in the cache
        arguments = ("evaluate", "-m", tmp_path / "detector", tmp_path / "test.csv", *of_voices)
        out, err = run(*arguments, "--json", "--cache", tmp_path / "cache")
        assert json.loads(out)["n_in_training"] == 2
        assert re.search(r"2 of 14 recordings were in the detector's training: .*10\.wav, .*11\.wav\.", err)
    assert "2 recordings were in the detector's training" in run(*arguments)[0]
    (tmp_path / "test.csv").write_text("\n".join([lines[0], *lines[12:]]))
    assert "1 recording was in the detector's training" in run(*arguments)[0]
    (tmp_path / "test.csv").write_text("\n".join([lines[0], *lines[13:]]))
    out, err = run(*arguments, "--json")
    assert json.loads(out)["n_in_training"] == 0
    assert "training" not in err


@pytest.mark.parametrize(("human", "synthetic"), [("bonafide", "spoof"), ("human", "VITS"), ("1", "0")])
def test_other_words_for_the_classes_are_taken_for_them(
    human, synthetic, detector_file, voice_folder, tmp_path
):
    text = (voice_folder / "labels.csv").read_text()
    text = text.replace(",human,", f",{human},").replace(",synthetic,", f",{synthetic},")
    (tmp_path / "labels.csv").write_text(text)
    arguments = ("--json", "--audio-dir", voice_folder, *(("--human", human) if human == "1" else ()))
    out, err = run("evaluate", "-m", detector_file, tmp_path / "labels.csv", *arguments)
    expected, _ = run("evaluate", "-m", detector_file, voice_folder / "labels.csv", "--json")
    assert json.loads(out) == json.loads(expected)
    assert f"{human} and {synthetic} are taken for human and synthetic of" in err
