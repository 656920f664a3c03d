import numpy as np
import pytest

from voicelstm import LSTMVoiceClassifier, MFCCTransformer
from voicelstm.inputs import checked_clips


def small(**changes):
    return LSTMVoiceClassifier(**({"units": (4,), "max_epochs": 2, "random_state": 0} | changes))


@pytest.fixture
def mapped(tmp_path, request):
    """Twenty clips of two classes on disk, of the type that the test is given."""
    values = np.random.default_rng(0).normal(5, 3, size=(20, 30, 4)) + np.arange(20)[:, None, None] % 2
    disk = np.memmap(tmp_path / "clips.bin", dtype=request.param, mode="w+", shape=values.shape)
    disk[:] = values
    disk.flush()
    return np.memmap(tmp_path / "clips.bin", dtype=request.param, mode="r", shape=values.shape)


TYPES = ["float32", "float64", "int16"]
Y = [0, 1] * 10


@pytest.mark.parametrize("mapped", TYPES, indirect=True)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mapped_clips_stay_on_disk_whatever_their_type(mapped, dtype):
    for batch in (mapped, list(mapped)):
        for clip in checked_clips(small(dtype=dtype), batch, expected=None):
            assert np.shares_memory(clip, mapped)


@pytest.mark.parametrize("mapped", TYPES, indirect=True)
def test_mapped_clips_teach_what_they_teach_in_memory(mapped):
    in_memory = np.array(mapped, dtype=np.float32)
    expected = small().fit(in_memory, Y).predict_proba(in_memory)
    found = small().fit(mapped, Y).predict_proba(mapped)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("mapped", ["float32"], indirect=True)
def test_a_2d_map_is_a_batch_of_sequences_of_one_feature(mapped):
    signals = mapped.reshape(20, -1)
    assert all(np.shares_memory(clip, mapped) for clip in checked_clips(small(), signals, expected=None))
    assert small().fit(signals, Y).n_features_in_ == 120


@pytest.mark.parametrize("features", ["float32", "float64"])
def test_a_store_teaches_what_its_sequences_teach_in_memory_and_stays_on_disk(features, tmp_path):
    generator = np.random.default_rng(0)
    recordings = [generator.normal(size=4000 + 500 * i) for i in range(12)]
    transformer = MFCCTransformer(n_mfcc=4, deltas=0, dtype=features)
    store = transformer.transform(recordings, out=tmp_path / "store")
    labels = [0, 1] * 6
    classifier = small()
    everything = store[0].base
    assert all(np.shares_memory(clip, everything) for clip in checked_clips(classifier, store, expected=None))
    found = classifier.fit(store, labels).predict_proba(store)
    in_memory = transformer.transform(recordings)
    expected = small().fit(in_memory, labels).predict_proba(in_memory)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_an_empty_store_is_said_to_be_empty(tmp_path):
    store = MFCCTransformer(n_mfcc=4).transform([np.ones(4000)], out=tmp_path / "store")
    with pytest.raises(ValueError, match="no clips"):
        small().fit(store[:0], [])
