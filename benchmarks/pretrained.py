"""Fit the packaged detector, measure it on sources and systems that it has not heard, and write its file.

It learns from the clips of the shared corpus whose terms allow a commercial use of what learns from them.
Four detectors that are trained alike leave out the folds of `detection_folds.csv`; what they say of these
folds, as they are and through channels, gives the calibration, the operating points and the card's rates.

``make pretrained`` writes the model file with the card, and the licences, to `detector/pretrained/`.
``make card`` measures again and compares: with the committed file nothing is fitted that the card does not
need. ``--cache`` keeps recordings, features, the folds' detectors and what they say for the next run, which
then measures nothing of that again: take a new one after changing the library.
"""

import argparse
import datetime as dt
import sys
import tempfile
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from joblib import hash as joblib_hash
from rich.console import Console

from detection import CODE, COPIES, PLAIN, SHARED, Corpus, Heard, clips_of
from detection_adversity import ADVERSITY, attacked
from detection_channels import CHANNELS, PROCESSES
from detection_sides import OURS, SIDES
from pretrained_card import ATTACK, CONDITIONS, NAME, card_of, compared, licences, numbers_of
from voicelstm import calibrate, load, load_pretrained, make_detector, save

FOLDER = Path(__file__).parents[1] / "src" / "voicelstm" / "detector" / "pretrained"
SEED = 0
# Voices that terms of their recordings forbid to use commercially, or leave in doubt: those made of the Baker
# corpus (CSMSC), those of the Blizzard challenges, all of Piper, many of which were refined from a voice of
# these, Spark-TTS, whose weights are CC BY-NC-SA by its authors' notice, and those of mimic3 and sherpa that
# have no licence of their own, only their repository's.
NOT_COMMERCIAL = (
    "piper",
    "larynx:blizzard",
    "spark-tts",
    "mimic3-vits:sw-lanfrica",
    "vits-zh-ll",
    "vits-inflect",
    "matcha-icefall-zh-en",
)
NOT_COMMERCIAL_SPEAKER = "csmsc"


class Unseen:
    """What detectors say of clips of sources and families that they have not heard, through each channel."""

    def __init__(self, corpus, cache, n_jobs):
        self.corpus, self.scores, self.fold = corpus, {}, np.full(len(corpus.names), -1)
        folds = allowed_folds(corpus)
        paths = [scores_path(corpus, cache, *fold) for fold in folds]
        missing = [(path, *fold) for path, fold in zip(paths, folds, strict=True) if not path.exists()]
        if missing:
            front_end, channels = SIDES[OURS].front_end, CHANNELS | PROCESSES | ADVERSITY
            heard = Heard(corpus, front_end, COPIES, channels, cache, n_jobs)
            Parallel(n_jobs)(delayed(measure)(corpus, heard, *each) for each in missing)
        for number, (path, (_, test)) in enumerate(zip(paths, folds, strict=True)):
            self.fold[test] = number
            with np.load(path) as found:
                for name, score in found.items():
                    clips = clips_of(corpus, name, test)
                    failed = np.where(corpus.human[clips], np.inf, -np.inf)
                    of_clip = self.scores.setdefault(name, np.full(len(corpus.names), np.nan))
                    of_clip[clips] = np.where(np.isnan(score), failed, score)
        self.clips = np.flatnonzero(self.fold >= 0)

    def calibrated(self, detector, clips=None):
        """Calibrate a detector by scores of clips, or all; conditions, sources and families count alike."""
        clips = self.clips if clips is None else clips
        score = np.concatenate([self.scores[name][clips] for name in CONDITIONS])
        known = np.isfinite(score)
        weights = np.tile(self.corpus.weights(clips), len(CONDITIONS))
        target = np.tile(self.corpus.target[clips], len(CONDITIONS))
        return calibrate(detector, None, target[known], sample_weight=weights[known], scores=score[known])

    def to_ratios(self, calibrated):
        """Turn the scores into log-likelihood ratios, as the calibrated detector does."""
        a, b = parameters_of(calibrated)
        return {name: -(a * score + b) for name, score in self.scores.items()}

    def ratios_of_other_folds(self, calibrated):
        """Return the ratios of recordings as they are, of each fold as the others calibrate it."""
        detector, ratio = detector_of(calibrated), np.full(len(self.fold), np.nan)
        for fold in np.unique(self.fold[self.clips]):
            own, others = (self.clips[(self.fold[self.clips] == fold) == inside] for inside in (True, False))
            ratio[own] = self.to_ratios(self.calibrated(detector, others))[PLAIN][own]
        return ratio


def parameters_of(calibrated):
    """Return slope and intercept of a calibration."""
    (pair,) = calibrated.calibrated_classifiers_
    (of_class,) = pair.calibrators
    return of_class.a_, of_class.b_


def detector_of(calibrated):
    """Return the detector that was calibrated."""
    (pair,) = calibrated.calibrated_classifiers_
    return pair.estimator


def allowed_folds(corpus):
    """Return the folds without the clips that the detector may not learn from."""
    allowed = allowed_clips(corpus)
    return [(training[allowed[training]], test[allowed[test]]) for training, test in corpus.folds()]


def scores_path(corpus, cache, training, test):
    """Return where scores of a fold are kept; its detector lies beside them, as a model file."""
    return cache / NAME / f"scores_{key_of(corpus, training, test)}.npz"


def key_of(corpus, training, test):
    """Tell detectors, and what they say, from those of other clips or settings, but not of other code."""
    names = np.array(corpus.names)
    side = SIDES[OURS].make(SEED, None)
    return joblib_hash((names[training], names[test], SIDES[OURS].front_end, COPIES, side, CODE))[:12]


def measure(corpus, heard, path, training, test):
    """Fit a detector, and keep it and what it says of a fold."""
    detector = fitted(corpus, heard, training)
    save(detector, path.with_suffix(".voicelstm"))
    np.savez(path, **scores_of(corpus, heard, detector, test))


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
        (cache / NAME).mkdir(parents=True, exist_ok=True)
        unseen = Unseen(corpus, cache, arguments.n_jobs)
        allowed = allowed_clips(corpus)
        if arguments.check:
            committed = load_pretrained(NAME)
            again = unseen.calibrated(detector_of(committed))
            if not np.allclose(parameters_of(again), parameters_of(committed), atol=1e-4):
                console.print(f"calibration {parameters_of(again)}, of the file {parameters_of(committed)}")
                sys.exit(1)
            date = committed.card_["date"]
            card = card_of(corpus, unseen, committed, allowed, date, cache, arguments.n_jobs)
            table, n_different = compared(card, committed.card_)
            console.print(f"{len(numbers_of(card))} numbers on the card, of which {n_different} differ.")
            if n_different:
                console.print(table)
            sys.exit(int(n_different > 0))
        chosen = np.flatnonzero(allowed)
        path = cache / NAME / f"all_{key_of(corpus, chosen, chosen)}.voicelstm"
        if not path.exists():
            save(fitted_on_all(corpus, cache, arguments.n_jobs), path)
        detector = load(path)
        calibrated = unseen.calibrated(detector)
        calibrated.card_ = card_of(
            corpus, unseen, calibrated, allowed, dt.date.today().isoformat(), cache, arguments.n_jobs
        )
        save(calibrated, FOLDER / f"{NAME.replace('-', '_')}.voicelstm")
        (FOLDER / "LICENCES.md").write_text(licences(calibrated.card_), encoding="utf-8")
        for point in calibrated.card_["operating_points"]:
            console.print(point)


if __name__ == "__main__":
    main()
