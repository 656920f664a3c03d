import io
import os
import signal
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from voicelstm.audio import PcmStream
from voicelstm.command import _sound_sources as sources
from voicelstm.command._sound_sources import Microphone, StandardInput, StopSign, stopped_by_interrupt


@pytest.fixture
def piped(monkeypatch):
    """Standard input that is a pipe, and the end to write into."""
    read, write = os.pipe()
    with open(read, encoding="utf-8") as file:  # noqa: PTH123  # a descriptor
        monkeypatch.setattr(sys, "stdin", file)
        yield write


def test_samples_come_while_the_pipe_is_open(piped):
    blocks = StandardInput(PcmStream("it"), StopSign()).blocks()
    for numbers in (list(range(16)), [7, 8]):
        os.write(piped, np.array(numbers, "<i2").tobytes())
        assert next(blocks).tolist() == numbers
    os.write(piped, b"\1")
    assert len(next(blocks)) == 0
    os.close(piped)
    assert [len(each) for each in blocks] == [0]  # half a sample is none


def test_a_pipe_that_stalls_is_waited_for(piped, monkeypatch):
    monkeypatch.setattr(sources, "_LOOK", 0.001)
    monkeypatch.setattr(sources, "_STALLED", 0.002)
    sign = StopSign()
    source = StandardInput(PcmStream("it"), sign)
    blocks = source.blocks()
    assert next(blocks) is next(blocks) is None
    assert source.sample_rate is None
    os.write(piped, bytes(32))
    while (found := next(blocks)) is None:
        pass
    assert len(found) == 16
    assert source.sample_rate == 16000
    sign.is_set = True
    assert sum(len(each) for each in blocks if each is not None) == 0
    os.close(piped)


def test_who_writes_faster_than_is_heard_waits(piped, monkeypatch):
    monkeypatch.setattr(sources, "_READ", 1000)
    source = StandardInput(PcmStream("it"), StopSign())
    data = np.arange(30000, dtype="<i2").tobytes()
    writer = threading.Thread(target=lambda: (os.write(piped, data), os.close(piped)))
    writer.start()
    samples = np.concatenate([each for each in source.blocks() if each is not None])
    writer.join()
    assert samples.tolist() == list(range(30000))


def test_a_pipe_that_cannot_be_read_is_an_error(monkeypatch):
    broken = SimpleNamespace(buffer=io.BytesIO())
    broken.buffer.close()
    monkeypatch.setattr(sys, "stdin", broken)
    source = StandardInput(PcmStream("it"), StopSign())
    assert [len(each) for each in source.blocks()] == [0]
    assert "standard input: I/O operation on closed file" in str(source.error)


def test_a_pipe_that_does_not_block_is_heard_to_its_end(piped):
    os.set_blocking(sys.stdin.fileno(), False)
    source = StandardInput(PcmStream("it"), StopSign())
    blocks = source.blocks()
    for _ in range(2):
        time.sleep(0.1)  # nothing is there
        os.write(piped, bytes(32))
        assert len(next(blocks)) == 16
    os.close(piped)
    assert [len(each) for each in blocks] == [0]
    assert source.error is None


def test_samples_that_are_no_numbers_are_heard_as_0_and_warned_of_once(piped, capsys):
    blocks = StandardInput(PcmStream("it", "FLOAT_LE"), StopSign()).blocks()
    for _ in range(2):
        os.write(piped, np.array([0.5, np.nan, -np.inf, 0.25] * 2, "<f4").tobytes())
        assert next(blocks).tolist() == [0.5, 0, 0, 0.25] * 2
    os.close(piped)
    assert capsys.readouterr().err.count("NaN or infinite; they are heard as 0") == 1


@pytest.mark.parametrize("tail", ["LIST", "WAV"])
def test_a_wav_ends_with_its_samples_and_a_second_one_is_warned_of(piped, capsys, tail):
    file = io.BytesIO()
    soundfile.write(file, np.arange(100, dtype=np.int16), 8000, format="WAV")
    behind = b"LIST\4\0\0\0abcd" if tail == "LIST" else file.getvalue()
    source = StandardInput(PcmStream("it"), StopSign())
    os.write(piped, file.getvalue() + behind)
    assert np.concatenate(list(source.blocks())).tolist() == list(range(100))  # the pipe is still open
    os.close(piped)
    warned = "bytes behind the WAV's samples, 244 so far, were not heard" in capsys.readouterr().err
    assert warned == (tail == "WAV")


def test_the_first_interrupt_sets_a_sign_and_the_second_one_interrupts():
    with stopped_by_interrupt() as sign:
        assert not sign.is_set
        signal.raise_signal(signal.SIGINT)
        assert sign.is_set
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    found = []
    thread = threading.Thread(target=lambda: found.append(stopped_by_interrupt().__enter__()))
    thread.start()  # where no signal comes
    thread.join()
    assert not found[0].is_set


class Sounddevice:
    """A stand-in for the library of that name: two devices, of which one records, at 44.1 kHz or 16."""

    class PortAudioError(Exception):
        pass

    def __init__(self, rates=(16000, 44100)):
        self.rates, self.streams = rates, []

    def query_devices(self, device=None, kind=None):
        found = [
            {"name": "loudspeaker", "max_input_channels": 0, "default_samplerate": 48000.0},
            {"name": "headset", "max_input_channels": 1, "default_samplerate": 44100.0},
        ]
        if kind is None:
            return found
        if device not in (None, 1, "headset"):
            raise ValueError(f"No input device matching {device!r}")
        return found[1]

    def check_input_settings(self, device, channels, dtype, samplerate):
        if samplerate not in self.rates:
            raise self.PortAudioError("Invalid sample rate")

    def InputStream(self, **settings):  # noqa: N802  # its name there
        self.check_input_settings(None, 1, None, settings["samplerate"])
        stream = SimpleNamespace(**settings, is_open=False, active=False)
        stream.start = lambda: vars(stream).update(is_open=True, active=True)
        stream.close = lambda: vars(stream).update(is_open=False)
        self.streams.append(stream)
        return stream


@pytest.fixture
def sounddevice(monkeypatch):
    found = Sounddevice()
    monkeypatch.setitem(sys.modules, "sounddevice", found)
    return found


def test_a_microphone_gives_the_samples_that_it_is_shown(sounddevice, capsys):
    microphone = Microphone("1", None, StopSign())
    (stream,) = sounddevice.streams
    assert (stream.samplerate, stream.channels, stream.dtype, stream.device) == (16000, 1, "int16", 1)
    assert stream.is_open
    shown = np.arange(5, dtype=np.int16)[:, None]
    stream.callback(shown, 5, None, SimpleNamespace(input_overflow=False))
    shown[:] = 0  # its memory is used again
    blocks = microphone.blocks()
    assert next(blocks).tolist() == [0, 1, 2, 3, 4]
    stream.callback(shown, 5, None, SimpleNamespace(input_overflow=True))
    next(blocks)
    assert "sound was lost" in capsys.readouterr().err
    for _ in range(301):  # half a minute and more that nobody has heard
        stream.callback(shown, 5, None, SimpleNamespace(input_overflow=False))
    next(blocks)
    assert "sound was lost" in capsys.readouterr().err
    microphone.close()
    assert not stream.is_open


def test_a_microphone_that_goes_away_ends_it(sounddevice, monkeypatch):
    monkeypatch.setattr(sources, "_STALLED", 0.1)
    microphone = Microphone("1", None, StopSign())
    blocks = microphone.blocks()
    assert next(blocks) is None  # silent, but there
    sounddevice.streams[0].active = False
    assert list(blocks) == []
    assert "the microphone is gone" in str(microphone.error)


def test_a_microphone_has_its_own_rate_where_it_cannot_have_the_detectors(sounddevice):
    sounddevice.rates = (44100,)
    assert Microphone(None, None, StopSign()).sample_rate == 44100
    assert Microphone("headset", 44100, StopSign()).sample_rate == 44100
    with pytest.raises(OSError, match=r"Invalid sample rate. There are: 1 \(headset\)\."):
        Microphone(None, 8000, StopSign())


def test_a_microphone_that_is_not_there_is_an_error_that_names_those_that_are(sounddevice):
    with pytest.raises(OSError, match=r"no microphone: .*'webcam'. There are: 1 \(headset\)\."):
        Microphone("webcam", None, StopSign())


def test_what_a_microphone_needs_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(OSError, match=r"pip install 'voicelstm\[live\]'.*arecord"):
        Microphone(None, None, StopSign())

    class NoPortAudio:
        def find_spec(self, name, path=None, target=None):
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice")
    monkeypatch.setattr(sys, "meta_path", [NoPortAudio(), *sys.meta_path])
    with pytest.raises(OSError, match=r"needs PortAudio \(PortAudio library not found\).*libportaudio2"):
        Microphone(None, None, StopSign())
