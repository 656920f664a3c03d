"""Model files from strangers: each class of attack that other formats fell to."""

import io
import json
import os
import pickle
import re
import tracemalloc
import warnings
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_mutations import HOSTILE, Parts, joined
from voicelstm import load
from voicelstm.exceptions import ModelFileError

ROOT = Path(__file__).resolve().parents[1]
KEPT = {path.stem: path.read_bytes() for path in (ROOT / "tests/model_files").rglob("*.voicelstm")}


def edited(name, change):
    """A kept file with its description changed, the checksum computed anew."""
    parts = Parts.of(KEPT[name])
    parts.anew = True
    document = json.loads(parts.text)
    change(document["object"])
    parts.text = json.dumps(document)
    return parts.to_bytes()


def refusal(content, folder):
    path = folder / "m.voicelstm"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        # A warning would be printed with its line, for which Python opens the source.
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ModelFileError) as caught:
                load(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2e6 + 20 * len(content)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module", autouse=True)
def imported(tmp_path_factory):
    """What loading imports is no file's doing: each kind of file is loaded once before any is measured."""
    path = tmp_path_factory.mktemp("kept") / "m.voicelstm"
    for content in KEPT.values():
        path.write_bytes(content)
        load(path)


class RunsCode:
    def __reduce__(self):
        return os._exit, (66,)


def test_a_pickle_is_not_read(tmp_path):
    # Pickle's own danger, and how skops was got around (CVE-2024-37065).
    assert "not a model file" in refusal(pickle.dumps(RunsCode()), tmp_path)


def test_an_archive_of_keras_or_hdf5_is_not_read(tmp_path):
    # CVE-2024-3660, CVE-2025-9905: Lambda layers in HDF5; CVE-2025-1550, CVE-2025-8747: in config.json.
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("config.json", '{"module": "os", "class_name": "system"}')
    assert "not a model file" in refusal(archive.getvalue(), tmp_path)
    assert "not a model file" in refusal(b"\x89HDF\r\n\x1a\n" + bytes(5000), tmp_path)


LAMBDA = {"class": "Lambda", "module": "keras.layers", "config": {"function": "4wEAAAA="}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["steps"].__setitem__(2, ["classifier", LAMBDA]), "'Lambda', which this version"),
        (lambda d: d["steps"][2][1].update({"class": "sklearn.svm._classes.SVC"}), "does not know"),
        (lambda d: d["steps"][2][1].update({"class": "operator.methodcaller"}), "does not know"),
        (lambda d: d["steps"][2][1].update(module="os"), r"unknown \['module'\]"),
        (lambda d: d["steps"][2][1].update(registered_name="voicelstm>SquaredError"), "registered_name"),
        (lambda d: d["steps"][2][1]["params"].update(optimizer="os.system"), "optimizer"),
        (lambda d: d["steps"][2][1]["params"].update(optimizer={"pairs": [["module", "os"]]}), "optimizer"),
        (lambda d: d["steps"][2][1]["params"].update(callbacks=["os.system"]), "Callbacks"),
        (lambda d: d["steps"][2][1]["params"].update(distribution="x"), "distribution"),
    ],
)
def test_no_name_in_a_file_chooses_what_runs(change, words, tmp_path):
    # CVE-2025-1550 and CVE-2025-8747 name modules and functions in a config; CVE-2024-37065 types.
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(refusal(edited("detector", change), tmp_path))


def test_a_file_cannot_switch_its_own_safety_off(tmp_path):
    # CVE-2025-9906: a config that calls enable_unsafe_deserialization before the rest is read.
    parts = Parts.of(KEPT["classifier"])
    parts.extra = {"safe_mode": "false"}
    assert "metadata" in refusal(parts.to_bytes(), tmp_path)


@pytest.mark.parametrize("shape", [[2**40, 2**20], [2**63], [2**32, 2**32], [10**30], [0, 2**63], [-1]])
def test_a_shape_that_promises_more_than_the_file_has_reserves_nothing(shape, tmp_path):
    # CVE-2026-0897: a few bytes of HDF5 that declare petabytes.
    parts = Parts.of(KEPT["classifier"])
    parts.tensors[0][2] = shape
    parts.anew = True
    assert "not a model file" in refusal(parts.to_bytes(), tmp_path)


def test_units_and_labels_that_promise_more_than_the_file_has_reserve_nothing(tmp_path):
    wide = edited("classifier", lambda d: d["architecture"].update(units=[2**40]))
    assert "has shape" in refusal(wide, tmp_path)
    labels = [f"{i:04}" for i in range(9000)] + ["x" * 100_000]  # as NumPy keeps them, 3.6 GB
    long = edited("classifier", lambda d: d["classes"].update(values=labels))
    assert "labels are longer" in refusal(long, tmp_path)


UNREADABLE = {
    "n_fft": (2**40, "transform of 1099511627776 samples"),
    "n_filters": (10**6, "n_filters=1000000"),
    "frame_length": (1e300, r"frame_length=1e\+300"),
    "amplitude": (1e300, r"amplitude=1e\+300"),
    "amplitude in float32": (1e25, r"amplitude=1e\+25"),
    "lifter": (1e-320, "lifter=1e-320"),
    "window": (["kaiser", 1e308], r"kaiser.* is not finite"),
    "sample_rate": (2**62, "at 4611686018427387904 Hz"),
    "n_mfcc": (True, "n_mfcc is True"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_parameters_that_no_recording_could_be_read_with_are_refused(name, tmp_path):
    value, words = UNREADABLE[name]
    name = name.split()[0]
    message = refusal(edited("transformer", lambda d: d["params"].update({name: value})), tmp_path)
    assert re.search(words + r".*written by voicelstm '0\.1\.0'", message)


@pytest.mark.parametrize("name", ["cache_dir", "checkpoint", "n_jobs", "verbose"])
def test_a_file_does_not_say_where_this_machine_writes_or_how_hard_it_works(name, tmp_path):
    target = tmp_path / "elsewhere"
    for kept, params in (
        ("classifier", lambda d: d["params"]),
        ("transformer", lambda d: d["params"]),
    ):
        change = edited(kept, lambda d, params=params: params(d).update({name: str(target)}))
        assert name in refusal(change, tmp_path)
    assert not target.exists()


def test_a_header_of_two_meanings_is_refused_before_safetensors_sees_it(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "voicelstm.model_files._container.deserialize", lambda _: pytest.fail("safetensors saw it")
    )
    header, data = Parts.of(KEPT["classifier"]).pieces()
    text = json.dumps(header)
    entry = json.dumps(header["weights/head/bias"])
    twice = joined(f'{{"weights/head/bias": {entry}, {text[1:]}'.encode(), data)
    assert "there twice" in refusal(twice, tmp_path)
    assert "at most 1048576" in refusal(joined(text.encode() + b" " * 2**20, data), tmp_path)
    overlapping = json.loads(text)
    overlapping["weights/head/bias"]["data_offsets"] = [0, 4]
    assert "overlap" in refusal(joined(overlapping, data), tmp_path)
    assert "bytes are there" not in refusal(joined(text.encode(), data + b"x"), tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [(lambda d: d.update(format=True), "format"), (lambda d: d.update(library=[1]), "library"),
     (lambda d: d.update(x=1), "expected format, library and object"),
     (lambda d: d.update(format=2), "written by voicelstm '0.1.0'")],
)  # fmt: skip
def test_the_versions_are_checked_before_the_rest(change, words, tmp_path):
    parts = Parts.of(KEPT["classifier"])
    parts.anew = True
    document = json.loads(parts.text)
    change(document)
    parts.text = json.dumps(document)
    assert words in refusal(parts.to_bytes(), tmp_path)


@pytest.mark.parametrize(
    "values", [["a", 1], [1, 2], ["a\0", "b"], ["b", "a"], ["a"], {"a": 1}, [["a"], ["b"]]]
)
def test_labels_that_would_change_on_the_way_are_refused(values, tmp_path):
    assert "abels" in refusal(edited("classifier", lambda d: d["classes"].update(values=values)), tmp_path)


def test_a_damaged_statistic_that_gives_nan_is_refused_or_said(tmp_path):
    parts = Parts.of(KEPT["classifier"])
    parts.anew = True
    for tensor in parts.tensors:
        if tensor[0] == "statistics/mean":
            tensor[3] = np.full(3, 1e300).tobytes()
    assert "beyond float32" in refusal(parts.to_bytes(), tmp_path)


def test_weights_that_overflow_are_an_error_and_no_score(tmp_path):
    parts = Parts.of(KEPT["classifier"])
    parts.anew = True
    for tensor in parts.tensors:
        if tensor[0] == "weights/lstm_0/bias":
            tensor[3] = np.full(16, 1e3, dtype="<f4").tobytes()  # gates are open, outputs tanh(frames) = 1
        if tensor[0] == "weights/head/kernel":
            tensor[3] = np.array([3e38, 3e38, -3e38, -3e38], dtype="<f4").tobytes()
    (tmp_path / "m").write_bytes(parts.to_bytes())
    model = load(tmp_path / "m")
    with suppress(ValueError):
        assert np.isfinite(model.predict_proba(np.ones((2, 9, 3)))).all()
    model._fitted.weights["head/bias"][:] = np.nan
    model._fitted = replace(model._fitted, weights=dict(model._fitted.weights))
    with pytest.raises(ValueError, match="scores are NaN"):
        model.predict_proba(np.ones((2, 9, 3)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(HOSTILE),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(data=st.data())
def test_whatever_stands_in_a_field_is_refused_or_loads(data, tmp_path_factory):
    parts = Parts.of(KEPT[data.draw(st.sampled_from(sorted(KEPT)))])
    parts.anew = True
    document = json.loads(parts.text)
    holder = document
    while True:
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        if not (isinstance(holder[key], dict | list) and holder[key] and data.draw(st.integers(0, 5))):
            break
        holder = holder[key]
    holder[key] = data.draw(json_values)
    parts.text = json.dumps(document)
    path = tmp_path_factory.getbasetemp() / "field.voicelstm"
    path.write_bytes(parts.to_bytes())
    with suppress(ModelFileError):
        load(path)


@given(edits=st.lists(st.tuples(st.integers(0, 10**5), st.binary(max_size=9)), min_size=1, max_size=4))
def test_bytes_that_are_not_those_that_were_written_are_refused(edits, tmp_path_factory):
    before = KEPT["vote"]
    content = bytearray(before)
    for at, new in edits:
        at %= len(content)
        content[at : at + len(new)] = new
    path = tmp_path_factory.getbasetemp() / "bytes.voicelstm"
    path.write_bytes(content)
    try:
        loaded = load(path)
    except ModelFileError:
        return
    length = int.from_bytes(before[:8], "little")
    assert content[8 + length :] == before[8 + length :]
    assert repr(loaded) == repr(load(ROOT / "tests/model_files/0.1.0/vote.voicelstm"))
