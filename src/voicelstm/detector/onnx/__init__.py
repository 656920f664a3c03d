"""One graph of a fitted detector for ONNX runtimes, front end inside."""

from voicelstm.detector.onnx._export import export_onnx

__all__ = ["export_onnx"]
