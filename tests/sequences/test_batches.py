import numpy as np
import pytest

from voicelstm.sequences import check_ragged, stack


def test_stack_keeps_ragged_clips_apart_even_when_their_widths_would_broadcast():
    ragged = stack([np.zeros((3, 2)), np.zeros((1, 2))])
    assert ragged.dtype == object
    assert [clip.shape for clip in ragged] == [(3, 2), (1, 2)]


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
