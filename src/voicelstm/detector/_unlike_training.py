"""Which recordings are unlike those of a detector's training, and how often it errs on such ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voicelstm.audio import N_STATISTICS, WAVEFORM, Augmenter, channel_statistics, read_audio
from voicelstm.exceptions import ModelFileError

__all__ = ["FIELD", "GROUP", "UNMARKED", "TrainingRange", "training_statistics"]

#: Field of a card that holds a training range.
FIELD = "unlike_training"
#: Group of a card's rates; the values are reasons.
GROUP = "unlike training"
#: The value of the line of all other recordings.
UNMARKED = "none of these"

_TELEPHONE, _NOISE, _WAVEFORM = "telephone band", "noise or a cut band", "overdriven or clipped"
# Of the copies that Augmenter.channels() makes.
_CHANGED = {3: _TELEPHONE, 4: _NOISE, 5: _NOISE}
# Shares of the recordings that are as those of training but of other sources, and are marked all the same.
_MARKED, _MARKED_BY_WAVEFORM = 0.035, 0.01
_N_FOLDS = 5
_RATE = 16000  # Hz, at which copies are made
# Deviations that a statistic counts for at most: of strange recordings of a training one may be a hundred.
_FARTHEST, _FARTHEST_OF_WAVEFORM = 3.0, 5.0
_DIGITS = 5


@dataclass(frozen=True)
class TrainingRange:
    """What channel statistics recordings of training have as they were recorded, and which are beyond.

    Each direction points from these recordings towards copies that were changed in one way, which is the
    reason that is given; its last number is a bound. The waveform has a distance instead.
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    directions: dict[str, NDArray[np.float64]]
    precision: NDArray[np.float64]
    farthest: float

    @classmethod
    def fit(
        cls,
        as_recorded: NDArray[np.floating],
        changed: Mapping[str, NDArray[np.floating]],
        sources: ArrayLike,
    ) -> Self:
        """Find what tells recordings from changed copies; bounds hold for sources that are left out.

        The arguments are those of :func:`training_statistics`, and the collection that each recording is from
        or the family of the system that made it. With less than five of these nothing can be left out.
        """
        # Here and below what fits is loaded, which answers have no use for.
        from sklearn.model_selection import GroupKFold

        X = np.concatenate([as_recorded, *(each.reshape(-1, N_STATISTICS) for each in changed.values())])
        n_copies = [1, *(each.shape[1] for each in changed.values())]
        y = np.repeat(np.arange(len(n_copies)), [n * len(as_recorded) for n in n_copies])
        groups = np.concatenate([np.repeat(np.asarray(sources), n) for n in n_copies])
        centre = np.median(as_recorded, axis=0)
        scale = as_recorded.std(axis=0) + 1e-3
        Z = (X - centre) / scale
        beyond, distance = np.empty(len(X)), np.empty(len(X))
        for training, test in GroupKFold(_N_FOLDS).split(Z, groups=groups):
            beyond[test] = _beyond(_directions(Z[training], y[training]), Z[test]).max(axis=1)
            own = training[y[training] == 0]
            distance[test] = _distance(_precision(Z[own]), Z[test])
        plain = y == 0
        found = _directions(Z, y)
        found[:, -1] -= np.quantile(beyond[plain], 1 - _MARKED)
        farthest = float(np.quantile(distance[plain], 1 - _MARKED_BY_WAVEFORM))
        return cls(centre, scale, dict(zip(changed, found, strict=True)), _precision(Z[plain]), farthest)

    @classmethod
    def of_card(cls, card: Any) -> Self | None:
        """Return the training range of a card, or None if it has none."""
        held = card.get(FIELD) if isinstance(card, dict) else None
        if held is None:
            return None
        n_of_waveform = WAVEFORM.stop - WAVEFORM.start
        try:
            found = cls(
                centre=_numbers(held["centre"], N_STATISTICS),
                scale=_numbers(held["scale"], N_STATISTICS),
                directions={
                    str(name): _numbers(values, N_STATISTICS + 1)
                    for name, values in held["directions"].items()
                },
                precision=_numbers(held["precision"], n_of_waveform**2).reshape(n_of_waveform, -1),
                farthest=float(_numbers([held["farthest"]], 1)[0]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ModelFileError(
                f"card_: {FIELD} is no training range ({type(error).__name__}: {error}); see the format"
                " of model files in the documentation, or leave it out."
            ) from error
        if not (found.scale > 0).all():
            raise ModelFileError(f"card_: {FIELD} has a scale that is not above 0.")
        return found

    def described(self) -> dict[str, Any]:
        """Return what a card keeps under `FIELD`, in values that JSON has."""
        return {
            "centre": _rounded(self.centre),
            "scale": _rounded(self.scale),
            "directions": {name: _rounded(values) for name, values in self.directions.items()},
            "precision": _rounded(self.precision.ravel()),
            "farthest": float(f"{self.farthest:.{_DIGITS}g}"),
        }

    def reasons(self, statistics: NDArray[np.floating]) -> list[str]:
        """Say in what a recording is unlike those of training, if it is."""
        Z = (statistics[None] - self.centre) / self.scale
        found = []
        if self.directions:
            beyond = _beyond(np.stack(list(self.directions.values())), Z)[0]
            if beyond.max() > 0:
                found.append(list(self.directions)[int(beyond.argmax())])
        if _distance(self.precision, Z)[0] > self.farthest:
            found.append(_WAVEFORM)
        return found

    def warnings(self, statistics: NDArray[np.floating], card: Mapping[str, Any]) -> tuple[str, ...]:
        """Word the reasons as warnings of an answer, with the card's error rate for them if it has one."""
        return tuple(f"{GROUP}: {reason}{_said_of(card, reason)}" for reason in self.reasons(statistics))


def training_statistics(
    recordings: Sequence[Any], *, random_state: int = 0, n_jobs: int | None = None
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Measure recordings of a training: as they are, and, for each reason, in copies, at 16 kHz.

    Shapes are (n_recordings, n_statistics) and (n_recordings, n_copies, n_statistics). Copies are three of
    those of :meth:`Augmenter.channels`: by telephone, and two with noise in a room. A thousand take half a
    minute.
    """
    from joblib import Parallel, delayed

    copies = [Augmenter.channels(random_state=random_state)[at] for at in _CHANGED]
    found = np.array(Parallel(n_jobs)(delayed(_measured)(each, copies) for each in recordings))
    reason_of_copy = np.array(list(_CHANGED.values()))
    changed = {name: found[:, 1:][:, reason_of_copy == name] for name in dict.fromkeys(_CHANGED.values())}
    return found[:, 0], changed


def _measured(recording: Any, copies: list[Augmenter]) -> list[NDArray[np.float64]]:
    samples, rate = read_audio(recording, sample_rate=_RATE)
    return [channel_statistics(each, rate) for each in (samples, *(copy(samples, rate) for copy in copies))]


def _directions(Z: NDArray[np.float64], y: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return, for each class but the first, weights and offset of its log-odds against the first."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    n_classes = int(y.max()) + 1
    # Shrunk, since statistics of neighbouring bands say nearly the same.
    fitted = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto", priors=np.full(n_classes, 1 / n_classes)
    ).fit(_clipped(Z), y)
    if n_classes == 2:
        return np.column_stack([fitted.coef_, fitted.intercept_])
    each = np.column_stack([fitted.coef_, fitted.intercept_])
    difference: NDArray[np.float64] = each[1:] - each[0]
    return difference


def _beyond(directions: NDArray[np.float64], Z: NDArray[np.float64]) -> NDArray[np.float64]:
    return _clipped(Z) @ directions[:, :-1].T + directions[:, -1]


def _clipped(Z: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(Z, -_FARTHEST, _FARTHEST)


def _precision(Z: NDArray[np.float64]) -> NDArray[np.float64]:
    from sklearn.covariance import LedoitWolf

    precision: NDArray[np.float64] = LedoitWolf(assume_centered=True).fit(_waveform(Z)).precision_
    return precision


def _distance(precision: NDArray[np.float64], Z: NDArray[np.float64]) -> NDArray[np.float64]:
    waveform = _waveform(Z)
    return np.einsum("ij,jk,ik->i", waveform, precision, waveform)


def _waveform(Z: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(Z[:, WAVEFORM], -_FARTHEST_OF_WAVEFORM, _FARTHEST_OF_WAVEFORM)


def _said_of(card: Mapping[str, Any], reason: str) -> str:
    wrong, others = _error(card, reason), _error(card, UNMARKED)
    if wrong is None:
        return ""
    compared = "" if others is None else f", of others {100 * others:.0f} %"
    return f"; of such recordings {100 * wrong:.0f} % are answered wrongly{compared}"


def _error(card: Mapping[str, Any], value: str) -> float | None:
    """Return how often such recordings are answered wrongly, both classes counting the same."""
    for rate in card.get("rates", []):
        errors = [rate.get("human_called_synthetic"), rate.get("synthetic_called_human")]
        if (rate["group"], rate["value"]) == (GROUP, value) and None not in errors:
            return float(np.mean(errors))
    return None


def _numbers(values: Any, n_values: int) -> NDArray[np.float64]:
    if len(values) != n_values or any(isinstance(each, bool | str) for each in values):
        raise ValueError(f"expected {n_values} numbers")
    found = np.array(values, dtype=np.float64)
    if found.shape != (n_values,) or not np.isfinite(found).all():
        raise ValueError(f"expected {n_values} finite numbers")
    return found


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]
