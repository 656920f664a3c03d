"""Samples in, features out, as nodes of a graph: the front end's chain from end to end."""

from dataclasses import dataclass

import numpy as np

from voicelstm.audio import VOICE_DETECTOR_SIZES as SIZES
from voicelstm.detector.onnx._cepstra import cepstra, frame_count
from voicelstm.detector.onnx._deltas import append_deltas, normalized
from voicelstm.detector.onnx._graph import Graph, Value
from voicelstm.detector.onnx._level import active_samples, at_level, at_level_of, peak_of
from voicelstm.detector.onnx._speech_activity import speech_frames, speech_level
from voicelstm.features import LEAST_SPEECH, ExtractionSettings, check_extraction, frame_sizes

__all__ = ["Extracted", "check_exportable", "extract"]


@dataclass(frozen=True)
class Extracted:
    """Features of a recording (n_frames, n_features), one frame at least, and where they lie in it."""

    features: Value
    starts: Value  # (n_frames,), s
    frame_length: float  # s
    duration: Value  # s
    speech: Value | None  # s; None if it is not looked for
    is_heard: Value  # whether there is something to judge

    def spans(self, graph: Graph, first: Value, behind: Value) -> Value:
        """Return when ranges of frames begin and end (n_ranges, 2), in s of the recording."""
        begins = self.starts.take(first)
        ends = graph.minimum(self.starts.take(behind - 1) + self.frame_length, self.duration)
        return graph.concatenate([begins.reshape(-1, 1), ends.reshape(-1, 1)], 1)


def check_exportable(settings: ExtractionSettings) -> None:
    """Raise ValueError if a graph cannot do what is asked for; the text names the parameter."""
    check_extraction(settings)
    only = [
        ("backend", settings.backend, settings.backend == "native", '"native"'),
        ("amplitude", "scipy", not settings.as_scipy, "a number, since samples come from no file"),
        ("channel", settings.channel, settings.channel != "interleaved", "one that is a channel"),
        ("sample_rate", None, settings.sample_rate is not None, "a number, which the samples then have"),
        (
            "sample_rate",
            settings.sample_rate,
            not settings.speech_only or settings.sample_rate == SIZES.rate,
            f"{SIZES.rate}, at which speech is looked for",
        ),
    ]
    for name, value, is_possible, expected in only:
        if not is_possible:
            raise ValueError(
                f"export_onnx found {name}={value!r} of MFCCTransformer; a graph needs {expected}."
            )


def extract(graph: Graph, samples: Value, settings: ExtractionSettings) -> Extracted:
    """Turn samples (n_samples,) of the settings' rate into features."""
    own, rate = settings.cepstra, int(settings.sample_rate or 0)
    length, step = frame_sizes(rate, own.frame_length, own.frame_step)
    n_samples = samples.size(0)
    too_few = graph.maximum(length - n_samples, 0)
    samples = graph.op("Pad", samples, graph.numbers([0, too_few]), graph.constant(0, np.float32))
    peak = peak_of(graph, samples)
    is_heard = (peak > 0) & (n_samples >= length)
    start, speech, spoken = None, None, None
    if rate == SIZES.rate:  # also if all frames are kept: where nobody speaks there is nothing to judge
        starts = graph.arange(frame_count(graph, n_samples, length, step)) * step
        spoken = graph.op("NonZero", speech_frames(graph, samples, peak, starts, length)).reshape(-1)
        speech = spoken.size(0).cast(np.float64) * (step / rate)
        is_heard = is_heard & (speech >= LEAST_SPEECH)
    if settings.speech_only and spoken is not None:
        # A frame that nobody hears of, if there is none to judge.
        nothing = graph.constant([0], np.int64)
        positions = graph.concatenate([spoken, nothing], 0).slice(0, 0, graph.maximum(spoken.size(0), 1))
        loudness = speech_level(graph, samples, positions * step, length)
        samples = samples.cast(own.dtype)
        if settings.level is not None:
            samples = at_level_of(graph, samples, loudness, settings.level)
    else:
        samples = samples.cast(own.dtype)
        if settings.trim_silence is not None:
            start, samples = active_samples(
                graph, samples, peak.cast(own.dtype), settings.trim_silence, length
            )
        positions = graph.arange(frame_count(graph, samples.size(0), length, step))
        if settings.level is not None:
            samples = at_level(graph, samples, peak.cast(own.dtype), settings.level)
    if settings.max_frames is not None:
        # The last deltas that are kept look two frames ahead per order.
        positions = positions.slice(0, 0, settings.max_frames + 2 * settings.deltas)
    features = append_deltas(graph, cepstra(graph, samples, rate, own, positions), settings.deltas)
    if settings.max_frames is not None:
        features = features.slice(0, 0, settings.max_frames)
    begins = positions.cast(np.float64) * (step / rate)
    return Extracted(
        normalized(graph, features, settings.normalize),
        begins if start is None else begins + start.cast(np.float64) / rate,
        length / rate,
        n_samples.cast(np.float64) / rate,
        speech,
        is_heard,
    )
