"""Cepstra and reading: this library against the ones it replaces, one thread, same samples, same process."""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from python_speech_features import mfcc
from scipy.io import wavfile
from threadpoolctl import threadpool_limits

from measure import medians, show
from voicelstm.audio import read_audio
from voicelstm.cepstra import CepstraSettings, cepstra


def cepstra_of_a_minute(rate, n_fft, window, psf_window, repeats):
    """Thirteen coefficients of one minute of noise."""
    pcm = (np.random.default_rng(0).standard_normal(60 * rate) * 3000).astype(np.int16)
    samples = (pcm / 32768).astype(np.float32)
    single = CepstraSettings(n_mfcc=13, n_filters=26, n_fft=n_fft, window=window, amplitude=32768)
    double = replace(single, dtype="float64")
    sides = {
        "voicelstm, float32": lambda: cepstra(samples, rate, single),
        "voicelstm, float64": lambda: cepstra(samples, rate, double),
        "python_speech_features": lambda: mfcc(pcm, rate, nfft=n_fft, winfunc=psf_window),
    }
    title = f"13 MFCC of one minute at {rate} Hz, n_fft {n_fft}, one thread"
    show(title, medians(sides, repeats), "voicelstm, float32")


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
        cepstra_of_a_minute(22050, 2048, "boxcar", np.ones, repeats)  # the recipe's setting
        cepstra_of_a_minute(16000, 512, "hamming", np.hamming, repeats)
        reading_pcm(repeats)


if __name__ == "__main__":
    main()
