import csv
import pickle

import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_val_score

from voicelstm import (
    calibrate,
    detect,
    evaluate,
    load,
    make_detector,
    save,
    score_timeline,
    tune_threshold,
)
from voicelstm.datasets import balanced_weights, make_voices
from voicelstm.exceptions import HeldOutWarning

MODELS = {"convolutions": 80, "dynamics": 60}  # and their features per frame
TINY = {
    "classifier__convolutions": ((2, 3, 4), (2, 3, 4)),
    "classifier__units": (3,),
    "classifier__batch_size": 8,
    "classifier__max_steps": 4,
}


@pytest.fixture(scope="module")
def tiny(small_voices):
    """The default with a small network, fitted; no test may change it."""
    X, y = small_voices[0]
    return make_detector(random_state=0, **TINY).fit(X[:12], y[:12])


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        ("dynamics", {}),
        # A quarter of its training, which is some minutes.
        pytest.param(
            "convolutions",
            {"classifier__max_steps": 300},
            marks=[pytest.mark.nightly, pytest.mark.timeout(3600)],
        ),
    ],
)
def test_it_hears_the_difference_in_voices_it_has_not_heard(model, changes):
    voices = make_voices(120, random_state=0)
    detector = make_detector(model, random_state=0, **changes)
    scores = cross_val_score(
        detector, voices.recordings, voices.target, groups=voices.groups["speaker"], cv=GroupKFold(2)
    )
    assert scores.mean() > 0.7


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        ("dynamics", {}),
        (
            "convolutions",
            {
                **TINY,
                "classifier__max_steps": 150,
                "classifier__segment_frames": 6,
                "classifier__augment": None,
            },
        ),
    ],
)
def test_both_classes_count_the_same_however_many_clips_each_has(model, changes):
    # Where features tell nothing, the log-odds that a training goes to are those of the classes' weights.
    silence, labels = np.zeros((100, 6, 5)), np.repeat(["human", "synthetic"], [90, 10])

    def log_odds(**more):
        detector = make_detector(
            model, random_state=0, **{"classifier__learning_rate": 0.01, **changes, **more}
        )
        return detector["classifier"].fit(silence, labels).decision_function(silence[:1])[0]

    assert abs(log_odds()) < 0.5
    # Smoothed labels are less sure: of a share p of synthetic clips they make 0.9 p + 0.05.
    share = {"dynamics": 0.1, "convolutions": 0.14}[model]
    assert log_odds(classifier__class_weight=None) == pytest.approx(np.log(share / (1 - share)), abs=0.5)


def test_weights_that_balance_sources_go_together_with_those_of_the_classes():
    X = np.random.default_rng(0).normal(size=(12, 20, 24))
    y = np.repeat(["human", "synthetic"], [9, 3])
    weights = balanced_weights(y, {"source": [*"aaaaaaab", *"ccde"]})
    classifier = make_detector(random_state=0, **TINY)["classifier"].set_params(segment_frames=20)
    both = clone(classifier).fit(X, y, sample_weight=weights)
    alone = clone(classifier).set_params(class_weight=None).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(both.decision_function(X), alone.decision_function(X), atol=1e-6)
    plain = clone(classifier).fit(X, y)
    assert np.abs(both.decision_function(X) - plain.decision_function(X)).max() > 1e-4
    assert both.log_prior_odds_ == pytest.approx(0, abs=1e-9)


def test_changes_go_by_the_names_of_steps():
    detector = make_detector("dynamics", random_state=3, features__n_mfcc=13, classifier__units=(8,))
    assert detector["features"].n_mfcc == 13
    assert (detector["classifier"].units, detector["classifier"].random_state) == ((8,), 3)
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense'"):
        make_detector(classifier__nonsense=1)
    with pytest.raises(ValueError, match="model='lstm': expected one of 'convolutions', 'dynamics'"):
        make_detector("lstm")


def test_the_random_state_is_that_of_copies_and_classifier_and_nothing_is_drawn_yet():
    seeds = {seed: make_detector(random_state=seed) for seed in (0, 3)}
    assert [each["classifier"].random_state for each in seeds.values()] == [0, 3]
    of_copies = [{each.random_state for each in detector["features"].augment} for detector in seeds.values()]
    assert [len(each) for each in of_copies] == [6, 6]
    assert not of_copies[0] & of_copies[1]
    state = np.random.RandomState(0)
    for given in (state, None):
        detector = make_detector(random_state=given)
        assert detector["classifier"].random_state is given
        assert {each.random_state for each in detector["features"].augment} == of_copies[0]
    assert state.randint(2**31) == np.random.RandomState(0).randint(2**31)
    with pytest.raises(ValueError, match="random_state"):
        make_detector(random_state=-1)


def test_it_learns_from_six_copies_and_judges_recordings_as_they_are(tiny, small_voices):
    (X, y), (others, _) = small_voices
    training = clone(tiny["features"]).fit_transform(X[:12])
    assert len(training.copies) == 6
    by_hand = clone(tiny["classifier"]).fit(training, y[:12])
    sequences = clone(tiny["features"]).set_params(augment=None).transform(others[:4])
    np.testing.assert_array_equal(tiny.decision_function(others[:4]), by_hand.decision_function(sequences))
    without = clone(tiny["classifier"]).fit(training.plain, y[:12])
    assert np.abs(without.decision_function(sequences) - by_hand.decision_function(sequences)).max() > 1e-4


def test_a_clip_that_is_shorter_than_three_seconds_is_heard_again_and_again(tiny):
    clip = np.random.default_rng(0).normal(size=(70, 80)).astype(np.float32)
    repeated = np.concatenate(5 * [clip])[:300]
    found, expected = (tiny["classifier"].decision_function([each]) for each in (clip, repeated))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_recording_has_the_same_score_alone_and_among_longer_ones(tiny, small_voices):
    X = small_voices[1][0][:5]
    X = [*X, (np.concatenate([samples for samples, _ in X] * 2), X[0][1])]
    together = tiny.decision_function(X)
    alone = [tiny.decision_function([each])[0] for each in X]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_timeline_of_the_default_has_a_score_for_every_three_seconds(tiny):
    samples = np.random.default_rng(0).normal(0, 0.1, 7 * 16000)
    detector = make_detector(features__speech_only=False)
    detector.steps[1] = tiny.steps[1]
    (timeline,) = score_timeline(detector, [(samples, 16000)])
    np.testing.assert_allclose(timeline["start_s"], [0, 3, 4], atol=0.02)  # the last ends with it
    np.testing.assert_allclose(timeline["stop_s"], [3, 6, 7], atol=0.02)


def test_the_default_is_saved_cloned_and_pickled_with_all_that_it_is_told(tiny, small_voices, tmp_path):
    X = small_voices[1][0][:4]
    save(tiny, tmp_path / "d")
    expected = tiny.decision_function(X)
    for again in (load(tmp_path / "d"), pickle.loads(pickle.dumps(tiny))):
        np.testing.assert_allclose(again.decision_function(X), expected, atol=1e-6)
        assert _told(again) == _told(tiny)
    assert _told(clone(tiny)) == _told(tiny)
    assert not hasattr(clone(tiny)["classifier"], "classes_")


def _told(detector):
    params = {}
    for name, value in detector.get_params().items():
        copies = list(value) if name == "features__augment" else [value]  # a file keeps a tuple of them
        params[name] = [each.get_params() if hasattr(each, "get_params") else each for each in copies]
    return {name: value for name, value in params.items() if name not in ("steps", "features", "classifier")}


def test_all_that_is_done_with_a_detector_works_with_the_default(tiny, small_voices):
    X, y = (each[:8] for each in small_voices[1])
    expected = tiny.decision_function(X)
    np.testing.assert_allclose([each.score for each in detect(tiny, X, timeline=True)], expected, rtol=1e-4)
    calibrated, tuned = calibrate(tiny, X, y), tune_threshold(tiny, X, y)
    assert np.isfinite(calibrated.predict_proba(X)).all()
    synthetic = tuned.predict(X) == "synthetic"
    np.testing.assert_array_equal(synthetic, expected >= tuned.score_threshold_)
    report = evaluate(tiny, X, y, n_resamples=2)
    assert (report.overall.n_human, report.overall.n_synthetic, report.n_in_training) == (4, 4, 0)
    with pytest.warns(HeldOutWarning, match="6 of 6 recordings were in the detector's training"):
        evaluate(tiny, small_voices[0][0][:6], y[:6], n_resamples=2)


@pytest.mark.parametrize("model", MODELS)
def test_neither_loudness_nor_silence_around_changes_the_features(corpus_dir, model):
    samples, rate = soundfile.read(corpus_dir / "speech/human/libri-426__426-122819-0000.flac", frames=48000)
    features = make_detector(model)["features"]
    quiet, around = 0.01 * samples, np.concatenate([np.zeros(512 * 20), samples, np.zeros(rate)])
    plain, other, later = features.transform([(each, rate) for each in (samples, quiet, around)])
    assert plain.shape[1] == MODELS[model]
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


@pytest.fixture(scope="module", params=MODELS)
def speakers_apart(request, corpus_dir):
    """A detector of three quarters of the speakers of both corpora, and the clips of the others."""
    rows = []
    for name in ("manifest.csv", "wide.csv"):
        with (corpus_dir / name).open(newline="", encoding="utf-8") as lines:
            rows += [row for row in csv.DictReader(lines) if row.get("subset") != "digits"]
    random = np.random.default_rng(0)
    speakers = random.permutation(sorted({row["speaker"] for row in rows}))
    held_out = set(speakers[: len(speakers) // 4])
    trained_on = [row for row in rows if row["speaker"] not in held_out]
    if request.param == "convolutions":
        trained_on = trained_on[::3]  # six coded copies of each take the most time
    detector = make_detector(request.param, random_state=0, features__n_jobs=-1)
    detector.fit([corpus_dir / row["path"] for row in trained_on], [row["label"] for row in trained_on])
    clips = [soundfile.read(corpus_dir / row["path"]) for row in rows if row["speaker"] in held_out]
    return detector, clips, detector.decision_function(clips)


@pytest.mark.nightly
@pytest.mark.timeout(3600)  # the first waits for the training
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_speech_decides_nothing(speakers_apart, change):
    detector, clips, before = speakers_apart
    random = np.random.default_rng(1)
    changed = [(CHANGES[change](samples, rate, random), rate) for samples, rate in clips]
    after = detector.decision_function(changed)
    assert ((after >= 0) != (before >= 0)).mean() <= 0.02
    assert abs(np.median(np.abs(after)) - np.median(np.abs(before))) < 0.2
