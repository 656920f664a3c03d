import pickle
import weakref

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from voicelstm import ClipStatistics, MFCCTransformer
from voicelstm.datasets import make_voices
from voicelstm.exceptions import AudioWarning, SequenceWarning
from voicelstm.sequences import AugmentedSequences

RAGGED = [np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[4.0, -1.0]])]
BY_HAND = [[2.0, 5.0, 1.0, 0.0], [4.0, -1.0, 0.0, 0.0]]


def clips_of(*lengths, n_features=3, dtype=np.float64):
    generator = np.random.default_rng(sum(lengths))
    return [generator.normal(7, 2, size=(length, n_features)).astype(dtype) for length in lengths]


def object_array(clips):
    batch = np.empty(len(clips), dtype=object)
    batch[:] = clips
    return batch


class Store:
    """Clips on disk that are mapped one by one; counts how many are at once."""

    ndim, dtype = 1, np.dtype(object)

    def __init__(self, folder, clips):
        self.paths = [folder / f"{position}.npy" for position in range(len(clips))]
        self.shape = (len(clips),)
        self.read = []
        self.most_at_once = 0
        self._maps = []
        for path, clip in zip(self.paths, clips, strict=True):
            np.save(path, clip)

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, position):
        clip = np.load(self.paths[position], mmap_mode="r")
        self.read.append(position)
        self._maps = [one for one in self._maps if one() is not None] + [weakref.ref(clip)]
        self.most_at_once = max(self.most_at_once, len(self._maps))
        return clip

    def __iter__(self):
        return map(self.__getitem__, range(len(self)))


@pytest.mark.parametrize(
    "container",
    [
        list,
        tuple,
        object_array,
        lambda clips: pd.Series(clips, index=[7, 8]),
        lambda c: [x.tolist() for x in c],
    ],
    ids=["list", "tuple", "object array", "series", "nested lists"],
)
def test_mean_and_deviation_by_hand(container):
    assert ClipStatistics().fit_transform(container(RAGGED)).tolist() == BY_HAND


def test_a_3d_array_and_a_2d_array_of_univariate_sequences():
    batch = np.array([[[1.0, 5.0], [3.0, 5.0]], [[4.0, 0.0], [4.0, 2.0]]])
    for form in (batch, batch.tolist()):
        assert ClipStatistics().fit_transform(form).tolist() == [[2, 5, 1, 0], [4, 1, 0, 1]]
    for form in (batch[:, :, 0], batch[:, :, 0].tolist(), pd.DataFrame(batch[:, :, 0])):
        assert ClipStatistics().fit_transform(form).tolist() == [[2, 1], [4, 0]]
    assert ClipStatistics().fit_transform([np.array([1.0, 3.0]), np.array([4.0])]).tolist() == [
        [2, 1],
        [4, 0],
    ]


@pytest.mark.parametrize(
    ("statistics", "columns"), [(("mean",), [0, 1]), (["std"], [2, 3]), (("std", "mean"), [2, 3, 0, 1])]
)
def test_the_parameter_chooses_and_orders_the_columns(statistics, columns):
    transformer = ClipStatistics(statistics=statistics)
    assert transformer.fit_transform(RAGGED).tolist() == np.array(BY_HAND)[:, columns].tolist()
    names = np.array(["x0_mean", "x1_mean", "x0_std", "x1_std"])[columns]
    assert transformer.get_feature_names_out().tolist() == names.tolist()


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.integers(1, 12).flatmap(
                lambda length: arrays(np.float64, (length, width), elements=st.floats(-1e6, 1e6))
            ),
            min_size=1,
            max_size=5,
        )
    )
)
def test_any_clips_have_the_statistics_that_numpy_gives(clips):
    expected = [np.concatenate([clip.mean(axis=0), clip.std(axis=0)]) for clip in clips]
    # Deviations as small as the rounding of 1e6 are beyond either.
    np.testing.assert_allclose(ClipStatistics().fit_transform(clips), expected, rtol=1e-9, atol=1e-8)


def test_clips_longer_than_a_block_have_the_statistics_that_numpy_gives():
    clips = clips_of(4096, 4097, 20_000, dtype=np.float32)
    expected = [
        np.concatenate([clip.mean(axis=0, dtype="f8"), clip.std(axis=0, dtype="f8")]) for clip in clips
    ]
    result = ClipStatistics().fit_transform(clips)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_double_precision_keeps_a_deviation_beside_a_large_mean():
    clip = np.float32(1e4) + np.array([[0.0], [1.0]] * 50_000, dtype=np.float32)
    np.testing.assert_allclose(ClipStatistics().fit_transform([clip]), [[10_000.5, 0.5]], rtol=1e-7)


@pytest.mark.parametrize("length", [1, 3, 9999])
def test_constant_columns_have_no_deviation_at_all(length):
    clip = np.full((length, 1), 0.1, dtype=np.float32)
    assert ClipStatistics().fit_transform([clip]).tolist() == [[float(np.float32(0.1)), 0.0]]


def test_a_clip_alone_equals_itself_in_a_batch_in_any_order():
    clips = clips_of(5000, 1, 40, 300)
    transformer = ClipStatistics().fit(clips)
    together = transformer.transform(clips)
    alone = np.concatenate([transformer.transform([clip]) for clip in clips])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(transformer.transform(clips[::-1]), together[::-1])
    same_length = clips_of(30, 30)
    np.testing.assert_array_equal(
        transformer.transform(np.stack(same_length)), transformer.transform(same_length)
    )


@pytest.mark.parametrize(
    ("given_type", "expected"),
    [("float64", "float64"), ("float32", "float32"), ("float16", "float32"), ("int16", "float32")],
)
def test_the_result_is_double_only_where_a_clip_is(given_type, expected):
    clips = [clip.astype(given_type) for clip in clips_of(4, 5)]
    assert ClipStatistics().fit_transform(clips).dtype == expected
    assert ClipStatistics().fit_transform(np.stack([clips[0]] * 2)).dtype == expected
    assert ClipStatistics().fit_transform(clips[0]).dtype == expected


def test_empty_clips_become_rows_of_nan_and_are_named():
    clips = [*clips_of(4), np.zeros((0, 3)), *clips_of(5), np.zeros((0, 3))]
    with pytest.warns(SequenceWarning, match=r"2 of 4 clips are empty .* positions \[1, 3\]") as caught:
        result = ClipStatistics().fit_transform(clips)
    assert len(caught) == 1
    assert np.isnan(result).all(axis=1).tolist() == [False, True, False, True]
    np.testing.assert_array_equal(result[[0, 2]], ClipStatistics().fit_transform(clips[::2]))
    assert ClipStatistics().fit(clips[1:]).n_features_in_ == 3


def test_recordings_that_fail_reach_classifiers_that_can_do_without_them(tmp_path):
    voices = make_voices(20, random_state=0)
    recordings = [*voices.recordings, tmp_path / "missing.wav"]
    target = [*voices.target, "human"]
    for rest in (
        [StandardScaler(), SimpleImputer(), LogisticRegression()],
        [HistGradientBoostingClassifier()],
    ):
        model = make_pipeline(MFCCTransformer(on_error="warn"), ClipStatistics(), *rest)
        with pytest.warns(AudioWarning), pytest.warns(SequenceWarning, match=r"positions \[20\]"):
            assert len(model.fit(recordings, target).predict(recordings)) == 21
    with pytest.warns(), pytest.raises(ValueError, match="NaN"):
        make_pipeline(MFCCTransformer(on_error="warn"), ClipStatistics(), LogisticRegression()).fit(
            recordings, target
        )


def test_a_store_is_read_clip_by_clip_and_never_held(tmp_path):
    clips = clips_of(30, 1, 500, 7, 80, dtype=np.float32)
    store = Store(tmp_path, clips)
    transformer = ClipStatistics().fit(store)
    assert set(store.read) == {0}
    np.testing.assert_array_equal(transformer.transform(store), transformer.transform(clips))
    assert sorted(store.read)[-4:] == [1, 2, 3, 4]
    assert store.most_at_once <= 2  # a clip, and the next while it is fetched


def test_names_come_from_the_step_before():
    samples = make_voices(3, random_state=0).recordings
    features = make_pipeline(MFCCTransformer(n_mfcc=2, deltas=1), ClipStatistics()).fit(samples)
    assert features.get_feature_names_out().tolist() == [
        "mfcc0_mean", "mfcc1_mean", "delta_mfcc0_mean", "delta_mfcc1_mean",
        "mfcc0_std", "mfcc1_std", "delta_mfcc0_std", "delta_mfcc1_std",
    ]  # fmt: skip
    assert len(make_pipeline(*features, StandardScaler()).fit(samples).get_feature_names_out()) == 8


def test_a_2d_array_has_one_coefficient_whatever_its_columns_are_called():
    frame = pd.DataFrame(np.arange(6.0).reshape(2, 3), columns=["a", "b", "c"])
    transformer = ClipStatistics().fit(frame)
    assert transformer.n_features_in_ == 3
    assert transformer.feature_names_in_.tolist() == ["a", "b", "c"]
    for names in (None, ["a", "b", "c"]):
        assert transformer.get_feature_names_out(names).tolist() == ["x0_mean", "x0_std"]
    assert not hasattr(transformer.fit(RAGGED), "feature_names_in_")
    with pytest.raises(ValueError, match="input_features should have length equal"):
        transformer.get_feature_names_out(["a", "b", "c"])


def test_it_gives_data_frames_also_behind_a_step_that_does_not():
    recordings, target = make_voices(6, random_state=0, return_X_y=True)
    pipeline = make_pipeline(MFCCTransformer(deltas=0), ClipStatistics().set_output(transform="pandas"))
    table = pipeline.fit_transform(recordings)
    assert isinstance(table, pd.DataFrame)
    assert table.shape == (6, 40)
    assert table.columns[0] == "x0_mean"  # an array of sequences carries no names
    indexed = (
        ClipStatistics().set_output(transform="pandas").fit_transform(pd.DataFrame(np.eye(2), index=[5, 6]))
    )
    assert indexed.index.tolist() == [5, 6]
    with config_context(transform_output="pandas"):
        model = make_pipeline(MFCCTransformer(), ClipStatistics(), StandardScaler(), LogisticRegression())
        assert model.fit(recordings, target)[-1].feature_names_in_[-1] == "x59_std"


def test_it_needs_no_fit_and_then_keeps_to_what_it_was_fitted_on():
    assert ClipStatistics().transform(RAGGED).tolist() == BY_HAND
    assert ClipStatistics().transform(np.eye(2)).shape == (2, 2)
    transformer = ClipStatistics().fit(RAGGED)
    with pytest.raises(ValueError, match=r"X\[0\] has 3 features per frame, but 2 were expected"):
        transformer.transform(clips_of(4))
    with pytest.raises(
        ValueError, match="X is 2-D, sequences of one coefficient, but ClipStatistics was fitted"
    ):
        transformer.transform(np.eye(2))
    columns = ClipStatistics().fit(np.eye(3))
    with pytest.raises(ValueError, match="X has 2 features, but ClipStatistics is expecting 3"):
        columns.transform(np.eye(2))
    assert columns.transform([np.array([1.0, 3.0])]).tolist() == [[2.0, 1.0]]
    univariate = ClipStatistics().fit([np.array([1.0, 3.0]), np.array([4.0])])
    assert univariate.transform(np.eye(2)).tolist() == univariate.transform(list(np.eye(2))).tolist()


@pytest.mark.parametrize(
    ("X", "words"),
    [
        ([], "0 sample"),
        (np.empty(0, dtype=object), "0 sample"),
        (np.empty((0, 5, 2)), "0 sample"),
        (iter(RAGGED), "iterator"),
        ([RAGGED[0], np.ones((4, 3))], r"X\[1\] has 3 features per frame, but 2 were expected"),
        ([RAGGED[0], np.full((4, 2), np.nan)], r"X\[1\] contains NaN"),
        ([RAGGED[0], np.full((4, 2), np.inf)], r"X\[1\] contains infinity"),
        (np.full((2, 3, 2), np.nan), r"X\[0\] contains NaN"),
        ([RAGGED[0], np.ones((1, 2, 2))], r"X\[1\] has shape \(1, 2, 2\)"),
        ([RAGGED[0], None], r"X\[1\] has shape \(\)|X\[1\] is not a numeric array|X\[1\] contains NaN"),
        ([np.array([["a", "b"]])], r"X\[0\] is not a numeric array"),
        ([np.array([[1j, 2]])], r"X\[0\] is not a numeric array .*complex"),
        (["one.wav", "two.wav"], "Expected 2D array"),
        (np.arange(5.0), "Expected 2D array"),
    ],
)
def test_what_is_no_batch_of_sequences_is_refused(X, words):
    with pytest.raises(ValueError, match=words):
        ClipStatistics().fit_transform(X)


@pytest.mark.parametrize("statistics", [(), ("median",), ("mean", "mean"), [["mean"]]])
def test_unknown_statistics_are_refused(statistics):
    for use in (ClipStatistics(statistics=statistics).fit, ClipStatistics(statistics=statistics).transform):
        with pytest.raises(ValueError, match=r'must be one or both of "mean" and "std"'):
            use(RAGGED)


def test_scikit_learn_is_told_that_it_needs_no_fit_and_takes_3d_arrays():
    tags = get_tags(ClipStatistics())
    assert not tags.requires_fit
    assert tags.input_tags.three_d_array
    assert tags.transformer_tags.preserves_dtype == ["float64", "float32"]


def test_clones_and_pickles_do_the_same():
    transformer = ClipStatistics(statistics=("std",)).fit(RAGGED)
    assert clone(transformer).statistics == ("std",)
    assert not hasattr(clone(transformer), "n_features_in_")
    revived = pickle.loads(pickle.dumps(transformer))
    np.testing.assert_array_equal(revived.transform(RAGGED), transformer.transform(RAGGED))
    assert revived.get_feature_names_out().tolist() == ["x0_std", "x1_std"]


def test_the_baseline_tells_simulated_voices_of_new_speakers_apart():
    voices = make_voices(120, random_state=0)
    baseline = make_pipeline(MFCCTransformer(), ClipStatistics(), StandardScaler(), LogisticRegression())
    scores = cross_val_score(
        baseline,
        voices.recordings,
        voices.target,
        groups=voices.groups["speaker"],
        cv=StratifiedGroupKFold(3),
        scoring="balanced_accuracy",
    )
    assert scores.min() > 0.6
    assert scores.mean() > 0.7


def test_copies_have_no_rows_and_are_not_passed_over():
    X = AugmentedSequences(RAGGED, [RAGGED])
    for method in (ClipStatistics().fit, ClipStatistics().transform, ClipStatistics().fit_transform):
        with pytest.raises(ValueError, match=r"none for its copies, .* Give it X\.plain, or all of X\.exp"):
            method(X)
    np.testing.assert_allclose(ClipStatistics().fit_transform(X.plain), BY_HAND)
    np.testing.assert_allclose(ClipStatistics().fit_transform(X.expanded()[0]), BY_HAND * 2)
