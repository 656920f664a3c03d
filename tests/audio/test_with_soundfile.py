import pytest

from tests.audio.encoded import FORMATS, encoded, loudest_frequency
from tests.audio.files import noisy, read, with_soundfile
from voicelstm.audio import read_audio
from voicelstm.exceptions import AudioError


@pytest.mark.parametrize(
    "container", ["WAV", "RF64", "W64", "AIFF", "AU", "FLAC", "MP3", "tta", "webm", "mka"]
)
def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes_with_both_lengths(tmp_path, container):
    if container in FORMATS:
        content = encoded(container, noisy(FORMATS[container][2]))
    else:
        content = with_soundfile(noisy(), format=container)
    samples, rate, remarks = read(tmp_path, content[: len(content) // 2])
    seconds = len(samples) / rate
    assert 1.5 < seconds < 3.5
    assert remarks[0].startswith(f"cut off: {seconds:.1f} of 6.0 s")
    assert loudest_frequency(samples[rate // 4 : rate], rate) == pytest.approx(440, abs=2)


def test_a_flac_of_unknown_length_is_read_with_and_without_max_duration(shared):
    path = shared / "cases" / "flac_streamed_length_0.flac"
    assert len(read_audio(path)[0]) == len(read_audio(path, max_duration=6.0)[0]) == 96000
    with pytest.raises(AudioError, match=r"more than max_duration=5\.9 s"):
        read_audio(path, max_duration=5.9)
