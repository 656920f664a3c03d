import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from tests.command.runner import COMMAND, run, shown_on_terminal
from tests.command.test_sound_sources import Sounddevice
from voicelstm import detector_stream, load_pretrained, make_detector
from voicelstm.audio._pcm_stream import SAMPLE_FORMATS
from voicelstm.command._command_line import command_line
from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._listen import _FORMATS
from voicelstm.command._model import Model

RATE = 16000
QUICK = ["--window", "1", "--hop", "0.5"]
ALL_SYNTHETIC, ALL_HUMAN = ["--threshold", "-1000"], ["--threshold", "1000"]


@pytest.fixture(scope="module")
def call(small_voices):
    """Three seconds of voices in 16 bits."""
    (X, _), _ = small_voices
    return np.round(np.concatenate([each for each, _ in X])[: 3 * RATE] * 30000).astype("<i2")


@pytest.fixture
def heard(detector_file):
    """Runs ``voicelstm listen -``; returns its exit code, its lines of JSON, and the last of them."""

    def listen(data, *options):
        arguments = ["listen", "-m", str(detector_file), *QUICK, *map(str, options), "-"]
        done = CliRunner().invoke(command_line, arguments, input=data)
        *windows, verdict = map(json.loads, done.stdout.splitlines())
        return done.exit_code, windows, verdict

    return listen


def wav(samples, rate=RATE):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def assert_windows_are_those_of(stream, samples, windows):
    events = stream.push(samples) + stream.flush()
    assert [(each["start_s"], each["stop_s"], each["label"]) for each in windows] == [
        (pytest.approx(event.start_s), pytest.approx(event.stop_s), event.label) for event in events
    ]
    for name, field in (("score", "score"), ("smoothed", "smoothed"), ("speech_s", "speech")):
        for window, event in zip(windows, events, strict=True):
            expected = getattr(event, field)
            assert window[name] == (None if expected is None else pytest.approx(expected, rel=1e-6))


def test_raw_samples_in_a_pipe_give_a_line_of_json_for_each_window(heard, small_detector, call):
    code, windows, verdict = heard(call.tobytes())
    assert_windows_are_those_of(detector_stream(small_detector, RATE, 1.0, 0.5), call, windows)
    assert len(windows) == 5
    mean = np.mean([each["score"] for each in windows])
    assert verdict["score"] == pytest.approx(mean, rel=1e-5)
    assert verdict["verdict"] == ("synthetic" if mean >= 0 else "human")
    assert verdict["synthetic_windows"] == sum(each["score"] >= 0 for each in windows)
    assert (verdict["windows"], verdict["duration_s"]) == (5, 3.0)
    assert code == (ExitCode.FOUND if mean >= 0 else ExitCode.FINE)


def test_the_exit_code_is_that_of_the_verdict(heard, call):
    assert heard(call.tobytes(), *ALL_SYNTHETIC)[0] == ExitCode.FOUND
    assert heard(call.tobytes(), *ALL_HUMAN)[0] == ExitCode.FINE
    code, windows, verdict = heard(bytes(4 * RATE))
    assert code == ExitCode.SOME_FAILED
    assert [each["score"] for each in windows] == [None, None, None]
    assert verdict["verdict"] is verdict["score"] is None
    assert heard(b"")[0] == ExitCode.SOME_FAILED


def test_a_wav_stream_says_its_rate_itself(heard, small_detector, call):
    expected = call[: RATE * 3 // 2]
    _, windows, _ = heard(wav(expected, 8000), "--rate", 44100, "--format", "U8")
    assert_windows_are_those_of(detector_stream(small_detector, 8000, 1.0, 0.5), expected, windows)
    endless = bytearray(wav(expected))
    endless[40:44] = b"\xff" * 4
    _, windows, _ = heard(bytes(endless))
    assert_windows_are_those_of(detector_stream(small_detector, RATE, 1.0, 0.5), expected, windows)


def test_raw_samples_are_read_as_options_say(heard, small_detector, call):
    short = call[: RATE * 3 // 2]
    stereo = np.stack([np.zeros_like(short), short], axis=1).astype(">i2")
    given = ["--format", "s16_be", "--rate", 8000, "--channels", 2, "--channel", "right"]
    _, windows, _ = heard(stereo.tobytes(), *given)
    assert_windows_are_those_of(detector_stream(small_detector, 8000, 1.0, 0.5), short, windows)
    first = np.stack([short, np.zeros_like(short)], axis=1).astype(">i2")
    _, windows, _ = heard(first.tobytes(), *given[:-1], 0)
    assert_windows_are_those_of(detector_stream(small_detector, 8000, 1.0, 0.5), short, windows)
    assert _FORMATS == SAMPLE_FORMATS  # which help names before anything is loaded


def test_a_stream_that_ends_within_a_sample_is_heard_up_to_there(heard, call):
    _, whole, _ = heard(call[:-1].tobytes())
    _, cut, verdict = heard(call.tobytes()[:-1])
    assert cut == whole
    assert verdict["duration_s"] == pytest.approx(3 - 1 / RATE)


def test_options_reach_the_stream(heard, small_detector, call, tmp_path):
    _, windows, _ = heard(call.tobytes(), "--smoothing", 0)
    assert [each["smoothed"] for each in windows] == [each["score"] for each in windows]
    out = run("listen", "--window", 1.5, "--operating-point", "1 in 100", "-", given=call.tobytes(), code=0)
    lines = [json.loads(line) for line in out[0].splitlines()]
    assert [each["stop_s"] for each in lines[:-1]] == [1.5, 2.0, 2.5, 3.0]
    stream = detector_stream(load_pretrained(), RATE, 1.5, operating_point="1 in 100")
    assert lines[-1]["score"] < stream.threshold


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["call.wav"], "call.wav: listen takes - .* voicelstm detect call.wav"),
        (["-", "--device", "1"], "--device is for the microphone"),
        (["--format", "U8"], "--format is for sound from standard input"),
        (["--channels", "2"], "--channels is for sound from standard input"),
        (["-", "--threshold", "0", "--operating-point", "1 in 100"], "exclude each other"),
        (["-", "--hop", "5"], "--hop 5.0: expected more than 0 s and at most --window 4.0, else"),
        (["-", "--window", "0"], "--window 0.0: expected at least 0.15 s"),
        (["-", "--smoothing", "-1"], "--smoothing -1.0: expected"),
        (["-", "--operating-point", "1 in 7"], "--operating-point '1 in 7': this detector has"),
        (["-", "--format", "mp3"], "'mp3' is not one of 's8'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_answered_in_options(arguments, words):
    _, err = run("listen", *arguments, given=b"", code=ExitCode.USAGE)
    assert re.search(words, " ".join(err.split()))


def test_what_cannot_be_heard_is_refused(monkeypatch):
    _, err = run("listen", "-", given=b"fLaC" + bytes(100), code=ExitCode.REFUSED)
    assert "standard input: found a FLAC file; expected WAV or raw samples" in err
    _, err = run("listen", "-", "--rate", 10, given=bytes(100), code=ExitCode.REFUSED)
    assert "cannot be resampled" in err
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    _, err = run("listen", code=ExitCode.REFUSED)
    assert "the microphone needs sounddevice: pip install 'voicelstm[live]'" in err


def test_a_detector_of_three_classes_is_refused_by_its_name(monkeypatch, small_voices):
    X, y = small_voices[0]
    three = np.where(np.arange(len(y)) % 3 == 0, "other", y)
    small = {"classifier__units": (4,), "classifier__max_steps": 2}
    detector = make_detector("dynamics", random_state=0, **small).fit(X, three)
    monkeypatch.setattr(Model, "load", lambda model: detector)
    _, err = run("listen", "-", given=b"", code=ExitCode.REFUSED)
    assert "general-1: A stream has one score" in err
    assert "3 classes" in err


def test_raw_samples_without_speech_are_asked_about():
    _, err = run("listen", "-", "--format", "U8", given=b"\x80" * RATE, code=ExitCode.SOME_FAILED)
    assert "raw samples were read as U8, 16000 Hz, 1 channel; is that right?" in err
    _, err = run("listen", "-", given=wav(np.zeros(RATE)), code=ExitCode.SOME_FAILED)
    assert err == ""


def test_of_a_microphone_that_goes_away_the_verdict_comes_first(monkeypatch, detector_file, call):
    class Gone(Sounddevice):
        """Shows two seconds of sound, and is then unplugged."""

        def InputStream(self, **settings):  # noqa: N802  # its name there
            stream = super().InputStream(**settings)
            status = SimpleNamespace(input_overflow=False)
            stream.start = lambda: stream.callback(call[: 2 * RATE, None], 2 * RATE, None, status)
            return stream

    monkeypatch.setitem(sys.modules, "sounddevice", Gone())
    monkeypatch.setattr("voicelstm.command._sound_sources._STALLED", 0.1)
    out, err = run("listen", "-m", detector_file, *QUICK, *ALL_SYNTHETIC, code=ExitCode.REFUSED)
    assert json.loads(out.splitlines()[-1])["verdict"] == "synthetic"
    assert "the microphone is gone" in err


def on_stdin(monkeypatch, data):
    stdin = SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)


def test_on_a_terminal_the_verdict_stands_in_the_end(monkeypatch, detector_file, call):
    on_stdin(monkeypatch, call.tobytes())
    arguments = ["listen", "-m", detector_file, *QUICK, *ALL_SYNTHETIC, "-"]
    lines = shown_on_terminal(monkeypatch, *arguments, columns=100, code=ExitCode.FOUND)
    last = [line.strip() for line in lines if line.strip()][-1]
    assert last.startswith("synthetic: mean score ")
    assert last.endswith("of 5 windows with speech in 3.0 s, 5 are synthetic.")
    on_stdin(monkeypatch, bytes(RATE))
    lines = shown_on_terminal(monkeypatch, "listen", "-", code=ExitCode.SOME_FAILED)
    assert "No speech in 0.5 s: there is no voice to judge." in " ".join(lines)


def test_a_microphone_is_heard_until_ctrl_c(monkeypatch, detector_file, call):
    class Heard(Sounddevice):
        """Shows a second of sound as soon as it is started, and interrupts."""

        def InputStream(self, **settings):  # noqa: N802  # its name there
            stream = super().InputStream(**settings)

            def start():
                for first in range(0, len(call), RATE):
                    block = call[first : first + RATE, None].astype(np.int16)
                    stream.callback(block, len(block), None, SimpleNamespace(input_overflow=False))
                stream.active = True
                stalled.append(stream)

            stream.start = start
            return stream

    stalled = []
    monkeypatch.setitem(sys.modules, "sounddevice", Heard())
    asked = []

    def interrupt(blocks, sign):
        yield blocks.get()
        yield None  # silence for two seconds
        asked.append(blocks.get())
        yield asked[0]
        signal.raise_signal(signal.SIGINT)
        assert sign.is_set

    monkeypatch.setattr("voicelstm.command._sound_sources._until_stopped", interrupt)
    out, _ = run("listen", "-m", detector_file, *QUICK, *ALL_SYNTHETIC, code=ExitCode.FOUND)
    *windows, verdict = map(json.loads, out.splitlines())
    assert [each["stop_s"] for each in windows] == [1.0, 1.5, 2.0]
    assert verdict["verdict"] == "synthetic"


@pytest.fixture
def process(detector_file):
    """The command as a process of its own, which ends with the test."""
    arguments = ["listen", "-m", str(detector_file), *QUICK, *ALL_SYNTHETIC, "-"]
    with subprocess.Popen(
        [*COMMAND, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as started:
        yield started
        started.kill()


def test_windows_are_answered_while_sound_comes_and_while_it_stalls(process, call):
    def feed(data):
        process.stdin.write(data)
        process.stdin.flush()

    for first in range(0, RATE, RATE // 10):  # as a microphone would write it
        time.sleep(0.1)
        feed(call[first : first + RATE // 10].tobytes())
    assert json.loads(process.stdout.readline())["stop_s"] == 1.0  # the pipe is still open
    feed(call[RATE : 2 * RATE].tobytes() + b"\1")  # faster, and with half a sample
    assert [json.loads(process.stdout.readline())["stop_s"] for _ in range(2)] == [1.5, 2.0]
    feed(b"\1" + call[: RATE // 4].tobytes() + b"\1")
    process.stdin.close()
    last, verdict = map(json.loads, process.stdout)
    assert last["stop_s"] == verdict["duration_s"] == pytest.approx(2.25 + 1 / RATE)
    assert process.wait() == ExitCode.FOUND
    assert process.stderr.read() == b""


def test_ctrl_c_ends_it_with_the_verdict_while_the_pipe_is_open(process, call):
    process.stdin.write(call[: RATE * 5 // 4].tobytes())
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["stop_s"] == 1.0
    process.send_signal(signal.SIGINT)
    rest = [json.loads(line) for line in process.stdout]
    assert rest[-1]["verdict"] == "synthetic"
    assert process.wait() == ExitCode.FOUND
    assert process.stderr.read() == b""


def test_ctrl_c_before_any_sound_is_an_interrupt(monkeypatch):
    def interrupted(model):
        signal.raise_signal(signal.SIGINT)
        return load_pretrained()

    monkeypatch.setattr(Model, "load", interrupted)
    out, err = run("listen", "-", given=b"", code=ExitCode.INTERRUPTED)
    assert (out, err.strip()) == ("", "voicelstm: interrupted")


def test_a_reader_that_goes_away_ends_it(process, call):
    process.stdin.write(call[:RATE].tobytes())
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()
    with suppress(BrokenPipeError):  # it may have ended by then
        process.stdin.write(call.tobytes())
    with suppress(BrokenPipeError):  # which writes what is left
        process.stdin.close()
    assert process.wait() == ExitCode.CLOSED_PIPE


def test_a_terminal_as_standard_input_is_wrong_usage():
    ours, theirs = pty.openpty()
    done = subprocess.run([*COMMAND, "listen", "-"], stdin=theirs, capture_output=True, text=True)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == ExitCode.USAGE
    assert "Standard input is a terminal: pipe sound into it" in done.stderr
