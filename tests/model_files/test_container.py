import os

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from tests.model_files.rewriting import rewritten
from voicelstm import __version__, load, save
from voicelstm.exceptions import ModelFileError
from voicelstm.model_files._container import (
    StoredTensors,
    is_model_file,
    read_model_file,
    write_model_file,
    written_by,
)


def test_a_save_that_fails_leaves_the_old_file_and_no_other(small_detector, model_file, monkeypatch):
    before = model_file.read_bytes()

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save(small_detector, model_file)
    assert model_file.read_bytes() == before
    assert list(model_file.parent.iterdir()) == [model_file]


def test_a_model_file_is_known_also_where_it_cannot_be_read(model_file, tmp_path):
    assert is_model_file(model_file)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(model_file.read_bytes()[:-1] + b"?")
    rewritten(model_file, lambda document, tensors: document.update(format=2))
    for path in (damaged, model_file):
        assert is_model_file(path)
        with pytest.raises(ModelFileError):
            read_model_file(path)


def test_other_files_are_no_model_files(model_file, tmp_path):
    content = model_file.read_bytes()
    save_file({"x": np.zeros(1)}, tmp_path / "tensors")
    assert not is_model_file(tmp_path / "tensors")
    for other in (b"", b"RIFF", content[:-1], content[:100], b"\x02" + bytes(7) + b"{}", bytes(100)):
        (tmp_path / "other").write_bytes(other)
        assert not is_model_file(tmp_path / "other")


MADE_UP = {
    "a later format": (lambda d, t: d.update(format=2), "format 2, written by voicelstm"),
    "no object": (lambda d, t: d.pop("object"), "expected format, library and object"),
    "a missing tensor": (lambda d, t: t.pop("classifier/weights/head/bias"), "head/bias' is missing"),
    "a tensor too many": (lambda d, t: t.update(x=np.zeros(1)), "unknown tensors"),
    "NaN in a tensor": (
        lambda d, t: t.update({"classifier/weights/head/bias": np.full(1, np.nan, "float32")}),
        "NaN",
    ),
    "a tensor of another type": (
        lambda d, t: t.update({"classifier/weights/head/bias": np.zeros(1, "int32")}),
        "int32",
    ),
}


@pytest.mark.parametrize("case", MADE_UP)
def test_a_made_up_file_is_refused(case, model_file):
    change, words = MADE_UP[case]
    rewritten(model_file, change)
    with pytest.raises(ModelFileError, match=words):
        load(model_file)


def test_a_damaged_file_is_refused(model_file):
    content = model_file.read_bytes()
    flipped = bytearray(content)
    flipped[-1] ^= 1
    for damaged in (bytes(flipped), content[:-1], content[:20], b"", b"PK\x03\x04" + content):
        model_file.write_bytes(damaged)
        with pytest.raises(ModelFileError):
            load(model_file)
    save_file({"a": np.zeros(2)}, model_file)
    with pytest.raises(ModelFileError, match="not of voicelstm"):
        load(model_file)
    with pytest.raises(FileNotFoundError):
        load(model_file.with_name("missing"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.timeout(20)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="a pipe"):
        load(tmp_path / "pipe")


TENSORS = {
    "turned": np.arange(6, dtype="float32").reshape(2, 3).T,
    "every second": np.arange(8.0)[::2],
    "none": np.zeros((0, 3)),
    "scalar": np.array(2.5),
}


def test_what_is_written_is_read_and_by_safetensors_too(tmp_path):
    write_model_file(tmp_path / "m", {"class": "é"}, TENSORS)
    document, stored = read_model_file(tmp_path / "m")
    assert document == {"format": 1, "library": __version__, "object": {"class": "é"}}
    by_safetensors = load_file(tmp_path / "m")
    assert by_safetensors.keys() == TENSORS.keys()
    for name, values in TENSORS.items():
        np.testing.assert_array_equal(stored.read(name, values.shape, values.dtype), values)
        np.testing.assert_array_equal(by_safetensors[name], values)
    stored.check_all_used()


def test_the_checksum_is_the_same_in_whatever_order_the_parts_of_a_model_come(tmp_path):
    write_model_file(tmp_path / "a", {"x": 1, "y": 2}, TENSORS)
    write_model_file(tmp_path / "b", {"y": 2, "x": 1}, dict(reversed(TENSORS.items())))
    metadata = []
    for name in "ab":
        with safe_open(tmp_path / name, framework="numpy") as file:
            metadata.append(file.metadata())
    assert metadata[0] == metadata[1]
    assert set(metadata[0]) == {"voicelstm", "sha256"}


def test_a_description_longer_than_is_read_is_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"its description takes \d+ bytes.* at most 1048576"):
        write_model_file(tmp_path / "m", {"labels": "x" * 2**20}, {})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_model_file(tmp_path / "m", {"number": float("nan")}, {})
    assert list(tmp_path.iterdir()) == []


def test_a_tensor_is_handed_out_once_and_only_as_it_was_asked_for():
    stored = StoredTensors({"x": np.array([1.0, np.nan]), "y": np.zeros(1)})
    for shape, dtype, words in (
        ((1, 2), "f8", r"'x' has shape \(2,\); expected \(1, 2\)"),
        ((2,), "f4", "'x' is float64; expected float32"),
        ((2,), "f8", "'x' holds NaN"),
    ):
        with pytest.raises(ModelFileError, match=words):
            stored.read("x", shape, np.dtype(dtype))
    assert np.isnan(stored.read("x", (2,), np.dtype("f8"), finite=False)[1])
    with pytest.raises(ModelFileError, match="'x' is missing"):
        stored.read("x", (2,), np.dtype("f8"), finite=False)
    with pytest.raises(ModelFileError, match=r"unknown tensors: \['y'\]"):
        stored.check_all_used()


def test_who_wrote_a_file_is_said_at_no_greater_length_than_a_version_has():
    assert (
        written_by({"library": "0.9"}) == f"The file was written by voicelstm '0.9'; this is {__version__}."
    )
    assert len(written_by({"library": "x" * 10**6})) < 100


def test_a_folder_and_a_device_are_no_model_files(tmp_path):
    with pytest.raises(IsADirectoryError):
        read_model_file(tmp_path)
    with pytest.raises(ModelFileError, match="not a regular file"):
        read_model_file(os.devnull)
