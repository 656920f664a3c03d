"""Sequences and what is done to them: check, standardise, cut into segments, pad."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from voicelstm.sequences._statistics import FrameStatistics

__all__ = ["SegmentBatches", "Segments", "check_hop", "cut"]

_LEAST_ROWS = 4  # fewer are not faster


@dataclass(frozen=True)
class Segments:
    """Pieces of clips that together hold every frame.

    Attributes
    ----------
    clip : ndarray of shape (n_segments,)
        Position of the clip that a segment was cut from, ascending.
    start, stop : ndarray of shape (n_segments,)
        Frames of that clip.
    share : ndarray of shape (n_segments,)
        Weight of this segment in the clip's score, which sums to 1 per clip: the part of the clip's frames
        that it adds to those before, or with a hop the same for each.
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


def check_hop(segment_hop: int | None, segment_frames: int | None) -> None:
    """Refuse a hop between segments over which frames would not be heard."""
    if segment_hop is None:
        return
    if segment_frames is None:
        raise ValueError(
            f"segment_hop={segment_hop} is the way from one segment of a clip to the next, and with"
            " segment_frames=None a clip is one segment: give a number of frames, or set segment_hop=None."
        )
    if not 1 <= segment_hop <= segment_frames:
        raise ValueError(
            f"segment_hop={segment_hop} must be from 1 to segment_frames={segment_frames}: frames between two"
            " segments would not be heard."
        )


def cut(lengths: Sequence[int], segment_frames: int | None, segment_hop: int | None = None) -> Segments:
    """Cut clips into segments.

    Segments follow each other, or begin every `segment_hop` frames; the last of a clip is aligned to its end
    and may overlap the one before more than others do. Every frame is in a segment. A clip that is not longer
    than a segment is one segment.

    Parameters
    ----------
    lengths : sequence of int
        Number of frames of each clip.
    segment_frames : int or None
        Length of a segment; None takes each clip whole.
    segment_hop : int or None, default=None
        Frames from the start of a segment to that of the next, at most `segment_frames`. None is the length
        of a segment.

    Returns
    -------
    Segments
        In the order of the clips.

    Raises
    ------
    ValueError
        If `segment_hop` is less than 1 or larger than `segment_frames`, or that is None.

    Examples
    --------
    >>> from voicelstm.sequences import cut
    >>> pieces = cut([700, 90, 0], 300)
    >>> list(zip(pieces.clip.tolist(), pieces.start.tolist(), pieces.stop.tolist()))
    [(0, 0, 300), (0, 300, 600), (0, 400, 700), (1, 0, 90)]
    >>> pieces.per_clip.tolist()
    [3, 1, 0]
    >>> cut([700], 300, 150).start.tolist()
    [0, 150, 300, 400]
    """
    check_hop(segment_hop, segment_frames)
    frames = np.asarray(lengths, dtype=np.intp)
    size = frames if segment_frames is None else np.minimum(frames, segment_frames)
    step = np.maximum(size if segment_hop is None else segment_hop, 1)
    per_clip = np.where(frames > 0, -(-(frames - size) // step) + 1, 0)
    clip = np.repeat(np.arange(len(frames)), per_clip)
    index = np.arange(len(clip)) - np.repeat(np.cumsum(per_clip) - per_clip, per_clip)
    unaligned = index * np.broadcast_to(step, frames.shape)[clip]
    start = np.minimum(unaligned, frames[clip] - size[clip])
    stop = start + size[clip]
    share = (stop - unaligned) / frames[clip] if segment_hop is None else 1 / per_clip[clip]
    return Segments(clip, start, stop, share, per_clip)


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
    repeat_short : bool, default=False
        Whether a clip shorter than `segment_frames` is repeated to that length.
    segment_hop : int or None, default=None
        As :func:`cut` takes it.

    Attributes
    ----------
    segments : Segments
        Place of each segment in its clip.
    lengths : ndarray of shape (n_segments,)
        Number of frames of each segment in a batch.
    scale : ndarray of shape (n_features,) or (1,)
        Number by which standardisation multiplies each feature, after its mean is subtracted; 1 without.
    """

    def __init__(
        self,
        clips: Sequence[NDArray[Any]],
        segment_frames: int | None,
        n_rows: int,
        statistics: FrameStatistics | None,
        dtype: DTypeLike,
        frames_step: int = 16,
        repeat_short: bool = False,
        segment_hop: int | None = None,
    ) -> None:
        self.clips = clips
        self._n_frames = np.array([len(clip) for clip in clips], dtype=np.intp)
        self.segments = cut(self._n_frames.tolist(), segment_frames, segment_hop)
        self.n_rows = n_rows
        self.dtype = np.dtype(dtype)
        self.lengths = self.segments.stop - self.segments.start
        if repeat_short and segment_frames is not None:
            self.lengths = np.full(len(self.segments), segment_frames)  # clips that are longer have no others
        longest = int(self.lengths.max(initial=0))
        self._padded = np.minimum(-(-self.lengths // frames_step) * frames_step, longest)
        self._shift, self.scale = None, np.ones(1, dtype)
        if statistics is not None:
            self._shift = statistics.mean.astype(dtype)
            self.scale = (1 / statistics.deviation()).astype(dtype)

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
        self,
        positions: NDArray[np.intp],
        classes: NDArray[np.intp],
        generator: np.random.Generator,
    ) -> NDArray[np.intp]:
        """Reorder segments so that each batch has similar lengths and every class in proportion.

        Parameters
        ----------
        positions : ndarray of shape (n_positions,)
            Segments in random order.
        classes : ndarray of shape (n_positions,)
            Class of each of them.
        generator : numpy.random.Generator
            Source of the order of the batches and of equal lengths.

        Returns
        -------
        ndarray of shape (n_positions,)
            The same segments. As they came if at most a tenth of such batches is padding. Otherwise the
            segments of each class are sorted by length, each batch takes the same quantiles of every class,
            and batches come in random order. If not all can be full, the one that is not comes last.
        """
        n, n_rows = len(positions), self.n_rows
        as_they_came = [positions[first : first + n_rows] for first in range(0, n, n_rows)]
        laid_out = sum(len(batch) * int(self._padded[batch].max()) for batch in as_they_came)
        if self.lengths[positions].sum() >= 0.9 * laid_out:
            return positions
        # Were all lengths sorted at once, a class of short clips would never meet one of long clips.
        quantile = np.empty(n)
        for name in np.unique(classes):
            mine = np.flatnonzero(classes == name)
            mine = mine[np.argsort(self._padded[positions[mine]], kind="stable")]
            quantile[mine] = (np.arange(len(mine)) + generator.random(len(mine))) / len(mine)
        positions = positions[np.argsort(quantile)]
        # Which lengths the incomplete batch has is drawn, so that its smaller step is not always theirs.
        first = n_rows * int(generator.integers(len(as_they_came)))
        incomplete = slice(first, first + n % n_rows)
        full = np.delete(positions, incomplete).reshape(-1, n_rows)
        return np.concatenate([generator.permutation(full).ravel(), positions[incomplete]])

    def random_starts(self, chosen: NDArray[np.intp], generator: np.random.Generator) -> NDArray[np.intp]:
        """Draw frames at which segments of these lengths can begin in their clips, all equally likely."""
        n_frames = self._n_frames[self.segments.clip[chosen]]
        last = n_frames - self.lengths[chosen]
        last = np.where(last < 0, n_frames - 1, last)  # what is repeated may begin with any of its frames
        return generator.integers(0, last, endpoint=True)

    def take(
        self, chosen: NDArray[np.intp], starts: NDArray[np.intp] | None = None
    ) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """Lay segments into one batch, zeros behind them.

        Parameters
        ----------
        chosen : ndarray of shape (n_chosen,)
            Positions of segments, at most as many as a batch has rows.
        starts : ndarray of shape (n_chosen,), default=None
            Frames of their clips that they begin at, in place of their own.

        Returns
        -------
        batch : ndarray of shape (n_rows, n_frames, n_features)
            Rows beyond the chosen are zero and have length 0.
        lengths : ndarray of shape (n_rows,)
            Frames of each row that count.
        """
        shape = (self.n_rows, int(self._padded[chosen].max()), self.clips[0].shape[1])
        batch = np.zeros(shape, dtype=self.dtype)
        lengths = np.zeros(self.n_rows, dtype=np.int32)
        segments = self.segments
        starts = segments.start[chosen] if starts is None else starts
        for row, (segment, start) in enumerate(zip(chosen, starts, strict=True)):
            lengths[row] = self.lengths[segment]
            self._write(segment, start, batch[row, : lengths[row]])
        return batch, lengths

    def segment(self, position: int) -> NDArray[Any]:
        """Return the frames of one segment, (n_frames, n_features), as :meth:`take` has them."""
        frames = np.empty((self.lengths[position], self.clips[0].shape[1]), dtype=self.dtype)
        self._write(position, self.segments.start[position], frames)
        return frames

    def _write(self, segment: int, start: int, target: NDArray[Any]) -> None:
        """Write the frames of a segment that begins with this frame of its clip, standardised."""
        length = len(target)
        clip = self.clips[self.segments.clip[segment]]
        if start + length <= len(clip):
            target[:] = clip[start : start + length]
        else:
            target[:] = clip[np.arange(start, start + length) % len(clip)]
        if self._shift is not None:
            target -= self._shift
            target *= self.scale

    def clip_scores(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Average segment scores over clips, weighted by the share of each segment.

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
