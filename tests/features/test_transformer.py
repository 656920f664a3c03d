import pickle
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from python_speech_features import mfcc
from sklearn.base import clone

from voicelstm import MFCCTransformer
from voicelstm.exceptions import AudioError, AudioWarning
from voicelstm.features._extraction import extract

RATE = 16000


def noise(n_samples, seed=0):
    return 0.1 * np.random.default_rng(seed).standard_normal(n_samples)


@pytest.fixture
def files(tmp_path):
    """Three recordings of 0.1, 0.2 and 0.3 s at 8 kHz."""
    paths = []
    for tenths in (1, 2, 3):
        path = tmp_path / f"{tenths}.wav"
        soundfile.write(path, noise(800 * tenths, seed=tenths), 8000)
        paths.append(path)
    return paths


@pytest.fixture
def extractions(monkeypatch):
    """What was really extracted, as opposed to remembered."""
    seen = []

    def spy(recording, how, folder=None):
        seen.append(recording)
        return extract(recording, how, folder)

    monkeypatch.setattr("voicelstm.features._workers.extract", spy)
    return seen


def assert_same(one, other):
    assert len(one) == len(other)
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_every_strange_file_gives_finite_features_or_is_named(awkward_files):
    paths = [path for path, _ in awkward_files]
    with pytest.warns(AudioWarning) as caught:
        sequences = MFCCTransformer(on_error="warn").transform(paths)
    # audioread, imported with the first file that needs it, imports modules that Python 3.13 lacks.
    others = [each for each in caught if Path(each.filename).parent.name != "audioread"]
    assert [each.category for each in others if each.category is not ResourceWarning] == [AudioWarning]
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


def test_paths_arrays_and_pairs_mix_in_one_list(files):
    samples, _ = soundfile.read(files[0], dtype="int16")
    sequences = MFCCTransformer(sample_rate=8000, n_filters=26).transform(
        [files[0], str(files[0]), samples, (samples, 8000), [8000, samples], samples / 32768]
    )
    assert sequences.shape == (6, 9, 60)
    for sequence in sequences[1:]:
        np.testing.assert_array_equal(sequence, sequences[0])


@pytest.mark.parametrize(
    "container",
    [
        tuple,
        iter,
        np.array,
        pd.Series,
        lambda paths: np.array([str(path) for path in paths]),
        lambda paths: pd.Series([str(path) for path in paths], dtype="string", index=[7, 8, 9]),
        lambda paths: pd.DataFrame({"path": [str(path) for path in paths]}),
        lambda paths: np.array([str(path) for path in paths])[:, None],
    ],
    ids=["tuple", "iterator", "array", "series", "strings", "indexed series", "frame", "column"],
)
def test_paths_may_come_in_any_sequence(files, container):
    assert_same(MFCCTransformer().fit(files).transform(container(files)), MFCCTransformer().transform(files))


def test_a_numeric_table_is_a_batch_of_signals_and_fixes_its_width():
    signals = np.stack([noise(1600), noise(1600, seed=1)])
    transformer = MFCCTransformer().fit(signals)
    assert transformer.n_features_in_ == 1600
    expected = MFCCTransformer().transform(list(signals))
    for batch in (signals, signals.tolist(), pd.DataFrame(signals)):
        np.testing.assert_array_equal(transformer.transform(batch), expected)
    with pytest.raises(ValueError, match="1599 features"):
        transformer.transform(signals[:, 1:])
    assert not hasattr(transformer.fit(list(signals)), "n_features_in_")


def test_integer_tables_are_pcm():
    pcm = np.array([[0, 16384] * 800], dtype=np.int16)
    np.testing.assert_array_equal(
        MFCCTransformer().transform(pcm), MFCCTransformer().transform([pcm[0] / 32768])
    )


@pytest.mark.parametrize(
    ("X", "words"),
    [
        ("one.wav", "single path 'one.wav': pass \\[path\\]"),
        (Path("one.wav"), "single path"),
        ([], "0 sample"),
        ([np.zeros((2, 800))], "average"),
        (noise(100), "2D"),
        ([0.1, 0.2], "expected samples of shape"),
    ],
    ids=["string", "path", "nothing", "channels", "one signal", "numbers"],
)
def test_what_is_no_list_of_recordings_is_refused_in_words(X, words):
    with pytest.raises(ValueError, match=words):
        MFCCTransformer().transform(X)


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


def test_a_file_whose_own_rate_does_not_fit_the_parameters_is_named(files):
    with pytest.raises(AudioError, match=r"1\.wav: found a sample rate of 8000 Hz[\s\S]*fmax=7000") as caught:
        MFCCTransformer(sample_rate=None, fmax=7000.0).transform([files[0], (noise(1600), RATE)])
    assert [position for position, _ in caught.value.failures] == [0]


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


def test_original_is_the_recipe_and_takes_changes():
    params = MFCCTransformer.original().get_params()
    recipe = {
        "sample_rate": None,
        "n_mfcc": 13,
        "n_filters": 26,
        "n_fft": 2048,
        "frame_length": 0.025,
        "frame_step": 0.01,
        "fmin": 0,
        "fmax": None,
        "preemphasis": 0.97,
        "window": "boxcar",
        "lifter": 22,
        "energy": True,
        "scale": "mel",
        "triangles": "bins",
        "deltas": 0,
        "normalize": "minmax",
        "amplitude": 32768,
        "level": None,
        "trim_silence": None,
        "max_frames": 5000,
    }
    assert {name: params[name] for name in recipe} == recipe
    assert MFCCTransformer.original(max_frames=10_000).max_frames == 10_000


def test_original_equals_the_recipe_written_down_by_hand(tmp_path):
    path = tmp_path / "stereo.wav"
    rng = np.random.default_rng(0)
    signal = (rng.standard_normal((51 * 22050, 2)) * 3000).astype(np.int16)
    soundfile.write(path, signal, 22050)
    expected = mfcc(signal.mean(axis=1), samplerate=22050, nfft=2048)[:5000]
    expected = (expected - expected.min(axis=0)) / (expected.max(axis=0) - expected.min(axis=0))
    features = MFCCTransformer.original().transform([path])
    assert features.shape == (1, 5000, 13)
    np.testing.assert_allclose(features[0], expected, rtol=0, atol=1e-9)


def test_trimming_cuts_silence_and_extract_says_where_the_clip_lies():
    square = np.where(np.arange(RATE) % 2, 0.5, -0.5)
    recording = np.concatenate([np.zeros(RATE // 2), square, 1e-4 * square[: RATE // 4]])
    (clip,) = MFCCTransformer(trim_silence=40.0).extract([recording])
    np.testing.assert_array_equal(clip.features, MFCCTransformer().transform([square])[0])
    assert (clip.offset, clip.duration) == (0.5, 1.75)
    assert (clip.frame_length, clip.frame_step) == (0.025, 0.01)


def test_extract_gives_the_frames_as_they_were_cut_at_each_recordings_own_rate(files):
    clips = MFCCTransformer(sample_rate=None, n_filters=26).extract([files[2], (noise(22050), 22050)])
    # 25 and 10 ms at 22,050 Hz are 551.25 and 220.5 samples.
    assert [(c.offset, c.frame_length, c.frame_step) for c in clips] == [
        (0, 200 / 8000, 80 / 8000),
        (0, 551 / 22050, 221 / 22050),
    ]
    assert [clip.duration for clip in clips] == pytest.approx([0.3, 1.0])


@pytest.mark.parametrize("normalize", [None, "mean", "zscore", "minmax"])
@pytest.mark.parametrize("backend", ["native", "python_speech_features"])
def test_a_silent_clip_keeps_one_finite_frame(normalize, backend):
    transformer = MFCCTransformer(
        trim_silence=40.0, level=-26.0, deltas=2, normalize=normalize, backend=backend
    )
    (clip,) = transformer.extract([np.zeros(RATE)])
    assert clip.features.shape == (1, 60)
    assert np.isfinite(clip.features).all()
    assert normalize is None or not clip.features.any()
    assert clip.offset == 0


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 4000), st.floats(1e-6, 1e6))
def test_with_a_level_a_recordings_gain_changes_nothing(n_samples, gain):
    transformer = MFCCTransformer(level=-26.0, trim_silence=40.0, deltas=1, dtype="float64")
    samples = noise(n_samples, seed=n_samples)
    np.testing.assert_allclose(
        transformer.transform([gain * samples]), transformer.transform([samples]), rtol=0, atol=1e-8
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6000), st.integers(1, 40), st.integers(0, 3))
@pytest.mark.parametrize("backend", ["native", "python_speech_features"])
def test_max_frames_gives_the_first_frames_deltas_included(backend, n_samples, max_frames, deltas):
    transformer = MFCCTransformer(deltas=deltas, backend=backend, dtype="float64")
    whole = transformer.transform([noise(n_samples)])[0]
    cut = transformer.set_params(max_frames=max_frames).transform([noise(n_samples)])[0]
    np.testing.assert_allclose(cut, whole[:max_frames], rtol=0, atol=1e-9)


def test_an_array_of_rows_of_samples_and_rates_is_recordings():
    rows = np.empty((2, 2), dtype=object)
    rows[0], rows[1] = (noise(1600), RATE), (noise(800), RATE)
    assert_same(
        MFCCTransformer().fit(rows).transform(rows), MFCCTransformer().transform([tuple(r) for r in rows])
    )


def test_an_iterator_is_refused_before_it_is_used_up():
    with pytest.raises(ValueError, match="iterator"):
        MFCCTransformer().fit_transform(noise(800) for _ in range(2))


def test_samples_beyond_the_arithmetic_are_refused():
    with pytest.raises(AudioError, match=r"samples as large as .*beyond float32"):
        MFCCTransformer().transform([noise(1600) * 1e20])
