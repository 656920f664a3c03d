import numpy as np
import pytest

from voicelstm import MFCCTransformer, calibrate, save
from voicelstm.command._model import front_end_and_rest


def test_both_parts_of_a_file_score_as_the_detector_does(small_detector, small_voices, tmp_path):
    X, y = small_voices[1]
    wrapped = calibrate(small_detector, X, y)
    for position, detector in enumerate((small_detector, wrapped)):
        path = tmp_path / f"{position}.voicelstm"
        save(detector, path)
        transformer, rest = front_end_and_rest(path)
        assert transformer.get_params() == small_detector["features"].get_params()
        np.testing.assert_allclose(
            rest.predict_proba(transformer.transform(X)), detector.predict_proba(X), rtol=1e-6
        )


def test_a_file_without_a_detector_is_named(tmp_path):
    path = tmp_path / "front_end.voicelstm"
    save(MFCCTransformer().fit(["a.wav"]), path)
    with pytest.raises(
        ValueError, match=r"front_end\.voicelstm: A detector of recordings was expected.*MFCCTransformer"
    ):
        front_end_and_rest(path)
