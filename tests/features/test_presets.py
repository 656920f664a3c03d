import librosa
import numpy as np
import pytest
import soundfile
from python_speech_features import mfcc
from scipy.io import wavfile
from sklearn.pipeline import make_pipeline

from tests.model_files.rewriting import rewritten
from voicelstm import Augmenter, LSTMVoiceClassifier, MFCCTransformer, detect, load, save, score_timeline
from voicelstm.display import CepstraDisplay, ScoreTimelineDisplay
from voicelstm.exceptions import AudioError, ModelFileError
from voicelstm.features import CepstraSettings, cepstra

RATE = 22050
pytestmark = pytest.mark.filterwarnings("ignore::scipy.io.wavfile.WavFileWarning")


def by_the_recipe(path):
    """The recipe's features: scipy where it reads the file, librosa where it raises ValueError."""
    try:
        rate, signal = wavfile.read(path)
    except ValueError:
        signal, rate = librosa.load(path)
    return mfcc(signal, samplerate=rate, nfft=2048)[:5000]


def minmax(features):
    low, high = features.min(axis=0), features.max(axis=0)
    return (features - low) / (high - low)


def voice(n_samples, n_channels=1, seed=0):
    """Noise that comes and goes, with exact zeros; a channel is another one's echo, with noise of its own."""
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal(n_samples) * np.sin(np.arange(n_samples) / 3000) ** 2 * 0.2
    signal[n_samples // 2 : n_samples // 2 + 1500] = 0
    channels = [
        np.roll(signal, 40 * i) + 0.01 * i * rng.standard_normal(n_samples) for i in range(n_channels)
    ]
    return np.clip(np.stack(channels, axis=1), -0.99, 0.99)


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
        "amplitude": "scipy",
        "level": None,
        "trim_silence": None,
        "max_frames": 5000,
    }
    assert {name: params[name] for name in recipe} == recipe
    assert MFCCTransformer.original(max_frames=10_000).max_frames == 10_000


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("n_channels", [1, 2, 3])
def test_original_equals_the_recipe_on_what_scipy_reads(tmp_path, subtype, n_channels):
    path = tmp_path / "a.wav"
    soundfile.write(path, voice(3 * RATE, n_channels), RATE, subtype=subtype)
    expected = by_the_recipe(path)
    channel = "mean" if n_channels == 1 else "interleaved"
    for backend in ("native", "python_speech_features"):
        original = MFCCTransformer.original(channel=channel, backend=backend)
        features = original.transform([path])[0]
        np.testing.assert_allclose(features, minmax(expected), rtol=0, atol=1e-9)
        features = original.set_params(normalize=None).transform([path])[0]
        np.testing.assert_allclose(features, expected, rtol=0, atol=1e-9)


def test_original_equals_the_recipe_on_what_librosa_loads(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, voice(3 * RATE), RATE)  # at librosa's rate, to which the recipe resamples
    features = MFCCTransformer.original(normalize=None).transform([path])[0]
    np.testing.assert_allclose(features, by_the_recipe(path), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("dtype", "full_scale", "zero"), [("uint8", 128, 128), ("int16", 2**15, 0), ("float32", 1, 0)]
)
def test_original_equals_the_recipe_on_arrays(dtype, full_scale, zero):
    signal = voice(RATE)[:, 0] * full_scale + zero
    signal = (signal if dtype == "float32" else np.round(signal)).astype(dtype)
    features = MFCCTransformer.original(normalize=None).transform([(RATE, signal)])[0]
    np.testing.assert_allclose(features, mfcc(signal, samplerate=RATE, nfft=2048), rtol=0, atol=1e-9)


def test_the_first_5000_frames_of_two_channels_are_25_seconds_in_turn(tmp_path):
    path = tmp_path / "stereo.wav"
    soundfile.write(path, voice(51 * RATE, 2), RATE, subtype="PCM_16")
    expected = by_the_recipe(path)
    assert expected.shape == (5000, 13)
    (clip,) = MFCCTransformer.original(channel="interleaved").extract([path])
    np.testing.assert_allclose(clip.features, minmax(expected), rtol=0, atol=1e-9)
    # 25 and 10 ms at 22,050 Hz are 551 and 221 samples, of which each channel has half.
    assert clip.duration == 51
    assert clip.frame_length == pytest.approx(551 / RATE / 2, rel=1e-12)
    assert clip.frame_step == pytest.approx(221 / RATE / 2, rel=1e-12)
    assert clip.starts(np.array([4999]))[0] == pytest.approx(4999 * 221 / 2 / RATE, rel=1e-12)


def test_channels_in_memory_are_not_taken_in_turn_and_need_a_file():
    with pytest.raises(AudioError, match=r"\(22050, 2\): if these are channels, write them to a WAV file"):
        MFCCTransformer.original(channel="interleaved").transform([(RATE, np.zeros((RATE, 2)))])
    with pytest.raises(AudioError, match="average them"):
        MFCCTransformer.original().transform([(RATE, np.zeros((RATE, 2)))])


def test_two_channels_in_turn_are_598_frames_where_their_mean_is_298(tmp_path):
    path = tmp_path / "stereo.wav"
    soundfile.write(path, voice(3 * RATE, 2), RATE)
    counts = [
        len(MFCCTransformer.original(channel=each).transform([path])[0]) for each in ("interleaved", "mean")
    ]
    assert counts == [len(by_the_recipe(path)), 298] == [598, 298]


def test_the_mean_of_channels_is_of_scipys_values(tmp_path):
    path = tmp_path / "stereo.wav"
    soundfile.write(path, voice(3 * RATE, 2), RATE, subtype="PCM_U8")
    signal = wavfile.read(path)[1].mean(axis=1)
    features = MFCCTransformer.original(normalize=None).transform([path])[0]
    np.testing.assert_allclose(features, mfcc(signal, samplerate=RATE, nfft=2048), rtol=0, atol=1e-9)


def test_cepstra_of_channels_in_turn_are_those_of_python_speech_features():
    signal = voice(4000, 2)
    own = CepstraSettings(n_mfcc=13, n_filters=26, n_fft=2048, window="boxcar", dtype="float64")
    expected = mfcc(signal, samplerate=RATE, nfft=2048)
    np.testing.assert_allclose(cepstra(signal, RATE, own), expected, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(cepstra(signal[:, :1], RATE, own), cepstra(signal[:, 0], RATE, own))


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"level": -26.0}, "level"),
        ({"trim_silence": 40.0, "speech_only": True}, "speech_only, trim_silence"),
        ({"backend": "librosa", "triangles": "exact", "energy": False, "preemphasis": 0.0}, "librosa"),
    ],
)
def test_channels_in_turn_are_no_sound_for_what_else_changes_samples(params, named):
    with pytest.raises(ValueError, match=rf'channel="interleaved".*{named}.*channel="mean"'):
        MFCCTransformer.original(channel="interleaved", **params).fit(["a.wav"])


def test_what_augments_channels_in_turn_is_refused_here_and_in_a_model_file(tmp_path):
    transformer = MFCCTransformer.original(augment=Augmenter())
    save(transformer, tmp_path / "m")
    rewritten(tmp_path / "m", lambda d, t: d["object"]["params"].update(channel="interleaved"))
    with pytest.raises(ModelFileError, match="augment"):
        load(tmp_path / "m")
    transformer.set_params(channel="interleaved")
    for refused in (transformer.fit, transformer.fit_transform):
        with pytest.raises(ValueError, match=r'channel="interleaved".*augment'):
            refused(["a.wav"])


def test_a_recipe_is_kept_in_a_model_file_and_hears_and_is_drawn(tmp_path):
    for name, seed in (("a", 1), ("b", 2)):
        soundfile.write(tmp_path / f"{name}.wav", voice(2 * RATE, 2, seed), RATE, subtype="PCM_U8")
    X, y = [tmp_path / "a.wav", tmp_path / "b.wav"], [1, 0]
    recipe = make_pipeline(
        MFCCTransformer.original(channel="interleaved", max_frames=300),
        LSTMVoiceClassifier.original(units=(4, 2), max_steps=1, random_state=0),
    ).fit(X, y)
    assert len(recipe[0].fingerprints_) == 2
    save(recipe, tmp_path / "m")
    loaded = load(tmp_path / "m")
    assert loaded[0].get_params() == recipe[0].get_params()
    np.testing.assert_array_equal(loaded.predict_proba(X), recipe.predict_proba(X))
    # Each of the 300 frames begins half a step of 221 samples after the one before.
    ((start, stop, _),) = score_timeline(loaded, [X[0]])[0].tolist()
    assert (start, stop) == (0, pytest.approx((299 * 221 + 551) / 2 / RATE))
    assert [found.error is None or "no speech" in found.error for found in detect(loaded, X)] == [True, True]
    ScoreTimelineDisplay.from_recording(loaded, X[0])
    CepstraDisplay.from_recording(X[0], loaded[0], kind="filterbank")


def test_the_lfcc_are_60_numbers_every_15_ms():
    (features,) = MFCCTransformer.lfcc().transform([np.random.default_rng(0).standard_normal(16000)])
    # Frames of 480 samples every 240, the last filled with zeros: 1 + ceil(15520 / 240).
    assert features.shape == (66, 60)
