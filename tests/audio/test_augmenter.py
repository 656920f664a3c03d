import pickle

import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from voicelstm import Augmenter, ClipStatistics, MFCCTransformer, SequenceStore, make_detector
from voicelstm.exceptions import StoreError

RATE = 16000
EFFECTS = (
    "reverberation_time",
    "noise_snr",
    "nonlinearity",
    "impulses",
    "highpass",
    "lowpass",
    "resample_rates",
    "codecs",
    "gain",
)


def only(**effects):
    """An augmenter with these effects, always."""
    return Augmenter(**{"probability": 1.0, "effect_probability": 1.0} | dict.fromkeys(EFFECTS) | effects)


def noise(n_samples, seed=0):
    return 0.1 * np.random.default_rng(seed).standard_normal(n_samples)


def keys(n_keys):
    return [f"recording {number}" for number in range(n_keys)]


def assert_same(one, other):
    assert len(one) == len(other)
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def in_db(ratio):
    return 20 * np.log10(ratio)


def test_ranges_are_drawn_from_evenly():
    samples = noise(4000)
    augmenter = only(noise_snr=(5.0, 25.0))
    changes = [augmenter(samples, RATE, key=key) - samples for key in keys(300)]
    snr = [in_db(np.std(samples) / np.sqrt(np.mean(change**2))) for change in changes]
    assert 5 - 0.01 <= min(snr) < 6 < 24 < max(snr) <= 25 + 0.01
    # Of 300 even draws from 20 dB, the mean's standard error is 20 / sqrt(12 * 300) = 0.33 dB.
    assert np.mean(snr) == pytest.approx(15, abs=1.3)
    gains = [in_db(only(gain=(-3.0, 6.0))(samples, RATE, key=key)[0] / samples[0]) for key in keys(50)]
    assert -3 <= min(gains) < 0 < 4 < max(gains) <= 6


def test_the_share_of_changed_recordings_and_of_effects_is_what_was_asked_for():
    samples = noise(100)

    def changed(augmenter):
        return [not np.array_equal(augmenter(samples, RATE, key=key), samples) for key in keys(1000)]

    # Three standard deviations of a share of 1,000 are at most 0.048.
    assert np.mean(changed(only(gain=(1.0, 2.0)).set_params(probability=0.3))) == pytest.approx(0.3, abs=0.05)
    augmenter = only(gain=(1.0, 2.0), noise_snr=(10.0, 20.0))
    assert np.mean(changed(augmenter.set_params(effect_probability=0.5))) == pytest.approx(0.75, abs=0.05)
    augmenter.set_params(effect_probability={"gain": 0.0, "noise_snr": 0.6})
    assert np.mean(changed(augmenter)) == pytest.approx(0.6, abs=0.05)


def test_draws_depend_on_the_seed_the_key_and_the_effect_and_on_nothing_else():
    samples = noise(2000)
    noisy = only(noise_snr=(5.0, 25.0))
    once = noisy(samples, RATE)
    noisy(noise(2000, seed=1), RATE)
    np.testing.assert_array_equal(noisy(samples.astype(np.float32), RATE), noisy(samples.astype("f4"), RATE))
    for copy in (noisy, clone(noisy), pickle.loads(pickle.dumps(noisy))):
        np.testing.assert_array_equal(copy(samples, RATE), once)
    louder = only(noise_snr=(5.0, 25.0), gain=(20.0, 20.0))
    np.testing.assert_allclose(louder(samples, RATE), 10 * once, rtol=1e-12)
    for other in (
        clone(noisy).set_params(random_state=1)(samples, RATE),
        noisy(samples, RATE, key="another"),
        noisy(samples[::-1], RATE)[::-1],
    ):
        assert np.abs(other - once).max() > 0.01


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rate", [500, 8000, 11000, 44100])
@pytest.mark.parametrize("n_samples", [0, 1, 2, 30, 1000])
def test_rate_type_and_number_of_samples_stay_and_silence_stays_silent(n_samples, rate, dtype):
    augmenter = only(**{name: getattr(Augmenter(), name) for name in EFFECTS})
    for scale in (1e-30, 1.0, 1e20):
        samples = (noise(n_samples) * scale).astype(dtype)
        before = samples.copy()
        for key in keys(7):
            changed = augmenter(samples, rate, key=key)
            assert (changed.shape, changed.dtype) == (samples.shape, dtype)
            assert np.isfinite(changed).all()
        np.testing.assert_array_equal(samples, before)
    assert not augmenter(np.zeros(n_samples, dtype), rate).any()


def test_effects_do_not_depend_on_how_loud_a_recording_is():
    augmenter = only(**{name: getattr(Augmenter(), name) for name in EFFECTS})
    samples = noise(4000)
    for key in keys(7):
        quiet = augmenter(samples / 1024, RATE, key=key)
        np.testing.assert_array_equal(1024 * quiet, augmenter(samples, RATE, key=key))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (
            {"noise_snr": (40.0, 5.0)},
            r"noise_snr=\(40.0, 5.0\).*pair \(low, high\).*in dB, within -100 to 100, or None",
        ),
        ({"noise_snr": 5.0}, "'noise_snr' parameter"),
        ({"noise_snr": (5.0,)}, "noise_snr="),
        ({"gain": (0.0, np.nan)}, "gain="),
        ({"gain": ("a", "b")}, "gain="),
        ({"noise_color": None}, "'noise_color' parameter"),
        ({"reverberation_time": (0.0, 1.0)}, "reverberation_time=.*within 0.01 to 10"),
        ({"lowpass": (0.0, 1.0)}, "lowpass="),
        ({"impulses": (0.0, 1.5)}, "impulses="),
        ({"resample_rates": (8000.5,)}, "resample_rates=.*whole Hz"),
        ({"resample_rates": ()}, "resample_rates="),
        ({"codecs": ("mp4",)}, "codecs=.*expected one or more of mu-law"),
        ({"codecs": "mp3"}, "'codecs' parameter"),
        ({"probability": 1.1}, "'probability' parameter"),
        ({"effect_probability": {"noise": 0.5}}, "effect_probability=.*noise_snr.*'noise' is not so"),
        ({"effect_probability": {"gain": 2.0}}, "effect_probability="),
        ({"random_state": None}, "'random_state' parameter"),
    ],
    ids=str,
)
def test_parameters_are_checked_before_any_recording_is_opened(params, words):
    with pytest.raises(ValueError, match=words):
        MFCCTransformer(augment=Augmenter(**params)).fit(["missing.wav"])
    with pytest.raises(ValueError, match=words):
        Augmenter(**params)(noise(10), RATE)


@pytest.mark.parametrize("samples", [np.zeros((2, 3)), np.zeros(3, dtype=np.int16), ["a.wav"]], ids=str)
def test_what_is_no_samples_is_refused(samples):
    with pytest.raises(ValueError, match="read_audio"):
        Augmenter()(samples, RATE)


def test_only_fit_transform_augments():
    X = [noise(1600 + 160 * n, seed=n) for n in range(8)]
    plain = MFCCTransformer(trim_silence=40.0).transform(X)
    transformer = MFCCTransformer(trim_silence=40.0, augment=only(noise_snr=(10.0, 20.0)))
    augmented = transformer.fit_transform(X)
    for ours, theirs in zip(augmented, plain, strict=True):
        assert ours.shape != theirs.shape or np.abs(ours - theirs).max() > 0.1
    assert_same(transformer.transform(X), plain)
    assert_same([clip.features for clip in transformer.extract(X)], plain)
    assert_same(transformer.set_params(augment__probability=0.0).fit_transform(X), plain)
    assert_same(transformer.set_params(augment=None).fit_transform(X), plain)


def test_pipelines_augment_what_they_are_fitted_on_and_nothing_else():
    X = [noise(1600, seed=n) for n in range(4)]
    transformer = MFCCTransformer(augment=Augmenter(random_state=3))
    pipeline = make_pipeline(transformer, ClipStatistics())
    expected = ClipStatistics().fit_transform(transformer.fit_transform(X))
    np.testing.assert_array_equal(pipeline.fit_transform(X), expected)
    np.testing.assert_array_equal(
        pipeline.transform(X), ClipStatistics().fit_transform(MFCCTransformer().transform(X))
    )


def test_augmentation_comes_before_trimming_and_levelling():
    silence, speech = np.zeros(8000), noise(8000)
    noisy = only(noise_snr=(20.0, 20.0))
    transformer = MFCCTransformer(trim_silence=40.0, level=-26.0, augment=noisy)
    recording = np.concatenate([silence, speech]).astype(np.float32)
    assert len(transformer.transform([recording])[0]) == 49
    augmented = transformer.fit_transform([recording])[0]
    assert len(augmented) == 99
    by_hand = noisy(recording, RATE)
    np.testing.assert_array_equal(augmented, transformer.transform([by_hand])[0])


@pytest.mark.parametrize("many", [1, 10**9], ids=["processes", "threads"])
def test_neither_order_nor_workers_nor_company_nor_names_change_what_is_drawn(many, tmp_path, monkeypatch):
    monkeypatch.setattr("voicelstm.features._workers._MANY", many)
    paths = [tmp_path / f"{number}.wav" for number in range(6)]
    for number, path in enumerate(paths):
        soundfile.write(path, noise(1600, seed=number), 8000)
    X = [*paths, noise(3000)]
    augmented = MFCCTransformer(augment=only(noise_snr=(5.0, 25.0), codecs=("mp3", "gsm")))
    alone = augmented.fit_transform(X)
    assert_same(clone(augmented).set_params(n_jobs=2).fit_transform(X), alone)
    assert_same(augmented.fit_transform(X[::-1]), alone[::-1])
    another = clone(augmented).set_params(augment__random_state=1).fit_transform(X)
    for ours, theirs in zip(another, alone, strict=True):
        assert np.abs(ours - theirs).max() > 0.1
    renamed = paths[0].rename(tmp_path / "renamed.wav")
    assert_same(augmented.fit_transform([renamed, X[-1]]), [alone[0], alone[-1]])


def test_a_cache_keeps_augmented_features_apart_by_the_augmenter_s_parameters(tmp_path, extractions):
    X = [noise(1600 + 160 * n, seed=n) for n in range(3)]
    plain = MFCCTransformer(cache_dir=tmp_path)
    plain_features = plain.fit_transform(X)
    augmented = MFCCTransformer(cache_dir=tmp_path, augment=only(noise_snr=(5, 25)))
    assert_same(augmented.transform(X), plain_features)
    assert len(extractions) == 3

    first = augmented.fit_transform(X)
    assert len(extractions) == 6
    assert_same(first, clone(augmented).set_params(cache_dir=None).fit_transform(X))
    del extractions[:]
    assert_same(clone(augmented).set_params(augment__noise_snr=[5, np.int64(25)]).fit_transform(X), first)
    assert extractions == []
    for change in ({"noise_snr": (5, 26)}, {"random_state": 1}, {"effect_probability": {"gain": 0.5}}):
        del extractions[:]
        clone(augmented.augment).set_params(**change)
        MFCCTransformer(
            cache_dir=tmp_path, augment=clone(augmented.augment).set_params(**change)
        ).fit_transform(X)
        assert len(extractions) == 3


def test_a_folder_of_augmented_features_refuses_others(tmp_path):
    X = [noise(1600), noise(800)]
    transformer = MFCCTransformer(augment=Augmenter())
    stored = transformer.fit_transform(X, out=tmp_path)
    assert_same(stored, transformer.fit_transform(X))
    assert_same(SequenceStore(tmp_path), stored)
    with pytest.raises(StoreError, match="made in another way: augment"):
        transformer.transform(X, out=tmp_path)


def test_an_augmenter_s_parameters_are_set_through_a_pipeline():
    detector = make_detector(features__augment=Augmenter())
    detector.set_params(features__augment__noise_snr=(0.0, 10.0))
    copy = clone(detector)
    assert copy["features"].augment is not detector["features"].augment
    assert copy.get_params()["features__augment__noise_snr"] == (0.0, 10.0)
    assert repr(copy["features"].augment) == "Augmenter(noise_snr=(0.0, 10.0))"


@pytest.mark.parametrize("seed", [-1, 0.5, None])
def test_a_bad_seed_of_channels_is_named_as_it_was_given(seed):
    with pytest.raises(
        ValueError, match=rf"'random_state' parameter of Augmenter must be .* Got {seed} inst"
    ):
        Augmenter.channels(random_state=seed)


def test_channels_are_six_that_differ_for_each_seed_and_hold_no_vorbis_unless_asked():
    samples = noise(4000)
    seeds = [Augmenter.channels(random_state=seed) for seed in range(3)]
    known = [each.random_state for channels in seeds for each in channels]
    assert len(set(known)) == len(known) == 18
    assert all("vorbis" not in (each.codecs or ()) for each in seeds[0])
    assert sum("vorbis" in (each.codecs or ()) for each in Augmenter.channels(vorbis=True)) == 1
    changed = [channel(samples, RATE) for channels in seeds[:2] for channel in channels]
    for position, one in enumerate(changed):
        assert np.abs(one - samples).max() > 1e-4
        assert all(not np.array_equal(one, other) for other in changed[:position])
    noisy = clone(seeds[0][4]).set_params(highpass=None, lowpass=None, reverberation_time=None)
    added = [np.std(noisy(samples, RATE, key=key) - samples) for key in keys(50)]
    levels = in_db(np.std(samples) / added)
    assert 9.5 < min(levels) < 15
    assert 35 < max(levels) < 40.5
