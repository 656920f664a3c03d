import numpy as np
import pytest

from tests.audio.encoded import FORMATS, encoded, loudest_frequency, tone
from tests.audio.files import noisy, read, wav, with_soundfile
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


def unreadable(content):
    return content[:20] + b"\x77\x77" + content[22:]  # a codec that nobody knows


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (unreadable(wav(tone(1000, 3.0))), "Error in WAV/W64/RF64 file. Malformed 'fmt ' chunk"),
        (wav(tone(1000, 3.0))[:44], "it holds no samples"),
        (wav(tone(1000, 3.0))[:40], "Error in WAV file. No 'data' chunk marker"),
    ],
    ids=["unreadable", "without samples", "cut within its header"],
)
def test_a_joined_file_that_cannot_be_read_is_named(tmp_path, second, why):
    samples, _, remarks = read(tmp_path, wav(tone(300, 3.0)) + second)
    assert len(samples) == 48000
    assert remarks == [f"{len(second)} bytes behind what was read are not heard ({why})"]


def test_of_a_joined_file_that_is_cut_off_both_lengths_are_said(tmp_path):
    second = wav(tone(1000, 3.0))
    samples, _, remarks = read(tmp_path, wav(tone(300, 3.0)) + second[: 44 + 48000])
    assert len(samples) == 48000 + 24000
    assert [remark[:71] for remark in remarks] == [
        "longer: 4.5, not 3.0 s (all was read; what is announced is less)",
        "of the file that is joined to it at 3.0 s: cut off: 1.5 of 3.0 s (the h",
    ]


@pytest.mark.parametrize("container", ["FLAC", "MP3", "AIFF"])
def test_what_nobody_reads_behind_a_recording_is_counted(tmp_path, container):
    junk = np.random.default_rng(0).bytes(30_000)
    _, _, remarks = read(tmp_path, with_soundfile(tone(300, 3.0), format=container) + junk)
    n_bytes = int(remarks[-1].removesuffix(" bytes behind what was read are not heard"))
    assert 30_000 - 2**13 <= n_bytes <= 30_000  # which a FLAC decoder reads ahead


def test_a_file_that_soundfile_opens_and_cannot_read_is_refused_with_its_reason(tmp_path):
    content = with_soundfile(tone(440, 1.0), format="AIFF", subtype="DWVW_16")
    with pytest.raises(AudioError, match=r"an AIFF file that cannot be decoded \(soundfile: .*seek"):
        read(tmp_path, content)
