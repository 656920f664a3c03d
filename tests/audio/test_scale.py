import warnings

import numpy as np
import pytest
import soundfile

from voicelstm import MFCCTransformer
from voicelstm.audio import read_audio
from voicelstm.exceptions import AudioWarning

PCM = np.round(np.random.default_rng(0).normal(scale=3000, size=8000)).astype(np.int16)


def remarks_on(recording):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        samples, _ = read_audio(recording)
    assert all(each.category is AudioWarning for each in caught)
    return samples, [str(each.message) for each in caught]


def test_the_least_16_bit_value_is_one():
    assert len(remarks_on((np.array([-(2**15), 0], np.int32), 8000))[1]) == 1


@pytest.mark.parametrize(("dtype", "centre"), [(np.uint32, 2**31), (np.uint64, 2**63)])
def test_unsigned_values_are_those_around_the_middle_of_their_range(dtype, centre):
    samples = (PCM.astype(np.int64) + 2**15).astype(dtype) + dtype(centre - 2**15)
    _, remarks = remarks_on((samples, 8000))
    assert len(remarks) == 1
    assert remarks[0].startswith(f"the recording: samples of type {np.dtype(dtype)} are divided")


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "float64"])
def test_16_bit_values_of_another_type_are_announced(dtype):
    samples, remarks = remarks_on((PCM.astype(dtype), 8000))
    assert len(remarks) == 1
    if dtype.startswith("int"):
        assert (
            f"samples of type {dtype} are divided by its full range, 2**{int(dtype[3:]) - 1}," in remarks[0]
        )
        assert "samples.astype(numpy.int16)" in remarks[0]
        assert np.abs(samples).max() < 1e-4
    else:
        assert "the recording: samples beyond 16, where full scale is 1" in remarks[0]
        assert samples.max() == PCM.max()


@pytest.mark.parametrize(
    "scaled",
    [
        PCM,
        PCM.astype(np.int32) << 16,
        PCM.astype(np.int64) << 48,
        PCM / 32768,
        15 * PCM / 32768,
        np.zeros(100, np.int32),
        np.tile(np.array([0, 1, -1], np.int32), 100),
        np.full(100, 200, np.uint8),
        np.array([2**15 + 1, -5], np.int32),
    ],
    ids=["int16", "int32", "int64", "float", "loud", "zeros", "dither", "uint8", "more than 16 bits"],
)
def test_samples_that_fill_their_type_are_not(scaled):
    assert remarks_on((scaled, 8000))[1] == []


@pytest.mark.parametrize(
    ("subtype", "values", "said"),
    [
        ("PCM_32", PCM.astype(np.int32), "32-bit samples that use the lowest 16 bits alone"),
        ("PCM_32", np.array([-(2**15), 2, 0], np.int32), "32-bit samples that use the lowest 16 bits alone"),
        ("FLOAT", PCM.astype(np.float32), "samples beyond 16, where full scale is 1"),
        ("DOUBLE", PCM.astype(np.float64), "samples beyond 16, where full scale is 1"),
    ],
)
def test_files_of_values_that_were_not_scaled_are_announced(subtype, values, said, tmp_path):
    path = tmp_path / "call.wav"
    soundfile.write(path, values, 8000, subtype=subtype)
    _, remarks = remarks_on(path)
    assert len(remarks) == 1
    assert remarks[0].startswith(f"{path}: {said}")


@pytest.mark.parametrize(
    ("subtype", "values"),
    [
        ("PCM_32", PCM.astype(np.int32) << 16),
        ("PCM_32", np.array([2**15 + 1, 0, 5], np.int32)),
        ("PCM_32", np.zeros(10, np.int32)),
        ("PCM_32", np.array([0, 1, -1], np.int32)),
        ("PCM_24", np.array([100 << 8, 0, 0], np.int32)),
        ("FLOAT", np.float32([1e-6, 0, 0])),
        ("FLOAT", np.float32([2.5, -3.0, 0.125])),
    ],
)
def test_files_of_scaled_or_silent_values_are_not(subtype, values, tmp_path):
    path = tmp_path / "call.wav"
    soundfile.write(path, values, 8000, subtype=subtype)
    assert remarks_on(path)[1] == []


def test_a_transformer_warns_once_of_a_batch_of_such_signals():
    batch = np.stack([PCM, PCM[::-1], 2 * (PCM // 2)]).astype(np.float64)
    with pytest.warns(AudioWarning, match="the recording: samples beyond 16") as caught:
        MFCCTransformer().transform(batch)
    assert len({str(each.message) for each in caught}) == 1
