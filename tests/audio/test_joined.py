import numpy as np
import pytest

from tests.audio.encoded import tone
from tests.audio.files import check_two_tones, read, wav
from voicelstm.audio._channels import ChannelMixer
from voicelstm.audio._joined import Joined
from voicelstm.exceptions import AudioError


def test_streams_at_other_sample_rates_are_brought_to_that_of_the_first(tmp_path):
    content = wav(tone(300, 3.0)) + wav(tone(1000, 3.0, 8000), 8000)
    samples, rate, remarks = read(tmp_path, content)
    assert (rate, len(samples)) == (16000, 96000)
    check_two_tones(samples, rate)
    assert remarks[0].startswith("longer: 6.0, not 3.0 s")


def joined(max_duration=None):
    return Joined("a.wav", max_duration, ChannelMixer("a.wav", 0, np.dtype(np.float32)))


def test_blocks_are_joined_in_their_order():
    blocks = [np.arange(start, start + 5)[:, None] for start in (0, 5, 10)]
    found = joined()
    found._mixer.begin(1)
    for block in blocks:
        found.add(block, 8000, 1.0)
    assert found.finish().finish()[0].tolist() == list(range(15))
    assert found.sample_rate == 8000


@pytest.mark.parametrize("rates", [(8000, 8000), (8000, 16000)])
def test_what_grows_beyond_max_duration_is_refused(rates):
    found = joined(max_duration=0.25)
    found._mixer.begin(1)
    found.add(np.zeros((1000, 1)), rates[0], 1.0)
    with pytest.raises(AudioError, match="max_duration"):
        found.add(np.zeros((2010 if rates[1] == 16000 else 1001, 1)), rates[1], 1.0)


def test_rates_too_far_apart_are_refused():
    found = joined()
    found._mixer.begin(1)
    found.add(np.zeros((10, 1)), 100, 1.0)
    with pytest.raises(AudioError, match="sample rate of 100 Hz, and further on 10001 Hz"):
        found.add(np.zeros((10, 1)), 10001, 1.0)
