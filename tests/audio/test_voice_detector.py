import numpy as np
import pytest
import soundfile

from voicelstm.audio._voice_detector import CHUNK, speech_probability

# What silero-vad 6.2.3 says of these samples: its silero_vad.onnx, by ONNX Runtime, 512 samples at once
# with the 64 before them.
OF_A_GLIDING_TONE = [
    *(0.096109, 0.478051, 0.596081, 0.51405, 0.147368, 0.215373, 0.12199, 0.025401, 0.142909, 0.218304),
    *(0.126027, 0.436671, 0.191398, 0.160672, 0.058969, 0.021365),
]
OF_A_READER = [
    *(0.301693, 0.73379, 0.820516, 0.96885, 0.988792, 0.988216, 0.951842, 0.904534, 0.81708, 0.752918),
    *(0.957244, 0.960797, 0.974845, 0.982035, 0.988927, 0.988428, 0.992902, 0.99961, 0.999894, 0.99985),
    *(0.99975, 0.99996, 0.99987, 0.999901, 0.999906, 0.999779, 0.999642, 0.999898, 0.999983, 0.999951),
    *(0.999905, 0.999996, 0.999983, 0.999994, 0.999983, 0.999975, 0.999977, 0.999983, 0.999987, 0.999969),
]


def _gliding_tone():
    time = np.arange(8000) / 16000
    glide = np.sin(2 * np.pi * (150 + 40 * np.sin(2 * np.pi * 4 * time)) * time)
    return 0.3 * glide * np.sin(2 * np.pi * 3 * time)


def test_probabilities_are_those_of_the_published_network(corpus_dir):
    assert speech_probability(_gliding_tone())[0].tolist() == pytest.approx(OF_A_GLIDING_TONE, abs=1e-5)
    reader = corpus_dir / "speech/human/libri-426__426-122819-0000.flac"
    samples, _ = soundfile.read(reader, start=8000, frames=40 * CHUNK)
    assert speech_probability(samples)[0].tolist() == pytest.approx(OF_A_READER, abs=1e-5)


def test_a_stream_is_heard_as_the_whole(monkeypatch):
    samples = np.random.default_rng(0).normal(0, 0.1, 30 * CHUNK) + np.tile(_gliding_tone()[:5120], 3)
    whole, _ = speech_probability(samples)
    first, state = speech_probability(samples[: 11 * CHUNK])
    second, _ = speech_probability(samples[11 * CHUNK :], state)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, atol=1e-6)
    monkeypatch.setattr("voicelstm.audio._voice_detector._CHUNKS_AT_ONCE", 7)
    np.testing.assert_allclose(speech_probability(samples)[0], whole, atol=1e-6)


def test_nothing_has_no_chunks():
    assert speech_probability(np.empty(0))[0].shape == (0,)
