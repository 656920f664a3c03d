"""How many recordings of one's own bring the error of a detector down, on what it has never heard.

The detectors are those of `pretrained.py`, each of which has not heard one fold: run that first, with the
same ``--cache``. Of a fold's clips through a channel, some of each class are drawn to adapt to; the others
are asked about, less those of speakers that were drawn. Medians of several draws, means of the folds.
"""

import argparse
import statistics
import warnings
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from detection import PLAIN, SHARED, Corpus, equal_error, sent_through
from detection_adversity import ADVERSITY
from detection_channels import CHANNELS
from detection_sides import OURS, SIDES
from pretrained import NAME, allowed_clips
from voicelstm import LSTMVoiceClassifier, fine_tune
from voicelstm.exceptions import AudioWarning

N_CLIPS = (0, 5, 10, 20, 40)  # of each class
N_DRAWS = 3
UNHEARD = (PLAIN, "Vorbis", "noise", "loudspeaker and room", "pitch")


def errors(corpus, detector, paths, clips, n_clips, draw):
    """Return the equal error rate, and the share of wrong answers at 0, after an adaptation to some clips."""
    generator = np.random.default_rng([draw, n_clips])
    chosen = [generator.permutation(clips[kind[clips]])[:n_clips] for kind in (corpus.human, ~corpus.human)]
    drawn = np.concatenate(chosen)
    others = clips[~np.isin(corpus.speaker[clips], corpus.speaker[drawn])]
    if n_clips:
        detector = fine_tune(
            detector, [paths[clip] for clip in drawn], corpus.target[drawn], groups=corpus.speaker[drawn]
        )
    probabilities = detector.predict_proba([paths[clip] for clip in others])
    score = np.full(len(corpus.names), np.nan)
    score[others] = np.log(probabilities[:, 1] / probabilities[:, 0])
    human = corpus.human[others]
    wrong = (score[others] >= 0) == human
    return equal_error(corpus, score, others), 100 * (wrong[human].mean() + wrong[~human].mean()) / 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True, help="the folder that pretrained.py was given")
    parser.add_argument("--n-jobs", type=int, default=2)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", AudioWarning)
    corpus, cache = Corpus(SHARED / "corpus"), arguments.cache
    allowed = allowed_clips(corpus)
    table = Table(title="Equal error rate, and wrong answers at 0, in per cent", title_justify="left")
    table.add_column("clips of each class")
    for name in UNHEARD:
        table.add_column(name, justify="right")
    front_end = clone(SIDES[OURS].front_end).set_params(
        n_jobs=arguments.n_jobs, cache_dir=cache / "features", augment=None
    )
    for n_clips in N_CLIPS:
        cells = []
        for name in UNHEARD:
            of_folds = []
            for number, (_, test) in enumerate(corpus.folds()):
                clips = test[allowed[test]]
                classifier = LSTMVoiceClassifier.load(cache / NAME / f"fold_{number}.voicelstm")
                detector = Pipeline([("features", front_end.fit(None)), ("classifier", classifier)])
                paths = dict(zip(clips.tolist(), (corpus.recordings[clip] for clip in clips), strict=True))
                if name != PLAIN:
                    function = (CHANNELS | ADVERSITY)[name]
                    found = sent_through(
                        corpus, name, function, clips, cache / "recordings", arguments.n_jobs
                    )
                    paths = dict(zip(clips.tolist(), found, strict=True))
                draws = [
                    errors(corpus, detector, paths, clips, n_clips, draw)
                    for draw in range(N_DRAWS if n_clips else 1)
                ]
                of_folds.append([statistics.median(values) for values in zip(*draws, strict=True)])
            cells.append(
                " / ".join(f"{statistics.mean(values):.0f}" for values in zip(*of_folds, strict=True))
            )
        table.add_row(str(n_clips), *cells)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
