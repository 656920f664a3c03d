import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelstm.model_files._strict_json import LARGEST_INTEGER, strict_json


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ("[" * 17 + "]" * 17, "deeper than 16"),
        ("[" * 10**6, "deeper than 16"),
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "Infinity"),
        ('{"a": 1e999}', "1e999"),
        ('{"a": 9223372036854775808}', "out of range"),
        ('{"a": ' + "9" * 10**5 + "}", "out of range"),
        ('{"a": "\\ud800"}', "surrogates"),
        ('"' + '\\"' * 10**5, "Unterminated"),
    ],
)
def test_json_that_readers_could_take_differently_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        strict_json(text, depth=16)
    assert strict_json('{"a": ["[[[[", "\\"{", "\\ud83d\\ude00"]}', depth=2) == {"a": ["[[[[", '"{', "😀"]}


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)


@given(values, st.booleans())
def test_what_json_writes_is_read_as_json_reads_it(value, ensure_ascii):
    text = json.dumps(value, ensure_ascii=ensure_ascii)
    assert strict_json(text, depth=20) == json.loads(text) == value


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_arrays_and_objects_are_counted_alike_one_inside_the_other(depth):
    text = "1"
    for level in range(depth):
        text = f'{{"a":{text}}}' if level % 2 else f"[{text}]"
    assert strict_json(text, depth=depth) == json.loads(text)
    with pytest.raises(ValueError, match=f"nested deeper than {depth - 1}"):
        strict_json(text, depth=depth - 1)
    # Beside each other they are no deeper.
    assert strict_json(f"[{text}, {text}]", depth=depth + 1) == [json.loads(text)] * 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"' + "\\" * 10**6, "Unterminated"),
        ('"' * 10**6, "Extra data"),
        ("9" * 10**6, "out of range"),
        ("[" * 10**6, "nested deeper than 16"),
    ],
    ids=["backslashes", "quotes", "digits", "brackets"],
)
def test_a_long_text_takes_no_longer_than_its_length_says(text, words):
    began = time.process_time()
    with pytest.raises(ValueError, match=words):
        strict_json(text, depth=16)
    assert time.process_time() - began < 2


def test_the_largest_integers_are_read():
    assert strict_json(f"[{LARGEST_INTEGER}, {-LARGEST_INTEGER}]", depth=1) == [2**63 - 1, 1 - 2**63]
    with pytest.raises(ValueError, match="out of range"):
        strict_json(f"[{-LARGEST_INTEGER - 1}]", depth=1)
