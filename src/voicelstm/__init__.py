"""Tell human speech from synthetic speech.

The public names are imported when they are first used (:pep:`562`), so that ``import voicelstm`` loads
neither TensorFlow nor librosa.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voicelstm.auditing import audit
    from voicelstm.augmenter import Augmenter
    from voicelstm.classifier import LSTMVoiceClassifier
    from voicelstm.clip_statistics import ClipStatistics
    from voicelstm.decisions import calibrate, tune_threshold
    from voicelstm.detection import detect
    from voicelstm.detector import make_detector, score_timeline
    from voicelstm.dynamics import CepstralDynamics
    from voicelstm.evaluation import evaluate
    from voicelstm.persistence import load, save
    from voicelstm.store import SequenceStore
    from voicelstm.transformer import MFCCTransformer

__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent until its user wants to hear it

_HOME = {
    "Augmenter": "augmenter",
    "CepstralDynamics": "dynamics",
    "ClipStatistics": "clip_statistics",
    "LSTMVoiceClassifier": "classifier",
    "MFCCTransformer": "transformer",
    "SequenceStore": "store",
    "audit": "auditing",
    "calibrate": "decisions",
    "detect": "detection",
    "evaluate": "evaluation",
    "load": "persistence",
    "make_detector": "detector",
    "save": "persistence",
    "score_timeline": "detector",
    "tune_threshold": "decisions",
}
_MODULES = {
    "audio",
    "cepstra",
    "datasets",
    "display",
    "exceptions",
    "metrics",
    "score_files",
    "splitters",
    *_HOME.values(),
}

__all__ = [
    "Augmenter",
    "CepstralDynamics",
    "ClipStatistics",
    "LSTMVoiceClassifier",
    "MFCCTransformer",
    "SequenceStore",
    "__version__",
    "audit",
    "calibrate",
    "detect",
    "evaluate",
    "load",
    "make_detector",
    "save",
    "score_timeline",
    "tune_threshold",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"voicelstm.{_HOME[name]}"), name)
    if name in _MODULES:
        return import_module(f"voicelstm.{name}")
    raise AttributeError(f"module 'voicelstm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
