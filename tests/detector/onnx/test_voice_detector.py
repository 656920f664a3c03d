import numpy as np
import pytest
import soundfile

from tests.audio.test_voice_detector import OF_A_GLIDING_TONE, OF_A_READER, _gliding_tone
from tests.detector.onnx.sessions import run
from voicelstm.audio import VOICE_DETECTOR_SIZES as SIZES
from voicelstm.audio import SpeechState
from voicelstm.audio._voice_detector import speech_probability as numpy_probability
from voicelstm.detector.onnx._voice_detector import initial_states, magnitudes, speech_probability


def _probabilities(samples, n_silent=16):
    """Of each chunk, from the beginning and behind silence."""
    chunks = np.zeros((-(-len(samples) // SIZES.chunk), SIZES.chunk), dtype=np.float32)
    chunks.reshape(-1)[: len(samples)] = samples
    context = np.concatenate([np.zeros((1, SIZES.context), np.float32), chunks[:-1, -SIZES.context :]])

    def compute(graph, heard):
        return speech_probability(graph, heard, *initial_states(graph, n_silent))[0]

    return run(compute, np.concatenate([context, chunks], axis=1))[0].T


def test_probabilities_are_those_of_the_published_network(corpus_dir):
    assert _probabilities(_gliding_tone())[0].tolist() == pytest.approx(OF_A_GLIDING_TONE, abs=1e-5)
    reader = corpus_dir / "speech/human/libri-426__426-122819-0000.flac"
    samples, _ = soundfile.read(reader, start=8000, frames=40 * SIZES.chunk)
    assert _probabilities(samples)[0].tolist() == pytest.approx(OF_A_READER, abs=1e-5)


def test_the_second_hearing_is_behind_silence():
    samples = _gliding_tone()
    expected, _ = numpy_probability(samples, SpeechState.after_silence(16))
    plain, behind = _probabilities(samples)
    np.testing.assert_allclose(behind, expected, atol=1e-5)
    assert np.abs(behind - plain).max() > 0.01


@pytest.mark.parametrize("n_fft", [256, 1024])
def test_magnitudes_are_numpys(n_fft):
    frames = np.random.default_rng(0).normal(size=(5, n_fft)).astype(np.float32)
    kept = []

    def compute(graph, frames):
        found, transform = magnitudes(graph, frames, n_fft)
        kept.append(transform)
        return found

    (values,) = run(compute, frames)
    expected = np.abs(np.fft.rfft(frames * np.hanning(n_fft + 1)[:-1], axis=1))
    np.testing.assert_allclose(values, expected[:, kept[0].bins], atol=1e-4)
    assert sorted(kept[0].bins[kept[0].is_first].tolist()) == list(range(n_fft // 2 + 1))
