"""Recordings from strangers: the bounds on what a header may claim."""

import tracemalloc

import numpy as np
import pytest
import soundfile

from voicelstm import MFCCTransformer
from voicelstm.audio import read_audio
from voicelstm.exceptions import AudioError


def peak_of(what):
    tracemalloc.start()
    try:
        what()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def ten_minutes(tmp_path):
    """Silence as a small FLAC file: 40,000 times smaller than its samples."""
    path = tmp_path / "bomb.flac"
    soundfile.write(path, np.zeros(600 * 16000, dtype=np.int16), 16000)
    return path


def test_a_decompression_bomb_is_refused_by_max_duration_before_it_is_decoded(ten_minutes):
    assert ten_minutes.stat().st_size < 60_000

    def refused():
        with pytest.raises(AudioError, match=r"found 600\.0 s, more than max_duration=60"):
            read_audio(ten_minutes, max_duration=60.0)

    assert peak_of(refused) < 1e6


@pytest.mark.parametrize("claimed", [0, 1000, 2**36 - 1])
def test_a_bomb_whose_header_lies_about_its_length_is_bounded_all_the_same(ten_minutes, claimed):
    # STREAMINFO ends with 36 bits that count samples (RFC 9639, 8.2); 0 is unknown.
    content = bytearray(ten_minutes.read_bytes())
    field = int.from_bytes(content[18:26], "big") >> 36 << 36 | claimed
    content[18:26] = field.to_bytes(8, "big")
    ten_minutes.write_bytes(content)

    def bounded():
        try:
            samples, _ = read_audio(ten_minutes, max_duration=60.0)
        except AudioError:
            return
        assert len(samples) == claimed

    assert peak_of(bounded) < 20e6


def test_a_header_that_claims_channels_and_samples_reserves_little(tmp_path):
    path = tmp_path / "wide.wav"
    soundfile.write(path, np.zeros((4, 1000)), 16000, subtype="FLOAT")
    content = bytearray(path.read_bytes())
    size = content.index(b"data") + 4
    content[4:8] = content[size : size + 4] = b"\xff" * 4
    path.write_bytes(content)

    samples = []
    assert peak_of(lambda: samples.append(read_audio(path)[0])) < 12e6
    assert samples[0].tolist() == [0, 0, 0, 0]


def test_a_sample_rate_of_megahertz_does_not_ask_for_gigabytes_of_filters(tmp_path):
    path = tmp_path / "fast.wav"
    soundfile.write(path, np.zeros(100), 2**30)

    def refused():
        with pytest.raises(AudioError, match=r"would take too much memory|at most"):
            MFCCTransformer(sample_rate=None).transform([path])

    assert peak_of(refused) < 2e6


@pytest.mark.parametrize("rates", [(8000, 16000), (48000, 16000)])
def test_samples_that_overflow_in_the_resampler_are_an_error(rates):
    square = np.where(np.arange(4000) // 20 % 2, 3.3e38, -3.3e38).astype(np.float32)
    with pytest.raises(AudioError, match="overflow when they are resampled"):
        read_audio((square, rates[0]), sample_rate=rates[1])
