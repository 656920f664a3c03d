"""The packaged and the recommended detector, and what is done with a fitted one."""

import lazy_loader

__getattr__, _, _ = lazy_loader.attach_stub(__name__, __file__)

#: What users import; `__init__.pyi` also names what other packages take.
__all__ = [
    "CalibratedDetector",
    "Detection",
    "DetectorStream",
    "EvaluationReport",
    "Measure",
    "Row",
    "StreamEvent",
    "ThresholdDetector",
    "calibrate",
    "detect",
    "detector_stream",
    "evaluate",
    "export_onnx",
    "fine_tune",
    "load_pretrained",
    "make_detector",
    "score_timeline",
    "tune_threshold",
]


def __dir__() -> list[str]:
    return __all__
