"""The command as a process of its own: pipes, signals, terminals, what it imports and what it says."""

import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import voicelstm
from voicelstm.command._exit_codes import ExitCode

COMMAND = [sys.executable, "-m", "voicelstm"]


def test_help_and_version_load_nothing_heavy():
    for arguments in (["--version"], ["--help"], ["train", "--help"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "voicelstm", *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
        assert {"voicelstm", "click"} <= loaded
        heavy = {"numpy", "scipy", "sklearn", "keras", "tensorflow", "librosa", "soundfile", "rich"}
        assert loaded.isdisjoint(heavy)
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"voicelstm {voicelstm.__version__}\n"


def test_the_package_declares_the_same_command():
    root = Path(__file__).resolve().parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["scripts"]["voicelstm"].partition(":")
    assert getattr(import_module(module), name) is import_module("voicelstm.command").main


def test_shells_complete_sub_commands_and_options():
    for shell in ("bash", "zsh"):
        script = _completed({"_VOICELSTM_COMPLETE": f"{shell}_source"})
        assert re.search(r"comp(lete|def) .*_voicelstm_completion.* voicelstm", script)
    words = {"_VOICELSTM_COMPLETE": "bash_complete", "COMP_WORDS": "voicelstm de", "COMP_CWORD": "1"}
    assert _completed(words) == "plain,detect\n"
    words |= {"COMP_WORDS": "voicelstm detect --th", "COMP_CWORD": "2"}
    assert _completed(words) == "plain,--threshold\n"


def _completed(variables):
    done = subprocess.run(COMMAND, capture_output=True, text=True, env=os.environ | variables)
    return done.stdout


def test_a_reader_that_has_seen_enough_ends_it_quietly(detector_file, voice_folder, tmp_path):
    # Far more than a pipe holds, so that it is still writing when head is gone.
    names = tmp_path / "names.txt"
    names.write_text("".join(f"{voice_folder}/voices/{i % 24}.wav\n" for i in range(2000)))
    detect = [*COMMAND, "detect", detector_file, "--files-from", names]
    with subprocess.Popen(detect, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        line = process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert line.startswith(f"{voice_folder}/voices/0.wav\t".encode())
    assert process.returncode == ExitCode.CLOSED_PIPE
    assert said == b""  # TensorFlow's greetings neither

    with subprocess.Popen([*COMMAND, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (ExitCode.CLOSED_PIPE, b"")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_closed_streams_are_no_bug(closed, detector_file, voice_folder):
    detect = shlex.join([*COMMAND, "detect", str(detector_file), f"{voice_folder}/voices/0.wav"])
    done = subprocess.run(["sh", "-c", f"{detect} {closed}"], capture_output=True)
    assert (done.returncode, done.stderr) == (ExitCode.FINE, b"")


def test_a_recording_comes_through_a_pipe(detector_file, voice_folder):
    recording = (voice_folder / "voices" / "3.wav").read_bytes()
    done = subprocess.run([*COMMAND, "detect", detector_file, "-"], input=recording, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.fullmatch(rb"-\t(human|synthetic)\t[01]\.\d{3}\t[+-]\d+\.\d\d\n", done.stdout)


def test_ctrl_c_leaves_the_old_detector_and_no_half_file(detector_file, voice_folder, tmp_path):
    output = tmp_path / "detector.voicelstm"
    output.write_bytes(detector_file.read_bytes())
    train = [*COMMAND, "-v", "train", voice_folder / "labels.csv", "-o", output]
    train += ["--set", "classifier.max_steps=1000000"]
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


def test_a_terminal_gets_a_table_within_its_width(detector_file, voice_folder):
    pty = pytest.importorskip("pty")
    names = [f"{voice_folder}/voices/{i}.wav" for i in range(3)]
    command = [*COMMAND, "detect", detector_file, *names, "missing.wav"]
    environment = os.environ | {"COLUMNS": "80", "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        shown = _all_of(ours).decode()
        said = process.stderr.read().decode()
    assert process.returncode == ExitCode.SOME_FAILED
    assert "\x1b[" in shown
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in shown.splitlines()]
    assert max(map(len, lines)) <= 80
    (header,) = [line for line in lines if "heard as" in line]
    assert header.split() == ["recording", "heard", "as", "probability", "score"]
    for i in range(3):
        (row,) = [line for line in lines if re.search(rf"voices/{i}\.wav", line)]
        assert row.split()[1] in ("human", "synthetic")
        assert row.index(row.split()[1]) == header.index("heard as")
    assert any(line.strip().startswith("4 recordings: ") and "1 failed" in line for line in lines)
    assert "missing.wav: no such file" in said


def _all_of(descriptor):
    content = b""
    while True:
        try:
            read = os.read(descriptor, 4096)
        except OSError:  # what Linux says at the end of a terminal
            read = b""
        if not read:
            os.close(descriptor)
            return content
        content += read


def test_the_library_is_silent_until_its_logger_is_listened_to():
    code = (
        "import logging, voicelstm, numpy\n"
        "logging.getLogger('voicelstm.anything').critical('said')\n"
        "voicelstm.MFCCTransformer().transform([numpy.ones(400)])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
    code = "import logging\nlogging.basicConfig(level='INFO')\n" + code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "INFO:voicelstm.features._transformer:computing the features of 1 recordings" in done.stderr
