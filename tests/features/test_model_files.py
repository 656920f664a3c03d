import numpy as np
import pytest

from tests.model_files.rewriting import rewritten
from voicelstm import Augmenter, CepstralDynamics, MFCCTransformer, load, save
from voicelstm.exceptions import ModelFileError
from voicelstm.features._model_files import describe_transformer


def test_an_augmenter_is_kept_as_its_parameters(small_voices, tmp_path):
    (X, _), _ = small_voices
    augmenter = Augmenter(noise_snr=(1, np.float64(9)), effect_probability={"gain": 0.5}, codecs=["gsm"])
    transformer = MFCCTransformer(augment=augmenter)
    save(transformer, tmp_path / "m")
    loaded = load(tmp_path / "m")
    kept = loaded.augment.get_params()
    assert kept == augmenter.get_params() | {"codecs": ("gsm",)}
    for ours, theirs in zip(loaded.fit_transform(X), transformer.fit_transform(X), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_sequence_of_augmenters_is_kept(tmp_path):
    augmenters = Augmenter.channels(random_state=2)
    save(MFCCTransformer(augment=augmenters), tmp_path / "m")
    kept = load(tmp_path / "m").augment
    assert [each.get_params() for each in kept] == [each.get_params() for each in augmenters]


@pytest.mark.parametrize(
    ("augment", "words"),
    [
        ({"augmenter": {"noise_snr": [9, 1]}}, "noise_snr"),
        ({"augmenter": {"codecs": ["os.system"]}}, "codecs"),
        ({"augmenter": {"shell": 1}}, "shell"),
        ({"augmenter": {"gain": {"augmenter": {}}}}, "gain"),
        ("Augmenter", "augment"),
        ([], "expected an Augmenter, a sequence"),
        ([{"augmenter": {}}, 3], "expected an Augmenter, a sequence"),
        ([{"augmenter": {"gain": [9, 1]}}], "gain"),
    ],
)
def test_a_made_up_augmenter_is_refused(augment, words, tmp_path):
    save(MFCCTransformer(augment=Augmenter()), tmp_path / "m")
    rewritten(tmp_path / "m", lambda d, t: d["object"]["params"].update(augment=augment))
    with pytest.raises(ModelFileError, match=words):
        load(tmp_path / "m")


def test_parameters_that_contradict_each_other_are_not_written():
    with pytest.raises(ValueError, match="n_mfcc=41"):
        describe_transformer(MFCCTransformer(n_mfcc=41), "", {})


def test_a_transformer_keeps_the_width_of_its_signals_where_it_has_one(tmp_path):
    save(MFCCTransformer().fit(np.zeros((2, 800))), tmp_path / "m")
    assert load(tmp_path / "m").n_features_in_ == 800
    save(MFCCTransformer(), tmp_path / "m")
    assert not hasattr(load(tmp_path / "m"), "n_features_in_")
    rewritten(tmp_path / "m", lambda d, t: d["object"].update(n_features_in_=-1))
    with pytest.raises(ModelFileError, match="number of samples per signal"):
        load(tmp_path / "m")


@pytest.mark.parametrize(
    ("name", "value"),
    [("centre", 1e3), ("centre", -1e3), ("centre", np.nan), ("scale", 0.0), ("scale", -1.0), ("scale", 1e3)],
)
def test_dynamics_of_no_sequences_are_refused(name, value, tmp_path):
    dynamics = CepstralDynamics(lags=(1,)).fit(np.random.default_rng(0).standard_normal((3, 200, 2)))
    save(dynamics, tmp_path / "m")
    np.testing.assert_array_equal(load(tmp_path / "m").scale_, dynamics.scale_)
    rewritten(tmp_path / "m", lambda d, t: t[name].__setitem__(-1, value))
    with pytest.raises(ModelFileError):
        load(tmp_path / "m")


def test_fingerprints_are_kept_and_checked(tmp_path):
    transformer = MFCCTransformer()
    transformer.fit_transform([np.sin(np.arange(1600.0) * k) for k in (1, 2, 3)])
    save(transformer, tmp_path / "m")
    np.testing.assert_array_equal(load(tmp_path / "m").fingerprints_, transformer.fingerprints_)
    save(MFCCTransformer(), tmp_path / "none")
    assert not hasattr(load(tmp_path / "none"), "fingerprints_")
    for wrong in ([3, 2], [2, 2], [-1, 5]):
        transformer.fingerprints_ = np.array(wrong)
        save(transformer, tmp_path / "m")
        with pytest.raises(ModelFileError, match="fingerprints are not ascending"):
            load(tmp_path / "m")
