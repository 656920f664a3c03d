"""The examples that ask an exported graph, as they are run by hand."""

import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path
from threading import Event, Thread

import pytest
import soundfile

from voicelstm import detect, export_onnx, load_pretrained
from voicelstm.audio import read_audio

EXAMPLES = Path(__file__).parents[1] / "examples"
ALONE = """
import runpy, sys
sys.modules["voicelstm"] = None  # it is not there
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "detector.onnx"
    export_onnx(load_pretrained(), path)
    return path


@pytest.fixture(scope="module")
def calls(small_voices, tmp_path_factory):
    """Recordings in files, and what the library says of them."""
    folder = tmp_path_factory.mktemp("calls")
    paths = [folder / f"{position}.wav" for position in range(3)]
    for path, recording in zip(paths, small_voices[0][0], strict=False):
        samples, rate = read_audio(recording, sample_rate=16000)
        soundfile.write(path, samples, rate, subtype="PCM_16")
    return {str(each.recording): each for each in detect(load_pretrained(), paths, timeline=True)}


def test_onnxruntime_and_soundfile_alone_answer_as_the_library(graph, calls):
    def ask(path):
        command = [sys.executable, "-c", ALONE, EXAMPLES / "onnx_runtime.py", graph, path]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    for path, expected in calls.items():
        first, *rows = ask(path).splitlines()
        assert first.startswith(f"{path}: score {expected.score:+.2f}")
        assert rows == [
            f"  {start:8.3f} to {stop:8.3f} s: {score:+.2f}" for start, stop, score in expected.timeline
        ]
    soundfile.write(graph.parent / "silence.wav", [0.0] * 16000, 16000)
    assert "nobody speaks" in ask(graph.parent / "silence.wav")


def test_a_service_behind_a_queue_answers_each_path(graph, calls, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_text("<html>404 Not Found</html>")
    done = subprocess.run(
        [sys.executable, EXAMPLES / "onnx_queue.py", graph],
        input="\n".join([*calls, str(broken)]),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = {each["path"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert len(answers) == len(done.stdout.splitlines()) == len(calls) + 1
    for path, expected in calls.items():
        assert answers[path]["score"] == pytest.approx(expected.score, abs=1e-3)
        assert len(answers[path]["segments"]) == len(expected.timeline)
    assert "broken.wav" in answers[str(broken)]["error"]


def test_a_graph_that_cannot_be_opened_ends_the_service_before_it_answers(tmp_path):
    broken = tmp_path / "detector.onnx"
    broken.write_text("no graph")
    command = [sys.executable, EXAMPLES / "onnx_queue.py", broken]
    done = subprocess.run(command, input="call.wav\n", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "detector.onnx" in done.stderr


def test_an_answer_comes_while_the_queue_pauses(graph, calls, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    serve = importlib.import_module("onnx_queue").serve
    first, second, _ = calls
    is_answered = Event()

    def paths():
        yield first
        is_answered.wait()
        yield second

    found = []
    for answer in serve(str(graph), paths(), n_workers=2):
        found.append(answer["path"])
        is_answered.set()
    assert found == [first, second]


def test_a_queue_that_cannot_be_read_on_is_an_error(graph, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    serve = importlib.import_module("onnx_queue").serve

    def paths():
        raise ConnectionError("the queue is gone")
        yield

    with pytest.raises(ConnectionError, match="the queue is gone"):
        list(serve(str(graph), paths(), n_workers=2))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders, which wait for ever")
def test_a_path_whose_worker_dies_is_tried_again_and_then_an_error(graph, calls, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    serve = importlib.import_module("onnx_queue").serve
    waits_for_ever = tmp_path / "pipe.wav"
    os.mkfifo(waits_for_ever)
    n_killed, of_other_tests = 0, set(active_children())

    def kill_twice():
        nonlocal n_killed
        while n_killed < 2:
            for process in set(active_children()) - of_other_tests:
                process.kill()
                process.join()
                n_killed += 1
            time.sleep(0.01)

    killer = Thread(target=kill_twice)
    killer.start()
    path, expected = next(iter(calls.items()))
    answers = list(serve(str(graph), [str(waits_for_ever), path], n_workers=1))
    killer.join()
    assert answers[0] == {"path": str(waits_for_ever), "error": "its worker died each time"}
    assert answers[1]["score"] == pytest.approx(expected.score, abs=1e-3)


@pytest.mark.nightly
def test_node_answers_as_the_library(graph, calls, tmp_path):
    if shutil.which("npm") is None:
        pytest.skip("npm, which fetches onnxruntime-node, is not there")
    shutil.copytree(EXAMPLES / "onnx_node", tmp_path / "node")
    # Its install script would fetch what a GPU needs.
    install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(install, cwd=tmp_path / "node", capture_output=True, text=True, check=True)
    command = ["node", "score.js", graph, *calls]
    done = subprocess.run(command, cwd=tmp_path / "node", capture_output=True, text=True, check=True)
    for line, expected in zip(done.stdout.splitlines(), calls.values(), strict=True):
        found = json.loads(line)
        assert found["score"] == pytest.approx(expected.score, abs=1e-3)
        assert [each["score"] for each in found["segments"]] == pytest.approx(
            expected.timeline["score"].tolist(), abs=1e-3
        )
