import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command.runner import run
from voicelstm.command._command_line import command_line
from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._former_usage import _is_detector


def answered(*arguments):
    """The command that an answer gives, as a shell divides it; it stands on a line of its own."""
    out, err = run(*arguments, code=ExitCode.USAGE)
    assert out == ""
    return shlex.split(err.splitlines()[-1])


@pytest.mark.parametrize(
    ("asked", "now"),
    [
        (
            ["my labels.csv", "--model", "dynamics", "-o", "d"],
            ["my labels.csv", "--kind", "dynamics", "-o", "d"],
        ),
        (["--model=convolutions", "x.csv", "-o", "d"], ["--kind=convolutions", "x.csv", "-o", "d"]),
    ],
)
def test_the_kind_that_was_named_model_is_answered_with_the_command_that_works(asked, now):
    found = answered("train", *asked)
    assert found == ["voicelstm", "train", *now]
    # Files need not be there; an option that is unknown would be an error.
    command_line.commands["train"].make_context("train", found[2:], resilient_parsing=True)


def test_train_says_that_it_makes_a_new_detector_if_it_is_given_one():
    _, err = run("train", "labels.csv", "--model", "d.voicelstm", "-o", "d", code=ExitCode.USAGE)
    assert "--model d.voicelstm: train makes a new detector, and --kind chooses of which kind" in err


@pytest.mark.parametrize(
    ("asked", "now"),
    [
        (["detect", "my detector", "call.wav"], ["detect", "-m", "my detector", "call.wav"]),
        (["detect", "my detector"], ["detect", "-m", "my detector"]),
        (
            ["detect", "--json", "my detector", "a b.wav", "-", "--threshold", "1"],
            ["detect", "-m", "my detector", "--json", "a b.wav", "-", "--threshold", "1"],
        ),
        (["detect", "--", "my detector", "-a.wav"], ["detect", "-m", "my detector", "--", "-a.wav"]),
        (
            ["evaluate", "my detector", "test.csv", "--by", "system"],
            ["evaluate", "-m", "my detector", "test.csv", "--by", "system"],
        ),
        (["evaluate", "./my detector", "t.csv"], ["evaluate", "-m", "./my detector", "t.csv"]),
        (["evaluate", "my detector", "./my detector"], ["evaluate", "-m", "my detector", "./my detector"]),
        (["info", "my detector", "--json"], ["info", "-m", "my detector", "--json"]),
        (["info", ".//my detector"], ["info", "-m", ".//my detector"]),
    ],
)
def test_a_detector_as_the_first_argument_is_answered_with_the_command_that_works(
    asked, now, detector_file, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    os.link(detector_file, "my detector")
    assert answered(*asked) == ["voicelstm", *now]
    name, *arguments = now
    context = command_line.commands[name].make_context(name, arguments, resilient_parsing=True)
    assert context.params["model"].path.samefile(detector_file)


def test_a_detector_is_known_by_its_content_also_where_that_is_damaged(detector_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = bytearray(detector_file.read_bytes())
    content[-1] ^= 1
    (tmp_path / "call.wav").write_bytes(content)
    _, err = run("detect", "call.wav", "other.wav", code=ExitCode.USAGE)
    assert "call.wav is a detector, not a recording. The detector is now named by -m:" in err
    _, err = run("evaluate", "call.wav", "test.csv", code=ExitCode.USAGE)
    assert "call.wav is a detector, not labels of recordings." in err


def test_a_detector_among_recordings_is_a_file_that_is_no_recording(detector_file, voices):
    for recordings in ([voices[0], detector_file], [detector_file, voices[0]]):
        out, err = run("detect", "-m", detector_file, *recordings, code=ExitCode.SOME_FAILED)
        assert [line.split("\t")[0] for line in out.splitlines()] == voices[:1]
        assert f"{detector_file}: found bytes of no known audio format, not audio" in err


def test_the_answer_comes_before_what_takes_long_is_loaded(detector_file):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "voicelstm", "detect", detector_file, "call.wav"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == ExitCode.USAGE
    assert f"voicelstm detect -m {detector_file} call.wav" in done.stderr
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert loaded.isdisjoint({"scipy", "sklearn", "keras", "tensorflow", "librosa", "soundfile", "rich"})


def test_a_pipe_is_left_for_whoever_listens(voices, tmp_path):
    content, pipe = Path(voices[0]).read_bytes(), tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", shlex.join(["cat", voices[0]]) + f" > {shlex.quote(str(pipe))}"]):
        assert not _is_detector(str(pipe))
        assert pipe.read_bytes() == content


def test_help_shows_no_former_option():
    out, _ = run("train", "--help")
    assert "--kind" in out
    assert "--model" not in out
    out, _ = run("info", "--help")
    assert out.startswith("Usage: voicelstm info [OPTIONS]\n")
    assert "detector.voicelstm" in run("detect", "detector.voicelstm", "--help")[0]
