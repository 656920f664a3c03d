import numpy as np
import pytest

from voicelstm.detector._stream_windows import StreamWindows


def cut(n_samples, size, hop, block):
    """Windows of a stream of the numbers from 0 on, as (first, last, start, stop), and its rest."""
    windows, found = StreamWindows(size, hop), []
    for first in range(0, n_samples, block):
        found += windows.add(np.arange(first, min(first + block, n_samples)))
    return found, windows.rest()


@pytest.mark.parametrize("block", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(("size", "hop"), [(5, 2), (5, 5), (4, 1), (1, 1)])
def test_windows_begin_every_hop_whatever_the_blocks_are(size, hop, block):
    for n_samples in range(14):
        found, rest = cut(n_samples, size, hop, block)
        starts = list(range(0, n_samples - size + 1, hop))
        assert [(each.start, each.stop) for each in found] == [(start, start + size) for start in starts]
        for each in found:
            assert each.samples.tolist() == list(range(each.start, each.stop))
        heard = found[-1].stop if found else 0
        if heard == n_samples:
            assert rest is None
        else:  # aligned to the end, or all of what is shorter than a window
            assert rest.samples.tolist() == list(range(max(0, n_samples - size), n_samples))
            assert (rest.start, rest.stop) == (max(0, n_samples - size), n_samples)


def test_no_more_than_a_window_and_a_hop_is_held():
    windows = StreamWindows(100, 30)
    for _ in range(50):
        list(windows.add(np.zeros(77)))
    held = [each for each in vars(windows).values() if isinstance(each, np.ndarray)]
    assert sum(map(len, held)) == 130


def test_a_window_stays_as_it_was_when_more_samples_come():
    windows = StreamWindows(4, 2)
    (first,) = windows.add(np.arange(4))
    list(windows.add(np.arange(4, 40)))
    assert first.samples.tolist() == [0, 1, 2, 3]
