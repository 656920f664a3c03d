import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier

from tests.command.runner import SET, run, shown_on_terminal, small_detector_as_trained
from voicelstm import calibrate, detect, load_pretrained, save, score_timeline
from voicelstm.command._exit_codes import ExitCode
from voicelstm.features import LEAST_SPEECH


def test_detect_writes_a_line_with_tabs_for_each_recording(detector_file, small_detector, voices):
    out, err = run("detect", "-m", detector_file, *voices[:4])
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[0] for row in rows] == voices[:4]
    assert [row[1] for row in rows] == small_detector.predict(voices[:4]).tolist()
    probability = small_detector.predict_proba(voices[:4]).max(axis=1)
    np.testing.assert_allclose([float(row[2]) for row in rows], probability, atol=6e-4)
    score = small_detector.decision_function(voices[:4])
    np.testing.assert_allclose([float(row[3]) for row in rows], score, atol=6e-3)
    assert err == ""


def test_detect_writes_json_lines_and_csv(detector_file, small_detector, voices):
    out, _ = run(
        "detect", "-m", detector_file, *voices[:2], "missing.wav", "--json", code=ExitCode.SOME_FAILED
    )
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["recording"] for row in rows] == [*voices[:2], "missing.wav"]
    expected = small_detector.predict_proba(voices[:2])
    found = [[row["probabilities"][name] for name in ("human", "synthetic")] for row in rows[:2]]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert set(rows[2]) == {"recording", "error"}
    out, _ = run(
        "detect", "-m", detector_file, *voices[:2], "missing.wav", "--csv", code=ExitCode.SOME_FAILED
    )
    again = list(csv.DictReader(io.StringIO(out)))
    assert [float(row["probability_synthetic"]) for row in again[:2]] == [row[1] for row in found]
    assert again[2]["error"] == rows[2]["error"]
    assert again[2]["label"] == again[0]["error"] == ""


def test_what_is_odd_about_a_file_stands_in_every_form_of_the_answer(detector_file, voices, tmp_path):
    content = Path(voices[0]).read_bytes()
    cut, silent = tmp_path / "cut.wav", tmp_path / "silent.wav"
    cut.write_bytes(content[: 44 + (len(content) - 44) * 3 // 4])
    silent.write_bytes(content[:44] + bytes((len(content) - 44) // 2))
    total = soundfile.info(voices[0]).duration
    words = f"cut off: {0.75 * total:.1f} of {total:.1f} s"
    out, err = run("detect", "-m", detector_file, cut)
    assert out.rstrip("\n").split("\t")[4].startswith(words)
    assert err == ""
    out, _ = run("detect", "-m", detector_file, cut, silent, "--csv", code=ExitCode.SOME_FAILED)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert words in rows[0]["warnings"]
    assert f"cut off: {total / 2:.1f} of " in rows[1]["warnings"]
    out, _ = run("detect", "-m", detector_file, cut, silent, "--json", code=ExitCode.SOME_FAILED)
    rows = [json.loads(line) for line in out.splitlines()]
    assert words in rows[0]["warnings"][0]
    assert f"cut off: {total / 2:.1f} of " in rows[1]["warnings"][0]
    assert "no speech" in rows[1]["error"]


def test_detect_decides_by_the_threshold_it_is_given(detector_file, small_detector, voices):
    scores = small_detector.decision_function(voices)
    threshold = float(np.sort(scores)[4:6].mean())
    out, _ = run("detect", "-m", detector_file, *voices, "--threshold", threshold)
    labels = [line.split("\t")[1] for line in out.splitlines()]
    assert labels == np.where(scores >= threshold, "synthetic", "human").tolist()


def test_without_a_model_the_detector_of_the_package_answers(voices):
    expected = list(detect(load_pretrained(), voices[:2]))
    for asked in ([], ["-m", "general-1"]):
        rows = [json.loads(line) for line in run("detect", *asked, *voices[:2], "--json")[0].splitlines()]
        assert [row["label"] for row in rows] == [each.label for each in expected]
        np.testing.assert_allclose(
            [row["score"] for row in rows], [each.score for each in expected], rtol=1e-5
        )


@pytest.fixture(scope="module")
def with_card(small_detector, small_voices, tmp_path_factory):
    """A calibrated detector whose card has an operating point, in a file."""
    detector = calibrate(small_detector, *small_voices[1])
    rates = {"human_called_synthetic": 0.125, "synthetic_called_human": 0.5}
    detector.card_ = {"operating_points": [{"name": "1 in 8", "threshold": 0.25} | rates]}
    path = tmp_path_factory.mktemp("with_card") / "d.voicelstm"
    save(detector, path)
    return path


def test_detect_decides_at_an_operating_point_of_the_card(with_card, voices):
    found = run("detect", "-m", with_card, *voices, "--operating-point", "1 in 8", "--json")[0]
    assert found == run("detect", "-m", with_card, *voices, "--threshold", "0.25", "--json")[0]
    assert found != run("detect", "-m", with_card, *voices, "--threshold", "-9", "--json")[0]


def test_operating_points_that_are_not_there_are_refused_with_those_that_are(
    with_card, detector_file, voices
):
    _, err = run("detect", "-m", with_card, voices[0], "--operating-point", "1 in 9", code=ExitCode.USAGE)
    assert "--operating-point '1 in 9': this detector has '1 in 8'." in err
    _, err = run("detect", "-m", detector_file, voices[0], "--operating-point", "x", code=ExitCode.USAGE)
    assert "--operating-point x: this detector has none" in err
    both = ("--operating-point", "1 in 8", "--threshold", "0")
    _, err = run("detect", "-m", with_card, voices[0], *both, code=ExitCode.USAGE)
    assert "--threshold and --operating-point exclude each other" in err


def test_the_table_ends_with_what_its_numbers_mean(with_card, voices, monkeypatch):
    def said(*arguments):
        lines = shown_on_terminal(monkeypatch, "detect", voices[0], *arguments)
        assert max(map(len, lines)) <= 80
        return " ".join(" ".join(lines).split())

    assert "at even odds, as if every other recording were synthetic: --prior 0.01 says" in said()
    found = said("-m", with_card, "--operating-point", "1 in 8", "--prior", "0.02")
    assert "1 in 8: synthetic from a score of +0.25. On sources and systems that training left" in found
    assert "if 1 recording in 50 is synthetic." in found
    assert "of whole recordings" in said("-m", with_card, "--operating-point", "1 in 8", "--timeline")


def test_a_table_without_answers_explains_none(tmp_path, monkeypatch):
    (tmp_path / "a.wav").touch()
    lines = shown_on_terminal(monkeypatch, "detect", tmp_path / "a.wav", code=ExitCode.SOME_FAILED)
    assert "".join(lines) == ""


def test_lines_for_programs_have_no_sentences(voices):
    for form in ([], ["--csv"], ["--json"]):
        out, err = run("detect", *voices[:2], *form)
        assert len(out.splitlines()) == 2 + (form == ["--csv"])
        assert err == ""


def test_segments_of_one_recording_are_warned_of_once_in_a_table(
    detector_file, voices, tmp_path, monkeypatch
):
    samples, rate = soundfile.read(voices[0])
    whole, cut = tmp_path / "whole.wav", tmp_path / "cut.wav"
    soundfile.write(whole, np.tile(samples, 12), rate)
    cut.write_bytes(whole.read_bytes()[:-2000])
    asked = ("detect", "-m", detector_file, cut, "--timeline")
    lines = shown_on_terminal(monkeypatch, *asked, columns=120)
    assert len([line for line in lines if "cut.wav" in line]) > 2
    (position,) = [position for position, line in enumerate(lines) if "cut off: " in line]
    assert "cut.wav" in lines[position - 1]
    out, _ = run(*asked)
    assert all("cut off: " in line for line in out.splitlines())


def test_detect_says_what_a_score_means_at_a_prior(
    detector_file, small_detector, small_voices, voices, tmp_path
):
    path = tmp_path / "calibrated"
    save(calibrate(small_detector, *small_voices[1]), path)
    out, _ = run("detect", "-m", path, *voices[:4], "--prior", "0.02", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    odds = np.exp([row["score"] for row in rows]) * 0.02 / 0.98
    np.testing.assert_allclose([row["posterior"] for row in rows], odds / (1 + odds), rtol=1e-6)
    out, _ = run("detect", "-m", path, *voices[:4], "--prior", "0.02", "--csv")
    again = list(csv.DictReader(io.StringIO(out)))
    assert [float(row["posterior"]) for row in again] == [row["posterior"] for row in rows]
    out, _ = run("detect", "-m", path, *voices[:4], "--prior", "0.02")
    assert [line.split("\t")[4] for line in out.splitlines()] == [f"{row['posterior']:.1%}" for row in rows]
    _, err = run("detect", "-m", detector_file, voices[0], "--prior", "0.02", code=ExitCode.USAGE)
    assert "--prior is for a calibrated detector" in err
    _, err = run("detect", "-m", path, voices[0], "--prior", "2", code=ExitCode.USAGE)
    assert "--prior 2.0: expected a share" in err


def test_detect_gives_scores_over_time(detector_file, small_detector, voices, tmp_path):
    long = tmp_path / "long.wav"
    soundfile.write(long, np.concatenate([soundfile.read(path)[0] for path in voices[:8]]), 16000)
    (expected,) = score_timeline(small_detector, [long])
    assert len(expected) > 1
    out, _ = run("detect", "-m", detector_file, long, "--timeline", "--json")
    found = json.loads(out)["timeline"]
    for name in expected.dtype.names:
        np.testing.assert_allclose([row[name] for row in found], expected[name], rtol=1e-4)
    out, _ = run("detect", "-m", detector_file, long, "--timeline")
    rows = [line.split("\t") for line in out.splitlines()]
    np.testing.assert_allclose([float(row[3]) for row in rows], expected["score"], atol=6e-3)
    assert [row[4] for row in rows] == np.where(expected["score"] >= 0, "synthetic", "human").tolist()


def test_segments_are_decided_by_the_threshold_of_the_detector(
    small_detector, small_voices, voices, tmp_path
):
    path = tmp_path / "detector"
    (X, y), held_out = small_voices
    log_odds = [float(each["score"][0]) for each in score_timeline(small_detector, voices[:8])]
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
        out, _ = run("detect", "-m", path, *voices[:8], "--timeline", *asked)
        first = {line.split("\t")[0]: line.split("\t")[4] for line in reversed(out.splitlines())}
        assert [first[name] for name in voices[:8]] == expected
    # Of a calibrated detector segments have scores from before calibration.
    save(calibrate(small_detector, *held_out), path)
    out, _ = run("detect", "-m", path, voices[0], "--timeline", "--threshold", "0.5")
    assert {line.split("\t")[4] for line in out.splitlines()} == {""}


def test_scores_are_log_odds_of_synthetic_whatever_the_labels_and_the_detector_are(
    small_voices, voices, tmp_path
):
    path = tmp_path / "detector"
    (X, y), (others, of_others) = small_voices
    for classes, human, asked in (
        (("real", "fake"), "real", ()),
        ((1, 0), "1", ("--human", "1")),
        ((0, 1), "0", ("--human", "0")),
    ):
        plain = small_detector_as_trained().fit(X, np.where(y == "human", *classes))
        for detector in (plain, calibrate(plain, others, np.where(of_others == "human", *classes))):
            save(detector, path)
            rows = [
                json.loads(line)
                for line in run("detect", "-m", path, *voices[:8], "--json", *asked)[0].splitlines()
            ]
            synthetic = [1 - row["probabilities"][human] for row in rows]
            found = 1 / (1 + np.exp([-row["score"] for row in rows]))
            np.testing.assert_allclose(found, synthetic, rtol=1e-4)
            out, _ = run("detect", "-m", path, *voices[:8], "--threshold", 0, *asked)
            assert [line.split("\t")[1] == human for line in out.splitlines()] == (
                np.array(synthetic) < 0.5
            ).tolist()
        save(plain, path)
        out, _ = run("detect", "-m", path, *voices[:8], "--timeline", *asked)
        segments = [line.split("\t") for line in out.splitlines()]
        assert {row[4] == human for row in segments} == {True, False}
        assert all((row[4] == human) == row[3].startswith("-") for row in segments)
        if asked:
            _, err = run("detect", "-m", path, voices[0], code=ExitCode.USAGE)
            assert "has the classes 0 and 1, and does not say which is the human one" in err
            assert "--human 0 or --human 1" in " ".join(err.split())
            _, err = run("detect", "-m", path, voices[0], "--human", "human", code=ExitCode.USAGE)
            assert "--human human: the classes are 0 and 1" in err


def test_detect_knows_more_than_two_classes(small_voices, voices, tmp_path):
    X, _ = small_voices[0]
    three = small_detector_as_trained().fit(X, ["a", "b", "c", "a"] * 5)
    save(three, tmp_path / "three")
    rows = list(csv.DictReader(io.StringIO(run("detect", "-m", tmp_path / "three", *voices[:3], "--csv")[0])))
    assert [row["label"] for row in rows] == three.predict(voices[:3]).tolist()
    assert {row["score"] for row in rows} == {""}
    found = [[float(row[f"probability_{name}"]) for name in "abc"] for row in rows]
    np.testing.assert_allclose(found, three.predict_proba(voices[:3]), rtol=1e-5)
    out, _ = run("detect", "-m", tmp_path / "three", *voices[:3])
    assert [len(line.split("\t")) for line in out.splitlines()] == [4, 4, 4]
    _, err = run("detect", "-m", tmp_path / "three", voices[0], "--timeline", code=ExitCode.USAGE)
    assert "--timeline of 3 classes is for --json" in err
    _, err = run("detect", "-m", tmp_path / "three", voices[0], "--human", "nonsense", code=ExitCode.USAGE)
    assert "--human nonsense is for two classes" in " ".join(err.split())
    help_text, _ = run("detect", "--help")
    assert "0.15 s of speech" in " ".join(help_text.split())
    assert LEAST_SPEECH == 0.15
    out, _ = run("detect", "-m", tmp_path / "three", voices[0], "--timeline", "--json")
    assert len(json.loads(out)["timeline"][0]["log_odds"]) == 3


def test_detect_answers_about_a_channel_or_each(detector_file, voices, tmp_path):
    first, second = (soundfile.read(path)[0] for path in voices[:2])
    length = min(len(first), len(second))
    one, two, call = (tmp_path / f"{name}.wav" for name in ("one", "two", "call"))
    first, second = first[:length], second[:length]
    for path, samples in ((one, first), (two, second), (call, np.column_stack([first, second]))):
        soundfile.write(path, samples, 16000)
    expected = [line.split("\t")[1:] for line in run("detect", "-m", detector_file, one, two)[0].splitlines()]
    out, _ = run("detect", "-m", detector_file, call, "--channel", "each")
    assert [line.split("\t") for line in out.splitlines()] == [
        [str(call), str(channel), *cells] for channel, cells in enumerate(expected)
    ]
    out, _ = run("detect", "-m", detector_file, call, "--channel", "each", "--json")
    assert [json.loads(line)["channel"] for line in out.splitlines()] == [0, 1]
    out, _ = run("detect", "-m", detector_file, call, "--channel", "each", "--csv", "--timeline")
    assert sorted({row["channel"] for row in csv.DictReader(io.StringIO(out))}) == ["0", "1"]
    for channel, cells in (("left", expected[0]), ("1", expected[1])):
        out, _ = run("detect", "-m", detector_file, call, "--channel", channel)
        assert out.rstrip("\n").split("\t") == [str(call), *cells]
    out, _ = run("detect", "-m", detector_file, call, "--json")
    assert "channel" not in json.loads(out)


def test_channels_that_are_not_there_or_cancel_are_said_in_the_commands_words(
    detector_file, voices, tmp_path
):
    samples, rate = soundfile.read(voices[0])
    call = tmp_path / "call.wav"
    soundfile.write(call, np.column_stack([samples, -samples]), rate)
    _, err = run("detect", "-m", detector_file, call, code=ExitCode.SOME_FAILED)
    assert "choose one, --channel left or --channel right." in err
    out, err = run(
        "detect", "-m", detector_file, voices[0], "--channel", "1", "--csv", code=ExitCode.SOME_FAILED
    )
    assert "found 1 channel, and none that is --channel 1" in err
    assert "found 1 channel, and none that is --channel 1" in out
    soundfile.write(call, np.column_stack([samples, 0 * samples]), rate)
    out, err = run("detect", "-m", detector_file, call, "--channel", "each", code=ExitCode.SOME_FAILED)
    assert out.count("\n") == 1
    assert "1 of 2 channels failed and is left out" in err
    assert "call.wav, channel 1: no speech" in err
    for asked, said in (("middle", "'middle' is neither mean, left, right, each nor"), ("-1", "'-1' is")):
        _, err = run("detect", "-m", detector_file, call, "--channel", asked, code=ExitCode.USAGE)
        assert said in err


def test_what_is_said_of_a_recording_longer_than_the_detector_takes_can_be_done(
    voice_folder, voices, tmp_path
):
    labels, detector = voice_folder / "labels.csv", tmp_path / "d.voicelstm"
    samples, rate = soundfile.read(voices[0])
    long = tmp_path / "long.wav"
    soundfile.write(long, np.tile(samples, 4), rate)
    longest = max(soundfile.info(each).duration for each in voices)
    run("train", labels, "-o", detector, *SET, "--set", f"features.max_duration={longest}")
    _, err = run("detect", "-m", detector, long, code=ExitCode.SOME_FAILED)
    assert (
        f"s, more than the {longest} s that the detector takes; cut it into parts, or train one with" in err
    )
    found = re.search(r"train one with (--set \S+?)\.\n", err)
    run("train", labels, "-o", detector, *SET, *found[1].split())
    assert run("detect", "-m", detector, long)[1] == ""
