from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest

from voicelstm.sequences import Clip
from voicelstm.sequences._store_files import Row


def test_a_clip_s_times_stand_in_the_order_in_which_a_folder_keeps_them():
    first, *times, silent, fingerprint = (field.name for field in fields(Clip))
    assert (first, silent, fingerprint) == ("features", "silent", "fingerprint")
    assert tuple(times) == Row._fields[2:-1]


def test_a_clip_cannot_be_changed_and_is_not_silent_unless_that_is_said():
    clip = Clip(np.zeros((2, 3), "float32"), 0.5, 0.025, 0.01, 1.0)
    assert not clip.silent
    with pytest.raises(FrozenInstanceError):
        clip.offset = 0.0
