"""What each effect of an augmenter costs, and copies of recordings, per minute of audio at 16 kHz."""

import argparse
import inspect

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.base import clone

from measure import medians
from voicelstm import Augmenter, make_detector
from voicelstm.audio import read_audio
from voicelstm.datasets import make_voices

RATE = 16000
DEFAULTS = {name: parameter.default for name, parameter in inspect.signature(Augmenter).parameters.items()}
EFFECTS = (
    "reverberation_time",
    "noise_snr",
    "nonlinearity",
    "impulses",
    "highpass",
    "lowpass",
    "resample_rates",
    "codecs",
    "gain",
)


def voices():
    """Simulated voices, samples at `RATE`."""
    recordings, _ = make_voices(60, random_state=0, return_X_y=True)
    return [read_audio(each, sample_rate=RATE)[0] for each in recordings]


def copies(recordings):
    """The features of recordings and of six copies of each, together and one after the other."""
    channels = Augmenter.channels()
    front = make_detector("dynamics")[0].set_params(on_error="warn")

    def features(augment):
        return clone(front).set_params(augment=augment).fit_transform(recordings)

    return {
        "recordings as they are": lambda: features(None),
        "and six copies": lambda: features(channels),
        "each of the seven by itself": lambda: [features(augment) for augment in (None, *channels)],
        "codecs and rooms alone": lambda: [change(each, RATE) for change in channels for each in recordings],
    }


def sides(samples, n_keys):
    """Each effect alone, each codec alone, and the defaults, each on as many recordings."""

    def of(**params):
        augmenter = Augmenter(**params)
        return lambda: [augmenter(samples, RATE, key=str(key)) for key in range(n_keys)]

    always = {"probability": 1.0, "effect_probability": 1.0} | dict.fromkeys(EFFECTS)
    alone = {name: of(**always | {name: DEFAULTS[name]}) for name in EFFECTS if name != "codecs"}
    codecs = {f"codecs: {codec}": of(**always | {"codecs": (codec,)}) for codec in DEFAULTS["codecs"]}
    return {"defaults": of()} | alone | codecs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keys", type=int, default=10, help="recordings whose draws are averaged over")
    arguments = parser.parse_args()
    recordings = voices()
    a_minute = np.resize(np.concatenate(recordings), 60 * RATE)
    seconds = medians(sides(a_minute, arguments.keys), arguments.repeats)
    table = Table("effect", "ms per minute", title="Augmenting one minute at 16 kHz")
    for name, value in seconds.items():
        table.add_row(name, f"{1000 * value / arguments.keys:.3g}")
    Console(width=100).print(table)
    minutes = sum(map(len, recordings)) / (60 * RATE)
    seconds = medians(copies(recordings), arguments.repeats)
    title = "Copies of Augmenter.channels()"
    table = Table("features of make_detector('dynamics')", "s per minute", title=title)
    for name, value in seconds.items():
        table.add_row(name, f"{value / minutes:.2f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
