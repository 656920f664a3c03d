import os
import pickle
import warnings

import numpy as np
import pytest

from tests.datasets.corpora import refusal
from voicelstm.datasets._problems import Problems
from voicelstm.datasets._segments import joined_segments, read_segment_labels, worded_segments
from voicelstm.exceptions import DatasetError

LABELS = {"bonafide": "human", "spoof": "synthetic"}


def test_segments_in_words_become_seconds_and_labels():
    segments = worded_segments(["0.0000-1.2500-bonafide", "1.2500-2-spoof"], LABELS)
    assert segments.tolist() == [(0.0, 1.25, "human"), (1.25, 2.0, "synthetic")]
    assert segments.dtype.names == ("start_s", "stop_s", "label")
    for wrong in ("0.5-spoof", "0-1-fake", "a-b-spoof", "0-1-2-spoof"):
        with pytest.raises(ValueError, match=r".+"):
            worded_segments([wrong], LABELS)


def test_neighbours_of_one_label_are_joined():
    segments = joined_segments(np.array(list("1110011")), 0.5)
    assert segments.tolist() == [(0.0, 1.5, "human"), (1.5, 2.5, "synthetic"), (2.5, 3.5, "human")]
    assert joined_segments(["0"], 0.01).tolist() == [(0.0, 0.01, "synthetic")]
    assert joined_segments(np.array([], dtype=str), 0.01).tolist() == []


@pytest.mark.parametrize("kind", ["U21", "U1", object, int])
def test_the_dict_that_numpy_pickled_is_read(tmp_path, kind):
    labels = {"a": np.array(list("110"), dtype=kind), "b": np.array(["1"], dtype=kind)}
    np.save(tmp_path / "s.npy", labels)
    read = read_segment_labels(tmp_path / "s.npy", Problems("s.npy"))
    assert {name: [str(each) for each in found] for name, found in read.items()} == {
        "a": ["1", "1", "0"],
        "b": ["1"],
    }


class Harmful:
    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (str(self.file),)


def test_what_a_pickle_could_run_is_not_run(tmp_path):
    np.save(tmp_path / "s.npy", np.array({"a": Harmful(tmp_path / "made")}, dtype=object))
    message = refusal(read_segment_labels, tmp_path / "s.npy", Problems("s.npy"))
    assert "mkdir, which is no array" in message
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"\x93NUMPY", pickle.dumps({}), b"LA_T_1 1 1 0\n"],
    ids=["empty", "cut", "pickle", "text"],
)
def test_what_is_no_file_of_labels_is_refused(tmp_path, content):
    (tmp_path / "s.npy").write_bytes(content)
    assert "No labels of segments" in refusal(read_segment_labels, tmp_path / "s.npy", Problems("s.npy"))


@pytest.mark.parametrize("array", [np.zeros(3), np.array([{}, {}]), np.array([1], dtype=object)])
def test_an_array_of_other_things_is_refused(tmp_path, array):
    np.save(tmp_path / "s.npy", array)
    assert "no dict of arrays" in refusal(read_segment_labels, tmp_path / "s.npy", Problems("s.npy"))


class Asking:
    """What a pickle asks to be called, with which arguments and state."""

    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


RECONSTRUCT = np.ndarray((), dtype=object).__reduce__()[0]
# A type of 8 bytes that are said to be an object, without the mark that it holds objects.
POINTER = Asking(np.dtype, ("V8", False, True), (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0))


@pytest.mark.parametrize(
    "value",
    [
        Asking(np.ndarray, ((1,), np.dtype(object), b"AAAAAAAA")),
        Asking(np.ndarray, ((2**45,),)),
        Asking(RECONSTRUCT, (np.ndarray, (0,), b"b"), (1, (1,), POINTER, False, b"AAAAAAAA")),
        Asking(RECONSTRUCT, (np.ndarray, (0,), b"b"), (1, (9,), np.dtype("U1"), False, b"1000")),
        Asking(RECONSTRUCT, (np.ndarray, (2**45,), b"b")),
        np.dtype("U1"),
        np.zeros((2, 2), dtype=int),
        np.zeros(2),
        np.array([None]),
        np.array([["1"], ["0"], None], dtype=object),
        np.zeros(2, dtype=[("a", object)]),
        1,
        "1",
        None,
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_is_no_array_of_labels_is_refused_and_never_made(tmp_path, value):
    np.save(tmp_path / "s.npy", {"a": np.array(["1"]), "b": value})
    message = refusal(read_segment_labels, tmp_path / "s.npy", Problems("s.npy"))
    assert str(tmp_path / "s.npy") in message
    assert "Fetch the file again." in message


def test_a_record_of_an_array_cannot_be_changed_for_later_files(tmp_path):
    file = tmp_path / "s.npy"
    np.save(file, {"a": np.array(["1"])})
    good = file.read_bytes()
    header = good[: good.index(b"\x80\x04")]
    for name in (b"ndarray", b"dtype"):  # the state (None, {...}) sets attributes of what it is given to
        file.write_bytes(header + b"\x80\x04cnumpy\n" + name + b"\n(N}X\x05\x00\x00\x00stateK\x01stb.")
        refusal(read_segment_labels, file, Problems("s.npy"))
    file.write_bytes(good)
    assert read_segment_labels(file, Problems("s.npy")) == {"a": ["1"]}


def test_a_pickle_cannot_ask_for_more_room_than_its_own_size(tmp_path):
    file = tmp_path / "s.npy"
    np.save(file, {"a": np.array(["1"])})
    good = file.read_bytes()
    header = good[: good.index(b"\x80\x04")]
    file.write_bytes(header + b"\x80\x04}r\x00\x00\x00\x70.")
    assert "numbers an object" in refusal(read_segment_labels, file, Problems("s.npy"))


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("kind", ["U3", object])
def test_a_damaged_file_is_refused_or_read_and_raises_nothing_else(tmp_path, protocol, kind):
    file = tmp_path / "s.npy"
    np.save(file, {})
    header = file.read_bytes()
    labels = {f"LA_{at}": np.array(["1", "0", "1"], dtype=kind) for at in range(2)}
    held = np.array(labels, dtype=object)
    good = header[: header.index(b"\x80\x04")] + pickle.dumps(held, protocol=protocol)
    rng = np.random.default_rng(0)
    n_refused = n_read = 0
    for at in range(600):
        bad = bytearray(good)
        if at % 3 == 0:
            del bad[rng.integers(len(bad)) :]
        else:
            bad[rng.integers(len(bad))] ^= 1 << int(rng.integers(8))
        file.write_bytes(bytes(bad))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read = read_segment_labels(file, Problems("s.npy"))
        except DatasetError as error:
            n_refused += str(file) in str(error)
        else:
            n_read += all(isinstance(each, str) for values in read.values() for each in values)
    assert n_refused + n_read == 600
    assert n_refused >= 200  # at least those that were cut
