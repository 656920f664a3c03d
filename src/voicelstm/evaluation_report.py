"""What was measured of a detector: a table of rates and costs, with intervals and numbers of clips."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from voicelstm.groups import FEWEST_SPEAKERS
from voicelstm.plain_values import json_text, json_value

__all__ = ["EvaluationReport", "Measure", "Row"]

_MEASURES = ("eer", "min_dcf", "act_dcf", "cllr", "miss", "false_alarm")
_SHARES = ("eer", "miss", "false_alarm")


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
    """

    group: str
    value: Any
    n_human: int
    n_synthetic: int
    drawn: str | None
    eer: Measure
    min_dcf: Measure
    act_dcf: Measure
    cllr: Measure
    miss: Measure
    false_alarm: Measure


@dataclass(frozen=True)
class EvaluationReport:
    """What :func:`~voicelstm.evaluate` measured; printed, it is a table.

    Attributes
    ----------
    rows : list of Row
        All clips first, then column by column and value by value.
    threshold : float or None
        From which scores were decided; None where `predict` decided.
    confidence : float
        Of the intervals.
    n_without_score : int
        Clips left out, since the detector gave NaN for them.
    """

    rows: list[Row]
    threshold: float | None
    confidence: float
    n_without_score: int

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

        records = []
        for row in self.rows:
            record = {
                name: getattr(row, name) for name in ("group", "value", "n_human", "n_synthetic", "drawn")
            }
            for name in _MEASURES:
                measure = getattr(row, name)
                record |= {name: measure.value, f"{name}_low": measure.low, f"{name}_high": measure.high}
            records.append(record)
        return pd.DataFrame(records)

    def __str__(self) -> str:
        decided = "predict decides" if self.threshold is None else f"threshold {self.threshold:g}"
        # A mark where other rows draw speakers and this one cannot.
        by_speaker = any(row.drawn == "speaker" for row in self.rows)
        names = [_name(row) + ("*" if by_speaker and row.drawn == "clip" else "") for row in self.rows]
        width = max(map(len, names)) + 2
        lines = [
            f"EER, miss and false alarm in %, {100 * self.confidence:g} % intervals; {decided}",
            f"{'':{width}}{'human':>6}{'synth.':>7}"
            + "".join(f"{name:>20}" for name in ("EER", "minDCF", "actDCF", "Cllr", "miss", "false alarm")),
        ]
        for name, row in zip(names, self.rows, strict=True):
            cells = "".join(f"{_cell(each, getattr(row, each)):>20}" for each in _MEASURES)
            lines.append(f"{name:{width}}{row.n_human:6}{row.n_synthetic:7}{cells}")
        if any(name.endswith("*") for name in names):
            lines.append(f"* fewer than {FEWEST_SPEAKERS} speakers in a class: the intervals draw clips")
        if self.n_without_score:
            lines.append(f"{self.n_without_score} clips without a score are left out")
        return "\n".join(lines)


def _name(row: Row) -> str:
    return "all" if row.group == "all" else f"{row.group} {row.value}"


def _cell(name: str, measure: Measure) -> str:
    factor, digits = (100, 1) if name in _SHARES else (1, 2)
    text = f"{factor * measure.value:.{digits}f}"
    if np.isnan(measure.low):
        return text
    return f"{text} ({factor * measure.low:.{digits}f}-{factor * measure.high:.{digits}f})"
