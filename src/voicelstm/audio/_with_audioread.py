"""Decode with audioread, which finds what else is installed, such as the command ffmpeg."""

from pathlib import Path
from typing import Any

import numpy as np

from voicelstm.audio._channels import ChannelMixer
from voicelstm.audio._decoded import Decoded, UndecodableError, check_duration
from voicelstm.audio._samples import Samples
from voicelstm.exceptions import AudioError

__all__ = ["read_with_audioread"]


def read_with_audioread(name: str, path: Path, max_duration: float | None, mixer: ChannelMixer) -> Decoded:
    """Read a file as librosa's loader does, whose own warnings only all threads at once could silence."""
    samples, n_frames, rest = Samples(mixer), 0, b""
    try:
        import audioread

        # As text, which some of its decoders ask of a path.
        with audioread.audio_open(str(path), _decoders()) as source:
            rate, n_channels = source.samplerate, source.channels
            mixer.begin(n_channels)
            for buffer in source:
                # A buffer may end within a frame.
                found_bytes = rest + bytes(buffer)
                whole = len(found_bytes) - len(found_bytes) % (2 * n_channels)
                rest = found_bytes[whole:]
                block = np.frombuffer(found_bytes[:whole], dtype="<i2").reshape(-1, n_channels)
                samples.add(mixer.mix(block, full_scale=2**15), int(rate))
                n_frames += len(block)
                if rate > 0:
                    check_duration(name, n_frames, rate, max_duration)
    except AudioError:
        raise
    # It tries several decoders, each with exceptions of its own.
    except Exception as error:
        raise UndecodableError(f"{type(error).__name__} {error}".strip()) from error
    if rate <= 0:
        raise UndecodableError(f"a sample rate of {rate} Hz")
    if not n_frames:
        raise UndecodableError("nothing in it can be decoded")
    return Decoded(samples, int(rate), None, True, [])


def _decoders() -> list[Any]:
    """List what audioread decodes with."""
    import audioread
    from audioread import ffdec

    try:
        return audioread.available_backends()
    except DeprecationWarning:
        # An "error" filter meets the deprecated modules with which it reads WAV and AIFF files.
        return [ffdec.FFmpegAudioFile] if ffdec.available() else []
