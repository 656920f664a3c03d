"""The sub-commands, in this process; test_command_process.py starts real ones."""

import csv
import io
import json
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import FixedThresholdClassifier, StratifiedGroupKFold, cross_val_score

import voicelstm
from voicelstm import (
    MFCCTransformer,
    SequenceStore,
    calibrate,
    evaluate,
    load,
    make_detector,
    save,
    score_timeline,
    tune_threshold,
)
from voicelstm.command._command_line import command_line
from voicelstm.command._exit_codes import EXIT_CODES, ExitCode
from voicelstm.datasets import UnseenSystems, balanced_weights, load_csv
from voicelstm.exceptions import TrainingError

SMALL = {"classifier.units": "4", "classifier.max_steps": "3", "features.n_mfcc": "8"}
SET = [text for name, value in SMALL.items() for text in ("--set", f"{name}={value}")]


def run(*arguments, code=ExitCode.FINE, given=None):
    """Run the command, and return what it wrote to standard output and to standard error."""
    done = CliRunner().invoke(command_line, [str(each) for each in arguments], input=given)
    assert done.exit_code == code, f"{done.exit_code}\n{done.output}"
    return done.stdout, done.stderr


def small_detector_as_trained():
    params = {"classifier__units": (4,), "classifier__max_steps": 3, "features__n_mfcc": 8}
    return make_detector(random_state=0, **params)


@pytest.fixture
def voices(voice_folder):
    return [str(voice_folder / "voices" / f"{position}.wav") for position in range(24)]


# detect


def test_detect_writes_a_line_with_tabs_for_each_recording(detector_file, small_detector, voices):
    out, err = run("detect", detector_file, *voices[:4])
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[0] for row in rows] == voices[:4]
    assert [row[1] for row in rows] == small_detector.predict(voices[:4]).tolist()
    probability = small_detector.predict_proba(voices[:4]).max(axis=1)
    np.testing.assert_allclose([float(row[2]) for row in rows], probability, atol=6e-4)
    score = small_detector.decision_function(voices[:4])
    np.testing.assert_allclose([float(row[3]) for row in rows], score, atol=6e-3)
    assert err == ""


def test_detect_writes_json_lines_and_csv(detector_file, small_detector, voices):
    out, _ = run("detect", detector_file, *voices[:2], "missing.wav", "--json", code=ExitCode.SOME_FAILED)
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["recording"] for row in rows] == [*voices[:2], "missing.wav"]
    expected = small_detector.predict_proba(voices[:2])
    found = [[row["probabilities"][name] for name in ("human", "synthetic")] for row in rows[:2]]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert set(rows[2]) == {"recording", "error"}
    out, _ = run("detect", detector_file, *voices[:2], "missing.wav", "--csv", code=ExitCode.SOME_FAILED)
    again = list(csv.DictReader(io.StringIO(out)))
    assert [float(row["probability_synthetic"]) for row in again[:2]] == [row[1] for row in found]
    assert again[2]["error"] == rows[2]["error"]
    assert again[2]["label"] == again[0]["error"] == ""


def test_detect_hears_folders_in_natural_order_and_lists_what_failed_at_the_end(
    detector_file, voice_folder, voices
):
    (voice_folder / "none").mkdir(exist_ok=True)
    asked = [voice_folder / "broken", voice_folder / "voices", voice_folder / "none", "missing.wav"]
    out, err = run("detect", detector_file, *asked, code=ExitCode.SOME_FAILED)
    assert [line.split("\t")[0] for line in out.splitlines()] == voices
    first, *reasons = err.splitlines()
    assert first == "voicelstm: 4 of 28 recordings failed and are left out:"
    for name, reason in {
        "none": "a folder without audio files",
        "empty.wav": "found an empty file",
        "page.wav": "found an HTML page",
        "missing.wav": "no such file",
    }.items():
        assert sum(f"{name}: {reason}" in line for line in reasons) == 1


def test_detect_takes_a_recording_or_names_from_standard_input(detector_file, voices, tmp_path):
    content = Path(voices[0]).read_bytes()
    heard, _ = run("detect", detector_file, voices[0])
    out, _ = run("detect", detector_file, "-", given=content)
    assert out == heard.replace(voices[0], "-")
    out, _ = run("detect", detector_file, "--files-from", "-", given=f"{voices[0]}\n\n{voices[1]}\n")
    assert [line.split("\t")[0] for line in out.splitlines()] == voices[:2]
    _, err = run("detect", detector_file, "-", given=b"text", code=ExitCode.SOME_FAILED)
    assert "  standard input: found text ('text'), not audio" in err
    _, err = run("detect", detector_file, "-", "--files-from", "-", given=b"", code=ExitCode.USAGE)
    assert "Standard input holds one thing" in err


def test_detect_writes_names_as_they_are(detector_file, voices, tmp_path):
    content = Path(voices[0]).read_bytes()
    for name in (b"[bold] :smile:.wav", b"\xff.wav"):
        path = tmp_path / os.fsdecode(name)
        try:
            path.write_bytes(content)
        except OSError:
            # macOS's takes no others; the name before this one has been tested by now.
            pytest.skip("a file system of UTF-8 names")
        done = CliRunner().invoke(command_line, ["detect", str(detector_file), str(path)])
        assert done.stdout_bytes.split(b"\t")[0] == os.fsencode(path)
        out, _ = run("detect", detector_file, path, "--json")
        assert json.loads(out)["recording"] == str(path)


def test_detect_decides_by_the_threshold_it_is_given(detector_file, small_detector, voices):
    scores = small_detector.decision_function(voices)
    threshold = float(np.sort(scores)[4:6].mean())
    out, _ = run("detect", detector_file, *voices, "--threshold", threshold)
    labels = [line.split("\t")[1] for line in out.splitlines()]
    assert labels == np.where(scores >= threshold, "synthetic", "human").tolist()


def test_detect_gives_scores_over_time(detector_file, small_detector, voices, tmp_path):
    long = tmp_path / "long.wav"
    soundfile.write(long, np.concatenate([soundfile.read(path)[0] for path in voices[:8]]), 16000)
    (expected,) = score_timeline(small_detector, [long])
    assert len(expected) > 1
    out, _ = run("detect", detector_file, long, "--timeline", "--json")
    found = json.loads(out)["timeline"]
    for name in expected.dtype.names:
        np.testing.assert_allclose([row[name] for row in found], expected[name], rtol=1e-4)
    out, _ = run("detect", detector_file, long, "--timeline")
    rows = [line.split("\t") for line in out.splitlines()]
    np.testing.assert_allclose([float(row[3]) for row in rows], expected["log_odds"], atol=6e-3)
    assert [row[4] for row in rows] == np.where(expected["log_odds"] >= 0, "synthetic", "human").tolist()


def test_segments_are_decided_by_the_threshold_of_the_detector(
    small_detector, small_voices, voices, tmp_path
):
    path = tmp_path / "detector"
    (X, y), held_out = small_voices
    log_odds = [float(each["log_odds"][0]) for each in score_timeline(small_detector, voices[:8])]
    middle = float(np.sort(log_odds)[3:5].mean())
    expected = np.where(np.array(log_odds) >= middle, "synthetic", "human").tolist()
    frozen = FrozenEstimator(small_detector)
    # The same threshold, said in five ways.
    probability = float(1 / (1 + np.exp(-middle)))
    of_log_odds = {"response_method": "decision_function"}
    for own, asked in [
        ({"threshold": middle} | of_log_odds, ()),
        ({"threshold": -middle, "pos_label": "human"} | of_log_odds, ()),
        ({"threshold": probability, "response_method": "predict_proba"}, ()),
        ({"threshold": 1 - probability, "pos_label": "human"}, ()),
        ({"threshold": 0.999}, ("--threshold", middle)),
    ]:
        save(FixedThresholdClassifier(frozen, **({"pos_label": "synthetic"} | own)).fit(X, y), path)
        out, _ = run("detect", path, *voices[:8], "--timeline", *asked)
        first = {line.split("\t")[0]: line.split("\t")[4] for line in reversed(out.splitlines())}
        assert [first[name] for name in voices[:8]] == expected
    # What it says of whole recordings are probabilities.
    save(calibrate(small_detector, *held_out), path)
    out, _ = run("detect", path, voices[0], "--timeline", "--threshold", "0.5")
    assert {line.split("\t")[4] for line in out.splitlines()} == {""}


def test_detect_knows_more_than_two_classes(small_voices, voices, tmp_path):
    X, _ = small_voices[0]
    three = small_detector_as_trained().fit(X, ["a", "b", "c", "a"] * 5)
    save(three, tmp_path / "three")
    rows = list(csv.DictReader(io.StringIO(run("detect", tmp_path / "three", *voices[:3], "--csv")[0])))
    assert [row["label"] for row in rows] == three.predict(voices[:3]).tolist()
    assert {row["score"] for row in rows} == {""}
    found = [[float(row[f"probability_{name}"]) for name in "abc"] for row in rows]
    np.testing.assert_allclose(found, three.predict_proba(voices[:3]), rtol=1e-5)
    out, _ = run("detect", tmp_path / "three", *voices[:3])
    assert [len(line.split("\t")) for line in out.splitlines()] == [3, 3, 3]
    _, err = run("detect", tmp_path / "three", voices[0], "--timeline", code=ExitCode.USAGE)
    assert "--timeline of 3 classes is for --json" in err
    out, _ = run("detect", tmp_path / "three", voices[0], "--timeline", "--json")
    assert len(json.loads(out)["timeline"][0]["log_odds"]) == 3


# train


def test_train_writes_the_detector_that_the_library_would_fit(voice_folder, voices, tmp_path):
    out, err = run("train", voice_folder / "labels.csv", "-o", tmp_path / "d", *SET)
    assert "Trained on 24 recordings: 12 human, 12 synthetic." in out
    assert err == ""
    corpus = load_csv(voice_folder / "labels.csv")
    expected = small_detector_as_trained().fit(corpus.recordings, corpus.target)
    found = load(tmp_path / "d")
    np.testing.assert_allclose(found.decision_function(voices), expected.decision_function(voices), rtol=1e-5)
    assert found["features"].get_params() == MFCCTransformer(**expected["features"].get_params()).get_params()


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


def test_train_leaves_out_what_it_cannot_read_and_says_so(voice_folder, voices, tmp_path):
    arguments = ("-o", tmp_path / "d", *SET, "--groups", "speaker", "--folds", 2)
    out, err = run("train", voice_folder / "broken.csv", *arguments, code=ExitCode.SOME_FAILED)
    assert "Trained on 24 recordings" in out
    assert "2 of 26 recordings failed and are left out" in err
    assert err.count("page.wav") == err.count("empty.wav") == 1
    run("train", voice_folder / "labels.csv", "-o", tmp_path / "whole", *SET)
    scores = [load(tmp_path / name).decision_function(voices) for name in ("d", "whole")]
    np.testing.assert_array_equal(*scores)


def test_train_that_fails_leaves_the_old_file(detector_file, voice_folder, tmp_path, monkeypatch):
    old = tmp_path / "d"
    old.write_bytes(detector_file.read_bytes())
    monkeypatch.setattr("voicelstm.classifier._classifier.fit_classifier", _fails)
    _, err = run("train", voice_folder / "labels.csv", "-o", old, *SET, code=ExitCode.REFUSED)
    assert err == "voicelstm: error: The loss became nan.\n"
    assert [(path, path.read_bytes()) for path in tmp_path.iterdir()] == [(old, detector_file.read_bytes())]


def _fails(*_, **__):
    raise TrainingError("The loss became nan.")


def test_train_keeps_features_in_the_cache_for_the_next_run(voice_folder, voices, tmp_path, monkeypatch):
    arguments = ("train", voice_folder / "labels.csv", *SET, "--cache", tmp_path / "cache")
    run(*arguments, "-o", tmp_path / "first")
    with monkeypatch.context() as patched:
        patched.setattr("voicelstm.features._workers.extract", None)  # nothing is left to compute
        run(*arguments, "-o", tmp_path / "second")
    scores = [load(tmp_path / name).decision_function(voices) for name in ("first", "second")]
    np.testing.assert_array_equal(*scores)


# evaluate, audit


def test_evaluate_reports_what_the_library_does(detector_file, small_detector, voice_folder):
    corpus = load_csv(voice_folder / "labels.csv")
    expected = evaluate(
        small_detector, corpus.recordings, corpus.target, corpus.groups, by=["system"], random_state=0
    )
    arguments = ("evaluate", detector_file, voice_folder / "labels.csv", "--by", "system")
    found = json.loads(run(*arguments, "--json")[0])
    assert [row["value"] for row in found["rows"]] == [row.value for row in expected.rows]
    for row, other in zip(found["rows"], expected.rows, strict=True):
        assert row["eer"]["value"] == pytest.approx(other.eer.value, rel=1e-5)
        assert row["cllr"]["high"] == pytest.approx(other.cllr.high, rel=1e-4)
    table, _ = run(*arguments)
    for row in expected.rows:
        assert re.search(rf"(?m)^ +{row.value} +12 +{row.n_synthetic} +{100 * row.eer.value:.1f} ", table)
    rows = list(csv.DictReader(io.StringIO(run(*arguments[:3], "--csv")[0])))
    assert [row["value"] for row in rows] == ["all"]
    assert float(rows[0]["eer_low"]) == pytest.approx(expected.overall.eer.low, rel=1e-5)


def test_evaluate_takes_wrapped_detectors_apart(small_detector, small_voices, voice_folder, tmp_path):
    tuned = tune_threshold(calibrate(small_detector, *small_voices[1]), *small_voices[1])
    save(tuned, tmp_path / "tuned")
    corpus = load_csv(voice_folder / "labels.csv")
    expected = evaluate(tuned, corpus.recordings, corpus.target, by=[], n_resamples=0).overall
    out, _ = run("evaluate", tmp_path / "tuned", voice_folder / "labels.csv", "--json")
    (found,) = json.loads(out)["rows"]
    for name in ("eer", "act_dcf", "cllr", "miss", "false_alarm"):
        assert found[name]["value"] == pytest.approx(getattr(expected, name).value, rel=1e-4)


def test_evaluate_leaves_out_what_it_cannot_read(detector_file, voice_folder):
    arguments = ("evaluate", detector_file, voice_folder / "broken.csv", "--json")
    out, err = run(*arguments, code=ExitCode.SOME_FAILED)
    assert (
        json.loads(out)["rows"]
        == json.loads(run("evaluate", detector_file, voice_folder / "labels.csv", "--json")[0])["rows"]
    )
    assert "2 of 26 recordings failed" in err


def test_evaluate_refuses_labels_that_are_not_the_detectors(detector_file, voice_folder, tmp_path):
    text = (voice_folder / "labels.csv").read_text().replace(",human,", ",real,")
    (tmp_path / "labels.csv").write_text(text)
    arguments = ("evaluate", detector_file, tmp_path / "labels.csv", "--audio-dir", voice_folder)
    _, err = run(*arguments, code=ExitCode.REFUSED)
    assert "['real', 'synthetic']" in err


def test_audit_finds_a_class_that_is_louder(voice_folder, tmp_path):
    lines = (voice_folder / "labels.csv").read_text().splitlines()
    for line in lines[1:]:
        path, label = line.split(",")[:2]
        samples, rate = soundfile.read(voice_folder / path)
        (tmp_path / path).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / path, samples * (0.1 if label == "human" else 1), rate, subtype="FLOAT")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    out, _ = run("audit", tmp_path / "labels.csv")
    assert re.search(r"(?m)^ *level +1\.00 .* shortcut", out)
    assert "- level alone tells the classes apart: AUC 1.00" in out
    out, _ = run("audit", tmp_path / "labels.csv", "--strict", "--json", code=ExitCode.FOUND)
    report = json.loads(out)
    assert {each["name"] for each in report["variables"] if each["is_shortcut"]} >= {"level", "peak"}
    assert any(finding.startswith("level alone") for finding in report["findings"])
    rows = list(csv.DictReader(io.StringIO(run("audit", tmp_path / "labels.csv", "--csv")[0])))
    assert {row["name"] for row in rows if row["is_shortcut"] == "True"} >= {"level", "peak"}


def test_audit_leaves_out_what_it_cannot_read(voice_folder):
    out, err = run("audit", voice_folder / "broken.csv", "--json", code=ExitCode.SOME_FAILED)
    assert json.loads(out) == json.loads(run("audit", voice_folder / "labels.csv", "--json")[0])
    assert "2 of 26 recordings failed" in err


# features, info


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


def test_names_cannot_break_lines_or_steer_a_terminal(detector_file, voices, tmp_path):
    names = [tmp_path / "a\tb.wav", tmp_path / "a\nb.wav", tmp_path / "a\x1b[31mb.wav"]
    for name in names[:2]:
        name.write_bytes(Path(voices[0]).read_bytes())
    out, err = run("detect", detector_file, *names, code=ExitCode.SOME_FAILED)
    escaped = [line.split("\t")[0].removeprefix(f"{tmp_path}/") for line in out.splitlines()]
    assert escaped == [r"a\tb.wav", r"a\nb.wav"]
    assert r"a\x1b[31mb.wav: no such file" in err
    assert "\x1b" not in err
    out, _ = run("detect", detector_file, names[0], "--json")
    assert json.loads(out)["recording"] == str(names[0])


def test_lists_of_names_may_begin_with_a_byte_order_mark(detector_file, voices, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("\n".join(voices[:2]), encoding="utf-8-sig")
    for listed, given in ((names, None), ("-", names.read_bytes())):
        out, _ = run("detect", detector_file, "--files-from", listed, given=given)
        assert [line.split("\t")[0] for line in out.splitlines()] == voices[:2]


def test_features_can_be_those_of_a_detector(detector_file, voices, tmp_path):
    run("features", voices[0], "-o", tmp_path / "store", "--like", detector_file)
    assert SequenceStore(tmp_path / "store").n_features == 8  # as conftest.py fits it
    arguments = ("features", voices[0], "-o", tmp_path / "store", "--set", "n_mfcc=5")
    _, err = run(*arguments, code=ExitCode.REFUSED)
    assert "other parameters" in err or "n_mfcc" in err


def test_info_says_what_a_file_holds(detector_file, small_detector, small_voices, tmp_path):
    facts = json.loads(run("info", detector_file, "--json")[0])
    assert facts["classes"] == ["human", "synthetic"]
    assert facts["size"] == detector_file.stat().st_size
    assert facts["written by"].startswith(f"voicelstm {voicelstm.__version__}, ")
    assert facts["features"]["settings"]["n_mfcc"] == 8
    assert facts["classifier"]["settings"]["units"] == [6]
    # One layer of 6: 4 gates of 6 by (inputs + 6 outputs) and 6 biases; 6 weights and a bias decide.
    inputs = small_detector["classifier"].n_features_in_
    assert facts["classifier"]["weights"] == 4 * 6 * (inputs + 6) + 4 * 6 + 6 + 1
    out, _ = run("info", detector_file)
    assert re.search(r"(?m)^classes +human, synthetic *$", out)

    tuned = voicelstm.tune_threshold(small_detector, *small_voices[1])
    save(tuned, tmp_path / "tuned")
    facts = json.loads(run("info", tmp_path / "tuned", "--json")[0])
    assert facts["threshold"] == pytest.approx(tuned.threshold)
    assert "tuned" not in run("info", tmp_path / "tuned")[0].splitlines()[-1]


def test_info_lists_devices():
    facts = json.loads(run("info", "--devices", "--json")[0])
    assert any(name.startswith(("cpu", "gpu", "cuda")) for name in facts["devices"])
    assert facts["voicelstm"] == voicelstm.__version__


# for all


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["detect", "{detector}"], "Name recordings"),
        (["detect", "missing.voicelstm", "a.wav"], "does not exist"),
        (["detect", "{detector}", "a.wav", "--threshold", "high"], "not a valid float"),
        (["detect", "{detector}", "a.wav", "--json", "--csv"], "exclude each other"),
        (["train", "{labels}"], "Missing option '-o'"),
        (["train", "{labels}", "-o", "missing/d"], "The folder missing does not exist"),
        (["train", "{labels}", "-o", "/proc/detector"], "/proc/detector cannot be written"),
        (["train", "{labels}", "-o", "d", "--seed", "-1"], "'--seed': -1 is not in the range"),
        (
            ["train", "{labels}", "-o", "d", "--balance", "person"],
            "--balance person: there is no such column",
        ),
        (["train", "{labels}", "-o", "d", "-j", "0"], "0 reads nothing"),
        (["detect", "{detector}", "a.wav", "--jobs", "0"], "0 reads nothing"),
        (["train", "{labels}", "-o", "{labels}"], "is there already, and is no detector"),
        (["detect", "{detector}", "a.wav", "--threshold", "nan"], "NaN, which decides nothing"),
        (["train", "{labels}", "-o", "d", "--set", "clasifier.units=3"], "Did you mean classifier.units"),
        (["train", "{labels}", "-o", "d", "--set", "units=3"], "Did you mean classifier.units?"),
        (["train", "{labels}", "-o", "d", "--set", "classifier.units"], "not of the form name=value"),
        (["train", "{labels}", "-o", "d", "--set", "classifier.pooling=maen"], "'maen'"),
        (["train", "{labels}", "-o", "d", "--set", "features.n_mfcc=500"], "n_filters=120"),
        (["train", "{labels}", "-o", "d", "--where", "subset"], "not of the form column=value"),
        (["train", "{labels}", "-o", "d", "--groups", "person"], "there are: speaker, system"),
        (["train", "{labels}", "-o", "d", "--unseen", "system"], "--unseen system needs --groups"),
        (
            ["train", "{labels}", "-o", "d", "--groups", "speaker", "--unseen", "speaker"],
            "another column",
        ),
        (["train", "{folder}", "-o", "d", "--where", "a=b"], "a folder has no columns"),
        (["evaluate", "{detector}", "{labels}", "--by", "person"], "speaker, system"),
        (["audit", "{labels}", "--splits", "subset"], "speaker, system"),
        (["features", "a.wav"], "Missing option '-o'"),
        (["info"], "Name a detector"),
        (["nonsense"], "No such command 'nonsense'"),
    ],
)
def test_wrong_usage_says_what_would_be_right(
    arguments, said, detector_file, voice_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    places = {"detector": detector_file, "labels": voice_folder / "labels.csv", "folder": voice_folder}
    _, err = run(*(each.format(**places) for each in arguments), code=ExitCode.USAGE)
    assert said in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["detect", "{broken}", "a.wav"], "broken.voicelstm: not a model file"),
        (["info", "{broken}"], "broken.voicelstm: not a model file"),
        (["detect", "{front_end}", "a.wav"], "got a MFCCTransformer"),
        (["evaluate", "{front_end}", "{labels}"], "got a MFCCTransformer"),
        (["train", "{missing}", "-o", "d"], "Missing files (1)"),
        (["train", "{labels}", "-o", "d", "--where", "speaker=nobody"], "No row matches"),
        (["train", "{unreadable}", "-o", "d"], "No recording could be read"),
        (["audit", "{unreadable}"], "2 of 2 recordings failed"),
        (["features", "{labels}", "-o", "{folder}"], "no sequences"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(
    arguments, said, detector_file, voice_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.voicelstm").write_bytes(detector_file.read_bytes()[:100])
    save(MFCCTransformer().fit(["a.wav"]), tmp_path / "front_end")
    (tmp_path / "missing.csv").write_text("path,label\nmissing.wav,human\n")
    unreadable = voice_folder / "unreadable.csv"
    unreadable.write_text("path,label\nbroken/page.wav,human\nbroken/empty.wav,synthetic\n")
    places = {
        "broken": tmp_path / "broken.voicelstm",
        "front_end": tmp_path / "front_end",
        "labels": voice_folder / "labels.csv",
        "missing": tmp_path / "missing.csv",
        "unreadable": unreadable,
        "folder": voice_folder,
    }
    out, err = run(*(each.format(**places) for each in arguments), code=ExitCode.REFUSED)
    assert out == ""
    assert err.startswith("voicelstm: error: ")
    assert said in err
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (KeyboardInterrupt, ExitCode.INTERRUPTED, "voicelstm: interrupted"),
        (BrokenPipeError, ExitCode.CLOSED_PIPE, ""),
        (ZeroDivisionError, ExitCode.BUG, "ZeroDivisionError"),
    ],
)
def test_other_ends_have_codes_of_their_own(raised, code, said, detector_file, monkeypatch):
    def load(path):
        raise raised

    monkeypatch.setattr("voicelstm.load", load)
    _, err = run("info", detector_file, code=code)
    assert said in err
    assert ("Traceback" in err) == (code is ExitCode.BUG)


def test_help_names_every_exit_code():
    out, _ = run("--help")
    assert {int(line.split()[0]) for line in out.split("Exit codes:")[1].splitlines() if line.strip()} == set(
        ExitCode
    )
    assert "Exit codes:" in EXIT_CODES


@pytest.mark.parametrize("name", list(command_line.commands))
def test_help_has_examples_that_the_command_would_take(name):
    out, _ = run(name, "--help")
    assert max(map(len, out.splitlines())) <= 80
    examples = re.findall(rf"(?m)voicelstm {name} ([^|>&\n]*)", out.split("Examples:")[1])
    assert len(examples) >= 3
    command = command_line.commands[name]
    known = {option for param in command.params for option in param.opts}
    for example in examples:
        asked = {word for word in shlex.split(example) if word.startswith("-") and word != "-"}
        assert asked <= known, example
        # Files need not be there; unknown options and missing arguments would be errors.
        command.make_context(name, shlex.split(example), resilient_parsing=True)


def test_verbose_shows_the_librarys_log_wherever_it_stands(voice_folder, tmp_path):
    arguments = ("train", voice_folder / "labels.csv", "-o", tmp_path / "d", *SET)
    for chosen in (("-v", *arguments), (*arguments, "-v")):
        _, err = run(*chosen)
        assert re.search(r"voicelstm\.network\._training: epoch 1 of \d+: .*loss", err)
        assert f"wrote {tmp_path / 'd'}" in err
    assert run(*arguments)[1] == ""


def test_a_name_that_the_system_refuses_is_a_recording_that_fails(detector_file, voice_folder):
    good = f"{voice_folder}/voices/0.wav"
    out, err = run("detect", detector_file, "x" * 5000, good, code=ExitCode.SOME_FAILED)
    assert out.startswith(good)
    assert "1 of 2 recordings failed" in err
