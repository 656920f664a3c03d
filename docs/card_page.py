"""Tables of the packaged detector's card, from the file that is in the package; conf.py has them written."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["write_tables"]

_TITLES = {
    "channel": "By channel",
    "origin": "By where human speech is from",
    "process": "Human speech that products have processed",
    "adversity": "If somebody wants to deceive it",
    "language": "By language",
    "style": "By style of speech",
    "coding": "By what the recording went through before",
    "source": "By source of human speech",
    "family": "By family of systems",
    "unlike training": "By what is unlike the training",
}


_FEW = 20  # clips under one licence; those of fewer share a row


def write_tables(card: dict[str, Any], sha256: str, path: Path) -> None:
    """Write a card as reST, to be included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_lines(card, sha256)) + "\n", encoding="utf-8")


def _lines(card: dict[str, Any], sha256: str) -> Iterable[str]:
    yield f"*{card['name']}*, {card['date']}. {card['summary']} Its file has the SHA-256 ``{sha256}``."
    yield from ("", "What it is for", "^" * 14, "", card["intended_use"])
    yield from ("", "What it cannot do", "^" * 17, "")
    yield from (f"- {limit}" for limit in card["limits"])
    yield from ("", "Operating points", "^" * 16, "")
    yield from _table(
        ["name", "threshold", "chosen for", "human called synthetic", "synthetic called human"],
        (
            (
                point["name"].replace(" ", "\N{NO-BREAK SPACE}"),
                f"{point['threshold']:+.2f}",
                _per_cent(point["chosen_for"]),
                _per_cent(point["human_called_synthetic"]),
                _per_cent(point["synthetic_called_human"]),
            )
            for point in card["operating_points"]
        ),
    )
    yield from ("", "Human called synthetic at them, by channel:", "")
    of_channels = [
        [each["human_called_synthetic"] for each in point["of_channels"]]
        for point in card["operating_points"]
    ]
    channels = [each["value"] for each in card["operating_points"][0]["of_channels"]]
    yield from _table(
        ["channel", *(point["name"] for point in card["operating_points"])],
        ((name, *map(_per_cent, shares)) for name, *shares in zip(channels, *of_channels, strict=True)),
    )
    known = card["calibration"]
    yield from ("", "Calibration", "^" * 11, "")
    yield (
        f"Cllr of recordings as they are: {known['cllr']:.2f}, each fold calibrated on the others. The best"
        f" order-preserving map of these scores has {known['min_cllr']:.2f}, and a detector that knows"
        f" nothing has 1. Scores lie between {known['lowest_score']:+.2f} and {known['highest_score']:+.2f}."
        " What they say, and the log-likelihood ratio that was measured, of sources and families that count"
        " the same:"
    )
    yield ""
    yield from _table(
        ["scores", "human clips", "synthetic clips", "their mean", "measured"],
        (
            (
                _range(row),
                str(row["n_human"]),
                str(row["n_synthetic"]),
                _signed(row, "mean"),
                _signed(row, "measured"),
            )
            for row in known["reliability"]
        ),
    )
    groups = defaultdict(list)
    for rate in card["rates"]:
        groups[rate["group"]].append(rate)
    for name, title in _TITLES.items():
        if groups[name]:
            yield from ("", title, "^" * len(title), "", *_rates(name, groups[name]))
    yield from ("", "What it was trained on", "^" * 22, "", *_training(card["training"]))


def _rates(group: str, rates: list[dict[str, Any]]) -> Iterable[str]:
    kinds = [
        (f"n_{kind}", wrong, title)
        for kind, wrong, title in (
            ("human", "human_called_synthetic", "human called synthetic"),
            ("synthetic", "synthetic_called_human", "synthetic called human"),
        )
        if any(wrong in rate for rate in rates)
    ]
    has_eer = any(rate.get("equal_error_rate") is not None for rate in rates)
    titles = [group]
    for _, _, title in kinds:
        kind, called = title.split(maxsplit=1)
        titles += [f"{kind} clips", called]
    rows = []
    for rate in sorted(rates, key=lambda each: _order(group, each)):
        row = [rate["value"]]
        for count, wrong, _ in kinds:
            row += [str(rate[count]), _with_interval(rate, wrong)]
        rows.append([*row, _per_cent(rate.get("equal_error_rate"))] if has_eer else row)
    yield from _table([*titles, "EER"] if has_eer else titles, rows)


def _range(row: dict[str, Any]) -> str:
    low, high = row["from"], row["to"]
    if low is None:
        return f"below {high:+.1f}"
    return f"{low:+.1f} to {high:+.1f}" if high is not None else f"from {low:+.1f}"


def _signed(row: dict[str, Any], name: str) -> str:
    return f"{row[name]:+.2f}" if name in row else ""


def _order(group: str, rate: dict[str, Any]) -> Any:
    """Largest groups first; channels in the order of the card, and last what is not marked."""
    return (
        0
        if group in ("channel", "process", "adversity", "unlike training")
        else -(rate["n_human"] + rate["n_synthetic"])
    )


def _training(training: list[dict[str, Any]]) -> Iterable[str]:
    of_licence: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in training:
        for place, count in enumerate((1, each["n_human"], each["n_synthetic"])):
            of_licence[each["licence"]][place] += count
    ordered = sorted(of_licence.items(), key=lambda item: -sum(item[1][1:]))
    rows = [[name, *map(str, counts)] for name, counts in ordered if sum(counts[1:]) >= _FEW]
    others = [counts for _, counts in ordered if sum(counts[1:]) < _FEW]
    if others:
        rows.append([f"{len(others)} others, see below", *map(str, map(sum, zip(*others, strict=True)))])
    yield from _table(["licence", "sources", "human clips", "synthetic clips"], rows)


def _with_interval(rate: dict[str, Any], name: str) -> str:
    interval = rate.get(f"{name}_interval")
    text = _per_cent(rate.get(name))
    if not interval or not text:
        return text
    low, high = (f"{100 * end:.0f}" for end in interval)
    # A line may break after a dash, unless the two are joined.
    return f"{text} ({low}–\N{WORD JOINER}{high})".replace(" ", "\N{NO-BREAK SPACE}")


def _per_cent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def _table(titles: list[str], rows: Iterable[Iterable[str]]) -> Iterable[str]:
    yield from (".. list-table::", "   :header-rows: 1", "")
    for row in (titles, *rows):
        yield from (f"   {'* -' if not place else '  -'} {cell}" for place, cell in enumerate(row))
