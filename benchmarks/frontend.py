"""Cepstra, reading, many files, memory: this library against the ones it replaces, in the same process."""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import kaldi_native_fbank
import librosa
import numpy as np
import soundfile
from python_speech_features import mfcc
from scipy.io import wavfile
from threadpoolctl import threadpool_info, threadpool_limits

from measure import medians, show
from voicelstm import MFCCTransformer, make_detector
from voicelstm.audio import read_audio
from voicelstm.exceptions import AudioWarning
from voicelstm.features import CepstraSettings, cepstra, frame_sizes

SHARED = Path(os.environ.get("VOICELSTM_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def by_kaldi(samples, rate):
    """Thirteen MFCC of kaldi-native-fbank: as in Kaldi, whose conventions differ, at the same sizes."""
    options = kaldi_native_fbank.MfccOptions()
    options.frame_opts.samp_freq = rate
    options.frame_opts.dither = 0
    options.frame_opts.window_type = "hamming"
    options.mel_opts.num_bins = 26
    options.num_ceps = 13
    computer = kaldi_native_fbank.OnlineMfcc(options)
    computer.accept_waveform(rate, samples)
    computer.input_finished()
    return np.stack([computer.get_frame(frame) for frame in range(computer.num_frames_ready)])


def cepstra_of_a_minute(repeats):
    """Thirteen coefficients of one minute of noise, at the recipe's setting and at the usual one."""
    for rate, n_fft, window, psf_window in (
        (22050, 2048, "boxcar", np.ones),
        (16000, 512, "hamming", np.hamming),
    ):
        pcm = (np.random.default_rng(0).standard_normal(60 * rate) * 3000).astype(np.int16)
        samples = (pcm / 32768).astype(np.float32)
        single = CepstraSettings(n_mfcc=13, n_filters=26, n_fft=n_fft, window=window, amplitude=32768)
        double = replace(single, dtype="float64")
        sides = {
            "voicelstm, float32": lambda s=samples, r=rate, own=single: cepstra(s, r, own),
            "voicelstm, float64": lambda s=samples, r=rate, own=double: cepstra(s, r, own),
            "python_speech_features": lambda p=pcm, r=rate, n=n_fft, w=psf_window: mfcc(
                p, r, nfft=n, winfunc=w
            ),
        }
        hop, length = frame_sizes(rate, 0.01, 0.025)
        sides["librosa"] = lambda s=samples, r=rate, n=n_fft, h=hop, w=length, window=window: (
            librosa.feature.mfcc(
                y=s, sr=r, n_mfcc=13, n_fft=n, hop_length=h, win_length=w, window=window, n_mels=26
            )
        )
        if rate == 16000:  # it takes no transform longer than a power of two that holds the frame
            as_floats = pcm.astype(np.float32)
            sides["kaldi-native-fbank"] = lambda s=as_floats: by_kaldi(s, 16000)
        title = f"13 MFCC of one minute at {rate} Hz, n_fft {n_fft}"
        show(title, medians(sides, repeats), "voicelstm, float32")


def many_files(repeats):
    """A thousand recordings of the corpus, from path to features."""
    with (SHARED / "corpus" / "manifest.csv").open(newline="", encoding="utf-8") as lines:
        paths = [SHARED / "corpus" / row["path"] for row in csv.DictReader(lines)][:1000]
    transformer = MFCCTransformer()
    sides = {
        "n_jobs=1": lambda: transformer.set_params(n_jobs=1).transform(paths),
        "n_jobs=2": lambda: transformer.set_params(n_jobs=2).transform(paths),
    }
    show("1,000 recordings (FLAC) to 60 features a frame, workers warm", medians(sides, repeats), "n_jobs=2")

    def recipe(path):
        rate, signal = wavfile.read(path)
        features = mfcc(signal, samplerate=rate, nfft=2048)[:5000]
        return (features - features.min(axis=0)) / np.ptp(features, axis=0)

    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder, f"{position}.wav") for position in range(len(paths))]
        for path, copy in zip(paths, copies, strict=True):
            samples, rate = soundfile.read(path, dtype="int16")
            soundfile.write(copy, samples, rate)
        single, double = (MFCCTransformer.original(dtype=dtype) for dtype in ("float32", "float64"))
        sides = {
            "voicelstm, float32": lambda: single.transform(copies),
            "voicelstm, float64": lambda: double.transform(copies),
            "scipy.io.wavfile and python_speech_features": lambda: [recipe(path) for path in copies],
        }
        title = "1,000 recordings (WAV) to the original recipe's features, n_jobs=1"
        show(title, medians(sides, repeats), "voicelstm, float32")


def speech_only(repeats):
    """What it costs to leave out what is no speech, of the corpus and of a call."""
    with (SHARED / "corpus" / "manifest.csv").open(newline="", encoding="utf-8") as lines:
        paths = [SHARED / "corpus" / row["path"] for row in csv.DictReader(lines)][:1000:5]
    voices = [read_audio(path, sample_rate=16000)[0] for path in paths if "speech" in path.parts][:30]
    pause = 1e-4 * np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    # Of two talkers in turn the second is 30 dB quieter, and heard again in the pauses of the first.
    turns = [10 ** (-1.5 * (at % 2)) * np.concatenate([voice, pause]) for at, voice in enumerate(voices)]
    call = (np.concatenate(turns), 16000)
    transformer = MFCCTransformer()
    minutes = len(call[0]) / 16000 / 60
    for title, recordings in (
        (f"{len(paths)} recordings (FLAC) to 60 features a frame", paths),
        (f"A call of {minutes:.1f} minutes in memory to features", [call]),
    ):
        sides = {
            "all frames": lambda X=recordings: transformer.set_params(speech_only=False).transform(X),
            "speech_only=True": lambda X=recordings: transformer.set_params(speech_only=True).transform(X),
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AudioWarning)  # of recordings without speech
            seconds = medians(sides, repeats)
        show(title, seconds, "all frames")
        ratio = seconds["speech_only=True"] / seconds["all frames"]
        print(f"speech_only=True takes {ratio:.2f} times as long as all frames\n")


_AN_HOUR = """
import sys
from pathlib import Path
from voicelstm import MFCCTransformer, make_detector

def peak():  # not getrusage's, which begins at the parent's
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])

MFCCTransformer().transform([sys.argv[1]])
before = peak()
(features,) = MFCCTransformer().transform([sys.argv[2]])
print(peak() - before, features.nbytes)
"""


def memory_of_an_hour():
    """Peak memory of one hour at 16 kHz, in a process of its own, above the samples in float32."""
    with tempfile.TemporaryDirectory() as folder:
        second, hour = Path(folder, "second.wav"), Path(folder, "hour.wav")
        noise = (np.random.default_rng(0).standard_normal(16000) * 3000).astype(np.int16)
        soundfile.write(second, noise, 16000)
        soundfile.write(hour, np.tile(noise, 3600), 16000)
        done = subprocess.run(
            [sys.executable, "-c", _AN_HOUR, second, hour], capture_output=True, text=True, check=True
        )
    peak, features = map(int, done.stdout.split())
    above = (peak - 4 * 16000 * 3600) / 1e6
    text = f"peak memory {above:.0f} MB above the samples, {features / 1e6:.0f} MB of it the features"
    print(f"One hour at 16 kHz: {text}\n")


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


def beside_busy_processes(repeats):
    """What BLAS's default threads cost beside three busy processes; at most a fifth."""
    with (SHARED / "corpus" / "manifest.csv").open(newline="", encoding="utf-8") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: float(row["seconds"]), reverse=True)
    paths = [SHARED / "corpus" / row["path"] for row in rows[::9]][:120]
    features = make_detector("dynamics")[:-1].fit(paths)

    def each_alone(n_jobs):
        transformer = make_detector("dynamics", features__n_jobs=n_jobs)[0]
        return lambda: [transformer.transform([path]) for path in paths]

    def in_one_thread(run):
        with threadpool_limits(1):
            run()

    works = {
        "120 recordings through make_detector's features": lambda: features.transform(paths),
        "one at a time": each_alone(n_jobs=1),
        "one at a time, n_jobs=2": each_alone(n_jobs=2),
    }
    sides = {}
    for name, run in works.items():
        sides[name] = run
        sides[f"{name}, BLAS limited to one thread"] = partial(in_one_thread, run)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]
    try:
        seconds = medians(sides, repeats)
    finally:
        for process in busy:
            process.kill()
    processor = next(each["architecture"] for each in threadpool_info() if each["user_api"] == "blas")
    show(f"Beside three busy processes, BLAS's kernels for {processor}", seconds, next(iter(works)))
    ratios = {name: seconds[name] / seconds[f"{name}, BLAS limited to one thread"] for name in works}
    print(
        *(f"{name}: {ratio:.2f} times as long as with one thread" for name, ratio in ratios.items()), sep="\n"
    )
    return max(ratios.values()) <= 1.2


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--only-beside", action="store_true", help="only what runs beside busy processes")
    arguments = parser.parse_args()
    repeats = arguments.repeats
    if arguments.only_beside:
        sys.exit(not beside_busy_processes(repeats))
    cepstra_of_a_minute(repeats)
    reading_pcm(repeats)
    many_files(repeats)
    speech_only(repeats)
    memory_of_an_hour()
    # For some processors OpenBLAS shares small products out to threads, for others it does not.
    sides = [os.environ, os.environ | {"OPENBLAS_CORETYPE": "Haswell"}]
    command = [sys.executable, __file__, "--only-beside", "--repeats", str(repeats)]
    sys.exit(max(subprocess.run(command, env=side, check=False).returncode for side in sides))


if __name__ == "__main__":
    main()
