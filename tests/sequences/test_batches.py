import numpy as np
import pandas as pd
import pytest

from voicelstm.sequences import check_ragged, is_ragged, stack
from voicelstm.sequences._batches import check_clip, checked_key


def test_stack_keeps_ragged_clips_apart_even_when_their_widths_would_broadcast():
    ragged = stack([np.zeros((3, 2)), np.zeros((1, 2))])
    assert ragged.dtype == object
    assert [clip.shape for clip in ragged] == [(3, 2), (1, 2)]


def test_stack_makes_one_array_of_clips_of_one_length():
    clips = [np.arange(6.0).reshape(3, 2), np.ones((3, 2))]
    joined = stack(clips)
    assert joined.dtype == np.float64
    assert joined.tolist() == [clips[0].tolist(), clips[1].tolist()]


@pytest.mark.parametrize(
    ("clips", "words"),
    [
        ([np.zeros((3, 2)), np.zeros((3, 4))], r"X\[0\] has 2 features per frame, but X\[1\] has 4"),
        ([np.zeros((3, 2)), np.zeros((3, 2, 1))], r"X\[1\] has shape \(3, 2, 1\)"),
        ([np.zeros((3, 2)), np.full((3, 2), np.nan)], "NaN or infinity in clips 1"),
        ([np.zeros((3, 2)), np.array([["a"]])], r"X\[1\] is not a numeric array"),
        ([], "no clips"),
    ],
)
def test_bad_clips_are_named(clips, words):
    with pytest.raises(ValueError, match=words):
        check_ragged(clips, np.float32)


def test_of_many_bad_clips_the_first_ten_are_named():
    clips = [np.full((1, 1), np.nan if position % 2 else 0.0) for position in range(24)]
    with pytest.raises(ValueError, match=r"in clips 1, 3, 5, 7, 9, 11, 13, 15, 17, 19 and 2 more\.$"):
        check_ragged(clips, np.float32)
    with pytest.raises(ValueError, match=r"in clips 1, 3, 5, 7, 9, 11, 13, 15, 17, 19\.$"):
        check_ragged(clips[:20], np.float32)


FORMS = {
    "arrays of a list": ([np.zeros((2, 3)), np.zeros((2, 3))], True),
    "arrays of a tuple": ((np.zeros((2, 3)), np.zeros((4, 3))), True),
    "nested lists of unequal lengths": ([[[0.0]], [[0.0], [1.0]]], True),
    "nested lists of equal lengths": ([[[0.0]], [[1.0]]], False),
    "an object array of arrays": (stack([np.zeros((2, 3)), np.zeros((4, 3))]), True),
    "a pandas Series of lists": (pd.Series([[0.0], [0.0, 1.0]]), True),
    "an object array of texts": (np.array(["a", "b"], dtype=object), False),
    "a 3-D array": (np.zeros((2, 4, 3)), False),
    "a data frame": (pd.DataFrame({"a": [0.0, 1.0]}), False),
    "nothing": ([], False),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_is_ragged_where_its_clips_may_have_any_length(form):
    batch, ragged = FORMS[form]
    assert is_ragged(batch) is ragged


@pytest.mark.parametrize("dtype", ["int16", "float32", "float64"])
def test_arrays_of_numbers_are_checked_without_being_copied(dtype):
    clips = [np.ones((n, 2), dtype) for n in (3, 0, 5)]
    for ours, theirs in zip(check_ragged(clips, np.float32), clips, strict=True):
        assert ours.dtype == dtype
        assert ours is theirs


def test_what_is_no_array_of_numbers_becomes_one_of_the_type_asked_for():
    objects = np.array([[1, 2.5]], dtype=object)
    bools, from_objects = check_ragged([np.array([[True, False]]), objects], np.float32)
    assert (bools.dtype, from_objects.dtype) == (np.float32, np.float32)
    assert (bools.tolist(), from_objects.tolist()) == ([[1, 0]], [[1, 2.5]])


def test_a_1d_clip_is_a_sequence_of_one_feature():
    assert check_clip([1.0, 2.0, 3.0], 0, np.float64).tolist() == [[1], [2], [3]]


DAYS = np.array(["2026-01-01", "2026-01-03"], dtype="datetime64[D]")


@pytest.mark.parametrize(
    "values", [[1j], ["1"], DAYS, np.diff(DAYS), [[1.0], [1.0, 2.0]], [None, "a"]], ids=repr
)
def test_values_that_are_no_real_numbers_are_refused_with_their_position(values):
    with pytest.raises(ValueError, match=r"X\[7\] is not a numeric array"):
        check_clip(values, 7, np.float64)


@pytest.mark.parametrize("key", [3, -1, np.int64(3), (3, ...)])
def test_an_integer_chooses_one(key):
    found = checked_key(key)
    assert type(found) is int
    assert found == (-1 if key == -1 else 3)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ([4, 0, 4], [4, 0, 4]),
        (np.array([2, 1], dtype="uint8"), [2, 1]),
        ([True, False], [True, False]),
        (([1, 2], ...), [1, 2]),
        ([], []),
    ],
)
def test_a_list_of_integers_or_a_mask_chooses_several(key, expected):
    found = checked_key(key)
    assert found.tolist() == expected
    assert found.dtype.kind in "iub"
    assert checked_key(slice(1, 5, 2)) == slice(1, 5, 2)


@pytest.mark.parametrize(
    "key",
    [
        True,
        1.0,
        [1.0],
        "0",
        ["a"],
        None,
        (1, 2),
        (1, 2, ...),
        (..., ...),
        [[1]],
        np.array(3),
        np.zeros((0, 2), int),
    ],
)
def test_what_chooses_no_sequences_is_refused(key):
    with pytest.raises(IndexError, match="expected an integer, a slice, a 1-D array of integers, or a mask"):
        checked_key(key)
