"""What settings of make_detector("dynamics") are worth on unseen systems, and what other channels do to it.

The folds and the rates are those of `detection_on_speech.py`.
"""

import argparse
from collections import defaultdict
from functools import partial

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.base import clone

from detection_on_speech import (
    SHARED,
    Corpus,
    Unweighted,
    as_it_comes,
    of_seeds,
    rate,
    with_spread,
)
from voicelstm import Augmenter, LSTMVoiceClassifier, make_detector
from voicelstm.datasets import UnseenSystems


def of_frames(seed):
    return Unweighted(LSTMVoiceClassifier(max_steps=250, class_weight="balanced", random_state=seed))


COARSE = {"n_mfcc": 20, "n_filters": 40, "n_fft": 512}
SETTINGS = {
    'make_detector("dynamics")': ({}, as_it_comes),
    "trained four times as long": ({}, partial(as_it_comes, classifier__max_steps=240)),
    "without dropout": ({}, partial(as_it_comes, classifier__dropout=0.0)),
    "20 coefficients of 40 filters": (COARSE, as_it_comes),
    "the same on a mel scale (MFCC)": (COARSE | {"scale": "mel"}, as_it_comes),
    "an LSTM on the frames themselves": (COARSE | {"deltas": 2, "normalize": "mean"}, of_frames),
}

# Lines and codecs, and what training is changed with where it is.
_NONE = dict.fromkeys(
    (
        *("reverberation_time", "noise_snr", "nonlinearity", "impulses", "highpass", "lowpass"),
        *("resample_rates", "codecs", "gain"),
    )
)


def always(**effects):
    return Augmenter(probability=1.0, effect_probability=1.0, **(_NONE | effects))


CHANNELS = {
    "MP3, strongly compressed": always(codecs=("mp3",), compression=(0.6, 0.9)),
    "telephone (mu-law, 8 kHz)": always(codecs=("mu-law",)),
    "noise, 15 to 25 dB below": always(noise_snr=(15.0, 25.0)),
}
CHANGED = Augmenter(
    probability=1.0,
    effect_probability={"codecs": 0.6, "noise_snr": 0.35, "reverberation_time": 0.15, "nonlinearity": 0.15}
    | dict.fromkeys(("resample_rates", "lowpass", "highpass"), 0.1),
    impulses=None,
    codecs=("mp3", "mp3", "opus", "vorbis", "mu-law", "gsm"),
)


def settings_table(speech, seeds):
    table = Table(title=f"Unseen systems and voices, {len(seeds)} seeds, mean over families")
    table.add_column("setting")
    table.add_column("equal error rate in per cent", justify="right")
    for name, (changes, make) in SETTINGS.items():
        front_end = clone(make_detector("dynamics")[0]).set_params(n_jobs=2, **changes)
        features = front_end.fit_transform(speech.recordings)
        found = speech.unseen_systems(features, make, seeds, unseen_speakers=True)
        table.add_row(name, with_spread(of_seeds(found)))
    return table


def channels_table(speech, seeds):
    """Train on recordings as they are, with two changed copies, or all changed; test on each channel."""
    front_end = make_detector("dynamics")[0].set_params(n_jobs=2)
    as_they_are = front_end.fit_transform(speech.recordings)
    heard = {"as they are": as_they_are}
    for name, augmenter in CHANNELS.items():
        heard[name] = clone(front_end).set_params(augment=augmenter).fit_transform(speech.recordings)
    copies = [
        clone(front_end).set_params(augment=clone(CHANGED).set_params(random_state=seed)) for seed in range(2)
    ]
    trained = {
        "as they are": [as_they_are],
        "with two changed copies": [as_they_are, *(c.fit_transform(speech.recordings) for c in copies)],
    } | {f"all of them: {name}": [heard[name]] for name in CHANNELS}
    table = Table(title=f"Unseen systems and voices on other channels, {len(seeds)} seeds")
    table.add_column("trained on recordings")
    for name in heard:
        table.add_column(name, justify="right")
    groups = np.column_stack([speech.speaker, speech.family])
    for how, versions in trained.items():
        found = {name: defaultdict(list) for name in heard}
        for seed in seeds:
            cv = UnseenSystems(random_state=seed, unseen_speakers=True)
            for training, test in cv.split(speech.target, speech.target, groups):
                detector = as_it_comes(seed).fit(
                    [version[i] for version in versions for i in training],
                    np.tile(speech.target[training], len(versions)),
                    None,
                )
                (family,) = set(speech.family[test][speech.target[test] == "synthetic"])
                for name, features in heard.items():
                    scores = detector.decision_function([features[i] for i in test])
                    found[name][family].append(rate(speech.target[test], scores))
        table.add_row(how, *(with_spread(of_seeds(rates)) for rates in found.values()))
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    arguments = parser.parse_args()
    speech = Corpus(SHARED / "corpus" / "manifest.csv", "speech")
    for name in arguments.tables:
        Console(width=170).print(TABLES[name](speech, range(arguments.seeds)))


TABLES = {"channels": channels_table, "settings": settings_table}

if __name__ == "__main__":
    main()
