"""What listening costs: a hop of one stream and where its time goes, and how many streams a core can hear.

Recordings of the corpus, one behind the other, are pushed as they would come, half a second at a time. The
number of streams on one core is sound by processor time: so many s of sound are heard in one s of it. On a
machine that others use times are longer than on a quiet one: the load is printed with them.
"""

import argparse
import json
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from answer import RATE, SHARED, voices

WINDOW, HOP = 4.0, 0.5  # s
N_HOPS = 120
N_STREAMS, N_THREADS = 16, 8

# Rows: what a release is to reach at least, and what would be better.
TARGETS = {
    "one stream, a hop: median": ("15 ms", "8 ms"),
    "one stream, a hop: 95 of 100 are faster than": ("ms", ""),
    "one stream, a hop: processor time": ("ms", ""),
    "of it the search for speech": ("ms", ""),
    "of it features": ("ms", ""),
    "of it the network": ("ms", ""),
    "of it all else": ("ms", ""),
    "one stream, a hop without speech: median": ("ms", ""),
    "one stream at 8 kHz, a hop: median": ("15 ms", "8 ms"),
    "a push of 20 ms that ends no window": ("µs", ""),
    "streams in real time on one core": ("25", "50"),
    "8 threads, 16 streams: streams in real time": ("", ""),
    "8 threads, 16 streams: largest difference of scores": ("0", ""),
}


@contextmanager
def timed(owner, name, found):
    """Add the processor time of each call of a function to a list."""
    original = getattr(owner, name)

    def replaced(*args, **kwargs):
        start = time.thread_time()
        try:
            return original(*args, **kwargs)
        finally:
            found.append(time.thread_time() - start)

    setattr(owner, name, replaced)
    try:
        yield
    finally:
        setattr(owner, name, original)


def hops(detector, samples, rate=RATE):
    """Push sound half a second at a time; return s of each hop, s of processor time of all, and events."""
    from voicelstm import detector_stream

    stream = detector_stream(detector, rate, WINDOW, HOP)
    size = int(HOP * rate)
    stream.push(samples[: int((WINDOW - HOP) * rate)])
    took, events = [], []
    before = time.process_time()
    for first in range(int((WINDOW - HOP) * rate), len(samples) - size + 1, size):
        start = time.perf_counter()
        found = stream.push(samples[first : first + size])
        took.append(time.perf_counter() - start)
        events += found
    return took, time.process_time() - before, events


def one_stream(detector, samples):
    """Measure the hops of one stream, and what they are made of, in ms."""
    from voicelstm import LSTMVoiceClassifier
    from voicelstm.features import _extraction

    hops(detector, samples[: 8 * RATE])
    took, used, _ = hops(detector, samples)
    found = {
        "one stream, a hop: median": 1000 * statistics.median(took),
        "one stream, a hop: 95 of 100 are faster than": 1000 * float(np.quantile(took, 0.95)),
        "one stream, a hop: processor time": 1000 * used / len(took),
    }
    speech, features, network = [], [], []
    with (
        timed(_extraction, "speech_frames", speech),
        timed(_extraction, "_clip", features),
        timed(LSTMVoiceClassifier, "_segment_logits", network),
    ):
        took, used, _ = hops(detector, samples)
    names = [name for name in TARGETS if name.startswith("of it")]
    parts = [sum(each) / len(took) for each in (speech, features, network)]
    parts.append(used / len(took) - sum(parts))
    found |= {name: 1000 * part for name, part in zip(names, parts, strict=True)}
    noise = np.random.default_rng(0).normal(0, 0.001, 20 * RATE).astype(np.float32)
    took, _, _ = hops(detector, noise)
    found["one stream, a hop without speech: median"] = 1000 * statistics.median(took)
    took, _, _ = hops(detector, samples[::2][: len(samples) // 4], RATE // 2)
    found["one stream at 8 kHz, a hop: median"] = 1000 * statistics.median(took)
    found["a push of 20 ms that ends no window"] = 1e6 * small_push(detector, samples)
    return found


def small_push(detector, samples):
    """Return the s of a push of 20 ms ahead of the first window."""
    from voicelstm import detector_stream

    took = []
    for _ in range(20):
        stream = detector_stream(detector, RATE, WINDOW, HOP)
        start = time.perf_counter()
        for first in range(0, 3 * RATE, RATE // 50):
            stream.push(samples[first : first + RATE // 50])
        took.append((time.perf_counter() - start) / 150)
    return statistics.median(took)


def many_streams(detector, samples):
    """Measure streams side by side: s of sound by s of processor time, and by s, in threads."""
    size = int(HOP * RATE)
    parts = [np.roll(samples, -number * 3 * RATE)[: 20 * RATE] for number in range(N_STREAMS)]
    n_hops = (len(parts[0]) - int((WINDOW - HOP) * RATE)) // size
    used, expected = 0.0, []
    for part in parts:
        _, of_part, events = hops(detector, part)
        used += of_part
        expected.append([each.score for each in events])
    start = time.perf_counter()
    with ThreadPoolExecutor(N_THREADS) as pool:
        found = [
            [each.score for each in events] for _, _, events in pool.map(lambda x: hops(detector, x), parts)
        ]
    took = time.perf_counter() - start
    sound = N_STREAMS * n_hops * HOP
    difference = np.abs(np.array(found, dtype=float) - np.array(expected, dtype=float))
    return {
        "streams in real time on one core": sound / used,
        "8 threads, 16 streams: streams in real time": sound / took,
        "8 threads, 16 streams: largest difference of scores": float(np.nanmax(difference)),
    }


def show(found):
    """Print the numbers beside what was asked for."""
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    table = Table(title=f"What listening costs, windows of {WINDOW:g} s every {HOP:g} s ({load})")
    for name, justify in (("", "left"), ("measured", "right"), ("at least", "right"), ("stretch", "right")):
        table.add_column(name, justify=justify)
    for name, value in found.items():
        least, stretch = TARGETS[name]
        unit = least.split(" ")[-1].strip("0123456789.")
        table.add_row(name, f"{value:.3g} {unit}".strip(), least if least != unit else "", stretch)
    Console(width=110).print(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=SHARED / "corpus")
    parser.add_argument(
        "--only", action="append", choices=("one", "many"), help="measure this; may be repeated"
    )
    parser.add_argument("--hops", type=int, default=N_HOPS, help="that one stream is measured over")
    parser.add_argument("--json", type=Path, help="file that is written, too")
    arguments = parser.parse_args()
    from voicelstm import load_pretrained

    detector = load_pretrained()
    samples = voices(arguments.corpus, int(WINDOW + arguments.hops * HOP))
    found = {}
    if "one" in (arguments.only or ["one"]):
        found |= one_stream(detector, samples)
    if "many" in (arguments.only or ["many"]):
        found |= many_streams(detector, samples)
    show(found)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
