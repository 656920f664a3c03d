import numpy as np
import soundfile
from python_speech_features import mfcc

from voicelstm import MFCCTransformer


def test_original_is_the_recipe_and_takes_changes():
    params = MFCCTransformer.original().get_params()
    recipe = {
        "sample_rate": None,
        "n_mfcc": 13,
        "n_filters": 26,
        "n_fft": 2048,
        "frame_length": 0.025,
        "frame_step": 0.01,
        "fmin": 0,
        "fmax": None,
        "preemphasis": 0.97,
        "window": "boxcar",
        "lifter": 22,
        "energy": True,
        "scale": "mel",
        "triangles": "bins",
        "deltas": 0,
        "normalize": "minmax",
        "amplitude": 32768,
        "level": None,
        "trim_silence": None,
        "max_frames": 5000,
    }
    assert {name: params[name] for name in recipe} == recipe
    assert MFCCTransformer.original(max_frames=10_000).max_frames == 10_000


def test_original_equals_the_recipe_written_down_by_hand(tmp_path):
    path = tmp_path / "stereo.wav"
    rng = np.random.default_rng(0)
    signal = (rng.standard_normal((51 * 22050, 2)) * 3000).astype(np.int16)
    soundfile.write(path, signal, 22050)
    expected = mfcc(signal.mean(axis=1), samplerate=22050, nfft=2048)[:5000]
    expected = (expected - expected.min(axis=0)) / (expected.max(axis=0) - expected.min(axis=0))
    features = MFCCTransformer.original().transform([path])
    assert features.shape == (1, 5000, 13)
    np.testing.assert_allclose(features[0], expected, rtol=0, atol=1e-9)


def test_the_lfcc_are_60_numbers_every_15_ms():
    (features,) = MFCCTransformer.lfcc().transform([np.random.default_rng(0).standard_normal(16000)])
    # Frames of 480 samples every 240, the last filled with zeros: 1 + ceil(15520 / 240).
    assert features.shape == (66, 60)
