import json

import numpy as np
import pytest

from tests.detector.evaluations import MEASURES, SCORES, SYSTEM, told
from voicelstm.detector import _evaluation_report
from voicelstm.detector._evaluation_report import EvaluationReport, Measure, Row, as_record


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
    assert text[0].endswith("; synthetic from a score of 0.25")
    assert text[1].split() == ["human", "synth.", "EER", "minDCF", "actDCF", "Cllr", "miss", "false", "alarm"]
    assert text[2].split()[:4] == ["all", "5", "5", "20.0"]
    assert len(text) == 6


def by_hand(**changes):
    """A row without intervals but that of eer."""
    plain = Measure(0.25, np.nan, np.nan)
    numbers = dict.fromkeys(MEASURES, plain) | {"eer": Measure(0.125, 0.1, 0.2)}
    row = {"group": "all", "value": "all", "n_human": 3, "n_synthetic": 4, "drawn": "clip"}
    return Row(**row | numbers | changes)


def test_the_measures_are_those_of_a_row_and_of_the_tests():
    assert list(_evaluation_report.MEASURES) == MEASURES


def test_miss_and_false_alarm_are_rates_of_their_own_class():
    human, accepted = np.array([1, 1, 1, 0, 0]), np.array([True, True, False, True, False])
    of = {name: _evaluation_report.MEASURES[name].metric(human, accepted) for name in ("miss", "false_alarm")}
    assert of == {"miss": 1 / 3, "false_alarm": 1 / 2}


def test_a_record_is_flat_with_each_interval_beside_its_value():
    record = as_record(by_hand())
    assert (record["eer_low"], record["eer"], record["eer_high"]) == (0.1, 0.125, 0.2)
    assert np.isnan(record["cllr_low"])
    assert list(record)[5:8] == ["eer", "eer_low", "eer_high"]


def test_a_table_is_that_written_by_hand():
    rows = [by_hand(drawn="speaker"), by_hand(group="system", value="A07")]
    rates, costs = f"{'25.0':>20}" * 2, f"{'0.25':>20}" * 3
    numbers = f"{'12.5 (10.0-20.0)':>20}" + costs + rates
    assert str(EvaluationReport(rows, None, 0.95, 2)).splitlines() == [
        "EER, miss and false alarm in %, 95 % intervals; predict decides",
        " " * 13
        + " human synth."
        + "".join(f"{title:>20}" for title in ("EER", "minDCF", "actDCF", "Cllr", "miss", "false alarm")),
        "all          " + "     3" + "      4" + numbers,
        "system A07*  " + "     3" + "      4" + numbers,
        "* fewer than 5 speakers in a class: the intervals draw clips",
        "2 clips without a score are left out",
    ]


def test_rows_are_not_marked_where_no_row_draws_speakers():
    assert "*" not in str(EvaluationReport([by_hand(), by_hand(group="system", value="A07")], 0.5, 0.95, 0))


def test_a_row_is_found_by_column_and_value():
    row = by_hand(group="system", value="A07")
    other = by_hand(group="codec", value="A07")
    report = EvaluationReport([by_hand(), other, row], 0.5, 0.95, 0)
    assert report["system", "A07"] is row
    assert report.overall is report.rows[0]
    with pytest.raises(KeyError, match="A08"):
        report["system", "A08"]
