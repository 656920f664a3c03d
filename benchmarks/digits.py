"""Digits of speakers that training has not heard: balanced accuracy, and the time it takes.

Five folds by speaker over the 200 digits of the shared corpus, 100 of six human speakers and 100 of 19
synthetic voices. The parameters were chosen on these very folds: 192 front ends were compared by a logistic
regression, then 76 settings of front end and network, mostly on seeds 0 to 2. So the accuracy flatters them;
a corpus of other speakers would show less.
"""

import argparse
import os
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from voicelstm import LSTMVoiceClassifier, MFCCTransformer
from voicelstm.datasets import load_csv


def digits_detector(random_state):
    """Narrow-band cepstra without each clip's mean, and a network too small to learn speakers by heart."""
    features = MFCCTransformer(
        sample_rate=8000, n_fft=512, n_mfcc=30, n_filters=30, level=-26.0, trim_silence=40.0, normalize="mean"
    )
    classifier = LSTMVoiceClassifier(
        units=(16,), bidirectional=True, dropout=0.5, label_smoothing=0.1, random_state=random_state
    )
    return make_pipeline(features, classifier)


def accuracy_on_unseen_speakers(manifest, random_state):
    """Mean balanced accuracy over five folds by speaker."""
    digits = load_csv(manifest, where={"subset": "digits"})
    scores = cross_val_score(
        digits_detector(random_state),
        digits.recordings,
        digits.target,
        groups=digits.groups["speaker"],
        cv=StratifiedGroupKFold(5),
        scoring="balanced_accuracy",
    )
    return scores.mean()


def main():
    shared = Path(os.environ.get("VOICELSTM_SHARED", Path(__file__).parents[2] / "shared"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--manifest", type=Path, default=shared / "corpus" / "manifest.csv")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    table = Table(title="Digits, five folds by speaker, from files to scores", title_justify="left")
    for column in ("seed", "balanced accuracy", "time"):
        table.add_column(column, justify="right")
    scores, times = [], []
    for seed in range(arguments.seeds):
        start = time.perf_counter()
        scores.append(accuracy_on_unseen_speakers(arguments.manifest, seed))
        times.append(time.perf_counter() - start)
        table.add_row(str(seed), f"{scores[-1]:.3f}", f"{times[-1]:.1f} s")
    table.add_section()
    table.add_row("mean", f"{sum(scores) / len(scores):.3f}", f"{sum(times) / len(times):.1f} s")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
