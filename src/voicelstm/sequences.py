"""Sequences and what is done to them: check, standardise, cut into segments, pad."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from voicelstm.base_checks import check_not_empty
from voicelstm.clip import Clip

__all__ = [
    "Clip",
    "FrameStatistics",
    "SegmentBatches",
    "Segments",
    "check_ragged",
    "cut",
    "is_ragged",
    "stack",
]

_LEAST_ROWS = 4  # fewer are not faster


def stack(clips: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Join clips into one batch.

    Parameters
    ----------
    clips : sequence of ndarray of shape (n_frames, n_features)
        One array per clip.

    Returns
    -------
    ndarray of shape (n_clips, n_frames, n_features), or (n_clips,) of 2-D arrays
        3-D where all clips have the same number of frames.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.sequences import stack
    >>> stack([np.zeros((5, 2)), np.zeros((5, 2))]).shape
    (2, 5, 2)
    >>> stack([np.zeros((5, 2)), np.zeros((4, 2))]).shape
    (2,)
    """
    if len({clip.shape for clip in clips}) == 1:
        return np.stack(clips)
    ragged = np.empty(len(clips), dtype=object)
    ragged[:] = clips
    return ragged


def is_ragged(X: Any) -> bool:
    """Tell whether X is a list, a 1-D object array or a pandas Series of sequences of any length.

    Parameters
    ----------
    X : object
        A batch of sequences.

    Returns
    -------
    bool
        False where X is, or is meant to become, one numeric array.
    """
    if isinstance(X, list | tuple):
        if any(isinstance(clip, np.ndarray) for clip in X):
            return True
        try:
            np.asarray(X)
        except ValueError:  # nested lists of unequal lengths
            return True
        return False
    if getattr(X, "ndim", None) != 1 or X.dtype != object:
        return False
    return any(isinstance(clip, np.ndarray | list) for clip in X)


def check_ragged(X: Iterable[Any], dtype: DTypeLike) -> list[NDArray[Any]]:
    """Check clips of different lengths.

    Parameters
    ----------
    X : iterable of array of shape (n_frames, n_features) or (n_frames,)
        The clips; a 1-D array is a sequence of one feature. Clips may be empty.
    dtype : dtype
        Type that clips get which are no arrays of integers or floats.

    Returns
    -------
    list of ndarray of shape (n_frames, n_features)
        One array per clip. Arrays stay as they are, in memory or mapped.

    Raises
    ------
    ValueError
        Where clips differ in features, have other dimensions, or hold NaN or infinity; it names positions.
    """
    clips = []
    for position, clip in enumerate(X):
        frames = check_clip(clip, position, dtype)
        clips.append(frames if frames.dtype.kind != "b" else frames.astype(dtype))
    check_not_empty(clips, "clips")
    widths = [clip.shape[1] for clip in clips]
    others = [position for position, width in enumerate(widths) if width != widths[0]]
    if others:
        raise ValueError(
            f"X[0] has {widths[0]} features per frame, but X[{others[0]}] has {widths[others[0]]}"
            f" ({len(others)} clips differ): all clips need the same."
        )
    bad = [position for position, clip in enumerate(clips) if not np.isfinite(clip).all()]
    if bad:
        raise ValueError(f"Input X contains NaN or infinity in clips {_some(bad)}.")
    return clips


def check_clip(clip: Any, position: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return the frames of one clip as a 2-D array of numbers; an array of them stays as it is."""
    try:
        frames = np.asarray(clip)
        if frames.dtype.kind in "cSUmM":
            raise TypeError(f"its values are {frames.dtype}")
        if frames.dtype.kind not in "biuf":
            frames = frames.astype(dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X[{position}] is not a numeric array ({error}).") from None
    if frames.ndim == 1:
        frames = frames[:, None]
    if frames.ndim != 2:
        raise ValueError(f"X[{position}] has shape {frames.shape}; expected (n_frames, n_features).")
    return frames


def _some(positions: Sequence[int], limit: int = 10) -> str:
    text = ", ".join(map(str, positions[:limit]))
    return text if len(positions) <= limit else f"{text} and {len(positions) - limit} more"


@dataclass(frozen=True)
class FrameStatistics:
    """Mean and variance of frames, which further clips may be added to.

    Attributes
    ----------
    total : float
        Sum of the frames' weights.
    mean : ndarray of shape (n_features,)
        Weighted mean.
    spread : ndarray of shape (n_features,)
        Weighted sum of squared differences from the mean.
    """

    total: float
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def nothing_yet(cls, n_features: int) -> Self:
        """Return the statistics of no frames at all."""
        return cls(0.0, np.zeros(n_features), np.zeros(n_features))

    def updated(self, clips: Iterable[NDArray[Any]], weights: Iterable[float]) -> Self:
        """Add clips, each frame with its clip's weight (T. F. Chan et al., 1979, equation 1.5).

        Parameters
        ----------
        clips : iterable of ndarray of shape (n_frames, n_features)
            The clips.
        weights : iterable of float
            One per clip.

        Returns
        -------
        FrameStatistics
            New statistics; these stay as they are.

        Examples
        --------
        >>> import numpy as np
        >>> from voicelstm.sequences import FrameStatistics
        >>> statistics = FrameStatistics.nothing_yet(1).updated([np.array([[1.0], [3.0]])], [1.0])
        >>> statistics.mean.tolist(), statistics.deviation().tolist()
        ([2.0], [1.0])
        """
        total, mean, spread = self.total, self.mean, self.spread
        for clip, weight in zip(clips, weights, strict=True):
            if not len(clip) or weight <= 0:
                continue
            clip_mean = clip.mean(axis=0, dtype=np.float64)
            centred = clip - clip_mean
            added = weight * len(clip)
            shift = clip_mean - mean
            mean = mean + shift * (added / (total + added))
            spread = (
                spread
                + weight * np.einsum("ij,ij->j", centred, centred)
                + shift**2 * (total * added / (total + added))
            )
            total += added
        return type(self)(total, mean, spread)

    def deviation(self) -> NDArray[np.float64]:
        """Return the standard deviation of each feature, 1 where a feature is constant."""
        variance = self.spread / max(self.total, np.finfo(np.float64).tiny)
        # Rounding leaves a constant column a spread of the order of its square times eps.
        constant = variance <= 1e-12 * self.mean**2
        return np.sqrt(np.where(constant, 1.0, variance))


@dataclass(frozen=True)
class Segments:
    """Pieces that tile clips.

    Attributes
    ----------
    clip : ndarray of shape (n_segments,)
        Position of the clip that a segment was cut from, ascending.
    start, stop : ndarray of shape (n_segments,)
        Frames of that clip.
    share : ndarray of shape (n_segments,)
        Part of the clip's frames that this segment adds to those before; sums to 1 per clip.
    per_clip : ndarray of shape (n_clips,)
        Number of segments of each clip, 0 where the clip is empty.
    """

    clip: NDArray[np.intp]
    start: NDArray[np.intp]
    stop: NDArray[np.intp]
    share: NDArray[np.float64]
    per_clip: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.clip)


def cut(lengths: Sequence[int], segment_frames: int | None) -> Segments:
    """Tile clips with segments.

    Segments follow each other; the last of a clip is aligned to its end and may overlap the one before. A
    clip shorter than a segment is one segment.

    Parameters
    ----------
    lengths : sequence of int
        Number of frames of each clip.
    segment_frames : int or None
        Length of a segment; None takes each clip whole.

    Returns
    -------
    Segments
        In the order of the clips.

    Examples
    --------
    >>> from voicelstm.sequences import cut
    >>> pieces = cut([700, 90, 0], 300)
    >>> list(zip(pieces.clip.tolist(), pieces.start.tolist(), pieces.stop.tolist()))
    [(0, 0, 300), (0, 300, 600), (0, 400, 700), (1, 0, 90)]
    >>> pieces.per_clip.tolist()
    [3, 1, 0]
    """
    frames = np.asarray(lengths, dtype=np.intp)
    size = frames if segment_frames is None else np.minimum(frames, segment_frames)
    per_clip = -(-frames // np.maximum(size, 1))
    clip = np.repeat(np.arange(len(frames)), per_clip)
    index = np.arange(len(clip)) - np.repeat(np.cumsum(per_clip) - per_clip, per_clip)
    tile = index * size[clip]
    start = np.minimum(tile, frames[clip] - size[clip])
    stop = start + size[clip]
    return Segments(clip, start, stop, (stop - tile) / frames[clip], per_clip)


class SegmentBatches:
    """Segments of clips, standardised and padded a batch at a time.

    Parameters
    ----------
    clips : sequence of ndarray of shape (n_frames, n_features)
        The clips.
    segment_frames : int or None
        As :func:`cut` takes it.
    n_rows : int
        Rows of a batch.
    statistics : FrameStatistics or None
        What frames are standardised by; None leaves them.
    dtype : dtype
        Type of the batches.
    frames_step : int, default=16
        Batches have a multiple of this many frames, or those of the longest segment, so that few shapes
        occur.
    """

    def __init__(
        self,
        clips: Sequence[NDArray[Any]],
        segment_frames: int | None,
        n_rows: int,
        statistics: FrameStatistics | None,
        dtype: DTypeLike,
        frames_step: int = 16,
    ) -> None:
        self.clips = clips
        self.segments = cut([len(clip) for clip in clips], segment_frames)
        self.n_rows = n_rows
        self.dtype = np.dtype(dtype)
        self.lengths = self.segments.stop - self.segments.start
        longest = int(self.lengths.max(initial=0))
        self._padded = np.minimum(-(-self.lengths // frames_step) * frames_step, longest)
        self._shift, self._scale = None, None
        if statistics is not None:
            self._shift = statistics.mean.astype(dtype)
            self._scale = (1 / statistics.deviation()).astype(dtype)

    def shrink(self) -> None:
        """Give batches no more rows than there are segments, rounded up so that few shapes occur."""
        needed = 1 << (len(self.segments) - 1).bit_length()
        self.n_rows = min(self.n_rows, max(_LEAST_ROWS, needed))

    def by_length(self) -> Iterator[NDArray[np.intp]]:
        """Yield the positions of each batch's segments, similar lengths together."""
        order = np.argsort(self.lengths, kind="stable")
        for first in range(0, len(order), self.n_rows):
            yield order[first : first + self.n_rows]

    def bucket_by_length(
        self, positions: NDArray[np.intp], generator: np.random.Generator
    ) -> NDArray[np.intp]:
        """Reorder segments so that each batch has similar lengths, where much would be padding otherwise.

        Parameters
        ----------
        positions : ndarray of shape (n_positions,)
            Segments in random order.
        generator : numpy.random.Generator
            Of the order of the batches.

        Returns
        -------
        ndarray of shape (n_positions,)
            The same segments. As they came where batches of them are padding to a tenth or less; else the
            longest with the longest, those of a length in the order in which they came, and batches in
            random order. One of them, of any length, comes last where not all can be full.
        """
        n, n_rows = len(positions), self.n_rows
        as_they_came = [positions[first : first + n_rows] for first in range(0, n, n_rows)]
        laid_out = sum(len(batch) * int(self._padded[batch].max()) for batch in as_they_came)
        if self.lengths[positions].sum() >= 0.9 * laid_out:
            return positions
        positions = positions[np.argsort(self._padded[positions], kind="stable")]
        # Always the same clips would weigh more than others, were the incomplete batch always the shortest.
        first = n_rows * int(generator.integers(len(as_they_came)))
        incomplete = slice(first, first + n % n_rows)
        full = np.delete(positions, incomplete).reshape(-1, n_rows)
        return np.concatenate([generator.permutation(full).ravel(), positions[incomplete]])

    def take(self, chosen: NDArray[np.intp]) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """Lay segments into one batch, zeros behind them.

        Parameters
        ----------
        chosen : ndarray of shape (n_chosen,)
            Positions of segments, at most as many as a batch has rows.

        Returns
        -------
        batch : ndarray of shape (n_rows, n_frames, n_features)
            Rows beyond the chosen are zero and have length 1.
        lengths : ndarray of shape (n_rows,)
            Frames of each row that count.
        """
        shape = (self.n_rows, int(self._padded[chosen].max()), self.clips[0].shape[1])
        batch = np.zeros(shape, dtype=self.dtype)
        lengths = np.ones(self.n_rows, dtype=np.int32)
        segments = self.segments
        for row, segment in enumerate(chosen):
            start, stop = segments.start[segment], segments.stop[segment]
            target = batch[row, : stop - start]
            target[:] = self.clips[segments.clip[segment]][start:stop]
            if self._shift is not None:
                target -= self._shift
                target *= self._scale
            lengths[row] = stop - start
        return batch, lengths

    def clip_scores(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Average segment scores over clips, weighted by the frames that each segment adds.

        Parameters
        ----------
        scores : ndarray of shape (n_segments, n_outputs)
            One row per segment.

        Returns
        -------
        ndarray of shape (n_clips, n_outputs)
            NaN for empty clips.
        """
        sums = np.zeros((len(self.clips), scores.shape[1]))
        np.add.at(sums, self.segments.clip, scores * self.segments.share[:, None])
        sums[self.segments.per_clip == 0] = np.nan
        return sums
