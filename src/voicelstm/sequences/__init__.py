"""A batch of sequences: its forms, checks, statistics, segments; the folder for one larger than memory."""

import lazy_loader

__getattr__, _, _ = lazy_loader.attach_stub(__name__, __file__)

#: What users import; `__init__.pyi` also names what other packages take.
__all__ = [
    "AugmentedSequences",
    "Clip",
    "FrameStatistics",
    "SegmentBatches",
    "Segments",
    "SequenceStore",
    "SpecAugment",
    "check_ragged",
    "cut",
    "is_ragged",
    "stack",
]


def __dir__() -> list[str]:
    return __all__
