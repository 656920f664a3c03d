import threading

import numpy as np
import pytest

from tests.network.inference.references import clips_of, keras_logits, weights_of, whole
from tests.network.networks import POOLINGS
from tests.network.stacks import PRECISE
from voicelstm.network._architecture import Architecture
from voicelstm.network.inference import InferenceNetwork, _inference_network

LENGTHS = (1, 2, 3, 5, 40, 17, 150, 8)
PACKAGED = ((12, 5, 2), (12, 3, 1), (12, 3, 2), (24, 3, 1), (24, 3, 2), (12, 3, 1))


@pytest.mark.every_backend
@pytest.mark.parametrize("convolutions", [(), ((2, 5, 2), (3, 3, 1), (2, 2, 3))])
@pytest.mark.parametrize(("units", "n_outputs"), [((6,), 1), ((7, 5), 3)])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_logits_are_those_of_keras(pooling, bidirectional, units, n_outputs, convolutions):
    architecture = Architecture(
        11, n_outputs, units, bidirectional=bidirectional, pooling=pooling, convolutions=convolutions
    )
    weights, clips = weights_of(architecture), clips_of(LENGTHS, 11)
    found = InferenceNetwork(architecture, weights).logits(whole(clips))
    np.testing.assert_allclose(found, keras_logits(architecture, weights, clips), rtol=0, atol=1e-5)


@pytest.mark.every_backend
@pytest.mark.parametrize(
    ("architecture", "lengths"),
    [
        (Architecture(11, 1, (5,), convolutions=((2, 1, 1), (3, 1, 2), (2, 4, 5))), LENGTHS),
        (Architecture(80, 1, (64,), True, "stats", convolutions=PACKAGED), (300, 300, 299, 20)),
        (Architecture(13, 1, (78, 78, 78, 13), pooling="last"), (600,)),
        (Architecture(20, 2, (64, 64)), (300, 120)),
    ],
)
def test_logits_of_networks_as_they_are_used_are_those_of_keras(architecture, lengths):
    weights, clips = weights_of(architecture), clips_of(lengths, architecture.n_features)
    found = InferenceNetwork(architecture, weights).logits(whole(clips))
    np.testing.assert_allclose(found, keras_logits(architecture, weights, clips), rtol=0, atol=1e-5)


@pytest.mark.every_backend
@pytest.mark.skipif(
    PRECISE != "float64", reason="JAX has double precision off, unless JAX_ENABLE_X64=1 as in CI"
)
def test_double_precision_is_kept():
    architecture = Architecture(5, 1, (6,), dtype="float64", convolutions=((2, 3, 2),))
    weights, clips = weights_of(architecture), clips_of((30, 9), 5, dtype="float64")
    found = InferenceNetwork(architecture, weights).logits(whole(clips, "float64"))
    assert found.dtype == np.float64
    single = {name: values.astype(np.float32) for name, values in weights.items()}
    in_single = InferenceNetwork(Architecture(5, 1, (6,), convolutions=((2, 3, 2),)), single)
    difference = np.abs(in_single.logits(whole([clip.astype("f4") for clip in clips])) - found).max()
    assert 0 < difference < 1e-5


@pytest.mark.parametrize("convolutions", [(), ((2, 3, 2),)])
def test_segments_score_the_same_in_whatever_groups(convolutions, monkeypatch):
    architecture = Architecture(5, 1, (6,), convolutions=convolutions)
    network, clips = InferenceNetwork(architecture, weights_of(architecture)), clips_of((9, 80, 33, 9, 1), 5)
    together = network.logits(whole(clips))
    alone = [network.logits(whole([clip]))[0] for clip in clips]
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6)
    monkeypatch.setattr(_inference_network, "_MOST_NUMBERS", 100)
    monkeypatch.setattr(_inference_network, "cpu_count", lambda: 3)
    np.testing.assert_allclose(network.logits(whole(clips)), together, rtol=0, atol=1e-6)
    monkeypatch.setattr(_inference_network, "cpu_count", lambda: 1)
    np.testing.assert_allclose(network.logits(whole(clips)), together, rtol=0, atol=1e-6)


def test_threads_that_ask_together_hear_what_one_hears():
    architecture = Architecture(11, 1, (6, 5), bidirectional=True, convolutions=((4, 3, 2), (4, 3, 1)))
    network, clips = InferenceNetwork(architecture, weights_of(architecture)), clips_of(range(20, 60), 11)
    expected = [network.logits(whole([clip])) for clip in clips]
    wrong = []

    def ask(first):
        for number in range(first, len(clips), 4):
            if (network.logits(whole([clips[number]])) != expected[number]).any():
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(first % 4,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_values_that_overflow_raise_no_warning():
    architecture = Architecture(3, 1, (4,), convolutions=((2, 3, 2),))
    weights = weights_of(architecture)
    (clip,) = clips_of([20], 3)
    clip[3] = 3e38
    with np.errstate(all="raise"):
        found = InferenceNetwork(architecture, weights).logits(whole([clip * np.float32(1)]))
    assert found.shape == (1, 1)
