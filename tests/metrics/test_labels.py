"""Labels of every form in which they come."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import DataConversionWarning

from tests.metrics.clips import both
from voicelstm.metrics import bootstrap_interval, cllr, equal_error_rate
from voicelstm.metrics._labels import as_labels, check_labels


@pytest.mark.parametrize(
    "y",
    [
        ["human", "synthetic"],
        np.array(["human", "synthetic"], dtype=object),
        pd.Series(["human", "synthetic"], dtype="category"),
    ],
)
def test_labels_come_as_an_array_of_one_kind(y):
    labels = check_labels(y)
    assert labels.tolist() == ["human", "synthetic"]
    assert labels.dtype.kind == "U"


@pytest.mark.parametrize(
    "y", [[0.0, 1.0, 1.0], np.array([0.0, 1.0], dtype=np.float32), [False, True], [2, 3]]
)
def test_numbers_are_labels(y):
    np.testing.assert_array_equal(as_labels(y, "y"), y)


_ONE_HOT = re.escape(
    "(5, 2); expected one label per clip. These are one-hot. Name their classes:"
    " np.array(['class of column 0', 'class of column 1'])[np.argmax(y, axis=1)]."
)


def test_a_column_of_labels_is_taken_with_a_warning_and_one_hot_labels_are_refused():
    y, scores = both([2, 3, 0], [0, 1])
    for metric in (cllr, lambda *given: bootstrap_interval(equal_error_rate, *given, random_state=0)):
        with pytest.warns(DataConversionWarning, match=r"y_true has shape \(5, 1\)"):
            assert metric(y[:, None], scores) == metric(y, scores)
        with pytest.raises(ValueError, match=_ONE_HOT):
            metric(np.column_stack([y == "human", y == "synthetic"]).astype(int), scores)
        with pytest.raises(ValueError, match=r"y_true has shape \(5, 2\); expected one label per clip.$"):
            metric(np.column_stack([y, y]), scores)


@pytest.mark.parametrize("y", [[[1, 1], [0, 1]], [[0, 0], [0, 1]], [[2, -1], [0, 1]], [[[1, 0]], [[0, 1]]]])
def test_only_rows_with_a_single_one_are_called_one_hot(y):
    with pytest.raises(ValueError, match=r"expected one label per clip\.$"):
        as_labels(np.array(y), "y")


def test_what_is_asked_for_by_name_is_refused_by_name():
    with pytest.raises(ValueError, match="classes is empty"):
        as_labels([], "classes")
    with pytest.raises(ValueError, match="classes holds labels that differ only in spelling: 'A' and 'a'"):
        check_labels(["A", "a"], "classes")
