"""Ask a detector about recordings without the library: ONNX Runtime and soundfile alone.

::

    voicelstm export detector.onnx
    pip install onnxruntime soundfile
    python onnx_runtime.py detector.onnx call.wav
"""

import json
import math
import sys

import onnxruntime
import soundfile


class Detector:
    """A graph that ``voicelstm export`` wrote."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # the fastest for a recording of some seconds
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        known = self.session.get_modelmeta().custom_metadata_map
        self.sample_rate = int(known["sample_rate"])
        self.operating_points = json.loads(known["operating_points"])

    def ask(self, path):
        """Return the score of a recording, NaN if nobody speaks, and rows of start, stop and score."""
        samples, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
        if sample_rate != self.sample_rate:
            raise ValueError(
                f"{path}: {sample_rate} Hz; expected {self.sample_rate} Hz, which FFmpeg makes of it:"
                f" ffmpeg -i {path} -ar {self.sample_rate} out.wav"
            )
        inputs = {"samples": samples.mean(axis=1)}
        score, segment_scores, segment_spans, *_ = self.session.run(None, inputs)
        segments = [
            [*span, of_segment]
            for span, of_segment in zip(segment_spans.tolist(), segment_scores.tolist(), strict=True)
        ]
        return score.item(), segments


def main(graph, recordings):
    detector = Detector(graph)
    for path in recordings:
        score, segments = detector.ask(path)
        if math.isnan(score):
            print(f"{path}: nobody speaks, or for less than 0.15 s")
            continue
        reached = [point["name"] for point in detector.operating_points if score >= point["threshold"]]
        print(f"{path}: score {score:+.2f}" + f", synthetic at {', '.join(reached)}" * bool(reached))
        for start, stop, of_segment in segments:
            print(f"  {start:8.3f} to {stop:8.3f} s: {of_segment:+.2f}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python onnx_runtime.py detector.onnx recording.wav ...")
    main(sys.argv[1], sys.argv[2:])
