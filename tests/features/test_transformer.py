import pickle
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from tests.features.signals import assert_same, noise
from voicelstm import Augmenter, MFCCTransformer, SequenceStore, make_detector
from voicelstm.audio._fingerprint import fingerprint_of
from voicelstm.exceptions import AudioError, AudioWarning, SequenceWarning
from voicelstm.features import _extraction, sequences_and_fingerprints
from voicelstm.sequences import AugmentedSequences


def test_every_strange_file_gives_finite_features_or_is_named(awkward_files):
    paths = [path for path, _ in awkward_files]
    with pytest.warns(AudioWarning) as caught:
        sequences = MFCCTransformer(on_error="warn").transform(paths)
    # audioread, imported with the first file that needs it, imports modules that Python 3.13 lacks.
    others = [each for each in caught if Path(each.filename).parent.name != "audioread"]
    others = [each for each in others if each.category is not ResourceWarning]
    assert {each.category for each in others} == {AudioWarning}
    failed, *cut_off = sorted((each.message for each in others), key=lambda each: -len(each.failures))
    assert {Path(str(each).split(": cut off: ")[0]).name for each in cut_off} == {
        "truncated.flac",
        "truncated.mp3",
        "truncated_half.wav",
    }
    assert len(failed.failures) == sum(not len(sequence) for sequence in sequences)
    surprises = {}
    for (path, expected), sequence in zip(awkward_files, sequences, strict=True):
        assert sequence.dtype == np.float32
        assert sequence.shape[1] == 60
        assert np.isfinite(sequence).all()
        outcome = "decode" if len(sequence) else "reject"
        if expected not in (outcome, "either"):
            surprises[path.name] = outcome
    assert surprises == {}


def test_equal_lengths_give_one_array_and_others_an_object_array():
    equal = MFCCTransformer().transform([noise(1600), noise(1600, seed=1)])
    assert (equal.shape, equal.dtype) == ((2, 9, 60), np.float32)
    ragged = MFCCTransformer(deltas=1).transform([noise(1600), noise(3200)])
    assert (ragged.shape, ragged.dtype) == ((2,), object)
    assert [(clip.shape, clip.dtype) for clip in ragged] == [((9, 40), np.float32), ((19, 40), np.float32)]


def test_features_have_the_dtype_that_was_asked_for():
    assert MFCCTransformer(dtype="float64").transform([noise(1600)]).dtype == np.float64


def test_a_batch_equals_its_clips_one_by_one():
    clips = [noise(n) for n in (1, 400, 41_360, 50_000)]
    transformer = MFCCTransformer(deltas=2, normalize="zscore", level=-26.0)
    assert_same(transformer.transform(clips), [transformer.transform([clip])[0] for clip in clips])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_parameter_may_be_nan_or_infinite(value):
    floats = {name for name, hint in MFCCTransformer.__init__.__annotations__.items() if "float" in str(hint)}
    assert len(floats) == 10
    for name in floats:
        with pytest.raises(ValueError, match=f"'{name}' parameter of MFCCTransformer must be a float"):
            MFCCTransformer(**{name: value}).transform(["missing.wav"])


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"n_mfcc": 41}, "n_mfcc=41"),
        ({"n_mfcc": 41, "sample_rate": None}, "n_mfcc=41"),
        ({"window": "round", "sample_rate": None}, "window='round'"),
        ({"fmax": 8001.0}, "fmax=8001.0"),
        ({"fmin": 5000.0, "fmax": 4000.0}, "fmin=5000.0"),
        ({"n_fft": 256}, "n_fft=256"),
        ({"n_filters": 200}, "n_filters=200"),
        ({"n_mfcc": 0}, "'n_mfcc' parameter"),
        ({"scale": "bark"}, "'scale' parameter"),
        ({"dtype": "float16"}, "'dtype' parameter"),
        ({"level": 3.0}, "'level' parameter"),
    ],
    ids=str,
)
def test_parameters_are_checked_before_any_recording_is_opened(params, words):
    transformer = MFCCTransformer(**params)
    for method in (transformer.fit, transformer.transform):
        with pytest.raises(ValueError, match=words) as caught:
            method(["missing.wav"])
        assert not isinstance(caught.value, AudioError)


def test_every_recording_that_fails_is_named_with_its_position(files, tmp_path):
    page = tmp_path / "page.wav"
    page.write_text("<html>")
    X = [tmp_path / "gone.wav", files[0], page, (np.array([np.nan]), 8000)]
    with pytest.raises(AudioError, match="3 of 4 recordings failed") as caught:
        MFCCTransformer(n_jobs=2).transform(X)
    assert [position for position, _ in caught.value.failures] == [0, 2, 3]
    message = str(caught.value)
    for (position, reason), words in zip(caught.value.failures, (str(X[0]), str(X[2]), "NaN"), strict=True):
        assert words in reason
        assert f"[{position}] {reason}" in message


def test_many_failures_are_counted_and_not_all_listed():
    with pytest.raises(AudioError, match="and 30 more") as caught:
        MFCCTransformer().transform([f"{i}.wav" for i in range(50)])
    assert len(caught.value.failures) == 50


def test_failing_recordings_may_become_empty_sequences_with_one_warning(files):
    X = ["gone.wav", files[0], "also_gone.wav"]
    with pytest.warns(AudioWarning, match=r"2 of 3 recordings failed[\s\S]*\[0\][\s\S]*\[2\]") as caught:
        sequences = MFCCTransformer(on_error="warn").transform(X)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert [clip.shape for clip in sequences] == [(0, 60), (9, 60), (0, 60)]
    np.testing.assert_array_equal(sequences[1], MFCCTransformer().transform([files[0]])[0])


def test_a_cache_remembers_features_by_content_and_parameters(files, tmp_path, extractions):
    transformer = MFCCTransformer(cache_dir=tmp_path / "cache", deltas=1)
    pair = (noise(1600), 8000)
    X = [*files, pair]
    first = transformer.transform(X)
    assert len(extractions) == 4
    assert_same(transformer.transform(X), first)
    moved = files[0].rename(tmp_path / "moved.wav")
    assert_same(transformer.transform([moved, *X[1:]]), first)
    assert len(extractions) == 4

    soundfile.write(files[1], noise(1600, seed=9), 8000)
    transformer.transform([moved, *X[1:]])
    transformer.transform([(pair[0] / 2, 8000), (pair[0], 9000)])
    assert extractions[4] == files[1]
    assert len(extractions) == 7

    clone(transformer).set_params(lifter=0).transform(X[1:])
    assert len(extractions) == 10


def test_failures_are_not_remembered(files, tmp_path, extractions):
    transformer = MFCCTransformer(cache_dir=tmp_path / "cache")
    missing = tmp_path / "later.wav"
    for path in (missing, tmp_path, "null\0character.wav", None):
        with pytest.raises(AudioError):
            transformer.transform([path])
    files[0].rename(missing)
    assert transformer.transform([missing])[0].shape == (9, 60)
    missing.unlink()
    with pytest.raises(AudioError, match="no such file"):
        transformer.transform([missing])


def test_threads_give_the_same_features_in_the_same_order():
    clips = [noise(160 * (n + 3), seed=n) for n in np.random.default_rng(0).permutation(60)]
    alone = MFCCTransformer(deltas=1).transform(clips)
    assert_same(MFCCTransformer(deltas=1, n_jobs=2).transform(clips), alone)


def test_threads_leave_the_warning_filters_as_they_were(tmp_path):
    damaged = tmp_path / "damaged.m4a"
    damaged.write_bytes(b"\x00\x00\x00\x18ftypM4A " + bytes(100))
    with pytest.warns(AudioWarning):  # librosa is imported
        MFCCTransformer(on_error="warn").transform([damaged])
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", AudioWarning)
            before = list(warnings.filters)
            MFCCTransformer(on_error="warn", n_jobs=2).transform([damaged, noise(800)] * 300)
            assert warnings.filters == before
    finally:
        sys.setswitchinterval(interval)


def test_progress_is_shown_on_standard_error_and_only_when_asked_for(files, capsys):
    MFCCTransformer(verbose=1).transform(files)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Reading recordings" in shown.err
    assert "3/3" in shown.err
    MFCCTransformer().transform(files)
    assert capsys.readouterr() == ("", "")


def test_output_columns_have_names():
    names = MFCCTransformer(n_mfcc=2, deltas=2).get_feature_names_out()
    assert names.tolist() == ["mfcc0", "mfcc1", "delta_mfcc0", "delta_mfcc1", "delta2_mfcc0", "delta2_mfcc1"]
    names = MFCCTransformer(n_mfcc=None, n_filters=2, deltas=1).get_feature_names_out()
    assert names.tolist() == ["filter0", "filter1", "delta_filter0", "delta_filter1"]


def test_set_output_is_refused_with_the_way_to_a_table():
    assert not hasattr(MFCCTransformer(), "set_output")
    with pytest.raises(AttributeError, match="ClipStatistics turns sequences into a table"):
        MFCCTransformer().set_output(transform="pandas")


def test_the_picture_in_a_notebook_links_to_the_documentation():
    assert "generated/voicelstm.MFCCTransformer.html" in MFCCTransformer()._repr_html_()


def test_no_router_asks_where_features_are_written_to():
    assert not hasattr(MFCCTransformer(), "set_transform_request")


def test_clones_and_pickles_do_the_same():
    transformer = MFCCTransformer(n_mfcc=5, window=("kaiser", 8.0), lifter=None).fit([noise(800)])
    expected = transformer.transform([noise(800)])
    for copy in (clone(transformer), pickle.loads(pickle.dumps(transformer))):
        assert copy.get_params() == transformer.get_params()
        np.testing.assert_array_equal(copy.transform([noise(800)]), expected)


def test_no_lifter_may_be_said_with_none_or_zero():
    np.testing.assert_array_equal(
        MFCCTransformer(lifter=None).transform([noise(800)]),
        MFCCTransformer(lifter=0).transform([noise(800)]),
    )


NOISY = [
    Augmenter(probability=1.0, noise_snr=(0, 10), random_state=0),
    Augmenter(probability=1.0, effect_probability={"codecs": 1.0}, codecs=("gsm", "mu-law")),
]


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kept_in", [None, "cache_dir", "out"])
@pytest.mark.parametrize("augment", [NOISY[0], NOISY], ids=["changed", "copies"])
def test_fingerprints_are_those_of_what_was_fitted_on(n_jobs, kept_in, augment, tmp_path, monkeypatch):
    monkeypatch.setattr("voicelstm.features._workers._MANY", 2)  # processes
    random = np.random.default_rng(0)
    recordings = [random.uniform(-0.5, 0.5, 1600) for _ in range(4)]
    expected = sorted(fingerprint_of(each.astype(np.float32)) for each in recordings)
    transformer = MFCCTransformer(
        n_jobs=n_jobs,
        on_error="warn",
        augment=augment,
        cache_dir=tmp_path / "cache" if kept_in == "cache_dir" else None,
    )
    out = {"out": tmp_path / "out"} if kept_in == "out" else {}
    silence = np.zeros(1600)
    given = [*recordings, recordings[0], silence, tmp_path / "gone.wav"]
    for _ in range(2):  # the second time from the folder
        with pytest.warns(AudioWarning, match=r"gone\.wav"):
            transformer.fit_transform(given, **out)
        assert transformer.fingerprints_.tolist() == expected
        assert transformer.fingerprints_.dtype == np.int64
    with pytest.warns(AudioWarning):
        _, found = sequences_and_fingerprints(transformer, given)
    assert sorted(found[:4]) == expected
    assert found[4:] == [found[0], None, None]
    assert not hasattr(transformer.fit(recordings), "fingerprints_")
    assert not hasattr(clone(transformer), "fingerprints_")


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kept_in", [None, "cache_dir", "out"])
def test_copies_are_what_their_augmenters_make_beside_recordings_as_they_are(
    n_jobs, kept_in, files, tmp_path, monkeypatch
):
    monkeypatch.setattr("voicelstm.features._workers._MANY", 2)  # processes
    X = [*files, noise(1600), files[0]]
    settings = {"trim_silence": 40.0, "level": -26.0, "n_jobs": n_jobs}
    cache = {"cache_dir": tmp_path / "cache"} if kept_in == "cache_dir" else {}
    out = {"out": tmp_path / "out"} if kept_in == "out" else {}
    transformer = MFCCTransformer(augment=NOISY, **settings, **cache)
    found = clone(transformer).fit_transform(X, **out)
    assert type(found) is AugmentedSequences
    for sequences in (found.plain, transformer.transform(X)):
        assert_same(sequences, MFCCTransformer(**settings).transform(X))
    assert len(found.copies) == len(NOISY)
    for copy, augmenter in zip(found.copies, NOISY, strict=True):
        assert isinstance(copy, SequenceStore) == (kept_in is not None)
        assert_same(copy, MFCCTransformer(augment=augmenter, **settings).fit_transform(X))
    if out:
        for folder, version in zip(("", "copy-1", "copy-2"), [found.plain, *found.copies], strict=True):
            assert_same(SequenceStore(tmp_path / "out" / folder), version)


def test_folders_of_copies_that_an_earlier_call_left_are_named_and_stay(tmp_path):
    X, out = [noise(1600)], tmp_path / "out"
    copies = [clone(NOISY[0]).set_params(random_state=seed) for seed in range(11)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MFCCTransformer(augment=copies).fit_transform(X, out=out)
        MFCCTransformer(augment=copies).fit_transform(X, out=out)
        MFCCTransformer(augment=copies).transform(X, out=out)
        Path(out, "copy-paper").mkdir()
        Path(out, "copy-99").touch()
    for augment, words in [(copies[:8], "copy-9, copy-10, copy-11"), (None, "copy-1, copy-2, .*, copy-11")]:
        text = f"^{re.escape(str(out))} holds {words} of an earlier call"
        with pytest.warns(SequenceWarning, match=text) as told:
            MFCCTransformer(augment=augment).fit_transform(X, out=out)
        assert [each.filename for each in told] == [__file__]
    assert len(SequenceStore(out / "copy-11")) == 1


@pytest.mark.parametrize("speech_only", [False, True])
def test_a_cache_keeps_each_copy_and_a_second_run_reads_no_audio(speech_only, files, tmp_path, extractions):
    def transformer(augment):
        return MFCCTransformer(augment=augment, cache_dir=tmp_path / "cache", speech_only=speech_only)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)  # of no speech
        first = transformer(NOISY).fit_transform(files)
        assert extractions == files  # once for all their versions
        del extractions[:]
        again = transformer(tuple(map(clone, NOISY))).fit_transform(files)
        transformer(NOISY).transform(files)
        assert extractions == []
        for ours, theirs in zip(first.copies, again.copies, strict=True):
            assert_same(ours, theirs)
        # Of one more copy, nothing but this copy is computed.
        more = [NOISY[1], Augmenter(random_state=5)]
        assert_same(transformer(more).fit_transform(files).copies[0], first.copies[1])
        assert extractions == files
        assert len(list((tmp_path / "cache").iterdir())) == 4
        # Where speech was looked for in what an augmenter made, it may have been found elsewhere.
        del extractions[:]
        transformer(NOISY[0]).fit_transform(files)
        assert extractions == (files if speech_only else [])


def test_speech_is_looked_for_once_in_recordings_as_they_are(corpus_dir, monkeypatch):
    samples, rate = soundfile.read(corpus_dir / "digits/human/0_george_0.flac", dtype="float32")
    samples = np.concatenate([np.zeros(rate, "float32"), samples, np.zeros(rate, "float32")])
    heard, find = [], _extraction.speech_frames
    monkeypatch.setattr(
        _extraction, "speech_frames", lambda given, *how: heard.append(given) or find(given, *how)
    )
    settings = {"sample_rate": rate, "deltas": 0, "energy": False}
    loud = [clone(each).set_params(noise_snr=(-20.0, -10.0)) for each in NOISY]
    transformer = MFCCTransformer(augment=loud, speech_only=True, **settings)
    found = transformer.fit_transform([samples])
    (only,) = heard
    np.testing.assert_array_equal(only, samples)
    (clip,) = transformer.extract([samples])
    assert 0 < len(clip.positions) < 100
    for copy, augmenter in zip(found.copies, loud, strict=True):
        (whole,) = MFCCTransformer(**settings).transform([augmenter(samples, rate)])
        np.testing.assert_array_equal(copy[0], whole[clip.positions])
    # The level is that of the copy's speech.
    levelled = clone(transformer).set_params(level=-20.0).fit_transform([samples])
    changed = loud[0](samples, rate).astype(np.float64)
    frames = [changed[at * 80 : at * 80 + 200] for at in clip.positions]
    gain = 0.1 / np.sqrt(np.mean([np.mean(np.square(frame)) for frame in frames]))
    (whole,) = MFCCTransformer(**settings).transform([gain * changed])
    np.testing.assert_allclose(levelled.copies[0][0], whole[clip.positions], atol=1e-3)


@pytest.mark.parametrize("kept", [False, True])
def test_a_recording_that_fails_is_named_once_and_empty_in_all_its_versions(kept, files, tmp_path):
    X = [files[0], "gone.wav", np.zeros(0), files[1]]
    transformer = MFCCTransformer(augment=NOISY, cache_dir=tmp_path / "cache" if kept else None)
    with pytest.raises(AudioError, match=r"2 of 4 recordings failed") as caught:
        transformer.fit_transform(X)
    assert [position for position, _ in caught.value.failures] == [1, 2]
    with pytest.warns(AudioWarning, match=r"2 of 4 recordings failed") as warned:
        found = transformer.set_params(on_error="warn").fit_transform(X)
    assert [warning.filename for warning in warned] == [__file__]
    for version in [found.plain, *found.copies]:
        assert [bool(len(clip)) for clip in version] == [True, False, False, True]


@pytest.mark.parametrize(
    ("augment", "words"),
    [
        ([], "expected an Augmenter, a sequence of one Augmenter for each copy, or None"),
        ([NOISY[0], "mp3"], "expected an Augmenter, a sequence"),
        ((NOISY[0], NOISY[1], clone(NOISY[0])), r"augment\[0\] and augment\[2\] are the same"),
        ([Augmenter(codecs=("flac",))], "codecs="),
    ],
)
def test_copies_that_would_be_none_or_equal_are_refused_before_a_recording_is_opened(augment, words):
    for method in ("fit", "fit_transform"):
        with pytest.raises(ValueError, match=words):
            getattr(MFCCTransformer(augment=augment), method)(["missing.wav"])


def test_pipelines_train_on_copies_and_a_search_can_choose_them(small_voices):
    (X, y), (X_test, _) = small_voices
    small = {"classifier__units": (4,), "classifier__max_steps": 3, "features__n_mfcc": 8}
    detector = make_detector("dynamics", random_state=0, features__augment=NOISY, **small)
    fitted = clone(detector).fit(X, y)
    dynamics = clone(detector["dynamics"])
    training = dynamics.fit_transform(detector["features"].fit_transform(X))
    assert len(training.copies) == 2
    by_hand = clone(detector["classifier"]).fit(training, y)
    expected = by_hand.decision_function(dynamics.transform(detector["features"].transform(X_test)))
    np.testing.assert_array_equal(fitted.decision_function(X_test), expected)
    grid = {"features__augment": [None, NOISY], "classifier__copy_weight": [0.3]}
    search = GridSearchCV(detector, grid, cv=2, refit=False, error_score="raise").fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert pickle.loads(pickle.dumps(fitted))["features"].augment[1].codecs == ("gsm", "mu-law")


@pytest.fixture
def stereo_call(tmp_path):
    """A file with noise on each channel, and both of them."""
    left, right = noise(8000), noise(8000, seed=1)
    path = tmp_path / "call.wav"
    soundfile.write(path, np.column_stack([left, right]), 16000, subtype="FLOAT")
    return path, left, right


def test_features_are_those_of_the_channel_that_is_asked_for(stereo_call, tmp_path):
    path, left, right = stereo_call
    cached = {"cache_dir": tmp_path / "cache", "dtype": "float64"}
    for channel, expected in (("mean", (left + right) / 2), ("left", left), (1, right), ("right", right)):
        found = MFCCTransformer(channel=channel, **cached).transform([path, (expected, 16000)])
        np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-4)
    assert clone(MFCCTransformer(channel="left")).channel == "left"
    with pytest.raises(AudioError, match=r"call.wav: found 2 channels, and none that is channel=2"):
        MFCCTransformer(channel=2).transform([path])
    with pytest.raises(ValueError, match="'channel' parameter"):
        MFCCTransformer(channel="each").fit([path])


def test_channels_that_cancel_fail_as_a_recording_that_cannot_be_read(tmp_path):
    path = tmp_path / "call.wav"
    soundfile.write(path, np.column_stack([noise(8000), -noise(8000)]), 16000)
    with pytest.warns(AudioWarning, match="found channels that cancel each other") as caught:
        clips = MFCCTransformer(on_error="warn").transform([noise(8000), path])
    assert [position for position, _ in caught[0].message.failures] == [1]
    assert [len(clip) for clip in clips] == [49, 0]
