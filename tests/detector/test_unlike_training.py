import csv
import json
from copy import copy
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tests.detector.unseen_channels import UNSEEN
from voicelstm import detect, load, save
from voicelstm.audio import N_STATISTICS, WAVEFORM, channel_statistics, read_audio
from voicelstm.datasets import load_csv
from voicelstm.detector._unlike_training import FIELD, TrainingRange, training_statistics
from voicelstm.exceptions import ModelFileError

FOLDS = Path(__file__).parents[2] / "benchmarks" / "detection_folds.csv"
RATE = {"group": "unlike training", "value": "far", "n_human": 30, "n_synthetic": 30}


def drawn(n_clips, seed, **shifts):
    """Made-up statistics of recordings of ten sources, some of them shifted."""
    random = np.random.default_rng(seed)
    found = random.standard_normal((n_clips, N_STATISTICS))
    for place, shift in shifts.items():
        found[:, int(place.removeprefix("at_"))] += shift
    return found


@pytest.fixture(scope="module")
def known():
    sources = np.arange(600) % 10
    two_copies = drawn(1200, 2, at_30=6.0, at_31=6.0).reshape(600, 2, -1)
    changed = {"far": drawn(600, 1, at_0=6.0, at_1=-6.0)[:, None], "farther": two_copies}
    return TrainingRange.fit(drawn(600, 0), changed, sources)


def marked(known, statistics):
    return np.array([bool(known.reasons(each)) for each in statistics])


def test_recordings_like_those_of_training_are_hardly_marked(known):
    # 3.5 % by a direction and 1 % by the waveform; 2,000 drawn have a standard error of 0.4 %
    assert 0.02 < marked(known, drawn(2000, 3)).mean() < 0.06


def test_a_changed_recording_is_marked_with_the_change(known):
    for reason, change in (("far", {"at_0": 6.0, "at_1": -6.0}), ("farther", {"at_30": 6.0, "at_31": 6.0})):
        reasons = [known.reasons(each) for each in drawn(200, 4, **change)]
        assert np.mean([reason in each for each in reasons]) > 0.95


def test_half_the_change_is_marked_less_often(known):
    half, whole = (drawn(300, 5, at_0=shift, at_1=-shift) for shift in (1.0, 4.0))
    assert marked(known, half).mean() < 0.5 < marked(known, whole).mean()


def test_a_waveform_that_no_copy_has_is_marked(known):
    strange = drawn(50, 6)
    strange[:, WAVEFORM] += 8
    reasons = [known.reasons(each) for each in strange]
    assert all("overdriven or clipped" in each for each in reasons)


def test_bounds_hold_for_sources_that_are_left_out():
    # Each source has a channel of its own, as far from the others as a changed copy may be.
    random = np.random.default_rng(0)
    sources = np.arange(2000) % 100
    own = 2 * random.standard_normal((200, 1, N_STATISTICS))
    as_recorded = drawn(2000, 1) + own[sources, 0]
    changed = {"far": (as_recorded + drawn(2000, 2, at_0=4.0))[:, None]}
    known = TrainingRange.fit(as_recorded, changed, sources)
    others = drawn(1000, 3) + own[100 + np.arange(1000) % 100, 0]
    assert marked(known, others).mean() < 0.1


def test_a_range_comes_back_from_json(known):
    card = json.loads(json.dumps({FIELD: known.described()}))
    assert len(json.dumps(card)) < 50_000
    again = TrainingRange.of_card(card)
    clips = np.concatenate([drawn(300, 7), drawn(300, 8, at_0=3.0, at_1=-3.0)])
    differing = [known.reasons(each) != again.reasons(each) for each in clips]
    assert np.mean(differing) <= 0.01  # those at a bound, by rounding
    assert list(again.directions) == ["far", "farther"]
    assert TrainingRange.of_card({}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("centre", [0.0]),
        ("centre", "0" * N_STATISTICS),
        ("centre", [True] * N_STATISTICS),
        ("scale", [0.0] * N_STATISTICS),
        ("scale", None),
        ("directions", []),
        ("directions", {"far": [1.0] * N_STATISTICS}),
        ("precision", [[0.0] * 6] * 36),
        ("farthest", "far"),
    ],
)
def test_a_card_with_something_else_is_a_model_file_error(known, name, value):
    with pytest.raises(ModelFileError, match=FIELD):
        TrainingRange.of_card({FIELD: known.described() | {name: value}})
    with pytest.raises(ModelFileError, match=FIELD):
        TrainingRange.of_card({FIELD: "none"})


def test_the_rate_of_the_card_is_said_if_it_has_one(known):
    far = drawn(1, 9, at_0=6.0, at_1=-6.0)[0]
    both = {"human_called_synthetic": 0.2, "synthetic_called_human": 0.4}
    said = "; of such recordings 30 % are answered wrongly"
    others = {"value": "none of these", "human_called_synthetic": 0.1, "synthetic_called_human": 0.4}
    for card, more in (
        ({}, ""),
        ({"rates": [RATE | both]}, said),
        ({"rates": [RATE | both, RATE | others]}, f"{said}, of others 25 %"),
        ({"rates": [RATE | others]}, ""),
        ({"rates": [RATE | {"human_called_synthetic": 0.2}]}, ""),
        ({"rates": [RATE | both | {"group": "channel"}]}, ""),
    ):
        assert known.warnings(far, card)[0] == f"unlike training: far{more}"


@pytest.fixture(scope="module")
def of_voices(small_voices):
    """Simulated voices with noise up to 8 kHz, each a source of its own, and their training range."""
    X = small_voices[0][0]
    noise = np.random.default_rng(0)
    recordings = [(hissed(*each, noise), 16000) for each in X]
    as_recorded, changed = training_statistics(recordings)
    return recordings, TrainingRange.fit(as_recorded, changed, np.arange(len(X))).described()


def hissed(samples, rate, noise):
    wide = soxr.resample(samples, rate, 16000)
    return (wide + 0.01 * noise.standard_normal(len(wide))).astype(np.float32)


@pytest.fixture(scope="module")
def carded(small_detector, of_voices):
    found = copy(small_detector)
    rate = {"value": "telephone band", "human_called_synthetic": 0.5, "synthetic_called_human": 0.25}
    found.card_ = {"rates": [RATE | rate], FIELD: of_voices[1]}
    return found


def test_detect_marks_a_telephone_and_changes_no_answer(small_detector, carded, of_voices, tmp_path):
    recordings = of_voices[0]
    telephone = [(soxr.resample(samples, rate, 8000), 8000) for samples, rate in recordings]
    save(carded, tmp_path / "detector")
    for detector in (carded, load(tmp_path / "detector")):
        found = list(detect(detector, telephone))
        said = "unlike training: telephone band; of such recordings 38 % are answered wrongly"
        assert np.mean([said in each.warnings for each in found]) > 0.9
        as_recorded = list(detect(detector, recordings))
        assert np.mean(["telephone" in " ".join(each.warnings) for each in as_recorded]) < 0.2
    for marked, plain in zip(found, detect(small_detector, telephone), strict=True):
        assert marked.score == plain.score
        assert marked.label == plain.label
        assert not any("unlike" in each for each in plain.warnings)


def test_a_detector_without_a_range_measures_nothing(small_detector, of_voices, monkeypatch):
    monkeypatch.setattr("voicelstm.features._extraction.channel_statistics", None)  # calling it would fail
    assert len(list(detect(small_detector, of_voices[0][:2]))) == 2


def test_silence_and_failures_are_not_marked(carded):
    silence, missing = detect(carded, [(np.zeros(16000), 16000), "missing.wav"])
    assert silence.warnings == missing.warnings == ()


def test_each_channel_of_a_file_is_marked_by_itself(carded, of_voices, tmp_path):
    samples, rate = of_voices[0][0]
    telephone = soxr.resample(soxr.resample(samples, rate, 8000), 8000, rate)[: len(samples)]
    soundfile.write(tmp_path / "call.wav", np.column_stack([samples, telephone]), rate)
    left, right = detect(carded, [tmp_path / "call.wav"], channel="each")
    assert not any("telephone" in each for each in left.warnings)
    assert any("telephone" in each for each in right.warnings)


@pytest.mark.parametrize("name", UNSEEN)
def test_unseen_channels_leave_a_recording_in_time(name, of_voices):
    samples, rate = of_voices[0][0]
    changed, new_rate = UNSEEN[name](samples, rate, np.random.default_rng(0))
    assert abs(len(changed) / new_rate - len(samples) / rate) < 0.05
    assert np.isfinite(changed).all()


def through_unseen(path, seed):
    samples, rate = read_audio(path, sample_rate=16000)
    random = np.random.default_rng(seed)
    return [channel_statistics(*channel(samples, rate, random)) for channel in UNSEEN.values()]


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_of_unseen_channels_most_are_marked_and_of_unseen_sources_few(corpus_dir):
    parts = [
        load_csv(corpus_dir / "manifest.csv", where={"subset": "speech"}),
        load_csv(corpus_dir / "wide.csv"),
    ]
    paths = [Path(path) for part in parts for path in part.recordings]
    target, speaker, family = (
        np.concatenate([part.target if name is None else part.groups[name] for part in parts])
        for name in (None, "speaker", "family")
    )
    source = np.where(target == "human", [each.split(":")[0] for each in speaker], family)
    with FOLDS.open(newline="", encoding="utf-8") as lines:
        folds = {row["path"]: row for row in csv.DictReader(lines)}
    rows = [folds[path.relative_to(corpus_dir).as_posix()] for path in paths]
    as_recorded, changed = training_statistics(paths)
    shares = []
    for fold in "0123":
        training = np.array([fold in row["trained_in"].split() for row in rows])
        test = np.flatnonzero([row["tested_in"] == fold for row in rows])
        of_training = {reason: found[training] for reason, found in changed.items()}
        known = TrainingRange.fit(as_recorded[training], of_training, source[training])
        unseen = np.array([through_unseen(paths[clip], clip) for clip in test[::4]])
        of_channels = [marked(known, unseen[:, place]).mean() for place in range(len(UNSEEN))]
        shares.append([marked(known, as_recorded[test]).mean(), *of_channels])
    clean, *of_channels = np.mean(shares, axis=0)
    print(f"clean {clean:.3f},", ", ".join(map("{} {:.3f}".format, UNSEEN, of_channels)))
    assert clean < 0.05
    assert np.mean(of_channels) >= 0.6
    # A speed that wavers by a percent is hardly heard in speech, whose pitch moves by tens.
    assert all(
        share >= 0.6 for name, share in zip(UNSEEN, of_channels, strict=True) if name != "wow and flutter"
    )
