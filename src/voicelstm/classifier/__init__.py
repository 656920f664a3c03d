"""The classifier of sequences, `LSTMVoiceClassifier`."""

import lazy_loader

__getattr__, _, _ = lazy_loader.attach_stub(__name__, __file__)

#: What users import; `__init__.pyi` also names what other packages take.
__all__ = ["LSTMVoiceClassifier"]


def __dir__() -> list[str]:
    return __all__
