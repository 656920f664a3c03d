"""A hundred thousand short clips into a folder: memory, a kill half-way, and what the next run makes.

Takes about ten minutes and 4 GB of disk in the temporary folder; `make nightly` runs it.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from voicelstm import SequenceStore

SHARED = Path(os.environ.get("VOICELSTM_SHARED", Path(__file__).resolve().parents[2] / "shared"))
_SECONDS = 0.6

_RUN = """
import sys
from pathlib import Path
from voicelstm import MFCCTransformer

if __name__ == "__main__":
    paths = sorted(Path(sys.argv[1]).iterdir())
    MFCCTransformer(n_jobs=2).transform(paths, out=sys.argv[2])
"""


def cut_clips(folder, n_clips):
    """Write short cuts of the corpus, each at a place of its own, so that no two are equal."""
    with (SHARED / "corpus" / "manifest.csv").open(newline="", encoding="utf-8") as lines:
        paths = [SHARED / "corpus" / row["path"] for row in csv.DictReader(lines)]
    per_path = -(-n_clips // len(paths))
    for position, path in enumerate(paths):
        samples, rate = soundfile.read(path, dtype="int16")
        size = min(int(_SECONDS * rate), len(samples) - per_path)
        for cut, start in enumerate(np.linspace(0, len(samples) - size, per_path).astype(int)):
            number = cut * len(paths) + position
            if number < n_clips:
                soundfile.write(folder / f"{number:06}.wav", samples[start : start + size], rate)


def run(clips, store, kill_at=None):
    """Run to the end, or kill; return the run's private memory over time, in MB."""
    child = subprocess.Popen([sys.executable, "-c", _RUN, clips, store])
    data = store / "features.bin"
    memory = []
    while child.poll() is None:
        try:
            status = Path(f"/proc/{child.pid}/status").read_text()
            memory.append(int(status.split("RssAnon:")[1].split()[0]) / 1024)
        except (OSError, IndexError):
            break
        if kill_at is not None and data.exists() and data.stat().st_size >= kill_at:
            child.kill()
        time.sleep(0.5)
    child.wait()
    return memory


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=100_000)
    n_clips = parser.parse_args().clips
    with tempfile.TemporaryDirectory() as temporary:
        clips = Path(temporary, "clips")
        clips.mkdir()
        cut_clips(clips, n_clips)
        start = time.perf_counter()
        memory = run(clips, Path(temporary, "whole"))
        seconds = time.perf_counter() - start
        whole = SequenceStore(Path(temporary, "whole"))
        size = (whole.folder / "features.bin").stat().st_size
        print(
            f"{len(whole):,} clips, {size / 1e6:,.0f} MB, {seconds:.0f} s, {len(whole) / seconds:.0f} clips/s"
        )
        tenths = [np.max(part) for part in np.array_split(memory, 10)]
        print("private memory, highest of each tenth of the run, MB:", " ".join(f"{m:.0f}" for m in tenths))
        run(clips, Path(temporary, "killed"), kill_at=size // 2)
        left = (Path(temporary, "killed") / "features.bin").stat().st_size
        start = time.perf_counter()
        run(clips, Path(temporary, "killed"))
        print(f"killed at {left / size:.0%}; the next run took {time.perf_counter() - start:.0f} s")
        killed = SequenceStore(Path(temporary, "killed"))
        equal = len(killed) == len(whole) and all(map(np.array_equal, killed, whole))
        print("content equal to the uninterrupted run's:", equal)
        sys.exit(not equal)


if __name__ == "__main__":
    main()
