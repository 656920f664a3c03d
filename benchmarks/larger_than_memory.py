"""Fit from 1 and from 10 GB of features on disk: how private memory grows with them.

Takes some minutes and 10 GB of disk in the temporary folder; `make nightly` runs it.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

_FIT = """
import sys, threading, time
from pathlib import Path
import numpy as np
from voicelstm import LSTMVoiceClassifier, SequenceStore

def private():
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024

kind, path, n_clips = sys.argv[1], sys.argv[2], int(sys.argv[3])
classifier = LSTMVoiceClassifier(units=(8,), max_steps=20, random_state=0)
small = np.random.default_rng(0).normal(size=(64, 300, 60)).astype(np.float32)
classifier.fit(small, np.arange(64) % 2).predict(small)
peak = [before := private()]

def watch():
    while True:
        peak.append(private())
        time.sleep(0.02)

threading.Thread(target=watch, daemon=True).start()
if kind == "store":
    X = SequenceStore(path)
else:
    X = np.memmap(path, dtype=np.float32, mode="r").reshape(n_clips, -1, 60)
start = time.perf_counter()
classifier.fit(X, np.arange(len(X)) % 2)
print(f"{max(peak) - before:.0f} MB above what a small fit takes, {time.perf_counter() - start:.0f} s")
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=int, nargs="+", default=[1, 10])
    frames, features = 1000, 60
    for gigabytes in parser.parse_args().gigabytes:
        n_clips = gigabytes * 10**9 // (frames * features * 4)
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder, "store")
            write_store(store, n_clips, frames, features)
            for kind, path in (("store", store), ("numpy.memmap", store / "features.bin")):
                done = subprocess.run(
                    [sys.executable, "-c", _FIT, kind, path, str(n_clips)],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                print(f"{gigabytes} GB, {n_clips:,} clips, {kind}: {done.stdout.strip()}", flush=True)


def write_store(folder, n_clips, frames, features):
    from voicelstm.sequences import Clip
    from voicelstm.sequences._store_writer import SequenceWriter

    generator = np.random.default_rng(0)
    noise = generator.standard_normal((frames, features), dtype=np.float32)
    with SequenceWriter(folder, {"made": time.time()}, features, "float32") as writer:
        for first in range(0, n_clips, 256):
            numbers = range(first, min(first + 256, n_clips))
            clips = [np.roll(noise, n, axis=0) + np.float32(n % 2) for n in numbers]
            writer.append(
                [(str(n), Clip(c, 0, 0.025, 0.01, 10.0)) for n, c in zip(numbers, clips, strict=True)]
            )
        writer.arrange([str(n) for n in range(n_clips)])


if __name__ == "__main__":
    main()
