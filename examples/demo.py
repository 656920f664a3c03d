"""The main job from end to end: train a detector, cross-validate it, save it, load it elsewhere, ask it.

``make demo`` runs this on simulated voices; ``make demo CORPUS=labels.csv`` on recordings of your own. The
pictures, the model and the recording that it is asked about are left in the folder ``demo``.
"""

import argparse
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_validate

from voicelstm import load, make_detector, save, score_timeline
from voicelstm.audio import read_audio
from voicelstm.datasets import load_csv, load_folder, make_voices
from voicelstm.display import ScoreTimelineDisplay, TrainingCurveDisplay

mpl.use("Agg")
import matplotlib.pyplot as plt

N_FOLDS = 5
console = Console(width=100)


def main():
    arguments = parse_arguments()
    if arguments.ask:
        ask(*arguments.ask, arguments.human)
        return
    arguments.output.mkdir(parents=True, exist_ok=True)
    corpus, groups = load_corpus(arguments)
    describe(corpus, groups)

    # The fast one, since this trains six times; without "dynamics" it is the one to decide with.
    detector = make_detector("dynamics", random_state=0, features__n_jobs=2)
    if arguments.corpus is None:
        # Voices out of a formula, one after the other, are no speech to a voice activity detector.
        detector.set_params(features__speech_only=False, features__trim_silence=40.0)
    with timed("Cepstra of all recordings"):
        X = detector["features"].fit_transform(corpus.recordings)
    y = corpus.target
    with timed(f"{N_FOLDS}-fold cross-validation"):
        folds = list(splitter(groups).split(X, y, groups))
        scores = cross_validate(
            detector[1:], X, y, cv=folds, scoring=("balanced_accuracy", "roc_auc"), n_jobs=1
        )
    report_folds(scores, folds, groups)

    train, held_out = folds[0]
    with timed("Training without the first fold"):
        detector.fit([corpus.recordings[i] for i in train], y[train])
    model = arguments.output / "detector.voicelstm"
    save(detector, model)
    call, changes = compose_call(corpus, held_out, detector.classes_, arguments.output / "call.wav")
    with timed("A new process loads it and listens"):
        answer = subprocess.run(
            [sys.executable, __file__, "--ask", str(model), str(call)]
            + ([] if arguments.human is None else ["--human", arguments.human]),
            capture_output=True,
            text=True,
        )
        if answer.returncode:
            sys.exit(f"The new process failed:\n{answer.stderr}")
    heard = json.loads(answer.stdout)

    loss_curve(detector, arguments.output / "loss_curve.png")
    score_over_time(call, changes, heard, arguments.output / "score_over_time.png")
    report_call(call, changes, heard)
    console.print(f"Model, recording and pictures are in [bold]{arguments.output}/[/bold].")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--corpus", type=Path, help="a CSV of labels, or a folder with one sub-folder per class"
    )
    parser.add_argument("--group", help="column whose values no two folds share (default: speaker, if there)")
    parser.add_argument("--where", metavar="COLUMN=VALUE", help="rows of the CSV to keep")
    parser.add_argument("--human", metavar="LABEL", help="the human class, if its spelling does not say it")
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder for what it leaves")
    parser.add_argument("--ask", nargs=2, metavar=("MODEL", "RECORDING"), help=argparse.SUPPRESS)
    return parser.parse_args()


def load_corpus(arguments):
    """Load recordings, and the groups that a fair split keeps together."""
    if arguments.corpus is None:
        corpus = make_voices(200, random_state=0)
        console.print("[bold]Simulated voices.[/bold] A score on them says nothing about real voices.")
    elif arguments.corpus.is_dir():
        if arguments.where:
            sys.exit("WHERE keeps rows of a CSV; a folder has none.")
        corpus = load_folder(arguments.corpus)
    else:
        column, _, value = (arguments.where or "").partition("=")
        corpus = load_csv(arguments.corpus, where={column: value} if column else None)
    name = arguments.group or "speaker"
    if name in corpus.groups:
        if len(np.unique(corpus.groups[name])) < N_FOLDS:
            sys.exit(f"{N_FOLDS} folds need {N_FOLDS} groups; the column {name!r} has fewer.")
        return corpus, corpus.groups[name]
    if arguments.group:
        sys.exit(f"There is no column {name!r} to group by; there are: {', '.join(corpus.groups) or 'none'}.")
    console.print(
        "[bold red]Warning:[/bold red] no column 'speaker', and no GROUP given. A random split may leak: the"
        " same speaker or system in training and test makes the numbers below better than they are."
    )
    return corpus, None


def splitter(groups):
    if groups is None:
        return StratifiedKFold(N_FOLDS, shuffle=True, random_state=0)
    return StratifiedGroupKFold(N_FOLDS)


def compose_call(corpus, positions, classes, path, seconds=6.0):
    """Write one recording of held-out clips, the two classes in turn; return where it changes."""
    pieces, changes, rate = [], [], 16000
    for turn in range(4):
        label = classes[turn % 2]
        changes.append((sum(map(len, pieces)) / rate, str(label)))
        of_class = [i for i in positions if corpus.target[i] == label]
        length = 0
        for i in of_class[turn // 2 :: 2] or of_class:
            samples, _ = read_audio(corpus.recordings[i], sample_rate=rate)
            samples = samples[: int(seconds * rate) - length]
            pieces.append(samples / max(np.abs(samples).max(), 1e-6) * 0.5)
            length += len(samples)
            if length == int(seconds * rate):
                break
    soundfile.write(path, np.concatenate(pieces), rate)
    return path, changes


def ask(model, recording, human):
    """Answer in a process that knows nothing but the model's file."""
    detector = load(model)
    human_label = next((label for label in detector.classes_.tolist() if str(label) == human), None)
    probability = detector.predict_proba([recording])[0]
    detector.set_params(classifier__segment_frames=2)  # of windows: a score each second
    timeline = score_timeline(detector, [recording], human_label=human_label)[0]
    answer = {
        "probability": probability.tolist(),
        "timeline": [[float(value) for value in row] for row in timeline],
    }
    sys.stdout.write(json.dumps(answer))


@contextmanager
def timed(what):
    """Print what takes how long."""
    start = time.perf_counter()
    yield
    console.print(f"{what}: {time.perf_counter() - start:.1f} s")


def describe(corpus, groups):
    table = Table(title="Corpus", title_justify="left")
    for column in ("class", "recordings", "groups"):
        table.add_column(column, justify="left" if column == "class" else "right")
    for label in np.unique(corpus.target):
        of_class = corpus.target == label
        n_groups = "-" if groups is None else str(len(np.unique(groups[of_class])))
        table.add_row(str(label), str(of_class.sum()), n_groups)
    console.print(table)


def report_folds(scores, folds, groups):
    kind = "a random split" if groups is None else "groups that training has not heard"
    table = Table(title=f"Cross-validation on {kind}", title_justify="left")
    for column in ("fold", "clips", "balanced accuracy", "ROC AUC"):
        table.add_column(column, justify="right")
    balanced, area = scores["test_balanced_accuracy"], scores["test_roc_auc"]
    for fold, (_, test) in enumerate(folds):
        table.add_row(str(fold + 1), str(len(test)), f"{balanced[fold]:.3f}", f"{area[fold]:.3f}")
    table.add_section()
    table.add_row("mean", "", f"{balanced.mean():.3f} ± {balanced.std():.3f}", f"{area.mean():.3f}")
    console.print(table)


def report_call(call, changes, heard):
    table = Table(title=f"{call}, heard second by second", title_justify="left")
    for column in ("from", "to", "truth", "heard"):
        table.add_column(column, justify="right" if column in ("from", "to") else "left")
    for (start, truth), stop in zip(changes, [change[0] for change in changes[1:]] + [np.inf], strict=True):
        inside = [row for row in heard["timeline"] if start <= (row[0] + row[1]) / 2 < stop]
        score = np.mean([row[2] for row in inside])
        verdict = f"{'synthetic' if score >= 0 else 'human'} (mean score {score:+.1f})"
        table.add_row(f"{start:.1f} s", f"{min(stop, heard['timeline'][-1][1]):.1f} s", truth, verdict)
    console.print(table)


def loss_curve(detector, path):
    display = TrainingCurveDisplay.from_estimator(detector)
    display.figure_.savefig(path, dpi=150)
    plt.close(display.figure_)


def score_over_time(call, changes, heard, path):
    fields = [("start_s", float), ("stop_s", float), ("score", float)]
    display = ScoreTimelineDisplay.from_timeline(
        np.array([tuple(row) for row in heard["timeline"]], dtype=fields),
        recording=call,
    )
    display.figure_.suptitle("A recording of voices that training has not heard")
    wave = display.wave_ax_
    wave.set_ylim(top=1.6 * wave.get_ylim()[1])
    for start, truth in changes:
        wave.axvline(start, color="black", linewidth=0.8)
        wave.text(start, 0.99, f" {truth}", va="top", transform=wave.get_xaxis_transform())
    display.figure_.savefig(path, dpi=150)
    plt.close(display.figure_)


if __name__ == "__main__":
    main()
