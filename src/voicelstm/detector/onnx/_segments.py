"""Sequences as nodes of a graph: standardised, cut into segments, scored, averaged."""

from typing import NamedTuple

import numpy as np

from voicelstm.classifier import LSTMVoiceClassifier
from voicelstm.detector.onnx._graph import Graph, Value
from voicelstm.detector.onnx._network import logits

__all__ = ["SegmentScores", "score_segments"]

# Segments that are scored together: of more the maps take much memory, of less the LSTM much time.
_AT_ONCE = 8


class SegmentScores(NamedTuple):
    """Logits of segments (n_segments, n_outputs), of the clip (n_outputs,), and the segments' frames."""

    logits: Value
    mean: Value
    starts: Value
    stops: Value


def score_segments(graph: Graph, frames: Value, classifier: LSTMVoiceClassifier) -> SegmentScores:
    """Score a clip (n_frames, n_features), at least one frame, as a fitted classifier does."""
    fitted = classifier._fitted
    n_frames = frames.size(0)
    longest, hop = classifier.segment_frames, classifier.segment_hop
    size = n_frames if longest is None else graph.minimum(n_frames, longest)
    step = size if hop is None else graph.constant(hop, np.int64)
    n_segments = (n_frames - size + step - 1) // step + 1
    unaligned = graph.arange(n_segments) * step
    starts = graph.minimum(unaligned, n_frames - size)
    stops = starts + size
    known = longest if classifier.repeat_short_clips else None
    length = size if known is None else graph.constant(known, np.int64)
    if fitted.statistics is not None:
        mean, deviation = fitted.statistics.mean, fitted.statistics.deviation()
        frames = (frames - graph.constant(mean, np.float32)) * graph.constant(1 / deviation, np.float32)

    def scored(first: Value, n_at_once: Value) -> Value:
        within = graph.minimum(first + graph.arange(n_at_once), n_segments - 1)
        places = starts.take(within).reshape(-1, 1) + graph.arange(length)
        if known is not None:
            places = places % n_frames
        return logits(
            graph,
            frames.take(places),
            known,
            fitted.architecture,
            fitted.weights,
        )

    found = graph.in_groups(n_segments, _AT_ONCE, scored, fitted.architecture.n_outputs)
    if hop is None:
        share = (stops - unaligned).cast(np.float32) / n_frames.cast(np.float32)
        mean_of_all = (share.reshape(1, -1) @ found).reshape(-1)
    else:
        mean_of_all = found.reduce("Mean", 0)
    return SegmentScores(found, mean_of_all, starts, stops)
