import linecache
import math
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator

import voicelstm
from voicelstm import calibrate, detect, detector_stream, make_detector
from voicelstm.exceptions import AudioError, AudioWarning

RATE = 16000
SMALL = {"classifier__units": (4,), "classifier__max_steps": 2}


@pytest.fixture(scope="module")
def pretrained():
    return voicelstm.load_pretrained()


@pytest.fixture(scope="module")
def call(small_voices):
    """Voices one after the other, with a pause of two seconds in their midst, at 16 kHz."""
    (X, _), _ = small_voices
    assert X[0][1] == RATE
    voices = np.concatenate([samples for samples, _ in X])[: 6 * RATE].astype(np.float32)
    return np.concatenate([voices[: 3 * RATE], np.zeros(2 * RATE, np.float32), voices[3 * RATE :]])


def heard(stream, samples, block):
    found = []
    for first in range(0, len(samples), block):
        found += stream.push(samples[first : first + block])
    return found + stream.flush()


def assert_scores_are_those_of_detect(detector, events, samples, rate):
    windows = [samples[round(each.start_s * rate) : round(each.stop_s * rate)] for each in events]
    for event, answer in zip(events, detect(detector, [(each, rate) for each in windows]), strict=True):
        if event.score is None:
            assert "no speech" in answer.error
        else:
            assert event.score == pytest.approx(answer.score, abs=1e-5)
        assert event.speech == pytest.approx(answer.speech)


def test_each_window_has_the_score_that_detect_gives_it_alone(pretrained, call):
    events = heard(detector_stream(pretrained, RATE, window_s=1.5, hop_s=0.5), call, 4000)
    assert [each.start_s for each in events] == [0.5 * number for number in range(14)]
    assert all(each.stop_s == each.start_s + 1.5 for each in events)
    assert any(each.score is None for each in events)  # in the pause
    assert sum(each.score is not None for each in events) > 8
    assert_scores_are_those_of_detect(pretrained, events, call, RATE)


@pytest.mark.parametrize("kind", ["float64", "int16", "uint8", "int32"])
def test_samples_of_every_type_are_heard_as_detect_hears_them(small_detector, call, kind):
    samples = call[: 3 * RATE]
    if kind != "float64":
        bits = np.iinfo(kind).bits
        samples = np.round(samples * 0.9 * 2 ** (bits - 1)) + (2 ** (bits - 1) if kind == "uint8" else 0)
    samples = samples.astype(kind)
    events = heard(detector_stream(small_detector, RATE, 1.0, 0.5), samples, 1234)
    assert_scores_are_those_of_detect(small_detector, events, samples, RATE)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_windows_of_another_sample_rate_are_resampled_each_alone(pretrained, call, rate):
    samples = call[: 2 * rate]
    events = heard(detector_stream(pretrained, rate, 1.0, 0.5), samples, 999)
    assert len(events) == 3
    assert_scores_are_those_of_detect(pretrained, events, samples, rate)


def test_blocks_of_any_size_give_the_same_events(small_detector, call):
    samples = call[RATE : 2 * RATE + 321]
    expected = heard(detector_stream(small_detector, RATE, 0.5, 0.2), samples, len(samples))
    assert [each.stop_s for each in expected[:-1]] == pytest.approx([0.5, 0.7, 0.9])
    assert expected[-1].stop_s == len(samples) / RATE
    for block in (1, 17, 3200, 8001):
        assert heard(detector_stream(small_detector, RATE, 0.5, 0.2), samples, block) == expected


def test_smoothed_is_the_mean_of_scores_that_fade_with_their_age(small_detector, call):
    events = heard(detector_stream(small_detector, RATE, 1.0, 0.5, smoothing_s=2.0), call, RATE)
    scored = [(each.stop_s, each.score) for each in events if each.score is not None]
    assert 0 < len(scored) < len(events)
    for event in events:
        before = [(stop, score) for stop, score in scored if stop <= event.stop_s]
        weights = [math.exp((stop - event.stop_s) / 2.0) for stop, _ in before]
        expected = np.average([score for _, score in before], weights=weights)
        assert event.smoothed == pytest.approx(expected)
    alone = heard(detector_stream(small_detector, RATE, 1.0, 0.5, smoothing_s=0), call, RATE)
    assert all(each.smoothed == each.score for each in alone if each.score is not None)


def test_before_anybody_speaks_there_is_neither_score_nor_label(small_detector, call):
    stream = detector_stream(small_detector, RATE, 1.0, 0.5)
    (first,) = stream.push(np.zeros(RATE, np.float32))
    assert (first.score, first.smoothed, first.label, first.speech) == (None, None, None, 0)
    spoken = stream.push(call[:RATE])[-1]
    assert spoken.score is not None
    assert spoken.label in ("human", "synthetic")
    silent = stream.push(np.zeros(2 * RATE, np.float32))[-1]
    assert silent.score is None
    assert silent.label is not None  # which the pause takes from nobody


def test_smoothed_decides_the_label_by_the_threshold(pretrained, call):
    events = heard(detector_stream(pretrained, RATE, 1.0, 1.0, threshold=-1000.0), call, RATE)
    assert {each.label for each in events} == {"synthetic"}
    events = heard(detector_stream(pretrained, RATE, 1.0, 1.0, threshold=1000.0), call, RATE)
    assert {each.label for each in events} == {"human"}
    (point,) = [each for each in pretrained.card_["operating_points"] if each["name"] == "1 in 20"]
    stream = detector_stream(pretrained, RATE, operating_point="1 in 20")
    assert stream.threshold == point["threshold"]
    own = detector_stream(pretrained, RATE, 1.0, 1.0, smoothing_s=0)
    answers = detect(pretrained, [(call[first : first + RATE], RATE) for first in range(0, 3 * RATE, RATE)])
    assert [each.label for each in own.push(call[: 3 * RATE])] == [each.label for each in answers]


def test_flush_hears_what_no_window_held(small_detector, call):
    stream = detector_stream(small_detector, RATE, 1.0, 0.5)
    assert stream.flush() == []
    stream.reset()
    stream.push(call[: RATE // 2])
    (short,) = stream.flush()
    assert (short.start_s, short.stop_s) == (0, 0.5)
    stream.reset()
    stream.push(call[: 3 * RATE // 2])
    assert stream.flush() == []
    stream.reset()
    stream.push(call[: 3 * RATE // 2 + 160])
    (last,) = stream.flush()
    assert (last.start_s, last.stop_s) == pytest.approx((0.51, 1.51))
    stream.reset()
    stream.push(call[:100])  # less than a frame
    (little,) = stream.flush()
    assert little.score is None


def test_a_stream_ends_with_flush_and_begins_again_with_reset(small_detector, call):
    stream = detector_stream(small_detector, RATE, 1.0, 0.5)
    expected = heard(stream, call[: 2 * RATE], RATE)
    with pytest.raises(ValueError, match="over, since flush was called: reset begins a new one"):
        stream.push(call[:10])
    stream.reset()
    assert heard(stream, call[: 2 * RATE], 500) == expected
    stream.reset()
    stream.push(call[: RATE + 77])
    stream.reset()  # in the midst
    assert heard(stream, call[: 2 * RATE], RATE) == expected


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (np.zeros((10, 2), np.float32), r"shape \(n_samples,\), got \(10, 2\).*average them"),
        (np.array([0.1, np.nan, np.inf], np.float32), "2 samples that are NaN or infinite"),
        ((np.zeros(10, np.float32), RATE), "a stream has one rate"),
        (np.zeros(10, np.int16), "int16 behind some of type float32; a stream has one type"),
        (["a", "b"], "expected samples, got list"),
        (0.5, "shape"),
        (None, "expected samples, got NoneType"),
    ],
    ids=["stereo", "not finite", "with a rate", "another type", "text", "a number", "none"],
)
def test_a_block_that_is_no_sound_is_refused_and_not_taken(small_detector, call, block, message):
    stream = detector_stream(small_detector, RATE, 1.0, 0.5)
    expected = heard(detector_stream(small_detector, RATE, 1.0, 0.5), call[: 2 * RATE], RATE)
    found = stream.push(call[:20_000])
    with pytest.raises(AudioError, match=message):
        stream.push(block)
    assert stream.push([]) == stream.push(np.zeros(0, np.int16)) == []
    assert found + stream.push(call[20_000 : 2 * RATE]) == expected


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"window_s": 0}, ValueError, "window_s=0: expected at least 0.15 s"),
        ({"window_s": 0.149}, ValueError, "since less speech has no score"),
        ({"window_s": 5000}, ValueError, "at most 3600 s"),
        ({"window_s": math.nan}, ValueError, "window_s=nan"),
        ({"hop_s": 5}, ValueError, "hop_s=5: .* at most window_s=4.0"),
        ({"hop_s": "1"}, TypeError, "hop_s must be a number"),
        ({"smoothing_s": -1}, ValueError, "smoothing_s=-1"),
        ({"threshold": math.nan}, ValueError, "threshold is NaN"),
        ({"operating_point": "1 in 7"}, ValueError, "operating_point='1 in 7': this detector has none"),
        ({"human_label": "alien"}, ValueError, "human_label='alien'"),
        ({"sample_rate": 0}, AudioError, "sample rate in whole Hz, got 0"),
        ({"sample_rate": 16000.5}, AudioError, "sample rate in whole Hz"),
        ({"sample_rate": "fast"}, AudioError, "sample rate in whole Hz"),
        ({"sample_rate": 10}, AudioError, "cannot be resampled"),
        ({"sample_rate": 10**400}, AudioError, "at most 10000000 Hz"),
        ({"sample_rate": -(10**400)}, AudioError, "sample rate in whole Hz"),
        ({"sample_rate": math.inf}, AudioError, "sample rate in whole Hz"),
    ],
)
def test_parameters_that_make_no_stream_are_refused(small_detector, given, error, message):
    with pytest.raises(error, match=message):
        detector_stream(small_detector, **({"sample_rate": RATE} | given))


def test_windows_longer_than_the_detector_takes_are_refused_at_once(small_voices):
    detector = make_detector("dynamics", random_state=0, features__max_duration=3, **SMALL)
    detector.fit(*small_voices[0])
    detector_stream(detector, RATE, window_s=2.5)
    with pytest.raises(AudioError, match="max_duration=3"):
        detector_stream(detector, RATE, window_s=4)


def test_what_is_no_detector_of_two_classes_is_refused(small_voices):
    X, y = small_voices[0]
    three = np.where(np.arange(len(y)) % 3 == 0, "other", y)
    detector = make_detector("dynamics", random_state=0, **SMALL).fit(X, three)
    with pytest.raises(ValueError, match="human against synthetic; this detector has 3 classes"):
        detector_stream(detector, RATE)
    with pytest.raises(TypeError, match="A detector of recordings was expected"):
        detector_stream(detector[-1], RATE)


def test_samples_that_are_no_scale_of_sound_are_warned_of_once(small_detector, call):
    samples = call[: 3 * RATE] * np.float32(2**15)
    with pytest.warns(AudioWarning) as caught:
        heard(detector_stream(small_detector, RATE, 1.0, 0.5), samples, RATE)
    (told,) = [str(each.message) for each in caught if each.category is AudioWarning]
    assert told.startswith("in a stream: samples beyond 16")
    loudest = np.finfo(np.float32).max * np.sign(np.sin(np.arange(4 * RATE, dtype=np.float32)))
    with pytest.warns(AudioWarning) as caught:
        events = heard(detector_stream(small_detector, 8000, 1.0, 0.5), loudest, 8000)
    told = [str(each.message) for each in caught if each.category is AudioWarning]
    assert len([each for each in told if "a window has no score" in each and "scale them to ±1" in each]) == 1
    assert all(each.score is None and math.isnan(each.speech) for each in events)


def test_a_warning_names_the_line_that_gave_the_samples_or_ended_the_stream(small_detector, call):
    loud = call[: RATE // 2] * np.float32(2**15)
    stream = detector_stream(small_detector, RATE, 0.5, 0.5)
    with pytest.warns(AudioWarning) as pushed:
        stream.push(loud)
    stream = detector_stream(small_detector, RATE, 1.0, 0.5)
    stream.push(loud)
    with pytest.warns(AudioWarning) as flushed:
        stream.flush()
    for caught, call_of in ((pushed, "stream.push(loud)"), (flushed, "stream.flush()")):
        (told,) = [each for each in caught if each.category is AudioWarning]
        assert Path(told.filename) == Path(__file__)
        assert linecache.getline(told.filename, told.lineno).strip() == call_of


def test_streams_of_one_detector_run_in_threads_as_they_do_alone(pretrained, small_detector, small_voices):
    other = make_detector("dynamics", random_state=1, features__n_mfcc=6, **SMALL).fit(*small_voices[0])
    members = [("a", FrozenEstimator(small_detector)), ("b", FrozenEstimator(other))]
    vote = VotingClassifier(members, voting="soft").fit(*small_voices[0])
    calls = [np.concatenate([each[0] for each in small_voices[1][0][first::5]]) for first in range(5)]
    calls = [each[: 2 * RATE] for each in calls]
    for detector in (pretrained, calibrate(small_detector, *small_voices[1]), vote):
        expected = [heard(detector_stream(detector, RATE, 1.0, 0.5), each, 4000) for each in calls]
        found = {}

        def listen(number, detector=detector, found=found):
            found[number] = heard(detector_stream(detector, RATE, 1.0, 0.5), calls[number % 5], 4000)

        threads = [threading.Thread(target=listen, args=(number,)) for number in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [found[number] for number in range(10)] == expected * 2
