"""Files of sound that tests make and read."""

import io
import warnings

import numpy as np
import pytest
import soundfile

from tests.audio.encoded import loudest_frequency, tone
from voicelstm.audio import read_audio
from voicelstm.exceptions import AudioWarning


def read(tmp_path, content, **kwargs):
    """Samples, rate and warnings of a file that holds these bytes."""
    path = tmp_path / "recording"
    path.write_bytes(content)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AudioWarning)
        samples, rate = read_audio(path, **kwargs)
    texts = [str(each.message) for each in caught if issubclass(each.category, AudioWarning)]
    assert all(text.startswith(f"{path}: ") for text in texts)
    return samples, rate, [text.removeprefix(f"{path}: ") for text in texts]


def with_soundfile(samples, rate=16000, **kwargs):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **kwargs)
    return file.getvalue()


def wav(samples, rate=16000):
    return with_soundfile(samples, rate, format="WAV", subtype="PCM_16")


def noisy(rate=16000):
    """Six seconds of a tone in noise, which no codec makes so small that half a file is nothing."""
    return tone(440, 6.0, rate) + np.random.default_rng(0).normal(0, 0.05, 6 * rate)


def check_two_tones(samples, rate, seconds=3.0):
    """Check that a tone of 300 Hz is followed by one of 1000 Hz, each of so many seconds."""
    n_each = round(seconds * rate)
    assert len(samples) / rate == pytest.approx(2 * seconds, abs=0.2)
    margin = n_each // 10
    assert loudest_frequency(samples[margin : n_each - margin], rate) == pytest.approx(300, abs=2)
    assert loudest_frequency(samples[n_each + margin :], rate) == pytest.approx(1000, abs=2)
