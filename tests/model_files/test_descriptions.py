import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelstm import Augmenter, SpecAugment
from voicelstm.exceptions import ModelFileError
from voicelstm.model_files._descriptions import (
    _LABEL_DTYPES,
    _MOST_CHARACTERS,
    boolean,
    check_fields,
    count,
    describe_labels,
    describe_value,
    finite_number,
    restore_labels,
    restore_value,
)

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(plain, inner, max_size=4),
    max_leaves=8,
)


@given(values)
def test_a_value_comes_back_through_json_as_it_was(value):
    described = json.loads(json.dumps(describe_value(value)))
    assert restore_value(described) == value


def test_numpy_s_values_and_lists_come_back_as_python_s():
    restored = restore_value(describe_value([np.float32(0.5), np.array([1, 2]), np.bool_(True)]))
    assert restored == (0.5, (1, 2), True)
    assert [type(value) for value in restored] == [float, tuple, bool]


@pytest.mark.parametrize("value", [Augmenter(codecs=("gsm",)), SpecAugment(time_mask=None)])
def test_what_augments_is_a_value_but_one_of_a_derived_class_is_not(value):
    restored = restore_value(describe_value({"x": value}))
    assert type(restored["x"]) is type(value)
    assert restored["x"].get_params() == value.get_params()
    derived = type(type(value).__name__, (type(value),), {})()
    for unknown in (derived, print, {1, 2}, b"bytes", 1j):
        with pytest.raises(TypeError):
            describe_value([unknown])


def test_a_dict_with_a_key_twice_or_of_another_form_is_refused():
    with pytest.raises(ModelFileError, match="a key twice"):
        restore_value({"pairs": [[1, "a"], [1, "b"]]})
    with pytest.raises(ModelFileError, match=r"lacks \['pairs'\] and has the unknown \['human'\]"):
        restore_value({"human": 2.0})


def examples_of(dtype):
    made = {"str": ["human", "synthetic"], "object": ["human", "synthetic"], "bool": [False, True]}
    return np.array(made.get(dtype, [1, 2]), dtype=dtype)


@pytest.mark.parametrize("dtype", sorted(_LABEL_DTYPES))
def test_labels_come_back_with_their_type(dtype):
    labels = examples_of(dtype)
    restored = restore_labels(json.loads(json.dumps(describe_labels(labels))))
    assert restored.dtype == labels.dtype
    assert restored.tolist() == labels.tolist()


@pytest.mark.parametrize(
    "labels",
    [
        np.array([1j, 2j]),
        np.array([b"a", b"b"]),
        np.array([1, "a"], dtype=object),
        np.array(["2026"], "M8[D]"),
    ],
    ids=lambda labels: str(labels.dtype),
)
def test_labels_of_other_types_are_not_written(labels):
    with pytest.raises(TypeError, match="cannot keep labels of type"):
        describe_labels(labels)


def test_labels_are_written_and_read_up_to_as_many_characters():
    # NumPy keeps each as wide as the widest.
    allowed = ["a", "b" * (_MOST_CHARACTERS // 2)]
    assert restore_labels(describe_labels(np.array(allowed))).tolist() == allowed
    longer = ["a", "b" * (_MOST_CHARACTERS // 2 + 1)]
    with pytest.raises(ValueError, match="so long, or so many"):
        describe_labels(np.array(longer))
    with pytest.raises(ModelFileError, match="longer than any that are written"):
        restore_labels({"dtype": "str", "values": longer})


@pytest.mark.parametrize(
    ("dtype", "values", "words"),
    [
        ("complex64", [1, 2], "'complex64' are not known"),
        ("str", ["a", 1], "not all of type str"),
        ("bool", [0, 1], "not all of type bool"),
        ("int64", [1.0, 2.0], "not all of type int64"),
        ("int64", [False, True], "not all of type int64"),
        ("float64", [1, 2], "not all of type float64"),
        ("str", "ab", "not all of type str"),
        ("float16", [0.1, 0.2], "not those that float16 can be"),
        ("str", ["a\0", "b"], "not those that str can be"),
        ("int64", [1], "two or more in ascending order"),
        ("int64", [2, 1], "two or more in ascending order"),
        ("str", ["a", "a"], "two or more in ascending order"),
        ("float64", [1.0, math.nan], "not those that float64 can be|ascending order"),
    ],
)
def test_labels_that_no_classifier_can_have_are_refused(dtype, values, words):
    with pytest.raises(ModelFileError, match=words):
        restore_labels({"dtype": dtype, "values": values})


def test_fields_are_those_expected_and_some_of_the_optional():
    check_fields({"a": 1, "b": 2}, {"a", "b"})
    check_fields({"a": 1, "c": 2}, {"a"}, {"b", "c"})
    with pytest.raises(ModelFileError, match=r"of a 'Lambda' lacks \['a', 'b'\] and has the unknown \['x'\]"):
        check_fields({"class": "Lambda", "x": 1}, {"class", "a", "b"})
    for other in ([], "a", None):
        with pytest.raises(ModelFileError, match=f"a {type(other).__name__}, not an object of JSON"):
            check_fields(other, set())


def test_numbers_and_bools_are_of_their_own_type_only():
    assert (finite_number(2, "x"), finite_number(-0.5, "x")) == (2.0, -0.5)
    assert type(finite_number(2, "x")) is float
    assert (count(1, "x"), count(0, "x", least=0)) == (1, 0)
    assert (boolean(True, "x"), boolean(False, "x")) == (True, False)
    refused = {
        finite_number: [True, "1", None, math.nan, math.inf, [1.0]],
        count: [True, 1.0, "1", None, 0, -1],
        boolean: [0, 1, "true", None],
    }
    for check, given_values in refused.items():
        for value in given_values:
            with pytest.raises(ModelFileError, match="field"):
                check(value, "field")
