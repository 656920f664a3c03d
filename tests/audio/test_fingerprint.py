import hashlib

import numpy as np
import pytest
import soundfile

from voicelstm.audio import read_recording
from voicelstm.audio._fingerprint import fingerprint_of


def fingerprint(recording, **options):
    return read_recording(
        recording, **{"sample_rate": 16000, "max_duration": None, "dtype": "float32"} | options
    )[3]


@pytest.fixture
def samples():
    return np.random.default_rng(0).integers(-(2**15), 2**15, 4000).astype(np.int16)


def test_it_is_the_hash_that_the_format_page_describes(samples):
    scaled = samples.astype("<f4") / 2**15
    digest = hashlib.blake2b(scaled.tobytes(), digest_size=8).digest()
    assert fingerprint_of(scaled) == int.from_bytes(digest, "little") // 2


def test_it_is_that_of_the_samples_in_any_lossless_form(samples, tmp_path):
    soundfile.write(tmp_path / "a.wav", samples, 8000)
    soundfile.write(tmp_path / "b.flac", samples, 44100)
    soundfile.write(tmp_path / "c.wav", samples / 2**15, 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "d.wav", np.column_stack([samples, samples]), 8000)
    forms = [*sorted(tmp_path.iterdir()), (samples, 8000), samples, samples / 2**15]
    found = {fingerprint(each, dtype=dtype) for each in forms for dtype in ("float32", "float64")}
    assert found == {fingerprint_of(samples / 2**15)}


def test_one_sample_makes_another(samples):
    before = fingerprint(samples)
    samples[17] ^= 1
    assert fingerprint(samples) != before
    assert fingerprint(np.array([0.0, -0.0, 0.5])) == fingerprint(np.array([-0.0, 0.0, 0.5]))


def test_silence_has_none_since_it_is_no_copy_of_other_silence():
    for silent in (np.zeros(4000), -np.zeros(4000), np.zeros(4000, np.int16), np.full(4000, -1, np.int16)):
        assert fingerprint(silent) is None
    almost = np.zeros(4000)
    almost[-1] = 2**-15
    assert fingerprint(almost) is not None
