import csv
import tracemalloc
from collections import defaultdict

import numpy as np
import pytest
import soundfile
import soxr

from tests.audio.sounds import RATE, not_speech
from voicelstm.audio import _speech_activity
from voicelstm.audio._codecs import coded
from voicelstm.audio._distortions import add_noise
from voicelstm.audio._speech_activity import speech_frames, speech_level
from voicelstm.audio._speech_rules import SPEECH_RULES
from voicelstm.audio._voice_detector import CHUNK, speech_probability

LENGTH, STEP = 400, 160


def _starts(samples, step=STEP):
    return np.arange(0, len(samples), step)


def _spoken(samples, rate=RATE):
    """Speech in s."""
    step = rate // 100
    return speech_frames(samples, rate, _starts(samples, step), rate // 40).sum() * step / rate


def _telephone(samples, rate, codec):
    return coded(soxr.resample(samples, rate, 8000), 8000, codec, 0.5), 8000


CHANNELS = {
    "as it is": lambda samples, rate: (samples, rate),
    "strong MP3": lambda samples, rate: (coded(samples, rate, "mp3", 0.99), rate),
    "mu-law": lambda samples, rate: _telephone(samples, rate, "mu-law"),
    "GSM": lambda samples, rate: _telephone(samples, rate, "gsm"),
    "noise": lambda samples, rate: (
        add_noise(samples, rate, 15, len(samples) % 2, np.random.default_rng(0)),
        rate,
    ),
}


@pytest.fixture(scope="module")
def clips(corpus_dir):
    """The rows of both manifests."""
    with (corpus_dir / "manifest.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    with (corpus_dir / "wide.csv").open(newline="", encoding="utf-8") as lines:
        return rows + [row | {"subset": "wide"} for row in csv.DictReader(lines)]


@pytest.fixture(scope="module")
def voice(corpus_dir):
    return soundfile.read(corpus_dir / "speech/human/libri-426__426-122819-0000.flac", frames=5 * RATE)[0]


def _lacks_speech(corpus_dir, row, channel):
    samples, rate = soundfile.read(corpus_dir / row["path"])
    return _spoken(*CHANNELS[channel](samples, rate)) < 0.15


def _judged(corpus_dir, rows, channel):
    """Share of clips without speech, of each subset and class, and of each source of 20 clips or more."""
    missed, of_source = defaultdict(list), defaultdict(list)
    for row in rows:
        lacks = _lacks_speech(corpus_dir, row, channel)
        missed[row["subset"], row["label"]].append(lacks)
        of_source[row["source"]].append(lacks)
    worst = max((np.mean(each) for each in of_source.values() if len(each) >= 20), default=0.0)
    return {name: np.mean(each) for name, each in missed.items()}, worst


@pytest.mark.parametrize("channel", ["as it is", "GSM"])
def test_voices_of_humans_and_machines_are_speech(corpus_dir, clips, channel):
    some = clips[::40]
    share, _ = _judged(corpus_dir, some, channel)
    n_missed = sum(share[name] * sum((row["subset"], row["label"]) == name for row in some) for name in share)
    assert n_missed <= 0.02 * len(some)  # one: espeak's whisper, through GSM


def _is_whispered(row):
    return "whisper" in row["path"].rpartition("/")[2]  # and not in its folder, as of whisper-jfk


@pytest.mark.nightly
@pytest.mark.parametrize("channel", CHANNELS)
def test_voices_of_the_whole_corpora_are_speech(corpus_dir, clips, channel):
    share, worst = _judged(corpus_dir, [row for row in clips if not _is_whispered(row)], channel)
    assert max(share.values()) <= 0.01, share
    assert worst <= 0.03


@pytest.mark.parametrize("channel", CHANNELS)
def test_whispers_are_speech(corpus_dir, clips, channel):
    whispered = [row for row in clips if _is_whispered(row)]
    # Of espeak five digits and five sentences, of mimic3 and of a human one sentence each.
    assert len(whispered) == 12
    missed = [row["path"] for row in whispered if _lacks_speech(corpus_dir, row, channel)]
    assert len(missed) <= 2, missed
    assert all("espeak" in path for path in missed)


@pytest.mark.parametrize("name", ["human/4_jackson_9", "synthetic/4_espeak-ng_en-us_klatt_5"])
def test_a_single_word_is_speech_from_its_beginning_to_its_end(corpus_dir, name):
    samples, rate = soundfile.read(corpus_dir / f"digits/{name}.flac")
    assert _spoken(samples, rate) > 0.25


@pytest.mark.parametrize("seeds", [range(2), pytest.param(range(2, 42), marks=pytest.mark.nightly)])
def test_noise_tones_and_music_are_not_speech(seeds):
    taken = defaultdict(list)
    for seed in seeds:
        for kind, sound in not_speech(np.random.default_rng(seed)).items():
            taken[kind].append(_spoken(sound) >= 0.15)
    assert {kind: np.mean(each) for kind, each in taken.items() if np.mean(each) > 0.05} == {}


def test_neither_loudness_nor_a_click_nor_silence_around_changes_what_is_speech(voice):
    starts = _starts(voice)
    plain = speech_frames(voice, RATE, starts, LENGTH)
    assert 0.5 < plain.mean() < 1
    for gain in (1e-3, 30.0):
        np.testing.assert_array_equal(speech_frames(gain * voice, RATE, starts, LENGTH), plain)
    clicked = voice.copy()
    clicked[[1000, 30_000]] = 100 * np.abs(voice).max()
    assert (speech_frames(clicked, RATE, starts, LENGTH) != plain).mean() < 0.06
    silence = np.zeros(3 * RATE)
    around = np.concatenate([silence, voice, silence])
    found = speech_frames(around, RATE, _starts(around), LENGTH)
    lead = len(silence) // STEP
    assert (found[lead : lead + len(plain)] != plain).mean() < 0.06
    assert not found[: lead - 2].any()
    assert not found[lead + len(plain) + 2 :].any()


@pytest.mark.parametrize("level", [0.0, 1e-3])
def test_what_is_inserted_is_left_out(voice, level):
    pause = level * np.random.default_rng(0).normal(size=10 * RATE)
    paused = np.concatenate([voice[: 2 * RATE], pause, voice[2 * RATE :]])
    found = speech_frames(paused, RATE, _starts(paused), LENGTH)
    assert not found[205:1195].any()
    plain = speech_frames(voice, RATE, _starts(voice), LENGTH)
    assert found.sum() == pytest.approx(plain.sum(), rel=0.06)


def test_a_short_interruption_belongs_to_the_speech(voice):
    loud = speech_frames(voice, RATE, _starts(voice), LENGTH)
    middle = next(i for i in range(100, 400) if loud[i - 30 : i + 30].all())
    for n_frames, stays in ((6, True), (20, False)):
        stopped = voice.copy()
        stopped[middle * STEP : (middle + n_frames) * STEP] = 0
        found = speech_frames(stopped, RATE, _starts(voice), LENGTH)
        assert found[middle + n_frames // 2] == stays


def test_a_tone_of_a_piece_boundary_is_steady_in_both(monkeypatch):
    tone = not_speech(np.random.default_rng(0))["buzz"]
    rules = SPEECH_RULES._replace(chunks_at_once=5)
    monkeypatch.setattr("voicelstm.audio._speech_activity.SPEECH_RULES", rules)
    assert _spoken(tone) == 0


def test_the_level_is_that_of_the_frames():
    samples = np.repeat([0.0, 0.3, 0.0, 0.4], 100)
    assert speech_level(samples, np.array([100, 300]), 100) == pytest.approx(np.sqrt((0.09 + 0.16) / 2))


@pytest.mark.parametrize("n_samples", [0, 1, 700])
def test_nothing_and_next_to_nothing_is_not_speech(n_samples):
    assert not speech_frames(np.ones(n_samples), RATE, _starts(np.ones(n_samples)), LENGTH).any()


@pytest.mark.parametrize("decibels", [15, 40, 60])
def test_a_burst_that_is_louder_than_the_voice_hides_none_of_it(voice, decibels):
    burst = 10 ** (decibels / 20) * voice.std() * np.random.default_rng(0).normal(size=int(0.4 * RATE))
    both = np.concatenate([burst, voice])
    found = speech_frames(both, RATE, _starts(both), LENGTH)
    plain = speech_frames(voice, RATE, _starts(voice), LENGTH)
    assert found[len(burst) // STEP :].sum() > 0.9 * plain.sum()
    assert found[: len(burst) // STEP - 2].sum() < 10


@pytest.mark.parametrize(("decibels", "stays"), [(20, True), (35, True), (50, False)])
def test_what_is_far_fainter_than_the_rest_is_no_speech(voice, decibels, stays):
    fainter = voice.copy()
    fainter[2 * RATE : 4 * RATE] *= 10 ** (-decibels / 20)
    found = speech_frames(fainter, RATE, _starts(voice), LENGTH)[210:390]
    assert (found.mean() > 0.5) == stays
    assert stays or not found.any()


@pytest.fixture(scope="module")
def talkers(corpus_dir, clips):
    """Up to four seconds of 61 clips of sentences with sound in their pauses, at 16 kHz and one level."""
    found, speakers = [], set()
    for at in np.random.default_rng(0).permutation(len(clips)).tolist():
        row = clips[at]
        if row["subset"] == "digits" or row["speaker"] in speakers or _is_whispered(row):
            continue
        samples, rate = soundfile.read(corpus_dir / row["path"], frames=4 * int(row["samplerate"]))
        samples = samples if rate == RATE else soxr.resample(samples, rate, RATE)
        spoken = speech_frames(samples, RATE, _starts(samples), LENGTH)
        if spoken.sum() > 100 and np.mean(samples == 0) < 0.05:
            speakers.add(row["speaker"])
            samples = samples[: len(samples) // STEP * STEP]
            found.append(
                samples / speech_level(samples, _starts(samples)[spoken[: len(samples) // STEP]], LENGTH)
            )
        if len(found) == 61:
            break
    return found


@pytest.mark.parametrize("pairs", [range(5), pytest.param(range(5, 60), marks=pytest.mark.nightly)])
@pytest.mark.parametrize("decibels", [15, 20, 25, 30, 35])
def test_a_talker_who_is_far_quieter_than_another_is_heard_before_and_after(talkers, pairs, decibels):
    kept = []
    for pair in pairs:
        loud, quiet = talkers[pair], 10 ** (-decibels / 20) * talkers[pair + 1]
        alone = speech_frames(quiet, RATE, _starts(quiet), LENGTH)
        call = np.concatenate([quiet, loud, quiet])
        found = speech_frames(call, RATE, _starts(call), LENGTH)
        kept += [found[: len(alone)][alone].mean(), found[-len(alone) :][alone].mean()]
    assert len(talkers) == 61
    # The detector hears one of the clips otherwise behind any other, be it as loud.
    assert np.mean(np.array(kept) >= 0.8) >= 0.95, kept


@pytest.mark.parametrize("scale", [1e-40, 1e-25, 1e25])
def test_tiny_and_huge_samples_are_heard_as_others(voice, scale):
    starts = _starts(voice)
    plain = speech_frames(voice.astype(np.float32), RATE, starts, LENGTH)
    scaled = voice * scale if scale < 1e-30 else (voice * scale).astype(np.float32)
    np.testing.assert_array_equal(speech_frames(scaled, RATE, starts, LENGTH), plain)
    level = speech_level(scaled, starts[plain], LENGTH)
    assert level == pytest.approx(scale * speech_level(voice, starts[plain], LENGTH), rel=1e-4)


def _detector_that_says(monkeypatch, *answers, states=None):
    """Let the voice detector answer this, one call after the other; return what it is given to hear."""
    given, remaining = [], list(answers)

    def answer(samples, state=None):
        given.append(samples)
        if states is not None:
            states.append(state)
        says = remaining.pop(0)
        n_chunks = len(samples) // CHUNK
        chunks = says(samples.reshape(n_chunks, CHUNK)) if callable(says) else says
        return np.asarray(chunks, dtype=np.float32), None

    monkeypatch.setattr(_speech_activity, "speech_probability", answer)
    return given


def _noise(*levels):
    """Noise that is no tone: chunks of these levels, in dB."""
    chunks = np.random.default_rng(0).normal(size=(len(levels), CHUNK))
    chunks *= 10 ** (np.array(levels)[:, None] / 20) / np.sqrt(np.square(chunks).mean(axis=1, keepdims=True))
    return chunks.astype(np.float32).ravel(), 10 ** (np.array(levels) / 10)


@pytest.mark.parametrize(("behind", "n_spoken"), [(0.4, 6), (0.3, 4)])
def test_speech_goes_on_until_it_is_improbable(monkeypatch, behind, n_spoken):
    heard, powers = _noise(*[0] * 40)
    # 0.4 says that it goes on, and not that it begins.
    _detector_that_says(monkeypatch, [0.4] * 10 + [0.6] * 3 + [behind] * 2 + [0.0] * 25)
    voiced = _speech_activity._voiced(_speech_activity._Heard.of(heard, RATE, 1.0), powers, 1.0)
    assert np.flatnonzero(voiced).tolist() == list(range(9, 9 + n_spoken))  # and the chunk before


@pytest.mark.parametrize(
    ("before", "first"),
    [([-50] * 10, 10), ([-50] * 9 + [-20], 9), ([-50] * 7 + [-20] * 3, 11), ([-20] * 10, 11)],
)
def test_a_word_behind_silence_is_heard_from_its_beginning(monkeypatch, before, first):
    """Of noise before a word only the chunk in which the voice detector may have missed it counts."""
    heard, powers = _noise(*before, *[0] * 30)
    _detector_that_says(monkeypatch, lambda chunks: np.arange(len(chunks)) >= len(chunks) - 28)
    voiced = _speech_activity._voiced(_speech_activity._Heard.of(heard, RATE, 1.0), powers, 1.0)
    assert np.flatnonzero(voiced).tolist() == list(range(first, 40))


def test_a_frame_of_which_half_is_silence_is_no_speech(monkeypatch):
    samples = np.concatenate([_noise(*[0] * 40)[0][:16000], np.zeros(16000, dtype=np.float32)])
    samples = np.concatenate([samples, samples[::-1]])
    monkeypatch.setattr(_speech_activity, "_steady", lambda chosen, sounds: np.zeros(len(sounds), dtype=bool))
    _detector_that_says(monkeypatch, *[_all_speech] * 2)
    found = speech_frames(samples, RATE, _starts(samples), LENGTH)
    # Of the frame that begins at 15680 the second half begins at 15880, of the next at 16040.
    # Of the one that begins at 47680 the first half ends at 47880, of the next at 48040.
    assert np.flatnonzero(found).tolist() == [
        *range(15680 // 160 + 1),
        *range(47840 // 160, 64000 // 160 - 1),
    ]


@pytest.mark.parametrize(("behind", "n_spoken"), [(0.25, 6), (0.15, 4)])
def test_in_a_short_recording_speech_is_asked_for_again_behind_half_a_second_of_silence(
    monkeypatch, behind, n_spoken
):
    heard, powers = _noise(*[-28] * 2, *[0] * 6, *[-30] * 12)
    states = []
    given = _detector_that_says(
        monkeypatch, [0.0] * 20, [0.25] * 2 + [0.4] * 3 + [behind] * 2 + [0.0] * 13, states=states
    )
    monkeypatch.setattr(_speech_activity, "_whole_words", lambda voiced, loud: voiced)
    voiced = _speech_activity._voiced(_speech_activity._Heard.of(heard, RATE, 1.0), powers, 1.0)
    assert np.flatnonzero(voiced).tolist() == list(range(1, 1 + n_spoken))  # 0.25 does not begin it
    np.testing.assert_array_equal(*given)
    _, behind_silence = speech_probability(np.zeros(16 * CHUNK, dtype=np.float32))
    assert states[0] is None
    for found, expected in zip(states[1], behind_silence, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("decibels", "belongs"), [(-24, True), (-26, False)])
def test_a_word_reaches_as_far_as_it_is_at_most_25_decibels_below_the_loudest(monkeypatch, decibels, belongs):
    heard, powers = _noise(*[0] * 3, *[decibels] * 5, *[-30] * 2, *[0] * 3)
    _detector_that_says(monkeypatch, [0.0, 0.9, 0.9] + [0.0] * 10, [0.0] * 13)
    voiced = _speech_activity._voiced(_speech_activity._Heard.of(heard, RATE, 1.0), powers, 1.0)
    # A word that no speech touches is left out.
    assert np.flatnonzero(voiced).tolist() == list(range(8 if belongs else 3))


@pytest.mark.parametrize(("frequency", "moves"), [(31.25, False), (93.75, True)])
def test_rumble_moves_no_tone_and_the_lowest_voice_does(frequency, moves):
    time = np.arange(64 * CHUNK) / RATE
    swelling = (1 + 0.9 * np.sin(2 * np.pi * 3 * time)) * np.sin(2 * np.pi * frequency * time)
    heard = (np.sin(2 * np.pi * 1000 * time) + swelling).astype(np.float32)
    changes = _speech_activity._changes(heard)[2:]  # behind the beginning
    assert (np.median(changes) > SPEECH_RULES.steady_db) == moves
    assert moves or changes.max() < SPEECH_RULES.steady_db


def test_a_pause_is_a_second_and_more_beside_speech():
    speaks = np.ones(150, dtype=bool)
    speaks[:32] = speaks[40:71] = speaks[80:112] = speaks[118:] = False
    assert _speech_activity._pauses(speaks) == [(0, 32), (80, 112), (118, 150)]
    assert _speech_activity._pauses(np.zeros(50, dtype=bool)) == []


def _all_speech(chunks):
    return np.ones(len(chunks))


@pytest.mark.parametrize(("decibels", "is_heard"), [(-44, True), (-46, False)])
def test_a_talker_is_heard_down_to_45_decibels_below_another(monkeypatch, decibels, is_heard):
    samples, _ = _noise(*[0] * 40, *[decibels, decibels, decibels, decibels - 10] * 10)
    given = _detector_that_says(monkeypatch, _all_speech, _all_speech)
    found, _ = _speech_activity._speech_chunks(samples, RATE)
    assert found[:40].all()
    assert found[40:].mean() == is_heard
    assert len(given) == 1 + is_heard  # nothing is listened for where all is too faint


@pytest.mark.parametrize("n_silent", [4, 5, 31, 400])
def test_the_voice_detector_hears_the_same_however_long_a_silence_is(monkeypatch, n_silent):
    heard = []
    for n_chunks in (n_silent, 100):
        samples, _ = _noise(*[0] * 40, *[-50] * n_chunks, *[-10] * 40)
        given = _detector_that_says(monkeypatch, lambda chunks: np.array([1.0] * 40 + [0.0] * 4 + [1.0] * 40))
        found, _ = _speech_activity._speech_chunks(samples, RATE)
        assert np.flatnonzero(~found).tolist() == list(range(40, 40 + n_chunks))
        heard += given
    assert [len(each) // CHUNK for each in heard] == [84, 84]


def test_in_noise_that_stays_the_same_no_quieter_talker_is_looked_for(monkeypatch):
    samples, _ = _noise(*[0] * 40, *[-20] * 100, *[0] * 40)
    given = _detector_that_says(monkeypatch, [1.0] * 40 + [0.0] * 100 + [1.0] * 40)
    found, _ = _speech_activity._speech_chunks(samples, RATE)
    assert len(given) == 1
    assert not found[40:139].any()


@pytest.mark.parametrize(("n_chunks", "n_heard"), [(31, []), (32, [32])])
def test_no_pause_is_so_short_that_it_is_heard_again_behind_silence(monkeypatch, n_chunks, n_heard):
    """In recordings of 31 chunks it takes less to be speech; a pause is beside speech."""
    samples, _ = _noise(*[0] * 40, *[-30] * (n_chunks - 20), *[-20] * 20, *[0] * 40)
    given = _detector_that_says(monkeypatch, *[_all_speech] * 3)
    _speech_activity._speech_chunks(samples, RATE)
    assert [len(heard) // CHUNK for heard in given[1:]] == n_heard


def test_a_click_in_a_pause_makes_what_is_too_faint_no_speech(monkeypatch):
    samples, _ = _noise(*[0] * 40, *[-60] * 20, -20, *[-60] * 11, *[-56] * 9)
    given = _detector_that_says(monkeypatch, [1.0] * 40 + [0.0] * 9, _all_speech)
    found, _ = _speech_activity._speech_chunks(samples, RATE)
    assert len(given) == 2
    assert np.flatnonzero(found).tolist() == list(range(40))


@pytest.mark.parametrize(("decibels", "n_times"), [(-14, 1), (-16, 2)])
def test_who_is_15_decibels_below_another_is_heard_again(monkeypatch, decibels, n_times):
    samples, _ = _noise(*[0] * 40, *[decibels, decibels, decibels, decibels - 10] * 10)
    given = _detector_that_says(monkeypatch, _all_speech, _all_speech)
    _speech_activity._speech_chunks(samples, RATE)
    assert len(given) == n_times


@pytest.mark.parametrize("rate", [RATE, 44100])
def test_speech_is_looked_for_in_little_more_memory_than_at_16_kilohertz(voice, rate):
    samples = np.tile(voice.astype(np.float32), 60 * 5 * rate // len(voice))
    starts = _starts(samples)
    speech_frames(samples[:rate], rate, starts[:9], LENGTH)  # which loads what there is to load
    tracemalloc.start()
    speech_frames(samples, rate, starts, LENGTH)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * RATE * len(samples) / rate + 60 * 2**20


@pytest.mark.parametrize("length", [1, 7, 400])
@pytest.mark.parametrize("first", [-200, 0, 3])
def test_the_power_of_a_frame_is_that_of_the_samples_there(monkeypatch, length, first):
    monkeypatch.setattr(_speech_activity, "_LAID_OUT", 1000)
    monkeypatch.setattr(_speech_activity, "_SAMPLES_AT_ONCE", 2000)
    samples = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    starts = np.unique(np.r_[first + 160 * np.arange(12), 2500, 4700, 4999, 5100])
    there = [samples[max(start, 0) : max(start + length, 0)].astype(float) for start in starts]
    expected = [np.mean(each**2) if len(each) else 0 for each in there]
    np.testing.assert_allclose(_speech_activity._frame_powers(samples, starts, length), expected, rtol=1e-12)


def test_chunks_are_those_of_the_samples_wherever_they_lie():
    samples = np.random.default_rng(0).standard_normal(9 * CHUNK + 5).astype(np.float32)
    heard = _speech_activity._Heard.of(samples, RATE, 2.0)
    assert len(heard) == 10
    chunks = np.pad(samples, (0, CHUNK - 5)).reshape(-1, CHUNK) / 2
    for positions in ([], [0], [9], [2, 3, 4], [0, 2, 3, 8, 9], range(10)):
        at = np.array(positions, dtype=int)
        np.testing.assert_array_equal(heard.samples(at), chunks[at].ravel())
    part = heard.part(2, 6)
    assert len(part) == 4
    np.testing.assert_array_equal(part.samples(np.array([0, 3])), chunks[[2, 5]].ravel())
