"""Cepstra and reading: this library against the ones it replaces, one thread, same samples, same process."""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from measure import medians, show
from python_speech_features import mfcc
from scipy.io import wavfile
from threadpoolctl import threadpool_limits

from voicelstm.audio import read_audio
from voicelstm.cepstra import CepstraSettings, cepstra


def cepstra_of_a_minute(repeats):
    """The recipe's setting, one minute at 22.05 kHz, and the usual one at 16 kHz."""
    generator = np.random.default_rng(0)
    for rate, n_fft, window in ((22050, 2048, "boxcar"), (16000, 512, "hamming")):
        pcm = (generator.standard_normal(60 * rate) * 3000).astype(np.int16)
        samples = (pcm / 32768).astype(np.float32)
        settings = {
            dtype: CepstraSettings(
                n_mfcc=13, n_filters=26, n_fft=n_fft, window=window, amplitude=32768, dtype=dtype
            )
            for dtype in ("float32", "float64")
        }
        psf_window = np.hamming if window == "hamming" else np.ones
        sides = {
            "voicelstm, float32": lambda: cepstra(samples, rate, settings["float32"]),
            "voicelstm, float64": lambda: cepstra(samples, rate, settings["float64"]),
            "python_speech_features": lambda: mfcc(pcm, rate, nfft=n_fft, winfunc=psf_window),
        }
        times = medians(sides, repeats)
        show(f"13 MFCC of one minute at {rate} Hz, n_fft {n_fft}, one thread", times, "voicelstm, float32")


def reading_pcm(repeats):
    """16-bit WAV to float32 mono: why soundfile is the fast path."""

    def by_scipy(path):
        _, pcm = wavfile.read(path)
        pcm = pcm.astype(np.float32)
        pcm *= np.float32(1 / 32768)
        return pcm.mean(axis=1) if pcm.ndim == 2 else pcm

    def by_soundfile(path):
        samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
        return samples.mean(axis=1) if samples.shape[1] > 1 else samples[:, 0]

    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        for name, rate, shape in (
            ("three minutes of stereo at 22,050 Hz", 22050, (180 * 22050, 2)),
            ("four seconds of mono at 16,000 Hz", 16000, (4 * 16000,)),
        ):
            path = Path(folder, "recording.wav")
            wavfile.write(path, rate, (generator.standard_normal(shape) * 3000).astype(np.int16))
            sides = {
                "voicelstm.audio.read_audio": lambda path=path: read_audio(path),
                "scipy.io.wavfile": lambda path=path: by_scipy(path),
                "soundfile as float32": lambda path=path: by_soundfile(path),
            }
            show(f"Reading {name}", medians(sides, repeats), "voicelstm.audio.read_audio")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    with threadpool_limits(1):
        cepstra_of_a_minute(repeats)
        reading_pcm(repeats)


if __name__ == "__main__":
    main()
