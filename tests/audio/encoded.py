"""Recordings in the formats of phones, messengers and cameras, written by FFmpeg within PyAV."""

import io

import av
import numpy as np

#: Container, encoder, sample rate and further options of formats that soundfile does not read.
FORMATS = {
    "aac": ("adts", "aac", 16000, {}),
    "ac3": ("ac3", "ac3", 48000, {}),
    "alac.m4a": ("ipod", "alac", 16000, {}),
    "amr": ("amr", "libopencore_amrnb", 8000, {"b": "12200"}),
    "avi": ("avi", "libmp3lame", 16000, {}),
    "m4a": ("ipod", "aac", 16000, {}),
    "mka": ("matroska", "flac", 16000, {}),
    "ts": ("mpegts", "libmp3lame", 16000, {}),
    "tta": ("tta", "tta", 16000, {}),
    "webm": ("webm", "libopus", 48000, {}),
    "wma": ("asf", "wmav2", 16000, {"b": "32000"}),
    "wv": ("wv", "wavpack", 16000, {}),
}


def tone(frequency, seconds, rate=16000):
    """Samples of a sine at half of full scale."""
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def encode(samples, container, codec, rate, options=None, film=False, tracks=1, muxing=None):
    """Return the bytes of a file that holds mono or stereo samples, and perhaps a film of black.

    `options` are those of the encoder, `muxing` those of the container.
    """
    file = io.BytesIO()
    pcm = np.round(samples * 32767).astype(np.int16)
    layout = "mono" if pcm.ndim == 1 else "stereo"
    with av.open(file, "w", format=container, options=muxing or {}) as output:
        streams = []
        for _ in range(tracks):
            stream = output.add_stream(codec, rate=rate, options=options or {})
            stream.layout = layout
            streams.append(stream)
        if film:
            pictures = output.add_stream("mpeg4", rate=5)
            pictures.width = pictures.height = 32
            for number in range(int(5 * len(pcm) / rate)):
                picture = av.VideoFrame(32, 32, "yuv420p")
                picture.pts = number
                output.mux(pictures.encode(picture))
            output.mux(pictures.encode(None))
        for stream in streams:
            for start in range(0, len(pcm), 1024):
                interleaved = pcm[start : start + 1024].reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout=layout)
                frame.sample_rate, frame.pts = rate, start
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    return file.getvalue()


def encoded(suffix, samples, film=False):
    """Return the bytes of a file in one of the `FORMATS`; the samples are at its sample rate."""
    container, codec, rate, options = FORMATS[suffix]
    return encode(samples, container, codec, rate, options, film)


def loudest_frequency(samples, rate):
    """Return the frequency of the strongest sine, in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return spectrum.argmax() * rate / len(samples)
