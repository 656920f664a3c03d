"""Expected is what the library's NumPy functions find, of which each step has tests of its own."""

import csv

import numpy as np
import pytest

from tests.audio.sounds import RATE, not_speech
from tests.detector.onnx.sessions import session
from voicelstm.audio import SPEECH_RULES, VOICE_DETECTOR_SIZES, read_audio
from voicelstm.audio._speech_activity import _changes, speech_frames, speech_level
from voicelstm.detector.onnx import _speech_activity
from voicelstm.detector.onnx._graph import Graph
from voicelstm.detector.onnx._level import peak_of

LENGTH, STEP = 400, 160


@pytest.fixture(scope="module")
def search():
    """Opened graph of frames that are speech and of their level."""
    graph = Graph()
    samples = graph.input("samples", np.float32, ["n_samples"])
    starts = graph.input("starts", np.int64, ["n_frames"])
    peak = peak_of(graph, graph.op("Pad", samples, graph.numbers([0, 1])))  # of no samples, too
    spoken = _speech_activity.speech_frames(graph, samples, peak, starts, LENGTH)
    level = _speech_activity.speech_level(
        graph, samples, graph.op("Compress", starts, spoken, axis=0), LENGTH
    )
    return session(graph.model([("spoken", spoken, ["n_frames"]), ("level", level, [])], {}))


def _starts(samples):
    return np.arange(0, max(len(samples), 1), STEP)


def _assert_same(search, samples, starts=None):
    """Compare masks and levels; return the share of frames that are speech."""
    samples = samples.astype(np.float32)
    starts = _starts(samples) if starts is None else starts
    spoken, level = search.run(None, {"samples": samples, "starts": starts})
    expected = speech_frames(samples, RATE, starts, LENGTH)
    np.testing.assert_array_equal(spoken, expected)
    if expected.any():
        assert level == pytest.approx(speech_level(samples, starts[expected], LENGTH), rel=1e-6)
    return expected.mean()


@pytest.fixture(scope="module")
def rows(corpus_dir):
    found = []
    for name in ("manifest.csv", "wide.csv"):
        with (corpus_dir / name).open(newline="", encoding="utf-8") as lines:
            found += csv.DictReader(lines)
    return found


def _samples(corpus_dir, row):
    return read_audio(corpus_dir / row["path"], sample_rate=RATE)[0]


@pytest.mark.parametrize("share", [slice(0, None, 71), pytest.param(slice(None), marks=pytest.mark.nightly)])
def test_of_recordings_the_same_frames_are_speech(search, corpus_dir, rows, share):
    found = [_assert_same(search, _samples(corpus_dir, row)) for row in rows[share]]
    assert len(found) >= 30
    assert np.mean(np.array(found) > 0.2) > 0.9


@pytest.fixture(scope="module")
def voice(corpus_dir):
    path = corpus_dir / "speech/human/libri-426__426-122819-0000.flac"
    return read_audio(path, sample_rate=RATE)[0][: 5 * RATE]


@pytest.fixture(scope="module")
def word(corpus_dir):
    """Less than a second, which the voice detector hears a second time behind silence."""
    samples, _ = read_audio(corpus_dir / "digits/human/4_jackson_9.flac", sample_rate=RATE)
    assert len(samples) <= SPEECH_RULES.short * VOICE_DETECTOR_SIZES.chunk
    return samples


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.nightly)])
def test_of_noise_tones_and_music_the_same_frames_are_speech(search, seed):
    for sound in not_speech(np.random.default_rng(seed)).values():
        _assert_same(search, sound)


@pytest.mark.parametrize("n_samples", [0, 1, 511, 512, 513, 700, 16000])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nothing_and_next_to_nothing_is_not_speech(search, n_samples, value):
    assert _assert_same(search, np.full(n_samples, value)) == 0


def test_a_click_alone_is_not_speech(search):
    click = np.zeros(2 * RATE)
    click[RATE] = 1
    assert _assert_same(search, click) == 0


def test_of_a_word_the_same_frames_are_speech(search, word):
    assert _assert_same(search, word) > 0.5
    for first in range(0, len(word), 1000):
        _assert_same(search, word[first : first + RATE // 2])


@pytest.mark.parametrize("scale", [1e-40, 1e-25, 1e-3, 1e25])
def test_tiny_and_huge_samples_are_heard_as_others(search, voice, scale):
    assert _assert_same(search, scale * voice.astype(np.float64)) > 0.5


def test_clicks_and_bursts_in_speech_change_as_little(search, voice):
    clicked = voice.copy()
    clicked[[1000, 30_000]] = 100 * np.abs(voice).max()
    assert _assert_same(search, clicked) > 0.5
    for decibels in (15, 40, 60):
        burst = 10 ** (decibels / 20) * voice.std() * np.random.default_rng(0).normal(size=int(0.4 * RATE))
        assert _assert_same(search, np.concatenate([burst, voice])) > 0.5


@pytest.mark.parametrize("decibels", [15, 25, 30, 35, 50])
@pytest.mark.parametrize("pause", [0.0, 1e-4])
def test_a_quieter_talker_is_heard_in_the_pauses_of_a_louder(
    search, voice, corpus_dir, rows, decibels, pause
):
    other = _samples(corpus_dir, rows[500])[: 4 * RATE]
    quiet = 10 ** (-decibels / 20) * other * np.abs(voice).max() / np.abs(other).max()
    silence = pause * np.random.default_rng(0).normal(size=2 * RATE)
    call = np.concatenate([quiet, voice, silence, quiet, voice[: 2 * RATE], silence, quiet])
    assert 0.2 < _assert_same(search, call) < 1


def test_long_recordings_are_heard_in_pieces(search, voice, corpus_dir, rows):
    n_samples = SPEECH_RULES.chunks_at_once * VOICE_DETECTOR_SIZES.chunk
    talk = np.concatenate([_samples(corpus_dir, row) for row in rows[300:330]])
    talk = np.resize(talk, 180 * RATE)
    assert len(talk) > n_samples > _speech_activity._SAMPLES_AT_ONCE
    talk[100 * RATE : 110 * RATE] *= 0.03
    assert _assert_same(search, talk) > 0.5


def test_frames_may_begin_anywhere(search, voice):
    starts = np.sort(np.random.default_rng(0).integers(-LENGTH, len(voice) + LENGTH, 300))
    assert 0.3 < _assert_same(search, voice, starts) < 1
    assert _assert_same(search, np.concatenate([np.zeros(RATE), voice]), np.array([2 * RATE])) in (0, 1)


def test_changes_of_spectra_are_the_librarys(voice):
    chunks = voice[: 60 * VOICE_DETECTOR_SIZES.chunk].reshape(60, -1)
    chunks = np.concatenate([np.zeros_like(chunks[:1]), chunks])
    pairs = np.concatenate([chunks[:-1], chunks[1:]], axis=1)
    graph = Graph()
    found = _speech_activity._changes(graph, graph.input("pairs", np.float32, ["n", pairs.shape[1]]))
    model = session(graph.model([("changes", found, ["n"])], {}))
    np.testing.assert_allclose(model.run(None, {"pairs": pairs})[0], _changes(chunks.ravel()), rtol=1e-4)
