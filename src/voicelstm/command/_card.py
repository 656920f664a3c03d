"""A detector's card, as ``voicelstm info`` shows it to people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from voicelstm.command._output import printable

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["card_report"]

_SHOWN = ("channel", "adversity")  # groups of rates that people see; the others are many
_RATES = ("human_called_synthetic", "synthetic_called_human")


def card_report(card: dict[str, Any], sha256: str, *, of_the_package: bool = False) -> Iterator[Any]:
    """Yield tables and sentences: what the detector is, how often it errs, operating points and limits."""
    yield _about(card, sha256)
    groups = dict.fromkeys(rate["group"] for rate in card.get("rates", []))
    rates = [
        [rate for rate in card["rates"] if rate["group"] == group] for group in _SHOWN if group in groups
    ]
    if rates:
        unheard = (
            " of detectors trained alike, without the sources and systems asked about"
            if of_the_package
            else ""
        )
        yield f"\nErrors at a score of 0{unheard}, in per cent, in brackets 95 % intervals:"
        yield _rates(rates)
        if any(rate.get("equal_error_rate") is not None for group in rates for rate in group):
            yield "EER: both errors, at the threshold at which they are equal.\n"
    if card.get("operating_points"):
        yield "Operating points, as --operating-point of detect takes them:"
        yield _operating_points(card["operating_points"])
        if any("of_channels" in point for point in card["operating_points"]):
            yield "Of channels: the least and the most of human called synthetic, by channel.\n"
    if card.get("limits"):
        yield "Limits:"
        yield _list(card["limits"])
    others = [group for group in groups if group not in _SHOWN]
    more = [f"rates by {printable(', '.join(others))}"] if others else []
    more += ["each source with its licence"] if card.get("training") else []
    if more:
        yield f"--json has more: {'; '.join(more)}."


def _about(card: dict[str, Any], sha256: str) -> "Table":
    from rich.table import Table

    facts = {
        "name": card.get("name"),
        "date": card.get("date"),
        "sha256": sha256,
        "summary": card.get("summary"),
        "trained on": _recordings(card.get("training", []), with_sources=True),
        "adapted to": _recordings([card.get("adapted_to", {})]),
        "use": card.get("intended_use"),
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in facts.items():
        if text:
            table.add_row(name, printable(text))
    return table


def _recordings(parts: list[Any], *, with_sources: bool = False) -> str:
    """Count the recordings of both classes, and their sources; an empty text if there are none."""
    known = [each for each in parts if isinstance(each, dict)]
    human, synthetic = (sum(_count(each.get(name)) for each in known) for name in ("n_human", "n_synthetic"))
    if not human + synthetic:
        return ""
    n = len({str(each.get("source")) for each in known})
    sources = f" of {n:,} source{'s' * (n != 1)}" if with_sources else ""
    return f"{human:,} human and {synthetic:,} synthetic recordings{sources}"


def _count(value: Any) -> int:
    return value if type(value) is int else 0


def _rates(groups: list[list[dict[str, Any]]]) -> "Table":
    table = _table("", "human", "called synth.", "synth.", "called human", "EER")
    for rates in groups:
        for rate in rates:
            human, synthetic = (_with_interval(rate, name) for name in _RATES)
            equal = _percent(rate.get("equal_error_rate"))
            counts = [_text(rate.get(name)) for name in ("n_human", "n_synthetic")]
            table.add_row(printable(rate["value"]), counts[0], human, counts[1], synthetic, equal)
        table.add_section()
    return table


def _operating_points(points: list[dict[str, Any]]) -> "Table":
    table = _table("", "synthetic from", "human called synthetic", "of channels", "synthetic called human")
    for point in points:
        human, synthetic = (f"{_percent(point[name])} %" for name in _RATES)
        of_channels = [each[_RATES[0]] for each in point.get("of_channels", [])]
        ends = [_percent(end) for end in (min(of_channels), max(of_channels))] if of_channels else []
        range_of_channels = f"{'–'.join(ends)} %" if ends else ""
        row = f"{point['threshold']:+.2f}", human, range_of_channels, synthetic
        table.add_row(printable(point["name"]), *row)
    return table


def _list(texts: list[str]) -> "Table":
    from rich.table import Table

    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for text in texts:
        table.add_row(" -", printable(text))
    return table


def _table(first: str, *others: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column(first, overflow="fold")
    for title in others:
        table.add_column(title, justify="right")
    return table


def _with_interval(rate: dict[str, Any], name: str) -> str:
    """Write a share and where it lies, as far as they are known."""
    ends = rate.get(f"{name}_interval")
    share = _percent(rate.get(name))
    if not share or not isinstance(ends, list) or len(ends) != 2:
        return share
    low, high = map(_percent, ends)
    return f"{share} ({low}–{high})"


def _percent(share: Any) -> str:
    """Write a share as per cent with one decimal where that says something.

    >>> _percent(0.244), _percent(0.01), _percent(0.0004), _percent(None)
    ('24', '1.0', '0.0', '')
    """
    if isinstance(share, bool) or not isinstance(share, int | float):
        return ""
    return f"{100 * share:.1f}" if 100 * share < 9.95 else f"{100 * share:.0f}"


def _text(value: Any) -> str:
    return "" if value is None else str(value)
