import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from voicelstm.sequences import SequenceReadingMixin, checked_clips, stack
from voicelstm.sequences._checking import _check_range


class Transformer(SequenceReadingMixin, BaseEstimator):
    """What a transformer of sequences has of them."""

    def fit(self, X):
        self._read_first(X)
        return self

    def transform(self, X):
        return list(self._clips(X))


class Classifier(BaseEstimator):
    """What a classifier has that reads whole batches."""

    def __init__(self, dtype="float32"):
        self.dtype = dtype

    def fit(self, X):
        self.clips = checked_clips(self, X, None)
        return self

    def transform(self, X):
        return checked_clips(self, X, self.n_features_in_ if not self._reads_columns else 1)


CLIPS = [np.arange(8.0).reshape(4, 2), np.arange(8.0, 16.0).reshape(4, 2)]
FORMS = {
    "a 3-D array": np.stack(CLIPS),
    "a list of arrays": CLIPS,
    "nested lists": [clip.tolist() for clip in CLIPS],
    "an object array": pd.Series(CLIPS).to_numpy(),
    "a Series": pd.Series(CLIPS),
}
BOTH = pytest.mark.parametrize("kind", [Transformer, Classifier])


@BOTH
@pytest.mark.parametrize("form", FORMS)
def test_a_batch_holds_the_same_clips_in_any_form(kind, form):
    reader = kind().fit(FORMS[form])
    assert reader.n_features_in_ == 2
    found = reader.transform(FORMS[form])
    np.testing.assert_array_equal(np.stack(found), np.stack(CLIPS))


@BOTH
def test_a_table_is_sequences_of_one_feature_and_its_number_of_columns_is_fixed(kind):
    table = np.arange(12.0).reshape(3, 4)
    reader = kind().fit(table)
    assert reader.n_features_in_ == 4
    assert [clip.shape for clip in reader.transform(table)] == [(4, 1)] * 3
    np.testing.assert_array_equal(np.stack(reader.transform(table))[:, :, 0], table)
    with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 4 features"):
        reader.transform(table[:, :3])


@BOTH
def test_a_table_may_be_nested_lists(kind):
    table = np.arange(12.0).reshape(3, 4)
    found = kind().fit(table.tolist()).transform(table.tolist())
    np.testing.assert_array_equal(np.stack(found)[:, :, 0], table)


def test_a_transformer_that_is_not_fitted_reads_any_table():
    table = pd.DataFrame(np.arange(12.0).reshape(3, 4)).add_prefix("frame ")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Transformer().transform(table)
    np.testing.assert_array_equal(np.stack(found)[:, :, 0], table)


@BOTH
def test_after_sequences_of_one_feature_a_table_may_have_any_number_of_columns(kind):
    reader = kind().fit(stack([np.zeros((3, 1)), np.zeros((5, 1))]))
    for n_frames in (2, 7):
        assert [clip.shape for clip in reader.transform(np.zeros((2, n_frames)))] == [(n_frames, 1)] * 2


@BOTH
def test_a_table_is_refused_after_sequences_of_more_features(kind):
    reader = kind().fit(CLIPS)
    with pytest.raises(ValueError, match=rf"X is 2-D.* but {kind.__name__} was fitted on sequences of 2 "):
        reader.transform(np.zeros((2, 4)))


@BOTH
def test_sequences_of_another_width_are_refused(kind):
    reader = kind().fit(CLIPS)
    with pytest.raises(ValueError, match=r"3 features.* 2 "):
        reader.transform([np.zeros((4, 3))])


@BOTH
def test_a_fit_on_sequences_forgets_the_columns_of_a_data_frame(kind):
    reader = kind().fit(pd.DataFrame({"first": [0.0, 1.0], "second": [2.0, 3.0]}))
    assert reader.feature_names_in_.tolist() == ["first", "second"]
    reader.fit(CLIPS)
    assert not hasattr(reader, "feature_names_in_")


@BOTH
@pytest.mark.parametrize("nothing", [[], (), np.array([]), np.zeros((0, 4, 2)), pd.Series([], dtype=object)])
def test_a_batch_without_clips_is_refused_in_scikit_learn_s_words(kind, nothing):
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        kind().fit(nothing)


def test_a_transformer_s_fit_looks_at_the_first_clip_only():
    batch = [np.zeros((4, 2)), np.full((4, 2), np.nan)]
    transformer = Transformer().fit(batch)
    clips = transformer._clips(batch)
    next(clips)
    with pytest.raises(ValueError, match=r"X\[1\] contains NaN"):
        next(clips)


def test_a_transformer_refuses_what_can_be_read_only_once_and_frames_of_nothing():
    with pytest.raises(ValueError, match="an iterator, which can be read only once"):
        Transformer().fit(iter(CLIPS))
    with pytest.raises(ValueError, match=r"X\[0\] has shape \(4, 0\): its frames have no coefficients"):
        Transformer().fit([np.zeros((4, 0))])


def test_a_clip_is_read_as_it_lies_in_memory():
    for ours, theirs in zip(Transformer().fit(CLIPS).transform(CLIPS), CLIPS, strict=True):
        assert ours is theirs


@pytest.mark.parametrize("value", [1e39, -1e39])
@pytest.mark.parametrize("columns", [False, True])
def test_values_beyond_float32_are_refused_unless_the_network_computes_in_float64(value, columns):
    batch = np.zeros((3, 4)) if columns else np.zeros((3, 4, 2))
    batch[1, 2] = value
    with pytest.raises(ValueError, match=r"too large for dtype='float32' in clips \[1\]"):
        Classifier().fit(batch)
    found = Classifier(dtype="float64").fit(batch).clips
    assert found[1][2, 0] == value
    # As far as float32 reaches.
    batch[1, 2] = np.sign(value) * float(np.finfo(np.float32).max)
    Classifier().fit(batch)


def test_the_range_of_a_clip_is_checked_without_arrays_of_its_size():
    clip = np.ones((100_000, 3))
    tracemalloc.start()
    try:
        _check_range([clip], np.float32)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < clip.size / 2  # a mask has a byte for each number
