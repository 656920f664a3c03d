import os
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from platform import node

import numpy as np
import pytest
import soundfile

import voicelstm
from voicelstm import MFCCTransformer
from voicelstm.audio import read_audio, speech_frames
from voicelstm.exceptions import AudioWarning
from voicelstm.features import CepstraSettings, _workers, cepstra

RATE = 16000


@pytest.fixture(params=["one after the other", "threads", "processes"])
def transformer(request, monkeypatch):
    monkeypatch.setattr(_workers, "_MANY", 1 if request.param == "processes" else 10**9)
    return MFCCTransformer(n_jobs=None if request.param == "one after the other" else 2, on_error="warn")


def test_extraction_leaves_the_filters_of_other_threads_alone(monkeypatch):
    seen, extract = [], _workers.extract

    def spy(recording, settings, folder):
        seen.append((list(warnings.filters), warnings.showwarning))
        return extract(recording, settings, folder)

    monkeypatch.setattr(_workers, "extract", spy)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters), warnings.showwarning
        MFCCTransformer(n_jobs=2).transform([np.ones(RATE)] * 8)
        assert (list(warnings.filters), warnings.showwarning) == before
    assert seen == [before] * 8


def test_warnings_of_other_threads_are_errors_where_they_were_while_damaged_files_are_read(tmp_path):
    damaged = tmp_path / "damaged.m4a"
    damaged.write_bytes(b"\x00\x00\x00\x18ftypM4A " + bytes(100))
    transformer = MFCCTransformer(n_jobs=2, on_error="warn")
    with pytest.warns(AudioWarning):  # audioread is imported, which warns
        transformer.transform([damaged])
    n_raised = 0
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with warnings.catch_warnings(), ThreadPoolExecutor(1) as pool:
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", AudioWarning)
            done = pool.submit(transformer.transform, [damaged, np.ones(RATE)] * 100)
            while not done.done() or not n_raised:
                with pytest.raises(UserWarning, match="mine"):
                    warnings.warn("mine", UserWarning, stacklevel=1)
                n_raised += 1
            assert len(done.result()) == 200
    finally:
        sys.setswitchinterval(interval)


def test_extractions_beside_each_other_leak_no_filter():
    before = list(warnings.filters), warnings.showwarning
    quiet = np.full(RATE, 300, dtype=np.int64)

    def outer(number):
        return [len(MFCCTransformer(n_jobs=2).transform([quiet] * 4)) for _ in range(5)]

    with pytest.warns(AudioWarning, match="int64") as caught, ThreadPoolExecutor(4) as pool:
        assert list(pool.map(outer, range(4))) == [[4] * 5] * 4
    assert len([each for each in caught if each.category is AudioWarning]) == 4 * 5 * 4
    assert (list(warnings.filters), warnings.showwarning) == before


def test_each_recording_is_warned_of_once_in_their_order_where_it_was_asked_for(transformer):
    quiet = [np.full(RATE, n, dtype=np.int64) for n in (300, 400, 500)]
    X = [quiet[0], np.ones(RATE), quiet[1], "missing.wav", quiet[2]]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        transformer.transform(X)
    said = [str(each.message) for each in caught if each.category is AudioWarning]
    assert ["int64" in text for text in said] == [True, True, True, False]
    assert "1 of 5 recordings failed" in said[3]
    assert {each.filename for each in caught if each.category is AudioWarning} == {__file__}


def test_a_warning_that_is_an_error_is_raised_to_who_asked(transformer):
    with warnings.catch_warnings():
        warnings.simplefilter("error", AudioWarning)
        with pytest.raises(AudioWarning, match="int64"):
            transformer.transform([np.ones(RATE), np.full(RATE, 300, dtype=np.int64)])


@pytest.mark.parametrize("stage", ["speech", "cepstra", "decoding", "resampling"])
def test_what_has_begun_stops_within_a_recording(stage, tmp_path):
    call, begun, reached = _workers.LocalCall("work"), threading.Event(), []
    long = np.random.default_rng(0).normal(scale=0.1, size=5 * 2**20).astype(np.float32)
    path = tmp_path / "long.wav"
    soundfile.write(path, long, 16000)
    stages = {
        "speech": lambda: speech_frames(long, 16000, np.arange(0, len(long), 160), 400),
        "cepstra": lambda: cepstra(long, 16000, CepstraSettings()),
        "decoding": lambda: read_audio(path),
        "resampling": lambda: read_audio((long, 16000), sample_rate=8000),
    }

    def work():
        begun.set()
        while not call._stopped:
            time.sleep(0.001)
        stages[stage]()
        reached.append("the end")

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(call, work, ())
        begun.wait()
        call.stop()
        assert done.result() is None
    assert reached == []


def test_relative_paths_are_those_of_the_callers_folder_after_it_has_changed(
    transformer, tmp_path, monkeypatch
):
    generator = np.random.default_rng(0)
    expected = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        signal = generator.normal(scale=0.1, size=RATE)
        soundfile.write("voice.wav", signal, RATE, subtype="DOUBLE")
        expected.append(signal)
        with pytest.warns(AudioWarning, match=r"\[1\] missing.wav: no such file"):
            found = transformer.transform(["voice.wav", "missing.wav"])
        np.testing.assert_allclose(found[0], transformer.transform([signal])[0], atol=1e-6)


def test_a_call_in_another_process_leaves_the_folder_of_that_process(tmp_path):
    call = _workers.RemoteCall(os.fspath(tmp_path), node(), os.getpid() + 1, voicelstm.__version__)
    before = Path.cwd()
    found = call(lambda *given, folder: (given, folder, Path.cwd()), ("voice.wav", 1))
    assert found == (("voice.wav", 1), os.fspath(tmp_path), before)
    assert Path.cwd() == before
