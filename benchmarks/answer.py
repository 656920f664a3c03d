"""What an answer costs: a process of the command, a warm detector, many clips, a long call, several threads.

Whole processes are asked as a user asks them. Their processor time and the peak of their memory are those
that the operating system counts for them. On a machine that others use, times are longer than on a quiet one:
the load is printed with them.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table

SHARED = Path(os.environ.get("VOICELSTM_SHARED", Path(__file__).resolve().parents[2] / "shared"))
RATE = 16000
SHORT, LONG = 4, 45 * 60  # s
N_CLIPS = 1000
N_RUNS = 5  # processes of which a median is taken
N_THREADS = 8

# Rows: what a release is to reach at least, and what would be better.
TARGETS = {
    "one file: processor time": ("1.8 s", "0.8 s"),
    "one file: peak memory": ("250 MB", "120 MB"),
    "one file: answer to exit": ("0.1 s", ""),
    "warm, one clip: path to answer": ("25 ms", "12 ms"),
    "warm, one clip: of it the network": ("10 ms", "5 ms"),
    "warm, one clip: processor time": ("ms", ""),
    "1,000 clips: times real time": ("400", "1000"),
    "1,000 clips: times their processor time": ("", ""),
    '1,000 clips, "dynamics": times real time': ("1500", ""),
    '1,000 clips, "dynamics": times their processor time': ("", ""),
    "45-minute call with timeline: processor time": ("7 s", "4 s"),
    "45-minute call with timeline: peak memory": ("300 MB", ""),
    "8 threads: times as fast as one": ("1.7", ""),
    "8 threads: largest difference of scores": ("0", ""),
}


def voices(corpus, seconds):
    """Read clips of the corpus, in turn, until there is so much sound at 16 kHz; return samples."""
    found = []
    with (corpus / "wide.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["samplerate"] == str(RATE)]
    # Evenly over the corpus, whose rows are sorted by class and source.
    for at in np.random.default_rng(0).permutation(len(rows)):
        samples, _ = soundfile.read(corpus / rows[at]["path"], dtype="float32", always_2d=True)
        found.append(samples[:, 0])
        if sum(map(len, found)) >= seconds * RATE:
            break
    samples = np.concatenate(found)
    return np.resize(samples, seconds * RATE)


def write_recordings(corpus, short, long):
    """Write a short and a long file."""
    call = voices(corpus, LONG)
    soundfile.write(short, call[: SHORT * RATE], RATE)
    soundfile.write(long, call, RATE)


def processes(arguments, n_runs):
    """Run the command; return medians: s of processor time, MB of peak memory, s from answer to exit."""
    found = []
    for _ in range(n_runs):
        with tempfile.TemporaryFile() as errors:
            command = [sys.executable, "-m", "voicelstm", *arguments]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
            answer = process.stdout.read(1)
            answered = time.perf_counter()
            process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)
            after = time.perf_counter() - answered
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode or not answer:
                errors.seek(0)
                raise SystemExit(f"{command} ended with {process.returncode}: {errors.read().decode()}")
        found.append((used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, after))
    return [statistics.median(each) for each in zip(*found, strict=True)]


def warm(detector, path):
    """Return medians, in ms: from a path to its answer, of it in the network, and processor time."""
    from voicelstm import LSTMVoiceClassifier, detect

    in_network = []
    original = LSTMVoiceClassifier._segment_logits

    def timed(self, X):
        start = time.perf_counter()
        try:
            return original(self, X)
        finally:
            in_network.append(time.perf_counter() - start)

    whole, of_network, used = [], [], []
    LSTMVoiceClassifier._segment_logits = timed
    try:
        for _ in range(50):
            in_network.clear()
            start, before = time.perf_counter(), time.process_time()
            list(detect(detector, [path]))
            whole.append(time.perf_counter() - start)
            used.append(time.process_time() - before)
            of_network.append(sum(in_network))
    finally:
        LSTMVoiceClassifier._segment_logits = original
    return [1000 * statistics.median(each[5:]) for each in (whole, of_network, used)]


def times_real_time(detector, clips):
    """Return s of sound that are answered in one s, and in one s of processor time."""
    from voicelstm import detect

    list(detect(detector, clips[:2]))
    start, before = time.perf_counter(), time.process_time()
    found = list(detect(detector, clips))
    took, used = time.perf_counter() - start, time.process_time() - before
    if any(each.error for each in found):
        raise SystemExit(next(each.error for each in found if each.error))
    seconds = sum(len(samples) for samples, _ in clips) / RATE
    return seconds / took, seconds / used


def threads(detector, paths):
    """Return how many times as fast several threads are as one, and how far apart their scores are."""
    from voicelstm import detect

    def scores(path):
        return [each.score for each in detect(detector, [path])]

    list(map(scores, paths[:2]))
    start = time.perf_counter()
    expected = [scores(path) for path in paths]
    alone = time.perf_counter() - start
    with ThreadPoolExecutor(N_THREADS) as pool:
        list(pool.map(scores, paths[:N_THREADS]))
        start = time.perf_counter()
        found = list(pool.map(scores, paths))
        together = time.perf_counter() - start
    return alone / together, float(np.abs(np.array(found) - np.array(expected)).max())


def measured(corpus, folder, rows, n_runs):
    """Measure what is asked for; return a number for each row."""
    short, long = folder / "clip.wav", folder / "call.wav"
    # In a process of its own: what this one holds at a fork counts as the peak of the process that it starts.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(write_recordings, corpus, short, long).result()
    found = {}
    if "process" in rows:
        used, peak, after = processes(["detect", short], n_runs)
        found["one file: processor time"] = used
        found["one file: peak memory"] = peak
        found["one file: answer to exit"] = after
    if "call" in rows:
        used, peak, _ = processes(["detect", long, "--timeline"], 1)
        found["45-minute call with timeline: processor time"] = used
        found["45-minute call with timeline: peak memory"] = peak
    from voicelstm import load_pretrained, make_detector
    from voicelstm.datasets import make_voices

    detector = load_pretrained()
    if "warm" in rows:
        names = [name for name in TARGETS if name.startswith("warm")]
        found |= zip(names, warm(detector, short), strict=True)
    call, _ = soundfile.read(long, dtype="float32")
    pieces = np.split(np.resize(call, 8 * SHORT * RATE * 100), 800)
    clips = [(piece, RATE) for piece in [*pieces, *pieces[:200]]][:N_CLIPS]
    # 4.74 s on average, as 79 minutes in 1,000 clips.
    clips = [(np.concatenate([samples, samples[: int(0.74 * RATE)]]), rate) for samples, rate in clips]
    if "clips" in rows:
        X, y = make_voices(20, random_state=0, return_X_y=True)
        dynamics = make_detector("dynamics", random_state=0, classifier__max_steps=1).fit(X, y)
        names = [name for name in TARGETS if name.startswith("1,000")]
        found |= zip(
            names, [*times_real_time(detector, clips), *times_real_time(dynamics, clips)], strict=True
        )
    if "threads" in rows:
        paths = []
        for number, (samples, rate) in enumerate(clips[:64]):
            paths.append(folder / f"{number}.wav")
            soundfile.write(paths[-1], samples, rate)
        faster, difference = threads(detector, paths)
        found["8 threads: times as fast as one"] = faster
        found["8 threads: largest difference of scores"] = difference
    return found


def show(found):
    """Print the numbers beside what was asked for."""
    table = Table(title=f"What an answer costs (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)")
    for name, justify in (("", "left"), ("measured", "right"), ("at least", "right"), ("stretch", "right")):
        table.add_column(name, justify=justify)
    for name, value in found.items():
        least, stretch = TARGETS[name]
        unit = least.split(" ")[-1].strip("0123456789.")
        table.add_row(name, f"{value:.3g} {unit}".strip(), least if least != unit else "", stretch)
    Console(width=110).print(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = ("process", "call", "warm", "clips", "threads")
    parser.add_argument("--corpus", type=Path, default=SHARED / "corpus")
    parser.add_argument("--only", action="append", choices=kinds, help="measure this; may be repeated")
    parser.add_argument("--runs", type=int, default=N_RUNS, help="processes of the first rows")
    parser.add_argument("--json", type=Path, help="file that is written, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(arguments.corpus, Path(folder), arguments.only or kinds, arguments.runs)
    show(found)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
