import numpy as np
import pandas as pd

from voicelstm.datasets._groups import enough_speakers, group_columns


def test_groups_come_in_many_forms():
    names = np.array(["a", "b"])
    for given, expected in (
        (None, []),
        ({"system": ["a", "b"], "speaker": names}, ["system", "speaker"]),
        (pd.DataFrame({"codec": names}), ["codec"]),
        (pd.Series(names), ["speaker"]),
        (np.array([["a", 1], ["b", 2]]), ["0", "1"]),
    ):
        columns = group_columns(given, 2)
        assert list(columns) == expected
        assert all(column.shape == (2,) for column in columns.values())


def test_speakers_are_enough_from_five_in_each_class_on():
    human = np.repeat([True, False], 5)
    speaker = np.array(list("abcdefghij"))
    assert enough_speakers(speaker, human)
    assert not enough_speakers(np.where(speaker == "b", "a", speaker), human)
    assert not enough_speakers(np.where(speaker == "g", "f", speaker), human)
