import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from voicelstm import ClipStatistics, evaluate
from voicelstm.exceptions import SequenceWarning
from voicelstm.metrics import act_dcf, bootstrap_interval, cllr, equal_error_rate, min_dcf

# In favour of human, as in metrics/clips.py: one human clip of five is below 0, one synthetic one above.
SCORES = np.array([2, 1.5, 1, 0.5, -0.2, 0.7, -0.5, -1, -1.5, -2])
NAMES = np.repeat(["human", "synthetic"], 5)
SYSTEM = np.array(["-"] * 5 + ["new"] * 2 + ["old"] * 3)
MEASURES = ["eer", "min_dcf", "act_dcf", "cllr", "miss", "false_alarm"]


class Told(ClassifierMixin, BaseEstimator):
    """Its score is what it is given, in favour of human."""

    def __init__(self, classes=("human", "synthetic"), scores="decision_function"):
        self.classes = classes
        self.scores = scores

    def __sklearn_is_fitted__(self):
        return True

    @property
    def classes_(self):
        return np.array(self.classes)

    def _towards_second(self, X):
        human_first = self.classes[0] in ("human", "bonafide")
        return np.asarray(X, dtype=float)[:, 0] * (-1 if human_first else 1)

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.classes_[(self._towards_second(X) > 0).astype(int)]

    def __getattr__(self, name):
        if name == "scores" or name != self.scores:
            raise AttributeError(name)
        if name == "decision_function":
            return self._towards_second
        return lambda X: np.column_stack([expit(-self._towards_second(X)), expit(self._towards_second(X))])


def told(scores=SCORES, y=NAMES, groups=None, detector=None, **parameters):
    given = {"n_resamples": 0, "random_state": 0, **parameters}
    return evaluate(detector or Told(), np.asarray(scores)[:, None], y, groups, **given)


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
        ((0, 1), np.repeat([1, 0], 5), None),
        (("bonafide", "spoof"), np.repeat(["bonafide", "spoof"], 5), "bonafide"),
    ],
)
def test_the_direction_of_scores_is_the_detectors(classes, y, human_label):
    ours = told(y=y, detector=Told(classes), human_label=human_label)
    assert ours.to_dict() == told().to_dict()


def test_probabilities_serve_as_scores():
    ours = told(detector=Told(scores="predict_proba"), threshold=0.5).overall
    for name in MEASURES:
        assert getattr(ours, name).value == pytest.approx(getattr(told().overall, name).value)


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


def test_a_value_of_both_classes_stands_for_itself_and_one_of_humans_against_all_synthetic():
    codec = np.array(["mp3", "mp3", "wav", "wav", "wav", "mp3", "mp3", "mp3", "flac", "flac"])
    report = told(groups={"codec": codec, "speaker": ["ann"] * 3 + ["ben"] * 2 + ["robot"] * 5})
    mp3, wav, ben = report["codec", "mp3"], report["codec", "wav"], report["speaker", "ben"]
    assert (mp3.n_human, mp3.n_synthetic, mp3.miss.value, mp3.false_alarm.value) == (2, 3, 0.0, 1 / 3)
    assert (wav.n_human, wav.n_synthetic, wav.miss.value) == (3, 5, 1 / 3)
    assert (ben.n_human, ben.n_synthetic, ben.miss.value) == (2, 5, 0.5)


def test_by_chooses_the_columns_that_get_rows():
    report = told(groups={"system": SYSTEM, "speaker": list("abcdefghij")}, by=["system"])
    assert {row.group for row in report.rows} == {"all", "system"}
    with pytest.raises(KeyError):
        report["speaker", "a"]


@pytest.mark.parametrize(
    ("threshold", "miss", "false_alarm"),
    # In favour of synthetic, human clips score -2, -1.5, -1, -0.5, 0.2; synthetic ones -0.7, 0.5, 1, 1.5, 2.
    [(0.3, 0.0, 0.2), (-0.8, 0.4, 0.0), (0.2, 0.0, 0.2), (0.1, 0.2, 0.2), (5.0, 0.0, 1.0)],
)
def test_a_threshold_decides_and_the_human_class_has_the_threshold_itself(threshold, miss, false_alarm):
    report = told(threshold=threshold)
    assert report.threshold == threshold
    assert report.overall.miss.value == pytest.approx(miss)
    assert report.overall.false_alarm.value == pytest.approx(false_alarm)
    assert report.overall.eer.value == told().overall.eer.value


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


@pytest.fixture(scope="module")
def many():
    random = np.random.default_rng(0)
    y = np.repeat(["human", "synthetic"], 100)
    speaker = np.array([f"{index % 10}" for index in range(100)] + [f"{index % 20}" for index in range(100)])
    own = 2 * random.standard_normal((20, 2))[speaker.astype(int), (y == "human").astype(int)]
    return random.standard_normal(200) + own + (y == "human"), y, speaker


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


def test_a_report_is_a_data_frame_and_json(many):
    scores, y, _ = many
    report = told(scores, y, {"system": y}, n_resamples=20)
    frame = report.to_frame()
    assert frame.loc[0, "eer_low"] == report.overall.eer.low
    assert frame.columns[:5].tolist() == ["group", "value", "n_human", "n_synthetic", "drawn"]
    assert set(MEASURES) < set(frame.columns)
    read = json.loads(report.to_json())
    assert read["rows"][0]["eer"]["high"] == report.overall.eer.high


def test_json_has_no_numbers_that_are_not_finite():
    scores = np.where(SCORES == 0.7, np.inf, SCORES)  # sure, and wrong: Cllr is infinite
    report = told(scores)
    assert report.overall.cllr.value == np.inf
    assert json.loads(report.to_json())["rows"][0]["cllr"] == {"value": None, "low": None, "high": None}


def test_a_report_prints_a_line_per_row():
    text = str(told(groups={"system": SYSTEM}, threshold=0.25)).splitlines()
    assert "threshold 0.25" in text[0]
    assert text[1].split() == ["human", "synth.", "EER", "minDCF", "actDCF", "Cllr", "miss", "false", "alarm"]
    assert text[2].split()[:4] == ["all", "5", "5", "20.0"]
    assert len(text) == 5


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


def test_evaluation_and_audit_load_no_tensorflow():
    code = (
        "import sys; from voicelstm import audit, evaluate; from voicelstm.datasets import UnseenSystems;"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'librosa')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
