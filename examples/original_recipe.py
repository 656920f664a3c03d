"""The published recipe that this library grew out of, on any labelled corpus.

``python examples/original_recipe.py --labels labels.csv`` expects a CSV with the columns ``path`` and
``label`` (or a bare list of 0 and 1 for the audio files of its folder, in the order that ``--order`` says),
human being 1 or "human". ``--channel interleaved`` reads files of two channels as the recipe did. It prints
each iteration's prediction beside its label, every 10 iterations the loss and the accuracy on 100 training
clips, as the recipe reports them, the next 100 with each iteration; and beside it what the recipe did not:
the accuracy on clips held out, by speaker where the CSV says who speaks. Into ``--output`` it writes the
loss curve, the model, which a new process then loads and asks about a clip that was held out, and every 100
iterations a checkpoint, which is a model like it: ``voicelstm detect -m checkpoint-0300.voicelstm a.wav``.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import keras
import matplotlib as mpl
import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline

from voicelstm import LSTMVoiceClassifier, MFCCTransformer, save
from voicelstm.datasets import load_csv

mpl.use("Agg")
import matplotlib.pyplot as plt

EVALUATED = 100  # clips behind each accuracy, as in the recipe
RELOAD = """
import sys
from voicelstm import load
detector = load(sys.argv[1])
print(f"{detector.predict_proba([sys.argv[2]])[0, 1]:.3f}")
"""


def main():
    arguments = parse_arguments()
    arguments.output.mkdir(parents=True, exist_ok=True)
    corpus = load_csv(arguments.labels, where=parse_where(arguments.where), order=arguments.order)
    y = is_human(corpus.target)
    train, held_out, how = split(corpus, y)
    say(f"{len(train)} clips to train on, {len(held_out)} held out ({how}).")

    start = time.perf_counter()
    features = MFCCTransformer.original(channel=arguments.channel, n_jobs=2, verbose=1)
    X = list(features.transform(corpus.recordings))
    say(f"Features: {time.perf_counter() - start:.1f} s.")

    features.set_params(n_jobs=None, verbose=0)
    report = Report(features, X, y, train, held_out, arguments.output)
    classifier = LSTMVoiceClassifier.original(
        max_steps=arguments.iterations, random_state=arguments.seed, callbacks=lambda: report
    )
    start = time.perf_counter()
    classifier.fit([X[i] for i in train], y[train])
    say(f"Training: {time.perf_counter() - start:.1f} s.")
    loss_curve(report, arguments.output / "loss_curve.png")

    # The callback watched the training; the model that is kept does without it.
    classifier.set_params(callbacks=None)
    model = arguments.output / "recipe.voicelstm"
    save(make_pipeline(features, classifier), model)
    clip = corpus.recordings[held_out[0]]
    done = subprocess.run(
        [sys.executable, "-c", RELOAD, str(model), clip], capture_output=True, text=True, check=True
    )
    truth = "human" if y[held_out[0]] else "synthetic"
    say(f"A new process loads {model} and says of {clip}: P(human) = {done.stdout.strip()}; it is {truth}.")
    say(f"Checkpoints, model and loss curve are in {arguments.output}/.")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=Path, required=True, help="CSV of labels, or a bare list of 0 and 1")
    parser.add_argument("--iterations", type=int, default=600)
    parser.add_argument("--order", choices=["natural", "name"], help="of the files of a bare list")
    parser.add_argument("--channel", choices=["mean", "interleaved"], default="mean")
    parser.add_argument("--where", metavar="COLUMN=VALUE", help="rows of the CSV to keep")
    parser.add_argument("--output", type=Path, default=Path("original_recipe"))
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def parse_where(text):
    column, _, value = (text or "").partition("=")
    return {column: value} if column else None


def is_human(target):
    """Labels as the recipe has them: human 1, synthetic 0."""
    if not set(target.tolist()) <= ({"human", "synthetic"} if target.dtype.kind == "U" else {0, 1}):
        sys.exit(f"Labels must be human and synthetic, or 1 and 0; found {sorted(set(target.tolist()))}.")
    return (target == ("human" if target.dtype.kind == "U" else 1)).astype(int)


def split(corpus, y):
    """Hold out a fifth of the clips; no speaker stands on both sides where the CSV names speakers."""
    speaker = corpus.groups.get("speaker")
    if speaker is None:
        folds = StratifiedKFold(5, shuffle=True, random_state=0).split(y, y)
        how = "at random, for want of a column 'speaker': the same voices may be on both sides"
    else:
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=0).split(y, y, speaker)
        how = "by speaker"
    train, held_out = next(iter(folds))
    # In file order all of one class may come first; batches of one class teach nothing.
    generator = np.random.default_rng(0)
    return generator.permutation(train), generator.permutation(held_out), how


class Report(keras.callbacks.Callback):
    """What the recipe prints and keeps while it learns."""

    def __init__(self, features, X, y, train, held_out, folder):
        super().__init__()
        self.features = features
        self.X, self.y, self.train, self.held_out, self.folder = X, y, train, held_out, folder
        self.iteration = 0
        self.curve = []

    def set_classifier(self, so_far):
        self.classifier_so_far = so_far

    def on_train_batch_end(self, batch, logs=None):
        clip = self.train[self.iteration * 20 % len(self.train)]
        self.iteration += 1
        probability = float(self.probabilities([clip])[0])
        say(f"iteration {self.iteration}: predicted {probability:.3f}, label {self.y[clip]}")
        if self.iteration % 10 == 0:
            loss, accuracy = self.evaluate(self.tested())
            _, unseen = self.evaluate(self.held_out[:EVALUATED])
            self.curve.append((self.iteration, loss, accuracy, unseen))
            say(
                f"iteration {self.iteration}: loss {loss:.4f}, accuracy {accuracy:.2f} on training clips,"
                f" {unseen:.2f} on held-out clips"
            )
        if self.iteration % 100 == 0:
            checkpoint = make_pipeline(self.features, self.classifier_so_far())
            save(checkpoint, self.folder / f"checkpoint-{self.iteration:04d}.voicelstm")

    def tested(self):
        """The training clips of this iteration's test: each iteration takes the next ones, around the end."""
        first = (self.iteration - 1) * EVALUATED
        return self.train[np.arange(first, first + min(EVALUATED, len(self.train))) % len(self.train)]

    def probabilities(self, positions):
        outputs = []
        for first in range(0, len(positions), 20):
            clips = [self.X[i] for i in positions[first : first + 20]]
            lengths = np.array([len(clip) for clip in clips], dtype=np.int32)
            batch = np.zeros((len(clips), max(lengths), clips[0].shape[1]), dtype=np.float32)
            for row, clip in enumerate(clips):
                batch[row, : len(clip)] = clip
            logits = self.model.predict_on_batch({"sequences": batch, "lengths": lengths})
            outputs.append(1 / (1 + np.exp(-logits[:, 0])))
        return np.concatenate(outputs)

    def evaluate(self, positions):
        probability, label = self.probabilities(positions), self.y[positions]
        return np.mean((probability - label) ** 2), np.mean((probability > 0.5) == label)


def loss_curve(report, path):
    if not report.curve:
        return
    iterations, losses, accuracies, unseen = np.array(report.curve).T
    figure, (upper, lower) = plt.subplots(2, figsize=(7, 5), sharex=True, layout="constrained")
    upper.plot(iterations, losses, color="#222222")
    upper.set(ylabel="squared error", ylim=(0, 1.1 * max(losses)), title="The original recipe")
    share = np.mean(report.y[report.train])
    lower.axhline(max(share, 1 - share), color="#222222", linestyle=":", label="always the commoner class")
    lower.plot(iterations, accuracies, color="#2a7f9e", label="training clips (which the recipe reports)")
    lower.plot(iterations, unseen, color="#d1603d", linestyle="--", label="clips held out")
    lower.set(xlabel="iteration", ylabel="accuracy", ylim=(0, 1))
    lower.legend(frameon=False, loc="lower right")
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.3)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def say(text):
    print(text, flush=True)


if __name__ == "__main__":
    main()
