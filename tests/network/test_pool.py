import subprocess
import sys
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import keras
import pytest

from voicelstm.network import _pool as network_pool
from voicelstm.network._architecture import Architecture
from voicelstm.network._model import Compilation
from voicelstm.network._pool import acquire_network

# In a process of its own, where no other test's networks are, and which may fork.
_IN_ANOTHER = """
import gc
import os
import numpy as np
from tensorflow.python.framework.func_graph import FuncGraph
from voicelstm import LSTMVoiceClassifier
from voicelstm.network import _pool

_pool._MAX_IDLE = 2
X = np.random.default_rng(0).normal(size=(8, 5, 2))
for units in range(1, 6):
    classifier = LSTMVoiceClassifier(units=(units,), max_steps=1, random_state=0).fit(X, [0, 1] * 4)
gc.collect()
# isinstance would ask dead proxies
print(sum(type(each) is FuncGraph for each in gc.get_objects()), flush=True)
if os.fork() == 0:
    try:
        classifier.set_params(inference="keras").predict_proba(X)
    except RuntimeError as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
"""


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="no other backend has such graphs")
def test_of_networks_that_were_dropped_no_graph_is_left_and_a_forked_process_says_what_does_not_work():
    done = subprocess.run([sys.executable, "-c", _IN_ANOTHER], capture_output=True, text=True, timeout=240)
    graphs, said = done.stdout.splitlines()
    assert int(graphs) == 2  # one training step of each network that waits for its next use
    assert "forked from one in which tensorflow had run" in said
    assert "'loky'" in said


def test_the_kernel_cache_is_cleared_with_every_eighth_network_that_is_dropped(monkeypatch):
    cleared = []
    monkeypatch.setattr(network_pool, "_idle", OrderedDict())
    monkeypatch.setattr(network_pool, "_n_dropped", 0)
    monkeypatch.setattr(network_pool, "_most_in_use", 1)
    monkeypatch.setattr(network_pool, "Network", lambda architecture, compilation: object())
    monkeypatch.setattr(network_pool, "clear_kernel_cache", lambda: cleared.append(n_outputs))
    for n_outputs in range(1, 26):
        with network_pool.acquire_network(n_outputs, Compilation()):
            pass
    assert cleared == [16, 24]  # eight wait for their next use


def test_a_released_network_is_acquired_again():
    architecture = Architecture(3, 1, (2,))
    with acquire_network(architecture, Compilation()) as first:
        pass
    with acquire_network(architecture, Compilation()) as second:
        assert second is first


def test_a_network_that_is_not_shared_is_built_for_one_use(monkeypatch):
    monkeypatch.setattr(network_pool, "_idle", OrderedDict())
    monkeypatch.setattr(network_pool, "Network", lambda architecture, compilation: object())

    def acquired(shared):
        with network_pool.acquire_network("a", Compilation(), shared=shared) as network:
            return network

    idle = acquired(shared=True)
    own = [acquired(shared=False) for _ in range(2)]
    assert len({id(network) for network in (idle, *own)}) == 3
    assert acquired(shared=True) is idle


@pytest.fixture
def built(monkeypatch):
    """Networks that an empty pool has built."""
    networks = []

    def build(architecture, compilation):
        networks.append(object())
        return networks[-1]

    monkeypatch.setattr(network_pool, "_idle", OrderedDict())
    monkeypatch.setattr(network_pool, "_most_in_use", 0)
    monkeypatch.setattr(network_pool, "Network", build)
    return networks


def test_twelve_threads_build_twelve_networks_once(built):
    all_have_one = threading.Barrier(12)

    def use(_):
        with network_pool.acquire_network("a", Compilation()):
            all_have_one.wait(60)

    with ThreadPoolExecutor(12) as threads:
        for _ in range(5):
            list(threads.map(use, range(12)))
    assert len(built) == 12


def test_one_thread_keeps_eight_networks_for_their_next_use(built):
    for architecture in [*range(9), *range(1, 9), 0]:  # the first makes room for the ninth
        with network_pool.acquire_network(architecture, Compilation()):
            pass
    assert len(built) == 10


def test_a_network_that_fails_is_in_use_no_more(built):
    for _ in range(20):
        with pytest.raises(KeyError), network_pool.acquire_network("a", Compilation()):
            raise KeyError
    assert len(built) == 1
    assert network_pool._most_in_use == 1
