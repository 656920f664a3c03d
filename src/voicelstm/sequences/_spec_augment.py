"""Masks in time and frequency, and random equalisation, of a batch of segments."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from voicelstm._base import DocumentationLink
from voicelstm._compat import Interval, validate_params

__all__ = ["SpecAugment"]


class SpecAugment(DocumentationLink, BaseEstimator):
    """Equalise segments at random, and mask some of their frequencies and frames.

    `LSTMVoiceClassifier(augment=SpecAugment())` applies it to the segments that training reads, anew each
    time that one is read. No band, no moment and no tint is then always there, so that a network cannot rely
    on any of them. Features should be neighbours in frequency, as the log energies of filters are
    (``MFCCTransformer(n_mfcc=None, deltas=0)``), and have a mean near 0, which is what a mask leaves.

    Read more in the :ref:`user guide <spec_augment>`.

    Parameters
    ----------
    frequency_mask : (int, int) or None, default=(1, 15)
        Smallest and largest width of a frequency mask, in features; fewer than there are. None is no mask.
    frequency_mask_probability : float, default=0.5
        Probability of a segment to have a frequency mask.
    time_mask : (int, int) or None, default=(5, 39)
        Smallest and largest length of a time mask, in frames. A mask is never longer than half of its
        segment. None is no mask.
    time_mask_probability : float, default=0.3
        Probability of a segment to have a time mask.
    equalization : float, default=0.6
        Standard deviation of what is added to the features, the same at each frame of a segment, in the units
        of `X`: of natural logarithms of energies, 0.6 is 2.6 dB. 0 is no equalisation.
    equalization_points : int, default=6
        Number of features, equally far from each other, that get a draw of that deviation of their own; those
        between are interpolated linearly. 1 adds the same to all features.

    See Also
    --------
    LSTMVoiceClassifier : Its `augment` applies it in training.
    Augmenter : Changes recordings instead, before there are features.

    Notes
    -----
    Width and position of a mask are uniform. Masked values become 0. That is the mean over the training set
    where the classifier's `standardize` is on, and the clip's where the transformer's `normalize` is "mean"
    or "zscore".

    References
    ----------
    Park, D. S., Chan, W., Zhang, Y., Chiu, C.-C., Zoph, B., Cubuk, E. D., and Le, Q. V., "SpecAugment: A
    simple data augmentation method for automatic speech recognition", Interspeech, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm import SpecAugment
    >>> augment = SpecAugment(frequency_mask=(2, 2), frequency_mask_probability=1.0, time_mask=None)
    >>> segment = np.ones((1, 3, 8))
    >>> augment.set_params(equalization=0.0)(segment, [3], np.random.default_rng(0))[0]
    array([[1., 1., 0., 0., 1., 1., 1., 1.],
           [1., 1., 0., 0., 1., 1., 1., 1.],
           [1., 1., 0., 0., 1., 1., 1., 1.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "frequency_mask": [tuple, list, np.ndarray, None],
        "frequency_mask_probability": [Interval(Real, 0, 1, closed="both")],
        "time_mask": [tuple, list, np.ndarray, None],
        "time_mask_probability": [Interval(Real, 0, 1, closed="both")],
        "equalization": [Interval(Real, 0, None, closed="left")],
        "equalization_points": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        frequency_mask: Sequence[int] | None = (1, 15),
        frequency_mask_probability: float = 0.5,
        time_mask: Sequence[int] | None = (5, 39),
        time_mask_probability: float = 0.3,
        equalization: float = 0.6,
        equalization_points: int = 6,
    ) -> None:
        self.frequency_mask = frequency_mask
        self.frequency_mask_probability = frequency_mask_probability
        self.time_mask = time_mask
        self.time_mask_probability = time_mask_probability
        self.equalization = equalization
        self.equalization_points = equalization_points

    def __call__(
        self,
        batch: NDArray[np.floating],
        lengths: ArrayLike,
        generator: np.random.Generator,
        *,
        scale: ArrayLike = 1.0,
    ) -> NDArray[np.floating]:
        """Change a batch, each segment in its own way.

        Parameters
        ----------
        batch : ndarray of shape (n_rows, n_frames, n_features)
            Padded segments.
        lengths : array-like of shape (n_rows,)
            Number of frames of each segment. Those behind become 0.
        generator : numpy.random.Generator
            Source of all draws.
        scale : float or array-like of shape (n_features,), default=1.0
            Number by which the units of the batch differ from those of `equalization`, as by
            standardisation.

        Returns
        -------
        ndarray of shape (n_rows, n_frames, n_features)
            Of the same type. `batch` itself is left alone.

        Raises
        ------
        ValueError
            If a parameter is out of range, a frequency mask could hide all features, or `batch` or `lengths`
            are not what they must be.
        """
        lengths = np.asarray(lengths)
        if batch.ndim != 3 or batch.dtype.kind != "f" or lengths.shape != batch.shape[:1]:
            raise ValueError(
                "Expected floating-point segments of shape (n_rows, n_frames, n_features) and n_rows lengths,"
                f" got {batch.dtype} of shape {batch.shape} and lengths of shape {lengths.shape}."
            )
        n_rows, n_frames, n_features = batch.shape
        self.check(n_features)
        # Drawn whether used or not, so that another parameter leaves these draws as they are.
        draws = generator.spawn(3)
        added = self._equalizers(n_rows, n_features, draws[0]) * np.asarray(scale, dtype=np.float64)
        changed = batch + added.astype(batch.dtype)[:, None, :]
        hidden = _masks(
            self.frequency_mask,
            self.frequency_mask_probability,
            n_features,
            np.full(n_rows, n_features),
            draws[1],
        )
        changed *= ~hidden[:, None, :]
        hidden = _masks(self.time_mask, self.time_mask_probability, n_frames, lengths, draws[2], most=0.5)
        changed[hidden | (np.arange(n_frames) >= lengths[:, None])] = 0
        return changed

    def check(self, n_features: int | None = None) -> None:
        """Raise ValueError if a parameter is not what it must be.

        Parameters
        ----------
        n_features : int or None, default=None
            Number of features that a frequency mask must not hide altogether.
        """
        validate_params(self)
        for name, unit in (("frequency_mask", "features"), ("time_mask", "frames")):
            pair = getattr(self, name)
            if pair is not None and not _is_range(pair):
                raise ValueError(
                    f"{name}={pair!r} of SpecAugment: expected a pair (least, most) of positive integers, in"
                    f" {unit}, or None for no mask."
                )
        for name, value in self.get_params().items():
            if isinstance(value, bool):  # which Python takes for 0 or 1
                raise ValueError(f"{name}={value} of SpecAugment: expected a number.")
        mask = self.frequency_mask
        if n_features is not None and mask is not None and mask[1] >= n_features:
            raise ValueError(
                f"frequency_mask={mask!r} of SpecAugment could hide all features, of which"
                f" there are {n_features}: give at most {n_features - 1}, or None for no mask."
            )

    def _equalizers(
        self, n_rows: int, n_features: int, generator: np.random.Generator
    ) -> NDArray[np.float64]:
        n_points = int(self.equalization_points)
        at_points = self.equalization * generator.standard_normal((n_rows, n_points))
        positions = np.linspace(0, n_points - 1, n_features)
        weights = np.maximum(1 - np.abs(np.arange(n_points)[:, None] - positions), 0)
        return at_points @ weights


def _is_range(pair: Any) -> bool:
    return (
        getattr(pair, "ndim", 1) == 1
        and len(pair) == 2
        and all(isinstance(value, Integral) and not isinstance(value, bool) for value in pair)
        and 1 <= pair[0] <= pair[1]
    )


def _masks(
    widths: Sequence[int] | None,
    probability: float,
    n_places: int,
    lengths: NDArray[np.integer],
    generator: np.random.Generator,
    most: float = 1.0,
) -> NDArray[np.bool_]:
    """Draw which places of each row are hidden: (n_rows, n_places); at most a part of each row's length."""
    n_rows = len(lengths)
    if widths is None:
        return np.zeros((n_rows, n_places), dtype=bool)
    has_one = generator.random(n_rows) < probability
    width = generator.integers(widths[0], widths[1], size=n_rows, endpoint=True)
    width = np.minimum(width, (most * lengths).astype(int)) * has_one
    first = generator.integers(0, lengths - width, endpoint=True)
    places = np.arange(n_places)
    return (places >= first[:, None]) & (places < (first + width)[:, None])
