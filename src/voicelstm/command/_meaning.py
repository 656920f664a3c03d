"""What the numbers of the table of ``voicelstm detect`` mean, in words below it."""

from typing import Any

from voicelstm.command._model import Model
from voicelstm.command._output import printable

__all__ = ["meaning_of_answers", "meaning_of_segments", "measured_at", "operating_point_of"]


def operating_point_of(detector: Any, name: str | None) -> dict[str, Any] | None:
    """Return what the detector's card says of an operating point that it has."""
    if name is None:
        return None
    point: dict[str, Any] = next(each for each in detector.card_["operating_points"] if each["name"] == name)
    return point


def meaning_of_answers(
    model: Model, point: dict[str, Any] | None, prior: float | None, *, decided_by_threshold: bool = False
) -> list[str]:
    """Say what the numbers of a table of recordings mean."""
    notes = [] if point is None else [measured_at(point)]
    if prior is not None:
        notes.append(f"The posterior is the probability of synthetic if {_in_words(prior)} is synthetic.")
    elif model.path is None:
        notes.append(
            "A probability is that of the label at even odds, as if every other recording were synthetic:"
            " --prior 0.01 says what it means if 1 in 100 is."
        )
    if decided_by_threshold:
        notes.append("The threshold decides: a label may be the less probable one at even odds.")
    return [*notes, *_where_errors_are(model)]


def meaning_of_segments(model: Model, point: dict[str, Any] | None, *, labelled: bool) -> list[str]:
    """Say what the numbers of a table of segments mean."""
    if labelled:
        notes = [] if point is None else [measured_at(point)]
    else:
        notes = [
            "Scores of segments are from before the calibration, which is one of whole recordings: they say"
            " where, not how sure, and decide nothing. Without --timeline a recording is decided as a whole."
        ]
    return [*notes, *_where_errors_are(model)]


def measured_at(point: dict[str, Any]) -> str:
    """Say what an operating point of a card is, and what was measured there."""
    human, synthetic = (
        _percent(point[rate]) for rate in ("human_called_synthetic", "synthetic_called_human")
    )
    return (
        f"{printable(point['name'])}: synthetic from a score of {point['threshold']:+.2f}. On sources and"
        f" systems that training left out, {human} of human recordings were called synthetic"
        f"{_by_channel(point)}, and {synthetic} of synthetic ones human."
    )


def _by_channel(point: dict[str, Any]) -> str:
    """Say between which channels the share of human recordings lies, if it was measured through several."""
    shares = {each["value"]: each["human_called_synthetic"] for each in point.get("of_channels", [])}
    if len(shares) < 2:
        return ""
    least, most = (chosen(shares, key=lambda name: shares[name]) for chosen in (min, max))
    return (
        f" (a mean of {len(shares)} channels, from {_percent(shares[least])}, {printable(least)}, to"
        f" {_percent(shares[most])}, {printable(most)})"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _where_errors_are(model: Model) -> list[str]:
    return [f"How often {model} errs: voicelstm info."] if model.path is None else []


def _in_words(prior: float) -> str:
    """Say a share of recordings as one in so many, or in per cent.

    >>> _in_words(0.01), _in_words(0.3)
    ('1 recording in 100', '30 % of recordings')
    """
    times = round(1 / prior)
    return (
        f"1 recording in {times}" if abs(prior * times - 1) < 1e-9 else f"{100 * prior:.3g} % of recordings"
    )
