import csv

import numpy as np
import pytest
import soundfile
from sklearn.model_selection import GroupKFold, cross_val_score

from voicelstm import make_detector
from voicelstm.datasets import make_voices


def test_it_hears_the_difference_in_voices_it_has_not_heard():
    voices = make_voices(120, random_state=0)
    detector = make_detector(random_state=0)
    scores = cross_val_score(
        detector, voices.recordings, voices.target, groups=voices.groups["speaker"], cv=GroupKFold(2)
    )
    assert scores.mean() > 0.7


def test_both_classes_count_the_same_however_many_clips_each_has():
    # Where features tell nothing, the log-odds that a training goes to are those of the classes' weights.
    silence, labels = np.zeros((100, 6, 5)), np.repeat(["human", "synthetic"], [90, 10])

    def log_odds(**changes):
        detector = make_detector(random_state=0, classifier__learning_rate=0.01, **changes)
        return detector["classifier"].fit(silence, labels).decision_function(silence[:1])[0]

    assert abs(log_odds()) < 0.5
    assert log_odds(classifier__class_weight=None) == pytest.approx(np.log(1 / 9), abs=0.5)


def test_changes_go_by_the_names_of_steps():
    detector = make_detector(3, features__n_mfcc=13, classifier__units=(8,))
    assert detector["features"].n_mfcc == 13
    assert (detector["classifier"].units, detector["classifier"].random_state) == ((8,), 3)
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense'"):
        make_detector(classifier__nonsense=1)


def test_neither_loudness_nor_silence_around_changes_the_features(corpus_dir):
    samples, rate = soundfile.read(corpus_dir / "speech/human/libri-426__426-122819-0000.flac", frames=48000)
    features = make_detector()["features"]
    quiet, around = 0.01 * samples, np.concatenate([np.zeros(512 * 20), samples, np.zeros(rate)])
    plain, other, later = features.transform([(each, rate) for each in (samples, quiet, around)])
    assert plain.shape[1] == 60
    np.testing.assert_allclose(other, plain, rtol=0, atol=1e-3)
    # The voice detector hears the first words otherwise if it has heard silence before.
    assert len(later) == pytest.approx(len(plain), rel=0.06)
    np.testing.assert_allclose(later[-100:-10].mean(axis=0), plain[-100:-10].mean(axis=0), atol=0.3)


def _with_inserted(samples, rate, pause, random):
    place = int(random.uniform(0.1, 0.9) * len(samples))
    return np.concatenate([samples[:place], pause, samples[place:]])


def _with_click(samples, random):
    clicked = samples.copy()
    clicked[random.integers(len(clicked))] = 1
    return clicked


CHANGES = {
    "0.5 s of zeros": lambda x, rate, random: _with_inserted(x, rate, np.zeros(rate // 2), random),
    "3 s of zeros": lambda x, rate, random: _with_inserted(x, rate, np.zeros(3 * rate), random),
    "10 s of zeros": lambda x, rate, random: _with_inserted(x, rate, np.zeros(10 * rate), random),
    "3 s at -60 dB": lambda x, rate, random: _with_inserted(
        x, rate, 1e-3 * random.normal(size=3 * rate), random
    ),
    "10 s at -60 dB": lambda x, rate, random: _with_inserted(
        x, rate, 1e-3 * random.normal(size=10 * rate), random
    ),
    "a click": lambda x, rate, random: _with_click(x, random),
    "a click, 3 s of zeros": lambda x, rate, random: np.concatenate([[1.0], np.zeros(3 * rate), x]),
    "a loud sample before a quiet recording": lambda x, rate, random: np.concatenate([[1.0], 0.01 * x]),
}


@pytest.fixture(scope="module")
def speakers_apart(corpus_dir):
    """A detector of three quarters of the speakers of both corpora, and the clips of the others."""
    rows = []
    for name in ("manifest.csv", "wide.csv"):
        with (corpus_dir / name).open(newline="", encoding="utf-8") as lines:
            rows += [row for row in csv.DictReader(lines) if row.get("subset") != "digits"]
    random = np.random.default_rng(0)
    speakers = random.permutation(sorted({row["speaker"] for row in rows}))
    held_out = set(speakers[: len(speakers) // 4])
    trained_on = [row for row in rows if row["speaker"] not in held_out]
    detector = make_detector(random_state=0, features__n_jobs=-1)
    detector.fit([corpus_dir / row["path"] for row in trained_on], [row["label"] for row in trained_on])
    clips = [soundfile.read(corpus_dir / row["path"]) for row in rows if row["speaker"] in held_out]
    return detector, clips, detector.decision_function(clips)


@pytest.mark.nightly
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_speech_decides_nothing(speakers_apart, change):
    detector, clips, before = speakers_apart
    random = np.random.default_rng(1)
    changed = [(CHANGES[change](samples, rate, random), rate) for samples, rate in clips]
    after = detector.decision_function(changed)
    assert ((after >= 0) != (before >= 0)).mean() <= 0.02
    assert abs(np.median(np.abs(after)) - np.median(np.abs(before))) < 0.2
