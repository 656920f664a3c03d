import csv
import tracemalloc

import numpy as np
import pytest
import soundfile
import soxr
from sklearn.metrics import roc_auc_score

from voicelstm.audio._codecs import coded
from voicelstm.datasets._audit_traces import measure_resolution, measure_traces
from voicelstm.datasets._audit_variables import measure

RATE = 16000


def noise(n_samples=RATE, seed=0):
    return np.random.default_rng(seed).standard_normal(n_samples)


def filtered(samples, gain):
    """Multiply the spectrum, at frequencies in Hz, by a gain."""
    spectrum = np.fft.rfft(samples)
    return np.fft.irfft(spectrum * gain(np.fft.rfftfreq(len(samples), 1 / RATE)), len(samples))


def values_of(samples, rate=RATE):
    return measure((samples, rate)).values


def as_integers(samples, peak=0.9):
    return np.round(samples * (peak * 2**15 / np.abs(samples).max())).astype(np.int16)


def with_pauses(speech, pauses):
    """Put noise around speech for a third of the time."""
    return np.concatenate([pauses[: len(speech) // 4], speech, pauses[len(speech) // 4 :]])


# --- noise floor ---


def test_the_noise_floor_is_how_far_pauses_are_below_speech():
    samples = np.concatenate([noise(), 0.01 * noise(seed=1)])
    assert values_of(0.01 * samples)["noise_floor"] == pytest.approx(-40, abs=1.5)
    assert values_of(10 * samples)["noise_floor"] == pytest.approx(-40, abs=1.5)


def test_digital_silence_has_no_noise_floor():
    assert values_of(np.concatenate([noise(), np.zeros(RATE)]))["noise_floor"] == -np.inf


# --- upper edge ---


@pytest.mark.parametrize("edge", [2000, 3400, 7000])
def test_the_upper_edge_is_that_of_a_low_pass_filter(edge):
    samples = filtered(noise(), lambda frequency: frequency < edge)
    # Less than 400 Hz above it, where the side lobes of the window are 60 dB down.
    assert edge <= values_of(samples + 1e-5 * noise(seed=1))["upper_edge"] < edge + 400


@pytest.mark.parametrize(("decibels", "counts"), [(-50, True), (-70, False)])
def test_what_is_sixty_decibels_below_the_strongest_is_above_the_upper_edge(decibels, counts):
    samples = filtered(noise(), lambda frequency: np.where(frequency < 4000, 1, 10 ** (decibels / 20)))
    assert (values_of(samples)["upper_edge"] == RATE / 2) == counts


def test_the_upper_edge_of_noise_is_the_nyquist_frequency():
    assert values_of(noise())["upper_edge"] == RATE / 2


def test_the_upper_edge_is_that_of_what_is_rarely_there():
    # An s for a fiftieth of the time, in speech that ends at 4 kHz.
    samples = filtered(noise(), lambda frequency: frequency < 4000)
    samples[8000:8400] = noise(400)
    assert values_of(samples)["upper_edge"] > 7000


# --- holes ---


def test_noise_and_tones_have_no_holes():
    assert values_of(noise(5 * RATE))["spectral_holes"] < 1e-4
    time = np.arange(RATE) / RATE
    tones = np.sin(2 * np.pi * 1500 * time) + np.sin(2 * np.pi * 4500 * time)
    # Between tones there is noise that is there in the pauses, too.
    samples = with_pauses(tones, np.zeros(RATE // 2)) + 0.001 * noise(3 * RATE // 2)
    assert values_of(samples)["spectral_holes"] < 1e-3


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
def test_a_hole_below_the_noise_of_the_pauses_is_found_at_any_rate(rate):
    speech = filtered(noise(4 * RATE), lambda frequency: np.where(abs(frequency - 2500) < 187.5, 0.001, 1))
    samples = soxr.resample(with_pauses(speech, 0.05 * noise(2 * RATE, seed=1)), RATE, rate)
    # A band of 187.5 Hz has room for as much in a hole of twice its width, in two thirds of the time, of all
    # that have two neighbours; the edges of the hole leak into some of it.
    all_of_them = min(0.475 * rate, 7600) - 1000 - 3 * 187.5
    assert 0.5 < values_of(samples, rate)["spectral_holes"] / (187.5 / all_of_them * 2 / 3) < 1


def test_a_click_does_not_hide_holes():
    speech = filtered(noise(4 * RATE), lambda frequency: np.where(abs(frequency - 2500) < 187.5, 0.001, 1))
    samples = with_pauses(speech, 0.05 * noise(2 * RATE, seed=1))
    expected = values_of(samples)["spectral_holes"]
    samples[RATE] = 3000
    assert values_of(samples)["spectral_holes"] == pytest.approx(expected, rel=0.1)


def test_what_is_weak_between_formants_but_above_the_pauses_is_no_hole():
    speech = filtered(noise(), lambda frequency: np.where(abs(frequency - 2500) < 187.5, 0.1, 1))
    assert values_of(with_pauses(speech, 0.05 * noise(RATE // 2, seed=1)))["spectral_holes"] < 1e-4


# --- resolution ---


@pytest.mark.parametrize("bits", [8, 12, 13, 16])
def test_the_resolution_of_integers_is_that_of_their_steps_also_after_a_change_of_level(bits):
    step = 2.0 ** (1 - bits)
    samples = (np.round(0.1 * noise() / step) * step).astype(np.float32)
    assert measure_resolution(samples) == pytest.approx(bits, abs=1e-3)
    assert measure_resolution(samples * np.float32(0.7)) == pytest.approx(
        min(bits + np.log2(1 / 0.7), 16), abs=1e-3
    )


@pytest.mark.parametrize("n_samples", [400, RATE])
def test_the_resolution_of_other_samples_is_that_of_the_finest_integers(n_samples):
    assert measure_resolution(0.1 * noise(n_samples)) == 16


def test_samples_of_one_value_have_no_resolution():
    assert measure_resolution(np.full(100, 0.5, np.float32)) == 0
    assert measure_resolution(np.zeros(100, np.float32)) == 0


def test_the_resolution_of_a_recording_is_not_that_of_its_digital_silence():
    samples = np.concatenate([np.zeros(5 * RATE), noise()])
    assert measure_resolution(as_integers(samples) / np.float32(2**15)) == 16


def test_mu_law_is_found_in_integers_that_use_all_their_bits(tmp_path):
    soundfile.write(tmp_path / "a.wav", 0.1 * noise(), RATE, subtype="ULAW")
    decoded, _ = soundfile.read(tmp_path / "a.wav")
    values = values_of(as_integers(decoded))
    assert values["effective_bits"] == 16
    assert values["resolution"] < 14


# --- the shortest and the longest ---


@pytest.mark.parametrize("n_samples", [1, 2, 100, 256, 300])
@pytest.mark.parametrize("rate", [10, 1000, 8000, 192000])
def test_the_shortest_recordings_have_traces(n_samples, rate):
    values = values_of(noise(n_samples), rate)
    assert 0 <= values["upper_edge"] <= rate / 2
    assert values["noise_floor"] <= 0
    assert 0 <= values["spectral_holes"] <= 1


def test_of_a_long_recording_frames_are_left_out():
    long = np.concatenate([noise(300 * RATE), 0.01 * noise(300 * RATE, seed=1)]).astype(np.float32)
    tracemalloc.start()
    traces = measure_traces(long / np.abs(long).max(), RATE)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert traces["noise_floor"] == pytest.approx(-40, abs=1)
    assert most < 2 * long.nbytes  # of all frames, it would be 7 times as much


# --- codecs: clips of one class, half of which were coded ---


@pytest.fixture(scope="module")
def plain(corpus_dir):
    """Human clips of 3 s that were never coded, two of each speaker at most, and which of them are coded."""
    with (corpus_dir / "wide.csv").open(newline="", encoding="utf-8") as lines:
        rows = [
            row
            for row in csv.DictReader(lines)
            if (row["label"], row["coding"], row["samplerate"]) == ("human", "never-lossy", str(RATE))
        ]
    chosen = [
        row for i, row in enumerate(rows) if sum(row["speaker"] == other["speaker"] for other in rows[:i]) < 2
    ][::4]
    clips = [soundfile.read(corpus_dir / row["path"], frames=3 * RATE)[0] for row in chosen]
    return clips, np.random.default_rng(0).permutation(np.arange(len(clips)) % 2 == 0)


# The coder's rate, and that of the recording; a number that is lower in coded clips has a minus. All clips
# are stored in 16 bit afterwards, at another level.
@pytest.mark.parametrize(
    ("codec", "compression", "coder_rate", "rate", "names"),
    [
        ("mp3", 0.99, RATE, RATE, ["spectral_holes", "-upper_edge"]),
        ("mp3", 0.6, 44100, RATE, ["spectral_holes", "-upper_edge"]),
        ("vorbis", 0.9, 44100, RATE, ["spectral_holes", "-upper_edge"]),
        ("opus", 0.8, 48000, RATE, ["spectral_holes", "-upper_edge"]),
        ("gsm", 0, 8000, RATE, ["-upper_edge"]),
        ("mu-law", 0, 8000, RATE, ["-upper_edge"]),
        ("gsm", 0, 8000, 8000, ["-resolution"]),
        ("mu-law", 0, 8000, 8000, ["-resolution"]),
        ("g726", 0, 8000, 8000, ["-resolution"]),
    ],
)
def test_clips_that_were_coded_are_told_from_others_of_their_class(
    plain, codec, compression, coder_rate, rate, names
):
    clips, is_coded = plain
    measured = []
    for clip, through in zip(clips, is_coded, strict=True):
        samples = soxr.resample(clip, RATE, coder_rate if through else rate)
        if through:
            samples = soxr.resample(coded(samples, coder_rate, codec, compression), coder_rate, rate)
        measured.append(values_of(as_integers(samples, 0.5), rate))
    for name in names:
        sign = -1 if name.startswith("-") else 1
        scores = [sign * values[name.removeprefix("-")] for values in measured]
        assert roc_auc_score(is_coded, scores) > 0.8, name
