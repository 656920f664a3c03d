import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis.strategies import lists, sampled_from
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.detector.evaluations import MEASURES, NAMES, SCORES, SYSTEM, Told, told
from voicelstm import ClipStatistics, evaluate
from voicelstm._compat import CalibratedClassifier, SigmoidCalibration
from voicelstm.detector import CalibratedDetector, ThresholdDetector
from voicelstm.exceptions import ScoreWarning, SequenceWarning
from voicelstm.metrics import (
    act_dcf,
    bootstrap_interval,
    cllr,
    equal_error_rate,
    min_dcf,
    synthetic_threshold,
)


def test_the_numbers_are_those_counted_by_hand():
    row = told().overall
    assert (row.group, row.value, row.n_human, row.n_synthetic) == ("all", "all", 5, 5)
    assert row.eer.value == 0.2
    assert row.min_dcf.value == pytest.approx(0.2)
    assert row.act_dcf.value == pytest.approx(0.4)
    assert row.cllr.value == pytest.approx(0.59622, abs=1e-6)
    assert (row.miss.value, row.false_alarm.value) == (0.2, 0.2)


@pytest.mark.parametrize(
    ("classes", "y", "human_label"),
    [
        ((0, 1), np.repeat([1, 0], 5), 1),
        (("bonafide", "spoof"), np.repeat(["bonafide", "spoof"], 5), "bonafide"),
    ],
)
def test_the_direction_of_scores_is_the_detectors(classes, y, human_label):
    ours = told(y=y, detector=Told(classes), human_label=human_label)
    assert ours.to_dict() == told().to_dict()


@pytest.mark.parametrize("threshold", [None, 0.0, 0.75])
def test_probabilities_are_read_as_log_odds(threshold):
    ours = told(detector=Told(scores="predict_proba"), threshold=threshold).overall
    for name in MEASURES:
        expected = getattr(told(threshold=threshold).overall, name).value
        assert getattr(ours, name).value == pytest.approx(expected)


def test_a_detector_worse_than_guessing_is_warned_of_once_and_not_for_its_parts():
    with pytest.warns(ScoreWarning, match="may be turned round") as caught:
        told(scores=-SCORES, groups={"system": SYSTEM}, n_resamples=5)
    assert len(caught) == 1
    assert caught[0].filename.endswith("evaluations.py")
    # One system of two is taken for human: its row alone is worse than guessing.
    assert (
        told(scores=[*SCORES[:5], 3, 3, -9, -9, -9], groups={"system": SYSTEM})["system", "new"].eer.value
        == 1
    )


def test_a_system_stands_against_all_human_clips():
    report = told(groups={"system": SYSTEM})
    assert [(row.group, row.value) for row in report.rows] == [
        ("all", "all"),
        ("system", "new"),
        ("system", "old"),
    ]
    new, old = report["system", "new"], report["system", "old"]
    assert (new.n_human, new.n_synthetic, old.n_human, old.n_synthetic) == (5, 2, 5, 3)
    assert (new.false_alarm.value, old.false_alarm.value) == (0.5, 0.0)
    assert new.miss.value == old.miss.value == 0.2
    assert old.eer.value == 0.0
    assert new.eer.value == equal_error_rate(NAMES[:7], SCORES[:7], pos_label="human")
    assert [row.against for row in report.rows] == [None, "human", "human"]
    assert report.to_dict()["rows"][1]["against"] == "human"
    lines = str(report).splitlines()
    assert [line.split()[:3] for line in lines[3:5]] == [["system", "new", "(h)"], ["system", "old", "(h)"]]
    assert lines[-1] == "(h) against all human recordings, the same in each such row"


def test_a_value_of_both_classes_stands_for_itself_and_one_of_humans_against_all_synthetic():
    codec = np.array(["mp3", "mp3", "wav", "wav", "wav", "mp3", "mp3", "mp3", "flac", "flac"])
    report = told(groups={"codec": codec, "speaker": ["ann"] * 3 + ["ben"] * 2 + ["robot"] * 5})
    mp3, wav, ben = report["codec", "mp3"], report["codec", "wav"], report["speaker", "ben"]
    assert (mp3.n_human, mp3.n_synthetic, mp3.miss.value, mp3.false_alarm.value) == (2, 3, 0.0, 1 / 3)
    assert (wav.n_human, wav.n_synthetic, wav.miss.value) == (3, 5, 1 / 3)
    assert (ben.n_human, ben.n_synthetic, ben.miss.value) == (2, 5, 0.5)
    assert (mp3.against, ben.against, report["speaker", "robot"].against) == (None, "synthetic", "human")


def test_a_column_of_many_values_gets_rows_where_it_is_asked_for():
    scores, y = np.tile(SCORES, 4), np.tile(NAMES, 4)
    groups = {"thirty": np.arange(40) % 30, "more": np.arange(40) % 31}
    report = told(scores, y, groups)
    assert {row.group for row in report.rows} == {"all", "thirty"}
    assert report.columns_left_out == report.to_dict()["columns_left_out"] == {"more": 31}
    assert 'more has 31 values, and no rows: by=["more"] asks for them' in str(report)
    asked = told(scores, y, groups, by=["more"])
    assert len(asked.rows) == 1 + 31
    assert asked.columns_left_out == {}


def test_by_chooses_the_columns_that_get_rows():
    report = told(groups={"system": SYSTEM, "speaker": list("abcdefghij")}, by=["system"])
    assert {row.group for row in report.rows} == {"all", "system"}
    with pytest.raises(KeyError):
        report["speaker", "a"]


@pytest.mark.parametrize(
    ("threshold", "miss", "false_alarm"),
    # In favour of synthetic, human clips score -2, -1.5, -1, -0.5, 0.2; synthetic ones -0.7, 0.5, 1, 1.5, 2.
    [(0.3, 0.0, 0.2), (-0.8, 0.4, 0.0), (0.2, 0.2, 0.2), (0.5, 0.0, 0.2), (-0.7, 0.4, 0.0), (5.0, 0.0, 1.0)],
)
def test_a_threshold_decides_and_the_synthetic_class_has_the_threshold_itself(threshold, miss, false_alarm):
    report = told(threshold=threshold)
    assert report.threshold == threshold
    assert report.overall.miss.value == pytest.approx(miss)
    assert report.overall.false_alarm.value == pytest.approx(false_alarm)
    assert report.overall.eer.value == told().overall.eer.value


class EvenOddsAreSynthetic(Told):
    """Decides as this library's own classifiers do."""

    def decision_function(self, X):
        return self._towards_second(X)

    def predict(self, X):
        second_is_human = self.classes[1] == "real"
        second = self._towards_second(X)
        return self.classes_[(second > 0 if second_is_human else second >= 0).astype(int)]


def decided_by(kind, classes, threshold):
    """Return a detector whose threshold is at this score, in favour of human."""
    plain = EvenOddsAreSynthetic(classes)
    synthetic = classes[0] if classes[1] == "real" else classes[1]
    given = {"threshold": -threshold, "pos_label": synthetic, "response_method": "decision_function"}
    if kind == "tuned":
        tuned = ThresholdDetector(plain, **given)
        tuned.estimator_ = plain
        return tuned
    if kind == "calibrated":
        calibrated = CalibratedDetector(plain)
        calibrator = SigmoidCalibration()
        calibrator.a_, calibrator.b_ = -1.0, 0.0  # even odds stay even
        pair = CalibratedClassifier(plain, [calibrator], classes=np.array(classes), method="sigmoid")
        calibrated.calibrated_classifiers_, calibrated.classes_ = [pair], np.array(classes)
        return calibrated
    return plain


# Scores by chance are often worse than guessing.
@pytest.mark.filterwarnings("ignore::voicelstm.exceptions.ScoreWarning")
@given(
    scores=lists(sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=10, max_size=10),
    threshold=sampled_from([-0.5, 0.0, 0.25]),
)
@pytest.mark.parametrize("classes", [("human", "synthetic"), ("fake", "real")], ids="/".join)
@pytest.mark.parametrize("kind", ["plain", "tuned", "calibrated"])
def test_evaluate_and_predict_agree_also_on_scores_at_the_threshold(kind, classes, scores, threshold):
    threshold = threshold if kind == "tuned" else 0.0
    detector = decided_by(kind, classes, threshold)
    human = "human" if "human" in classes else "real"
    (synthetic,) = set(classes) - {human}
    y = np.repeat([human, synthetic], 5)
    rows = [told(scores, y, detector=detector, threshold=given).overall for given in (None, -threshold)]
    is_human = detector.predict(np.asarray(scores)[:, None]) == human
    np.testing.assert_array_equal(is_human, np.array(scores) > threshold)
    for row in rows:
        assert (row.miss.value, row.false_alarm.value) == (np.mean(~is_human[:5]), np.mean(is_human[5:]))
    assert synthetic_threshold(detector) == -threshold


def test_a_threshold_that_the_detector_brings_along_is_used():
    detector = FixedThresholdClassifier(
        Told(), threshold=-0.8, pos_label="synthetic", response_method="decision_function"
    ).fit(SCORES[:, None], NAMES)
    row = told(detector=detector).overall
    assert (row.miss.value, row.false_alarm.value, row.eer.value) == (0.4, 0.0, 0.2)


def test_cllr_reads_log_odds_without_those_of_training():
    random = np.random.default_rng(0)
    human = np.arange(400) < 300
    X, y = random.standard_normal((400, 1)) + human[:, None], np.where(human, "human", "synthetic")
    detector = GaussianNB().fit(X, y)
    given = evaluate(detector, X, y, n_resamples=0).overall
    logarithms = detector.predict_log_proba(X)
    log_odds = logarithms[:, 1] - logarithms[:, 0]
    assert given.cllr.value == pytest.approx(cllr(y, log_odds - np.log(1 / 3), pos_label="synthetic"))
    assert given.act_dcf.value == pytest.approx(act_dcf(y, log_odds - np.log(1 / 3), pos_label="synthetic"))


def test_costs_reach_the_detection_costs():
    costs = {"synthetic_prior": 0.5, "cost_false_alarm": 2.0}
    row = told(**costs).overall
    assert row.min_dcf.value == min_dcf(NAMES, SCORES, pos_label="human", **costs)
    assert row.act_dcf.value == act_dcf(NAMES, SCORES, pos_label="human", **costs)


def test_intervals_hold_their_value_and_draw_speakers_where_they_are_known(many):
    scores, y, speaker = many
    by_clip = told(scores, y, n_resamples=200).overall
    by_speaker = told(scores, y, speaker, by=[], n_resamples=200).overall
    assert (by_clip.drawn, by_speaker.drawn) == ("clip", "speaker")
    for name in MEASURES:
        clip, of_speaker = getattr(by_clip, name), getattr(by_speaker, name)
        assert clip.value == of_speaker.value
        assert of_speaker.low <= clip.value <= of_speaker.high
        assert of_speaker.high - of_speaker.low > clip.high - clip.low


def test_the_interval_is_that_of_bootstrap_interval(many):
    scores, y, _ = many
    row = told(scores, y, n_resamples=50, confidence=0.8).overall
    exact = bootstrap_interval(
        equal_error_rate, y, scores, pos_label="human", n_resamples=50, confidence=0.8,
        random_state=int(np.random.RandomState(0).randint(np.iinfo(np.int32).max)),
    )  # fmt: skip
    assert (row.eer.low, row.eer.high) == exact


def test_few_speakers_are_marked_and_one_clip_has_no_interval(many):
    scores, y, speaker = many
    system = np.where(y == "human", "-", np.where(np.isin(speaker, ["0", "1", "2", "3"]), "small", "large"))
    system[-1] = "one"
    report = told(scores, y, {"speaker": speaker, "system": system}, by=["system"], n_resamples=20)
    assert {row.value: row.drawn for row in report.rows} == {
        "all": "speaker",
        "large": "speaker",
        "small": "clip",
        "one": None,
    }
    assert np.isnan(report["system", "one"].eer.low)
    lines = str(report).splitlines()
    assert [line.split()[1] for line in lines if line.startswith("system")] == ["large", "one", "small*"]
    assert "fewer than 5 speakers" in lines[-1]


def test_the_same_seed_gives_the_same_report(many):
    scores, y, speaker = many
    first = told(scores, y, speaker, by=[], n_resamples=20, random_state=4)
    assert first == told(scores, y, speaker, by=[], n_resamples=20, random_state=4)
    assert first != told(scores, y, speaker, by=[], n_resamples=20, random_state=5)


def test_clips_without_a_score_are_left_out_and_counted():
    scores = np.append(SCORES, np.nan)
    y, system = np.append(NAMES, "synthetic"), np.append(SYSTEM, "failed")

    class Careful(Told):
        def predict(self, X):
            assert np.isfinite(X).all()
            return super().predict(X)

    with pytest.warns(
        SequenceWarning, match=r"1 of 11 clips have no score and are left out, positions \[10\]"
    ):
        report = told(scores, y, {"system": system}, detector=Careful())
    assert report.n_without_score == 1
    assert report.to_dict()["rows"] == told(groups={"system": SYSTEM}).to_dict()["rows"]
    assert "1 clips without a score" in str(report)


def test_a_pipeline_reads_each_recording_once():
    read = []

    class Reading(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            read.extend(X)
            return [np.full((3, 1), score) for score in X]

    random = np.random.default_rng(0)
    recordings = list(SCORES + 0.1 * random.standard_normal(10))
    detector = Pipeline(
        [
            ("features", Reading()),
            ("statistics", ClipStatistics(statistics=("mean",))),
            ("classifier", LogisticRegression(class_weight="balanced")),
        ]
    ).fit(recordings, NAMES)
    read.clear()
    row = evaluate(detector, recordings, NAMES, n_resamples=0).overall
    assert read == recordings
    assert row.eer.value == equal_error_rate(NAMES, recordings, pos_label="human")
    assert row.miss.value == np.mean(detector.predict(recordings)[:5] == "synthetic")


def test_features_of_many_forms_are_evaluated():
    detector = make_pipeline(FunctionTransformer(), LogisticRegression()).fit(SCORES[:, None], NAMES)
    frame = pd.DataFrame({"score": SCORES})
    assert evaluate(detector, frame.to_numpy(), pd.Series(NAMES), n_resamples=0).overall.eer.value == 0.2


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"y": NAMES[:9]}, "y has 9 labels for 10 recordings"),
        (
            {"y": np.repeat([1, 0], 5)},
            r"two classes of y, \[0, 1\]; its classes are \['human', 'synthetic'\]",
        ),
        ({"y": ["human"] * 10}, "one class only"),
        ({"by": ["system"]}, r"by names \['system'\], but groups has the columns \[\]"),
        ({"groups": {"system": SYSTEM[:5]}}, "'system' has shape"),
        ({"n_resamples": -1}, "n_resamples=-1"),
        ({"threshold": float("nan")}, "threshold is NaN"),
        ({"synthetic_prior": 2}, "synthetic_prior=2"),
        ({"detector": LogisticRegression()}, "must be a fitted classifier"),
    ],
)
def test_what_does_not_fit_is_an_error(parameters, text):
    with pytest.raises(ValueError, match=text):
        told(**parameters)
