import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, train_test_split
from sklearn.utils import _safe_indexing

from tests.sequences.stores import LENGTHS, N_FEATURES, assert_same, clip_of, clips_of, fill, writer_of
from voicelstm import SequenceStore
from voicelstm.exceptions import StoreError
from voicelstm.sequences import Clip, check_ragged, is_ragged, stack


def ragged(arrays):
    values = np.empty(len(arrays), dtype=object)
    for i, array in enumerate(arrays):
        values[i] = array
    return values


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clips_come_back_in_the_order_that_they_are_arranged_in(folder, dtype):
    generator = np.random.default_rng(0)
    clips = {
        name: Clip(generator.normal(size=(n, N_FEATURES)).astype(dtype), 0.1, 0.025, 0.01, 2.0)
        for name, n in (("a", 5), ("b", 0), ("c", 300))
    }
    with writer_of(folder, dtype=dtype) as writer:
        writer.append([("a", clips["a"])])
        writer.append([("b", clips["b"]), ("c", clips["c"])])
        writer.arrange(["c", "a", "b", "a"])
    store = SequenceStore(folder)
    assert_same(store, [clips[name].features for name in "caba"])
    assert store.lengths.tolist() == [300, 5, 0, 5]
    assert store.feature_dtype == dtype
    assert store.n_features == N_FEATURES
    assert store.folder == folder


def test_a_clip_comes_back_with_its_place_in_time(filled):
    store, clips = filled
    for position in (0, 3, -1):
        found, expected = store.clip(position), clips[position]
        np.testing.assert_array_equal(found.features, expected.features)
        assert (found.offset, found.frame_length, found.frame_step, found.duration) == (
            expected.offset,
            expected.frame_length,
            expected.frame_step,
            expected.duration,
        )
        assert type(found.offset) is float


def test_a_recording_that_failed_is_an_empty_sequence(folder):
    (clip,) = clips_of([4])
    with writer_of(folder) as writer:
        writer.append([("a", clip)])
        writer.arrange([None, "a"])
    store = SequenceStore(folder)
    assert store[0].shape == (0, N_FEATURES)
    assert store.clip(0).duration == 0.0
    np.testing.assert_array_equal(store[1], clip.features)


@pytest.mark.parametrize("digests", [[None, "empty", None], [None], []])
def test_a_store_without_any_frames_works(folder, digests):
    with writer_of(folder) as writer:
        writer.append([("empty", Clip(np.zeros((0, N_FEATURES), "float32"), 0.0, 0.025, 0.01, 0.0))])
        writer.arrange(digests)
    store = SequenceStore(folder)
    assert [clip.shape for clip in store] == [(0, N_FEATURES)] * len(digests)
    assert not any(clip.flags.writeable for clip in store)
    assert len(np.asarray(store)) == len(digests)
    assert pickle.loads(pickle.dumps(store)).shape == (len(digests),)


def test_all_sequences_of_one_store_share_one_mapping(filled, monkeypatch):
    store = SequenceStore(filled[0].folder)
    made = []
    original = np.memmap
    monkeypatch.setattr(
        "voicelstm.sequences._store_files.np.memmap",
        lambda *args, **kwargs: made.append(args) or original(*args, **kwargs),
    )
    parts = [store[::2], store[[1, 1]], store[np.arange(len(store)) > 2], store[1:][:2]]
    assert (len(store), store.shape, store.ndim, store.dtype) == (6, (6,), 1, np.dtype(object))
    assert store.lengths.tolist() == LENGTHS
    # 18 frames of 3 numbers of 4 bytes.
    assert repr(store) == f"<SequenceStore: 6 clips, 18 frames, 0.000216 MB in {store.folder}>"
    assert not made
    for part in [*parts, store]:
        list(part)
    assert len(made) == 1


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.integers(-len(LENGTHS), len(LENGTHS) - 1),
        st.slices(len(LENGTHS)),
        st.lists(st.integers(-len(LENGTHS), len(LENGTHS) - 1), max_size=9),
        st.lists(st.booleans(), min_size=len(LENGTHS), max_size=len(LENGTHS)),
    ),
    st.booleans(),
    st.booleans(),
)
def test_a_store_is_indexed_as_an_object_array_is(filled, key, as_array, as_scikit_learn):
    store, clips = filled
    expected = ragged([clip.features for clip in clips])[key]
    if as_array and isinstance(key, list):
        key = np.array(key, dtype=np.int64 if not key else None)
    elif as_array and isinstance(key, int):
        key = np.int32(key)
    found = store[key, ...] if as_scikit_learn else store[key]
    if isinstance(expected, np.ndarray) and expected.dtype == object:
        assert isinstance(found, SequenceStore)
        assert_same(found, expected)
        assert found.lengths.tolist() == [len(clip) for clip in expected]
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "key",
    [6, -7, [0, 6], [True, False], np.array([[0, 1]]), 1.0, "start", ["start"], None, (1, 2), [0.0], True],
    ids=repr,
)
def test_a_key_that_fits_no_clip_is_an_index_error(filled, key):
    with pytest.raises(IndexError):
        filled[0][key]


def test_a_sequence_is_a_mapped_array_that_cannot_be_written_to(filled):
    sequence = filled[0][0]
    assert isinstance(sequence, np.memmap)
    assert sequence.shape == (4, N_FEATURES)
    with pytest.raises(ValueError, match="read-only"):
        sequence[0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        sequence.setflags(write=True)


def test_scikit_learn_splits_a_store(filled):
    store, clips = filled
    arrays = [clip.features for clip in clips]
    y = np.array([0, 1, 0, 1, 0, 1])
    for train, test in KFold(3, shuffle=True, random_state=0).split(store, y):
        assert isinstance(_safe_indexing(store, train), SequenceStore)
        assert_same(_safe_indexing(store, train), [arrays[i] for i in train])
        assert_same(_safe_indexing(store, test.tolist()), [arrays[i] for i in test])
    expected = train_test_split(ragged(arrays), y, stratify=y, test_size=2, random_state=0)
    found = train_test_split(store, y, stratify=y, test_size=2, random_state=0)
    for mine, theirs in zip(found[:2], expected[:2], strict=True):
        assert isinstance(mine, SequenceStore)
        assert_same(mine, theirs)


def test_a_store_is_ragged_and_its_sequences_are_checked_without_being_copied(filled):
    store, clips = filled
    assert is_ragged(store)
    checked = check_ragged(store, np.float32)
    assert_same(checked, [clip.features for clip in clips])
    whole = store._data.mapped()
    assert all(np.shares_memory(clip, whole) for clip in checked if len(clip))


def test_a_store_becomes_the_array_that_its_sequences_make(filled, folder):
    store, clips = filled
    arrays = [clip.features for clip in clips]
    assert np.asarray(store).dtype == object
    assert_same(np.asarray(store), stack(arrays))
    equal = store[[0, 4]]
    np.testing.assert_array_equal(np.asarray(equal), np.stack([arrays[0], arrays[4]]))
    assert np.asarray(equal).dtype == np.float32
    assert np.array(equal, dtype=np.float64).dtype == np.float64
    assert np.asarray(equal, dtype=object).shape == (2,)
    with pytest.raises(ValueError, match="copied"):
        np.array(store, copy=False)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda store: pickle.loads(pickle.dumps(store))])
def test_a_copy_names_the_folder_and_carries_no_features(folder, copied, monkeypatch):
    monkeypatch.chdir(folder.parent)
    clips = clips_of([5000, 4])
    store = fill(folder.name, clips)
    list(store)
    assert len(pickle.dumps(store)) < 2000 < clips[0].features.nbytes
    monkeypatch.chdir("/")
    twin = copied(store)
    assert twin._data._mapped is None
    assert_same(twin, [clip.features for clip in clips])


def test_sequences_stay_as_they_are_while_others_are_appended(folder):
    clips = clips_of(LENGTHS)
    store = fill(folder, clips)
    sequence = store[0]
    with writer_of(folder) as writer:
        writer.append([("more", clip_of(1))])
        writer.arrange(["more"])
    np.testing.assert_array_equal(sequence, clips[0].features)
    assert_same(store, [clip.features for clip in clips])
    assert len(SequenceStore(folder)) == 1


def test_a_store_that_was_never_arranged_says_how_to_complete_it(folder):
    with writer_of(folder) as writer:
        writer.append([("a", clip_of(1))])
    with pytest.raises(StoreError, match=r"call transform\(X, out=\.\.\.\) again to complete it"):
        SequenceStore(folder)


def test_a_folder_without_a_store_is_named(folder):
    with pytest.raises(StoreError, match=r"features: holds no sequences \(no index\.sqlite\)"):
        SequenceStore(folder)
    assert not folder.exists()
