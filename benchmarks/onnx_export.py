"""What the packaged detector costs as a graph in ONNX Runtime, with one thread, and how far it is off.

On a machine that others use, times are longer than on a quiet one: the load is printed with them, and
processor time, which is nearer to what a quiet machine takes. ``--equality`` asks both about each recording
of the corpus and each of the awkward files that can be decoded, which takes some minutes.
"""

import argparse
import csv
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
from rich.console import Console
from rich.table import Table

from answer import SHARED, SHORT, voices
from voicelstm import detect, export_onnx, load_pretrained
from voicelstm.audio import read_audio
from voicelstm.exceptions import AudioError

RATE = 16000
N_RUNS = 60

# Rows: what a release is to reach at least, and what would be better.
TARGETS = {
    "export": ("2 s", ""),
    "file": ("4 MB", "2 MB"),
    "file of the network alone": ("", ""),
    "opened": ("", ""),
    "4 s of samples to score": ("20 ms", "10 ms"),
    "of it processor time": ("", ""),
    "of it the network": ("", ""),
    "the library, of samples: processor time": ("", ""),
    "largest difference of a score": ("0.001", ""),
    "largest difference of a segment": ("0.001", ""),
}


def opened(path):
    """Open a graph for one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def timed(call, n_runs=N_RUNS):
    """Return medians: ms, and ms of processor time."""
    found = []
    for _ in range(n_runs):
        start, before = time.perf_counter(), time.process_time()
        call()
        found.append((time.perf_counter() - start, time.process_time() - before))
    return [1000 * statistics.median(each[5:]) for each in zip(*found, strict=True)]


def costs(detector, graph, network, samples):
    """Measure export, files and answers; return a text for each row."""
    start = time.perf_counter()
    export_onnx(detector, graph)
    found = {"export": f"{time.perf_counter() - start:.2f} s", "file": f"{graph.stat().st_size / 1e6:.2f} MB"}
    export_onnx(detector, network, features=True)
    found["file of the network alone"] = f"{network.stat().st_size / 1e6:.2f} MB"
    start = time.perf_counter()
    session = opened(graph)
    found["opened"] = f"{time.perf_counter() - start:.2f} s"
    took, used = timed(lambda: session.run(None, {"samples": samples}))
    found["4 s of samples to score"] = f"{took:.1f} ms"
    found["of it processor time"] = f"{used:.1f} ms"
    features = np.zeros((round(SHORT / 0.01), 80), np.float32)
    session = opened(network)
    found["of it the network"] = f"{timed(lambda: session.run(None, {'features': features}))[1]:.1f} ms"
    recording = (samples, RATE)
    used = timed(lambda: list(detect(detector, [recording])))[1]
    found["the library, of samples: processor time"] = f"{used:.1f} ms"
    return found


def recordings(shared):
    """Yield names and samples of all that can be read: the corpus, and the awkward files."""
    names = []
    for table, column in (
        ("corpus/manifest.csv", "path"),
        ("corpus/wide.csv", "path"),
        ("awkward/awkward.csv", "file"),
    ):
        path = shared / table
        with path.open(encoding="utf-8", newline="") as lines:
            names += [path.parent / row[column] for row in csv.DictReader(lines)]
    for name in dict.fromkeys(names):
        try:
            yield name, read_audio(name, sample_rate=RATE)[0].astype(np.float32)
        except AudioError:
            continue


def differences(detector, graph, shared):
    """Return how many recordings were compared, and the largest differences, with the recording's name."""
    session = opened(graph)
    largest, n_compared = {"score": (0.0, ""), "segment": (0.0, "")}, 0
    for name, samples in recordings(shared):
        (expected,) = detect(detector, [(samples, RATE)], timeline=True)
        score, of_segments, spans, *_ = session.run(None, {"samples": samples})
        n_compared += 1
        if expected.error is not None:
            apart = {"score": 0.0 if np.isnan(score) and not len(of_segments) else np.inf}
        elif len(of_segments) != len(expected.timeline):
            apart = {"score": np.inf}
        else:
            times = [expected.timeline[edge] for edge in ("start_s", "stop_s")]
            apart = {
                "score": abs(float(score) - expected.score),
                "segment": max(
                    np.abs(of_segments - expected.timeline["score"]).max(),
                    np.abs(spans - np.column_stack(times)).max(),
                ),
            }
        for kind, value in apart.items():
            if not value <= largest[kind][0]:
                largest[kind] = value, name.name
    return n_compared, largest


def show(found, title):
    """Print the numbers beside what was asked for."""
    table = Table(title=title)
    for name, justify in (("", "left"), ("measured", "right"), ("at least", "right"), ("stretch", "right")):
        table.add_column(name, justify=justify)
    for name, value in found.items():
        table.add_row(name, value, *TARGETS[name])
    Console(width=110).print(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of corpus/ and awkward/")
    parser.add_argument("--equality", action="store_true", help="compare all recordings with the library")
    arguments = parser.parse_args()
    detector = load_pretrained()
    samples = voices(arguments.shared / "corpus", SHORT)
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder, "detector.onnx")
        found = costs(detector, graph, Path(folder, "network.onnx"), samples)
        load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        if arguments.equality:
            n_compared, largest = differences(detector, graph, arguments.shared)
            for kind, (value, name) in largest.items():
                found[f"largest difference of a {kind}"] = f"{value:.2g} ({name})"
            load += f"; {n_compared} recordings compared"
    show(found, f"A graph for ONNX runtimes ({load})")


if __name__ == "__main__":
    main()
