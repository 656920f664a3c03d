"""How long `evaluate` takes for 20,000 clips of 200 speakers, and how long a bootstrap of rows does."""

import time
from functools import partial

import numpy as np
from rich.console import Console
from sklearn.linear_model import LogisticRegression

from voicelstm import evaluate
from voicelstm.metrics import bootstrap_interval, equal_error_rate

N_SPEAKERS, PER_SPEAKER, N_RESAMPLES = 200, 100, 1000
FEW = 20  # resamples of rows, which take too long for more
console = Console(width=110)


def timed(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main():
    random = np.random.default_rng(0)
    speaker = np.repeat(np.arange(N_SPEAKERS), PER_SPEAKER)
    y = np.where(speaker < N_SPEAKERS // 2, "human", "synthetic")
    of_speakers = random.normal(0, 0.5, N_SPEAKERS)[speaker]
    score = random.normal(np.where(y == "human", -1, 1), 1) + of_speakers
    groups = {"speaker": speaker, "system": np.where(y == "human", "-", (speaker % 6).astype(str))}
    detector = LogisticRegression().fit(score[::50, None], y[::50])
    ask = partial(evaluate, detector, score[:, None], y, groups, random_state=0)
    console.print(f"{len(y)} clips, {N_SPEAKERS} speakers, {N_RESAMPLES} resamples, six measures")
    default = timed(partial(ask, n_resamples=N_RESAMPLES))
    console.print(f"evaluate, by default (all clips and six systems): {default:.1f} s")
    overall = timed(partial(ask, by=[], n_resamples=N_RESAMPLES))
    of_rows = timed(partial(bootstrap_interval, equal_error_rate, y, score, groups=speaker, n_resamples=FEW))
    console.print(
        f"evaluate, all clips alone: {overall:.2f} s. One interval by bootstrap_interval, which"
        f" copies and sorts rows: {of_rows / FEW * N_RESAMPLES:.1f} s (from {FEW} resamples)"
    )


if __name__ == "__main__":
    main()
