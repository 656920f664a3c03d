from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import soundfile

from tests.features.signals import RATE, assert_same, noise
from voicelstm import MFCCTransformer
from voicelstm.features._recordings import checked_recordings, is_batch_of_signals


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


def test_an_array_of_rows_of_samples_and_rates_is_recordings():
    rows = np.empty((2, 2), dtype=object)
    rows[0], rows[1] = (noise(1600), RATE), (noise(800), RATE)
    assert_same(
        MFCCTransformer().fit(rows).transform(rows), MFCCTransformer().transform([tuple(r) for r in rows])
    )


def test_an_iterator_is_refused_before_it_is_used_up():
    with pytest.raises(ValueError, match="iterator"):
        MFCCTransformer().fit_transform(noise(800) for _ in range(2))


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        ([[0.1, 0.2], [0.3, 0.4]], True),
        (np.zeros((2, 9)), True),
        (np.zeros((2, 9), dtype=object), True),
        (pd.DataFrame({"a": [0.1], "b": [0.2]}), True),
        (scipy.sparse.eye_array(3).tocsr(), True),
        (np.array([["one.wav", "two.wav"]]), True),  # refused by scikit-learn's check of numbers
        ([8000, [0.1, 0.2]], False),
        ([[8000, [0.1, 0.2]], [8000, [0.3]]], False),
        ([["one.wav"], ["two.wav"]], False),
        ([[]], False),
        ([], False),
        (((0.1, 0.2), (0.3, 0.4)), False),
        (np.array([["one.wav"], ["two.wav"]]), False),
        (np.array(["one.wav", "two.wav"]), False),
    ],
    ids=str,
)
def test_a_batch_of_signals_is_told_from_other_recordings(X, expected):
    assert is_batch_of_signals(X) is expected


def test_a_fit_on_a_list_forgets_the_columns_of_an_earlier_table():
    transformer = MFCCTransformer()
    table = pd.DataFrame(np.zeros((2, 3)), columns=["a", "b", "c"])
    assert len(checked_recordings(transformer, table, reset=True)) == 2
    assert transformer.feature_names_in_.tolist() == ["a", "b", "c"]
    checked_recordings(transformer, ["one.wav"], reset=False)
    assert transformer.n_features_in_ == 3
    checked_recordings(transformer, ["one.wav"], reset=True)
    assert not hasattr(transformer, "n_features_in_")
    assert not hasattr(transformer, "feature_names_in_")
