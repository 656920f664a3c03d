import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.command.runner import COMMAND, run
from voicelstm.command._command_line import command_line
from voicelstm.command._exit_codes import ExitCode


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
