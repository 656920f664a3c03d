import os
import pickle

import numpy as np
import pytest

from tests.datasets.corpora import refusal
from voicelstm.datasets._problems import Problems
from voicelstm.datasets._segments import joined_segments, read_segment_labels, worded_segments

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
