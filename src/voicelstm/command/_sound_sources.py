"""Sources of sound for ``voicelstm listen``, which answers while it comes: standard input, a microphone."""

import queue
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from voicelstm.command._session import say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from voicelstm.audio import PcmStream

__all__ = ["RATE", "Microphone", "StandardInput", "StopSign", "stopped_by_interrupt"]

_LOOK = 0.1  # in s, after which somebody who waits for sound looks whether to stop
_STALLED = 2.0  # in s without sound, after which that is said
_READ = 2**16  # bytes at most that are read in one go
_BLOCKS = 16  # that wait to be heard; who writes into the pipe then waits, too
_SECONDS = 30  # of a microphone's sound that wait, before some is lost
RATE = 16000  # Hz, which the detector of the package hears
_PIPE = "Without it, pipe sound in: arecord -f S16_LE -r 16000 | voicelstm listen -"


class StopSign:
    """Whether somebody wants listening to end."""

    def __init__(self) -> None:
        self.is_set = False


@contextmanager
def stopped_by_interrupt() -> Iterator[StopSign]:
    """Let Ctrl-C set a sign, so that what was heard is still answered; the second one interrupts as ever."""
    sign = StopSign()
    if threading.current_thread() is not threading.main_thread():
        yield sign
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(*_: Any) -> None:
        sign.is_set = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield sign
    finally:
        signal.signal(signal.SIGINT, before)


class StandardInput:
    """Blocks of samples from standard input, which a thread reads so that nobody waits for it."""

    def __init__(self, decoder: "PcmStream", sign: StopSign) -> None:
        self._decoder, self._sign = decoder, sign
        self._told_of_bad = False
        self.error: OSError | None = None  # which ended it
        self._blocks: queue.Queue[bytes | OSError] = queue.Queue(_BLOCKS)
        buffer = sys.stdin.buffer
        # Without the buffer, whose lock the interpreter's end would wait for.
        self._file: Any = getattr(buffer, "raw", buffer)
        threading.Thread(target=self._read, name="voicelstm-listen", daemon=True).start()

    @property
    def sample_rate(self) -> int | None:
        """Rate of the samples in Hz; None before it is known."""
        return self._decoder.sample_rate

    @property
    def raw_as(self) -> str | None:
        """Description of how raw samples are read; None of a WAV stream."""
        return None if self._decoder.is_wav else self._decoder.description

    def blocks(self) -> "Iterator[NDArray[Any] | None]":
        """Yield samples as they come, and None while none do."""
        for data in _until_stopped(self._blocks, self._sign):
            if isinstance(data, OSError):
                self.error = data
            if isinstance(data, OSError) or data == b"":
                break
            yield None if data is None else self._finite(self._decoder.decode(data))
            if self._decoder.is_over:
                self._look_behind()
                break
        yield self._finite(self._decoder.finish())

    def _finite(self, samples: "NDArray[Any]") -> "NDArray[Any]":
        """Put 0 in the place of samples that are NaN or infinite, since the others are worth hearing."""
        import numpy as np

        bad = ~np.isfinite(samples)
        if not bad.any():
            return samples
        if not self._told_of_bad:
            self._told_of_bad = True
            say("warning: standard input has samples that are NaN or infinite; they are heard as 0.")
        return np.where(bad, np.zeros_like(samples), samples)

    def _look_behind(self) -> None:
        """Warn if more comes behind the end that a WAV header announces, such as a second recording."""
        for _ in range(_BLOCKS):  # of a stream that never ends, no more
            try:
                data = self._blocks.get(timeout=_LOOK)
            except queue.Empty:
                break
            if isinstance(data, OSError) or data == b"":
                break
            self._decoder.decode(data)
        if self._decoder.has_unheard:
            say(
                f"warning: bytes behind the WAV's samples, {self._decoder.n_behind} so far, were not heard: a"
                " stream is one recording."
            )

    def _read(self) -> None:
        try:
            while (data := self._file.read(_READ)) != b"":
                if data is None:  # so says a pipe that does not block
                    select.select([self._file], [], [])
                else:
                    self._blocks.put(data)
            self._blocks.put(b"")
        except (OSError, ValueError) as error:
            self._blocks.put(OSError(f"standard input: {error}"))


class Microphone:
    """Blocks of samples from a microphone; to be closed."""

    def __init__(self, device: str | None, rate: int | None, sign: StopSign) -> None:
        sounddevice = _sounddevice()
        self._sign, self._lost = sign, False
        self._blocks: queue.Queue[Any] = queue.Queue(10 * _SECONDS)  # of a tenth of a second each
        self.error: OSError | None = None  # which ended it
        chosen = int(device) if device is not None and device.isdecimal() else device
        try:
            self.sample_rate = _rate_of(sounddevice, chosen) if rate is None else rate
            self._stream = sounddevice.InputStream(
                samplerate=self.sample_rate,
                blocksize=self.sample_rate // 10,
                device=chosen,
                channels=1,
                dtype="int16",
                callback=self._take,
            )
            self._stream.start()
        except (ValueError, sounddevice.PortAudioError) as error:
            raise OSError(f"no microphone: {error}. {_devices(sounddevice)}") from error

    def blocks(self) -> "Iterator[NDArray[Any] | None]":
        """Yield samples as they come, and None while none do."""
        for block in _until_stopped(self._blocks, self._sign):
            if self._lost:
                self._lost = False
                say("warning: sound was lost, since it came faster than it could be heard.")
            if block is None and not self._stream.active:
                self.error = OSError("the microphone is gone: it gives no sound any more.")
                return
            yield block

    def close(self) -> None:
        """Let the microphone go."""
        self._stream.close()

    def _take(self, samples: Any, n_frames: int, time: Any, status: Any) -> None:
        """Keep a copy of what a thread of PortAudio shows."""
        self._lost = self._lost or bool(status.input_overflow)
        try:
            self._blocks.put_nowait(samples[:, 0].copy())
        except queue.Full:
            self._lost = True


def _until_stopped(blocks: "queue.Queue[Any]", sign: StopSign) -> Iterator[Any]:
    """Yield what stands in a queue, and None every two seconds in which nothing comes."""
    waited = 0.0
    while not sign.is_set:
        try:
            found = blocks.get(timeout=_LOOK)
        except queue.Empty:
            waited += _LOOK
            if waited >= _STALLED:
                waited = 0.0
                yield None
        else:
            waited = 0.0
            yield found


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError:
        raise OSError(f"the microphone needs sounddevice: pip install 'voicelstm[live]'. {_PIPE}") from None
    except OSError as error:  # its library of the system
        raise OSError(
            f"the microphone needs PortAudio ({error}): install it, on Debian with 'apt install"
            f" libportaudio2'. {_PIPE}"
        ) from None
    return sounddevice


def _rate_of(sounddevice: Any, device: Any) -> int:
    """Return the rate that the detector needs, or the device's own where it has no other."""
    own = int(sounddevice.query_devices(device, "input")["default_samplerate"])
    try:
        sounddevice.check_input_settings(device=device, channels=1, dtype="int16", samplerate=RATE)
    except (ValueError, sounddevice.PortAudioError):
        return own
    return RATE


def _devices(sounddevice: Any) -> str:
    """Name the microphones that there are."""
    found = [
        f"{number} ({each['name']})"
        for number, each in enumerate(sounddevice.query_devices())
        if each["max_input_channels"] > 0
    ]
    return f"There are: {', '.join(found)}." if found else "There is none."
