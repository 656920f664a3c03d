"""A fitted network, and the scores that it gives to segments."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicelstm.network import Architecture, InferenceNetwork, Weights, runs_in_numpy
from voicelstm.sequences import FrameStatistics, SegmentBatches, check_hop

__all__ = ["FittedNetwork", "check_segments"]


def check_segments(classifier: Any) -> None:
    """Refuse parameters of segments that contradict each other."""
    check_hop(classifier.segment_hop, classifier.segment_frames)
    if classifier.repeat_short_clips and classifier.segment_frames is None:
        raise ValueError(
            "repeat_short_clips=True repeats clips up to segment_frames, which is None: give a number of"
            " frames, or set repeat_short_clips=False."
        )


@dataclass(frozen=True)
class FittedNetwork:
    """All that scores depend on, and the weight of each class in training."""

    architecture: Architecture
    weights: Weights
    statistics: FrameStatistics | None  # of the frames; None leaves them as they are
    class_totals: NDArray[np.float64]

    def batches(
        self, clips: Sequence[NDArray[Any]], classifier: Any, segment_hop: int | None = None
    ) -> SegmentBatches:
        """Cut clips into batches as Keras reads them, and as the classifier's parameters say."""
        from voicelstm.network import frames_step

        return self._cut(clips, classifier, segment_hop, frames_step())

    def _cut(
        self, clips: Sequence[NDArray[Any]], classifier: Any, segment_hop: int | None, frames_step: int
    ) -> SegmentBatches:
        check_segments(classifier)
        return SegmentBatches(
            clips,
            classifier.segment_frames,
            classifier.batch_size,
            self.statistics,
            self.architecture.weight_dtype,
            frames_step,
            repeat_short=classifier.repeat_short_clips,
            segment_hop=segment_hop,
        )

    def segment_logits(
        self, clips: Sequence[NDArray[Any]], classifier: Any
    ) -> tuple[SegmentBatches, NDArray[np.floating]]:
        """Score the segments of clips, in NumPy or Keras as the classifier's parameters say."""
        batches = self._cut(clips, classifier, classifier.segment_hop, frames_step=1)
        if runs_in_numpy(classifier.inference, self.architecture, batches.lengths, classifier.distribution):
            logits = self._in_numpy.logits(batches)
        else:
            batches = self.batches(clips, classifier, classifier.segment_hop)
            logits = self._logits_of_keras(batches, classifier)
        if np.isnan(logits).any():
            raise ValueError(
                "The network's scores are NaN: its weights, or the values of X, are so large that its"
                " arithmetic overflows."
            )
        return batches, logits

    @cached_property
    def _in_numpy(self) -> InferenceNetwork:
        return InferenceNetwork(self.architecture, self.weights)

    def _logits_of_keras(self, batches: SegmentBatches, classifier: Any) -> NDArray[np.floating]:
        """Score segments in batches, and on devices, as the classifier's parameters say."""
        from voicelstm.network import Compilation, acquire_network

        if classifier.distribution is None:
            batches.shrink()
        compilation = Compilation.of(classifier).for_rows(batches.n_rows)
        if callable(compilation.optimizer):
            compilation = replace(compilation, optimizer="adam")  # which prediction does not use
        if compilation.devices.span_processes:
            compilation = replace(compilation, distribution=None)  # the others may not be predicting
        with acquire_network(self.architecture, compilation) as network:
            network.set_weights(self.weights)
            logits: NDArray[np.floating] = network.logits(batches)
        return logits

    def __getstate__(self) -> dict[str, Any]:
        """Leave out of copies and pickles what is made of the weights."""
        return {name: value for name, value in vars(self).items() if name != "_in_numpy"}
