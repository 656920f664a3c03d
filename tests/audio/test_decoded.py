import pytest

from voicelstm.audio._decoded import Decoded, check_duration, length_remark
from voicelstm.exceptions import AudioError


@pytest.mark.parametrize(
    ("announced", "was_read", "words"),
    [
        (6.0, 2.736, "cut off: 2.7 of 6.0 s ("),
        (3.44, 6.084, "longer: 6.1, not 3.4 s ("),
        (6.0, 5.98, "cut off: 5.98 of 6.00 s ("),
        (6.0, 5.989, "cut off: 5.99 of 6.00 s ("),
        (100.0, 100.011, "longer: 100.01, not 100.00 s ("),
    ],
)
def test_both_lengths_are_said_with_as_many_digits_as_tell_them_apart(announced, was_read, words):
    assert length_remark(announced, was_read, tolerance=0.01).startswith(words)


@pytest.mark.parametrize(("announced", "was_read"), [(None, 5.0), (5.0, 5.0), (5.0, 5.1), (5.1, 5.0)])
def test_nothing_is_said_where_nothing_was_announced_or_the_difference_is_within_the_tolerance(
    announced, was_read
):
    assert length_remark(announced, was_read, tolerance=0.101) is None


def test_what_is_longer_than_max_duration_is_refused_and_what_is_as_long_is_not():
    check_duration("a.wav", 16000, 16000, 1.0)
    check_duration("a.wav", 10**9, 16000, None)
    with pytest.raises(AudioError, match=r"a\.wav: found 1\.0 s, more than max_duration=1\.0 s"):
        check_duration("a.wav", 16001, 16000, 1.0)


def test_the_duration_of_what_was_decoded_is_in_seconds():
    assert Decoded([0] * 4000, 8000, None, True, []).duration == 0.5
