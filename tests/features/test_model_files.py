import numpy as np
import pytest

from tests.model_files.rewriting import rewritten
from voicelstm import Augmenter, MFCCTransformer, load, save
from voicelstm.exceptions import ModelFileError


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


@pytest.mark.parametrize(
    ("augment", "words"),
    [
        ({"augmenter": {"noise_snr": [9, 1]}}, "noise_snr"),
        ({"augmenter": {"codecs": ["os.system"]}}, "codecs"),
        ({"augmenter": {"shell": 1}}, "shell"),
        ({"augmenter": {"gain": {"augmenter": {}}}}, "gain"),
        ("Augmenter", "augment"),
    ],
)
def test_a_made_up_augmenter_is_refused(augment, words, tmp_path):
    save(MFCCTransformer(augment=Augmenter()), tmp_path / "m")
    rewritten(tmp_path / "m", lambda d, t: d["object"]["params"].update(augment=augment))
    with pytest.raises(ModelFileError, match=words):
        load(tmp_path / "m")
