import tracemalloc

import numpy as np
import pytest
import soundfile
import soxr

from voicelstm.audio import read_recording
from voicelstm.audio._fingerprint import fingerprint_of
from voicelstm.audio._stored_samples import StoredSamples
from voicelstm.exceptions import AudioError

RATE = 44100
VOICE, OTHER = np.random.default_rng(0).integers(-8000, 8000, (2, 3 * RATE), dtype=np.int16)


@pytest.fixture
def in_parts(monkeypatch):
    """Resample a part of a recording as soon as it is there."""
    monkeypatch.setattr("voicelstm.audio._samples._BLOCK", 20_000)
    monkeypatch.setattr("voicelstm.audio._with_soundfile._FIRST_BLOCK", 10_000)
    monkeypatch.setattr("voicelstm.audio._with_soundfile._BLOCK", 14_000)


def recording(path, *channels, sample_rate=16000, channel="mean", stores=False):
    soundfile.write(path, np.column_stack(channels), RATE, subtype="PCM_16")
    return read_recording(
        path, sample_rate=sample_rate, max_duration=None, dtype=np.float32, channel=channel, stores=stores
    )


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("sample_rate", [None, RATE, 16000, 48000])
@pytest.mark.parametrize(
    ("channels", "heard"),
    [
        ([VOICE], VOICE),
        ([VOICE, OTHER], (VOICE.astype(int) + OTHER) / 2),
        ([VOICE, 0 * VOICE], VOICE),
        ([0 * VOICE, VOICE, 0 * VOICE], VOICE),
    ],
    ids=["one", "two", "one of two silent", "two of three silent"],
)
def test_a_recording_that_is_resampled_part_by_part_is_that_of_one_go(tmp_path, sample_rate, channels, heard):
    found = recording(tmp_path / "a.flac", *channels, sample_rate=sample_rate)
    expected = (heard / 2**15).astype(np.float32)
    if len(channels) < 3:  # a third of a sample is rounded
        assert found.fingerprint == fingerprint_of(expected)
    if sample_rate not in (None, RATE):
        expected = soxr.resample(expected, RATE, sample_rate)
    np.testing.assert_allclose(found.samples, expected, atol=1e-6)


@pytest.mark.usefixtures("in_parts")
def test_each_channel_is_resampled_part_by_part(tmp_path):
    found = recording(tmp_path / "a.wav", VOICE, OTHER, channel="each")
    both = np.column_stack([VOICE, OTHER]).astype(np.float32) / 2**15
    np.testing.assert_allclose(found.samples, soxr.resample(both, RATE, 16000), atol=1e-6)
    assert found.fingerprint == fingerprint_of(both.ravel())


@pytest.mark.usefixtures("in_parts")
def test_a_long_silence_has_no_fingerprint(tmp_path):
    assert recording(tmp_path / "a.wav", 0 * VOICE).fingerprint is None


@pytest.mark.usefixtures("in_parts")
def test_what_is_not_finite_far_into_a_recording_is_counted(tmp_path):
    samples = VOICE / 2**15
    samples[[100, -100]] = np.nan, np.inf
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="found 2 samples that are NaN or infinite"):
        read_recording(tmp_path / "a.wav", sample_rate=16000, max_duration=None, dtype=np.float32)


def test_a_long_recording_is_held_at_the_rate_that_is_asked_for_alone(tmp_path):
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", RATE, 2, compression_level=0) as sound:
        for _ in range(200):
            sound.write(np.column_stack([VOICE, OTHER]))
    tracemalloc.start()
    found = read_recording(path, sample_rate=8000, max_duration=None, dtype=np.float32)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.samples) == 600 * 8000
    # Of 101 MiB that the samples would take at their own rate.
    assert peak < found.samples.nbytes + 70 * 2**20


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("most", [0, 10_000, 24_000, 100_000])
@pytest.mark.parametrize("sample_rate", [None, 16000])
@pytest.mark.parametrize("channels", [[VOICE], [VOICE, 0 * VOICE], [VOICE, OTHER]])
def test_stored_samples_are_those_in_memory(tmp_path, monkeypatch, most, sample_rate, channels):
    monkeypatch.setattr("voicelstm.audio._samples._MOST_IN_MEMORY", most)
    expected = recording(tmp_path / "a.flac", *channels, sample_rate=sample_rate)
    found = recording(tmp_path / "a.flac", *channels, sample_rate=sample_rate, stores=True)
    is_long = len(expected.samples) > most
    assert isinstance(found.samples, StoredSamples) == is_long
    np.testing.assert_array_equal(found.samples[:], expected.samples)
    assert found[1:] == expected[1:]


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("n_written", [0, 1, 3])
def test_samples_stay_in_memory_where_a_disk_is_full(tmp_path, monkeypatch, n_written):
    monkeypatch.setattr("voicelstm.audio._samples._MOST_IN_MEMORY", 24_000)
    left, append = [n_written], StoredSamples.append

    def append_while_there_is_room(self, samples):
        if not left[0]:
            raise OSError(28, "No space left on device")
        left[0] -= 1
        append(self, samples)

    expected = recording(tmp_path / "a.wav", VOICE, sample_rate=None)
    monkeypatch.setattr(StoredSamples, "append", append_while_there_is_room)
    found = recording(tmp_path / "a.wav", VOICE, sample_rate=None, stores=True)
    np.testing.assert_array_equal(found.samples, expected.samples)
    assert found.fingerprint == expected.fingerprint


@pytest.mark.usefixtures("in_parts")
def test_stored_samples_that_overflow_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("voicelstm.audio._samples._MOST_IN_MEMORY", 24_000)
    path = tmp_path / "a.wav"
    soundfile.write(path, np.sign(VOICE) * 3.4e38, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="overflow when they are"):
        read_recording(path, sample_rate=16000, max_duration=None, dtype=np.float32, stores=True)
