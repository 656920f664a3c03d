"""Let streams of one detector hear for an hour of their time, and see whether anything grows.

Simulated voices, noise and pauses come in blocks of all sizes, faster than real time, to `--streams` streams
that share the packaged detector and are served by `--threads` threads. Now and then one ends and begins
again. After a warm-up, resident memory may not grow by more than `--most` MiB, and no thread, file or process
may be left. In the end streams that heard the same have to have answered the same.

An hour of 50 streams with windows of 4 s every 0.5 s are 360,000 windows. `--hop 4` hears each sample once.
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from long_run import said, state
from voicelstm import detector_stream, load_pretrained
from voicelstm.datasets import make_voices

RATE = 16000
BLOCKS = (1, 160, 320, 1000, 4096, 16000, 70000)  # samples


class Listener:
    """A stream, and the sound that it is given, which is that of every stream with the same number."""

    def __init__(self, detector, number, n_kinds, arguments):
        self.kind = number % n_kinds
        self.stream = detector_stream(detector, RATE, arguments.window, arguments.hop)
        self.sound = np.random.default_rng(self.kind)
        self.cuts = np.random.default_rng([1, number])  # where blocks end is each one's own
        self.n_windows = self.n_scored = 0
        self.total = 0.0
        self.seconds = 0.0

    def hear(self, voices, seconds):
        """Hear so much more, in blocks of all sizes."""
        samples = self.drawn(voices, int(seconds * RATE))
        first = 0
        while first < len(samples):
            size = int(self.cuts.choice(BLOCKS))
            self.count(self.stream.push(samples[first : first + size]))
            first += size
        self.seconds += seconds
        if self.sound.random() < 0.02:
            self.count(self.stream.flush())
            self.stream.reset()

    def drawn(self, voices, n_samples):
        """Voices, noise and pauses in turn."""
        found = []
        while sum(map(len, found)) < n_samples:
            voice = voices[int(self.sound.integers(len(voices)))]
            found.append(voice * np.float32(10 ** self.sound.uniform(-2, 0)))
            pause = int(self.sound.integers(0, 8 * RATE)) if self.sound.random() < 0.1 else RATE // 4
            level = 10 ** self.sound.uniform(-6, -2) if self.sound.random() < 0.7 else 0.0
            found.append(self.sound.normal(0, level, pause).astype(np.float32))
        return np.concatenate(found)[:n_samples]

    def count(self, events):
        for event in events:
            self.n_windows += 1
            if event.score is not None:
                assert np.isfinite(event.score)
                self.n_scored += 1
                self.total += event.score


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=3600, help="of sound that each stream hears")
    parser.add_argument("--minutes", type=float, default=None, help="end after so many, however far it is")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--window", type=float, default=4.0)
    parser.add_argument("--hop", type=float, default=0.5)
    parser.add_argument("--warm-up", type=float, default=60, help="s of sound of each before the first look")
    parser.add_argument("--most", type=float, default=10, help="MiB that memory may grow by")
    arguments = parser.parse_args()
    detector = load_pretrained()
    voices = [samples.astype(np.float32) for samples, _ in make_voices(40, random_state=0).recordings]
    n_kinds = max(1, arguments.streams // 2)
    listeners = [Listener(detector, number, n_kinds, arguments) for number in range(arguments.streams)]
    before, begin, step = None, time.perf_counter(), 20.0
    told = begin
    with ThreadPoolExecutor(arguments.threads) as pool:
        while listeners[0].seconds < arguments.seconds:
            list(pool.map(lambda each: each.hear(voices, step), listeners))
            now = time.perf_counter()
            if before is None and listeners[0].seconds >= arguments.warm_up:
                before = state()
                print(f"after {progress(listeners)}, {now - begin:.0f} s: {said(before)}", flush=True)
            if now - told > 60:
                told = now
                print(f"after {progress(listeners)}, {now - begin:.0f} s: {said(state())}", flush=True)
            if arguments.minutes is not None and now - begin > 60 * arguments.minutes:
                break
        after = state()
    for one, other in zip(listeners[:n_kinds], listeners[n_kinds : 2 * n_kinds], strict=True):
        assert (one.n_windows, one.n_scored) == (other.n_windows, other.n_scored)
        assert one.total == other.total, f"streams of sound {one.kind} answered otherwise"
    grown = {name: after[name] - before[name] for name in after}
    print(f"grown up to {progress(listeners)}: {said(grown)}")
    sys.exit(grown.pop("memory in MiB") > arguments.most or any(n > 0 for n in grown.values()))


def progress(listeners):
    n_windows, n_scored = (
        sum(getattr(each, name) for each in listeners) for name in ("n_windows", "n_scored")
    )
    return f"{listeners[0].seconds:.0f} s of {len(listeners)} streams, {n_windows} windows, {n_scored} with speech"


if __name__ == "__main__":
    main()
