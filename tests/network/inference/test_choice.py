import os
import sys

import numpy as np
import pytest

from voicelstm.network._architecture import Architecture
from voicelstm.network.inference import _choice, runs_in_numpy

NARROW, WIDE = Architecture(3, 1, (64,)), Architecture(3, 1, (64, 256))
MIXED = Architecture(3, 1, (64,), dtype="mixed_bfloat16")
FEW, MANY, VERY_MANY = (np.full(n, 300) for n in (2, 1000, 20_000))


@pytest.fixture(autouse=True)
def without_gpu(monkeypatch):
    monkeypatch.setattr(_choice, "_sees_gpu", lambda: False)


@pytest.mark.parametrize("architecture", [NARROW, WIDE, MIXED])
@pytest.mark.parametrize("lengths", [FEW, VERY_MANY])
def test_a_parameter_forces_either(architecture, lengths):
    assert runs_in_numpy("numpy", architecture, lengths)
    assert not runs_in_numpy("keras", architecture, lengths)


def test_numpy_answers_but_where_keras_is_faster_or_asked_for_its_precision_or_devices():
    pytest.importorskip("keras")
    assert runs_in_numpy("auto", NARROW, FEW)
    assert runs_in_numpy("auto", NARROW, VERY_MANY)
    assert runs_in_numpy("auto", WIDE, FEW)
    assert runs_in_numpy("auto", WIDE, np.array([300_000]))
    assert not runs_in_numpy("auto", WIDE, MANY)
    assert not runs_in_numpy("auto", MIXED, FEW)
    assert not runs_in_numpy("auto", NARROW, FEW, distribution=object())


def test_a_gpu_does_what_takes_seconds_in_numpy(monkeypatch):
    monkeypatch.setattr(_choice, "_sees_gpu", lambda: True)
    monkeypatch.setattr(_choice, "_keras_works", lambda: True)
    assert runs_in_numpy("auto", NARROW, FEW)
    assert not runs_in_numpy("auto", NARROW, VERY_MANY)


def test_a_process_that_has_not_loaded_keras_loads_it_for_no_less_than_a_minute_s_work(monkeypatch):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(_choice, "_keras_works", lambda: True)
    assert runs_in_numpy("auto", WIDE, MANY)
    assert not runs_in_numpy("auto", WIDE, VERY_MANY)


def test_a_process_that_was_forked_asks_no_keras_that_it_did_not_load(monkeypatch):
    pytest.importorskip("keras")
    monkeypatch.setattr(_choice, "_loaded_in", os.getpid() - 1)
    assert runs_in_numpy("auto", WIDE, MANY)
    assert not runs_in_numpy("keras", WIDE, MANY)


@pytest.mark.parametrize("error", [ImportError, RuntimeError])
def test_where_keras_is_missing_or_broken_numpy_does_what_is_keras_s(error, monkeypatch):
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "keras":
                raise error("broken")

    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    assert runs_in_numpy("auto", MIXED, FEW)
    assert runs_in_numpy("auto", WIDE, VERY_MANY)
    assert not runs_in_numpy("keras", NARROW, FEW)
