import json

import numpy as np

from tests.detector.evaluations import MEASURES, SCORES, SYSTEM, told


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
