"""The recordings whose scores a packaged detector keeps: simulated voices, and clips of the shared corpus.

``python -m tests.detector.pinned_answers general-1 > tests/detector/pinned_general_1.csv`` writes the scores
of a new detector, once. They are never written again: what answers otherwise is another detector, and has
another name.
"""

import csv
import os
import sys
from pathlib import Path

import numpy as np

from voicelstm import detect, load_pretrained
from voicelstm.datasets import load_csv, make_voices

FOLDER = Path(__file__).parent
SHARED = Path(os.environ.get("VOICELSTM_SHARED", Path(__file__).resolve().parents[3] / "shared"))
N_SIMULATED = N_OF_CORPUS = 20


def simulated():
    """Voices that are made anew."""
    voices, _ = make_voices(N_SIMULATED, random_state=0, return_X_y=True)
    return {f"simulated {number}": voice for number, voice in enumerate(voices)}


def of_corpus(corpus=SHARED / "corpus"):
    """Clips of every kind: each so many of both manifests."""
    tables = (load_csv(corpus / "manifest.csv", where={"subset": "speech"}), load_csv(corpus / "wide.csv"))
    paths = [Path(path) for table in tables for path in table.recordings]
    chosen = np.linspace(0, len(paths) - 1, N_OF_CORPUS).round().astype(int)
    return {paths[place].relative_to(corpus).as_posix(): paths[place] for place in chosen}


def scores(name, recordings):
    """What a packaged detector says of recordings, by their names."""
    answers = detect(load_pretrained(name), list(recordings.values()))
    return {recording: answer.score for recording, answer in zip(recordings, answers, strict=True)}


def pinned(name):
    """What it said when it was put into the package."""
    with (FOLDER / f"pinned_{name.replace('-', '_')}.csv").open(newline="", encoding="utf-8") as file:
        return {row["recording"]: float(row["score"]) for row in csv.DictReader(file)}


if __name__ == "__main__":
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["recording", "score"])
    for recording, score in scores(sys.argv[1], simulated() | of_corpus()).items():
        writer.writerow([recording, f"{score:.6f}"])
