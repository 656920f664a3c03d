import json
import os
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.utils import check_array

from voicelstm import MFCCTransformer
from voicelstm._base import (
    DocumentationLink,
    StoppedError,
    check_not_empty,
    check_stopped,
    checked_units,
    is_instance_of,
    json_text,
    json_value,
    python_value,
    restored_on_failure,
    stoppable,
    write_whole,
)

API = Path(__file__).parents[1] / "docs" / "api.rst"


def test_python_values_can_be_hashed_and_are_no_longer_numpys():
    found = python_value({"window": ["kaiser", np.float64(8.0)], "rates": np.array([8000, 16000])})
    assert found == {"window": ("kaiser", 8.0), "rates": (8000, 16000)}
    assert {type(number) for number in found["rates"]} == {int}
    assert hash(found["window"]) == hash(("kaiser", 8.0))
    assert python_value(None) is None


def test_json_has_none_for_numbers_that_are_not_finite():
    value = {1: np.array([1.5, np.nan]), "text": "é", "some": (True, None, np.int64(3), float("-inf"))}
    assert json_value(value) == {"1": [1.5, None], "text": "é", "some": [True, None, 3, None]}
    assert json.loads(json_text(json_value(value))) == json_value(value)


def test_json_numbers_are_rounded_to_the_digits_asked_for():
    assert json_value([1 / 3, np.float32(0.1), 123456789], 7) == [0.3333333, 0.1, 123456789]
    assert json_value(1 / 3) == 1 / 3


def test_a_file_is_replaced_at_once_and_leaves_no_other(tmp_path):
    path = tmp_path / "model"
    for content in (b"first", b"second"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_writing_that_fails_leaves_the_file_that_was_there_and_no_other(step, error, tmp_path, monkeypatch):
    path = tmp_path / "model"
    write_whole(path, b"first")

    def fail(*_):
        raise error

    monkeypatch.setattr(step, fail)
    with pytest.raises(error):
        write_whole(path, b"second")
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"first"


def test_a_file_takes_its_place_only_when_it_is_on_the_disk(tmp_path, monkeypatch):
    path = tmp_path / "model"
    path.write_bytes(b"first")
    flushed = []

    def fsync(descriptor):
        flushed.append((os.fstat(descriptor).st_size, path.read_bytes()))

    monkeypatch.setattr("os.fsync", fsync)
    write_whole(path, b"longer")
    assert flushed == [(6, b"first")]


def test_a_folder_that_is_missing_is_named_and_not_made(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder .*nowhere does not exist"):
        write_whole(tmp_path / "nowhere" / "model", b"")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_batch_is_refused_in_the_words_of_scikit_learn():
    check_not_empty([0], "clips")
    with pytest.raises(ValueError, match="X has no clips") as ours:
        check_not_empty((), "clips")
    with pytest.raises(ValueError, match="0 sample") as theirs:
        check_array(np.zeros((0, 2)))
    words = r"Found array with 0 sample\(s\) .*while a minimum of 1 is required"
    assert re.match(words, str(ours.value))
    assert re.match(words, str(theirs.value))


@pytest.mark.parametrize(
    ("units", "expected"), [(5, (5,)), ([5, np.int64(3)], (5, 3)), (np.array([4, 2]), (4, 2)), ((1,), (1,))]
)
def test_units_are_a_tuple_of_python_s_integers(units, expected):
    found = checked_units(units)
    assert found == expected
    assert {type(n) for n in found} == {int}


@pytest.mark.parametrize("units", [0, -1, 2.0, True, (), [4, 0], [4, None], "8", None], ids=repr)
def test_units_that_are_no_positive_integers_are_refused_as_they_were_given(units):
    with pytest.raises(ValueError, match=re.escape(f"units={units!r} must be one or more positive integers")):
        checked_units(units)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_estimator_is_as_it_was_after_a_fit_that_failed(error):
    estimator = SimpleNamespace(classes_=["a", "b"], n_iter_=3)
    before = dict(vars(estimator))

    def fit():
        estimator.n_iter_, estimator.history_ = 9, {}
        del estimator.classes_
        raise error

    with pytest.raises(error), restored_on_failure(estimator):
        fit()
    assert vars(estimator) == before


def test_an_estimator_keeps_what_a_fit_that_succeeds_has_set():
    estimator = SimpleNamespace(n_iter_=3)
    with restored_on_failure(estimator):
        estimator.n_iter_ = 9
    assert estimator.n_iter_ == 9


def test_an_estimator_links_to_its_page_of_the_documentation():
    assert isinstance(MFCCTransformer(), DocumentationLink)
    link = MFCCTransformer()._get_doc_link()
    assert link.startswith("https://voicelstm.readthedocs.io/")
    # Pages are made from the names that the API page lists after its module.
    assert link.endswith("/generated/voicelstm.MFCCTransformer.html")
    assert "\n   MFCCTransformer\n" in API.read_text(encoding="utf-8")


def test_work_is_stopped_where_its_thread_is_asked_to_and_nowhere_else():
    check_stopped()
    with stoppable(lambda: True):
        with stoppable(lambda: False):
            check_stopped()
        with pytest.raises(StoppedError):
            check_stopped()
    check_stopped()
    assert not issubclass(StoppedError, Exception)


def test_the_class_of_a_value_is_known_without_its_module():
    from decimal import Decimal

    assert is_instance_of(Decimal(1), "decimal", "Decimal")
    assert not is_instance_of(1, "decimal", "Decimal")
    assert not is_instance_of(1, "a_module_that_nobody_loads", "Decimal")
    assert not is_instance_of(1, "decimal", "no such class")
