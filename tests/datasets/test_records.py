import pytest

from tests.datasets.corpora import refusal
from voicelstm.datasets._problems import Problems
from voicelstm.datasets._records import Records

RECORDS = Records({"clip": list("abcd"), "fold": list("1213"), "label": list("hssh")}, [2, 3, 5, 6])


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({}, "abcd"),
        ({"fold": 1}, "ac"),
        ({"fold": "1"}, "ac"),
        ({"fold": [1, 3]}, "acd"),
        ({"fold": {"2", "3"}, "label": "h"}, "d"),
        ({"fold": range(1, 3), "label": ("h", "s")}, "abc"),
    ],
)
def test_rows_are_kept_that_have_one_of_the_values_in_every_column(where, kept):
    problems = Problems("t.csv")
    records = RECORDS.where(where, problems)
    problems.raise_any()
    assert "".join(records.columns["clip"]) == kept
    lines = dict(zip("abcd", RECORDS.lines, strict=True))
    assert [records.place(at) for at in range(len(kept))] == [f"line {lines[clip]}" for clip in kept]


def test_where_no_row_has_the_values_those_there_are_are_said():
    problems = Problems("t.csv")
    assert RECORDS.where({"fold": 4}, problems).lines == []
    assert "'fold' holds '1', '2', '3'" in refusal(problems.raise_any)
