"""What was measured of a detector: a table of rates and costs, with intervals and numbers of clips."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicelstm._base import json_text, json_value
from voicelstm.datasets import FEWEST_SPEAKERS
from voicelstm.metrics import act_dcf, cllr, equal_error_rate, min_dcf

__all__ = ["MEASURES", "EvaluationReport", "Measure", "Row", "as_record"]


_AGAINST = {"human": " (h)", "synthetic": " (s)"}  # marks of rows


@dataclass(frozen=True)
class Measure:
    """A number and its interval.

    Attributes
    ----------
    value : float
        Of the clips as they are.
    low, high : float
        Interval; NaN where a class has one clip only.
    """

    value: float
    low: float
    high: float


class Definition(NamedTuple):
    """How a measure is computed, of the scores, ratios or decisions for human, and how it is shown."""

    title: str
    metric: Callable[..., float]
    of: str
    takes_costs: bool = False
    percent: bool = False

    def written(self, number: float) -> str:
        """Write a number of this measure, without the sign of percent."""
        return f"{100 * number:.1f}" if self.percent else f"{number:.2f}"


def _miss(human: NDArray[np.int_], accepted: NDArray[np.bool_]) -> float:
    return float(np.mean(~accepted[human == 1]))


def _false_alarm(human: NDArray[np.int_], accepted: NDArray[np.bool_]) -> float:
    return float(np.mean(accepted[human == 0]))


@dataclass(frozen=True)
class Row:
    """What was measured of some of the clips.

    Attributes
    ----------
    group : str
        A column of `groups`; "all" for the first row.
    value : object
        The column's value; "all" in the first row.
    n_human, n_synthetic : int
        Clips behind the numbers.
    drawn : {"speaker", "clip"} or None
        What the intervals draw; None where there are none.
    eer, min_dcf, act_dcf, cllr, miss, false_alarm : Measure
        See :func:`~voicelstm.evaluate`.
    against : {"human", "synthetic"} or None
        The class that the value does not have, of which all clips are in the row; None if it has both.
    """

    group: str
    value: Any
    n_human: int
    n_synthetic: int
    drawn: str | None
    eer: Measure = field(metadata={"definition": Definition("EER", equal_error_rate, "score", percent=True)})
    min_dcf: Measure = field(
        metadata={"definition": Definition("minDCF", min_dcf, "score", takes_costs=True)}
    )
    act_dcf: Measure = field(
        metadata={"definition": Definition("actDCF", act_dcf, "ratio", takes_costs=True)}
    )
    cllr: Measure = field(metadata={"definition": Definition("Cllr", cllr, "ratio")})
    miss: Measure = field(metadata={"definition": Definition("miss", _miss, "accepted", percent=True)})
    false_alarm: Measure = field(
        metadata={"definition": Definition("false alarm", _false_alarm, "accepted", percent=True)}
    )
    against: str | None = None


#: By the names that they have in a row.
MEASURES: dict[str, Definition] = {
    each.name: each.metadata["definition"] for each in fields(Row) if each.metadata
}


def as_record(row: Row) -> dict[str, Any]:
    """Lay a row out flat; the interval of ``eer`` is ``eer_low`` and ``eer_high``."""
    record: dict[str, Any] = {}
    for each in fields(Row):
        value = getattr(row, each.name)
        record[each.name] = value
        if each.name in MEASURES:
            ends = {f"{each.name}_low": value.low, f"{each.name}_high": value.high}
            record |= {each.name: value.value} | ends
    return record


@dataclass(frozen=True)
class EvaluationReport:
    """What :func:`~voicelstm.evaluate` measured; printed, it is a table.

    Attributes
    ----------
    rows : list of Row
        All clips first, then column by column and value by value.
    threshold : float or None
        Log-odds of synthetic from which clips were taken for synthetic; None if `predict` decided.
    confidence : float
        Of the intervals.
    n_without_score : int
        Clips left out, since the detector gave NaN for them.
    n_in_training : int or None
        Recordings that were in the detector's training, by their samples; they are measured like the others.
        None if that is not known: the detector was given features, or its file is one of 0.1.0.
    columns_left_out : dict of str to int
        Columns of `groups` that have no rows since they have many values, and how many.
    """

    rows: list[Row]
    threshold: float | None
    confidence: float
    n_without_score: int
    n_in_training: int | None = None
    columns_left_out: dict[str, int] = field(default_factory=dict)

    @property
    def overall(self) -> Row:
        """The row of all clips."""
        return self.rows[0]

    def __getitem__(self, key: tuple[str, Any]) -> Row:
        """Return the row of a column and a value, such as ``report["system", "A07"]``."""
        for row in self.rows:
            if (row.group, row.value) == key:
                return row
        raise KeyError(key)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as dicts, lists, strings and numbers; None for numbers that are not finite."""
        return json_value(asdict(self))

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json_text(self.to_dict())

    def to_frame(self) -> Any:
        """Return a ``pandas.DataFrame`` with one row per `Row`; pandas has to be installed.

        The interval of ``eer`` is in the columns ``eer_low`` and ``eer_high``.
        """
        import pandas as pd

        return pd.DataFrame([as_record(row) for row in self.rows])

    def __str__(self) -> str:
        decided = (
            "predict decides" if self.threshold is None else f"synthetic from a score of {self.threshold:g}"
        )
        # A mark where other rows draw speakers and this one cannot.
        by_speaker = any(row.drawn == "speaker" for row in self.rows)
        names = [
            _name(row)
            + ("*" if by_speaker and row.drawn == "clip" else "")
            + ("" if row.against is None else _AGAINST[row.against])
            for row in self.rows
        ]
        width = max(map(len, names)) + 2
        *first, last = (each.title for each in MEASURES.values() if each.percent)
        titles = "".join(f"{each.title:>20}" for each in MEASURES.values())
        lines = [
            f"{', '.join(first)} and {last} in %, {100 * self.confidence:g} % intervals; {decided}",
            f"{'':{width}}{'human':>6}{'synth.':>7}{titles}",
        ]
        for name_of_row, row in zip(names, self.rows, strict=True):
            cells = "".join(f"{_cell(each, getattr(row, name)):>20}" for name, each in MEASURES.items())
            lines.append(f"{name_of_row:{width}}{row.n_human:6}{row.n_synthetic:7}{cells}")
        for against, mark in _AGAINST.items():
            if any(row.against == against for row in self.rows):
                lines.append(f"{mark.strip()} against all {against} recordings, the same in each such row")
        if any("*" in name for name in names):
            lines.append(f"* fewer than {FEWEST_SPEAKERS} speakers in a class: the intervals draw clips")
        if self.n_without_score:
            lines.append(f"{self.n_without_score} clips without a score are left out")
        for name, n_values in self.columns_left_out.items():
            lines.append(f'{name} has {n_values} values, and no rows: by=["{name}"] asks for them')
        if self.n_in_training:
            lines.append(
                f"{self.n_in_training} recordings were in the detector's training: errors are too few"
            )
        return "\n".join(lines)


def _name(row: Row) -> str:
    return "all" if row.group == "all" else f"{row.group} {row.value}"


def _cell(definition: Definition, measure: Measure) -> str:
    text = definition.written(measure.value)
    if np.isnan(measure.low):
        return text
    return f"{text} ({definition.written(measure.low)}-{definition.written(measure.high)})"
