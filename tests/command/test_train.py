import json
import re
import signal
import subprocess

import numpy as np
import pytest
import soundfile

from tests.command.runner import COMMAND, SET, run, small_detector_as_trained
from voicelstm import MFCCTransformer, SequenceStore, fine_tune, load, load_pretrained, make_detector
from voicelstm.command._exit_codes import ExitCode
from voicelstm.datasets import load_csv
from voicelstm.exceptions import TrainingError


def test_train_writes_the_detector_that_the_library_would_fit(voice_folder, voices, tmp_path):
    out, err = run("train", voice_folder / "labels.csv", "-o", tmp_path / "d", *SET)
    assert "Trained on 24 recordings: 12 human, 12 synthetic." in out
    assert err == ""
    corpus = load_csv(voice_folder / "labels.csv")
    expected = small_detector_as_trained().fit(corpus.recordings, corpus.target)
    found = load(tmp_path / "d")
    np.testing.assert_allclose(found.decision_function(voices), expected.decision_function(voices), rtol=1e-5)
    assert found["features"].get_params() == MFCCTransformer(**expected["features"].get_params()).get_params()


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


def test_train_makes_the_default_of_the_library_and_tells_what_takes_long(
    voice_folder, voices, tmp_path, caplog
):
    small = ("classifier.convolutions=((2,3,4),(2,3,4))", "classifier.units=3", "classifier.batch_size=8")
    changes = [text for each in (*small, "classifier.max_steps=2") for text in ("--set", each)]
    out, _ = run("-v", "train", voice_folder / "labels.csv", "-o", tmp_path / "d", *changes)
    assert "Trained on 24 recordings: 12 human, 12 synthetic." in out
    assert "2 batches of 8 segments." in caplog.text
    assert "--kind dynamics takes seconds" in caplog.text
    found = load(tmp_path / "d")
    assert list(found.named_steps) == ["features", "classifier"]
    expected = make_detector(
        random_state=0,
        classifier__convolutions=((2, 3, 4), (2, 3, 4)),
        classifier__units=(3,),
        classifier__batch_size=8,
        classifier__max_steps=2,
    )
    corpus = load_csv(voice_folder / "labels.csv")
    expected.fit(corpus.recordings, corpus.target)
    np.testing.assert_allclose(found.decision_function(voices), expected.decision_function(voices), rtol=1e-5)
    answers = run("detect", "-m", tmp_path / "d", *voices[:2], "--json")[0].splitlines()
    scores = [json.loads(each)["score"] for each in answers]
    np.testing.assert_allclose(scores, expected.decision_function(voices[:2]), rtol=1e-4)
    evaluated = run("evaluate", "-m", tmp_path / "d", voice_folder / "labels.csv")[0]
    assert "24 recordings were in the detector's training" in evaluated
    run("features", voices[0], "-o", tmp_path / "store", "--like", tmp_path / "d")
    assert SequenceStore(tmp_path / "store").n_features == 80


def test_ctrl_c_leaves_the_old_detector_and_no_half_file(detector_file, voice_folder, tmp_path):
    output = tmp_path / "detector.voicelstm"
    output.write_bytes(detector_file.read_bytes())
    train = [*COMMAND, "-v", "train", voice_folder / "labels.csv", "-o", output]
    train += ["--kind", "dynamics", "--set", "classifier.max_steps=1000000"]
    with subprocess.Popen(train, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr:  # until it is in the midst of training
                if "epoch 2 of" in line:
                    break
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == ExitCode.INTERRUPTED
    assert err.endswith("voicelstm: interrupted\n")
    assert "Traceback" not in err
    assert out == ""
    assert output.read_bytes() == detector_file.read_bytes()
    assert list(tmp_path.iterdir()) == [output]


def test_the_human_class_of_numbers_is_asked_for_and_travels_from_train_to_evaluate_and_audit(
    voice_folder, tmp_path
):
    text = (voice_folder / "labels.csv").read_text()
    numbers = {}
    for human in (0, 1):
        numbers[human] = tmp_path / f"{human}.csv"
        numbered = text.replace(",human,", f",{human},").replace(",synthetic,", f",{1 - human},")
        numbers[human].write_text(numbered)
    where = ("--audio-dir", voice_folder)
    ways = ("--groups", "speaker", "--unseen", "system")
    told = {}
    for human, labels in numbers.items():
        train = ("train", labels, *where, "-o", tmp_path / "d", *SET, *ways, "--json")
        _, err = run(*train, code=ExitCode.USAGE)
        assert f"{labels.name} has the classes 0 and 1" in err
        assert "--human 0 or --human 1" in err
        assert not (tmp_path / "d").exists()
        out, _ = run(*train, "--human", human)
        assert load(tmp_path / "d")["classifier"].human_label_ == human
        evaluated = run("evaluate", "-m", tmp_path / "d", labels, *where, "--by", "system", "--json")[0]
        _, err = run("audit", labels, *where, code=ExitCode.USAGE)
        assert "--human 0 or --human 1" in err
        audited = run("audit", labels, *where, "--human", human, "--json")[0]
        told[human] = [json.loads(each) for each in (out, evaluated, audited)]
        (tmp_path / "d").unlink()
    # Two trainings, since first weights do not turn round with the labels; of the same human recordings.
    counted = [
        (
            trained["cross_validation"]["names"],
            [(row["value"], row["n_human"], row["n_synthetic"]) for row in evaluated["rows"]],
            audited,
        )
        for trained, evaluated, audited in told.values()
    ]
    assert counted[0] == counted[1]
    assert ("synthetic-0", 12, 2) in counted[0][1]


def test_train_suggests_only_columns_that_it_takes(voice_folder, tmp_path):
    # All human recordings are of one system, human; all synthetic ones are of one attack.
    header, *rows = (voice_folder / "labels.csv").read_text().splitlines()
    more = [f"{row},s-{row.split(',')[2]},{row.split(',')[1]}" for row in rows]
    (tmp_path / "labels.csv").write_text("\n".join([f"{header},session,attack", *more]))
    (tmp_path / "plain.csv").write_text("\n".join(",".join(row.split(",")[:2]) for row in [header, *rows]))

    def told(corpus, *arguments, code=ExitCode.FINE):
        where = ("--audio-dir", voice_folder, "-o", tmp_path / "d")
        return " ".join("".join(run("train", tmp_path / corpus, *where, *SET, *arguments, code=code)).split())

    found = told("labels.csv")
    assert "--groups speaker does that, or voicelstm evaluate on other recordings." in found
    assert "Columns to group by: speaker, session." in found
    for name in ("system", "attack"):
        assert "all human recordings have the same" in told(
            "labels.csv", "--groups", name, code=ExitCode.USAGE
        )
    found = told("labels.csv", "--groups", "session", "--folds", 2)
    assert "worse; --unseen system measures that." in found
    found = told("plain.csv")
    assert "was not measured: voicelstm evaluate on other recordings does that." in found
    assert "--groups" not in found


def test_train_suggests_no_unseen_systems_where_there_is_one(voice_folder, tmp_path):
    text = re.sub(r"synthetic-\d", "tts", (voice_folder / "labels.csv").read_text())
    (tmp_path / "labels.csv").write_text(text)
    arguments = ("train", tmp_path / "labels.csv", "--audio-dir", voice_folder, "-o", tmp_path / "d", *SET)
    ways = ("--groups", "speaker", "--folds", 2)
    run(*arguments, *ways, "--unseen", "system", code=ExitCode.USAGE)
    found = run(*arguments, *ways)[0]
    assert "Synthesis systems are in both training and test" in found
    assert "--unseen" not in found


def test_what_is_no_class_is_no_human_class(voice_folder, tmp_path):
    arguments = ("-o", tmp_path / "d", *SET, "--human", "real")
    _, err = run("train", voice_folder / "labels.csv", *arguments, code=ExitCode.USAGE)
    assert "--human real: the classes are human and synthetic" in err


def test_the_channel_that_is_trained_on_is_that_of_features_audit_and_evaluate(voice_folder, tmp_path):
    calls = tmp_path / "calls"
    (calls / "voices").mkdir(parents=True)
    for path in (voice_folder / "voices").glob("*.wav"):
        samples, rate = soundfile.read(path)
        soundfile.write(calls / "voices" / path.name, np.column_stack([-samples, samples]), rate)
    (calls / "labels.csv").write_text((voice_folder / "labels.csv").read_text())
    stereo, mono = calls / "labels.csv", voice_folder / "labels.csv"
    of_stereo, of_mono = tmp_path / "stereo.voicelstm", tmp_path / "mono.voicelstm"
    _, err = run("train", stereo, "-o", of_stereo, *SET, code=ExitCode.REFUSED)
    assert "choose one, --channel left or --channel right" in err
    run("train", stereo, "-o", of_stereo, *SET, "--channel", "right")
    run("train", mono, "-o", of_mono, *SET)
    assert load(of_stereo)["features"].channel == "right"
    assert load(of_mono)["features"].channel == "mean"
    expected, _ = run("evaluate", "-m", of_mono, mono, "--csv")
    assert run("evaluate", "-m", of_stereo, stereo, "--csv")[0] == expected
    assert run("evaluate", "-m", of_mono, stereo, "--csv", "--channel", "1")[0] == expected
    audited = run("audit", mono, "--csv")[0].splitlines()
    found = run("audit", stereo, "--csv", "--channel", "right")[0].splitlines()
    assert [line for line in found if "bit" not in line] == [line for line in audited if "bit" not in line]
    paths = [str(folder / "voices" / "0.wav") for folder in (calls, voice_folder)]
    run("features", paths[0], "-o", tmp_path / "a", "--channel", "right")
    run("features", paths[0], "-o", tmp_path / "b", "--like", of_stereo)
    run("features", paths[1], "-o", tmp_path / "c", "--like", of_mono)
    np.testing.assert_array_equal(SequenceStore(tmp_path / "b")[0], SequenceStore(tmp_path / "c")[0])
    assert len(SequenceStore(tmp_path / "a")[0]) == len(SequenceStore(tmp_path / "b")[0])
    _, err = run("audit", stereo, "--channel", "each", code=ExitCode.USAGE)
    assert "each is for detect" in err


def test_the_detector_of_the_package_is_adapted_to_recordings(voice_folder, voices, tmp_path):
    out, err = run(
        "train",
        voice_folder / "broken.csv",
        *("-o", tmp_path / "mine", "--from-pretrained", "--groups", "speaker"),
        code=ExitCode.SOME_FAILED,
    )
    assert "Adapted general-1 to 24 recordings: 12 human, 12 synthetic." in out
    assert "was not measured" in out
    assert "2 of 26 recordings failed and are left out" in err
    corpus = load_csv(voice_folder / "labels.csv")
    expected = fine_tune(load_pretrained(), corpus.recordings, corpus.target, groups=corpus.groups["speaker"])
    found = load(tmp_path / "mine")
    np.testing.assert_allclose(found.predict_proba(voices), expected.predict_proba(voices), rtol=1e-4)
    adapted_to = found.card_["adapted_to"]
    assert (adapted_to["n_human"], adapted_to["n_synthetic"]) == (12, 12)
    assert "Cllr of these recordings" in out


def test_labels_of_other_words_are_those_of_the_detector_of_the_package(voice_folder, tmp_path):
    text = (voice_folder / "labels.csv").read_text().replace(",human,", ",1,").replace(",synthetic,", ",0,")
    (voice_folder / "numbers.csv").write_text(text)
    arguments = ("--from-pretrained", "--human", 1)
    run("train", voice_folder / "numbers.csv", "-o", tmp_path / "numbers", *arguments)
    out, _ = run("train", voice_folder / "labels.csv", "-o", tmp_path / "words", "--from-pretrained")
    assert "--groups speaker keeps these together" in " ".join(out.split())
    numbers, words = (load(tmp_path / name) for name in ("numbers", "words"))
    calibrators = [each.calibrated_classifiers_[0].calibrators[0] for each in (numbers, words)]
    assert calibrators[0].a_ == pytest.approx(calibrators[1].a_)


def test_what_a_training_from_nothing_takes_is_refused(voice_folder, tmp_path):
    for option in (
        ["--kind", "dynamics"],
        ["--seed", 1],
        ["--folds", 3],
        ["--set", "classifier.units=3"],
        ["--cache", "c"],
    ):
        arguments = ("-o", tmp_path / "mine", "--from-pretrained", *option)
        _, err = run("train", voice_folder / "labels.csv", *arguments, code=ExitCode.USAGE)
        assert f"leave {option[0]} out" in err
    assert not (tmp_path / "mine").exists()
