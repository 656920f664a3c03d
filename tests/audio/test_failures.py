import warnings

import pytest

from voicelstm.audio._failures import report_failures
from voicelstm.exceptions import AudioError, AudioWarning

TWO = [(3, "a.wav: found 0 samples"), (7, "b.wav: no such file")]


def test_an_error_names_each_recording_by_its_position_and_keeps_the_list():
    with pytest.raises(AudioError) as caught:
        report_failures(TWO, 9, "raise")
    first, *listed, remedy = str(caught.value).splitlines()
    assert first == "2 of 9 recordings failed (position in X, reason):"
    assert listed == ["  [3] a.wav: found 0 samples", "  [7] b.wav: no such file"]
    assert 'on_error="warn"' in remedy
    assert caught.value.failures == TWO


def test_a_warning_says_that_they_are_empty_sequences_and_keeps_the_list():
    with pytest.warns(AudioWarning) as caught:
        report_failures(TWO, 9, "warn")
    (warning,) = caught
    assert str(warning.message).startswith("2 of 9 recordings failed and are empty sequences:\n  [3] a.wav")
    assert warning.message.failures == TWO


@pytest.mark.parametrize(
    ("n_recordings", "failed"), [(1, "The recording failed"), (9, "1 of 9 recordings failed")]
)
def test_one_recording_is_said_as_one(n_recordings, failed):
    with pytest.raises(AudioError) as caught:
        report_failures(TWO[:1], n_recordings, "raise")
    first, _, remedy = str(caught.value).splitlines()
    assert first == f"{failed} (position in X, reason):"
    assert remedy == 'Leave it out, or set on_error="warn" to get an empty sequence for it.'
    with pytest.warns(AudioWarning) as warned:
        report_failures(TWO[:1], n_recordings, "warn")
    assert str(warned[0].message).splitlines()[0] == f"{failed} and is an empty sequence:"


@pytest.mark.parametrize("on_error", ["raise", "warn"])
def test_without_failures_nothing_is_said(on_error):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report_failures([], 9, on_error)


@pytest.mark.parametrize(
    ("n_failures", "last"), [(20, "  [19] x"), (21, "  and 1 more"), (500, "  and 480 more")]
)
def test_twenty_are_listed_and_the_rest_are_counted(n_failures, last):
    failures = [(position, "x") for position in range(n_failures)]
    with pytest.raises(AudioError) as caught:
        report_failures(failures, 1000, "raise")
    lines = str(caught.value).splitlines()
    assert lines[20] == "  [19] x"
    assert lines[-2] == last
    assert caught.value.failures == failures
