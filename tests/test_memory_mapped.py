import numpy as np
import pytest

from voicelstm import LSTMVoiceClassifier, MFCCTransformer
from voicelstm.sequences._checking import checked_clips


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


@pytest.mark.parametrize("form", [np.asarray, list, lambda clips: clips[:, :, 0]], ids=["3-D", "list", "2-D"])
def test_values_beyond_the_networks_precision_are_refused_before_training(form):
    clips = np.random.default_rng(0).normal(size=(20, 30, 4))
    classifier = small().fit(form(clips), Y)
    clips[3, 2, 0] = -1e39
    for method in (lambda: classifier.fit(form(clips), Y), lambda: classifier.predict(form(clips))):
        with pytest.raises(ValueError, match=r"too large for dtype='float32' in clips \[3\]"):
            method()
    small(dtype="float64", max_epochs=1).fit(form(clips), Y)


@pytest.mark.parametrize("kind", ["complex64", "U8", "m8[s]"])
def test_clips_that_are_no_real_numbers_are_refused_in_a_list(kind):
    with pytest.raises(ValueError, match=r"X\[0\] is not a numeric array"):
        small().fit(list(np.ones((4, 5, 2), dtype=int).astype(kind)), [0, 1, 0, 1])


@pytest.mark.parametrize("n_clips", [1, 2, 5, 33])
def test_a_clips_score_does_not_depend_on_how_many_are_asked_for(n_clips):
    generator = np.random.default_rng(0)
    clips = [generator.normal(size=(20 + 7 * i, 3)).astype(np.float32) for i in range(40)]
    classifier = small(segment_frames=50, batch_size=32).fit(clips, [0, 1] * 20)
    expected = classifier.decision_function(clips)[:n_clips]
    np.testing.assert_allclose(classifier.decision_function(clips[:n_clips]), expected, rtol=0, atol=1e-6)
