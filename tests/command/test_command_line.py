import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import voicelstm
from tests.command.runner import COMMAND, run
from voicelstm import MFCCTransformer, save
from voicelstm.command._command_line import command_line
from voicelstm.command._exit_codes import ExitCode


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["detect", "-m", "{detector}"], "Name recordings"),
        (["detect", "-m", "missing.voicelstm", "a.wav"], "is neither a file nor the name"),
        (["detect", "-m", "{detector}", "a.wav", "--threshold", "high"], "not a valid float"),
        (["detect", "-m", "{detector}", "a.wav", "--json", "--csv"], "exclude each other"),
        (["train", "{labels}"], "Missing option '-o'"),
        (["train", "{labels}", "-o", "missing/d"], "The folder missing does not exist"),
        (["train", "{labels}", "-o", "/proc/detector"], "/proc/detector cannot be written"),
        (["train", "{labels}", "-o", "d", "--seed", "-1"], "'--seed': -1 is not in the range"),
        (
            ["train", "{labels}", "-o", "d", "--balance", "person"],
            "--balance person: there is no such column",
        ),
        (["train", "{labels}", "-o", "d", "-j", "0"], "0 reads nothing"),
        (["detect", "-m", "{detector}", "a.wav", "--jobs", "0"], "0 reads nothing"),
        (["train", "{labels}", "-o", "{labels}"], "is there already, and is no detector"),
        (["detect", "-m", "{detector}", "a.wav", "--threshold", "nan"], "NaN, which decides nothing"),
        (["train", "{labels}", "-o", "d", "--set", "clasifier.units=3"], "Did you mean classifier.units"),
        (["train", "{labels}", "-o", "d", "--set", "units=3"], "Did you mean classifier.units?"),
        (["train", "{labels}", "-o", "d", "--set", "classifier.units"], "not of the form name=value"),
        (["train", "{labels}", "-o", "d", "--set", "classifier.pooling=maen"], "'maen'"),
        (["train", "{labels}", "-o", "d", "--set", "features.n_mfcc=500"], "n_filters=80"),
        (["train", "{labels}", "-o", "d", "--where", "subset"], "not of the form column=value"),
        (["train", "{labels}", "-o", "d", "--groups", "person"], "there are: speaker, system"),
        (["train", "{labels}", "-o", "d", "--unseen", "system"], "--unseen system needs --groups"),
        (
            ["train", "{labels}", "-o", "d", "--groups", "speaker", "--unseen", "speaker"],
            "another column",
        ),
        (["train", "{folder}", "-o", "d", "--where", "a=b"], "a folder has no columns"),
        (["evaluate", "-m", "{detector}", "{labels}", "--by", "person"], "speaker, system"),
        (["audit", "{labels}", "--splits", "subset"], "speaker, system"),
        (["features", "a.wav"], "Missing option '-o'"),
        (["info", "--devices", "-m", "{detector}"], "leave --model out"),
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
        (["detect", "-m", "{broken}", "a.wav"], "broken.voicelstm: not a model file"),
        (["info", "-m", "{broken}"], "broken.voicelstm: not a model file"),
        (["detect", "-m", "{front_end}", "a.wav"], "got a MFCCTransformer"),
        (["evaluate", "-m", "{front_end}", "{labels}"], "got a MFCCTransformer"),
        (["train", "{missing}", "-o", "d"], "Missing files (1)"),
        (["train", "{labels}", "-o", "d", "--where", "speaker=nobody"], "No row matches"),
        (["train", "{unreadable}", "-o", "d"], "No recording could be read"),
        (["audit", "{unreadable}"], "6 of 6 recordings failed"),
        (["detect", "-m", "{recording}", "a.wav"], "not a model file, but a recording, WAV"),
        (
            ["evaluate", "-m", "{labels}", "{labels}"],
            "not a model file, but text ('path,label,speaker,system')",
        ),
        (["audit", "{labels}", "--where", "speaker=nobody"], "No row matches --where speaker=nobody"),
        (["audit", "{missing}"], "--audio-dir changes that."),
        (["evaluate", "-m", "{detector}", "{labels}", "--threshold", "nan"], "--threshold is NaN"),
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
    unreadable = tmp_path / "unreadable.csv"
    # Three of each class, which train asks for.
    rows = [f"{kind}-{number}.wav,{kind}" for kind in ("human", "synthetic") for number in range(3)]
    for row in rows:
        (tmp_path / row.split(",")[0]).touch()
    unreadable.write_text("\n".join(["path,label", *rows]))
    places = {
        "detector": detector_file,
        "recording": voice_folder / "voices" / "0.wav",
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
    _, err = run("info", "-m", detector_file, code=code)
    assert said in err
    assert ("Traceback" in err) == (code is ExitCode.BUG)


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


def test_help_and_version_load_nothing_heavy():
    for arguments in (["--version"], ["--help"], ["train", "--help"], ["detect", "--help"]):
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
    root = Path(__file__).resolve().parents[2]
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
    detect = [*COMMAND, "detect", "-m", detector_file, "--files-from", names]
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


@pytest.mark.nightly
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_closed_streams_are_no_bug(closed, detector_file, voice_folder):
    detect = shlex.join([*COMMAND, "detect", "-m", str(detector_file), f"{voice_folder}/voices/0.wav"])
    done = subprocess.run(["sh", "-c", f"{detect} {closed}"], capture_output=True)
    assert (done.returncode, done.stderr) == (ExitCode.FINE, b"")
