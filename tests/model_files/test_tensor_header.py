import io
import json

import numpy as np
import pytest
from safetensors import deserialize
from safetensors.numpy import save

from voicelstm.model_files._tensor_header import DTYPES, LONGEST_HEADER, read_header

TENSORS = {
    "a": np.arange(6, dtype="<f4").reshape(2, 3),
    "b": np.zeros((0, 4)),
    "c": np.array(7, dtype="<i8"),
    "d": np.array([True, False, True]),
}


def header_of(described, data=b""):
    """Read the header of a file that has this one, and these bytes of tensors."""
    text = described if isinstance(described, bytes) else json.dumps(described).encode()
    content = len(text).to_bytes(8, "little") + text + data
    return read_header(io.BytesIO(content), len(content))


def tensor(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def test_the_header_of_a_file_by_safetensors_is_read_and_nothing_after_it():
    content = save(TENSORS, {"key": "text"})
    file = io.BytesIO(content)
    head, header = read_header(file, len(content))
    assert header.metadata == {"key": "text"}
    assert header.n_bytes == 6 * 4 + 0 + 8 + 3
    assert file.tell() == len(head) == len(content) - header.n_bytes
    assert content.startswith(head)


def test_types_have_the_names_and_sizes_that_safetensors_gives_them():
    for name, code in DTYPES.items():
        values = np.zeros(3, code)
        ((_, described),) = deserialize(save({"x": values}))
        assert described["dtype"] == name
        _, header = header_of({"x": tensor(name, (3,), (0, values.nbytes))}, values.tobytes())
        assert header.n_bytes == values.nbytes


def test_a_file_without_tensors_or_metadata_has_a_header():
    _, header = header_of({})
    assert (header.metadata, header.n_bytes) == ({}, 0)


REFUSED = {
    "bytes that are no text": (b"\xff\xfe", b"", "codec can't decode"),
    "no object": ([1], b"", "no object of JSON"),
    "metadata that are no texts": ({"__metadata__": {"a": 1}}, b"", "metadata are not texts"),
    "metadata that are no object": ({"__metadata__": ["a"]}, b"", "metadata are not texts"),
    "a tensor that is a number": ({"x": 1}, b"", "'x' is not described by"),
    "a key too many": ({"x": tensor() | {"module": "os"}}, bytes(8), "'x' is not described by"),
    "a key too few": ({"x": {"dtype": "F32", "shape": [2]}}, bytes(8), "'x' is not described by"),
    "an unknown type": ({"x": tensor("F8_E4M3")}, bytes(8), "unknown type 'F8_E4M3'"),
    "a type that is none": ({"x": tensor(["F32"])}, bytes(8), "unknown type"),
    "a length below 0": ({"x": tensor(shape=(-2,))}, bytes(8), "no possible shape"),
    "a length of True": ({"x": tensor(shape=(True, 2))}, bytes(8), "no possible shape"),
    "nine axes": ({"x": tensor(shape=(2, *[1] * 8))}, bytes(8), "no possible shape"),
    "one offset": ({"x": tensor(offsets=(0,))}, bytes(8), "no possible shape or place"),
    "offsets that go back": ({"x": tensor(offsets=(8, 0))}, bytes(8), "does not fill its place"),
    "more bytes than its shape says": ({"x": tensor(shape=(1,))}, bytes(8), "does not fill its place"),
    "a shape of more than memory has": (
        {"x": tensor(shape=[2**40] * 2)},
        bytes(8),
        "does not fill its place",
    ),
    "two in one place": ({"x": tensor(), "y": tensor()}, bytes(8), "tensors overlap"),
    "bytes between two": ({"x": tensor(), "y": tensor(offsets=(12, 20))}, bytes(20), "leave bytes between"),
    "bytes before the first": ({"x": tensor(offsets=(4, 12))}, bytes(12), "leave bytes between"),
    "bytes behind the last": ({"x": tensor()}, bytes(9), "take 8 bytes, and 9 are there"),
    "fewer bytes than promised": ({"x": tensor()}, bytes(7), "take 8 bytes, and 7 are there"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_header_that_does_not_account_for_each_byte_once_is_refused(case):
    described, data, words = REFUSED[case]
    with pytest.raises(ValueError, match=words):
        header_of(described, data)


@pytest.mark.parametrize("length", [0, 1, 3, 2**40, 2**64 - 1])
def test_a_length_that_the_file_has_not_is_refused_before_it_is_read(length):
    content = length.to_bytes(8, "little") + b"{}"
    with pytest.raises(ValueError, match=f"a file of 10 bytes, its header would take {length}"):
        read_header(io.BytesIO(content), len(content))
    with pytest.raises(ValueError, match="a file of 5 bytes"):
        read_header(io.BytesIO(content[:5]), 5)


def test_a_header_is_read_up_to_its_longest():
    assert header_of(b"{}" + b" " * (LONGEST_HEADER - 2))[1].n_bytes == 0
    with pytest.raises(ValueError, match=f"takes {LONGEST_HEADER + 1} bytes, at most {LONGEST_HEADER}"):
        header_of(b"{}" + b" " * (LONGEST_HEADER - 1))
