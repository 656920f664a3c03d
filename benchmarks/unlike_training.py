"""What a card says of recordings that are unlike those of training: how they are known, and the error rates.

`pretrained.py` calls `add_to_card` before it writes the card. Rates are those of recordings that the range of
their own fold's training marks, as they are and through all channels: nothing is marked by what has heard
their source. A recording that is marked counts in every other rate as well.
"""

import numpy as np
from joblib import Parallel, delayed

from detection import FEW, PLAIN, sent_through
from detection_channels import CHANNELS
from voicelstm.audio import channel_statistics, read_audio
from voicelstm.detector._unlike_training import FIELD, GROUP, UNMARKED, TrainingRange, training_statistics


def add_to_card(card, corpus, allowed, unseen, ratios, cache, n_jobs):
    """Put the training range of the allowed clips on a card, and the error rates of recordings beyond it.

    `allowed`, `unseen` and `ratios` are those of `pretrained.py`, `cache` the folder of `Heard`, which may
    hold already what the channels made of the recordings.
    """
    source = np.where(corpus.human, corpus.source, corpus.family)
    as_recorded, changed = training_statistics(corpus.recordings, n_jobs=n_jobs)

    def fitted(clips):
        of_clips = {reason: found[clips] for reason, found in changed.items()}
        return TrainingRange.fit(as_recorded[clips], of_clips, source[clips])

    card[FIELD] = fitted(np.flatnonzero(allowed)).described()
    ranges = [fitted(training[allowed[training]]) for training, _ in corpus.folds()]
    clips = np.flatnonzero(unseen.fold >= 0)
    reasons, human, wrong = [], [], []
    for name in (PLAIN, *CHANNELS):
        found = as_recorded[clips]
        if name != PLAIN:
            paths = sent_through(corpus, name, CHANNELS[name], clips, cache / "recordings", n_jobs)
            found = Parallel(n_jobs)(delayed(_statistics)(path) for path in paths)
        reasons += [ranges[unseen.fold[clip]].reasons(each) for clip, each in zip(clips, found, strict=True)]
        human.append(corpus.human[clips])
        wrong.append((ratios[name][clips] >= 0) == corpus.human[clips])
    human, wrong = np.concatenate(human), np.concatenate(wrong)
    for reason in (*sorted({reason for each in reasons for reason in each}), UNMARKED):
        chosen = np.array([reason in each or (reason == UNMARKED and not each) for each in reasons])
        line = {"group": GROUP, "value": reason}
        for kind, of_kind, rate in (
            ("human", chosen & human, "human_called_synthetic"),
            ("synthetic", chosen & ~human, "synthetic_called_human"),
        ):
            line[f"n_{kind}"] = int(of_kind.sum())
            if of_kind.sum() >= FEW:
                line[rate] = round(float(wrong[of_kind].mean()), 3)
        card["rates"].append(line)


def _statistics(path):
    return channel_statistics(*read_audio(path, sample_rate=16000))
