import os
import platform
import subprocess
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from python_speech_features import mfcc
from scipy.fft import dct
from scipy.signal import get_window

from voicelstm.audio import read_audio
from voicelstm.features import CepstraSettings, append_deltas, cepstra, frame_count, frame_sizes
from voicelstm.features._cepstra import check_settings, fft_size

EXACT = CepstraSettings(dtype="float64")
# The smallest power of two that holds 25 ms.
POWER_OF_TWO = {8000: 256, 11025: 512, 16000: 512, 22050: 1024, 44100: 2048, 48000: 2048}


def test_the_default_settings_are_the_documented_ones():
    assert asdict(CepstraSettings()) == {
        "n_mfcc": 20,
        "n_filters": 40,
        "n_fft": None,
        "frame_length": 0.025,
        "frame_step": 0.01,
        "fmin": 0.0,
        "fmax": None,
        "preemphasis": 0.97,
        "window": "hamming",
        "lifter": 22,
        "energy": True,
        "scale": "mel",
        "triangles": "bins",
        "amplitude": 1.0,
        "dtype": "float32",
    }


def noise(n_samples, seed=0):
    return 0.1 * np.random.default_rng(seed).standard_normal(n_samples)


def by_python_speech_features(samples, rate, own, n_fft):
    return mfcc(
        own.amplitude * samples,
        rate,
        winlen=own.frame_length,
        winstep=own.frame_step,
        numcep=own.n_mfcc,
        nfilt=own.n_filters,
        nfft=n_fft,
        lowfreq=own.fmin,
        highfreq=own.fmax,
        preemph=own.preemphasis,
        ceplifter=own.lifter,
        appendEnergy=own.energy,
        winfunc=lambda n: get_window(own.window, n, fftbins=False),
    )


@pytest.mark.parametrize("rate", POWER_OF_TWO)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"n_fft": 2048},
        {"n_fft": 2048, "n_filters": 40, "n_mfcc": 40},
        {"n_fft": 2048, "n_filters": 64, "n_mfcc": 1},
        {"n_fft": 1501},
        {"lifter": 0},
        {"lifter": 10.5},
        {"energy": False},
        {"energy": False, "lifter": 0, "fmax": 2500.0},
        {"n_fft": 2048, "fmin": 80.5, "fmax": 3700.0},
        {"window": "hamming"},
        {"window": ("kaiser", 8.0), "preemphasis": 0.5},
        {"preemphasis": 0},
        {"amplitude": 32768.0},
        {"n_fft": 2048, "frame_length": 0.032, "frame_step": 0.0085},
    ],
    ids=str,
)
def test_double_precision_equals_python_speech_features(rate, changes):
    own = replace(EXACT, **{"n_mfcc": 13, "n_filters": 26, "window": "boxcar", **changes})
    for n_samples in (rate // 2, rate // 2 + 77):
        samples = noise(n_samples)
        expected = by_python_speech_features(samples, rate, own, own.n_fft or POWER_OF_TWO[rate])
        np.testing.assert_allclose(cepstra(samples, rate, own), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("scale", ["mel", "linear"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log_energies_are_what_the_cosine_transform_is_of(scale, dtype):
    of_all = replace(EXACT, n_filters=30, n_mfcc=30, lifter=0, energy=False, scale=scale, dtype=dtype)
    samples = noise(60_000)  # of more frames than are transformed at once
    energies = cepstra(samples, 16000, replace(of_all, n_mfcc=None, lifter=22, energy=True))
    assert energies.shape == (374, 30)
    assert energies.dtype == dtype
    expected = dct(energies.astype(np.float64), type=2, norm="ortho", axis=1)
    tolerance = 1e-9 if dtype == "float64" else 5e-4
    np.testing.assert_allclose(cepstra(samples, 16000, of_all), expected, rtol=0, atol=tolerance)


@settings(deadline=None, max_examples=200)
@given(
    st.data(),
    st.sampled_from([8000, 11025, 16000, 22050, 44100]),
    st.integers(1, 60),
    st.floats(0.004, 0.06),
    st.floats(0.002, 0.03),
    st.sampled_from(["boxcar", "hamming", "hann", ("kaiser", 8.0), ("tukey", 0.3)]),
    st.floats(0, 1),
    st.one_of(st.just(0), st.floats(1, 40)),
    st.booleans(),
)
def test_any_parameters_equal_python_speech_features(
    data, rate, n_filters, length, step, window, preemphasis, lifter, energy
):
    shortest = frame_sizes(rate, length, step)[0]
    own = replace(
        EXACT,
        n_filters=n_filters,
        n_mfcc=data.draw(st.integers(1, n_filters)),
        n_fft=data.draw(st.integers(shortest, 4096)),
        frame_length=length,
        frame_step=step,
        fmin=data.draw(st.floats(0, rate / 4)),
        fmax=data.draw(st.floats(0.3 * rate, rate / 2)),
        preemphasis=preemphasis,
        window=window,
        lifter=lifter,
        energy=energy,
    )
    samples = noise(data.draw(st.integers(1, 6000)), seed=n_filters)
    try:
        ours = cepstra(samples, rate, own)
    except ValueError as error:
        assume("no spectral bin lies" not in str(error))  # of which python_speech_features says nothing
        raise
    expected = by_python_speech_features(samples, rate, own, own.n_fft)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("n_samples", [1, 2, 399, 400, 401, 560, 561, 41_200, 41_360, 41_361])
def test_every_length_gives_the_frames_of_python_speech_features(n_samples):
    # 400 samples a frame, 160 a step; 256 frames, which are computed at once, end at sample 41,200.
    samples = noise(n_samples)
    expected = by_python_speech_features(samples, 16000, EXACT, 512)
    np.testing.assert_allclose(cepstra(samples, 16000, EXACT), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("n_samples", [20_321, 20_479, 20_480, 20_481, 20_640])
def test_frames_with_gaps_between_them_equal_python_speech_features(n_samples):
    # A block of 64 frames begins at sample 20,480, in a gap, where the signal may have ended.
    own = replace(EXACT, frame_length=0.01, frame_step=0.02, n_fft=1024)
    samples = noise(n_samples)
    expected = by_python_speech_features(samples, 16000, own, 1024)
    np.testing.assert_allclose(cepstra(samples, 16000, own), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "changes",
    [
        {"frame_length": 1 / 16000},
        {"frame_step": 1 / 16000},
        {"n_fft": 400},
        # Blocks of 64 frames of as much memory as a thread keeps, and of more.
        {"n_fft": 4096},
        {"n_fft": 4608},
    ],
    ids=str,
)
def test_the_least_and_the_most_equal_python_speech_features(changes):
    own = replace(EXACT, **{"n_mfcc": 13, "n_filters": 20, "n_fft": 512, "window": "boxcar", **changes})
    samples = noise(400 + int(70 * 16000 * own.frame_step))
    expected = by_python_speech_features(samples, 16000, own, own.n_fft)
    np.testing.assert_allclose(cepstra(samples, 16000, own), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("frame_length", "size"), [(1, 1), (2, 2), (3, 4), (512, 512), (513, 1024)])
def test_a_transform_is_the_smallest_power_of_two_that_holds_a_frame(frame_length, size):
    assert fft_size(frame_length, None) == size


@pytest.mark.parametrize(
    ("most", "more", "words"),
    [
        ({"n_filters": 4096, "n_fft": 512}, {"n_filters": 4097}, "n_filters=4097 are more than 4096"),
        ({"n_filters": 2, "n_fft": 2**20}, {"n_filters": 3, "n_fft": 699_051}, "n_filters=3 .* much memory"),
        ({"frame_step": 1024.0}, {"frame_step": 1024 + 2**-14}, "1.68e[+]07 samples at 16384 Hz; at most"),
        ({"amplitude": 1e20}, {"amplitude": 1e25}, "amplitude=1e[+]25 .* beyond float32"),
        ({"dtype": "float64", "amplitude": 1e25}, {"dtype": "float64", "amplitude": 1e200}, "beyond float64"),
    ],
)
def test_what_would_take_too_much_is_refused(most, more, words):
    few = CepstraSettings(n_mfcc=1, n_filters=2)
    rate = None if most.get("n_filters") == 4096 else 2**14
    check_settings(rate, replace(few, **most))
    with pytest.raises(ValueError, match=words):
        check_settings(rate, replace(few, **more))


@pytest.mark.parametrize("rate", [16000, 22050])
def test_a_minute_equals_python_speech_features(rate):
    samples = noise(60 * rate) * np.linspace(0, 1, 60 * rate) ** 4
    expected = by_python_speech_features(samples, rate, EXACT, POWER_OF_TWO[rate])
    np.testing.assert_allclose(cepstra(samples, rate, EXACT), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("rate", POWER_OF_TWO)
@pytest.mark.parametrize("changes", [{}, {"window": "boxcar", "n_filters": 26, "n_mfcc": 13}], ids=str)
def test_single_precision_is_within_5e_4_of_double_on_noise(rate, changes):
    own = replace(CepstraSettings(n_fft=2048), **changes)
    samples = noise(5 * rate).astype(np.float32)
    single, double = cepstra(samples, rate, own), cepstra(samples, rate, replace(own, dtype="float64"))
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(single, double, rtol=0, atol=5e-4)


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.nightly)])
def test_single_precision_is_close_to_double_on_every_recording_of_the_corpus(corpus_dir, manifest, every):
    own = CepstraSettings()
    largest = {}
    for row in manifest[::every]:
        samples, rate = read_audio(corpus_dir / row["path"], sample_rate=16000)
        difference = cepstra(samples, rate, own) - cepstra(samples, rate, EXACT)
        largest[row["path"]] = np.abs(difference).max()
    assert len(largest) == 1175 // every
    assert {path: value for path, value in largest.items() if not value <= 2e-2} == {}
    assert np.median(list(largest.values())) <= 1e-3


@pytest.mark.parametrize("amplitude", [1.0, 32768.0])
def test_single_precision_hears_a_filter_far_below_a_loud_tone(amplitude):
    # A tone at 6 kHz, 100 dB above noise that is all that most filters hold.
    samples = (0.5 * np.sin(2 * np.pi * 6000 / 16000 * np.arange(16000)) + 1e-5 * noise(16000)).astype(
        np.float32
    )
    own = CepstraSettings(window="blackmanharris", amplitude=amplitude)
    double = cepstra(samples, 16000, replace(own, dtype="float64"))
    np.testing.assert_allclose(cepstra(samples, 16000, own), double, rtol=0, atol=2e-3)


signals = st.builds(noise, st.integers(1, 6000), st.integers(0, 2**32 - 1))


@settings(deadline=None, max_examples=40)
@given(signals, st.floats(1e-3, 1e3), st.booleans(), st.integers(2, 40))
def test_a_gain_moves_c0_alone(samples, gain, energy, n_mfcc):
    own = replace(EXACT, energy=energy, n_mfcc=n_mfcc)
    plain, louder = cepstra(samples, 16000, own), cepstra(gain * samples, 16000, own)
    # The first row of the orthonormal DCT-II sums n_filters logarithms, divided by the root of n_filters.
    shift = 2 * np.log(gain) * (1 if energy else np.sqrt(own.n_filters))
    np.testing.assert_allclose(louder[:, 0] - plain[:, 0], shift, rtol=0, atol=1e-9)
    np.testing.assert_allclose(louder[:, 1:], plain[:, 1:], rtol=0, atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(signals, st.integers(1, 3000), st.integers(0, 3))
def test_frames_wholly_inside_do_not_change_when_samples_are_appended(samples, n_more, order):
    length, step = 400, 160
    whole = 0 if len(samples) < length else 1 + (len(samples) - length) // step
    kept = max(whole - 2 * order, 0)
    longer = np.concatenate([samples, noise(n_more, seed=1)])
    before = append_deltas(cepstra(samples, 16000, EXACT), order)
    after = append_deltas(cepstra(longer, 16000, EXACT), order)
    np.testing.assert_allclose(after[:kept], before[:kept], rtol=0, atol=1e-9)


@settings(deadline=None, max_examples=25)
@given(signals, st.integers(1, 40))
def test_max_frames_gives_the_first_frames(samples, max_frames):
    prefix = cepstra(samples, 16000, EXACT, max_frames)
    np.testing.assert_allclose(prefix, cepstra(samples, 16000, EXACT)[:max_frames], rtol=0, atol=1e-9)
    assert len(prefix) <= max_frames


@pytest.mark.parametrize("energy", [True, False])
def test_a_gain_does_not_move_frames_of_zeros(energy):
    own = replace(EXACT, energy=energy)
    samples = np.concatenate([noise(4000), np.zeros(8000), noise(4000, seed=1)])
    plain, louder = cepstra(samples, 16000, own), cepstra(100 * samples, 16000, own)
    # A frame of 400 samples every 160; the first zero still carries pre-emphasis.
    silent = [frame for frame in range(len(plain)) if 160 * frame > 4000 and 160 * frame + 400 <= 12000]
    assert len(silent) == 47
    np.testing.assert_array_equal(louder[silent], plain[silent])
    assert np.abs(louder[0, 0] - plain[0, 0]) > 9


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_digital_silence_has_the_energy_eps(dtype):
    features = cepstra(np.zeros(16000), 16000, CepstraSettings(dtype=dtype))
    np.testing.assert_allclose(features[:, 0], np.log(np.finfo(float).eps), rtol=1e-6)
    # Equal logarithms have no shape, which all other coefficients describe.
    np.testing.assert_allclose(features[:, 1:], 0, atol=1e-3 if dtype == "float32" else 1e-10)


def test_frames_are_sized_with_halves_rounded_up():
    # 11025 Hz: 275.625 and 110.25 samples; 100 Hz: 2.5 and 1.
    assert frame_sizes(11025, 0.025, 0.01) == (276, 110)
    assert frame_sizes(100, 0.025, 0.01) == (3, 1)


@pytest.mark.parametrize(
    ("n_samples", "expected"), [(1, 1), (400, 1), (401, 2), (560, 2), (561, 3), (16000, 99)]
)
def test_the_last_frame_is_filled_with_zeros(n_samples, expected):
    assert frame_count(n_samples, 400, 160) == expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_mfcc": 41}, "n_mfcc=41 .* n_filters=40"),
        ({"n_fft": 399}, "0.025 s has 400 samples at 16000 Hz, more than n_fft=399"),
        ({"fmax": 8001.0}, "fmax=8001.0"),
        ({"n_filters": 200}, "n_fft=512 .* n_filters=200"),
        ({"frame_step": 1e-6}, "frame_step=1e-06"),
        ({"frame_length": 1e-6}, "frame_length=1e-06 .* at least one sample"),
        ({"window": "round"}, "window='round'"),
    ],
)
def test_parameters_that_contradict_each_other_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        cepstra(noise(16000), 16000, replace(EXACT, **changes))


FLOATS = ["frame_length", "frame_step", "fmin", "fmax", "preemphasis", "lifter", "amplitude"]


@pytest.mark.parametrize("value", [np.nan, np.float32("nan"), np.inf, -np.inf], ids=repr)
def test_parameters_that_are_not_finite_are_named(value):
    named = {field.name for field in fields(CepstraSettings) if "float" in str(field.type)}
    assert named == set(FLOATS)
    for name in FLOATS:
        settings = CepstraSettings(**{name: value})
        for rate in (None, 16000):
            with pytest.raises(ValueError, match=f"^{name}={value} must be a finite number"):
                check_settings(rate, settings)
        with pytest.raises(ValueError, match=f"^{name}={value} must be a finite number"):
            cepstra(noise(16000), 16000, settings)
    for name, sizes in (("frame_length", (value, 0.01)), ("frame_step", (0.025, value))):
        with pytest.raises(ValueError, match=f"^{name}={value} must be a finite number"):
            frame_sizes(16000, *sizes)


# OpenBLAS shares even small products out to threads with its kernels for this processor.
_THREADS = """
import threading
from pathlib import Path
import numpy as np
from threadpoolctl import threadpool_limits
from voicelstm import MFCCTransformer, make_detector

def others():  # processor time of all threads but this one, in ns
    own = str(threading.get_native_id())
    tasks = [task for task in Path("/proc/self/task").iterdir() if task.name != own]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

clips = [np.random.default_rng(seed).normal(size=32000) for seed in range(3)]
with threadpool_limits(2, user_api="blas"):
    square = np.ones((300, 300))
    before = others()
    for _ in range(1000):
        square @ square
        if others() > before:
            break
    print(others() - before)
    for transformer in (
        make_detector()[0],
        make_detector("dynamics")[0],
        make_detector(features__dtype="float64")[0],
        MFCCTransformer(),
        MFCCTransformer.lfcc(),
        MFCCTransformer.original(sample_rate=16000),
        MFCCTransformer(n_fft=16384, n_filters=100, n_mfcc=100),
    ):
        transformer.transform(clips)
        threading.Event().wait(0.2)  # for what still waits for more of the product above
        before = others()
        transformer.transform(clips)
        print(others() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="needs Linux's times of threads")
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="OpenBLAS has no kernels to choose")
def test_blas_gives_no_work_to_threads():
    command = [sys.executable, "-c", _THREADS]
    environment = os.environ | {"OPENBLAS_CORETYPE": "Haswell"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    # A machine whose BLAS wakes no thread even for a large product has nothing that this test could see.
    of_a_large_product, *of_features = map(int, done.stdout.split())
    if not of_a_large_product:
        pytest.skip("NumPy's BLAS is not OpenBLAS, or knows no threads")
    assert of_features == [0] * 7


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_times_may_be_numbers_of_numpy(kind):
    own = {"frame_length": kind(0.03125), "frame_step": kind(0.0078125)}  # which each kind has exactly
    of_python = CepstraSettings(**{name: float(value) for name, value in own.items()})
    assert frame_sizes(16000, **own) == (500, 125)
    samples = noise(8000)
    np.testing.assert_array_equal(
        cepstra(samples, 16000, CepstraSettings(**own)), cepstra(samples, 16000, of_python)
    )
