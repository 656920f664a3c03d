import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from voicelstm import LSTMVoiceClassifier, MFCCTransformer, make_detector, score_timeline
from voicelstm.datasets import make_voices
from voicelstm.exceptions import AudioWarning


@pytest.fixture(scope="module")
def voices():
    return make_voices(30, random_state=0)


@pytest.fixture(scope="module")
def detector(voices):
    return make_detector("dynamics", random_state=0, classifier__max_steps=20).fit(
        voices.recordings, voices.target
    )


def test_a_timeline_is_in_seconds_of_the_recording_trimmed_lead_included(detector):
    rate = 16000
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * rate)
    silence = np.zeros(rate // 2)
    recordings = [np.concatenate([silence, noise, silence]), noise[: rate // 4]]
    # 2 s of frames of 25 ms every 10 ms: 199 of them, the last filled with zeros. Windows of 100 of them
    # begin at 0, 50 and 99; two segments of two windows.
    trimmed = {"features__speech_only": False, "features__trim_silence": 40.0}
    before = {name: detector.get_params()[name] for name in trimmed} | {"classifier__segment_frames": 6}
    detector.set_params(classifier__segment_frames=2, **trimmed)
    timeline = score_timeline(detector, recordings)
    detector.set_params(**before)
    np.testing.assert_allclose(timeline[0]["start_s"], [0.5, 0.5 + 0.5], atol=1e-3)
    np.testing.assert_allclose(timeline[0]["stop_s"], [0.5 + 1.49 + 0.025, 0.5 + 1.98 + 0.025], atol=1e-3)
    # Where the last frame would reach beyond the recording, the recording's end counts.
    assert timeline[1]["stop_s"][-1] == pytest.approx(0.25)

    # Without the windows, segments are of frames: two of 100.
    of_frames = make_pipeline(
        MFCCTransformer(trim_silence=40.0), LSTMVoiceClassifier(units=(4,), max_steps=1)
    )
    of_frames.fit(recordings, ["human", "synthetic"])
    of_frames.set_params(lstmvoiceclassifier__segment_frames=100)
    (timeline, _) = score_timeline(of_frames, recordings)
    np.testing.assert_allclose(timeline["start_s"], [0.5, 0.5 + 0.99], atol=1e-3)
    np.testing.assert_allclose(timeline["stop_s"], [0.5 + 0.99 + 0.025, 0.5 + 1.98 + 0.025], atol=1e-3)
    # At every hop of 40 frames, and one at the end; the recording's score is their mean.
    of_frames.set_params(lstmvoiceclassifier__segment_hop=40)
    (timeline, _) = score_timeline(of_frames, recordings)
    np.testing.assert_allclose(timeline["start_s"], [0.5, 0.9, 1.3, 0.5 + 0.99], atol=1e-3)
    assert of_frames.decision_function(recordings)[0] == pytest.approx(timeline["score"].mean(), abs=1e-6)


def test_a_timeline_leaves_out_what_is_no_speech_and_keeps_the_recording_s_time(detector, voices):
    voice = np.concatenate([voices.recordings[at][0] for at in range(8)])
    pause = np.zeros(5 * 16000)
    (timeline,) = score_timeline(detector, [(np.concatenate([voice, pause, voice]), 16000)])
    n_voice = len(voice) / 16000
    assert timeline["stop_s"][-1] == pytest.approx(2 * n_voice + 5, abs=0.3)
    (plain,) = score_timeline(detector, [(np.concatenate([voice, voice]), 16000)])
    assert abs(len(timeline) - len(plain)) <= 1


def test_a_timelines_scores_are_those_of_the_segments(detector, voices):
    recordings = voices.recordings[:3]
    segments = detector["classifier"].predict_segments(detector[:-1].transform(recordings))
    for timeline, expected in zip(score_timeline(detector, recordings), segments, strict=True):
        np.testing.assert_array_equal(timeline["score"], expected["log_odds"])


def test_a_timeline_needs_the_steps_of_a_detector(detector, voices):
    with pytest.raises(TypeError, match="got LSTMVoiceClassifier"):
        score_timeline(detector["classifier"], voices.recordings)
    with pytest.raises(TypeError, match="got MFCCTransformer and MFCCTransformer and LSTMVoiceClassifier"):
        score_timeline(
            make_pipeline(MFCCTransformer(), MFCCTransformer(), LSTMVoiceClassifier()), voices.recordings
        )


def test_bad_recordings_stay_in_their_place_with_on_error_warn(detector, voices, tmp_path):
    detector.set_params(features__on_error="warn")
    with pytest.warns(AudioWarning, match="1 of 3 recordings"):
        probabilities = detector.predict_proba(
            [voices.recordings[0], tmp_path / "missing.wav", voices.recordings[1]]
        )
    detector.set_params(features__on_error="raise")
    assert np.isnan(probabilities[1]).all()
    np.testing.assert_allclose(
        probabilities[[0, 2]], detector.predict_proba(voices.recordings[:2]), atol=1e-6
    )
