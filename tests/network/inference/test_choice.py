import sys

import numpy as np
import pytest

from voicelstm.network._architecture import Architecture
from voicelstm.network.inference import runs_in_numpy

NARROW, WIDE = Architecture(3, 1, (64,)), Architecture(3, 1, (64, 256))
MIXED = Architecture(3, 1, (64,), dtype="mixed_bfloat16")
FEW, MANY = np.full(2, 300), np.full(1000, 300)


@pytest.mark.parametrize("architecture", [NARROW, WIDE, MIXED])
@pytest.mark.parametrize("lengths", [FEW, MANY])
def test_a_parameter_forces_either(architecture, lengths):
    assert runs_in_numpy("numpy", architecture, lengths)
    assert not runs_in_numpy("keras", architecture, lengths)


def test_numpy_answers_but_where_keras_is_faster_or_asked_for_its_precision_or_devices():
    assert runs_in_numpy("auto", NARROW, FEW)
    assert runs_in_numpy("auto", NARROW, MANY)
    assert runs_in_numpy("auto", WIDE, FEW)
    assert not runs_in_numpy("auto", WIDE, MANY)
    assert not runs_in_numpy("auto", MIXED, FEW)
    assert not runs_in_numpy("auto", NARROW, FEW, distribution=object())


@pytest.mark.parametrize("error", [ImportError, RuntimeError])
def test_where_keras_is_missing_or_broken_numpy_does_what_is_keras_s(error, monkeypatch):
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "keras":
                raise error("broken")

    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    assert runs_in_numpy("auto", MIXED, FEW)
    assert runs_in_numpy("auto", WIDE, MANY)
    assert not runs_in_numpy("keras", NARROW, FEW)
