"""How many recordings of one's own bring the error of a detector down, on what it has never heard.

The detectors are those of `pretrained.py`, each of which has not heard one fold: run that first, with the
same ``--cache``. Of a fold's clips through a channel, some of each class are drawn to adapt to; the others
are asked about, less those of speakers of any that were drawn. Medians of several draws, means of the folds.
The last column draws synthetic clips of one family of systems, and asks about those of other families, if
the fold has two of these. All rows of a column and a draw ask about the same clips, and the first has the
detector's scores calibrated as those of the packaged one are.
"""

import argparse
import statistics
import warnings
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from detection import PLAIN, SHARED, Corpus, equal_error, sent_through
from detection_adversity import ADVERSITY
from detection_channels import CHANNELS, PROCESSES
from detection_sides import OURS, SIDES
from pretrained import allowed_folds, parameters_of, scores_path
from pretrained_card import NAME
from voicelstm import LSTMVoiceClassifier, calibrate, load_pretrained
from voicelstm.classifier import embeddings, last_layer
from voicelstm.detector._fine_tuning import folds_of, learnt_on
from voicelstm.exceptions import AudioWarning

N_CLIPS = (0, 5, 10, 20)  # of each class
N_DRAWS = 5
OTHER_FAMILIES = "as they are, other families"
UNHEARD = (PLAIN, "Vorbis", "noise", "loudspeaker and room", "pitch")


def of_layer(coefficients, intercept):
    """Make of a last layer what classifies embeddings, which do not change and need not be computed again."""
    classifier = LogisticRegression()
    classifier.classes_ = np.array(["human", "synthetic"])
    classifier.coef_, classifier.intercept_ = coefficients[None], np.array([intercept])
    return classifier


def drawn_and_others(corpus, clips, draw, other_families):
    """Return the most clips of each class that are adapted to, and those that are asked about.

    These have no speaker in common with any that is drawn, nor, if that is asked for, a family of systems.
    Nothing if no family is large enough, or the only one.
    """
    generator = np.random.default_rng(draw)
    human, synthetic = (clips[kind[clips]] for kind in (corpus.human, ~corpus.human))
    chosen = synthetic
    if other_families:
        families, sizes = np.unique(corpus.family[synthetic], return_counts=True)
        large = families[(sizes >= max(N_CLIPS)) & (len(synthetic) - sizes >= max(N_CLIPS))]
        if not len(large):
            return None
        of_drawn = generator.choice(large)
        chosen = synthetic[corpus.family[synthetic] == of_drawn]
    drawn = [generator.permutation(each)[: max(N_CLIPS)] for each in (human, chosen)]
    others = clips[~np.isin(corpus.speaker[clips], corpus.speaker[np.concatenate(drawn)])]
    if other_families:
        others = others[corpus.human[others] | (corpus.family[others] != of_drawn)]
    return drawn, others


def errors(corpus, embedded, layer, n_clips, of_classes, others):
    """Return the equal error rate, and the share of wrong answers at 0, after an adaptation to some clips."""
    drawn = np.concatenate([each[:n_clips] for each in of_classes])
    score = np.full(len(corpus.names), np.nan)
    if n_clips:
        labels, groups = corpus.target[drawn], corpus.speaker[drawn]
        if min(len(set(groups[labels == label])) for label in labels) < 3:
            groups = None  # all of two speakers
        folds = folds_of(["human", "synthetic"], labels, len(labels), groups)
        *after, held_out = learnt_on(embedded[drawn], ~corpus.human[drawn], folds, *layer)
        calibrated = calibrate(of_layer(*after), None, labels, scores=held_out)
        probability = calibrated.predict_proba(embedded[others])
        score[others] = np.log(probability[:, 1] / probability[:, 0])
    else:
        score[others] = embedded[others] @ layer[0] + layer[1]
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
    front_end = clone(SIDES[OURS].front_end).set_params(
        n_jobs=arguments.n_jobs, cache_dir=cache / "features", augment=None, on_error="warn"
    )
    found = {name: {n_clips: [] for n_clips in N_CLIPS} for name in (*UNHEARD, OTHER_FAMILIES)}
    slope, intercept = parameters_of(load_pretrained(NAME))
    for training, test in allowed_folds(corpus):
        path = scores_path(corpus, cache, training, test).with_suffix(".voicelstm")
        classifier = LSTMVoiceClassifier.load(path)
        layer = [-slope * last_layer(classifier)[0], -slope * last_layer(classifier)[1] - intercept]
        for name in UNHEARD:
            clips = test
            paths = [corpus.recordings[clip] for clip in clips]
            if name != PLAIN:
                function = (CHANNELS | PROCESSES | ADVERSITY)[name]
                paths = sent_through(corpus, name, function, clips, cache / "recordings", arguments.n_jobs)
            of_clips = embeddings(classifier, front_end.transform(paths))
            clips = clips[np.isfinite(of_clips).all(axis=1)]
            embedded = np.full((len(corpus.names), of_clips.shape[1]), np.nan)
            embedded[clips] = of_clips[np.isfinite(of_clips).all(axis=1)]
            columns = [(name, False), (OTHER_FAMILIES, True)] if name == PLAIN else [(name, False)]
            for n_clips in N_CLIPS:
                for column, other_families in columns:
                    parts = [drawn_and_others(corpus, clips, draw, other_families) for draw in range(N_DRAWS)]
                    if None not in parts:
                        draws = [errors(corpus, embedded, layer, n_clips, *each) for each in parts]
                        medians = [statistics.median(each) for each in zip(*draws, strict=True)]
                        found[column][n_clips].append(medians)
    table = Table(title="Equal error rate / wrong answers at 0, per cent", title_justify="left")
    table.add_column("clips of each class")
    for name in found:
        table.add_column(name, justify="right")
    for n_clips in N_CLIPS:
        means = [
            [statistics.mean(each) for each in zip(*of_name[n_clips], strict=True)]
            for of_name in found.values()
        ]
        table.add_row(str(n_clips), *(" / ".join(f"{each:.0f}" for each in pair) for pair in means))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
