import csv
import io
import json
import re

import soundfile

from tests.command.runner import run
from voicelstm.command._exit_codes import ExitCode


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


def test_audit_says_where_recordings_are_too_few(voice_folder, tmp_path):
    lines = (voice_folder / "labels.csv").read_text().splitlines()
    rows = [next(line for line in lines if f",{label}," in line) for label in ("human", "synthetic")]
    (tmp_path / "two.csv").write_text("\n".join([lines[0], *rows]))
    arguments = ("audit", tmp_path / "two.csv", "--audio-dir", voice_folder)
    out, _ = run(*arguments)
    assert "Nothing but the voice" not in out
    assert "Too few" in out
    assert re.search(r"(?m)^ *level .* too few to tell", out)
    out, _ = run(*arguments, "--strict", "--json", code=ExitCode.FOUND)
    report = json.loads(out)
    assert report["findings"] == []
    assert len(report["cautions"]) == 1
    assert any(each["is_undecided"] for each in report["variables"])
