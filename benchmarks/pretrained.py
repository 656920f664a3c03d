"""Fit the packaged detector, measure it on sources and systems that it has not heard, and write its file.

It learns from the clips of the shared corpus whose terms allow a commercial use of what learns from them.
Four detectors that are trained alike leave out the folds of `detection_folds.csv`; what they say of these
folds, as they are and through channels, gives the calibration, the operating points and the card's rates.

``make pretrained`` writes the model file with the card, and the licences, to `detector/pretrained/`.
``make card`` measures again and compares: with the committed file nothing is fitted that the card does not
need. ``--cache`` keeps recordings, features and the fold's detectors for the next run.
"""

import argparse
import datetime as dt
import functools
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import voicelstm
from detection import FEW, PLAIN, SHARED, Corpus, Heard, clips_of, equal_error
from detection_adversity import ADVERSITY, attacked
from detection_channels import CHANNELS, PROCESSES
from detection_sides import OURS, SIDES
from voicelstm import calibrate, load, load_pretrained, make_detector, save
from voicelstm.datasets import load_csv

NAME = "general-1"
FOLDER = Path(__file__).parents[1] / "src" / "voicelstm" / "detector" / "pretrained"
SEED = 0
# Voices that terms of their recordings forbid to use commercially, or leave in doubt: those made of the Baker
# corpus (CSMSC), those of the Blizzard challenges, all of Piper, many of which were refined from a voice of
# these, and one of mimic3 without a licence of its own.
NOT_COMMERCIAL = ("piper", "larynx:blizzard", "mimic3-vits:sw-lanfrica")
NOT_COMMERCIAL_SPEAKER = "csmsc"
OPERATING_POINTS = {"1 in 100": 0.01, "1 in 20": 0.05, "1 in 10": 0.1}
N_RESAMPLES = 2000
CONDITIONS = (PLAIN, *CHANNELS)
ATTACK = "each energy moved by 1 dB, as the network's gradient says"
SUMMARY = (
    "A small detector of synthetic speech: convolutions and an LSTM on energies of 3 s, 122,073 weights."
)
INTENDED_USE = (
    "To sort recordings for people to listen to, to compare recordings of one source with each other, and as"
    " a start for a detector of one's own. Not to decide about a person, a payment or a publication alone."
)
LIMITS = [
    "It errs often on sources that it has not heard; see the rates. Scores move with the source as a whole.",
    "Vocoded copies of human recordings and speech cut from recordings are mostly called human.",
    "Of synthetic recordings with music in them, or with their pitch changed, three in five are called human."
    " Whoever has the file can have any answer from it.",
    "It was trained on single voices, four fifths English, mostly read, of 2 to 8 s. Music, singing, several"
    " voices at once and children are hardly in it.",
    "Systems newer than 2026 are not in it.",
    "An answer is about the voice of the whole recording, not about each word of it.",
    "Sex, age and accent of the speakers are not known for these recordings, and so no rate by them is.",
]


class Unseen:
    """What detectors say of clips of sources and families that they have not heard, through each channel."""

    def __init__(self, corpus, heard, cache):
        self.corpus, self.scores, self.fold = corpus, {}, np.full(len(corpus.names), -1)
        allowed = allowed_clips(corpus)
        for number, (training, test) in enumerate(corpus.folds()):
            training, test = training[allowed[training]], test[allowed[test]]
            self.fold[test] = number
            path = cache / f"scores_{number}.npz"
            if not path.exists():
                detector = kept(
                    cache / f"fold_{number}.voicelstm",
                    lambda chosen=training: fitted(corpus, heard(), chosen),
                )
                np.savez(path, **scores_of(corpus, heard(), detector, test))
            with np.load(path) as found:
                for name, score in found.items():
                    clips = clips_of(corpus, name, test)
                    failed = np.where(corpus.human[clips], np.inf, -np.inf)
                    of_clip = self.scores.setdefault(name, np.full(len(corpus.names), np.nan))
                    of_clip[clips] = np.where(np.isnan(score), failed, score)
        self.clips = np.flatnonzero(self.fold >= 0)

    def calibrated(self, detector):
        """Calibrate a detector of all clips by these scores; conditions, sources and families count alike."""
        score = np.concatenate([self.scores[name][self.clips] for name in CONDITIONS])
        known = np.isfinite(score)
        weights = np.tile(self.corpus.weights(self.clips), len(CONDITIONS))
        target = np.tile(self.corpus.target[self.clips], len(CONDITIONS))
        return calibrate(detector, None, target[known], sample_weight=weights[known], scores=score[known])

    def to_ratios(self, calibrated):
        """Turn the scores into log-likelihood ratios, as the calibrated detector does."""
        (pair,) = calibrated.calibrated_classifiers_
        (of_class,) = pair.calibrators
        return {name: -(of_class.a_ * score + of_class.b_) for name, score in self.scores.items()}


def kept(path, fit):
    """Fit a detector once."""
    if not path.exists():
        save(fit(), path)
    return load(path)


def scores_of(corpus, heard, detector, test):
    """Ask a detector about the clips of a fold, through each channel, processed and changed."""
    scores = {}
    for name in (*CONDITIONS, *PROCESSES, *ADVERSITY):
        scores[name] = detector.decision_function(heard.test(name, clips_of(corpus, name, test)))
    moved = attacked(detector, heard.test(PLAIN, test), corpus.human[test])
    return scores | {ATTACK: detector.decision_function(moved)}


def allowed_clips(corpus):
    """Tell which clips the detector may learn from."""
    forbidden = np.array([system.startswith(NOT_COMMERCIAL) for system in corpus.system])
    return ~(forbidden | (corpus.speaker == NOT_COMMERCIAL_SPEAKER))


def fitted(corpus, heard, training):
    side = SIDES[OURS].make(SEED, None)
    side.fit(heard.training[training], corpus.target[training], corpus.weights(training))
    return side.estimator["classifier"]


def fitted_on_all(corpus, cache, n_jobs):
    """Fit what is packaged, on recordings, as a user would."""
    chosen = np.flatnonzero(allowed_clips(corpus))
    detector = make_detector(
        random_state=SEED, features__cache_dir=cache / "features", features__n_jobs=n_jobs
    )
    recordings = [corpus.recordings[clip] for clip in chosen]
    return detector.fit(recordings, corpus.target[chosen], classifier__sample_weight=corpus.weights(chosen))


def operating_points(corpus, ratios, clips):
    """Find thresholds that so many human clips reach, each condition and source counting the same."""
    human, synthetic = clips[corpus.human[clips]], clips[~corpus.human[clips]]
    weights = corpus.weights(clips)
    of_human, of_synthetic = weights[corpus.human[clips]], weights[~corpus.human[clips]]
    score = np.concatenate([ratios[name][human] for name in CONDITIONS])
    share = np.tile(of_human / of_human.sum() / len(CONDITIONS), len(CONDITIONS))
    order = np.argsort(-score)
    reached = np.cumsum(share[order])
    points = []
    for name, bound in OPERATING_POINTS.items():
        below = int(np.searchsorted(reached, bound, side="right"))
        threshold = float(np.nextafter(score[order][below], np.inf))
        missed = [
            np.average(ratios[each][synthetic] < threshold, weights=of_synthetic) for each in CONDITIONS
        ]
        points.append(
            {
                "name": name,
                "threshold": round(threshold, 4),
                "human_called_synthetic": bound,
                "synthetic_called_human": round(float(np.mean(missed)), 3),
            }
        )
    return points


def interval(wrong, groups):
    """Draw groups with replacement; return where 95 % of the shares of wrong answers lie."""
    names = np.unique(groups)
    if len(names) < 3:
        return None
    n_wrong = np.array([wrong[groups == name].sum() for name in names])
    n = np.array([(groups == name).sum() for name in names])
    drawn = np.random.default_rng(0).integers(len(names), size=(N_RESAMPLES, len(names)))
    shares = n_wrong[drawn].sum(axis=1) / n[drawn].sum(axis=1)
    return [round(float(each), 3) for each in np.quantile(shares, [0.025, 0.975])]


def rate_of(corpus, group, value, ratio, clips, drawn_human, drawn_synthetic):
    """Return a line of the card: how often both kinds of clips are answered wrongly at 0."""
    line = {"group": group, "value": value}
    for kind, wrong_name, is_kind, drawn in (
        ("human", "human_called_synthetic", corpus.human, drawn_human),
        ("synthetic", "synthetic_called_human", ~corpus.human, drawn_synthetic),
    ):
        chosen = clips[is_kind[clips]]
        line[f"n_{kind}"] = len(chosen)
        if len(chosen) >= FEW:
            wrong = (ratio[chosen] >= 0) == (kind == "human")
            line[wrong_name] = round(float(wrong.mean()), 3)
            line[f"{wrong_name}_interval"] = interval(wrong, drawn[chosen])
    return line


def rates(corpus, unseen, ratios):
    """Return the card's lines, by channel, process, language, past of coding, source and family."""
    lines, clips = [], unseen.clips
    for name in (*CONDITIONS, *ADVERSITY, ATTACK):
        group = "channel" if name in CONDITIONS else "adversity"
        line = rate_of(corpus, group, name, ratios[name], clips, corpus.source, corpus.family)
        of_folds = [equal_error(corpus, ratios[name], clips[unseen.fold[clips] == fold]) for fold in range(4)]
        line["equal_error_rate"] = round(float(np.mean(of_folds)) / 100, 3)
        lines.append(line)
    human = clips[corpus.human[clips]]
    for name in PROCESSES:
        lines.append(rate_of(corpus, "process", name, ratios[name], human, corpus.source, corpus.family))
    of_groups = (
        ("language", corpus.language, corpus.source, corpus.family),
        ("style", corpus.style, corpus.source, corpus.family),
        ("coding", corpus.coding, corpus.source, corpus.family),
        ("source", np.where(corpus.human, corpus.source, ""), corpus.speaker, corpus.system),
        ("family", np.where(corpus.human, "", corpus.family), corpus.speaker, corpus.system),
    )
    for group, values, drawn_human, drawn_synthetic in of_groups:
        for value in np.unique(values[clips]):
            of_value = clips[values[clips] == value]
            line = rate_of(corpus, group, str(value), ratios[PLAIN], of_value, drawn_human, drawn_synthetic)
            if value and len(line) > 4:  # more than two counts: a group of some size
                lines.append(line)
    return lines


def training_of(corpus):
    """List what was trained on: source, licence, clips of both classes."""
    parts = [
        load_csv(SHARED / "corpus" / name, where=where)
        for name, where in (("manifest.csv", {"subset": "speech"}), ("wide.csv", None))
    ]
    columns = [np.concatenate([part.groups[name] for part in parts]) for name in ("source", "licence")]
    allowed = allowed_clips(corpus)
    counts = Counter(
        zip(*(column[allowed].tolist() for column in columns), corpus.human[allowed].tolist(), strict=True)
    )
    known = sorted({(source, licence) for source, licence, _ in counts})
    return [
        {
            "source": source,
            "licence": licence,
            "n_human": counts[source, licence, True],
            "n_synthetic": counts[source, licence, False],
        }
        for source, licence in known
    ]


def card_of(corpus, unseen, calibrated, date):
    ratios = unseen.to_ratios(calibrated)
    return {
        "name": NAME,
        "date": date,
        "library": voicelstm.__version__,
        "summary": SUMMARY,
        "intended_use": INTENDED_USE,
        "limits": LIMITS,
        "operating_points": operating_points(corpus, ratios, unseen.clips),
        "rates": rates(corpus, unseen, ratios),
        "training": training_of(corpus),
    }


def licences(card):
    """Write the sources and their licences, which go into the wheel."""
    lines = [
        f"# What {NAME} was trained on",
        "",
        "The recordings themselves are not in this package. One line for each source: clips of human and of",
        "synthetic speech, and the licence under which the source gives them.",
        "",
        "| source | human | synthetic | licence |",
        "|---|---|---|---|",
    ]
    for each in card["training"]:
        lines.append(f"| {each['source']} | {each['n_human']} | {each['n_synthetic']} | {each['licence']} |")
    return "\n".join(lines) + "\n"


def compared(card, committed):
    """Show the rates as measured now beside those of the committed card; return the largest difference."""
    table = Table(title=f"{NAME}: errors at 0 on sources and families that it has not heard, in per cent")
    for column in (
        "",
        "",
        "human",
        "called synthetic",
        "on the card",
        "synthetic",
        "called human",
        "on the card",
    ):
        table.add_column(column, justify="left" if column == "" else "right")
    before = {(line["group"], line["value"]): line for line in committed["rates"]}
    differences = [0.0]
    for line in card["rates"]:
        cells = []
        for kind, name in (("human", "human_called_synthetic"), ("synthetic", "synthetic_called_human")):
            old = before.get((line["group"], line["value"]), {}).get(name)
            new = line.get(name)
            cells += [
                str(line[f"n_{kind}"]),
                *("" if each is None else f"{100 * each:.1f}" for each in (new, old)),
            ]
            if new is not None and old is not None:
                differences.append(abs(new - old))
        table.add_row(line["group"], line["value"], *cells)
    return table, max(differences)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cache", type=Path, help="folder for recordings, features and detectors, some 10 GB"
    )
    parser.add_argument("--check", action="store_true", help="compare with the committed card, write nothing")
    parser.add_argument("--n-jobs", type=int, default=2)
    arguments = parser.parse_args()
    corpus = Corpus(SHARED / "corpus")
    console = Console(width=150)
    with tempfile.TemporaryDirectory() as temporary:
        cache = arguments.cache or Path(temporary)
        channels = CHANNELS | PROCESSES | ADVERSITY

        @functools.cache
        def heard():
            return Heard(corpus, SIDES[OURS].front_end, channels, cache, arguments.n_jobs)

        folder = cache / NAME
        folder.mkdir(parents=True, exist_ok=True)
        unseen = Unseen(corpus, heard, folder)
        if arguments.check:
            committed = load_pretrained(NAME)
            card = card_of(corpus, unseen, unseen.calibrated(committed), committed.card_["date"])
            table, difference = compared(card, committed.card_)
            console.print(table)
            console.print(f"The largest difference is {100 * difference:.1f} points.")
            return
        heard.cache_clear()
        path = folder / "all.voicelstm"
        detector = kept(path, lambda: fitted_on_all(corpus, cache, arguments.n_jobs))
        calibrated = unseen.calibrated(detector)
        calibrated.card_ = card_of(corpus, unseen, calibrated, dt.date.today().isoformat())
        save(calibrated, FOLDER / f"{NAME.replace('-', '_')}.voicelstm")
        (FOLDER / "LICENCES.md").write_text(licences(calibrated.card_), encoding="utf-8")
        for point in calibrated.card_["operating_points"]:
            console.print(point)


if __name__ == "__main__":
    main()
