import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import fields, replace

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.signals import RATE, noise
from voicelstm import Augmenter, MFCCTransformer
from voicelstm._base import __version__
from voicelstm.exceptions import AudioError
from voicelstm.features import _extraction
from voicelstm.features._cepstra import CepstraSettings
from voicelstm.features._extraction import ExtractionSettings, digest_of_file, extract


def test_a_file_whose_own_rate_does_not_fit_the_parameters_is_named(files):
    with pytest.raises(AudioError, match=r"1\.wav: found a sample rate of 8000 Hz[\s\S]*fmax=7000") as caught:
        MFCCTransformer(sample_rate=None, fmax=7000.0).transform([files[0], (noise(1600), RATE)])
    assert [position for position, _ in caught.value.failures] == [0]


def test_trimming_cuts_silence_and_extract_says_where_the_clip_lies():
    square = np.where(np.arange(RATE) % 2, 0.5, -0.5)
    recording = np.concatenate([np.zeros(RATE // 2), square, 1e-4 * square[: RATE // 4]])
    (clip,) = MFCCTransformer(trim_silence=40.0).extract([recording])
    np.testing.assert_array_equal(clip.features, MFCCTransformer().transform([square])[0])
    assert (clip.offset, clip.duration) == (0.5, 1.75)
    assert (clip.frame_length, clip.frame_step) == (0.025, 0.01)


def test_extract_gives_the_frames_as_they_were_cut_at_each_recordings_own_rate(files):
    clips = MFCCTransformer(sample_rate=None, n_filters=26).extract([files[2], (noise(22050), 22050)])
    # 25 and 10 ms at 22,050 Hz are 551.25 and 220.5 samples.
    assert [(c.offset, c.frame_length, c.frame_step) for c in clips] == [
        (0, 200 / 8000, 80 / 8000),
        (0, 551 / 22050, 221 / 22050),
    ]
    assert [clip.duration for clip in clips] == pytest.approx([0.3, 1.0])


@pytest.mark.parametrize("normalize", [None, "mean", "zscore", "minmax"])
@pytest.mark.parametrize("backend", ["native", "python_speech_features"])
def test_a_silent_clip_keeps_one_finite_frame(normalize, backend):
    transformer = MFCCTransformer(
        trim_silence=40.0, level=-26.0, deltas=2, normalize=normalize, backend=backend
    )
    (clip,) = transformer.extract([np.zeros(RATE)])
    assert clip.features.shape == (1, 60)
    assert np.isfinite(clip.features).all()
    assert normalize is None or not clip.features.any()
    assert clip.offset == 0


@pytest.mark.filterwarnings("ignore:the recording. samples beyond 16")  # a gain of a million is meant here
@settings(deadline=None, max_examples=25)
@given(st.integers(1, 4000), st.floats(1e-6, 1e6))
def test_with_a_level_a_recordings_gain_changes_nothing(n_samples, gain):
    transformer = MFCCTransformer(level=-26.0, trim_silence=40.0, deltas=1, dtype="float64")
    samples = noise(n_samples, seed=n_samples)
    np.testing.assert_allclose(
        transformer.transform([gain * samples]), transformer.transform([samples]), rtol=0, atol=1e-8
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6000), st.integers(1, 40), st.integers(0, 3))
@pytest.mark.parametrize("backend", ["native", "python_speech_features"])
def test_max_frames_gives_the_first_frames_deltas_included(backend, n_samples, max_frames, deltas):
    transformer = MFCCTransformer(deltas=deltas, backend=backend, dtype="float64")
    whole = transformer.transform([noise(n_samples)])[0]
    cut = transformer.set_params(max_frames=max_frames).transform([noise(n_samples)])[0]
    np.testing.assert_allclose(cut, whole[:max_frames], rtol=0, atol=1e-9)


def test_samples_beyond_the_arithmetic_are_refused():
    with pytest.raises(AudioError, match=r"samples as large as .*beyond float32"):
        MFCCTransformer().transform([noise(1600) * 1e20])


def test_what_features_depend_on_names_their_folder(tmp_path):
    plain = ExtractionSettings.of(MFCCTransformer().get_params())
    # A value other than the default for each field; a new field has to be added here.
    of_cepstra = {
        "n_mfcc": 19, "n_filters": 41, "n_fft": 1024, "frame_length": 0.02, "frame_step": 0.02, "fmin": 20.0,
        "fmax": 4000.0, "preemphasis": 0.9, "window": "hann", "lifter": 0, "energy": False,
        "scale": "linear", "triangles": "exact", "amplitude": 2.0, "dtype": "float64",
    }  # fmt: skip
    of_clips = {
        "sample_rate": 8000, "deltas": 1, "normalize": "mean", "level": -26.0, "trim_silence": 40.0,
        "max_frames": 7, "max_duration": 3.0, "backend": "librosa", "augment": Augmenter(),
        "speech_only": True, "channel": "right", "as_scipy": True,
    }  # fmt: skip
    assert {field.name for field in fields(CepstraSettings)} == set(of_cepstra)
    assert {field.name for field in fields(ExtractionSettings)} == {
        "cepstra",
        "measures_channel",
        "measures_speech",
        "speech_as_recorded",  # below
        *of_clips,
    }
    changed = [
        replace(plain, cepstra=replace(plain.cepstra, **{name: of_cepstra[name]})) for name in of_cepstra
    ]
    changed += [replace(plain, **{name: of_clips[name]}) for name in of_clips]
    changed.append(replace(plain, augment=Augmenter(random_state=1)))
    copied = replace(plain, augment=Augmenter(), speech_only=True)
    changed += [copied, replace(copied, speech_as_recorded=True)]
    folders = {each.folder_in(tmp_path) for each in [plain, *changed]}
    assert len(folders) == 1 + len(changed)
    assert {folder.parent for folder in folders} == {tmp_path}
    assert ExtractionSettings.of(MFCCTransformer().get_params()).folder_in(tmp_path) in folders


@pytest.mark.parametrize(
    "library",
    [
        "voicelstm",
        "audioread",
        "av",
        "librosa",
        "libsndfile",
        "numpy",
        "python_speech_features",
        "scipy",
        "soundfile",
        "soxr",
    ],
)
def test_another_version_of_what_computes_features_has_another_folder(library, monkeypatch, tmp_path):
    settings = ExtractionSettings.of(MFCCTransformer().get_params())
    before = settings.folder_in(tmp_path)
    assert settings.folder_in(tmp_path) == before
    _extraction.library_versions.cache_clear()
    if library == "voicelstm":
        monkeypatch.setattr(_extraction, "__version__", "0.0")
    elif library == "libsndfile":
        monkeypatch.setattr(soundfile, "__libsndfile_version__", "0.0")
    else:
        installed = _extraction.version
        monkeypatch.setattr(_extraction, "version", lambda of: "0.0" if of == library else installed(of))
    assert settings.folder_in(tmp_path) != before
    monkeypatch.undo()
    _extraction.library_versions.cache_clear()
    assert settings.folder_in(tmp_path) == before


def test_a_cache_of_another_format_is_left_alone(tmp_path):
    transformer = MFCCTransformer(cache_dir=tmp_path)
    # The folder's name before it told of the format, and what such a folder says of itself.
    settings = ExtractionSettings.of(transformer.get_params())
    described = settings.described()
    key = json.dumps(described, sort_keys=True).encode()
    old = tmp_path / hashlib.sha256(key).hexdigest()[:16]
    old.mkdir()
    (old / "features.bin").touch()
    about = described | {"n_features": settings.n_features, "feature_dtype": "<f4"}
    document = json.dumps({"format": 2, "library": __version__, "settings": about})
    with closing(sqlite3.connect(old / "index.sqlite")) as index, index:
        index.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value NOT NULL)")
        index.execute("INSERT INTO about VALUES ('document', ?)", (document,))
        index.execute(
            "CREATE TABLE sequence (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, start INTEGER,"
            " n_frames INTEGER, offset REAL, frame_length REAL, frame_step REAL, duration REAL,"
            " checksum INTEGER, fingerprint INTEGER)"
        )
    recording = noise(RATE // 2)
    for _ in range(2):
        (cached,) = transformer.transform([recording])
        np.testing.assert_array_equal(cached, MFCCTransformer().transform([recording])[0])


def test_the_settings_of_a_transformer_leave_out_what_only_the_machine_needs(tmp_path):
    here = MFCCTransformer(n_jobs=2, cache_dir=tmp_path, verbose=1, on_error="warn")
    assert ExtractionSettings.of(here.get_params()) == ExtractionSettings.of(MFCCTransformer().get_params())


@pytest.mark.parametrize("deltas", [0, 1, 2])
def test_settings_say_how_many_columns_there_will_be(deltas):
    settings = ExtractionSettings.of(MFCCTransformer(n_mfcc=7, deltas=deltas).get_params())
    (clip,), remarks = extract(noise(800), [settings])
    assert clip.features.shape[1] == settings.n_features == 7 * (deltas + 1)
    assert remarks == []


def test_relative_paths_start_from_the_folder_and_augmentation_from_the_content(files, tmp_path):
    augmenter = Augmenter(probability=1.0, random_state=0)
    settings = ExtractionSettings.of(MFCCTransformer(sample_rate=8000, augment=augmenter).get_params())
    expected = extract(files[0], [settings])[0][0].features
    assert not np.array_equal(expected, extract(files[0], [replace(settings, augment=None)])[0][0].features)
    np.testing.assert_array_equal(extract(files[0].name, [settings], str(tmp_path))[0][0].features, expected)
    renamed = files[0].rename(tmp_path / "renamed.wav")
    np.testing.assert_array_equal(extract(renamed, [settings])[0][0].features, expected)


def test_a_digest_is_that_of_the_standards_example(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-4, "abc".
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_of_file(tmp_path / "abc") == expected


def test_a_recording_without_speech_keeps_its_frames_with_a_warning():
    settings = ExtractionSettings.of(MFCCTransformer(speech_only=True).get_params())
    hum = np.sin(2 * np.pi * 50 * np.arange(16000) / 16000)
    (clip,), remarks = extract(hum, [settings])
    assert (len(clip.features), clip.speech, clip.positions) == (99, 0, None)
    assert remarks == ["no speech: 0 s found; all its frames are kept."]
    assert extract(hum, [replace(settings, measures_speech=True)])[1] == []


def test_features_of_speech_are_those_of_its_frames_at_its_level(corpus_dir):
    samples, rate = soundfile.read(corpus_dir / "digits/human/0_george_0.flac")
    pause = np.zeros(rate)
    samples = np.concatenate([pause, samples, pause, samples])
    plain = ExtractionSettings.of(MFCCTransformer(sample_rate=rate, deltas=0, energy=False).get_params())
    (whole,), _ = extract((samples, rate), [plain])
    (clip,), _ = extract((samples, rate), [replace(plain, speech_only=True)])
    assert 0 < len(clip.positions) < len(whole.features) / 2
    np.testing.assert_array_equal(clip.features, whole.features[clip.positions])
    assert clip.speech == pytest.approx(0.01 * len(clip.positions), abs=0.03)
    # In natural logarithms of energies, a gain raises the first coefficient alone.
    (loud,), _ = extract((samples, rate), [replace(plain, speech_only=True, level=-20.0)])
    (louder,), _ = extract((0.1 * samples, rate), [replace(plain, speech_only=True, level=-20.0)])
    np.testing.assert_allclose(louder.features, loud.features, atol=0.01)
    frames = [samples[at * 80 : at * 80 + 200] for at in clip.positions]
    level = np.sqrt(np.mean([np.mean(np.square(frame)) for frame in frames]))
    gain = 2 * np.log(0.1 / level) * np.sqrt(plain.cepstra.n_filters)
    np.testing.assert_allclose(loud.features[:, 0] - clip.features[:, 0], gain, atol=0.02)


@pytest.mark.parametrize("backend", ["native", "librosa", "python_speech_features"])
@pytest.mark.parametrize("n_samples", [16000, 15999, 8123, 500])
def test_each_frame_of_each_backend_is_judged(backend, n_samples, monkeypatch):
    judged = []

    def all_spoken(samples, rate, starts, length):
        judged.append(len(starts))
        return np.ones(len(starts), dtype=bool)

    monkeypatch.setattr(_extraction, "speech_frames", all_spoken)
    monkeypatch.setattr(_extraction, "LEAST_SPEECH", 0.0)
    transformer = MFCCTransformer(backend=backend, speech_only=True, n_fft=512, scale="slaney", energy=False)
    if backend == "python_speech_features":
        transformer.set_params(scale="mel")
    if backend == "librosa":
        transformer.set_params(preemphasis=0.0, triangles="exact")
    (clip,) = transformer.extract([noise(n_samples)])
    assert [len(clip.features)] == judged


WHOLE = {
    "plain": {},
    "own rate": {"sample_rate": None},
    "trimmed": {"dtype": "float64", "trim_silence": 30.0, "level": -26.0, "normalize": "zscore", "deltas": 2},
    "first frames": {"dtype": "float64", "normalize": "minmax", "max_frames": 100, "deltas": 1},
    "speech": {"speech_only": True, "level": -26.0, "normalize": "mean", "n_mfcc": None},
    "speech, double": {"speech_only": True, "normalize": "zscore", "dtype": "float64", "deltas": 1},
    "left": {"channel": "left", "level": -20.0},
}


@pytest.mark.parametrize("phase", [0, 1, 63, 64, 65, 159])
@pytest.mark.parametrize("changes", WHOLE.values(), ids=WHOLE)
def test_features_of_blocks_are_those_of_the_whole(changes, phase, tmp_path, monkeypatch):
    def spoken(samples, sample_rate, starts, length):
        frame = starts * 100 // sample_rate
        return (frame + phase) % 64 % 9 < 5

    monkeypatch.setattr(_extraction, "speech_frames", spoken)
    channels = 0.1 * noise(2 * 30_000 + 2 * phase).reshape(-1, 2)
    channels[:500] = channels[-700:] = 1e-5
    soundfile.write(tmp_path / "a.wav", channels, 22050, subtype="FLOAT")
    # Read in the same parts before, and in double precision where normalisation magnifies rounding.
    monkeypatch.setattr("voicelstm.audio._samples._BLOCK", 5000 + phase)
    monkeypatch.setattr("voicelstm.audio._with_soundfile._FIRST_BLOCK", 6000 + phase)
    monkeypatch.setattr("voicelstm.audio._with_soundfile._BLOCK", 6000 + phase)
    own = ExtractionSettings.of(MFCCTransformer(**changes).get_params() | {"augment": None})
    ((expected,), _) = extract(tmp_path / "a.wav", [own])
    monkeypatch.setattr("voicelstm.audio._samples._MOST_IN_MEMORY", 1000)
    monkeypatch.setattr("voicelstm.audio._stored_samples._BLOCK", 1000 + phase)
    monkeypatch.setattr("voicelstm.features._cepstra._BLOCK_BYTES", 1)  # of 64 frames
    monkeypatch.setattr("voicelstm.features._deltas._ROWS_AT_ONCE", 50)
    stored = []
    original = _extraction.peak_of
    monkeypatch.setattr(_extraction, "peak_of", lambda samples: stored.append(samples) or original(samples))
    ((found,), _) = extract(tmp_path / "a.wav", [own])
    assert type(stored[0]).__name__ == "StoredSamples"
    largest = np.abs(expected.features).max()
    np.testing.assert_allclose(found.features, expected.features, rtol=1e-6, atol=1e-6 * largest)
    same = ("offset", "duration", "silent", "fingerprint", "speech")
    assert [getattr(found, name) for name in same] == [getattr(expected, name) for name in same]


@pytest.mark.parametrize("n_samples", [1, 2, 399, 400, 401, 560, 561])
@pytest.mark.parametrize("most", [0, 1, 400, 1000])
def test_short_recordings_in_blocks_are_as_in_memory(n_samples, most, monkeypatch):
    own = ExtractionSettings.of(MFCCTransformer(level=-26.0).get_params() | {"augment": None})
    recording = noise(n_samples)
    ((expected,), _) = extract(recording, [own])
    monkeypatch.setattr("voicelstm.audio._samples._MOST_IN_MEMORY", most)
    monkeypatch.setattr("voicelstm.audio._stored_samples._BLOCK", 7)
    ((found,), _) = extract(recording, [own])
    np.testing.assert_allclose(found.features, expected.features, rtol=1e-6)


@pytest.mark.parametrize(
    "changes", [{"backend": "python_speech_features"}, {"amplitude": "scipy"}, {"channel": "interleaved"}]
)
def test_what_reads_a_recording_whole_has_it_in_memory(changes, tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", noise(8000).reshape(-1, 2), RATE)
    own = ExtractionSettings.of(MFCCTransformer(**changes).get_params() | {"augment": None})
    ((expected,), _) = extract(tmp_path / "a.wav", [own])
    monkeypatch.setattr("voicelstm.audio._samples._MOST_IN_MEMORY", 0)
    ((found,), _) = extract(tmp_path / "a.wav", [own])
    np.testing.assert_array_equal(found.features, expected.features)
