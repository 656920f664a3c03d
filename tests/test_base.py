import json

import numpy as np

from voicelstm._base import json_text, json_value, python_value


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
