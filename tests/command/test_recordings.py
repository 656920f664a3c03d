import csv
import re
import subprocess
import unicodedata
from pathlib import Path

import pytest
import soundfile

from tests.audio.encoded import encode, encoded
from tests.command.runner import COMMAND, run
from voicelstm.command._exit_codes import ExitCode


def test_detect_hears_folders_in_natural_order_and_lists_what_failed_at_the_end(
    detector_file, voice_folder, voices
):
    (voice_folder / "none").mkdir(exist_ok=True)
    asked = [voice_folder / "broken", voice_folder / "voices", voice_folder / "none", "missing.wav"]
    out, err = run("detect", "-m", detector_file, *asked, code=ExitCode.SOME_FAILED)
    assert [line.split("\t")[0] for line in out.splitlines()] == voices
    first, *reasons = err.splitlines()
    assert first == "voicelstm: 4 of 28 recordings failed and are left out:"
    for name, reason in {
        "none": "a folder without recordings",
        "empty.wav": "found an empty file",
        "page.wav": "found an HTML page",
        "missing.wav": "no such file",
    }.items():
        assert sum(f"{name}: {reason}" in line for line in reasons) == 1


def test_detect_hears_every_file_with_sound_and_names_the_others(detector_file, voices, tmp_path):
    (tmp_path / "in").mkdir()
    samples, rate = soundfile.read(voices[0])
    assert rate == 16000
    (tmp_path / "note.m4a").write_bytes(encoded("m4a", samples))
    (tmp_path / "in" / "film").write_bytes(encode(samples, "mp4", "aac", 16000, film=True))
    (tmp_path / "in" / "a.wav").write_bytes(Path(voices[0]).read_bytes())
    (tmp_path / "notes.txt").write_text("notes")
    out, err = run("detect", "-m", detector_file, tmp_path, code=ExitCode.SOME_FAILED)
    heard = [Path(line.split("\t")[0]).name for line in out.splitlines()]
    assert heard == ["a.wav", "film", "note.m4a"]
    first, second = err.splitlines()
    assert first.startswith("voicelstm: 1 file in folders is no recording and is left out")
    assert second == f"  {tmp_path}/notes.txt: text ('notes')"
    out, err = run("detect", "-m", detector_file, tmp_path, "--ignore", "*.txt")
    assert (len(out.splitlines()), err) == (3, "")


def test_detect_takes_a_recording_or_names_from_standard_input(detector_file, voices, tmp_path):
    content = Path(voices[0]).read_bytes()
    heard, _ = run("detect", "-m", detector_file, voices[0])
    out, _ = run("detect", "-m", detector_file, "-", given=content)
    assert out == heard.replace(voices[0], "-")
    out, _ = run("detect", "-m", detector_file, "--files-from", "-", given=f"{voices[0]}\n\n{voices[1]}\n")
    assert [line.split("\t")[0] for line in out.splitlines()] == voices[:2]
    _, err = run("detect", "-m", detector_file, "-", given=b"text", code=ExitCode.SOME_FAILED)
    assert "  standard input: found text ('text'), not audio" in err
    _, err = run("detect", "-m", detector_file, "-", "--files-from", "-", given=b"", code=ExitCode.USAGE)
    assert "Standard input holds one thing" in err


def test_lists_of_names_may_begin_with_a_byte_order_mark(detector_file, voices, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("\n".join(voices[:2]), encoding="utf-8-sig")
    for listed, given in ((names, None), ("-", names.read_bytes())):
        out, _ = run("detect", "-m", detector_file, "--files-from", listed, given=given)
        assert [line.split("\t")[0] for line in out.splitlines()] == voices[:2]


def test_a_name_that_the_system_refuses_is_a_recording_that_fails(detector_file, voice_folder):
    good = f"{voice_folder}/voices/0.wav"
    out, err = run("detect", "-m", detector_file, "x" * 5000, good, code=ExitCode.SOME_FAILED)
    assert out.startswith(good)
    assert "1 of 2 recordings failed" in err


# By day, a recording is given to this process.
@pytest.mark.nightly
def test_a_recording_comes_through_a_pipe(detector_file, voice_folder):
    recording = (voice_folder / "voices" / "3.wav").read_bytes()
    done = subprocess.run(
        [*COMMAND, "detect", "-m", detector_file, "-"], input=recording, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.fullmatch(rb"-\t(human|synthetic)\t[01]\.\d{3}\t[+-]\d+\.\d\d\t\n", done.stdout)


def test_names_may_be_of_another_system_and_are_shown_as_given(detector_file, voices, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    composed, decomposed = (unicodedata.normalize(form, "é.wav") for form in ("NFC", "NFD"))
    Path(composed).write_bytes(Path(voices[0]).read_bytes())
    Path(unicodedata.normalize("NFC", "ü.wav")).write_text("text")
    Path("in").mkdir()
    given = [voices[1], decomposed, f"./{composed}", f"./{decomposed}", f"in/../{composed}", "./missing é"]
    given.append(unicodedata.normalize("NFD", "./ü.wav"))
    Path("names.txt").write_bytes("\r\n".join([*given, ""]).encode("utf-16"))
    for asked in (["--files-from", "names.txt"], given):
        out, err = run("detect", "-m", detector_file, *asked, "--csv", code=ExitCode.SOME_FAILED)
        assert [row["recording"] for row in csv.DictReader(out.splitlines())] == given
        missing, text = err.splitlines()[1:]
        assert missing.startswith(f"  {given[-2]}: no such file")
        assert text.startswith(f"  {given[-1]}: found text")
    out, _ = run("features", *given[:2], "-o", "store")
    assert [line.split("\t")[0] for line in out.splitlines()] == given[:2]


def test_names_with_parameters_in_them_stay(detector_file, voices, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["my channel='left' n_jobs", 'human_label None "max_duration=3"', "where: audio_dir, choose one"]
    names = [f"{name}.wav" for name in [*names, "choose one, such as channel=0."]]
    Path("x").mkdir()
    for name in names:
        Path("x", name).write_bytes(Path(voices[0]).read_bytes())
    out, err = run(
        "detect", "-m", detector_file, *names, "--csv", "--channel", "5", code=ExitCode.SOME_FAILED
    )
    rows = list(csv.DictReader(out.splitlines()))
    assert [row["recording"] for row in rows] == names
    for row, line in zip(rows, err.splitlines()[1:], strict=True):
        assert row["error"].startswith(f"{row['recording']}: no such file")
        assert line == f"  {row['error']}"
    names = [f"x/{name}" for name in names]
    out, _ = run("detect", "-m", detector_file, *names, "--csv", "--channel", "5", code=ExitCode.SOME_FAILED)
    for name, row in zip(names, csv.DictReader(out.splitlines()), strict=True):
        assert row["error"].startswith(f"{name}: found 1 channel, and none that is --channel 5:")
    out, _ = run("features", *names, "-o", "s", "--csv", "--channel", "5", code=ExitCode.SOME_FAILED)
    for name, row in zip(names, csv.DictReader(out.splitlines()), strict=True):
        assert row["error"].startswith(f"{name}: found 1 channel, and none that is --channel 5:")
