import csv
import sys

import numpy as np
import pytest

from tests.detector.onnx.sessions import session
from voicelstm import (
    LSTMVoiceClassifier,
    calibrate,
    detect,
    export_onnx,
    load_pretrained,
    make_detector,
    tune_threshold,
)
from voicelstm.audio import read_audio
from voicelstm.detector import features_and_rest
from voicelstm.metrics import synthetic_log_odds


@pytest.fixture(scope="module")
def packaged():
    return load_pretrained()


@pytest.fixture(scope="module")
def opened(packaged, tmp_path_factory):
    """The packaged detector's graph."""
    path = tmp_path_factory.mktemp("graph") / "detector.onnx"
    export_onnx(packaged, path)
    return session(path)


def difference(detector, opened, samples):
    """How far scores, spans and the speech of a graph are from the library's; infinite if only one hears."""
    (expected,) = detect(detector, [samples], timeline=True)
    score, of_segments, spans, speech = opened.run(None, {"samples": samples})
    if expected.error is not None:
        return 0.0 if np.isnan(score) and not len(of_segments) else np.inf
    timeline = expected.timeline
    if len(of_segments) != len(timeline) or np.isnan(score):
        return np.inf
    apart = [
        score - expected.score,
        speech - expected.speech,
        *(of_segments - timeline["score"]),
        *(spans[:, 0] - timeline["start_s"]),
        *(spans[:, 1] - timeline["stop_s"]),
    ]
    return float(np.abs(apart).max())


def read(path):
    return read_audio(path, sample_rate=16000)[0].astype("float32")


def test_a_graph_of_features_gives_the_scores_of_the_detector_that_reads_them(packaged, tmp_path):
    export_onnx(packaged, tmp_path / "network.onnx", features=True)
    opened = session(tmp_path / "network.onnx")
    _, rest = features_and_rest(packaged)
    generator = np.random.default_rng(0)
    for n_frames in (1, 20, 300, 301, 2500):
        clip = generator.normal(0, 2, size=(n_frames, 80)).astype("float32")
        score, of_segments, frames = opened.run(None, {"features": clip})
        assert score.shape == ()
        np.testing.assert_allclose(score, synthetic_log_odds(rest, [clip])[0], rtol=0, atol=1e-5)
        (expected,) = rest.calibrated_classifiers_[0].estimator.estimator[-1].predict_segments([clip])
        np.testing.assert_allclose(of_segments, expected["log_odds"], rtol=0, atol=1e-5)
        assert frames.tolist() == [[s, t] for s, t, _ in expected.tolist()]


def test_of_more_than_two_classes_there_is_a_score_for_each(tmp_path):
    clips = list(np.random.default_rng(0).normal(size=(6, 5, 2)).astype("float32"))
    classifier = LSTMVoiceClassifier(units=(2,), max_steps=1, random_state=0).fit(clips, [0, 1, 2] * 2)
    export_onnx(classifier, tmp_path / "network.onnx", features=True)
    score, of_segments, _ = session(tmp_path / "network.onnx").run(None, {"features": clips[0]})
    np.testing.assert_allclose(score, classifier.decision_function(clips[:1])[0], rtol=0, atol=1e-5)
    assert of_segments.shape == (1, 3)


def test_of_more_than_two_classes_a_graph_of_samples_has_a_score_for_each(small_voices, tmp_path):
    recordings, _ = small_voices[0]
    detector = make_detector("dynamics", random_state=0, classifier__max_steps=1, classifier__units=(4,))
    detector.fit(recordings, [position % 3 for position in range(len(recordings))])
    export_onnx(detector, tmp_path / "detector.onnx")
    opened = session(tmp_path / "detector.onnx")
    samples = read(recordings[0])
    score, of_segments, spans, _ = opened.run(None, {"samples": samples})
    np.testing.assert_allclose(score, detector.decision_function([samples])[0], rtol=0, atol=1e-4)
    assert of_segments.shape == (len(spans), 3)
    score, of_segments, *_ = opened.run(None, {"samples": np.zeros(16000, "float32")})
    assert np.isnan(score).tolist() == [True] * 3
    assert of_segments.shape == (0, 3)


def test_a_calibrated_graph_speaks_for_synthetic_and_is_no_surer_than_the_library(small_voices, tmp_path):
    (recordings, y), (held_out, labels) = small_voices
    # The human class comes second, so that the classifier speaks for it.
    y, labels = (["human" if each == "human" else "cloned" for each in of] for of in (y, labels))
    detector = make_detector("dynamics", random_state=0, classifier__max_steps=4).fit(recordings, y)
    calibrated = calibrate(detector, held_out, labels)
    assert list(calibrated.classes_) == ["cloned", "human"]
    (calibrator,) = calibrated.calibrated_classifiers_[0].calibrators
    samples = read(held_out[0])
    for steeper, surest in ((1, 30), (1e6, -np.log(np.finfo(float).eps))):
        calibrator.a_ *= steeper
        export_onnx(calibrated, tmp_path / "detector.onnx")
        opened = session(tmp_path / "detector.onnx")
        assert difference(calibrated, opened, samples) <= 1e-3
        score, *_ = opened.run(None, {"samples": samples})
        assert abs(score) < surest if steeper == 1 else abs(score) == pytest.approx(surest)


def test_without_onnx_the_extra_is_named(packaged, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "voicelstm\[onnx\]"'):
        export_onnx(packaged, tmp_path / "network.onnx", features=True)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_an_error_that_names_the_folder(packaged, tmp_path):
    with pytest.raises(FileNotFoundError, match="missing does not exist"):
        export_onnx(packaged, tmp_path / "missing" / "network.onnx", features=True)


def test_a_graph_of_samples_gives_what_detect_says(small_voices, tmp_path):
    (recordings, y), (held_out, labels) = small_voices
    detector = make_detector("dynamics", random_state=0, classifier__max_steps=4)
    calibrated = calibrate(detector.fit(recordings, y), held_out, labels)
    export_onnx(tune_threshold(calibrated, held_out, labels), tmp_path / "detector.onnx")
    opened = session(tmp_path / "detector.onnx")
    clips = [read_audio(each, sample_rate=16000)[0].astype("float32") for each in held_out[:6]]
    for samples in (*clips, np.tile(clips[0], 9)):
        (expected,) = detect(calibrated, [samples], timeline=True)
        score, of_segments, spans, speech = opened.run(None, {"samples": samples})
        np.testing.assert_allclose(score, expected.score, rtol=0, atol=1e-4)
        np.testing.assert_allclose(of_segments, expected.timeline["score"], rtol=0, atol=1e-4)
        assert speech == pytest.approx(expected.speech)
        np.testing.assert_allclose(spans[:, 0], expected.timeline["start_s"], rtol=0, atol=1e-5)
        np.testing.assert_allclose(spans[:, 1], expected.timeline["stop_s"], rtol=0, atol=1e-5)
    score, of_segments, spans, speech = opened.run(None, {"samples": np.zeros(16000, "float32")})
    assert np.isnan(score)
    assert speech == 0
    assert (of_segments.shape, spans.shape) == ((0,), (0, 2))


def test_a_detector_that_keeps_all_frames_answers_where_somebody_speaks_and_there_alone(
    small_voices, corpus_dir, manifest, tmp_path
):
    settings = {"features__speech_only": False, "features__trim_silence": 40.0, "classifier__units": (4,)}
    detector = make_detector("dynamics", random_state=0, classifier__max_steps=1, **settings)
    detector.fit(*small_voices[0])
    export_onnx(detector, tmp_path / "detector.onnx")
    opened = session(tmp_path / "detector.onnx")
    voice = read(corpus_dir / next(row["path"] for row in manifest if row["label"] == "human"))
    noise = 0.1 * np.random.default_rng(0).normal(size=32000).astype("float32")
    for samples, is_heard in ((voice, True), (noise, False), (voice[:1600], False)):
        assert (next(detect(detector, [samples])).error is None) == is_heard
        assert difference(detector, opened, samples) <= 1e-3


def test_the_packaged_graph_equals_the_library_on_recordings_of_all_kinds(
    packaged, opened, corpus_dir, manifest
):
    chosen = [row["path"] for row in manifest[:: len(manifest) // 20]]
    found = {path: difference(packaged, opened, read(corpus_dir / path)) for path in chosen}
    assert {path: apart for path, apart in found.items() if not apart <= 1e-3} == {}


def clicks(generator):
    samples = 1e-4 * generator.normal(size=48000)
    samples[::9000] = 1
    return samples


@pytest.mark.parametrize(
    "sound",
    [
        lambda voice, _: voice[:1600],
        lambda voice, _: voice[:8000],
        lambda voice, _: voice[:0],
        lambda voice, _: voice[:1],
        lambda voice, _: 1e-6 * voice,
        lambda voice, _: np.clip(8 * voice, -1, 1),
        lambda voice, _: np.resize(voice, 16000 * 600),
        lambda voice, _: np.concatenate([voice, np.zeros(30 * 16000), 0.02 * voice]),
        lambda _, generator: clicks(generator),
        lambda _, generator: 0.1 * generator.normal(size=32000),
    ],
    ids=["0.1 s", "0.5 s", "none", "one", "quiet", "clipped", "10 min", "pause", "clicks", "noise"],
)
def test_the_packaged_graph_equals_the_library_at_the_edges(sound, packaged, opened, corpus_dir, manifest):
    voice = read(corpus_dir / next(row["path"] for row in manifest if row["label"] == "human"))
    samples = sound(voice, np.random.default_rng(0)).astype("float32")
    assert difference(packaged, opened, samples) <= 1e-3


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_the_packaged_graph_equals_the_library_on_the_corpus(packaged, opened, corpus_dir, manifest):
    with (corpus_dir / "wide.csv").open(newline="", encoding="utf-8") as lines:
        paths = [row["path"] for row in (*manifest, *csv.DictReader(lines))]
    found = {path: difference(packaged, opened, read(corpus_dir / path)) for path in paths}
    assert len(found) > 2000
    assert {path: apart for path, apart in found.items() if not apart <= 1e-3} == {}


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore::voicelstm.exceptions.AudioWarning")
def test_the_packaged_graph_equals_the_library_on_strange_recordings(packaged, opened, awkward_files):
    found = {}
    for path, expected in awkward_files:
        if expected == "decode":
            found[path.name] = difference(packaged, opened, read(path))
    assert len(found) > 20
    assert {name: apart for name, apart in found.items() if not apart <= 1e-3} == {}
