"""Tell human speech from synthetic speech.

The public names are imported when they are first used (:pep:`562`), so that ``import voicelstm`` loads
neither TensorFlow nor librosa.
"""

import logging

import lazy_loader

from voicelstm._base import __version__ as __version__

logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent until its user wants to hear it

__getattr__, _, _with_packages = lazy_loader.attach_stub(__name__, __file__)

__all__ = [
    "Augmenter",
    "CepstralDynamics",
    "ClipStatistics",
    "LSTMVoiceClassifier",
    "MFCCTransformer",
    "SequenceStore",
    "SpecAugment",
    "__version__",
    "audit",
    "calibrate",
    "detect",
    "detector_stream",
    "evaluate",
    "export_onnx",
    "fine_tune",
    "load",
    "load_pretrained",
    "make_detector",
    "save",
    "score_timeline",
    "tune_threshold",
]


def __dir__() -> list[str]:
    return sorted({*__all__, *_with_packages})
