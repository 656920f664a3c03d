import io
import json
import pickle
import zipfile

import joblib
import numpy as np
import pytest
import soundfile

from voicelstm import MFCCTransformer, load, save
from voicelstm.exceptions import ModelFileError
from voicelstm.model_files._other_files import name_of_kind


def sound(container, **settings):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(1600), 16000, format=container, **settings)
    return file.getvalue()


def archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("config.json", "{}")
    return file.getvalue()


def dumped(**settings):
    file = io.BytesIO()
    joblib.dump({"weights": np.zeros(5)}, file, **settings)
    return file.getvalue()


def array():
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (sound("WAV"), "a recording, WAV"),
        (sound("FLAC"), "a recording, FLAC"),
        (sound("OGG"), "a recording, Ogg"),
        (sound("MP3"), "a recording, MP3"),
        (sound("AIFF"), "a recording, AIFF"),
        (b"\x00\x00\x00\x20ftypM4A " + bytes(40), "a recording, MP4 or M4A"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
        *[(pickle.dumps({"a": 1}, protocol), "a pickle") for protocol in (2, 3, 4, 5)],
        (dumped(), "a pickle"),
        (dumped(compress=3), "compressed data, perhaps a pickle"),
        (archive(), "a ZIP archive, as Keras and PyTorch"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file"),
        (array(), "a NumPy array"),
        (b"", "an empty file"),
        (b"\n<!DOCTYPE html><html></html>", "an HTML page"),
        (b"path,label\na.wav,human\n", "text ('path,label')"),
    ],
)
def test_what_is_given_as_a_detector_is_called_what_it_is(content, said, tmp_path):
    path = tmp_path / "detector.voicelstm"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: not a model file, but ")
    assert said in str(caught.value)
    assert "its header would take" not in str(caught.value)


def test_a_damaged_model_file_is_not_taken_for_another_kind(tmp_path):
    path = tmp_path / "front_end.voicelstm"
    save(MFCCTransformer(), path)
    content = path.read_bytes()
    assert name_of_kind(content) is None
    path.write_bytes(content[:-1])
    with pytest.raises(ModelFileError, match="not a model file, or a damaged one"):
        load(path)
    length = int.from_bytes(content[:8], "little")
    assert json.loads(content[8 : 8 + length])  # "{" is what a reader may rely on
    # Of 1,152 bytes of a header the length begins as a pickle does.
    assert name_of_kind((1152).to_bytes(8, "little") + b'{"__metadata__": {}}') is None
    assert name_of_kind(np.random.default_rng(0).bytes(64)) is None
