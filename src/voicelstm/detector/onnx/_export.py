"""Write a fitted detector as a graph for ONNX runtimes."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from voicelstm._base import write_whole
from voicelstm.detector.onnx._dynamics import dynamics_of
from voicelstm.detector.onnx._extraction import check_exportable, extract
from voicelstm.detector.onnx._graph import Graph, Value
from voicelstm.detector.onnx._metadata import metadata_of
from voicelstm.detector.onnx._parts import Parts
from voicelstm.detector.onnx._segments import score_segments

__all__ = ["export_onnx"]


def export_onnx(
    detector: Any, path: str | os.PathLike[str], *, features: bool = False, human_label: Any = None
) -> None:
    """Write a fitted detector as one graph for ONNX runtimes, from samples to score.

    ONNX Runtime, its versions for browsers and phones, or another runtime of ONNX asks it, without this
    library. No training framework is needed here either, but the package onnx, which the extra
    ``voicelstm[onnx]`` installs.

    Read more in the :ref:`user guide <deploy>`.

    Parameters
    ----------
    detector : Pipeline
        A fitted Pipeline of `MFCCTransformer` and `LSTMVoiceClassifier`, perhaps with `CepstralDynamics`
        between them, or a wrapper around one: a threshold, a calibration by "sigmoid", a fitted search or a
        frozen estimator. With `features` also an `LSTMVoiceClassifier` alone.
    path : str or os.PathLike
        Path of the file, which by custom ends in ``.onnx``. An existing file is replaced only when the new
        one is complete.
    features : bool, default=False
        Whether the graph reads the features of a clip, as the classifier takes them, in place of samples.
    human_label : label, default=None
        Human class. If None, the detector says, or it is recognised by its spelling ("human", "bonafide",
        "real", ...); of 0 and 1 it must be given. With more than two classes it is not looked at.

    Raises
    ------
    ImportError
        If the package onnx is missing.
    TypeError
        If the detector has other steps, or holds several Pipelines; the text says which.
    ValueError
        If it is not known which of two classes is the human one, or a parameter of `MFCCTransformer` asks for
        what a graph cannot do: another `backend`, ``amplitude="scipy"``, ``channel="interleaved"``, no
        `sample_rate`, or one that is not 16 kHz together with `speech_only`.
    sklearn.exceptions.NotFittedError
        If the detector is not fitted.
    OSError
        If the file cannot be written.

    See Also
    --------
    detect : Asks a detector about recordings, with this library.
    save : Writes a detector so that this library can read it.

    Notes
    -----
    The input ``samples`` is float32 of shape (n_samples,), one channel within ±1 at the transformer's
    `sample_rate`. The outputs are ``score``, the log-odds of synthetic that :func:`detect` gives;
    ``segment_scores``, (n_segments,), and ``segment_spans``, (n_segments, 2) in s, as of
    :func:`score_timeline`; and, at 16 kHz, ``speech`` in s. If there is nothing to judge, since all samples
    are 0, there is less than a frame of them, or less than 0.15 s of speech, the score is NaN and there are
    no segments. At other rates speech is not looked for, so that whatever else sounds is scored. Scores equal
    the library's to 1e-3; networks of double precision compute in single. Only standard operators of opset 18
    are used.

    With `features`, the input ``features`` is float32 of shape (n_frames, n_features), of one frame at least,
    and in place of ``segment_spans`` there is ``segment_frames``, (n_segments, 2): the first frame of a
    segment and the one behind its last.

    The file's metadata are what :ref:`the guide <onnx_graph>` lists: version, classes, direction of the
    scores, thresholds, card, licences.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm import export_onnx, load_pretrained
    >>> with TemporaryDirectory() as folder:
    ...     export_onnx(load_pretrained(), Path(folder, "detector.onnx"))
    ...     Path(folder, "detector.onnx").stat().st_size < 2_000_000
    True
    """
    _check_onnx()
    parts = Parts.of(detector, human_label)
    metadata = metadata_of(detector, parts, of_samples=not features)
    model = _of_features(parts, metadata) if features else _of_samples(parts, metadata)
    write_whole(Path(path), model.SerializeToString())


def _check_onnx() -> None:
    try:
        import onnx  # noqa: F401  # to see whether it can be
    except ImportError as error:
        raise ImportError('export_onnx needs the package onnx: pip install "voicelstm[onnx]".') from error


def _of_features(parts: Parts, metadata: dict[str, str]) -> Any:
    """Return the graph that reads what the classifier reads."""
    graph = Graph()
    n_features = parts.classifier._fitted.architecture.n_features
    scores = score_segments(
        graph, graph.input("features", np.float32, ["n_frames", n_features]), parts.classifier
    )
    spans = graph.op("Concat", scores.starts.reshape(-1, 1), scores.stops.reshape(-1, 1), axis=1)
    score, segments = _directed(graph, parts, scores.mean, scores.logits)
    n_classes = [len(parts.classes)] if len(parts.classes) > 2 else []
    return graph.model(
        [
            ("score", score, n_classes),
            ("segment_scores", segments, ["n_segments", *n_classes]),
            ("segment_frames", spans, ["n_segments", 2]),
        ],
        metadata,
    )


def _of_samples(parts: Parts, metadata: dict[str, str]) -> Any:
    """Return the graph that reads samples."""
    if parts.transformer is None:
        raise TypeError(
            "export_onnx found no MFCCTransformer, which a graph that reads samples begins with:"
            " export a detector of recordings, or set features=True."
        )
    settings = parts.transformer._settings(None)
    check_exportable(settings)
    graph = Graph()
    samples = graph.input("samples", np.float32, ["n_samples"])
    extracted = extract(graph, samples, settings)
    frames, starts, stops = extracted.features.cast(np.float32), None, None
    if parts.dynamics is not None:
        frames, starts, stops = dynamics_of(graph, extracted.features, parts.dynamics)
    scores = score_segments(graph, frames, parts.classifier)
    first, behind = scores.starts, scores.stops
    if starts is not None and stops is not None:
        first, behind = starts.take(first), stops.take(behind - 1)
    score, of_segments = _directed(graph, parts, scores.mean, scores.logits)
    heard = extracted.is_heard
    n_heard = graph.where(heard, of_segments.size(0), 0)
    n_classes: list[int | str] = [len(parts.classes)] if len(parts.classes) > 2 else []
    outputs: list[tuple[str, Value, list[int | str]]] = [
        ("score", graph.where(heard, score, np.nan), n_classes),
        ("segment_scores", of_segments.slice(0, 0, n_heard), ["n_segments", *n_classes]),
        (
            "segment_spans",
            extracted.spans(graph, first, behind).cast(np.float32).slice(0, 0, n_heard),
            ["n_segments", 2],
        ),
    ]
    if extracted.speech is not None:
        outputs.append(("speech", extracted.speech.cast(np.float32), []))
    return graph.model(outputs, metadata)


def _directed(graph: Graph, parts: Parts, mean: Value, of_segments: Value) -> tuple[Value, Value]:
    """Turn logits into the scores of clip and segments: of two classes the log-odds of synthetic."""
    if len(parts.classes) > 2:
        return mean, of_segments
    score, of_segments = mean.reshape() * parts.direction, of_segments.reshape(-1) * parts.direction
    if parts.calibration is not None:
        slope, intercept = parts.calibration
        most = -np.log(np.finfo(np.float64).eps)  # where scikit-learn clips probabilities
        score = score * slope + intercept * parts.direction
        score = graph.minimum(graph.maximum(score, -most), most)
    return score, of_segments
