import io
import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.text import Text

from tests.command.runner import COMMAND, run
from voicelstm.command._command_line import command_line
from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._output import Column, Form, Listing, printable, write_json, write_notes, write_report


def test_detect_writes_names_as_they_are(detector_file, voices, tmp_path):
    content = Path(voices[0]).read_bytes()
    for name in (b"[bold] :smile:.wav", b"\xff.wav"):
        path = tmp_path / os.fsdecode(name)
        try:
            path.write_bytes(content)
        except OSError:
            # macOS's takes no others; the name before this one has been tested by now.
            pytest.skip("a file system of UTF-8 names")
        done = CliRunner().invoke(command_line, ["detect", "-m", str(detector_file), str(path)])
        assert done.stdout_bytes.split(b"\t")[0] == os.fsencode(path)
        out, _ = run("detect", "-m", detector_file, path, "--json")
        assert json.loads(out)["recording"] == str(path)


def test_names_cannot_break_lines_or_steer_a_terminal(detector_file, voices, tmp_path):
    names = [tmp_path / "a\tb.wav", tmp_path / "a\nb.wav", tmp_path / "a\x1b[31mb.wav"]
    for name in names[:2]:
        name.write_bytes(Path(voices[0]).read_bytes())
    out, err = run("detect", "-m", detector_file, *names, code=ExitCode.SOME_FAILED)
    escaped = [line.split("\t")[0].removeprefix(f"{tmp_path}/") for line in out.splitlines()]
    assert escaped == [r"a\tb.wav", r"a\nb.wav"]
    assert r"a\x1b[31mb.wav: no such file" in err
    assert "\x1b" not in err
    out, _ = run("detect", "-m", detector_file, names[0], "--json")
    assert json.loads(out)["recording"] == str(names[0])


@pytest.mark.nightly
def test_a_terminal_gets_a_table_within_its_width(detector_file, voice_folder):
    pty = pytest.importorskip("pty")
    names = [f"{voice_folder}/voices/{i}.wav" for i in range(3)]
    command = [*COMMAND, "detect", "-m", detector_file, *names, "missing.wav"]
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


def test_control_characters_are_written_as_python_escapes_them():
    text = "".join(map(chr, range(0x3000)))
    # Of repr, apart from quotes and backslash, whatever is below 256 and not printed.
    expected = "".join(
        repr(each)[1:-1] if ord(each) < 32 or 127 <= ord(each) < 160 else each for each in text
    )
    assert printable(text) == expected
    assert printable("a\nb\tc", keep="\n") == "a\nb\\tc"


def test_json_has_seven_digits_and_null_for_what_is_no_number(capsys):
    write_json({"a": np.float64(1 / 3), "b": [np.nan, np.inf], "c": np.int64(2**60), "d": "ä"})
    text = capsys.readouterr().out
    assert json.loads(text) == {"a": 0.3333333, "b": [None, None], "c": 2**60, "d": "ä"}
    assert "ä" in text
    write_json({"name": os.fsdecode(b"\xff.wav")})  # is no text of UTF-8
    text = capsys.readouterr().out
    assert json.loads(text.encode())["name"] == "\udcff.wav"


COLUMNS = [
    Column("name", "name"),
    Column("score", "score", 8, "{:+.2f}".format, right=True),
    Column("score", "", 3, lambda score: "#" * round(score), drawn=True),
]


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (Form.LINES, "a\t+1.25\n"),
        (Form.CSV, "name,score,error\na,1.25,\nb,,gone\n"),
        (Form.JSON, '{"name": "a", "score": 1.25, "more": 1}\n{"name": "b", "error": "gone"}\n'),
    ],
)
def test_a_record_is_written_at_once_and_failures_only_for_programs(form, written, capsys):
    listing = Listing(form, COLUMNS, ["name", "score", "error"], 0)
    listing.write({"name": "a", "score": 1.25, "more": 1})
    listing.write({"name": "b", "error": "gone"})
    assert capsys.readouterr().out == written


def test_of_a_long_name_the_end_is_kept_and_wide_letters_count_twice():
    console = Console(file=io.StringIO(), width=35, force_terminal=False)
    listing = Listing(Form.TABLE, COLUMNS, [], 40, console)
    for name in ("x" * 30 + "/call.wav", "音" * 20 + ".flac", "a"):
        listing.write({"name": name, "score": 2.5})
    titles, rule, *rows = console.file.getvalue().splitlines()
    # 35 less the other columns, 8 and 3, two gaps of 2 and the blank before: 19.
    assert titles == f" {'name':19}     score"
    assert rule == f" {'─' * 19}  {'─' * 8}  ───"
    assert rows == [
        " …xxxxxxxxx/call.wav     +2.50  ##",
        f" …{'音' * 6}.flac      +2.50  ##",
        f" {'a':19}     +2.50  ##",
    ]


def table_with_remarks(width, remark):
    """Lines of a table whose last column has a remark of at most ten characters beside the row."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    columns = [*COLUMNS[:2], Column("remark", "", 10, whole=True)]
    listing = Listing(Form.TABLE, columns, [], 40, console)
    for name in ("a", "b"):
        listing.write({"name": name, "score": 1.0, "remark": remark if name == "a" else ""})
    return [line.rstrip() for line in console.file.getvalue().splitlines()][2:]


def test_what_does_not_fit_beside_a_row_stands_below_it():
    short, longer = "0123456789", "unlike training: narrow band"
    # 40 characters less a blank, the score's 8, the remark's 10 and two gaps of 2 leave 17.
    assert table_with_remarks(40, short) == [
        f" {'a':17}     +1.00  {short}",
        f" {'b':17}     +1.00",
    ]
    for width in (40, 32):
        first, below, second = table_with_remarks(width, longer)
        assert (first.split(), below, second.split()) == (
            ["a", "+1.00"],
            f"   {longer}",
            ["b", "+1.00"],
        )
    # Of a terminal that is narrower than that it is wrapped.
    assert [line.strip() for line in table_with_remarks(28, longer)[1:3]] == [
        "unlike training: narrow",
        "band",
    ]


def test_no_room_for_remarks_is_taken_from_the_rows(capsys):
    # Less than 16 characters would be left to the name beside them.
    first, below, _ = table_with_remarks(30, "0123456789")
    assert (first, below) == (f" {'a':19}     +1.00", "   0123456789")
    Listing(Form.LINES, [Column("a", "a"), Column("b", "b", whole=True)], [], 0).write(
        {"a": 1, "b": "x" * 99}
    )
    assert capsys.readouterr().out == "1\t" + "x" * 99 + "\n"


def test_sentences_below_a_table_are_as_far_in_as_it_is():
    console = Console(file=io.StringIO(), width=20, force_terminal=False)
    write_notes(console, ["one two three four five", "six"])
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert lines == ["", " one two three four", " five", " six"]


def test_a_report_in_a_file_is_a_page_wide_without_colours_or_blanks_at_the_end(capsys):
    write_report([Text("found", "bold red"), "word " * 40, "[bold] :smile:   "])
    first, *lines, last = capsys.readouterr().out.splitlines()
    assert (first, last) == ("found", "[bold] :smile:")
    assert " ".join(lines) == ("word " * 40).strip()
    assert max(map(len, lines)) <= 120
