import librosa
import numpy as np
import pytest
from python_speech_features import logfbank, mfcc
from scipy.fft import dct

from voicelstm import MFCCTransformer

RATE = 16000
SAMPLES = 0.1 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)


def test_python_speech_features_is_asked_for_the_same_features():
    transformer = MFCCTransformer(
        deltas=0, backend="python_speech_features", amplitude=32768.0, dtype="float64"
    )
    expected = mfcc(
        SAMPLES.astype(np.float64) * 32768,
        RATE,
        winlen=0.025,
        winstep=0.01,
        numcep=20,
        nfilt=40,
        nfft=512,
        winfunc=np.hamming,
    )
    np.testing.assert_allclose(transformer.transform([SAMPLES])[0], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("scale", "htk"), [("slaney", False), ("mel", True)])
def test_librosa_is_asked_for_the_same_features(scale, htk):
    transformer = MFCCTransformer(
        deltas=0,
        backend="librosa",
        scale=scale,
        triangles="exact",
        energy=False,
        preemphasis=0,
        n_fft=1024,
        lifter=None,
    )
    expected = librosa.feature.mfcc(
        y=SAMPLES,
        sr=RATE,
        n_mfcc=20,
        n_fft=1024,
        hop_length=160,
        win_length=400,
        window="hamming",
        n_mels=40,
        htk=htk,
    ).T
    features = transformer.transform([SAMPLES])[0]
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-4)


def test_each_library_is_asked_for_its_own_log_energies():
    common = {"n_mfcc": None, "deltas": 0, "dtype": "float64"}
    found = MFCCTransformer(backend="python_speech_features", **common).transform([SAMPLES])[0]
    expected = logfbank(SAMPLES.astype(np.float64), RATE, nfilt=40)  # of a rectangular window, as psf has it
    boxcar = MFCCTransformer(backend="python_speech_features", window="boxcar", **common).transform(
        [SAMPLES]
    )[0]
    np.testing.assert_allclose(boxcar, expected, rtol=0, atol=1e-9)
    native = MFCCTransformer(**common).transform([SAMPLES])[0]
    np.testing.assert_allclose(found, native, rtol=0, atol=1e-9)
    settings = {
        "backend": "librosa",
        "scale": "slaney",
        "triangles": "exact",
        "energy": False,
        "preemphasis": 0,
    }
    by_librosa = MFCCTransformer(**settings, **common).transform([SAMPLES])[0]
    mel = librosa.feature.melspectrogram(
        y=SAMPLES.astype(np.float64),
        sr=RATE,
        n_fft=512,
        hop_length=160,
        win_length=400,
        window="hamming",
        n_mels=40,
    )
    np.testing.assert_allclose(by_librosa, librosa.power_to_db(mel).T, rtol=0, atol=1e-9)


def test_deltas_level_and_frames_do_not_depend_on_who_computes():
    params = {"level": -20.0, "deltas": 2, "max_frames": 30, "normalize": "mean", "dtype": "float64"}
    native = MFCCTransformer(**params).transform([SAMPLES])
    theirs = MFCCTransformer(**params, backend="python_speech_features").transform([SAMPLES])
    np.testing.assert_allclose(native, theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"backend": "python_speech_features", "scale": "linear"}, ["scale='linear'"]),
        ({"backend": "python_speech_features", "triangles": "exact"}, ["triangles='exact'"]),
        (
            {"backend": "librosa", "scale": "linear"},
            ["scale='linear'", "triangles='bins'", "energy=True", "preemphasis=0.97"],
        ),
    ],
)
def test_what_a_library_cannot_do_is_an_error_that_names_the_parameters(params, named):
    transformer = MFCCTransformer(**params)
    for method in (transformer.fit, transformer.transform):
        with pytest.raises(ValueError, match="cannot do") as caught:
            method(["missing.wav"])
        assert all(words in str(caught.value) for words in [*named, f"backend={params['backend']!r}"])
        assert "missing.wav" not in str(caught.value)


def test_librosas_frames_are_centred_and_said_to_lie_there():
    # A click at 0.5 s is loudest in the frame around it.
    samples = np.zeros(RATE, dtype=np.float32)
    samples[RATE // 2] = 1
    (clip,) = MFCCTransformer(
        deltas=0, energy=False, preemphasis=0, triangles="exact", n_filters=20, backend="librosa"
    ).extract([samples])
    middle = clip.offset + clip.features[:, 0].argmax() * clip.frame_step + clip.frame_length / 2
    assert abs(middle - 0.5) <= clip.frame_step / 2


def test_lfcc_has_the_static_coefficients_of_the_asvspoof_2021_baseline():
    # lfcc_bp.m written down in NumPy: 30 ms, half overlapping, Hamming, n_fft 1024, 70 filters up to 4 kHz.
    samples = SAMPLES.astype(np.float64)
    frames = np.stack([samples[start : start + 480] for start in range(0, RATE - 479, 240)]) * np.hamming(480)
    power = np.abs(np.fft.rfft(frames, 1024)) ** 2
    bins, edges = np.linspace(0, 8000, 513)[:, None], np.linspace(0, 4000, 72)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    energies = power @ np.maximum(0, np.minimum(rising, falling))
    expected = dct(np.log10(energies + np.finfo(float).eps), norm="ortho", axis=1)[:, :20]
    features = MFCCTransformer.lfcc(dtype="float64").transform([samples])[0]
    ours = features[: len(expected), :20] / np.log(10)
    ours[:, 0] += np.sqrt(70) * np.log10(1024)  # energies are divided by the transform's length
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)
    assert features.shape[1] == 60
