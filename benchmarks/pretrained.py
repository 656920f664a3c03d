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
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console

from detection import COPIES, PLAIN, SHARED, Corpus, Heard, clips_of
from detection_adversity import ADVERSITY, attacked
from detection_channels import CHANNELS, PROCESSES
from detection_sides import OURS, SIDES
from pretrained_card import ATTACK, CONDITIONS, NAME, card_of, compared, licences, numbers_of
from voicelstm import calibrate, load, load_pretrained, make_detector, save

FOLDER = Path(__file__).parents[1] / "src" / "voicelstm" / "detector" / "pretrained"
SEED = 0
# Voices that terms of their recordings forbid to use commercially, or leave in doubt: those made of the Baker
# corpus (CSMSC), those of the Blizzard challenges, all of Piper, many of which were refined from a voice of
# these, and one of mimic3 without a licence of its own.
NOT_COMMERCIAL = ("piper", "larynx:blizzard", "mimic3-vits:sw-lanfrica")
NOT_COMMERCIAL_SPEAKER = "csmsc"


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
        a, b = parameters_of(calibrated)
        return {name: -(a * score + b) for name, score in self.scores.items()}


def parameters_of(calibrated):
    """Return slope and intercept of a calibration."""
    (pair,) = calibrated.calibrated_classifiers_
    (of_class,) = pair.calibrators
    return of_class.a_, of_class.b_


def detector_of(calibrated):
    """Return the detector that was calibrated."""
    (pair,) = calibrated.calibrated_classifiers_
    return pair.estimator


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
            return Heard(corpus, SIDES[OURS].front_end, COPIES, channels, cache, arguments.n_jobs)

        folder = cache / NAME
        folder.mkdir(parents=True, exist_ok=True)
        unseen = Unseen(corpus, heard, folder)
        allowed = allowed_clips(corpus)
        if arguments.check:
            committed = load_pretrained(NAME)
            again = unseen.calibrated(detector_of(committed))
            if not np.allclose(parameters_of(again), parameters_of(committed), atol=1e-4):
                console.print(f"calibration {parameters_of(again)}, of the file {parameters_of(committed)}")
                sys.exit(1)
            card = card_of(
                corpus, unseen, committed, allowed, committed.card_["date"], cache, arguments.n_jobs
            )
            table, n_different = compared(card, committed.card_)
            console.print(f"{len(numbers_of(card))} numbers on the card, of which {n_different} differ.")
            if n_different:
                console.print(table)
            sys.exit(int(n_different > 0))
        heard.cache_clear()
        path = folder / "all.voicelstm"
        detector = kept(path, lambda: fitted_on_all(corpus, cache, arguments.n_jobs))
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
