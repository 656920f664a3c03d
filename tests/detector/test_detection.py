from copy import copy, deepcopy

import numpy as np
import pytest
import soundfile
from scipy.special import logit
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline

import voicelstm
from voicelstm import ClipStatistics, MFCCTransformer, calibrate, detect, make_detector, score_timeline
from voicelstm.detector import _detection as detection
from voicelstm.detector._members import features_and_rest, transformers_of
from voicelstm.exceptions import AudioWarning
from voicelstm.sequences import Clip

SMALL = {"classifier__units": (4,), "classifier__max_steps": 2}


@pytest.fixture
def wrapped(small_detector, small_voices):
    """Detectors of every kind, fitted."""
    (X, y), held_out = small_voices
    other = make_detector("dynamics", random_state=1, features__n_mfcc=6, **SMALL).fit(X, y)
    vote = VotingClassifier(
        [("a", FrozenEstimator(small_detector)), ("b", FrozenEstimator(other))], voting="soft"
    )
    fixed = FixedThresholdClassifier(FrozenEstimator(small_detector), threshold=0.6, pos_label="synthetic")
    return {
        "pipeline": small_detector,
        "threshold": fixed.fit(X, y),
        "calibrated": calibrate(small_detector, *held_out),
        "vote of different features": vote.fit(X, y),
    }


def test_answers_are_those_of_the_detector_itself(wrapped, small_voices):
    X = small_voices[1][0]
    for name, detector in wrapped.items():
        found = list(detect(detector, X))
        assert [each.label for each in found] == detector.predict(X).tolist(), name
        probability = [list(each.probabilities.values()) for each in found]
        np.testing.assert_allclose(probability, detector.predict_proba(X), rtol=1e-5, err_msg=name)
        assert list(found[0].probabilities) == ["human", "synthetic"]
        score = logit(detector.predict_proba(X)[:, 1].astype(float))
        np.testing.assert_allclose([each.score for each in found], score, rtol=1e-4, err_msg=name)


def test_an_answer_says_what_was_odd_about_its_file_and_others_do_not(small_detector, small_voices, tmp_path):
    samples, rate = small_voices[1][0][0]
    whole, cut = tmp_path / "whole.wav", tmp_path / "cut.wav"
    soundfile.write(whole, samples, rate)
    cut.write_bytes(whole.read_bytes()[: 44 + len(samples)])
    with pytest.warns(AudioWarning, match=f"{cut.name}: cut off: ") as caught:
        first, second, third = detect(small_detector, [whole, cut, (samples, rate)])
    assert sum(each.category is AudioWarning for each in caught) == 1  # Keras has others
    assert not any("cut off" in each for each in (*first.warnings, *third.warnings))
    halved, announced = len(samples) / 2 / rate, len(samples) / rate
    assert second.warnings[0].startswith(f"cut off: {halved:.1f} of {announced:.1f} s")


def test_a_recording_that_fails_is_an_answer_in_its_place(
    small_detector, small_voices, monkeypatch, tmp_path
):
    monkeypatch.setattr(detection, "_MOST_AT_ONCE", 2)
    X = small_voices[1][0][:5]
    text = tmp_path / "text.wav"
    text.write_text("no recording")
    asked = [X[0], text, X[1], X[2], "missing.wav", "missing.wav", X[3], X[4]]
    found = list(detect(small_detector, asked))
    assert [each.label is None for each in found] == [False, True, False, False, True, True, False, False]
    assert "found text ('no recording'), not audio" in found[1].error
    assert found[4].error == found[5].error
    assert "missing.wav: no such file" in found[4].error
    assert all(each.recording is one for each, one in zip(found, asked, strict=True))
    heard = [each.score for each in found if each.error is None]
    np.testing.assert_allclose(heard, small_detector.decision_function(X), rtol=1e-4)


def test_recordings_are_read_as_answers_are_asked_for(small_detector, small_voices, monkeypatch):
    monkeypatch.setattr(detection, "_MOST_AT_ONCE", 4)
    taken = []

    def endless():
        while True:
            taken.append(None)
            yield small_voices[1][0][0]

    answers = detect(small_detector, endless())
    for _ in range(5):
        next(answers)
    assert len(taken) == 8  # two groups of four


def test_large_files_are_read_in_smaller_groups(small_detector, tmp_path, monkeypatch):
    monkeypatch.setattr(detection, "_BYTES_AT_ONCE", 250)
    paths = [tmp_path / f"{position}.wav" for position in range(6)]
    for path in paths:
        path.write_bytes(b"x" * 100)
    sizes = []
    hear = detection._Listener.hear
    monkeypatch.setattr(
        detection._Listener, "hear", lambda self, some: sizes.append(len(some)) or hear(self, some)
    )
    assert len(list(detect(small_detector, paths))) == 6
    assert sizes == [3, 3]


def test_a_threshold_decides_in_place_of_the_detector(small_detector, small_voices):
    X = small_voices[1][0]
    scores = small_detector.decision_function(X)
    threshold = float(np.sort(scores)[7:9].mean())
    labels = [each.label for each in detect(small_detector, X, threshold=threshold)]
    assert labels == np.where(scores >= threshold, "synthetic", "human").tolist()
    assert labels.count("human") == 8


@pytest.mark.parametrize(
    ("classes", "human"),
    [(("real", "fake"), "real"), (("bonafide", "spoof"), "bonafide"), ((0, 1), 0), ((0, 1), 1)],
)
def test_a_score_is_positive_for_synthetic_whatever_the_labels_are(small_voices, classes, human):
    (X, y), (others, _) = small_voices
    if isinstance(human, str):
        labels, given = np.where(y == "human", *classes), {}
    else:
        labels, given = np.where(y == "human", human, 1 - human), {"human_label": human}
    params = {"features__n_mfcc": 8, "classifier__units": (6,), "classifier__max_steps": 8}
    detector = make_detector("dynamics", random_state=0, **params).fit(X, labels)
    probability = detector.predict_proba(others)[:, detector.classes_.tolist() != np.array(human)].ravel()
    assert probability.min() < 0.5 < probability.max()
    found = list(detect(detector, others, timeline=True, **given))
    np.testing.assert_allclose([each.score for each in found], logit(probability.astype(float)), rtol=1e-3)
    assert [each.label == human for each in found] == [each.score < 0 for each in found]
    # Of recordings of one segment, that is the whole.
    for each, alone in zip(found, score_timeline(detector, others, **given), strict=True):
        assert each.timeline.dtype.names == ("start_s", "stop_s", "score")
        np.testing.assert_allclose(each.timeline["score"], alone["score"], rtol=1e-4)
        if len(each.timeline) == 1:
            np.testing.assert_allclose(each.timeline["score"][0], each.score, rtol=1e-4)
    assert any(len(each.timeline) == 1 for each in found)
    # One of the scores is the threshold: it is synthetic.
    threshold = float(np.median([each.score for each in found[1:]]))
    at = [each.label != human for each in detect(detector, others, threshold=threshold, **given)]
    assert at == [each.score >= threshold for each in found]
    assert threshold in [each.score for each in found]


def test_of_labels_that_say_nothing_the_human_one_must_be_given(small_voices):
    (X, y), _ = small_voices
    detector = make_detector("dynamics", random_state=0, features__n_mfcc=8, **SMALL).fit(
        X, (y == "human").astype(int)
    )
    for ask in (detect, score_timeline):
        with pytest.raises(ValueError, match=r"human_label must say which of the classes \[0, 1\]"):
            ask(detector, X[:1])
        with pytest.raises(ValueError, match="human_label=2 is none of the classes"):
            ask(detector, X[:1], human_label=2)


def test_even_odds_are_even_odds_of_a_calibrated_detector_too(wrapped, small_voices):
    X = small_voices[1][0]
    for name in ("calibrated", "vote of different features"):
        found = list(detect(wrapped[name], X, threshold=0.0))
        assert [each.label for each in found] == wrapped[name].predict(X).tolist()
        assert {each.label for each in found} == {"human", "synthetic"}
        most = [max(each.probabilities, key=each.probabilities.get) for each in found]
        assert [each.label for each in found] == most


def test_scores_over_time_are_those_of_score_timeline(wrapped, small_voices):
    X = small_voices[1][0][:3]
    for name in ("pipeline", "threshold", "calibrated"):
        for each, expected in zip(
            detect(wrapped[name], X, timeline=True), score_timeline(wrapped[name], X), strict=True
        ):
            assert each.timeline.dtype == expected.dtype
            np.testing.assert_allclose(each.timeline["score"], expected["score"], rtol=1e-4)
            np.testing.assert_array_equal(each.timeline["stop_s"], expected["stop_s"])


def test_the_detector_is_left_as_it_was(small_detector, small_voices):
    steps = list(small_detector.steps)
    list(detect(small_detector, small_voices[1][0][:2]))
    assert small_detector.steps == steps


def test_what_is_no_detector_of_recordings_is_refused_at_once(small_detector, small_voices):
    with pytest.raises(TypeError, match=r"begins with an MFCCTransformer.*got a LSTMVoiceClassifier"):
        detect(small_detector["classifier"], [])
    with pytest.raises(ValueError, match=r"single path 'call\.wav'"):
        detect(small_detector, "call.wav")
    X, _ = small_voices[0]
    three = make_detector("dynamics", random_state=0, **SMALL).fit(X, ["a", "b", "c", "a"] * 5)
    with pytest.raises(ValueError, match="A threshold divides two classes; this detector has 3"):
        detect(three, X, threshold=0.0)
    found = list(detect(three, X[:2]))
    assert [each.label for each in found] == three.predict(X[:2]).tolist()
    assert list(found[0].probabilities) == ["a", "b", "c"]
    assert np.isnan(found[0].score)


def test_a_vote_of_different_features_cannot_be_taken_apart(wrapped):
    vote = wrapped["vote of different features"]
    assert [each.n_mfcc for each in transformers_of(vote)][:2] == [8, 6]
    with pytest.raises(TypeError, match="different features"):
        features_and_rest(vote)


def test_it_is_one_of_the_public_names():
    assert voicelstm.detect is detect


def test_nothing_is_said_of_recordings_with_nothing_in_them(small_detector, small_voices):
    voice = small_voices[1][0][0]
    silence, click = (np.zeros(16000), 16000), (np.full(10, 0.1), 16000)
    found = list(detect(small_detector, [voice, silence, click]))
    assert found[0].error is None
    assert found[1].error == (
        "the recording: no speech: found silence, every sample being 0; there is no voice to judge."
    )
    assert "0.625 ms of sound, less than one frame" in found[2].error
    assert found[1].label is found[2].label is None


def test_a_recording_in_which_nobody_speaks_gets_no_label(small_detector, small_voices):
    noise = (np.random.default_rng(0).normal(0, 0.1, 32000), 16000)
    voice = small_voices[1][0][0]
    of_noise, of_voice = detect(small_detector, [noise, voice], timeline=True)
    assert of_noise.label is None
    assert "no speech: found 0 s of speech in 2 s, less than 0.15 s" in of_noise.error
    assert of_noise.speech == 0
    # `predict` has an answer to everything.
    with pytest.warns(AudioWarning, match="no speech: 0 s found; all its frames are kept"):
        assert small_detector.predict([noise])[0] in small_detector.classes_
    assert of_voice.error is None
    assert 0.15 < of_voice.speech < 1
    assert of_voice.warnings[0].startswith("little speech: 0.")


@pytest.mark.parametrize(("speech", "said"), [(0.97, "0.9"), (0.3, "0.3"), (0.15, "0.1")])
def test_what_is_said_of_little_speech_is_less_than_a_second(speech, said):
    clip = Clip(np.zeros((1, 1)), 0.0, 0.025, 0.01, 2.0, speech=speech)
    assert detection._doubts([clip]) == (f"little speech: {said} s",)


def test_a_second_of_speech_is_no_longer_little(small_detector, small_voices):
    samples = np.concatenate(
        [
            small_voices[1][0][at][0] if isinstance(small_voices[1][0][at], tuple) else small_voices[1][0][at]
            for at in range(4)
        ]
    )
    (found,) = detect(small_detector, [(samples, 16000)])
    assert found.speech > 1
    assert found.warnings == ()


def test_a_recording_is_warned_of_once_where_its_answer_was_asked_for(small_detector):
    quiet = (np.full(16000, 300, dtype=np.int64), 16000)
    with pytest.warns(AudioWarning, match="int64") as caught:
        assert len(list(detect(small_detector, [quiet]))) == 1
    assert [each.filename for each in caught if each.category is AudioWarning] == [__file__]


@pytest.fixture
def calls(small_voices, tmp_path):
    """A mono file, one of three channels with somebody on the first and the last, and what was said."""
    (rate, first), (_, second) = (reversed(each) for each in small_voices[1][0][:2])
    length = min(len(first), len(second))
    first, second = (np.asarray(each[:length], dtype=np.float64) for each in (first, second))
    mono, several = tmp_path / "mono.wav", tmp_path / "several.wav"
    soundfile.write(mono, first, rate, subtype="FLOAT")
    soundfile.write(several, np.column_stack([first, 0 * first, second]), rate, subtype="FLOAT")
    return mono, several, (first, rate), (second, rate)


def test_each_channel_has_an_answer(wrapped, calls):
    mono, several, first, second = calls
    for name, detector in wrapped.items():
        asked = [several, mono, "missing.wav", second]
        found = list(detect(detector, asked, channel="each"))
        assert [(each.recording, each.channel) for each in found] == [
            (several, 0), (several, 1), (several, 2), (mono, 0), ("missing.wav", 0), (second, 0),
        ], name  # fmt: skip
        expected = [each.score for each in detect(detector, [first, second])]
        of_first, of_second = expected
        scores = [each.score for each in found if each.error is None]
        np.testing.assert_allclose(scores, [of_first, of_second, of_first, of_second], rtol=1e-3)
        assert found[1].error.startswith(f"{several}, channel 1: no speech: found silence")
        assert found[4].error.startswith("missing.wav: no such file")


def test_a_channel_is_asked_about_whatever_the_detector_would_read(wrapped, calls):
    mono, several, first, second = calls
    for name, detector in wrapped.items():
        before = [transformer.channel for transformer in transformers_of(detector)]
        expected = [each.score for each in detect(detector, [first, second])]
        for channel, position in (("left", 0), (0, 0), (2, 1)):
            (found,) = detect(detector, [several], channel=channel)
            assert found.score == pytest.approx(expected[position], rel=1e-3), name
            assert found.channel is None
        (found,) = detect(detector, [mono], channel="right", timeline=name != "vote of different features")
        assert "mono.wav: found 1 channel, and none that is channel='right'" in found.error
        assert [transformer.channel for transformer in transformers_of(detector)] == before
    with pytest.raises(ValueError, match=r"channel='both': expected"):
        detect(wrapped["pipeline"], [mono], channel="both")


def test_members_that_read_what_scipy_reads_are_asked_about_a_channel(calls):
    mono, several, _, _ = calls
    members = [
        (
            name,
            make_pipeline(
                MFCCTransformer.original(max_frames=frames), ClipStatistics(), LogisticRegression()
            ),
        )
        for name, frames in (("a", 100), ("b", 200))
    ]
    vote = VotingClassifier(members, voting="soft").fit([mono, several], ["human", "synthetic"])
    (found,), (expected,) = detect(vote, [several], channel="left"), detect(vote, [mono])
    assert found.score == pytest.approx(expected.score, rel=1e-3)


def test_each_member_hears_for_itself_whether_somebody_speaks(small_voices, tmp_path):
    (X, y), ((speech, rate), *_) = small_voices[0], small_voices[1][0]
    left, right = (
        make_detector("dynamics", random_state=0, features__channel=side, **SMALL).fit(X, y)
        for side in ("left", "right")
    )
    members = [("left", FrozenEstimator(left)), ("right", FrozenEstimator(right))]
    both, only_left, only_right = (tmp_path / name for name in ("both.wav", "left.wav", "right.wav"))
    silence = np.zeros_like(speech)
    soundfile.write(both, np.column_stack([speech, speech]), rate)
    soundfile.write(only_left, np.column_stack([speech, silence]), rate)
    soundfile.write(only_right, np.column_stack([silence, speech]), rate)
    for order in (members, members[::-1]):
        vote = VotingClassifier(order, voting="soft").fit(X, y)
        found = list(detect(vote, [only_left, both, only_right]))
        assert [each.label is None for each in found] == [True, False, True]
        assert [each.speech == 0 for each in found] == [True, False, True]
        assert "no speech" in found[0].error
        assert "no speech" in found[2].error


def test_members_of_different_features_are_read_and_scored_once(wrapped, small_voices, extractions):
    X = small_voices[1][0]
    vote = wrapped["vote of different features"]
    found = list(detect(vote, X))
    assert sorted(id(each) for each in extractions) == sorted(2 * [id(each) for each in X])
    probability = [list(each.probabilities.values()) for each in found]
    np.testing.assert_allclose(probability, vote.predict_proba(X), rtol=1e-5)


def test_what_a_search_began_with_reads_nothing(small_voices, extractions):
    (X, y), (held_out, _) = small_voices
    begun = make_detector("dynamics", random_state=0, features__n_mfcc=6, **SMALL)
    search = GridSearchCV(begun, {"features__n_mfcc": [5]}, cv=2).fit(X, y)
    assert [each.n_mfcc for each in transformers_of(search)] == [5]
    extractions.clear()
    found = list(detect(search, held_out, timeline=True))
    assert len(extractions) == len(held_out)
    expected = score_timeline(search, held_out)
    for each, of_each in zip(found, expected, strict=True):
        np.testing.assert_allclose(each.timeline["score"], of_each["score"], rtol=1e-5)


def test_the_detector_says_which_channel_it_reads(small_detector, calls):
    _, several, _, second = calls
    detector = deepcopy(small_detector).set_params(features__channel=2)
    (found,) = detect(detector, [several])
    (expected,) = detect(small_detector, [second])
    assert found.score == pytest.approx(expected.score, rel=1e-3)


def test_an_operating_point_is_the_threshold_that_the_card_names(small_detector, small_voices):
    X = small_voices[1][0]
    scores = [each.score for each in detect(small_detector, X)]
    point = {"name": "few", "threshold": float(np.median(scores))}
    carded = copy(small_detector)
    carded.card_ = {"operating_points": [point]}
    found = [each.label for each in detect(carded, X, operating_point="few")]
    assert found == [("human", "synthetic")[score >= point["threshold"]] for score in scores]
    with pytest.raises(ValueError, match="operating_point='none': this detector has 'few'"):
        detect(carded, X, operating_point="none")
    with pytest.raises(ValueError, match="leave threshold None"):
        detect(carded, X, operating_point="few", threshold=0.0)
    with pytest.raises(ValueError, match="has none; give a threshold"):
        detect(small_detector, X, operating_point="few")
