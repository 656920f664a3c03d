import numpy as np
import pytest

from tests.detector.onnx.sessions import run
from voicelstm import MFCCTransformer
from voicelstm.detector.onnx._extraction import check_exportable, extract
from voicelstm.features import LEAST_SPEECH


def voice(n_samples):
    """Noise whose loudness changes, between two silences."""
    samples = np.random.default_rng(n_samples).normal(size=n_samples) * np.sin(np.arange(n_samples) / 900)
    samples[: n_samples // 4] *= 1e-3
    samples[-n_samples // 5 :] = 0
    return samples.astype("float32")


def extracted(settings, samples):
    """Features, the start of each frame, and whether there is something to judge."""

    def compute(graph, samples):
        found = extract(graph, samples, settings)
        return [found.features, found.starts.reshape(-1, 1), found.is_heard.reshape(1, 1)]

    return run(compute, samples)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"normalize": "zscore", "trim_silence": 30.0, "deltas": 1},
        {"normalize": "minmax", "level": -20.0, "trim_silence": 50.0, "max_frames": 20},
        {"n_mfcc": None, "level": -26.0, "deltas": 0, "normalize": "mean"},
        {"sample_rate": 11025, "dtype": "float64"},
    ],
    ids=["defaults", "trimmed", "all", "level", "double"],
)
@pytest.mark.parametrize("n_samples", [400, 5000])
def test_features_are_the_librarys(changes, n_samples):
    transformer = MFCCTransformer(**changes)
    features, starts, _ = extracted(transformer._settings(None), voice(n_samples))
    (clip,) = transformer.extract([voice(n_samples)])
    np.testing.assert_allclose(features, clip.features, rtol=0, atol=1e-3)
    np.testing.assert_allclose(starts[:, 0], clip.starts(np.arange(len(features))), rtol=0, atol=1e-9)


def test_at_rates_where_no_speech_is_looked_for_whatever_sounds_is_heard():
    _, _, is_heard = extracted(MFCCTransformer(sample_rate=11025)._settings(None), voice(5000))
    assert is_heard.item()


def test_only_frames_that_the_search_finds_are_kept_and_make_the_level(monkeypatch):
    transformer = MFCCTransformer(speech_only=True, level=-26.0, trim_silence=30.0)
    settings = transformer._settings(None)
    samples = voice(16000)
    spoken = np.zeros(99, dtype=bool)
    spoken[[*range(20, 40), *range(70, 78)]] = True
    seen = []

    def search(graph, samples, peak, starts, frame_length):
        seen.append(frame_length)
        return graph.constant(spoken, bool)

    monkeypatch.setattr("voicelstm.detector.onnx._extraction.speech_frames", search)
    features, starts, is_heard = extracted(settings, samples)
    monkeypatch.setattr("voicelstm.features._extraction.speech_frames", lambda *_: spoken)
    (clip,) = transformer.extract([samples])
    np.testing.assert_allclose(features, clip.features, rtol=0, atol=1e-3)
    np.testing.assert_allclose(starts[:, 0], clip.starts(np.arange(28)), rtol=0, atol=1e-9)
    assert is_heard.item()
    assert seen == [400]


@pytest.mark.parametrize("speech_only", [True, False])
@pytest.mark.parametrize("n_spoken", [0, 14, 15])
def test_less_speech_than_the_least_is_not_heard(n_spoken, speech_only, monkeypatch):
    spoken = np.arange(99) < n_spoken
    settings = MFCCTransformer(speech_only=speech_only)._settings(None)
    monkeypatch.setattr(
        "voicelstm.detector.onnx._extraction.speech_frames", lambda graph, *_: graph.constant(spoken, bool)
    )
    _, _, is_heard = extracted(settings, voice(16000))
    assert is_heard.item() == (n_spoken * 0.01 >= LEAST_SPEECH)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(16000), np.ones(399)])
def test_silence_and_less_than_a_frame_are_not_heard(samples):
    for changes in ({"level": -20.0}, {"trim_silence": 30.0}):
        settings = MFCCTransformer(**changes)._settings(None)
        assert not extracted(settings, samples.astype("float32"))[2].item()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (
            {
                "backend": "librosa",
                "scale": "slaney",
                "triangles": "exact",
                "energy": False,
                "preemphasis": 0,
            },
            "backend='librosa'",
        ),
        ({"amplitude": "scipy"}, "amplitude='scipy'"),
        ({"channel": "interleaved"}, "channel='interleaved'"),
        ({"sample_rate": None}, "sample_rate=None"),
        ({"sample_rate": 8000, "speech_only": True}, "sample_rate=8000"),
    ],
)
def test_what_a_graph_cannot_do_is_named(changes, named):
    with pytest.raises(ValueError, match=f"export_onnx found {named} of MFCCTransformer; a graph needs"):
        check_exportable(MFCCTransformer(**changes)._settings(None))
