from unittest.mock import Mock

import numpy as np
import pytest
import soundfile

from tests.audio.encoded import encode, encoded, loudest_frequency, tone
from tests.audio.files import read
from voicelstm.audio import count_channels, read_audio
from voicelstm.audio._channels import ChannelMixer
from voicelstm.exceptions import AudioError

RATE = 8000
random = np.random.default_rng(0)
VOICE, OTHER = random.normal(scale=0.1, size=(2, 4 * RATE))
QUIET = random.normal(scale=1e-3, size=4 * RATE)
COUNTED_FROM_0 = "channels count from 0, and left and right are 0 and 1"


def mixed(channels, channel="mean", *, at_once=10_000):
    """Mix channels as a reader does, in blocks that are no multiple of a window."""
    frames = np.column_stack(channels)
    mixer = ChannelMixer("call.wav", channel, np.dtype(np.float64))
    mixer.begin(frames.shape[1])
    blocks = [mixer.mix(frames[start : start + at_once]) for start in range(0, len(frames), at_once)]
    return np.concatenate(blocks) * mixer.gain()


def written(path, channels):
    soundfile.write(path, np.column_stack(channels), RATE, subtype="FLOAT")
    return path


@pytest.mark.parametrize("n_channels", [1, 2, 3, 6])
def test_the_mean_is_that_of_all_channels_that_speak(n_channels):
    channels = random.normal(size=(n_channels, 3 * RATE))
    np.testing.assert_allclose(mixed(channels), channels.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize(
    "silence",
    [0 * VOICE, 0 * VOICE + 0.01, 1e-4 * OTHER],
    ids=["zeros", "a constant", "dither 60 dB below"],
)
@pytest.mark.parametrize("n_silent", [1, 3])
def test_a_silent_channel_beside_one_that_speaks_does_not_lower_its_level(silence, n_silent):
    found = mixed([*[silence] * n_silent, VOICE])
    assert np.std(found) == pytest.approx(np.std(VOICE), rel=1e-3)
    np.testing.assert_allclose(found - found.mean(), VOICE - VOICE.mean(), atol=1e-3 * n_silent)


def test_a_quiet_talker_on_a_channel_of_its_own_is_no_silence():
    found = mixed([VOICE, 10 ** (-40 / 20) * OTHER])
    np.testing.assert_allclose(found, (VOICE + 10 ** (-40 / 20) * OTHER) / 2, atol=1e-12)


def test_silence_on_all_channels_stays_silence():
    assert not mixed([0 * VOICE, 0 * VOICE]).any()


@pytest.mark.parametrize(
    "channels",
    [
        (VOICE, -VOICE),
        (VOICE, -0.8 * VOICE),
        (VOICE, -VOICE + 0.25 * OTHER),
        (VOICE + 0.3, -VOICE + 0.3),
        (VOICE, np.append(VOICE[: 3 * RATE], -VOICE[3 * RATE :])),
        (VOICE, -VOICE, QUIET, QUIET),
    ],
    ids=["opposite", "not as loud", "with noise", "beside a constant", "in a quarter", "two of four"],
)
def test_a_mean_of_channels_that_cancel_is_refused_with_what_to_do(channels):
    with pytest.raises(AudioError, match=r"call.wav: found channels that cancel each other") as caught:
        mixed(channels)
    assert "choose one" in str(caught.value)
    assert ('channel="left"' if len(channels) == 2 else "channel=0") in str(caught.value)
    np.testing.assert_array_equal(mixed(channels, 1), channels[1])


@pytest.mark.parametrize(
    "channels",
    [
        (VOICE, OTHER),
        (VOICE, VOICE),
        (VOICE, -0.5 * VOICE),
        (VOICE, np.append(VOICE[: -RATE // 4], -VOICE[-RATE // 4 :])),
        (VOICE, OTHER, -OTHER),
    ],
    ids=["unrelated", "equal", "half as loud", "for a moment", "two of three"],
)
def test_channels_that_leave_something_to_hear_are_averaged(channels):
    np.testing.assert_allclose(mixed(channels), np.mean(channels, axis=0), atol=1e-12)


def test_how_much_of_a_recording_cancels_is_said():
    half = np.append(VOICE[: 2 * RATE], -VOICE[2 * RATE :])
    with pytest.raises(AudioError, match=r"in (4[89]|5[0-2]) % of the recording"):
        mixed([VOICE, half])


@pytest.mark.parametrize(
    ("channel", "expected"), [(0, VOICE), ("left", VOICE), (np.int64(1), -VOICE), ("right", -VOICE)]
)
@pytest.mark.parametrize("name", ["call.wav", "call.flac"])
def test_a_channel_is_read_by_its_number_or_its_name(tmp_path, name, channel, expected):
    soundfile.write(tmp_path / name, np.column_stack([VOICE, -VOICE]), RATE, subtype="PCM_24")
    samples, rate = read_audio(tmp_path / name, channel=channel)
    np.testing.assert_allclose(samples, expected, atol=2**-23)
    assert rate == RATE
    assert samples.dtype == np.float32


def test_each_channel_is_read(tmp_path):
    path = written(tmp_path / "call.wav", [VOICE, -VOICE, OTHER])
    samples, _ = read_audio(path, channel="each", dtype=np.float64)
    np.testing.assert_allclose(samples, [VOICE, -VOICE, OTHER], rtol=1e-6)
    samples, rate = read_audio(path, channel="each", sample_rate=2 * RATE)
    assert samples.shape == (3, 2 * len(VOICE))
    assert rate == 2 * RATE
    np.testing.assert_allclose(samples[2], read_audio(path, channel=2, sample_rate=2 * RATE)[0], atol=1e-6)
    assert read_audio((VOICE, RATE), channel="each")[0].shape == (1, len(VOICE))
    with pytest.raises(AudioError, match="more than max_duration"):
        read_audio(path, channel="each", max_duration=3.9)


def test_many_blocks_of_each_channel_are_read_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("voicelstm.audio._with_soundfile._FIRST_BLOCK", 1000)
    monkeypatch.setattr("voicelstm.audio._with_soundfile._BLOCK", 2000)
    path = written(tmp_path / "call.wav", [VOICE, OTHER])
    np.testing.assert_allclose(read_audio(path, channel="each")[0], [VOICE, OTHER], rtol=1e-6)
    np.testing.assert_allclose(read_audio(path)[0], (VOICE + OTHER) / 2, atol=1e-7)


@pytest.mark.parametrize(("channel", "said"), [(2, "channel=2"), ("right", "channel='right'")])
def test_a_channel_that_is_not_there_is_said_with_those_that_are(tmp_path, channel, said):
    one, two = written(tmp_path / "one.wav", [VOICE]), written(tmp_path / "two.wav", [VOICE, OTHER])
    with pytest.raises(AudioError) as caught:
        read_audio(one, channel=channel)
    assert f"one.wav: found 1 channel, and none that is {said}: {COUNTED_FROM_0}" in str(caught.value)
    assert len(read_audio((VOICE, RATE), channel=channel)[0]) == len(VOICE)  # chosen already
    if channel == 2:
        with pytest.raises(AudioError, match=r"two.wav: found 2 channels, and none that is channel=2"):
            read_audio(two, channel=channel)


@pytest.mark.parametrize("channel", ["middle", "Left", -1, True, 1.0, None])
def test_what_is_no_channel_is_refused(channel):
    with pytest.raises(ValueError, match=r'expected "mean", "left", "right", "each", or the number'):
        read_audio((VOICE, RATE), channel=channel)


def test_a_recording_whose_channels_change_on_the_way_has_a_mean():
    mixer = ChannelMixer("call.ogg", "mean", np.dtype(np.float32))
    mixer.begin(2)
    found = [mixer.mix(np.array([[1.0, 3.0]])), mixer.mix(np.array([[5.0]]))]
    assert (np.concatenate(found) * mixer.gain()).tolist() == [2, 5]
    mixer = ChannelMixer("call.ogg", 0, np.dtype(np.float32))
    mixer.begin(2)
    with pytest.raises(AudioError, match="found 2 channels, and further on 1"):
        mixer.mix(np.zeros((10, 1)))


def test_what_a_decoder_gave_before_it_failed_is_forgotten():
    mixer = ChannelMixer("call.ogg", "mean", np.dtype(np.float64))
    for channels in ([VOICE, -VOICE, 0 * VOICE], [0 * VOICE, OTHER]):
        mixer.begin(len(channels))
        samples = mixer.mix(np.column_stack(channels))
    np.testing.assert_allclose(samples * mixer.gain(), OTHER, atol=1e-12)


def test_the_case_whose_mean_is_rounding_noise_is_refused(shared):
    path = shared / "cases" / "stereo_antiphase.wav"
    with pytest.raises(AudioError, match=r"stereo_antiphase.wav: found channels that cancel .* in 100 %"):
        read_audio(path)
    left, right = read_audio(path, channel="each")[0]
    np.testing.assert_allclose(left, -right, atol=2**-14)
    assert np.std(left) > 0.05


@pytest.mark.parametrize("name", ["call.mp3", "call.m4a"])
def test_channels_are_those_of_every_decoder(name, tmp_path):
    """An MP3 is decoded by soundfile, an M4A by FFmpeg."""

    def write(*channels):
        if name.endswith("mp3"):
            soundfile.write(path, np.column_stack(channels), 16000)
        else:
            path.write_bytes(encode(np.column_stack(channels), "ipod", "aac", 16000))

    path = tmp_path / name
    left, right = tone(300, 2.0), tone(500, 2.0)
    write(left, right)
    for channel, frequency in ((0, 300), ("right", 500)):
        assert loudest_frequency(*read_audio(path, channel=channel)) == pytest.approx(frequency, abs=2)
    assert count_channels(path) == 2
    write(left, -left)
    with pytest.raises(AudioError, match="found channels that cancel"):
        read_audio(path)
    assert count_channels(tmp_path / "missing.wav") == 1


@pytest.mark.parametrize("suffix", ["m4a", "tta"])
def test_each_channel_of_a_long_recording_that_ffmpeg_reads_is_its_own(tmp_path, suffix):
    content = encoded(suffix, np.stack([tone(300, 10.0), tone(1000, 10.0)], axis=1))
    both, rate, _ = read(tmp_path, content, channel="each")
    assert both.size > 2**18
    for samples, channel, frequency in zip(both, ("left", "right"), (300, 1000), strict=True):
        np.testing.assert_array_equal(samples, read(tmp_path, content, channel=channel)[0])
        assert loudest_frequency(samples, rate) == pytest.approx(frequency, abs=2)


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "m4a", "webm"])
def test_channels_are_counted_without_the_sound(tmp_path, monkeypatch, suffix):
    path = tmp_path / "recording"
    samples = np.column_stack([tone(300, 5.0, 48000), tone(500, 5.0, 48000)])
    if suffix == "m4a":
        path.write_bytes(encode(samples, "ipod", "aac", 48000))
    elif suffix == "webm":
        path.write_bytes(encode(samples, "webm", "libopus", 48000))
    else:
        soundfile.write(path, samples, 48000, format=suffix)
    monkeypatch.setattr("voicelstm.audio._joined.Joined.add", Mock(side_effect=RuntimeError))
    assert count_channels(path) == 2
    assert count_channels(path, max_duration=6) == 2
    assert count_channels(path, max_duration=4) == 1  # which is refused as it is


@pytest.mark.parametrize("rate", [8000, 44100])
@pytest.mark.parametrize("seconds", [0.2, 1.0, 30.0])
def test_tones_of_all_heights_are_judged_as_they_are_heard(seconds, rate):
    """However few frames are looked at."""
    for frequency in (50, 100, 276, 440, 1000, 1140, 3000):
        voice, other = tone(frequency, seconds, rate), tone(0.77 * frequency, seconds, rate)
        at_once = 2**19
        np.testing.assert_allclose(mixed([voice, voice], at_once=at_once), voice, atol=1e-12)
        found = mixed([0 * voice, voice], at_once=at_once)
        np.testing.assert_allclose(found, voice, atol=1e-12)
        found = mixed([voice, other], at_once=at_once)
        np.testing.assert_allclose(found, (voice + other) / 2, atol=1e-12)
        with pytest.raises(AudioError, match="in 100 % of the recording"):
            mixed([voice, -voice], at_once=at_once)
