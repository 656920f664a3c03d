from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest

from voicelstm.sequences import Clip
from voicelstm.sequences._store_files import Row


def test_a_clip_s_times_stand_in_the_order_in_which_a_folder_keeps_them():
    first, *times = (field.name for field in fields(Clip))
    kept = Row._fields[2:-1]
    assert first == "features"
    assert tuple(times) == (*kept, "silent", "fingerprint", "speech", "positions", "channel_statistics")


def test_a_clip_cannot_be_changed_and_is_not_silent_unless_that_is_said():
    clip = Clip(np.zeros((2, 3), "float32"), 0.5, 0.025, 0.01, 1.0)
    assert not clip.silent
    with pytest.raises(FrozenInstanceError):
        clip.offset = 0.0


def test_frames_begin_where_they_lay_before_others_were_left_out():
    clip = Clip(np.zeros((3, 1)), 0.5, 0.025, 0.01, 2.0, positions=np.array([0, 1, 100]))
    assert clip.starts(np.array([0, 2])).tolist() == [0.5, 1.5]
    assert Clip(np.zeros((3, 1)), 0.5, 0.025, 0.01, 2.0).starts(np.array([2])).tolist() == [0.52]
