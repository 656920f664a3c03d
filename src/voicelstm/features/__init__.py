"""Samples to sequences: the arithmetic, and the transformers."""

import lazy_loader

__getattr__, _, _ = lazy_loader.attach_stub(__name__, __file__)

#: What users import; `__init__.pyi` also names what other packages take.
__all__ = [
    "CepstraSettings",
    "CepstralDynamics",
    "ClipStatistics",
    "MFCCTransformer",
    "append_deltas",
    "cepstra",
    "filter_corners",
    "filterbank",
    "frame_count",
    "frame_sizes",
    "normalize_clip",
]


def __dir__() -> list[str]:
    return __all__
