"""Error rates on sources, voices and families of systems that training has not heard, through other channels.

The recordings are those of the shared corpus's `speech` and `wide` together: `speech` alone has a shortcut,
since its human recordings once were MP3. Four folds leave out sources of recordings (with all their clips of
both classes and all their speakers) and families of systems at once; they are those of the committed
`detection_folds.csv`, which ``--write-folds`` makes. A source is the collection that a speaker is from.

Each side learns from the same recordings with the same coded copies (`Augmenter.channels()`, without Vorbis),
and is tested on the fold's recordings as they are, through codecs, rooms and noise, and on its human
recordings as products process them (`detection_channels.py`). Its threshold is its own, 0. One without an
answer counts as an error. Intervals draw sources and families, not clips.

With ``--cache`` a run goes on where another ended, so that folds and seeds may be run one by one.
A night's work: on two cores some 20 minutes for each front end, and for each fold and seed what the side's
training takes. ``--quick`` is an idea of it: one fold, every second clip, few steps and channels.
"""

import argparse
import csv
import os
import statistics
import tempfile
import warnings
from copy import copy
from pathlib import Path

import numpy as np
import soundfile
from joblib import Memory, Parallel, delayed
from joblib import hash as joblib_hash
from rich.console import Console
from rich.table import Table
from scipy.stats import rankdata
from sklearn.base import clone

import detection_channels
import voicelstm
from detection_channels import CHANNELS, PROCESSES
from detection_sides import DYNAMICS, OURS, SIDES
from voicelstm import Augmenter, audit
from voicelstm.audio import read_audio
from voicelstm.datasets import UnseenSources, balanced_weights, load_csv
from voicelstm.metrics import bootstrap_interval, equal_error_rate

SHARED = Path(os.environ.get("VOICELSTM_SHARED", Path(__file__).parents[2] / "shared"))
FOLDS = Path(__file__).with_name("detection_folds.csv")
PLAIN = "as they are"
N_FOLDS = 4
FEW = 20  # clips below which a group has no row of its own
STRATA = 5
# Whose recordings are from LibriVox's audio books, as far as the corpora say.
LIBRIVOX = ("libri", "librivox", "lj", "ina")
COPIES = Augmenter.channels()
# Scores that were kept are those of this code.
CODE = (voicelstm.__version__, Path(detection_channels.__file__).read_text(encoding="utf-8"))


class Corpus:
    """Both manifests' clips, what they have in common, and the folds."""

    def __init__(self, folder, every=1):
        parts = [
            load_csv(folder / "manifest.csv", where={"subset": "speech"}),
            load_csv(folder / "wide.csv"),
        ]
        self.recordings = [Path(path) for part in parts for path in part.recordings][::every]
        self.names = [path.relative_to(folder).as_posix() for path in self.recordings]
        self.target = np.concatenate([part.target for part in parts])[::every]
        n_clips = [len(part.recordings) for part in parts]

        def column(name):
            values = [part.groups.get(name, np.full(n, "")) for part, n in zip(parts, n_clips, strict=True)]
            return np.concatenate(values)[::every]

        self.speaker, self.family, self.system = map(column, ("speaker", "family", "system"))
        self.language, self.coding, self.style = map(column, ("language", "coding", "style"))
        self.source = np.array([speaker.split(":")[0] for speaker in self.speaker])
        self.human = self.target == "human"

    def weights(self, chosen):
        """Weigh human clips evenly over sources, then speakers; synthetic over families, then systems."""
        coarse = np.where(self.human, self.source, self.family)[chosen]
        fine = np.where(self.human, self.speaker, self.system)[chosen]
        return balanced_weights(self.target[chosen], {"coarse": coarse, "fine": fine})

    def shuffled(self, seed):
        """Return the corpus with its labels in another order: what learns from these can know nothing."""
        other = copy(self)
        other.target = np.random.default_rng(seed).permutation(self.target)
        return other

    def split(self):
        """Divide the clips anew; `detection_folds.csv` has the result."""
        groups = {"source": self.source, "speaker": self.speaker, "family": self.family}
        return list(UnseenSources(N_FOLDS).split(self.names, self.target, groups))

    def folds(self, *, origins_apart=False):
        """Read the folds, and check that they leave out what they must.

        With `origins_apart`, a fold that tests audio books of LibriVox learns from none of them.
        """
        of_librivox = np.isin(self.source, LIBRIVOX)
        with FOLDS.open(newline="", encoding="utf-8") as lines:
            rows = {row["path"]: row for row in csv.DictReader(lines)}
        folds = []
        for fold in map(str, range(N_FOLDS)):
            test = np.array([rows[name]["tested_in"] == fold for name in self.names])
            training = np.array([fold in rows[name]["trained_in"].split() for name in self.names])
            if origins_apart and of_librivox[test].any():
                training &= ~of_librivox
            for what, kind in ((self.source, self.human), (self.speaker, True), (self.family, ~self.human)):
                common = set(what[training & kind]) & set(what[test & kind])
                if common:
                    raise SystemExit(f"Fold {fold} trains and tests on {sorted(common)}.")
            folds.append((np.flatnonzero(training), np.flatnonzero(test)))
        return folds


def write_folds(corpus):
    tested_in, trained_in = [""] * len(corpus.names), [[] for _ in corpus.names]
    for fold, (training, test) in enumerate(corpus.split()):
        for clip in test:
            tested_in[clip] = str(fold)
        for clip in training:
            trained_in[clip].append(str(fold))
    with FOLDS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "tested_in", "trained_in"])
        writer.writerows(
            (name, tested, " ".join(trained))
            for name, tested, trained in zip(corpus.names, tested_in, trained_in, strict=True)
        )


def sent_through(corpus, what, function, chosen, folder, n_jobs):
    """Write what a channel makes of the chosen recordings; return the paths."""
    folder = folder / what.replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)

    def one(clip):
        path = folder / f"{clip}.flac"
        if not path.exists():
            samples, rate = read_audio(corpus.recordings[clip])
            random = np.random.default_rng([sum(corpus.names[clip].encode()), len(what)])
            changed, rate = function(samples, rate, random)
            changed = changed / max(1, 1.01 * np.abs(changed).max())
            unfinished = path.with_suffix(".part")
            soundfile.write(unfinished, changed, rate, format="FLAC")
            unfinished.rename(path)
        return path

    return Parallel(n_jobs)(delayed(one)(clip) for clip in chosen)


class Heard:
    """What one front end makes of the recordings: with copies or without, and through each channel."""

    def __init__(self, corpus, front_end, copies, channels, cache, n_jobs):
        front_end = clone(front_end).set_params(
            n_jobs=n_jobs, cache_dir=cache / "features", on_error="warn", augment=copies
        )
        self.training = front_end.fit_transform(corpus.recordings)
        self.plain = self.training.plain if copies else self.training
        self.of_channel = {}
        tested = np.sort(np.concatenate([test for _, test in corpus.folds()]))
        for name, function in channels.items():
            chosen = clips_of(corpus, name, tested)
            paths = sent_through(corpus, name, function, chosen, cache / "recordings", n_jobs)
            sequences = front_end.transform(paths)
            of_clip = dict(zip(chosen.tolist(), range(len(chosen)), strict=True))
            self.of_channel[name] = (sequences, of_clip)

    def test(self, name, clips):
        """Return the sequences of these clips through a channel."""
        if name == PLAIN:
            return self.plain[clips]
        sequences, of_clip = self.of_channel[name]
        return sequences[[of_clip[clip] for clip in clips.tolist()]]


def answers_of(heard, detector, corpus, training, test, weights, channels, key):
    """Fit a detector, and return what it says of a fold's clips through each channel."""
    detector.fit(heard.training[training], corpus.target[training], weights)
    answers = {}
    for name in (PLAIN, *channels):
        clips = clips_of(corpus, name, test)
        answers[name] = np.asarray(detector.decision_function(heard.test(name, clips)), dtype=np.float64)
    return answers


def clips_of(corpus, channel, test):
    """Return those of a fold's clips that go through a channel: processes are for human ones."""
    return test[corpus.human[test]] if channel in PROCESSES else test


def scores_of(corpus, heard, side, folds, seed, channels, max_steps, memory, *, shuffled=False):
    """Return, for each channel, the score of each clip in the fold that tests it, NaN where none does."""
    learnt = corpus.shuffled(seed) if shuffled else corpus
    # What is ignored is known by the key: sequences by the recordings, the front end and what changes both.
    known = memory.cache(answers_of, ignore=["heard", "detector", "corpus"])
    scores = {name: np.full(len(corpus.names), np.nan) for name in (PLAIN, *channels)}
    for training, test in folds:
        detector = side.make(seed, max_steps)
        key = joblib_hash((learnt.names, learnt.target, side.front_end, COPIES, detector, CODE))
        answers = known(heard, detector, learnt, training, test, learnt.weights(training), channels, key)
        for name, of_clip in scores.items():
            clips = clips_of(corpus, name, test)
            wrong = np.where(corpus.human[clips], np.inf, -np.inf)
            of_clip[clips] = np.where(np.isnan(answers[name]), wrong, answers[name])
    return scores


def equal_error(corpus, score, clips, **options):
    finite = np.nan_to_num(score[clips], posinf=1e9, neginf=-1e9)
    return 100 * equal_error_rate(corpus.target[clips], finite, pos_label="synthetic", **options)


def share(values):
    return 100 * float(np.mean(values)) if len(values) else float("nan")


def mean_over_folds(measure, folds):
    return statistics.mean(measure(test) for _, test in folds)


def table_of_sides(corpus, found, folds, channels):
    """One column for each side: means over seeds and folds."""
    table = Table(title="Per cent, means over folds and seeds", title_justify="left")
    table.add_column("")
    for side in found:
        table.add_column(side, justify="right")
    tested = np.sort(np.concatenate([test for _, test in folds]))

    def row(name, measure):
        values = [[measure(scores) for scores in of_seeds] for of_seeds in found.values()]
        table.add_row(name, *(with_range(each) for each in values))

    def of_folds(name):
        return lambda scores: mean_over_folds(lambda test: equal_error(corpus, scores[name], test), folds)

    row("equal error rate, mean over folds", of_folds(PLAIN))
    row("equal error rate, clips of all folds", lambda scores: equal_error(corpus, scores[PLAIN], tested))
    table.add_row(
        "its interval, sources drawn", *(interval(corpus, each[0][PLAIN], tested) for each in found.values())
    )
    for name in channels:
        if name in CHANNELS:
            row(f"through {name}", of_folds(name))
    table.add_section()

    def called_synthetic(name):
        return lambda scores: mean_over_folds(
            lambda test: share(scores[name][test[corpus.human[test]]] >= 0), folds
        )

    def called_human(scores):
        return mean_over_folds(lambda test: share(scores[PLAIN][test[~corpus.human[test]]] < 0), folds)

    row("synthetic called human, at 0", called_human)
    row("human called synthetic, at 0", called_synthetic(PLAIN))
    for name in channels:
        if name in PROCESSES:
            row(f"human called synthetic, {name}", called_synthetic(name))
    human_sources = corpus.source[tested][corpus.human[tested]]
    large = [name for name in np.unique(human_sources) if (human_sources == name).sum() >= FEW]
    for name, summary in (("mean", np.mean), ("worst", np.max)):

        def of_sources(scores, summary=summary):
            rates = [
                share(scores[PLAIN][tested[corpus.human[tested] & (corpus.source[tested] == source)]] >= 0)
                for source in large
            ]
            return summary(rates) if rates else float("nan")

        row(f"human called synthetic, sources of {FEW} human clips: {name}", of_sources)
    return table


def interval(corpus, score, tested):
    groups = np.where(corpus.human, corpus.source, corpus.family)[tested]
    finite = np.nan_to_num(score[tested], posinf=1e9, neginf=-1e9)
    low, high = bootstrap_interval(
        equal_error_rate, corpus.target[tested], finite, groups=groups, random_state=0, pos_label="synthetic"
    )
    return f"{100 * low:.1f} to {100 * high:.1f}"


def with_range(values):
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{statistics.mean(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def table_of_groups(corpus, scores, folds):
    """Show one side's errors at 0 for each source, family, language and past of coding, of one seed."""
    tested = np.sort(np.concatenate([test for _, test in folds]))
    human = corpus.human[tested]
    table = Table(title=f"Errors at 0 in per cent, groups of {FEW} clips and more", title_justify="left")
    for column in ("", "", "clips", "human called synthetic", "synthetic called human"):
        table.add_column(column, justify="left" if column == "" else "right")
    of_groups = {
        "human source": np.where(human, corpus.source[tested], ""),
        "family": np.where(human, "", corpus.family[tested]),
        "language": corpus.language[tested],
        "coding": corpus.coding[tested],
    }
    for what, values in of_groups.items():
        for name in np.unique(values):
            of_it = values == name
            if name and of_it.sum() >= FEW:
                wrong = (scores[PLAIN][tested] >= 0) == human
                rates = [share(wrong[of_it & kind]) for kind in (human, ~human)]
                table.add_row(what, name, str(of_it.sum()), *("" if r != r else f"{r:.0f}" for r in rates))
        table.add_section()
    return table


def matched_rates(corpus, scores, folds, n_jobs):
    """Show the equal error rate where each fifth of a number of audit's has both classes equally often.

    The numbers are the three that separate the classes most.
    """
    tested = np.sort(np.concatenate([test for _, test in folds]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = audit(
            [corpus.recordings[clip] for clip in tested], corpus.target[tested], n_resamples=2, n_jobs=n_jobs
        ).measurements
    human = corpus.human[tested]
    table = Table(title="Classes matched in fifths of a number, per cent", title_justify="left")
    for column in ("number", "equal error rate by it alone", "by the detector"):
        table.add_column(column, justify="left" if column == "number" else "right")
    alone = {}
    for name, values in found.items():
        rank = rankdata(values) - 0.5  # equal values, of which audit has many, share a rank
        rate = equal_error_rate(corpus.target[tested], rank, pos_label="synthetic")
        alone[name] = (min(rate, 1 - rate), rank)
    for name, (rate, rank) in sorted(alone.items(), key=lambda item: item[1][0])[:3]:
        stratum = rank * STRATA // len(rank)
        weights = np.zeros(len(tested))
        for each in range(STRATA):
            inside = [(stratum == each) & kind for kind in (human, ~human)]
            if all(kind.any() for kind in inside):
                for kind in inside:
                    weights[kind] = 1 / kind.sum()
        matched = equal_error(corpus, scores[PLAIN], tested, sample_weight=weights)
        table.add_row(name, f"{100 * rate:.1f}", f"{matched:.1f}")
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=SHARED / "corpus")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="SEED")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES), metavar="SIDE")
    parser.add_argument("--max-steps", type=int, help="at most so many batches of each side")
    parser.add_argument("--folds", nargs="+", type=int, default=list(range(N_FOLDS)), metavar="FOLD")
    parser.add_argument(
        "--channels", nargs="*", choices=[*CHANNELS, *PROCESSES], default=[*CHANNELS, *PROCESSES]
    )
    parser.add_argument(
        "--cache",
        type=Path,
        help="folder for recordings, features and scores, some 10 GB: a run goes on where another ended;"
        " take a new one after changing the library",
    )
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="one fold, half of the clips, fewer steps")
    parser.add_argument(
        "--origins-apart",
        action="store_true",
        help="a fold that tests audio books of LibriVox learns from no voice of theirs",
    )
    parser.add_argument(
        "--shuffled",
        action="store_true",
        help="learn from labels in another order: half of all is then wrong",
    )
    parser.add_argument("--write-folds", action="store_true")
    arguments = parser.parse_args()
    console = Console(width=170)
    corpus = Corpus(arguments.corpus, every=2 if arguments.quick else 1)
    if arguments.write_folds:
        write_folds(corpus)
        return
    if arguments.quick:
        console.print("quick: one fold, every second clip, one seed, at most 300 steps; not to be quoted")
        arguments.seeds, arguments.folds = [0], [1]
        arguments.max_steps = arguments.max_steps or 300
        arguments.channels = ["strong MP3", "telephone", "noise suppression"]
        arguments.sides = [OURS, DYNAMICS, "SVM on mean dynamics"]
    known_folds = corpus.folds(origins_apart=arguments.origins_apart)
    folds = [known_folds[fold] for fold in arguments.folds]
    with tempfile.TemporaryDirectory() as temporary:
        cache = arguments.cache or Path(temporary)
        memory = Memory(cache / "scores", verbose=0)
        functions = {name: (CHANNELS | PROCESSES)[name] for name in arguments.channels}
        heard, found = {}, {}
        for name in arguments.sides:
            side = SIDES[name]
            key = str(side.front_end)
            if key not in heard:
                copies = COPIES if side.copies else None
                heard[key] = Heard(corpus, side.front_end, copies, functions, cache, arguments.n_jobs)
            found[name] = [
                scores_of(
                    corpus,
                    heard[key],
                    side,
                    folds,
                    seed,
                    arguments.channels,
                    arguments.max_steps,
                    memory,
                    shuffled=arguments.shuffled,
                )
                for seed in arguments.seeds
            ]
            console.print(table_of_sides(corpus, found, folds, arguments.channels))
        for name, of_seeds in found.items():
            console.print(name)
            console.print(table_of_groups(corpus, of_seeds[0], folds))
            console.print(matched_rates(corpus, of_seeds[0], folds, arguments.n_jobs))


if __name__ == "__main__":
    main()
